package longhand.mail;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/// Text in which any octet can stand in a parameter of an SMTP command: printable ASCII but for `+`
/// and `=`, and all else as `+` and two upper-case hexadecimal digits (RFC 3461 §4).
public final class Xtext {

  private static final String HEX = "0123456789ABCDEF";

  private Xtext() {}

  /// Whether text is xtext; the empty text is.
  public static boolean isXtext(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < '!' || c > '~' || c == '=') {
        return false;
      }
      if (c == '+') {
        if (hexadecimal(text, i + 1) < 0) {
          return false;
        }
        i += 2;
      }
    }
    return true;
  }

  /// What xtext stands for, its octets read as UTF-8. A `+` that begins no hexadecimal pair stays.
  public static String decode(String xtext) {
    if (xtext.indexOf('+') < 0) {
      return xtext;
    }
    var octets = new ByteArrayOutputStream(xtext.length());
    for (int i = 0; i < xtext.length(); ) {
      int octet = xtext.charAt(i) == '+' ? hexadecimal(xtext, i + 1) : -1;
      if (octet >= 0) {
        octets.write(octet);
        i += 3;
      } else {
        int point = xtext.codePointAt(i);
        octets.writeBytes(Character.toString(point).getBytes(StandardCharsets.UTF_8));
        i += Character.charCount(point);
      }
    }
    return octets.toString(StandardCharsets.UTF_8);
  }

  /// Text as xtext, by way of UTF-8.
  public static String encode(String text) {
    var xtext = new StringBuilder(text.length());
    for (byte octet : text.getBytes(StandardCharsets.UTF_8)) {
      if (octet < '!' || octet > '~' || octet == '+' || octet == '=') {
        xtext.append('+').append(HEX.charAt((octet >> 4) & 15)).append(HEX.charAt(octet & 15));
      } else {
        xtext.append((char) octet);
      }
    }
    return xtext.toString();
  }

  /// The octet that two digits at `at` stand for, or -1.
  private static int hexadecimal(String text, int at) {
    if (at + 2 > text.length()) {
      return -1;
    }
    int high = HEX.indexOf(text.charAt(at));
    int low = HEX.indexOf(text.charAt(at + 1));
    return high < 0 || low < 0 ? -1 : high * 16 + low;
  }
}
