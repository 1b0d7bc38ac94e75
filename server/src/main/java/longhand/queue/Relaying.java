package longhand.queue;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.random.RandomGenerator;
import longhand.dsn.Action;
import longhand.mail.EnhancedStatus;
import longhand.mail.ForwardPath;
import longhand.mail.Handling;
import longhand.relay.Outcome;
import longhand.relay.Outgoing;
import longhand.relay.Route;
import longhand.relay.TlsNeed;
import org.jspecify.annotations.Nullable;

/// Takes messages to their destinations: groups their recipients, opens sessions, as many to each
/// destination as it bears, sends one message after the other over them, and hands on what became
/// of each recipient. A session is a thread, with straight-line code. Safe for any thread.
final class Relaying {

  private static final System.Logger LOG = System.getLogger(Relaying.class.getName());
  private static final EnhancedStatus EXPIRED = new EnhancedStatus(4, 4, 7);
  private static final EnhancedStatus OVERDUE = new EnhancedStatus(5, 4, 7);
  private static final EnhancedStatus LATE = new EnhancedStatus(4, 4, 7);
  private static final EnhancedStatus BROKEN = new EnhancedStatus(4, 4, 2);
  private static final EnhancedStatus OK = new EnhancedStatus(2, 0, 0);
  private static final EnhancedStatus LATER = new EnhancedStatus(4, 0, 0);
  private static final EnhancedStatus NEVER = new EnhancedStatus(5, 0, 0);

  /// Messages that go over one session, so that those behind it get to see all of a route's
  /// servers.
  private static final int MESSAGES_PER_SESSION = 1000;

  private final Courier courier;
  private final InstantSource clock;
  private final RandomGenerator random;
  private final Duration idle;
  private final Executor threads;
  private final Recorder recorder;
  private final QueueJourney journey;
  private final Map<String, Destination> destinations = new ConcurrentHashMap<>();
  private final Phaser running = new Phaser(1);
  private volatile boolean closing;

  /// @param idle how long a session waits for another message
  Relaying(
      Courier courier,
      InstantSource clock,
      RandomGenerator random,
      Duration idle,
      Executor threads,
      Recorder recorder,
      QueueJourney journey) {
    this.courier = courier;
    this.clock = clock;
    this.random = random;
    this.idle = idle;
    this.threads = threads;
    this.recorder = recorder;
    this.journey = journey;
  }

  /// Gives what is due of a message to its destinations.
  void dispatch(QueuedMessage message, Instant now) {
    var groups = new LinkedHashMap<Destination, List<Integer>>();
    var untried = new ArrayList<QueuedMessage.Result>();
    message.recording.lock();
    try {
      for (int i = 0; i < message.recipients.size(); i++) {
        var progress = message.recipients.get(i);
        if (!progress.waits() || progress.next().isAfter(now)) {
          continue;
        }
        var route = courier.route(message.arrival().envelope().to().get(i).address().domain());
        boolean overdue = message.overdue(now);
        if (overdue || (progress.attempts() > 0 && !now.isBefore(message.expiry(route)))) {
          untried.add(
              untried(i, progress, Progress.State.FAILED, overdue ? OVERDUE : EXPIRED, now));
          continue;
        }
        var destination = destination(route, need(message.arrival().envelope().handling()));
        var retryAt = destination.retryAt();
        var deadline =
            message
                .deadline(Handling.DeliverBy.Mode.RETURN)
                .or(
                    () ->
                        message
                            .deadline(Handling.DeliverBy.Mode.NOTIFY)
                            .filter(_ -> !progress.delayTold()));
        if (!retryAt.isAfter(now)) {
          groups.computeIfAbsent(destination, _ -> new ArrayList<>()).add(i);
        } else if (deadline.filter(end -> !end.isAfter(now)).isPresent()) {
          // The sender hears of it now, not when the place is tried again.
          untried.add(untried(i, progress, Progress.State.WAITING, LATE, now));
        } else {
          var next = spread(retryAt);
          message.recipients.set(i, progress.at(deadline.filter(next::isAfter).orElse(next)));
        }
      }
    } finally {
      message.recording.unlock();
    }
    var jobs = new LinkedHashMap<Job, Destination>();
    groups.forEach(
        (destination, numbers) -> {
          int most = destination.route().pace().recipientsMax();
          for (int from = 0; from < numbers.size(); from += most) {
            var some = numbers.subList(from, Math.min(numbers.size(), from + most));
            jobs.put(
                new Job(message, some.stream().mapToInt(Integer::intValue).toArray(), false),
                destination);
          }
        });
    // One more than there are jobs, so that the message does not come to its end before all are
    // handed over.
    message.begin(jobs.size() + 1);
    jobs.forEach((job, destination) -> offer(destination, job));
    recorder.record(message, untried);
  }

