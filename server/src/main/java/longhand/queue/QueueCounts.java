package longhand.queue;

import java.util.concurrent.atomic.LongAdder;

/// What the queue did so far; the adders only ever grow.
public final class QueueCounts {
  /// Messages taken into it.
  public final LongAdder accepted = new LongAdder();

  /// Recipients that another server has taken.
  public final LongAdder delivered = new LongAdder();

  /// Tries of a recipient after which it waits.
  public final LongAdder deferred = new LongAdder();

  /// Recipients that were given up.
  public final LongAdder failed = new LongAdder();

  QueueCounts() {}

  void count(Progress.State state) {
    switch (state) {
      case WAITING -> deferred.increment();
      case DELIVERED -> delivered.increment();
      case FAILED -> failed.increment();
    }
  }
}
