package longhand.directory;

/// Where the line in force of each key is: an open-addressing table of hashes and offsets, 16 to 32
/// bytes a key, so that a million accounts need no more than their file and 32 MiB. Keys are told
/// apart by 64 bits of a hash with a fresh seed. Should two keys ever share one, the later hides
/// the earlier: who finds another key's line at the offset must index the file anew, with another
/// seed. Not safe for several threads.
final class LineIndex {

  private static final long REMOVED = 1L << 63;

  private final long seed;
  private long[] hashes = new long[64];

  /// Removed bit, and offset plus one; 0 where the slot is free.
  private long[] places = new long[64];

  private int used;
  private int live;
  private long lines;

  LineIndex(long seed) {
    this.seed = seed;
  }

  /// Begins a hash. Add each octet of the key in lower case with `more`.
  long start() {
    return seed ^ 0x9e3779b97f4a7c15L;
  }

  /// Adds an octet to a hash.
  static long more(long hash, int octet) {
    long mixed = (hash ^ octet) * 0x9fb21c651e98df25L;
    return mixed ^ (mixed >>> 32);
  }

  /// The hash of a key (ASCII).
  long hash(String key) {
    long hash = start();
    for (int i = 0; i < key.length(); i++) {
      hash = more(hash, key.charAt(i));
    }
    return hash;
  }

  /// Makes the line at `offset` the one in force.
  void put(long hash, long offset, boolean removed) {
    if (used * 2 >= hashes.length) {
      grow();
    }
    lines++;
    int slot = slot(hash, hashes, places);
    if (places[slot] == 0) {
      used++;
    } else if (places[slot] > 0) {
      live--;
    }
    if (!removed) {
      live++;
    }
    hashes[slot] = hash;
    places[slot] = (removed ? REMOVED : 0) | (offset + 1);
  }

  /// The offset of the line in force; -1 when there is none, or it removes the account.
  long get(long hash) {
    int slot = slot(hash, hashes, places);
    return places[slot] <= 0 ? -1 : places[slot] - 1;
  }

  /// How many accounts there are.
  int live() {
    return live;
  }

  /// How many lines are not of accounts that are: superseded or removed, and removals.
  long waste() {
    return lines - live;
  }

  private static int slot(long hash, long[] hashes, long[] places) {
    int mask = hashes.length - 1;
    int slot = (int) ((hash * 0xd6e8feb86659fd93L) >>> 32) & mask;
    while (places[slot] != 0 && hashes[slot] != hash) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private void grow() {
    var moreHashes = new long[hashes.length * 2];
    var morePlaces = new long[hashes.length * 2];
    for (int i = 0; i < hashes.length; i++) {
      if (places[i] != 0) {
        int slot = slot(hashes[i], moreHashes, morePlaces);
        moreHashes[slot] = hashes[i];
        morePlaces[slot] = places[i];
      }
    }
    hashes = moreHashes;
    places = morePlaces;
  }
}
