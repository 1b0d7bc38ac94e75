package longhand.transfer;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Dates as other programs write them.
final class Dates {

  private static final String MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec";
  private static final int TEXT_MAX = 200;

  private Dates() {}

  /// The date of a `From ` line, in any of the orders one meets (`Mon Nov 23 04:00:00 2026`, with a
  /// zone before or after the year, without seconds); without a zone it is UTC. Null when there is
  /// none.
  static @Nullable Instant ofFromLine(String line) {
    return of(line);
  }

  /// The date of a Date or the end of a Received field (RFC 5322 §3.3), comments and day of the
  /// week passed over; null when there is none that can be read.
  static @Nullable Instant ofField(String value) {
    var words = value;
    int comment = words.indexOf('(');
    if (comment >= 0) {
      words = words.substring(0, comment);
    }
    try {
      return OffsetDateTime.parse(words.strip(), DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
    } catch (DateTimeException e) {
      return of(words);
    }
  }

  private static @Nullable Instant of(String text) {
    var words = words(text);
    int time = -1;
    for (int i = words.size() - 1; i >= 0 && time < 0; i--) {
      time = isTime(words.get(i)) ? i : -1;
    }
    if (time < 2) {
      return null;
    }
    int day = -1;
    int month = -1;
    int year = -1;
    int zoneSeconds = 0;
    for (int i = Math.max(0, time - 4); i < Math.min(words.size(), time + 4); i++) {
      var word = words.get(i);
      int number = number(word);
      int named =
          word.length() >= 3 ? MONTHS.indexOf(word.substring(0, 3).toLowerCase(Locale.ROOT)) : -1;
      if (number >= 1000 && word.length() == 4 && Character.isDigit(word.charAt(0))) {
        year = number;
      } else if (number >= 1 && number <= 31 && i < time && word.length() <= 2) {
        day = number;
      } else if (named >= 0 && named % 3 == 0 && i < time) {
        month = named / 3 + 1;
      } else if (word.length() == 5 && (word.charAt(0) == '+' || word.charAt(0) == '-')) {
        int offset = number(word.substring(1));
        zoneSeconds = (offset / 100 * 3600 + offset % 100 * 60) * (word.charAt(0) == '-' ? -1 : 1);
      }
    }
    var clock = words.get(time);
    try {
      return LocalDateTime.of(
              year,
              month,
              day,
              number(clock.substring(0, 2)),
              number(clock.substring(3, 5)),
              clock.length() == 8 ? Math.min(59, number(clock.substring(6, 8))) : 0)
          .minusSeconds(zoneSeconds)
          .toInstant(ZoneOffset.UTC);
    } catch (DateTimeException e) {
      return null;
    }
  }

  private static boolean isTime(String word) {
    return (word.length() == 8 || word.length() == 5)
        && word.charAt(2) == ':'
        && (word.length() == 5 || (word.charAt(5) == ':' && number(word.substring(6)) >= 0))
        && number(word.substring(0, 2)) >= 0
        && number(word.substring(3, 5)) >= 0;
  }

  private static int number(String digits) {
    int value = 0;
    for (int i = 0; i < digits.length(); i++) {
      char c = digits.charAt(i);
      if (c < '0' || c > '9' || i > 8) {
        return -1;
      }
      value = value * 10 + c - '0';
    }
    return digits.isEmpty() ? -1 : value;
  }

  private static List<String> words(String text) {
    var words = new ArrayList<String>();
    var word = new StringBuilder();
    int from = Math.max(0, text.length() - TEXT_MAX);
    for (int i = from; i <= text.length(); i++) {
      char c = i < text.length() ? text.charAt(i) : ' ';
      if (c > ' ' && c != ',') {
        word.append(c);
      } else if (!word.isEmpty()) {
        words.add(word.toString());
        word.setLength(0);
      }
    }
    return words;
  }
}
