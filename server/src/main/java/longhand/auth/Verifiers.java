package longhand.auth;

import java.security.SecureRandom;

/// All that is kept of a password.
public record Verifiers(PasswordHash password, ScramVerifier scram) {

  /// Of a prepared password, with fresh salts. Slow: not for a virtual thread.
  static Verifiers of(String prepared, AuthSettings settings, SecureRandom random) {
    var salt = new byte[16];
    random.nextBytes(salt);
    var scramSalt = new byte[16];
    random.nextBytes(scramSalt);
    return new Verifiers(
        PasswordHash.of(prepared, settings.memoryKib(), settings.passes(), salt),
        ScramVerifier.of(prepared, scramSalt, settings.scramIterations()));
  }
}
