package longhand.auth;

import java.time.Duration;

/// How dear and how patient authentication is.
///
/// @param failuresMax failures of one peer with one account within `window` before it is refused
/// @param window how long a failure counts
/// @param delay what the first failure costs; each next one twice as much
/// @param delayMax the most one failure costs
/// @param cachedMax accounts whose last good password is remembered (as a keyed digest)
/// @param hashesAtOnce how many passwords are hashed at the same time
/// @param memoryKib Argon2's memory
/// @param passes Argon2's passes
/// @param scramIterations PBKDF2's iterations of SCRAM verifiers
public record AuthSettings(
    int failuresMax,
    Duration window,
    Duration delay,
    Duration delayMax,
    int cachedMax,
    int hashesAtOnce,
    int memoryKib,
    int passes,
    int scramIterations) {

  /// What a server uses. SCRAM's verifiers are kept beside Argon2's, so they must not be the cheap
  /// way to guess; but Cyrus SASL, and with it mbsync, refuses more than 65,536 iterations.
  public static final AuthSettings DEFAULT =
      new AuthSettings(
          10,
          Duration.ofMinutes(10),
          Duration.ofSeconds(2),
          Duration.ofSeconds(15),
          20_000,
          2,
          19 * 1024,
          2,
          50_000);

  public AuthSettings {
    if (failuresMax < 1 || cachedMax < 1 || hashesAtOnce < 1) {
      throw new IllegalArgumentException("limits of authentication must be positive");
    }
  }

  /// For tests: no delays, cheap hashes.
  public static AuthSettings forTests() {
    return new AuthSettings(
        10, Duration.ofMinutes(10), Duration.ZERO, Duration.ZERO, 100, 2, 64, 1, 4096);
  }
}
