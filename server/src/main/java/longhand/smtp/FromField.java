package longhand.smtp;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.Idna;

/// Reads the one address of a From field (RFC 5322 §3.6.2), to see whether its user may send as it.
/// What is not plainly one address is none: several, a group, unbalanced quotes or comments.
final class FromField {

  private final String text;
  private int at;

  private FromField(String text) {
    this.text = text;
  }

  /// The address in the field's value, folded or not. Linear in its length.
  static Optional<Address> address(String value) {
    return new FromField(value).mailbox();
  }

  private Optional<Address> mailbox() {
    var bare = new StringBuilder();
    StringBuilder angle = null;
    var into = bare;
    while (at < text.length()) {
      char c = text.charAt(at++);
      switch (c) {
        case ' ', '\t', '\r', '\n' -> {}
        case '(' -> {
          if (!comment()) {
            return Optional.empty();
          }
        }
        case '"' -> {
          into.append('"');
          if (!quotedString(into)) {
            return Optional.empty();
          }
        }
        case '<' -> {
          if (angle != null) {
            return Optional.empty();
          }
          angle = new StringBuilder();
          into = angle;
        }
        case '>' -> {
          if (into == bare) {
            return Optional.empty();
          }
          into = bare;
          bare.append('>');
        }
        case ',', ';', ':' -> {
          return Optional.empty();
        }
        default -> into.append(c);
      }
    }
    if (into == angle) {
      return Optional.empty();
    }
    if (angle == null) {
      return addrSpec(bare.toString());
    }
    // Nothing but comments may follow the angle brackets.
    return bare.charAt(bare.length() - 1) == '>' ? addrSpec(angle.toString()) : Optional.empty();
  }

  private boolean comment() {
    int depth = 1;
    while (at < text.length()) {
      char c = text.charAt(at++);
      if (c == '\\') {
        at++;
      } else if (c == '(') {
        depth++;
      } else if (c == ')' && --depth == 0) {
        return true;
      }
    }
    return false;
  }

  private boolean quotedString(StringBuilder into) {
    while (at < text.length()) {
      char c = text.charAt(at++);
      into.append(c);
      if (c == '\\' && at < text.length()) {
        into.append(text.charAt(at++));
      } else if (c == '"') {
        return true;
      }
    }
    return false;
  }

  private static Optional<Address> addrSpec(String spec) {
    int sign = spec.lastIndexOf('@');
    if (sign < 1 || sign == spec.length() - 1) {
      return Optional.empty();
    }
    var domain = spec.substring(sign + 1);
    boolean ascii = domain.chars().allMatch(c -> c < 0x80);
    var name = ascii ? Optional.of(domain.toLowerCase(Locale.ROOT)) : Idna.toAscii(domain);
    var localPart = localPart(spec.substring(0, sign));
    if (name.isEmpty()
        || name.get().length() > Domain.OCTETS_MAX
        || localPart.isEmpty()
        || localPart.getBytes(StandardCharsets.UTF_8).length > 255) {
      return Optional.empty();
    }
    return Optional.of(new Address(localPart, new Domain(name.get())));
  }

  /// The local part without quotes; empty when it is not of one piece or holds controls.
  private static String localPart(String written) {
    var plain = new StringBuilder();
    boolean quoted = written.length() > 1 && written.startsWith("\"") && written.endsWith("\"");
    int end = quoted ? written.length() - 1 : written.length();
    for (int i = quoted ? 1 : 0; i < end; i++) {
      char c = written.charAt(i);
      if (quoted && c == '\\' && i + 1 < end) {
        c = written.charAt(++i);
      } else if (c == '"' || (!quoted && c != '.' && !Address.isAtext(c))) {
        return "";
      }
      if (Character.isISOControl(c)) {
        return "";
      }
      plain.append(c);
    }
    return plain.toString();
  }
}
