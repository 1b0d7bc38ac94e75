package longhand.check;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import longhand.disk.DiskFile;
import org.jspecify.annotations.Nullable;

/// A document as it is once the journal's batches that are not settled yet are in it, seen through
/// a window that moves over it, so that its length is of no matter. For one thread.
final class Contents implements Closeable {

  private final @Nullable DiskFile file;
  private final long fileLength;
  private final int windowOctets;
  private byte[] window = {};
  private List<Map.Entry<Long, byte[]>> puts = List.of();
  private long length;
  private long from;
  private int filled;

  /// @param file the document, closed with this; null when there is none
  /// @param windowOctets more than 0
  Contents(@Nullable DiskFile file, int windowOctets) throws IOException {
    this.file = file;
    this.fileLength = file == null ? 0 : file.size();
    this.length = fileLength;
    this.windowOctets = windowOctets;
  }

  /// Puts octets over the file's.
  ///
  /// @param more by offset, in the order of the journal; offsets may come again
  void overlay(List<Map.Entry<Long, byte[]>> more) {
    puts = more;
    length = fileLength;
    for (var put : more) {
      length = Math.max(length, put.getKey() + put.getValue().length);
    }
    filled = 0;
  }

  /// Octets there are.
  long length() {
    return length;
  }

  /// The octet at a place that is inside.
  byte at(long place) throws IOException {
    if (place < from || place >= from + filled) {
      move(place);
    }
    return window[(int) (place - from)];
  }

  /// Moves the window so that a place is in it, with a little of what is before: who reads on looks
  /// back to the beginning of a line.
  private void move(long place) throws IOException {
    if (place < 0 || place >= length) {
      throw new IndexOutOfBoundsException("octet " + place + " of " + length);
    }
    int wanted = (int) Math.min(windowOctets, length);
    if (window.length < wanted) {
      window = new byte[wanted];
    }
    from = Math.max(0, place - window.length / 16);
    filled = (int) Math.min(window.length, length - from);
    int there = Math.clamp(fileLength - from, 0, filled);
    Arrays.fill(window, there, filled, (byte) 0);
    if (file != null) {
      var target = ByteBuffer.wrap(window, 0, there);
      while (target.hasRemaining()) {
        if (file.read(target, from + target.position()) <= 0) {
          filled = 0;
          throw new IOException("the document was cut while it was read");
        }
      }
    }
    for (var put : puts) {
      long start = Math.max(put.getKey(), from);
      long end = Math.min(put.getKey() + put.getValue().length, from + filled);
      if (start < end) {
        System.arraycopy(
            put.getValue(),
            (int) (start - put.getKey()),
            window,
            (int) (start - from),
            (int) (end - start));
      }
    }
  }

  /// Octets from one place up to another.
  byte[] octets(long start, long end) throws IOException {
    var octets = new byte[Math.toIntExact(end - start)];
    for (int i = 0; i < octets.length; i++) {
      octets[i] = at(start + i);
    }
    return octets;
  }

  /// The line that begins at an offset, without its LF; null when none ends before `limit` octets.
  byte @Nullable [] line(long start, long limit) throws IOException {
    for (long i = start; i < length && i - start < limit; i++) {
      if (at(i) == '\n') {
        return octets(start, i);
      }
    }
    return null;
  }

  /// Whether a word of ASCII stands at a place.
  boolean starts(long place, String word) throws IOException {
    for (int i = 0; i < word.length(); i++) {
      if (place + i >= length || at(place + i) != word.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  /// CRC-32C of octets that are inside.
  int crc(long start, long count) throws IOException {
    var crc = new CRC32C();
    long place = start;
    while (place < start + count) {
      at(place);
      int offset = (int) (place - from);
      int some = (int) Math.min(filled - offset, start + count - place);
      crc.update(window, offset, some);
      place += some;
    }
    return (int) crc.getValue();
  }

  @Override
  public void close() throws IOException {
    if (file != null) {
      file.close();
    }
  }
}
