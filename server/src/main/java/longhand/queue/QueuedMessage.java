package longhand.queue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import longhand.dsn.Action;
import longhand.mail.Address;
import longhand.mail.Handling;
import longhand.relay.Route;
import longhand.store.Entry;
import org.jspecify.annotations.Nullable;

/// A message of the queue that is being tried. What is known of its recipients is in memory ahead
/// of the document for as long as a batch takes.
final class QueuedMessage {

  private final QueueDocument document;
  private final Entry entry;
  private final QueueText.Arrival arrival;

  /// Held while what became of recipients is written down.
  final ReentrantLock recording = new ReentrantLock();

  /// What became of recipients and is not written down yet.
  final ConcurrentLinkedQueue<Result> results = new ConcurrentLinkedQueue<>();

  // Guarded by `recording`.
  List<Progress> recipients;
  @Nullable Entry state;
  boolean gone;

  // Guarded by this.
  private int jobs;

  /// What became of one recipient at one try.
  ///
  /// @param taken what is to be reported to a sender who wants to hear of success
  /// @param asked whether BY asks for that report, so that only NEVER keeps it back (RFC 2852)
  record Result(
      int number,
      Progress.State state,
      Progress.Last last,
      Optional<Action> taken,
      boolean asked) {}

  QueuedMessage(
      QueueDocument document,
      Entry entry,
      QueueText.Arrival arrival,
      List<Progress> recipients,
      @Nullable Entry state) {
    this.document = document;
    this.entry = entry;
    this.arrival = arrival;
    this.recipients = new ArrayList<>(recipients);
    this.state = state;
  }

  /// Reads a message from its entries.
  ///
  /// @param stateEntry what became of it; null when it was never tried
  static QueuedMessage read(QueueDocument document, Entry entry, @Nullable Entry stateEntry)
      throws IOException {
    QueueText.Arrival arrival;
    try (var in = document.account().open(entry)) {
      arrival = QueueText.readArrival(in);
    }
    int count = arrival.envelope().to().size();
    if (stateEntry == null) {
      return new QueuedMessage(
          document,
          entry,
          arrival,
          Collections.nCopies(count, Progress.fresh(release(arrival))),
          null);
    }
    // Those that the state does not name have had their end.
    var over = new Progress(Progress.State.DELIVERED, 0, Instant.EPOCH, false, Optional.empty());
    var recipients = new ArrayList<>(Collections.nCopies(count, over));
    try (var in = document.account().open(stateEntry)) {
      for (var numbered : QueueText.readState(in).waiting()) {
        if (numbered.number() < 0 || numbered.number() >= count) {
          throw new QueueText.MalformedException("a recipient number " + numbered.number());
        }
        recipients.set(numbered.number(), numbered.progress());
      }
    }
    return new QueuedMessage(document, entry, arrival, recipients, stateEntry);
  }

  /// When it may be tried first.
  static Instant release(QueueText.Arrival arrival) {
    return arrival
        .envelope()
        .handling()
        .release()
        .map(release -> release.at(arrival.arrived()))
        .orElse(Instant.EPOCH);
  }

  QueueDocument document() {
    return document;
  }

  Entry entry() {
    return entry;
  }

  QueueText.Arrival arrival() {
    return arrival;
  }

  Instant arrived() {
    return arrival.arrived();
  }

  /// When it could be tried first: what follows is counted from here.
  Instant began() {
    var release = release(arrival);
    return release.isAfter(arrived()) ? release : arrived();
  }

  /// When it is given up: at its sender's time, where it is to go back then (RFC 2852 §4.1.3).
  Instant expiry(Route route) {
    var last = began().plus(route.pace().expiry());
    return deadline(Handling.DeliverBy.Mode.RETURN).filter(last::isAfter).orElse(last);
  }

  /// When its sender is told that it still waits: at the time that the sender has set for that.
  Instant delayNotice(Route route) {
    return deadline(Handling.DeliverBy.Mode.NOTIFY)
        .orElseGet(() -> began().plus(route.pace().delayNotice()));
  }

  /// Whether it is to go back because its sender's time for it is over.
  boolean overdue(Instant now) {
    return deadline(Handling.DeliverBy.Mode.RETURN).filter(end -> !now.isBefore(end)).isPresent();
  }

  /// When its sender's time for it is over, where that means the one or the other. Whoever handed
  /// it on with no time left has told of that.
  Optional<Instant> deadline(Handling.DeliverBy.Mode mode) {
    return arrival
        .envelope()
        .handling()
        .by()
        .filter(by -> by.mode() == mode && by.seconds() > 0)
        .map(by -> by.deadline(arrived()));
  }

  int priority() {
    return arrival.envelope().handling().priority();
  }

  /// Who it is sent by, for taking turns.
  String sender() {
    return arrival
        .account()
        .or(() -> arrival.envelope().from().address())
        .map(Address::toString)
        .orElse("");
  }

  /// Octets of the message itself, on the wire.
  long sizeOctets() {
    return entry.sizeOctets() - arrival.octets();
  }

  /// The message itself, as it goes over the wire.
  InputStream open() throws IOException {
    var in = document.account().open(entry);
    boolean ready = false;
    try {
      in.skipNBytes(arrival.octets());
      ready = true;
      return in;
    } finally {
      if (!ready) {
        in.close();
      }
    }
  }

  /// Whether an address of ours led it here, and nobody sent it to its recipients: its trace then
  /// begins with that address. What cannot be read counts as forwarded.
  boolean isForwarded() {
    var field = "Delivered-To:".getBytes(StandardCharsets.US_ASCII);
    try (var in = open()) {
      return Arrays.equals(field, in.readNBytes(field.length));
    } catch (IOException e) {
      return true;
    }
  }

  /// So many jobs more are under way.
  synchronized void begin(int more) {
    jobs += more;
  }

  /// A job has ended; whether it was the last.
  synchronized boolean end() {
    return --jobs == 0;
  }
}
