package longhand.queue;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import longhand.store.Entry;
import org.jspecify.annotations.Nullable;

/// Messages that wait for their time, and one thread that waits with them. Safe for any thread.
///
/// A million may be in it: of each is here where it lies and when its time comes, and no more.
final class WaitingList {

  /// A message that is not being tried.
  ///
  /// @param uid of its entry, an unsigned number
  /// @param stateUid of the entry that says what became of it; 0 when there is none
  /// @param anyway whether it is tried though its recipients' time has not come
  record Waiting(QueueDocument document, int uid, int stateUid, Instant due, boolean anyway) {

    static Waiting of(QueueDocument document, Entry entry, @Nullable Entry state, Instant due) {
      return new Waiting(
          document, (int) entry.uid(), state == null ? 0 : (int) state.uid(), due, false);
    }

    /// The same at another time.
    Waiting at(Instant time) {
      return new Waiting(document, uid, stateUid, time, anyway);
    }

    /// The same at another time, whatever its recipients wait for.
    Waiting anywayAt(Instant time) {
      return new Waiting(document, uid, stateUid, time, true);
    }
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final PriorityQueue<Waiting> messages =
      new PriorityQueue<>(Comparator.comparing(Waiting::due));
  private boolean woken;

  /// One more; wakes who waits when it is the first to come.
  void add(Waiting message) {
    lock.lock();
    try {
      messages.add(message);
      if (message.equals(messages.peek())) {
        wake();
      }
    } finally {
      lock.unlock();
    }
  }

  /// Takes out one whose time has come; null when there is none.
  @Nullable Waiting pollDue(Instant now) {
    lock.lock();
    try {
      var next = messages.peek();
      return next == null || next.due().isAfter(now) ? null : messages.poll();
    } finally {
      lock.unlock();
    }
  }

  /// Takes out those of a document with these UIDs that wait, and gives them by their UIDs.
  Map<Integer, Waiting> remove(QueueDocument document, Set<Integer> uids) {
    var removed = new HashMap<Integer, Waiting>();
    lock.lock();
    try {
      messages.removeIf(
          each -> {
            boolean wanted = each.document() == document && uids.contains(each.uid());
            if (wanted) {
              removed.put(each.uid(), each);
            }
            return wanted;
          });
    } finally {
      lock.unlock();
    }
    return removed;
  }

  /// How many wait.
  int size() {
    lock.lock();
    try {
      return messages.size();
    } finally {
      lock.unlock();
    }
  }

  /// How long until the next one's time; a year when there is none.
  Duration untilNext(Instant now) {
    lock.lock();
    try {
      var next = messages.peek();
      return next == null ? Duration.ofDays(365) : Duration.between(now, next.due());
    } finally {
      lock.unlock();
    }
  }

  /// Waits that long, or less when it is woken, or has been since it waited last.
  void await(long nanos) throws InterruptedException {
    lock.lock();
    try {
      long left = nanos;
      while (!woken && left > 0) {
        left = changed.awaitNanos(left);
      }
      woken = false;
    } finally {
      lock.unlock();
    }
  }

  /// Wakes who waits.
  void wake() {
    lock.lock();
    try {
      woken = true;
      changed.signal();
    } finally {
      lock.unlock();
    }
  }
}
