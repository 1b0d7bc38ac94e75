package longhand.journey;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.CRC32C;
import longhand.disk.Disk;

/// Says of a segment which ids, Message-IDs and addresses are certainly not in it: a Bloom filter
/// in a file of its own, so that a search reads few segments of many. One that is lost or damaged
/// costs time and nothing else.
final class Filter {

  private static final int MAGIC = 0x4c484a31; // LHJ1
  private static final int HASHES = 6;
  private static final int HEAD_OCTETS = Integer.BYTES + Integer.BYTES;

  /// A power of two of them.
  private final long[] words;

  private Filter(long[] words) {
    this.words = words;
  }

  /// An empty one for a segment of that many octets: a bit for each 16 or more, so about ten a key.
  static Filter of(long segmentOctets) {
    return new Filter(new long[(int) Long.highestOneBit(Math.max(1, segmentOctets >> 10))]);
  }

  /// What its file takes for a segment of that many octets.
  static long octets(long segmentOctets) {
    return HEAD_OCTETS + (long) of(segmentOctets).words.length * Long.BYTES;
  }

  /// A number that stands for a key; letter case does not count.
  static long hash(String key) {
    // FNV-1a, and the last step of splitmix64, so that all bits depend on all characters.
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < key.length(); i++) {
      char c = key.charAt(i);
      hash = (hash ^ (c >= 'A' && c <= 'Z' ? (c | 0x20) : c)) * 0x100000001b3L;
    }
    hash = (hash ^ (hash >>> 30)) * 0xbf58476d1ce4e5b9L;
    hash = (hash ^ (hash >>> 27)) * 0x94d049bb133111ebL;
    return hash ^ (hash >>> 31);
  }

  void add(long hash) {
    for (int i = 0; i < HASHES; i++) {
      long bit = bit(hash, i);
      words[(int) (bit >> 6)] |= 1L << bit;
    }
  }

  /// False when it was certainly not added.
  boolean mayHave(long hash) {
    for (int i = 0; i < HASHES; i++) {
      long bit = bit(hash, i);
      if ((words[(int) (bit >> 6)] & (1L << bit)) == 0) {
        return false;
      }
    }
    return true;
  }

  private long bit(long hash, int number) {
    int mixed = (int) hash + number * ((int) (hash >>> 32) | 1);
    return mixed & (words.length * 64L - 1);
  }

  void write(Disk disk, Path path) throws IOException {
    var octets = ByteBuffer.allocate(HEAD_OCTETS + words.length * Long.BYTES);
    octets.putInt(MAGIC).putInt(0);
    for (var word : words) {
      octets.putLong(word);
    }
    octets.putInt(Integer.BYTES, checksum(octets.array()));
    try (var file = disk.open(path, Disk.Mode.REPLACE)) {
      file.write(octets.flip(), 0);
    }
  }

  /// Empty when there is none that is whole.
  static Optional<Filter> read(Disk disk, Path path) throws IOException {
    try (var file = disk.open(path, Disk.Mode.READ)) {
      long size = file.size();
      if (size <= HEAD_OCTETS || size > 1 << 24 || Long.bitCount(size - HEAD_OCTETS) != 1) {
        return Optional.empty();
      }
      var octets = ByteBuffer.allocate((int) size);
      file.read(octets, 0);
      octets.rewind();
      if (octets.getInt() != MAGIC || octets.getInt() != checksum(octets.array())) {
        return Optional.empty();
      }
      var words = new long[octets.remaining() / Long.BYTES];
      octets.asLongBuffer().get(words);
      return Optional.of(new Filter(words));
    } catch (NoSuchFileException _) {
      return Optional.empty();
    }
  }

  private static int checksum(byte[] octets) {
    var crc = new CRC32C();
    crc.update(octets, HEAD_OCTETS, octets.length - HEAD_OCTETS);
    return (int) crc.getValue();
  }
}
