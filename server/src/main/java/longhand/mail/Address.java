package longhand.mail;

import java.util.Locale;

/// What RFC 5321 calls a Mailbox: local-part `@` domain. The local part is the text itself, without
/// the quotes and backslashes that its SMTP form may need; it may hold any character but controls.
public record Address(String localPart, Domain domain) {

  /// Longest local part on the wire, in octets (RFC 5321 §4.5.3.1.1).
  public static final int LOCAL_PART_OCTETS_MAX = 64;

  public Address {
    if (localPart.isEmpty()) {
      throw new IllegalArgumentException("empty local part");
    }
    for (int i = 0; i < localPart.length(); i++) {
      if (Character.isISOControl(localPart.charAt(i))) {
        throw new IllegalArgumentException("control character in a local part");
      }
    }
  }

  /// The form under which an account is known: the local part in lower case.
  public Address canonical() {
    var lower = localPart.toLowerCase(Locale.ROOT);
    return lower.equals(localPart) ? this : new Address(lower, domain);
  }

  @Override
  public String toString() {
    return localPart + "@" + domain;
  }
}