  /// What time alone makes of a recipient.
  private static QueuedMessage.Result untried(
      int number, Progress progress, Progress.State state, EnhancedStatus status, Instant now) {
    var last =
        progress
            .last()
            .map(known -> new Progress.Last(now, status, known.server(), known.words()))
            .orElse(new Progress.Last(now, status, "", "no server could be reached in time"));
    return new QueuedMessage.Result(number, state, last, Optional.empty(), false);
  }

  /// A while after a time, so that not all come at once.
  private Instant spread(Instant time) {
    return time.plusMillis(random.nextInt(10_000));
  }

  private Destination destination(Route route, TlsNeed need) {
    var name =
        switch (need) {
          case AS_PUBLISHED -> route.name();
          case REQUIRED -> route.name() + " with TLS";
          case DISREGARDED -> route.name() + " with TLS or without";
        };
    return destinations.computeIfAbsent(name, _ -> new Destination(route, need));
  }

  private static TlsNeed need(Handling handling) {
    if (handling.requireTls()) {
      return TlsNeed.REQUIRED;
    }
    return handling.disregardTls() ? TlsNeed.DISREGARDED : TlsNeed.AS_PUBLISHED;
  }

  private void offer(Destination first, Job job) {
    var destination = first;
    while (!destination.offer(job)) {
      destinations.values().remove(destination);
      destination = destination(destination.route(), destination.need());
    }
    startThreads(destination);
  }

  private void startThreads(Destination destination) {
    while (!closing && destination.wantsThread()) {
      running.register();
      threads.execute(
          () -> {
            try {
              run(destination);
            } finally {
              running.arriveAndDeregister();
            }
          });
    }
  }

  private void run(Destination destination) {
    try {
      var job = destination.next(Duration.ZERO);
      while (job != null && !closing) {
        switch (courier.open(destination.route(), destination.need())) {
          case Courier.Contact.Reached(var session) -> {
            destination.reached();
            try (session) {
              job = serve(destination, session, job);
            } finally {
              destination.left();
            }
          }
          case Courier.Contact.Unreachable(var status, var server, var words) -> {
            var now = clock.instant();
            var last = new Progress.Last(now, status, server, words);
            for (var each : destination.unreached(job, now)) {
              end(each, Progress.State.WAITING, last);
            }
            job = null;
          }
          case Courier.Contact.Nowhere(var status, var words) -> {
            var last = new Progress.Last(clock.instant(), status, "", words);
            for (var each : destination.withAllOthers(job)) {
              end(each, Progress.State.FAILED, last);
            }
            job = null;
          }
        }
      }
    } finally {
      destination.threadEnded();
      startThreads(destination);
    }
  }

  /// Sends one job after the other; gives one that wants another session, or null.
  private @Nullable Job serve(Destination destination, Courier.Session session, Job first) {
    var job = first;
    for (int sent = 0; job != null && !closing; sent++) {
      if (!session.usable() || sent == MESSAGES_PER_SESSION) {
        return job;
      }
      var outgoing = outgoing(job, clock.instant());
      if (outgoing.isEmpty()) {
        var words = "the time by which it was to be delivered is over";
        end(job, Progress.State.FAILED, new Progress.Last(clock.instant(), OVERDUE, "", words));
        job = destination.next(idle);
        continue;
      }
      var outcomes = session.send(outgoing.get());
      if (sent > 0 && !job.again() && brokeEarly(outcomes)) {
        // It had been left waiting, and the server did not wait as long: no fault of the message.
        return job.onceMore();
      }
      if (outcomes.stream().anyMatch(each -> each instanceof Outcome.Delivered)) {
        destination.took();
        startThreads(destination);
      } else if (!session.usable()) {
        destination.broke();
      }
      end(job, outcomes, session);
      job = destination.next(session.usable() ? idle : Duration.ZERO);
    }
    return job;
  }

