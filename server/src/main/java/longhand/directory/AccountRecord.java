package longhand.directory;

import longhand.auth.PasswordHash;
import longhand.auth.ScramVerifier;
import longhand.mail.Address;

/// One account as the directory knows it.
///
/// @param address canonical
/// @param password the Argon2id hash
/// @param scram what SCRAM verifies with
/// @param name display name, may be empty; no control characters, at most 200 characters
/// @param quotaOctets most octets of messages, 0 for no limit
/// @param active whether it may log in and receive
public record AccountRecord(
    Address address,
    PasswordHash password,
    ScramVerifier scram,
    String name,
    long quotaOctets,
    boolean active) {

  /// Longest display name, in characters.
  public static final int NAME_CHARS_MAX = 200;

  public AccountRecord {
    if (!address.equals(address.canonical())) {
      throw new IllegalArgumentException("an address that is not canonical: " + address);
    }
    if (quotaOctets < 0) {
      throw new IllegalArgumentException("quota of " + quotaOctets + " octets");
    }
    if (!isName(name)) {
      throw new IllegalArgumentException(
          "a name has at most "
              + NAME_CHARS_MAX
              + " characters, none of them control characters, and no space at its ends");
    }
  }

  /// Whether a text can be a display name.
  public static boolean isName(String text) {
    return text.length() <= NAME_CHARS_MAX
        && text.chars().noneMatch(Character::isISOControl)
        && !text.startsWith(" ")
        && !text.endsWith(" ");
  }
}
