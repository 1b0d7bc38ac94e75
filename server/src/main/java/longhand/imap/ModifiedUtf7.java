package longhand.imap;

import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Mailbox names on the wire: modified UTF-7 (RFC 3501 §5.1.3). Printable ASCII stands for itself,
/// `&-` for `&`, everything else is UTF-16 in base64 between `&` and `-`.
final class ModifiedUtf7 {

  private static final String BASE64 =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

  private ModifiedUtf7() {}

  /// The form on the wire, ASCII.
  static String encode(String name) {
    var out = new StringBuilder(name.length() + 8);
    int bits = 0;
    int held = 0;
    boolean shifted = false;
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (c >= ' ' && c < 0x7f) {
        if (shifted) {
          unshift(out, bits, held);
          shifted = false;
        }
        out.append(c == '&' ? "&-" : String.valueOf(c));
        continue;
      }
      if (!shifted) {
        out.append('&');
        shifted = true;
        bits = 0;
        held = 0;
      }
      bits = (bits << 16) | c;
      held += 16;
      while (held >= 6) {
        held -= 6;
        out.append(BASE64.charAt((bits >>> held) & 0x3f));
      }
      bits &= (1 << held) - 1;
    }
    if (shifted) {
      unshift(out, bits, held);
    }
    return out.toString();
  }

  private static void unshift(StringBuilder out, int bits, int held) {
    if (held > 0) {
      out.append(BASE64.charAt((bits << (6 - held)) & 0x3f));
    }
    out.append('-');
  }

  /// The name; empty when the octets are not the one way to write a name: no two forms of a name
  /// are taken for the same, and no form hides an ASCII character.
  static Optional<String> decode(byte[] octets) {
    var out = new StringBuilder(octets.length);
    for (int i = 0; i < octets.length; i++) {
      int c = octets[i];
      if (c < ' ' || c == 0x7f) {
        return Optional.empty();
      }
      if (c != '&') {
        out.append((char) c);
        continue;
      }
      if (i + 1 < octets.length && octets[i + 1] == '-') {
        out.append('&');
        i++;
        continue;
      }
      int bits = 0;
      int held = 0;
      for (i++; i < octets.length && octets[i] != '-'; i++) {
        int digit = octets[i] < 0 ? -1 : BASE64.indexOf(octets[i]);
        if (digit < 0) {
          return Optional.empty();
        }
        bits = (bits << 6) | digit;
        held += 6;
        if (held >= 16) {
          held -= 16;
          out.append((char) ((bits >>> held) & 0xffff));
          bits &= (1 << held) - 1;
        }
      }
    }
    var name = out.toString();
    boolean canonical =
        encode(name).equals(new String(octets, StandardCharsets.ISO_8859_1)) && isUnicode(name);
    return canonical ? Optional.of(name) : Optional.empty();
  }

  private static boolean isUnicode(String name) {
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (Character.isHighSurrogate(c)) {
        if (i + 1 == name.length() || !Character.isLowSurrogate(name.charAt(++i))) {
          return false;
        }
      } else if (Character.isLowSurrogate(c)) {
        return false;
      }
    }
    return true;
  }
}
