package longhand.queue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import longhand.relay.Route;
import longhand.relay.TlsNeed;
import org.jspecify.annotations.Nullable;

/// One place that mail goes to, under one need of TLS: what is ready for it, and how many sessions
/// it may have. The number begins low, grows with each message that the servers take, and shrinks
/// when a session breaks; when nobody can be reached, the place is left alone for a while, longer
/// each time. A place is nobody's business but its own: a dead one holds its own messages and no
/// thread. Safe for any thread.
final class Destination {

  private static final double WINDOW_FIRST = 3;
  private static final Duration BACKOFF_MAX = Duration.ofHours(1);

  private final Route route;
  private final TlsNeed need;
  private final ReadyJobs ready = new ReadyJobs();

  /// Threads that have a session or try to open one, those of them that have one, and those of
  /// these that wait for jobs.
  private int threads;

  private int open;
  private int idle;
  private double window = WINDOW_FIRST;
  private int failures;
  private Instant retryAt = Instant.MIN;
  private boolean retired;

  Destination(Route route, TlsNeed need) {
    this.route = route;
    this.need = need;
  }

  Route route() {
    return route;
  }

  /// What TLS its messages want.
  TlsNeed need() {
    return need;
  }

  /// When it may be tried again; past when it may be now.
  synchronized Instant retryAt() {
    return retryAt;
  }

  /// Takes a job; false when this destination has been given up for a new one of the same name.
  synchronized boolean offer(Job job) {
    if (retired) {
      return false;
    }
    ready.add(job);
    return true;
  }

  /// Whether one more thread should work for it; if so it is counted already.
  synchronized boolean wantsThread() {
    int most = (int) Math.min(window, route.pace().sessionsMax());
    if (ready.size() > idle && threads < most) {
      threads++;
      return true;
    }
    notify();
    return false;
  }

  /// The next job, waited for as long as that; null when none came.
  synchronized @Nullable Job next(Duration wait) {
    var job = ready.poll();
    long until = System.nanoTime() + wait.toNanos();
    for (long left = wait.toNanos(); job == null && left > 0; left = until - System.nanoTime()) {
      idle++;
      try {
        TimeUnit.NANOSECONDS.timedWait(this, left);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return null;
      } finally {
        idle--;
      }
      job = ready.poll();
    }
    return job;
  }

  /// A session is open.
  synchronized void reached() {
    open++;
    failures = 0;
    retryAt = Instant.MIN;
  }

  /// A session has ended.
  synchronized void left() {
    open--;
  }

  /// The servers took a message.
  synchronized void took() {
    window = Math.min(window + 1, route.pace().sessionsMax());
  }

  /// A session broke, or the servers have enough.
  synchronized void broke() {
    window = Math.max(1, window / 2);
  }

  /// No session could be opened. While others are open the job goes back to them; otherwise the
  /// place is left alone, and all that waits for it comes back.
  synchronized List<Job> unreached(Job job, Instant now) {
    if (open > 0) {
      window = Math.max(1, open);
      ready.add(job);
      return List.of();
    }
    if (!retryAt.isAfter(now)) {
      failures++;
      var wait = route.pace().retryFirst().multipliedBy(1L << Math.min(failures - 1, 12));
      retryAt = now.plus(wait.compareTo(BACKOFF_MAX) < 0 ? wait : BACKOFF_MAX);
    }
    window = WINDOW_FIRST;
    return withAllOthers(job);
  }

  /// That job and all that are ready.
  synchronized List<Job> withAllOthers(Job job) {
    var jobs = new ArrayList<Job>();
    jobs.add(job);
    jobs.addAll(ready.drain());
    return jobs;
  }

  /// Lets it be tried at once.
  synchronized void retryNow() {
    retryAt = Instant.MIN;
  }

  /// A thread has ended.
  synchronized void threadEnded() {
    threads--;
  }

  /// Gives the destination up, if nothing is known of it that matters.
  synchronized boolean retire(Instant now) {
    retired = threads == 0 && ready.size() == 0 && !retryAt.isAfter(now);
    return retired;
  }

  synchronized int sessions() {
    return open;
  }

  synchronized int waiting() {
    return ready.size();
  }
}
