package longhand.auth;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/// Counts failures by (peer's network, account) and says when it has been enough. An attempt is
/// counted when it begins, so that a thousand attempts at once are no way around the limit: those
/// that would pass it wait until the ones under way have ended. Safe for any thread.
final class Throttle {

  /// Pairs remembered; beyond that the one longest unused is forgotten.
  static final int PAIRS_MAX = 65_536;

  private record Pair(String network, String name) {}

  private static final class Count {
    int failures;
    int underWay;
    long sinceNanos;
  }

  /// An attempt under way. It must be ended, once, by `succeeded`, `failed` or `abandoned`.
  final class Attempt {
    private final Pair pair;
    private final Count count;

    private Attempt(Pair pair, Count count) {
      this.pair = pair;
      this.count = count;
    }

    /// The credentials were right: earlier failures are forgiven.
    void succeeded() {
      end(0, true);
    }

    /// The credentials were wrong. Gives how long the peer should wait for its answer.
    Duration failed() {
      return delay(end(1, false));
    }

    /// Nothing was learned.
    void abandoned() {
      end(0, false);
    }

    private int end(int failures, boolean forgive) {
      lock.lock();
      try {
        count.underWay--;
        count.failures = forgive ? 0 : count.failures + failures;
        if (count.failures == 0 && count.underWay == 0) {
          counts.remove(pair, count);
        } else if (count.failures == failures) {
          count.sinceNanos = nanos.getAsLong();
        }
        ended.signalAll();
        return count.failures;
      } finally {
        lock.unlock();
      }
    }
  }

  private final AuthSettings settings;
  private final LongSupplier nanos;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition ended = lock.newCondition();
  private final LinkedHashMap<Pair, Count> counts = new LinkedHashMap<>(16, 0.75f, true);

  Throttle(AuthSettings settings, LongSupplier nanos) {
    this.settings = settings;
    this.nanos = nanos;
  }

  /// Begins an attempt; null when there have been too many failures.
  @org.jspecify.annotations.Nullable
  Attempt begin(InetAddress peer, String name) {
    var pair = new Pair(network(peer), name.toLowerCase(Locale.ROOT));
    lock.lock();
    try {
      while (true) {
        var count = counts.get(pair);
        if (count == null) {
          forgetOne();
          count = new Count();
          count.sinceNanos = nanos.getAsLong();
          counts.put(pair, count);
        }
        if (nanos.getAsLong() - count.sinceNanos > settings.window().toNanos()) {
          count.failures = 0;
          count.sinceNanos = nanos.getAsLong();
        }
        if (count.failures >= settings.failuresMax()) {
          return null;
        }
        if (count.failures + count.underWay < settings.failuresMax()) {
          count.underWay++;
          return new Attempt(pair, count);
        }
        ended.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  /// How long a refused peer should wait for its answer.
  Duration delayOfRefusal() {
    return settings.delay();
  }

  int pairs() {
    lock.lock();
    try {
      return counts.size();
    } finally {
      lock.unlock();
    }
  }

  private void forgetOne() {
    if (counts.size() < PAIRS_MAX) {
      return;
    }
    for (var pairs = counts.entrySet().iterator(); pairs.hasNext(); ) {
      if (pairs.next().getValue().underWay == 0) {
        pairs.remove();
        return;
      }
    }
  }

  private Duration delay(int failures) {
    var delay = settings.delay();
    for (int i = 1; i < failures && delay.compareTo(settings.delayMax()) < 0; i++) {
      delay = delay.multipliedBy(2);
    }
    return delay.compareTo(settings.delayMax()) < 0 ? delay : settings.delayMax();
  }

  /// An IPv4 address, or the /64 of an IPv6 one: a host has all of the latter to itself.
  private static String network(InetAddress peer) {
    byte[] octets = peer.getAddress();
    return HexFormat.of()
        .formatHex(peer instanceof Inet6Address ? Arrays.copyOf(octets, 8) : octets);
  }
}
