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
/// @param index whether an index file is kept beside each document; it is the file system's even
///   when documents lie on another disk, so simulations do without
/// @param idleAfter how long an account nobody uses stays open
/// @param openMax accounts that may be open, those in use apart
/// @param openOctetsMax memory that open accounts may take, those in use apart, about
/// @param compactAfter age at which a dead entry is taken away even from a document with few of
///   them
public record StoreSettings(
    int segmentOctets,
    int segmentsMax,
    boolean background,
    Duration settleAfter,
    Duration compactAfter,
    boolean index,
    Duration idleAfter,
    int openMax,
    long openOctetsMax) {

  /// What a server uses.
  public static final StoreSettings DEFAULT =
      new StoreSettings(
          32 << 20,
          16,
          true,
          Duration.ofSeconds(5),
          Duration.ofDays(1),
          true,
          Duration.ofMinutes(5),
          4096,
          Runtime.getRuntime().maxMemory() / 3);

  /// These, but with so much memory for open accounts at the most.
  public StoreSettings withOpenOctetsMax(long octets) {
    return new StoreSettings(
        segmentOctets,
        segmentsMax,
        background,
        settleAfter,
        compactAfter,
        index,
        idleAfter,
        openMax,
        Math.min(octets, openOctetsMax));
  }
}
