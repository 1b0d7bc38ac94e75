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

  /// The address as it stands in SMTP and in header fields: the local part in quotes where it is no
  /// dot-string (RFC 5321 §4.1.2).
  public String quoted() {
    return isDotString(localPart) ? toString() : quote(localPart) + "@" + domain;
  }

  private static boolean isDotString(String text) {
    boolean atomEmpty = true;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '.') {
        if (atomEmpty) {
          return false;
        }
        atomEmpty = true;
      } else if (isAtext(c)) {
        atomEmpty = false;
      } else {
        return false;
      }
    }
    return !atomEmpty;
  }

  /// Whether a character may stand in an atom: letters, digits, some marks (RFC 5322 §3.2.3), and
  /// everything beyond ASCII (RFC 6531 §3.3).
  public static boolean isAtext(int c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c >= 0x80
        || "!#$%&'*+-/=?^_`{|}~".indexOf(c) >= 0;
  }

  private static String quote(String text) {
    var quoted = new StringBuilder(text.length() + 2).append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        quoted.append('\\');
      }
      quoted.append(c);
    }
    return quoted.append('"').toString();
  }

  @Override
  public String toString() {
    return localPart + "@" + domain;
  }
}
