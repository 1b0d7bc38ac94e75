package longhand.auth;

import com.ongres.scram.common.ScramFunctions;
import com.ongres.scram.common.ScramMechanism;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.Optional;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/// What a server keeps to verify SCRAM-SHA-256 (RFC 5802 §3): not the password, nor enough to log
/// in with. The arrays are not copied and not to be changed.
///
/// @param salt 8 to 64 octets
/// @param iterations of PBKDF2, 4,096 (RFC 7677 §4) to 10,000,000
/// @param storedKey 32 octets
/// @param serverKey 32 octets
public record ScramVerifier(byte[] salt, int iterations, byte[] storedKey, byte[] serverKey) {

  /// Least iterations (RFC 7677 §4).
  public static final int ITERATIONS_MIN = 4096;

  /// Most iterations; a client does the work, and one asked for more would seem to hang.
  public static final int ITERATIONS_MAX = 10_000_000;

  private static final int KEY_OCTETS = 32;
  private static final String PREFIX = "SCRAM-SHA-256$";

  public ScramVerifier {
    if (salt.length < 8 || salt.length > 64) {
      throw new IllegalArgumentException("salt of " + salt.length + " octets");
    }
    if (iterations < ITERATIONS_MIN || iterations > ITERATIONS_MAX) {
      throw new IllegalArgumentException(iterations + " iterations");
    }
    if (storedKey.length != KEY_OCTETS || serverKey.length != KEY_OCTETS) {
      throw new IllegalArgumentException("keys that are not of 32 octets");
    }
  }

  /// The verifier of a prepared password (see [Credentials#preparePassword]).
  public static ScramVerifier of(String prepared, byte[] salt, int iterations) {
    var mechanism = ScramMechanism.SCRAM_SHA_256;
    byte[] salted = saltedPassword(prepared, salt, iterations);
    byte[] storedKey =
        ScramFunctions.storedKey(mechanism, ScramFunctions.clientKey(mechanism, salted));
    return new ScramVerifier(
        salt, iterations, storedKey, ScramFunctions.serverKey(mechanism, salted));
  }

  /// `Hi` of RFC 5802 §2.2: PBKDF2 with HMAC-SHA-256. The library's own takes ASCII only, or a
  /// preparation that knows no character younger than Unicode 3.2.
  static byte[] saltedPassword(String prepared, byte[] salt, int iterations) {
    try {
      return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
          .generateSecret(
              new PBEKeySpec(prepared.toCharArray(), salt, iterations, KEY_OCTETS * Byte.SIZE))
          .getEncoded();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has PBKDF2WithHmacSHA256", e);
    }
  }

  /// Reads the form that `toText` writes; empty when it is not of that form.
  public static Optional<ScramVerifier> parse(String text) {
    if (!text.startsWith(PREFIX)) {
      return Optional.empty();
    }
    int colon = text.indexOf(':', PREFIX.length());
    int dollar = colon < 0 ? -1 : text.indexOf('$', colon);
    int second = dollar < 0 ? -1 : text.indexOf(':', dollar);
    if (second < 0 || colon - PREFIX.length() > 8) {
      return Optional.empty();
    }
    try {
      var decoder = Base64.getDecoder();
      return Optional.of(
          new ScramVerifier(
              decoder.decode(text.substring(colon + 1, dollar)),
              Integer.parseInt(text.substring(PREFIX.length(), colon)),
              decoder.decode(text.substring(dollar + 1, second)),
              decoder.decode(text.substring(second + 1))));
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // not base64, not a number, or out of its range
    }
  }

  /// `SCRAM-SHA-256$iterations:salt$storedKey:serverKey`, the octets in base64 (RFC 5803 §2).
  public String toText() {
    var encoder = Base64.getEncoder();
    return PREFIX
        + iterations
        + ":"
        + encoder.encodeToString(salt)
        + "$"
        + encoder.encodeToString(storedKey)
        + ":"
        + encoder.encodeToString(serverKey);
  }

  /// Says nothing of the keys, so that a log cannot either.
  @Override
  public String toString() {
    return "ScramVerifier[" + iterations + " iterations]";
  }
}
