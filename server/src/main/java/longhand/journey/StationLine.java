package longhand.journey;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A station as a line of text: six columns in UTF-8 with a tab between them, and LF.
///
///     2026-11-24T19:25:44.123Z <tab> id <tab> kind <tab> subject <tab> words <tab> value
///
/// Whatever strangers wrote into an address or a reply, it stays within its column: control
/// characters and those that change how text is shown are written as a backslash, `u` and the
/// character's number in braces, and the backslash as two. A line that a crash has torn has no LF at its end, or NUL octets in it, or is no line.
final class StationLine {

  /// Chars of the time at its beginning.
  static final int TIME_CHARS = 24;

  private static final int COLUMNS = 6;
  private static final char[] DIGITS = "0123456789abcdef".toCharArray();

  /// The latest second as text: most stations of a moment share it. One writer, one instance.
  private long second = Long.MIN_VALUE;

  private String secondText = "";

  /// Adds the line to a text.
  void write(Station station, StringBuilder into) {
    long at = station.at().toEpochMilli();
    long of = Math.floorDiv(at, 1000L);
    if (of != second) {
      second = of;
      secondText =
          LocalDateTime.ofEpochSecond(of, 0, ZoneOffset.UTC)
              .withNano(1)
              .toString()
              .substring(0, 20);
    }
    int millis = Math.floorMod(at, 1000);
    into.append(secondText)
        .append((char) ('0' + millis / 100))
        .append((char) ('0' + millis / 10 % 10))
        .append((char) ('0' + millis % 10))
        .append("Z\t");
    escape(station.id(), into);
    into.append('\t').append(station.kind().text()).append('\t');
    escape(station.subject(), into);
    into.append('\t');
    escape(station.words(), into);
    into.append('\t');
    escape(station.value(), into);
    into.append('\n');
  }

  /// A time as lines begin with it; sorts as the time does.
  static String time(Instant at) {
    var text = new StringBuilder();
    new StationLine().write(new Station(at, "", Station.Kind.END, "", "", ""), text);
    return text.substring(0, TIME_CHARS);
  }

  /// A column as it stands in a line.
  static String escaped(String text) {
    var escaped = new StringBuilder(text.length());
    escape(text, escaped);
    return escaped.toString();
  }

  private static void escape(String text, StringBuilder into) {
    int plainFrom = 0;
    int length = text.length();
    for (int i = 0; i < length; ) {
      char c = text.charAt(i);
      if (c >= ' ' && c < 0x7f && c != '\\') {
        i++;
        continue;
      }
      int point = text.codePointAt(i);
      int chars = Character.charCount(point);
      if (!isPlain(point)) {
        into.append(text, plainFrom, i);
        if (c == '\\') {
          into.append("\\\\");
        } else {
          hexadecimal(point, into);
        }
        plainFrom = i + chars;
      }
      i += chars;
    }
    into.append(text, plainFrom, length);
  }

  private static boolean isPlain(int point) {
    return point != '\\'
        && switch (Character.getType(point)) {
          case Character.CONTROL,
              Character.FORMAT,
              Character.SURROGATE,
              Character.LINE_SEPARATOR,
              Character.PARAGRAPH_SEPARATOR ->
              false;
          default -> true;
        };
  }

  private static void hexadecimal(int point, StringBuilder into) {
    into.append("\\u{");
    int shift = 20;
    while (shift > 4 && point >> shift == 0) {
      shift -= 4;
    }
    for (; shift >= 0; shift -= 4) {
      into.append(DIGITS[(point >> shift) & 0xf]);
    }
    into.append('}');
  }

  /// Reads a line, given without its LF; empty when it is none.
  static Optional<Station> read(byte[] octets, int from, int to) {
    String line;
    try {
      line =
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(octets, from, to - from))
              .toString();
    } catch (CharacterCodingException e) {
      return Optional.empty();
    }
    var columns = new String[COLUMNS];
    int begin = 0;
    for (int i = 0; i < COLUMNS; i++) {
      int end = line.indexOf('\t', begin);
      if ((end < 0) != (i == COLUMNS - 1)) {
        return Optional.empty();
      }
      var column = unescaped(line.substring(begin, end < 0 ? line.length() : end));
      if (column == null) {
        return Optional.empty();
      }
      columns[i] = column;
      begin = end + 1;
    }
    var kind = Station.Kind.of(columns[2]);
    if (kind.isEmpty() || columns[0].length() != TIME_CHARS) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new Station(
              Instant.parse(columns[0]),
              columns[1],
              kind.get(),
              columns[3],
              columns[4],
              columns[5]));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }

  private static @Nullable String unescaped(String text) {
    if (text.indexOf('\\') < 0) {
      return text;
    }
    var plain = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '\\') {
        plain.append(c);
      } else if (text.startsWith("\\", i + 1)) {
        plain.append(c);
        i++;
      } else {
        int end = text.indexOf('}', i);
        if (!text.startsWith("u{", i + 1) || end < i + 4 || end > i + 9) {
          return null;
        }
        int point = 0;
        for (int at = i + 3; at < end; at++) {
          int digit = Character.digit(text.charAt(at), 16);
          if (digit < 0) {
            return null;
          }
          point = (point << 4) | digit;
        }
        if (!Character.isValidCodePoint(point)) {
          return null;
        }
        plain.appendCodePoint(point);
        i = end;
      }
    }
    return plain.toString();
  }
}
