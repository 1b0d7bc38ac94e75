package longhand.store;

import java.time.Duration;

/// How a store works.
///
/// @param segmentOctets size of a journal segment; a batch may be half as large
/// @param segmentsMax most segments there will be
/// @param background whether threads of the store's own commit and settle; without, the calling
///   thread commits and `Store.settle` is called by hand, which is how simulations run on one
///   thread
/// @param settleAfter longest time that a change waits to be written in place
/// @param compactAfter age at which a dead entry is taken away even from a document with few of
///   them
public record StoreSettings(
    int segmentOctets,
    int segmentsMax,
    boolean background,
    Duration settleAfter,
    Duration compactAfter) {

  /// What a server uses.
  public static final StoreSettings DEFAULT =
      new StoreSettings(32 << 20, 16, true, Duration.ofSeconds(5), Duration.ofDays(1));
}
