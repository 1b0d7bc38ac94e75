package longhand.directory;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import longhand.auth.PasswordHash;
import longhand.auth.ScramVerifier;
import longhand.auth.Verifiers;
import longhand.mail.Address;
import longhand.mail.Domain;

/// One account as the directory knows it.
///
/// @param address canonical
/// @param password the Argon2id hash
/// @param scram what SCRAM verifies with
/// @param name display name, may be empty; no control characters, at most 200 characters
/// @param quotaOctets most octets of messages, 0 for no limit
/// @param active whether it may log in and receive
/// @param forward where its mail goes besides, or instead
public record AccountRecord(
    Address address,
    PasswordHash password,
    ScramVerifier scram,
    String name,
    long quotaOctets,
    boolean active,
    Optional<Forward> forward)
    implements DirectoryEntry {

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

  /// One that keeps its mail and forwards none.
  public AccountRecord(
      Address address,
      PasswordHash password,
      ScramVerifier scram,
      String name,
      long quotaOctets,
      boolean active) {
    this(address, password, scram, name, quotaOctets, active, Optional.empty());
  }

  /// The same with another password.
  public AccountRecord withVerifiers(Verifiers verifiers) {
    return new AccountRecord(
        address, verifiers.password(), verifiers.scram(), name, quotaOctets, active, forward);
  }

  /// The same, forwarding so.
  public AccountRecord withForward(Optional<Forward> other) {
    return new AccountRecord(address, password, scram, name, quotaOctets, active, other);
  }

  /// Whether a text can be a display name.
  public static boolean isName(String text) {
    return text.length() <= NAME_CHARS_MAX
        && text.chars().noneMatch(Character::isISOControl)
        && !text.startsWith(" ")
        && !text.endsWith(" ");
  }

  @Override
  public String toLine() {
    return AccountLine.format(this);
  }

  /// Reads a line of a domain's file; `IllegalArgumentException` says what is wrong.
  public static AccountRecord ofLine(String line, Domain domain) {
    try {
      return AccountLine.parse(line.getBytes(StandardCharsets.UTF_8), domain);
    } catch (AccountLine.BadLineException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /// Reads a number of octets such as `0`, `500M` or `5G`; -1 when it is none, or too large.
  public static long octets(String text) {
    return AccountLine.octets(text);
  }

  /// The shortest form of a number of octets.
  public static String octets(long value) {
    return AccountLine.octets(value);
  }
}
