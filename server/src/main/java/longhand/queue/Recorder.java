package longhand.queue;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import longhand.dsn.Action;
import longhand.dsn.Told;
import longhand.mail.EnhancedStatus;
import longhand.mail.ForwardPath;
import longhand.mail.ReversePath;
import longhand.relay.Route;
import longhand.store.Append;
import longhand.store.Flag;
import longhand.store.Letter;
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

  private static final EnhancedStatus GIVEN_UP = new EnhancedStatus(5, 7, 1);
  private static final EnhancedStatus OVERDUE = new EnhancedStatus(5, 4, 7);
  private static final EnhancedStatus EXPIRED = new EnhancedStatus(4, 4, 7);

  private final Store store;
  private final Batches batches;
  private final Courier courier;
  private final InstantSource clock;
  private final RandomGenerator random;
  private final QueueCounts counts;
  private final Removals ends;
  private final Notice.Writer notices;
  private final Consumer<QueuedMessage> over;
  private final Runnable unwritten;
  private final QueueJourney journey;
  private volatile BadAddresses badAddresses = (_, _, _, _) -> Optional.empty();
  private final ConcurrentLinkedQueue<QueuedMessage> unrecorded = new ConcurrentLinkedQueue<>();

  /// @param store gives letters for what is written
  /// @param batches makes it durable
  /// @param over told when a message has no job under way any more, and all is written
  /// @param unwritten told when something could not be written: `recordAgain` is owed
  Recorder(
      Store store,
      Batches batches,
      Courier courier,
      InstantSource clock,
      RandomGenerator random,
      QueueCounts counts,
      Notice.Writer notices,
      Consumer<QueuedMessage> over,
      Runnable unwritten,
      QueueJourney journey) {
    this.store = store;
    this.batches = batches;
    this.courier = courier;
    this.clock = clock;
    this.random = random;
    this.counts = counts;
    this.ends = new Removals(batches);
    this.notices = notices;
    this.over = over;
    this.unwritten = unwritten;
    this.journey = journey;
  }

  /// Who hears of failures from now on.
  void tell(BadAddresses badAddresses) {
    this.badAddresses = badAddresses;
  }

  /// Writes down what became of recipients by a job, together with what others wait to write of the
  /// same message; then the job has ended.
  void record(QueuedMessage message, List<QueuedMessage.Result> results) {
    message.results.addAll(results);
    boolean written = false;
    try {
      written = write(message);
    } finally {
      if (!written) {
        unwritten.run();
      }
    }
  }

  /// Whether all that waits to be written of a message is; else `recordAgain` comes back to it.
  private boolean write(QueuedMessage message) {
    boolean written = false;
    message.recording.lock();
    try {
      // What others left behind may be all there was: then it is written already.
      written = message.results.isEmpty() || commit(message);
    } finally {
      message.recording.unlock();
      if (!written) {
        unrecorded.add(message);
      }
    }
    if (written && message.end()) {
      over.accept(message);
    }
    return written;
  }

  /// Takes a message out that nobody is trying, at somebody's word.
  ///
  /// @param tell whether its sender hears that it failed
  void giveUp(QueuedMessage message, boolean tell) throws IOException {
    var now = clock.instant();
    var envelope = message.arrival().envelope();
    var told = new ArrayList<Told>();
    var over = new ArrayList<>(message.recipients);
    for (int i = 0; i < over.size(); i++) {
      if (!over.get(i).waits()) {
        continue;
      }
      var path = envelope.to().get(i);
      var last = new Progress.Last(now, GIVEN_UP, "", "given up by who looks after the server");
      over.set(i, over.get(i).after(Progress.State.FAILED, now, last));
      if (tell && Action.FAILED.isWanted(envelope.from(), path)) {
        var route = courier.route(path.address().domain());
        told.add(told(message, route, path, Action.FAILED, last));
      }
    }
    message.recording.lock();
    try {
      commit(message, new Consequence(over, told), now);
      message.gone = true;
    } catch (MailboxException e) {
      throw new IOException(e);
    } finally {
      message.recording.unlock();
    }
  }

  /// Tries again what could not be written; whether all is written now. The message is not tried
  /// again before: what a server has taken is known in memory only.
  boolean recordAgain() {
    for (int n = unrecorded.size(); n > 0; n--) {
      var message = unrecorded.poll();
      if (message != null) {
        write(message);
      }
    }
    return unrecorded.isEmpty();
  }

  /// What follows from results: how far each recipient is then, and what its sender is told.
  private record Consequence(List<Progress> recipients, List<Told> told) {
    boolean over() {
      return recipients.stream().noneMatch(Progress::waits);
    }
  }

  /// Called with `recording` held. Whether it could be written.
  private boolean commit(QueuedMessage message) {
    var results = new ArrayList<>(message.results);
    var now = clock.instant();
    var consequence = consequence(message, results, now);
    var failed = ofItsAccount(message, results);
    try {
      commit(message, consequence, now);
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
    for (int n = results.size(); n > 0; n--) {
      message.results.poll();
    }
    message.recipients = consequence.recipients;
    message.gone = consequence.over();
    results.forEach(result -> counts.count(result.state()));
    log(message, results);
    tell(message, failed);
    journey.recorded(message, results);
    return true;
  }

  /// What failed for good of a message that an account sent there itself. Asked before the message
  /// leaves the queue.
  private static List<QueuedMessage.Result> ofItsAccount(
      QueuedMessage message, List<QueuedMessage.Result> results) {
    var failed =
        results.stream()
            .filter(
                result ->
                    result.state() == Progress.State.FAILED && result.last().status().kind() == 5)
            .toList();
    return failed.isEmpty()
            || message.arrival().account().isEmpty()
            || message.arrival().envelope().from().address().isEmpty()
            || message.isForwarded()
        ? List.of()
        : failed;
  }

  private void tell(QueuedMessage message, List<QueuedMessage.Result> failed) {
    for (var result : failed) {
      var account = message.arrival().account().orElseThrow();
      var recipient = message.arrival().envelope().to().get(result.number()).address();
      badAddresses
          .failed(account, recipient, result.last().status(), result.last().words())
          .ifPresent(until -> journey.suppressed(message, result.number(), account, until));
    }
  }

  private Consequence consequence(
      QueuedMessage message, List<QueuedMessage.Result> results, Instant now) {
    var envelope = message.arrival().envelope();
    var recipients = new ArrayList<>(message.recipients);
    var told = new ArrayList<Told>();
    for (var result : results) {
      var path = envelope.to().get(result.number());
      var route = courier.route(path.address().domain());
      var progress = after(message, route, recipients.get(result.number()), result, now);
      var action = action(message, route, progress, result, now);
      if (action.isPresent()) {
        if (action.get() == Action.DELAYED) {
          progress = progress.told();
        }
        if (action.get().isWanted(envelope.from(), path)
            || (result.asked() && Action.mayTell(envelope.from(), path))) {
          told.add(told(message, route, path, action.get(), result.last()));
        }
      }
      recipients.set(result.number(), progress);
    }
    return new Consequence(recipients, told);
  }

  private Progress after(
      QueuedMessage message,
      Route route,
      Progress before,
      QueuedMessage.Result result,
      Instant now) {
    if (result.state() != Progress.State.WAITING) {
      return before.after(result.state(), now, result.last());
    }
    var expiry = message.expiry(route);
    if (!now.isBefore(expiry)) {
      return before.after(Progress.State.FAILED, now, result.last());
    }
    var next = now.plus(wait(route.pace(), before.attempts() + 1));
    var notice = message.delayNotice(route);
    if (!before.delayTold() && now.isBefore(notice) && next.isAfter(notice)) {
      // A try at the time when the sender is to hear of it.
      next = notice;
    }
    return before.after(
        Progress.State.WAITING, next.isAfter(expiry) ? expiry : next, result.last());
  }

  /// What may be told of a recipient now.
  private static Optional<Action> action(
      QueuedMessage message,
      Route route,
      Progress progress,
      QueuedMessage.Result result,
      Instant now) {
    return switch (progress.state()) {
      case DELIVERED -> result.taken();
      case FAILED -> Optional.of(Action.FAILED);
      case WAITING ->
          progress.delayTold() || now.isBefore(message.delayNotice(route))
              ? Optional.empty()
              : Optional.of(Action.DELAYED);
    };
  }

  private static Told told(
      QueuedMessage message, Route route, ForwardPath path, Action action, Progress.Last last) {
    var server = last.server();
    int space = server.indexOf(' ');
    return new Told(
        path,
        action,
        action == Action.FAILED && last.status().kind() != 5
            ? message.overdue(last.at()) ? OVERDUE : EXPIRED
            : last.status(),
        server.isEmpty()
            ? Optional.empty()
            : Optional.of(space < 0 ? server : server.substring(0, space)),
        last.words().isEmpty() ? Optional.empty() : Optional.of(last.words()),
        Optional.of(last.at()),
        action == Action.DELAYED ? Optional.of(message.expiry(route)) : Optional.empty(),
        Optional.of(message.arrival().id()));
  }

  /// One batch: what is known of the message now, or its end, and the report.
  private void commit(QueuedMessage message, Consequence consequence, Instant now)
      throws IOException, MailboxException {
    var account = message.document().account();
    var appends = new ArrayList<Append>();
    var removals = new ArrayList<Removal>();
    if (message.state != null) {
      removals.add(new Removal(account, message.state));
    }
    if (consequence.over() && consequence.told.isEmpty()) {
      removals.add(new Removal(account, message.entry()));
      ends.remove(removals);
      message.state = null;
      return;
    }
    try (var notice = notice(message, consequence.told, now);
        var state = store.letter()) {
      if (consequence.over()) {
        removals.add(new Removal(account, message.entry()));
      } else {
        appends.add(state(message, consequence.recipients, state, now));
      }
      int before = appends.size();
      appends.addAll(notice.appends());
      var entries = batches.change(appends, removals);
      notice.report().ifPresent(each -> journey.reported(message, each, consequence.told));
      message.state = consequence.over() ? null : entries.getFirst();
      notice.entered(entries.subList(before, entries.size()));
    }
  }

  private Notice notice(QueuedMessage message, List<Told> told, Instant now) throws IOException {
    var arrival = message.arrival();
    return notices.of(
        arrival.id(), arrival.envelope(), arrival.arrived(), message::open, told, now);
  }

  private static Append state(
      QueuedMessage message, List<Progress> recipients, Letter letter, Instant now)
      throws IOException {
    var text =
        QueueText.state(
            message.arrival().id(),
            message.entry().uid(),
            message.arrival().envelope(),
            recipients);
    letter.write(text, 0, text.length);
    letter.finish();
    return new Append(
        message.document().account(),
        Mailbox.INBOX,
        ReversePath.NULL,
        now,
        Marks.of(Flag.SEEN),
        new byte[0],
        letter);
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
