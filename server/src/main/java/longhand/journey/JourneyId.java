package longhand.journey;

import java.util.concurrent.atomic.AtomicLong;

/// What a message is called by in its trace, the log, the queue and its journey.
public final class JourneyId {

  /// Room for 65,536 in each millisecond, so that no start gives one again.
  private static final AtomicLong LAST = new AtomicLong(System.currentTimeMillis() << 16);

  private JourneyId() {}

  /// Another one, base 36: as long as the clock is not set back between two starts, it was never
  /// given before.
  public static String next() {
    return Long.toString(LAST.incrementAndGet(), 36);
  }
}
