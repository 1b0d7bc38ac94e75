package longhand.message;

import java.time.DateTimeException;
import java.time.LocalDate;

/// The day of a Date field (RFC 5322 §3.3), as it stands there: SEARCH SENTON disregards time and
/// zone (RFC 3501 §6.4.4).
public final class SentDay {

  /// No day, or none that can be read.
  public static final int NONE = Integer.MIN_VALUE;

  private static final String MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec";

  private SentDay() {}

  /// The day number (1970-01-01 is 0) of an unfolded value such as `Fri, 21 Nov 1997 09:55:06
  /// -0600`; comments and the day of the week are passed over, two-digit years are read as RFC 5322
  /// §4.3 says.
  public static int of(byte[] value) {
    int day = 0;
    int month = 0;
    int depth = 0;
    int i = 0;
    while (i < value.length) {
      int c = value[i];
      if (c == '(' || c == ')') {
        depth = Math.max(0, depth + (c == '(' ? 1 : -1));
        i++;
      } else if (depth > 0) {
        i++;
      } else if (c >= '0' && c <= '9') {
        int from = i;
        int number = 0;
        while (i < value.length && value[i] >= '0' && value[i] <= '9') {
          number = Math.min(number * 10 + value[i++] - '0', 99_999);
        }
        if (day == 0) {
          day = number;
        } else if (month == 0) {
          return NONE;
        } else {
          return day(day, month, year(number, i - from));
        }
      } else if (isLetter(c)) {
        int from = i;
        while (i < value.length && isLetter(value[i])) {
          i++;
        }
        if (day != 0 && month == 0) {
          month = month(value, from, i);
          if (month == 0) {
            return NONE;
          }
        }
      } else {
        i++;
      }
    }
    return NONE;
  }

  private static boolean isLetter(int c) {
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
  }

  private static int month(byte[] value, int from, int to) {
    if (to - from < 3) {
      return 0;
    }
    for (int month = 0; month < 12; month++) {
      boolean same = true;
      for (int i = 0; i < 3 && same; i++) {
        same = (value[from + i] | 0x20) == MONTHS.charAt(month * 3 + i);
      }
      if (same) {
        return month + 1;
      }
    }
    return 0;
  }

  private static int year(int number, int digits) {
    if (digits == 2) {
      return number < 50 ? 2000 + number : 1900 + number;
    }
    return digits == 3 ? 1900 + number : number;
  }

  private static int day(int day, int month, int year) {
    if (year > 9_999) {
      return NONE;
    }
    try {
      return Math.toIntExact(LocalDate.of(year, month, day).toEpochDay());
    } catch (DateTimeException _) {
      return NONE; // the 31st of February: no day
    }
  }
}
