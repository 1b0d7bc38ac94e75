package longhand.store;

import java.util.Arrays;
import java.util.concurrent.atomic.LongAdder;

/// What a store did since it was opened. All of it only ever grows; whoever reads it sees each
/// figure as of about now. Safe for any thread.
public final class StoreCounts {

  /// Batches made durable in the journal.
  public final LongAdder batches = new LongAdder();

  /// Octets written to the journal.
  public final LongAdder journalOctets = new LongAdder();

  /// Documents written anew: compactions, and rewrites for other reasons.
  public final LongAdder rewrites = new LongAdder();

  /// Nanoseconds of each force of the journal that succeeded.
  public final Spread forceNanos =
      new Spread(
          100_000,
          250_000,
          500_000,
          1_000_000,
          2_500_000,
          5_000_000,
          10_000_000,
          25_000_000,
          50_000_000,
          100_000_000,
          250_000_000,
          1_000_000_000,
          5_000_000_000L);

  /// Batches that became durable with one force.
  public final Spread batchesPerForce = new Spread(1, 2, 4, 8, 16, 32, 64, 128, 256, 512);

  StoreCounts() {}

  /// What there is at the moment.
  ///
  /// @param journalSegments files of the journal
  /// @param accountsOpen accounts held in memory
  /// @param accountsUnsettled of them, those of which the journal has what their documents may not
  /// @param ledgersUnsettled changed marks that wait to be written in place
  public record Now(
      int journalSegments, int accountsOpen, int accountsUnsettled, long ledgersUnsettled) {}

  /// How values are spread: how many are at most each bound, and their sum.
  public static final class Spread {

    private final long[] bounds;
    private final LongAdder[] counts;
    private final LongAdder sum = new LongAdder();

    /// @param bounds rising
    Spread(long... bounds) {
      this.bounds = bounds;
      this.counts = new LongAdder[bounds.length + 1];
      Arrays.setAll(counts, _ -> new LongAdder());
    }

    void add(long value) {
      int at = 0;
      while (at < bounds.length && value > bounds[at]) {
        at++;
      }
      counts[at].increment();
      sum.add(value);
    }

    /// The bounds, rising; above the last there is one more place.
    public long[] bounds() {
      return bounds.clone();
    }

    /// How many values lie above one bound and not above the next: one more than there are bounds.
    public long[] counts() {
      return Arrays.stream(counts).mapToLong(LongAdder::sum).toArray();
    }

    /// The sum of all values.
    public long sum() {
      return sum.sum();
    }
  }
}
