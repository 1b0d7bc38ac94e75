package longhand.auth;

import com.ongres.stringprep.Profile;
import com.ongres.stringprep.Stringprep;
import java.util.Optional;
import longhand.mail.Address;

/// What the directory keeps to verify the owner of an account.
///
/// @param account canonical
/// @param password for PLAIN, LOGIN and other plain-text log-ins
/// @param scram for SCRAM
/// @param active whether anybody may log in
public record Credentials(
    Address account, PasswordHash password, ScramVerifier scram, boolean active) {

  /// Longest password, in UTF-16 units.
  public static final int PASSWORD_CHARS_MAX = 256;

  /// Longest name to log in with, in UTF-16 units.
  public static final int NAME_CHARS_MAX = 320;

  private static final Profile SASLPREP = Stringprep.getProvider("SASLprep");

  /// The form of a password that hashes are made of (RFC 4013); empty when it is empty, too long or
  /// holds characters that no password may have.
  public static Optional<String> preparePassword(String password) {
    return prepare(password, PASSWORD_CHARS_MAX);
  }

  /// The form of a name that is looked up (RFC 4013); empty as above.
  static Optional<String> prepareName(String name) {
    return prepare(name, NAME_CHARS_MAX);
  }

  private static Optional<String> prepare(String text, int charsMax) {
    if (text.isEmpty() || text.length() > charsMax) {
      return Optional.empty();
    }
    if (isPlainAscii(text)) {
      return Optional.of(text);
    }
    try {
      var prepared = SASLPREP.prepareQuery(text);
      return prepared.isEmpty() || prepared.length() > charsMax
          ? Optional.empty()
          : Optional.of(prepared);
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // prohibited characters
    }
  }

  private static boolean isPlainAscii(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) < ' ' || text.charAt(i) > '~') {
        return false;
      }
    }
    return true;
  }
}