  private static boolean brokeEarly(List<Outcome> outcomes) {
    return outcomes.stream()
        .allMatch(
            outcome -> outcome instanceof Outcome.Broken broken && !broken.perhapsDelivered());
  }

  /// The message as it goes out now; empty when it is to go back instead, because it is late.
  private static Optional<Outgoing> outgoing(Job job, Instant now) {
    var whole = job.message().arrival().envelope();
    var to = new ArrayList<ForwardPath>(job.recipients().length);
    for (int number : job.recipients()) {
      to.add(whole.to().get(number));
    }
    var handling = whole.handling();
    if (handling.by().isPresent()) {
      var left = handling.by().get().left(job.message().arrived(), now);
      if (left.isEmpty()) {
        return Optional.empty();
      }
      handling = handling.withBy(left);
    }
    return Optional.of(
        new Outgoing(
            whole.withTo(to).withHandling(handling),
            handling.requireTls(),
            job.message().sizeOctets(),
            job.message()::open));
  }

  /// Whether the sender hears that a server has taken a message with BY: where that server keeps no
  /// such time (RFC 2852 §4.1.4.2), and where each step is to be told. What is delivered is in
  /// time.
  private static boolean asked(Job job, Courier.Session session) {
    var by = job.message().arrival().envelope().handling().by();
    return by.isPresent()
        && !session.taken().equals(Optional.of(Action.DELIVERED))
        && (by.get().trace() || !session.deliversBy());
  }

  private void end(Job job, List<Outcome> outcomes, Courier.Session session) {
    var now = clock.instant();
    boolean asked = asked(job, session);
    var results = new ArrayList<QueuedMessage.Result>(outcomes.size());
    for (int i = 0; i < outcomes.size(); i++) {
      int number = job.recipients()[i];
      results.add(
          switch (outcomes.get(i)) {
            case Outcome.Delivered(var reply) ->
                new QueuedMessage.Result(
                    number,
                    Progress.State.DELIVERED,
                    new Progress.Last(
                        now, reply.status().orElse(OK), session.server(), reply.toString()),
                    asked ? Optional.of(Action.RELAYED) : session.taken(),
                    asked);
            case Outcome.Refused(var reply) ->
                new QueuedMessage.Result(
                    number,
                    Progress.State.FAILED,
                    new Progress.Last(
                        now, reply.status().orElse(NEVER), session.server(), reply.toString()),
                    Optional.empty(),
                    false);
            case Outcome.Deferred(var reply) ->
                new QueuedMessage.Result(
                    number,
                    Progress.State.WAITING,
                    new Progress.Last(
                        now, reply.status().orElse(LATER), session.server(), reply.toString()),
                    Optional.empty(),
                    false);
            case Outcome.Unsendable(var status, var detail) ->
                new QueuedMessage.Result(
                    number,
                    Progress.State.FAILED,
                    new Progress.Last(now, status, session.server(), detail),
                    Optional.empty(),
                    false);
            case Outcome.Broken(_, _, var detail) ->
                new QueuedMessage.Result(
                    number,
                    Progress.State.WAITING,
                    new Progress.Last(now, BROKEN, session.server(), detail),
                    Optional.empty(),
                    false);
          });
    }
    journey.tried(job.message(), results, session.tls());
    recorder.record(job.message(), results);
  }

  private void end(Job job, Progress.State state, Progress.Last last) {
    var results = new ArrayList<QueuedMessage.Result>(job.recipients().length);
    for (int number : job.recipients()) {
      results.add(new QueuedMessage.Result(number, state, last, Optional.empty(), false));
    }
    journey.notReached(job.message(), results);
    recorder.record(job.message(), results);
  }

  /// Lets destinations that could not be reached be tried at once.
  void forgetFailures() {
    destinations.values().forEach(Destination::retryNow);
  }

  /// Forgets destinations that nothing is known of.
  void sweep(Instant now) {
    destinations.values().removeIf(destination -> destination.retire(now));
  }

  /// Sends nothing more; sessions in the middle of a message are waited for that long.
  void close(Duration grace) throws InterruptedException {
    closing = true;
    try {
      running.awaitAdvanceInterruptibly(running.arrive(), grace.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      LOG.log(
          Level.INFO,
          () -> running.getRegisteredParties() - 1 + " sessions with other servers are cut off");
    }
  }
}
