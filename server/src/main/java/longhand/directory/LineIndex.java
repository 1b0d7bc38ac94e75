package longhand.directory;

/// Where the line in force of each key is, and what it is of: an open-addressing table of hashes
/// and offsets, 16 to 32 bytes a key, so that a million accounts need no more than their file and
/// 32 MiB. Keys are told apart by 64 bits of a hash with a fresh seed. Should two keys ever share
/// one, the later hides the earlier: who finds another key's line at the offset must index the file
/// anew, with another seed. Not safe for several threads.
final class LineIndex {

  private static final long REMOVED = 1L << 63;
  private static final long ALIAS = 1L << 62;

  /// What a line makes of its key.
  enum Kind {
    ACCOUNT,
    ALIAS,
    REMOVAL
  }

  private final long seed;
  private long[] hashes = new long[64];

  /// Removed bit, alias bit, and offset plus one; 0 where the slot is free.
  private long[] places = new long[64];

  private int used;
  private int live;
  private int aliases;
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

  /// The hash of the key of a wildcard: what stands before one place of a key, a star, and what
  /// stands from another place on.
  long hash(String key, int before, int from) {
    long hash = start();
    for (int i = 0; i < before; i++) {
      hash = more(hash, key.charAt(i));
    }
    hash = more(hash, '*');
    for (int i = from; i < key.length(); i++) {
      hash = more(hash, key.charAt(i));
    }
    return hash;
  }

  /// Makes the line at `offset` the one in force.
  void put(long hash, long offset, Kind kind) {
    if (used * 2 >= hashes.length) {
      grow();
    }
    lines++;
    int slot = slot(hash, hashes, places);
    if (places[slot] == 0) {
      used++;
    } else if (places[slot] > 0) {
      live--;
      if ((places[slot] & ALIAS) != 0) {
        aliases--;
      }
    }
    hashes[slot] = hash;
    places[slot] = offset + 1;
    switch (kind) {
      case ACCOUNT -> live++;
      case ALIAS -> {
        live++;
        aliases++;
        places[slot] |= ALIAS;
      }
      case REMOVAL -> places[slot] |= REMOVED;
    }
  }

  /// The offset of the line in force; -1 when there is none, or it is a removal.
  long get(long hash) {
    int slot = slot(hash, hashes, places);
    return places[slot] <= 0 ? -1 : (places[slot] & ~ALIAS) - 1;
  }

  /// What a key is of.
  Kind kind(long hash) {
    long place = places[slot(hash, hashes, places)];
    if (place <= 0) {
      return Kind.REMOVAL;
    }
    return (place & ALIAS) != 0 ? Kind.ALIAS : Kind.ACCOUNT;
  }

  /// How many accounts and aliases there are.
  int live() {
    return live;
  }

  /// How many accounts there are.
  int accounts() {
    return live - aliases;
  }

  /// How many lines are not in force: superseded or removed, and removals.
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
