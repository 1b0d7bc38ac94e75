package longhand.store;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import longhand.disk.DiskFile;
import org.jspecify.annotations.Nullable;

/// Text to become an entry: octets in memory, followed by octets in memory or in a file, all in the
/// form documents hold.
///
/// @param memory what follows the prefix when it is in memory; only the first `length`
/// @param file what follows the prefix when it is in a file: `length` octets at `position`
record Text(
    byte[] prefix,
    byte @Nullable [] memory,
    @Nullable DiskFile file,
    long position,
    long length,
    boolean quoted,
    long wireOctets) {

  private static final byte[] ONE = {'\n'};
  private static final byte[] TWO = {'\n', '\n'};

  /// The text of an entry that is in the document.
  static Text of(DiskFile document, Entry entry) {
    return new Text(
        new byte[0],
        null,
        document,
        entry.textOffset(),
        entry.length,
        entry.quoted,
        entry.sizeOctets);
  }

  long total() {
    return prefix.length + length;
  }

  int crc() throws IOException {
    var crc = new CRC32C();
    crc.update(prefix);
    if (memory != null) {
      crc.update(memory, 0, (int) length);
    } else if (file != null) {
      var buffer = ByteBuffer.allocate((int) Math.min(length, 1 << 18));
      for (long at = 0; at < length; ) {
        buffer.clear().limit((int) Math.min(buffer.capacity(), length - at));
        int n = file.read(buffer, position + at);
        if (n <= 0) {
          throw new EOFException("the letter's file ends early");
        }
        crc.update(buffer.flip());
        at += n;
      }
    }
    return (int) crc.getValue();
  }

  /// What ends the entry behind this text.
  byte[] tail() throws IOException {
    int last = -1;
    if (length > 0) {
      if (memory != null) {
        last = memory[(int) length - 1];
      } else if (file != null) {
        var one = ByteBuffer.allocate(1);
        file.read(one, position + length - 1);
        last = one.get(0);
      }
    } else if (prefix.length > 0) {
      last = prefix[prefix.length - 1];
    }
    return last == '\n' ? ONE : TWO;
  }
}
