package longhand.check;

import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A document as it is once the journal's batches that are not settled yet are in it.
final class Overlay {

  private final byte[] content;

  /// @param file the document's octets; empty when there is no file
  /// @param puts octets by offset, in the order of the journal; offsets may come again
  Overlay(byte[] file, Iterable<Map.Entry<Long, byte[]>> puts) {
    int size = file.length;
    for (var put : puts) {
      size = Math.max(size, Math.toIntExact(put.getKey() + put.getValue().length));
    }
    var whole = Arrays.copyOf(file, size);
    for (var put : puts) {
      System.arraycopy(
          put.getValue(), 0, whole, Math.toIntExact(put.getKey()), put.getValue().length);
    }
    this.content = whole;
  }

  byte[] content() {
    return content;
  }

  /// The line that begins at an offset, without its LF; null when none ends before `limit` octets.
  static byte @Nullable [] line(byte[] from, int start, int limit) {
    for (int i = start; i < from.length && i - start < limit; i++) {
      if (from[i] == '\n') {
        return Arrays.copyOfRange(from, start, i);
      }
    }
    return null;
  }
}
