package longhand.queue;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import longhand.dsn.Told;
import longhand.journey.Journeys;
import longhand.journey.Station;
import longhand.mail.Address;

/// What the queue notes of the journeys of its messages.
final class QueueJourney {

  private final Journeys journeys;

  QueueJourney(Journeys journeys) {
    this.journeys = journeys;
  }

  /// A server answered, or went away.
  ///
  /// @param tls of the session; empty when it was in clear
  void tried(QueuedMessage message, List<QueuedMessage.Result> results, Optional<String> tls) {
    for (var result : results) {
      note(
          message,
          Station.Kind.RELAY,
          result.number(),
          switch (result.state()) {
                case DELIVERED -> "was taken by ";
                case WAITING -> "was not taken now by ";
                case FAILED -> "will not be taken by ";
              }
              + result.last().server()
              + (tls.isPresent() ? " over TLS" : " in clear"),
          result.last().words() + tls.map(with -> " (" + with + ")").orElse(""));
    }
  }

  /// No server could be talked to.
  void notReached(QueuedMessage message, List<QueuedMessage.Result> results) {
    for (var result : results) {
      var last = result.last();
      note(
          message,
          Station.Kind.RELAY,
          result.number(),
          last.server().isEmpty()
              ? "could not be brought to any server"
              : "could not be brought to " + last.server(),
          last.status() + " " + last.words());
    }
  }

  /// It is written down what follows from that. Called with `recording` held.
  void recorded(QueuedMessage message, List<QueuedMessage.Result> results) {
    for (var result : results) {
      var progress = message.recipients.get(result.number());
      switch (progress.state()) {
        case DELIVERED -> {}
        case WAITING ->
            note(
                message,
                Station.Kind.NEXT,
                result.number(),
                "is tried again, for the " + ordinal(progress.attempts() + 1) + " time",
                "at " + progress.next());
        case FAILED ->
            note(
                message,
                Station.Kind.NEXT,
                result.number(),
                "is given up",
                result.last().status().toString());
      }
    }
    if (message.gone) {
      journeys.note(message.arrival().id(), Station.Kind.END, "", "it has left the queue", "");
    }
  }

  /// The account sends nothing there for a while.
  void suppressed(QueuedMessage message, int recipient, Address account, Instant until) {
    note(
        message,
        Station.Kind.NEXT,
        recipient,
        "gets nothing more from " + account.quoted() + " for now, since there is no such address",
        "until " + until);
  }

  private static String ordinal(int number) {
    int tens = number % 100;
    return number
        + switch (tens > 10 && tens < 14 ? 0 : number % 10) {
          case 1 -> "st";
          case 2 -> "nd";
          case 3 -> "rd";
          default -> "th";
        };
  }

  /// A report is on its way to the sender; it has a journey of its own where it has to travel.
  void reported(QueuedMessage message, Reports.Prepared report, List<Told> told) {
    var id = message.arrival().id();
    var sender = message.arrival().envelope().from().address().map(Address::quoted).orElse("<>");
    for (var each : told) {
      journeys.note(
          id,
          Station.Kind.REPORT,
          sender,
          "is told: "
              + each.recipient().address().quoted()
              + switch (each.action()) {
                case FAILED -> " does not get it";
                case DELAYED -> " does not have it yet";
                case DELIVERED -> " has it";
                case RELAYED -> " gets it from a server that tells no more";
                case EXPANDED -> " was a list, which has it";
              },
          each.status() + ", report " + report.id());
    }
    report
        .elsewhere()
        .ifPresent(
            envelope -> {
              journeys.note(report.id(), Station.Kind.SENDER, "<>", "reports on " + id, "");
              for (var path : envelope.to()) {
                journeys.note(
                    report.id(),
                    Station.Kind.QUEUED,
                    path.address().quoted(),
                    "gets the report through other servers: it waits in the queue",
                    "");
              }
            });
  }

  private void note(
      QueuedMessage message, Station.Kind kind, int recipient, String words, String value) {
    var to = message.arrival().envelope().to().get(recipient).address();
    journeys.note(message.arrival().id(), kind, to.quoted(), words, value);
  }
}
