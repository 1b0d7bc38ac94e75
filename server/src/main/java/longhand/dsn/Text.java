package longhand.dsn;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.Locale;

/// Makes text of others fit for header fields and lines, whatever it holds.
final class Text {

  private static final int FOLD = 76;

  /// A word of more octets is cut: no line has more than 998 (RFC 5322 §2.1.1).
  private static final int WORD_MAX = 900;

  /// Octets in one encoded-word of 75 (RFC 2047 §2).
  private static final int ENCODED_MAX = 42;

  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE, d MMM uuuu HH:mm:ss '+0000'", Locale.US)
          .withZone(ZoneOffset.UTC);

  private Text() {}

  /// One line: controls and what is no character become U+FFFD, runs of white space one blank, and
  /// it ends after `max` characters.
  static String line(String text, int max) {
    var line = new StringBuilder(Math.min(text.length(), max));
    boolean blank = false;
    for (int i = 0; i < text.length() && line.length() < max; ) {
      int point = text.codePointAt(i);
      i += Character.charCount(point);
      int type = Character.getType(point);
      if (point == ' ' || point == '\t' || point == '\r' || point == '\n') {
        blank = !line.isEmpty();
        continue;
      }
      if (blank) {
        line.append(' ');
        blank = false;
      }
      boolean odd =
          type == Character.CONTROL
              || type == Character.SURROGATE
              || type == Character.LINE_SEPARATOR
              || type == Character.PARAGRAPH_SEPARATOR;
      line.appendCodePoint(odd ? 0xfffd : point);
    }
    return line.toString();
  }

  static boolean isAscii(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) >= 0x80) {
        return false;
      }
    }
    return true;
  }

  /// With `?` for what is beyond ASCII.
  static String ascii(String text) {
    if (isAscii(text)) {
      return text;
    }
    var ascii = new StringBuilder(text.length());
    text.codePoints().forEach(point -> ascii.append(point < 0x80 ? (char) point : '?'));
    return ascii.toString();
  }

  static String date(Instant instant) {
    return DATE.format(instant);
  }

  /// A field, folded at blanks, with its last line end.
  ///
  /// @param value one line
  static String field(String name, String value) {
    var field = new StringBuilder(name).append(':');
    int column = field.length();
    for (int begin = 0; begin < value.length(); ) {
      int space = value.indexOf(' ', begin);
      int end = space < 0 ? value.length() : space;
      int cut = cut(value, begin, end);
      if (column + 1 + cut - begin > FOLD && column > name.length() + 1) {
        field.append("\r\n");
        column = 0;
      }
      field.append(' ').append(value, begin, cut);
      column += 1 + cut - begin;
      begin = cut < end ? cut : end + 1;
    }
    return field.append("\r\n").toString();
  }

  private static int cut(String value, int begin, int end) {
    int octets = 0;
    int at = begin;
    while (at < end) {
      int point = value.codePointAt(at);
      octets += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
      if (octets > WORD_MAX) {
        break;
      }
      at += Character.charCount(point);
    }
    return at;
  }

  /// Unstructured text in ASCII: as it is, or as encoded-words (RFC 2047) where it must.
  ///
  /// @param prefix ASCII of our own, which stays readable in any case
  /// @param text one line
  static String unstructured(String prefix, String text) {
    boolean plain = isAscii(text) && !text.contains("=?");
    int word = 0;
    for (int i = 0; i < text.length(); i++) {
      word = text.charAt(i) == ' ' ? 0 : word + 1;
      plain &= word <= FOLD;
    }
    if (plain) {
      return prefix + text;
    }
    var encoded = new StringBuilder(prefix);
    for (int begin = 0; begin < text.length(); ) {
      int end = begin;
      int octets = 0;
      while (end < text.length()) {
        int point = text.codePointAt(end);
        int more = Character.toString(point).getBytes(StandardCharsets.UTF_8).length;
        if (octets + more > ENCODED_MAX) {
          break;
        }
        octets += more;
        end += Character.charCount(point);
      }
      if (begin > 0) {
        encoded.append(' ');
      }
      var piece = text.substring(begin, end).getBytes(StandardCharsets.UTF_8);
      encoded.append("=?utf-8?B?").append(Base64.getEncoder().encodeToString(piece)).append("?=");
      begin = end;
    }
    return encoded.toString();
  }
}
