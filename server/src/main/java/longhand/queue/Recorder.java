package longhand.queue;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import longhand.mail.ReversePath;
import longhand.relay.Route;
import longhand.store.Append;
import longhand.store.Flag;
import longhand.store.Mailbox;
import longhand.store.MailboxException;
import longhand.store.Marks;
import longhand.store.Removal;
import longhand.store.Store;

/// Writes down what became of recipients, before anything else follows from it: in one batch the
/// state of the message, or its end, and the report to who sent it (invariant I8). Safe for any
/// thread.
final class Recorder {

  private static final System.Logger LOG = System.getLogger(Recorder.class.getName());

  private final Store store;
  private final Courier courier;
  private final InstantSource clock;
  private final RandomGenerator random;
  private final QueueCounts counts;
  private final Consumer<QueuedMessage> over;
  private final ConcurrentLinkedQueue<QueuedMessage> unrecorded = new ConcurrentLinkedQueue<>();

  /// @param over told when a message has no job under way any more, and all is written
  Recorder(
      Store store,
      Courier courier,
      InstantSource clock,
      RandomGenerator random,
      QueueCounts counts,
      Consumer<QueuedMessage> over) {
    this.store = store;
    this.courier = courier;
    this.clock = clock;
    this.random = random;
    this.counts = counts;
    this.over = over;
  }

  /// Writes down what became of recipients by a job, together with what others wait to write of the
  /// same message; then the job has ended.
  void record(QueuedMessage message, List<QueuedMessage.Result> results) {
    message.results.addAll(results);
    boolean recorded = false;
    message.recording.lock();
    try {
      // What others left behind may be all there was: then it is written already.
      recorded = message.results.isEmpty() || commit(message);
    } finally {
      message.recording.unlock();
    }
    if (recorded) {
      if (message.end()) {
        over.accept(message);
      }
    } else {
      unrecorded.add(message);
    }
  }

  /// Tries again what could not be written; whether all is written now. The message is not tried
  /// again before: what a server has taken is known in memory only.
  boolean recordAgain() {
    for (int n = unrecorded.size(); n > 0; n--) {
      var message = unrecorded.poll();
      if (message != null) {
        record(message, List.of());
      }
    }
    return unrecorded.isEmpty();
  }

  /// Called with `recording` held. Whether it could be written.
  private boolean commit(QueuedMessage message) {
    var taken = new ArrayList<>(message.results);
    var next = new ArrayList<>(message.recipients);
    var now = clock.instant();
    for (var result : taken) {
      next.set(result.number(), after(message, next.get(result.number()), result, now));
    }
    boolean over = next.stream().noneMatch(Progress::waits);
    var appends = new ArrayList<Append>();
    var removals = new ArrayList<Removal>();
    var account = message.document().account();
    var before = message.state;
    if (before != null) {
      removals.add(new Removal(account, before));
    }
    try (var state = store.letter()) {
      if (over) {
        removals.add(new Removal(account, message.entry()));
      } else {
        var text =
            QueueText.state(
                message.arrival().id(), message.entry().uid(), message.arrival().envelope(), next);
        state.write(text, 0, text.length);
        state.finish();
        appends.add(
            new Append(
                account,
                Mailbox.INBOX,
                ReversePath.NULL,
                now,
                Marks.of(Flag.SEEN),
                new byte[0],
                state));
      }
      var entries = store.change(appends, removals);
      message.state = over ? null : entries.getFirst();
    } catch (IOException | MailboxException e) {
      LOG.log(
          Level.WARNING,
          () ->
              "message "
                  + message.arrival().id()
                  + ": what became of it is not written down yet: "
                  + e.getMessage());
      return false;
    }
    for (int n = taken.size(); n > 0; n--) {
      message.results.poll();
    }
    message.recipients = next;
    message.gone = over;
    taken.forEach(result -> counts.count(result.state()));
    log(message, taken);
    return true;
  }

  private Progress after(
      QueuedMessage message, Progress before, QueuedMessage.Result result, Instant now) {
    if (result.state() != Progress.State.WAITING) {
      return before.after(result.state(), now, result.last());
    }
    var route =
        courier.route(message.arrival().envelope().to().get(result.number()).address().domain());
    var expiry = message.expiry(route);
    if (!now.isBefore(expiry)) {
      return before.after(Progress.State.FAILED, now, result.last());
    }
    var next = now.plus(wait(route.pace(), before.attempts() + 1));
    return before.after(
        Progress.State.WAITING, next.isAfter(expiry) ? expiry : next, result.last());
  }

  /// How long to wait after so many tries: twice as long each time, a fifth more or less by chance.
  private Duration wait(Route.Pace pace, int attempts) {
    var wait = pace.retryFirst().multipliedBy(1L << Math.min(attempts - 1, 16));
    long millis = Math.min(wait.toMillis(), pace.retryMax().toMillis());
    return Duration.ofMillis(millis * (80 + random.nextInt(41)) / 100);
  }

  private static void log(QueuedMessage message, List<QueuedMessage.Result> results) {
    for (var result : results) {
      LOG.log(
          Level.INFO,
          () ->
              "message "
                  + message.arrival().id()
                  + " to "
                  + message.arrival().envelope().to().get(result.number()).address()
                  + ": "
                  + result.state().name().toLowerCase(Locale.ROOT)
                  + ", "
                  + result.last().status()
                  + " "
                  + result.last().server()
                  + ": "
                  + result.last().words());
    }
  }
}
