package longhand.sending;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;

/// One line of an account's file; a later one counts in place of an earlier one about the same.
/// Fields are separated by a tab, which no address holds.
///
///     hour        2026-11-24T18:00:00Z  12 messages  30 recipients  3 new
///     day         2026-11-24T09:12:00Z  40 messages  90 recipients  5 new
///     known       2026-11-24            bob@example.net
///     suppressed  2026-11-24T18:00:00Z  2026-12-24T18:00:00Z  5.1.1  carol@example.net  550 5.1.1 no
///     allowed     carol@example.net
sealed interface SendingLine {

  /// What was sent in the hour that goes on.
  record Hour(Window window) implements SendingLine {}

  /// What was sent in the day that goes on.
  record Day(Window window) implements SendingLine {}

  /// An address that was written to.
  ///
  /// @param last when last
  record Known(LocalDate last, String address) implements SendingLine {}

  /// An address that is not written to.
  record Suppressed(Suppression suppression) implements SendingLine {}

  /// One that is again.
  record Allowed(Address address) implements SendingLine {}

  /// For people.
  record Remark() implements SendingLine {}

  /// What is none of these.
  record Damaged() implements SendingLine {}

  /// Reads a line.
  static SendingLine of(String line) {
    if (line.isEmpty() || line.charAt(0) == '#') {
      return new Remark();
    }
    var fields = fields(line);
    try {
      return switch (fields.getFirst() + " " + fields.size()) {
        case "hour 5" -> new Hour(window(fields));
        case "day 5" -> new Day(window(fields));
        case "known 3" -> new Known(LocalDate.parse(fields.get(1)), address(fields.get(2)) + "");
        case "suppressed 6" ->
            new Suppressed(
                new Suppression(
                    address(fields.get(4)),
                    Instant.parse(fields.get(1)),
                    Instant.parse(fields.get(2)),
                    status(fields.get(3)),
                    fields.get(5)));
        case "allowed 2" -> new Allowed(address(fields.get(1)));
        default -> new Damaged();
      };
    } catch (IllegalArgumentException | DateTimeException e) {
      return new Damaged();
    }
  }

  /// The line, with its end.
  default String text() {
    return switch (this) {
          case Hour(var window) -> "hour\t" + text(window);
          case Day(var window) -> "day\t" + text(window);
          case Known(var last, var address) -> "known\t" + last + "\t" + address;
          case Suppressed(var suppression) ->
              "suppressed\t"
                  + suppression.since()
                  + "\t"
                  + suppression.until()
                  + "\t"
                  + suppression.status()
                  + "\t"
                  + suppression.address()
                  + "\t"
                  + suppression.words();
          case Allowed(var address) -> "allowed\t" + address;
          case Remark _, Damaged _ -> "#";
        }
        + "\n";
  }

  private static String text(Window window) {
    return window.began()
        + "\t"
        + window.messages()
        + " messages\t"
        + window.recipients()
        + " recipients\t"
        + window.fresh()
        + " new";
  }

  private static Window window(List<String> fields) {
    return new Window(
        Instant.parse(fields.get(1)),
        number(fields.get(2), " messages"),
        number(fields.get(3), " recipients"),
        number(fields.get(4), " new"));
  }

  private static int number(String field, String unit) {
    if (!field.endsWith(unit)) {
      throw new IllegalArgumentException(field);
    }
    int number = Integer.parseInt(field.substring(0, field.length() - unit.length()));
    if (number < 0) {
      throw new IllegalArgumentException(field);
    }
    return number;
  }

  private static EnhancedStatus status(String field) {
    int first = field.indexOf('.');
    int second = field.indexOf('.', first + 1);
    if (first < 0 || second < 0) {
      throw new IllegalArgumentException(field);
    }
    return new EnhancedStatus(
        Integer.parseInt(field.substring(0, first)),
        Integer.parseInt(field.substring(first + 1, second)),
        Integer.parseInt(field.substring(second + 1)));
  }

  private static Address address(String field) {
    int at = field.lastIndexOf('@');
    if (at < 0) {
      throw new IllegalArgumentException(field);
    }
    return new Address(field.substring(0, at), new Domain(field.substring(at + 1)));
  }

  private static List<String> fields(String line) {
    var fields = new ArrayList<String>();
    int begin = 0;
    for (int tab = line.indexOf('\t'); tab >= 0; tab = line.indexOf('\t', begin)) {
      fields.add(line.substring(begin, tab));
      begin = tab + 1;
    }
    fields.add(line.substring(begin));
    return fields;
  }
}
