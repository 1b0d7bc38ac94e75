package longhand.mail;

import java.text.Normalizer;
import java.util.Locale;
import java.util.Optional;

/// Turns a domain name with letters beyond ASCII into its A-label form (RFC 5890, RFC 3492). The
/// JDK's `IDN` is of 2003 and makes other domains of some names (`faß.de`).
///
/// What a label may hold is derived from the properties of its characters as RFC 5892 §2 says:
/// letters, digits and marks that are stable under normalisation and case folding, and the
/// exceptions of §2.6. Labels with joiners are refused: none of the rules that would allow them are
/// here. Upper case is mapped to lower case first (RFC 5895 §2).
public final class Idna {

  private static final int LABEL_OCTETS_MAX = 63;
  private static final String ALWAYS_VALID = "\u00df\u03c2\u06fd\u06fe\u0f0b\u3007";
  private static final String NEVER_VALID =
      "\u0640\u07fa\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b";

  private Idna() {}

  /// The A-label form of a name, lower case; empty when the name has a label that cannot be one.
  /// Time is linear in the square of the longest label, and longer labels than 255 characters are
  /// refused first.
  public static Optional<String> toAscii(String name) {
    var ascii = new StringBuilder();
    int begin = 0;
    while (true) {
      int dot = name.indexOf('.', begin);
      var label = name.substring(begin, dot < 0 ? name.length() : dot);
      if (label.isEmpty() || label.length() > 255) {
        return Optional.empty();
      }
      var encoded = label(label);
      if (encoded.isEmpty() || encoded.length() > LABEL_OCTETS_MAX) {
        return Optional.empty();
      }
      ascii.append(encoded);
      if (dot < 0) {
        return Optional.of(ascii.toString());
      }
      ascii.append('.');
      begin = dot + 1;
    }
  }

  private static String label(String text) {
    var lower = Normalizer.normalize(text.toLowerCase(Locale.ROOT), Normalizer.Form.NFC);
    int[] points = lower.codePoints().toArray();
    boolean ascii = true;
    for (int point : points) {
      ascii &= point < 0x80;
    }
    if (ascii) {
      return lower;
    }
    if (lower.startsWith("-")
        || lower.endsWith("-")
        || lower.startsWith("--", 2)
        || isMark(Character.getType(points[0]))) {
      return "";
    }
    for (int point : points) {
      if (!isValid(point)) {
        return "";
      }
    }
    return "xn--" + punycode(points);
  }

  private static boolean isValid(int point) {
    if (point < 0x80) {
      return point == '-' || (point >= '0' && point <= '9') || (point >= 'a' && point <= 'z');
    }
    if (ALWAYS_VALID.indexOf(point) >= 0) {
      return true;
    }
    if (NEVER_VALID.indexOf(point) >= 0) {
      return false;
    }
    int type = Character.getType(point);
    boolean letterDigit =
        type == Character.LOWERCASE_LETTER
            || type == Character.OTHER_LETTER
            || type == Character.MODIFIER_LETTER
            || type == Character.DECIMAL_DIGIT_NUMBER
            || isMark(type);
    if (!letterDigit) {
      return false;
    }
    var one = Character.toString(point);
    var folded =
        Normalizer.normalize(
            Normalizer.normalize(one, Normalizer.Form.NFKC)
                .toUpperCase(Locale.ROOT)
                .toLowerCase(Locale.ROOT),
            Normalizer.Form.NFKC);
    return folded.equals(one);
  }

  private static boolean isMark(int type) {
    return type == Character.NON_SPACING_MARK || type == Character.COMBINING_SPACING_MARK;
  }

  /// RFC 3492 §6.3. A label has at most 255 characters, so nothing overflows.
  private static String punycode(int[] points) {
    var out = new StringBuilder();
    for (int point : points) {
      if (point < 0x80) {
        out.append((char) point);
      }
    }
    int basic = out.length();
    int handled = basic;
    if (basic > 0) {
      out.append('-');
    }
    int n = 128;
    int delta = 0;
    int bias = 72;
    while (handled < points.length) {
      int next = Integer.MAX_VALUE;
      for (int point : points) {
        if (point >= n && point < next) {
          next = point;
        }
      }
      delta += (next - n) * (handled + 1);
      n = next;
      for (int point : points) {
        if (point < n) {
          delta++;
        } else if (point == n) {
          bias = variable(out, delta, bias, handled, basic);
          delta = 0;
          handled++;
        }
      }
      delta++;
      n++;
    }
    return out.toString();
  }

  private static int variable(StringBuilder out, int delta, int bias, int handled, int basic) {
    int q = delta;
    for (int k = 36; ; k += 36) {
      int t = Math.clamp((long) k - bias, 1, 26);
      if (q < t) {
        break;
      }
      out.append(digit(t + (q - t) % (36 - t)));
      q = (q - t) / (36 - t);
    }
    out.append(digit(q));
    int d = handled == basic ? delta / 700 : delta / 2;
    d += d / (handled + 1);
    int k = 0;
    for (; d > 455; k += 36) {
      d /= 35;
    }
    return k + 36 * d / (d + 38);
  }

  private static char digit(int value) {
    return (char) (value < 26 ? 'a' + value : '0' + value - 26);
  }
}
