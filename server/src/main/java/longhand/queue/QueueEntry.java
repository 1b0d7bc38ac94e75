package longhand.queue;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import longhand.mail.Address;
import longhand.mail.EnhancedStatus;
import longhand.mail.Envelope;

/// A message of the queue as people see it.
///
/// @param id by which the log and its trace know it
/// @param account who handed it in, when somebody logged in for it
/// @param octets of the message
/// @param next when it is tried next; past while it is being tried
/// @param waiting the recipients that still wait; of the others it is known what became of them
public record QueueEntry(
    String id,
    Instant arrived,
    Optional<Address> account,
    Envelope envelope,
    long octets,
    State state,
    Instant next,
    List<Recipient> waiting) {

  /// What is being done with it.
  public enum State {
    /// Somebody has stopped it, until it is released.
    HELD,
    /// It waits for its next try.
    WAITING,
    /// It is being tried.
    ACTIVE
  }

  /// A recipient that waits.
  ///
  /// @param attempts tries so far
  /// @param last what came of the last of them
  public record Recipient(Address address, int attempts, Instant next, Optional<Last> last) {}

  /// What came of a try.
  ///
  /// @param server who said so; empty when nobody was reached
  public record Last(Instant at, EnhancedStatus status, String server, String words) {}

  public QueueEntry {
    waiting = List.copyOf(waiting);
  }

  static QueueEntry of(QueuedMessage message, State state) {
    var arrival = message.arrival();
    var waits = new ArrayList<Recipient>();
    var next = Instant.MAX;
    for (int i = 0; i < message.recipients.size(); i++) {
      var progress = message.recipients.get(i);
      if (progress.waits()) {
        next = progress.next().isBefore(next) ? progress.next() : next;
        waits.add(
            new Recipient(
                arrival.envelope().to().get(i).address(),
                progress.attempts(),
                progress.next(),
                progress
                    .last()
                    .map(last -> new Last(last.at(), last.status(), last.server(), last.words()))));
      }
    }
    return new QueueEntry(
        arrival.id(),
        arrival.arrived(),
        arrival.account(),
        arrival.envelope(),
        message.sizeOctets(),
        state,
        next,
        waits);
  }
}
