package longhand.dsn;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import longhand.mail.EnhancedStatus;

/// The part of a report that a person reads: what happened to whom, why, and what there is to do.
/// Recipients with the same fate stand together, the worst fate first.
final class PeopleText {

  /// Longest line that goes as it is.
  static final int LINE_MAX = 900;

  private static final int WIDTH = 72;

  /// What the recipients of one paragraph share.
  private record Fate(
      Action action,
      EnhancedStatus status,
      Optional<String> remoteMta,
      Optional<String> words,
      Optional<Instant> willRetryUntil) {}

  private final Report report;
  private final String subject;
  private final boolean whole;
  private final StringBuilder text = new StringBuilder(1024);

  /// @param whole whether the message is returned, or else its header
  PeopleText(Report report, String subject, boolean whole) {
    this.report = report;
    this.subject = subject;
    this.whole = whole;
  }

  /// What the report is about, in few words.
  static String subject(List<Told> told) {
    var worst = told.stream().map(Told::action).min(Comparator.naturalOrder()).orElseThrow();
    return switch (worst) {
      case FAILED -> "Not delivered";
      case DELAYED -> "Not delivered yet";
      case DELIVERED -> "Delivered";
      case RELAYED -> "Passed on";
      case EXPANDED -> "Sent to a list";
    };
  }

  String text() {
    var fates = new LinkedHashMap<Fate, List<Told>>();
    for (var each : report.told()) {
      var fate =
          new Fate(
              each.action(), each.status(), each.remoteMta(), each.words(), each.willRetryUntil());
      fates.computeIfAbsent(fate, _ -> new ArrayList<>()).add(each);
    }
    paragraph("This is the mail server " + Text.line(report.hostname(), 255) + ".");
    var message =
        "Your message "
            + (subject.isEmpty() ? "" : "\"" + subject + "\" ")
            + "of "
            + Text.date(report.arrived())
            + " ";
    fates.entrySet().stream()
        .sorted(Comparator.comparing(entry -> entry.getKey().action()))
        .forEach(entry -> fate(message, entry.getKey(), entry.getValue()));
    paragraph(
        whole
            ? "The message is attached, and details for your mail program."
            : "The first lines of the message are attached, and details for your mail program.");
    return text.toString();
  }

  private void fate(String message, Fate fate, List<Told> told) {
    paragraph(
        message
            + switch (fate.action) {
              case FAILED -> "was not delivered to";
              case DELAYED -> "has not been delivered yet to";
              case DELIVERED -> "was delivered to";
              case RELAYED ->
                  by().isPresent()
                      ? "was passed on to another server for"
                      : "was passed on, to a server that does not tell of delivery, for";
              case EXPANDED -> "was sent to the members of the list";
            });
    for (var each : told) {
      text.append("    ").append(Text.line(each.recipient().address().quoted(), 1_000));
      text.append("\r\n");
    }
    text.append("\r\n");
    paragraph(why(fate) + next(fate));
    fate.words.ifPresent(
        words -> {
          paragraph(
              fate.remoteMta.map(name -> "The server " + name + " said:").orElse("What was seen:"));
          text.append("    ").append(words).append("\r\n\r\n");
        });
  }

  /// In plain words what a status means to a sender.
  private static String why(Fate fate) {
    if (fate.action != Action.FAILED && fate.action != Action.DELAYED) {
      return "";
    }
    var status = fate.status;
    return switch (status.subject()) {
      case 1 ->
          switch (status.detail()) {
            case 1, 3, 6 -> "There is no such address there. ";
            case 2, 10 -> "There is no mail server for that domain. ";
            case 7, 8 -> "Your own address was not accepted. ";
            default -> "The address was not accepted. ";
          };
      case 2 ->
          switch (status.detail()) {
            case 1 -> "The account there takes no mail. ";
            case 2 -> "The mailbox there is full. ";
            case 3 -> "The message is too large for that mailbox. ";
            default -> "The mailbox there could not take it. ";
          };
      case 3 ->
          status.detail() == 4
              ? "The message is too large for that server. "
              : "The server there could not take it. ";
      case 4 ->
          switch (status.detail()) {
            case 6 -> "The message goes around in a circle. ";
            case 7 -> "The time for delivering it was over. ";
            default -> "The server there could not be reached. ";
          };
      case 6 -> "The server there cannot take a message of this form. ";
      case 7 -> "The server there did not want it. ";
      default -> "The server there did not take it. ";
    };
  }

  private Optional<Instant> by() {
    return report.envelope().handling().by().map(by -> by.deadline(report.arrived()));
  }

  private String next(Fate fate) {
    return switch (fate.action) {
      case FAILED -> {
        boolean address = fate.status.subject() == 1 && fate.status.detail() != 7;
        yield "It will not be tried again. "
            + (address
                ? "Please check the address, and send the message anew if it was mistyped."
                : "If it matters, please reach them another way.");
      }
      case DELAYED ->
          "You need not do anything: it is tried again"
              + fate.willRetryUntil.map(until -> " until " + Text.date(until)).orElse("")
              + ", and you are told if that fails.";
      case DELIVERED -> "You asked to be told.";
      case RELAYED ->
          by().map(time -> "You asked for delivery by " + Text.date(time) + ". ")
                  .orElse("You asked to be told. ")
              + "There will be no word of its delivery"
              + (by().isPresent() ? " from us." : ".");
      case EXPANDED -> "You asked to be told. There will be no word from each member.";
    };
  }

  /// Our own words, in lines of a width to read, then an empty line.
  private void paragraph(String words) {
    int column = 0;
    for (int begin = 0; begin < words.length(); ) {
      int space = words.indexOf(' ', begin);
      int end = space < 0 ? words.length() : space;
      if (column > 0 && column + 1 + end - begin > WIDTH) {
        text.append("\r\n");
        column = 0;
      } else if (column > 0) {
        text.append(' ');
        column++;
      }
      text.append(words, begin, end);
      column += end - begin;
      begin = end + 1;
    }
    text.append("\r\n\r\n");
  }
}
