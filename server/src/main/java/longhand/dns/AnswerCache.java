package longhand.dns;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// What servers answered, for as long as they allow. Bounded in number and in octets; what was not
/// asked for longest goes first. Safe for many threads; nothing waits under its lock.
final class AnswerCache {

  /// What an entry takes beside its records, about.
  private static final int ENTRY_OCTETS = 200;

  private final Clock clock;
  private final int entriesMax;
  private final long octetsMax;
  private final ReentrantLock lock = new ReentrantLock();
  private final LinkedHashMap<Question<?>, Entry> entries = new LinkedHashMap<>(64, 0.75f, true);
  private long octets;

  private record Entry(Step<?> step, Instant stored, Instant until, long octets) {}

  AnswerCache(Clock clock, int entriesMax, long octetsMax) {
    this.clock = clock;
    this.entriesMax = entriesMax;
    this.octetsMax = octetsMax;
  }

  /// The step kept for a question, its TTL less the time it was kept; empty when there is none or
  /// it is too old, or the clock went back to before it was stored.
  Optional<Step<?>> get(Question<?> question) {
    var now = clock.instant();
    lock.lock();
    try {
      var entry = entries.get(question);
      if (entry == null) {
        return Optional.empty();
      }
      if (now.isBefore(entry.stored) || !now.isBefore(entry.until)) {
        remove(question);
        return Optional.empty();
      }
      return Optional.of(aged(entry.step, Duration.between(now, entry.until)));
    } finally {
      lock.unlock();
    }
  }

  void put(Question<?> question, KeptStep<?> kept) {
    long size = kept.octets() + ENTRY_OCTETS;
    if (!kept.ttl().isPositive() || size > octetsMax || entriesMax < 1) {
      return;
    }
    var now = clock.instant();
    lock.lock();
    try {
      remove(question);
      entries.put(question, new Entry(kept.step(), now, now.plus(kept.ttl()), size));
      octets += size;
      while (octets > octetsMax || entries.size() > entriesMax) {
        remove(entries.firstEntry().getKey());
      }
    } finally {
      lock.unlock();
    }
  }

  private void remove(Question<?> question) {
    var gone = entries.remove(question);
    if (gone != null) {
      octets -= gone.octets;
    }
  }

  private static <T> Step<T> aged(Step<T> step, Duration left) {
    return switch (step) {
      case Step.Records<T>(var records, _, var secure) -> new Step.Records<>(records, left, secure);
      case Step.Alias<T>(var target, _, var secure) -> new Step.Alias<>(target, left, secure);
      case Step.Nothing<T> nothing -> nothing;
      case Step.Failed<T> failed -> failed;
    };
  }

  int size() {
    lock.lock();
    try {
      return entries.size();
    } finally {
      lock.unlock();
    }
  }

  long octets() {
    lock.lock();
    try {
      return octets;
    } finally {
      lock.unlock();
    }
  }
}
