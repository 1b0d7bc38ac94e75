package longhand.store;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import longhand.disk.Disk;
import longhand.disk.DiskFile;
import org.jspecify.annotations.Nullable;

/// Octets that are kept for a while, as they are: in memory while few, in a file beyond that, so
/// that any number of long ones cost little memory. One thread writes, then `finish`; after that it
/// may be read any number of times. Close gives back memory and file; a file that a crash leaves is
/// removed when the store is opened again.
public final class Spool implements Closeable {

  /// Octets kept in memory; more lie in a file.
  static final int MEMORY_MAX = 256 * 1024;

  private static final int MEMORY_FIRST = 4 * 1024;
  private static final int BUFFER = 64 * 1024;

  private final Disk disk;
  private final Path path;
  private byte[] buffer = new byte[0];
  private int length;
  private @Nullable DiskFile file;
  private long fileLength;
  private boolean finished;

  /// @param path where the file would be
  Spool(Disk disk, Path path) {
    this.disk = disk;
    this.path = path;
  }

  /// Takes the next octets.
  public void write(byte[] octets, int offset, int count) throws IOException {
    if (finished) {
      throw new IllegalStateException("the spool is finished");
    }
    int from = offset;
    int left = count;
    while (left > 0) {
      int n = Math.min(left, BUFFER / 2);
      room(n);
      System.arraycopy(octets, from, buffer, length, n);
      length += n;
      from += n;
      left -= n;
    }
  }

  /// Takes one octet.
  void write(int octet) throws IOException {
    room(1);
    buffer[length++] = (byte) octet;
  }

  /// Says that about so many octets are going to be written, so that room is made once for all.
  void expect(int octets) throws IOException {
    room(Math.min(octets, BUFFER / 2));
  }

  /// No more octets follow.
  public void finish() throws IOException {
    if (file != null) {
      spill();
    }
    finished = true;
  }

  /// Octets so far.
  public long length() {
    return fileLength + length;
  }

  /// The finished octets. Each call begins anew; a stream is of no use once the spool is closed.
  public InputStream open() {
    if (!finished) {
      throw new IllegalStateException("the spool is not finished");
    }
    return new Reading();
  }

  /// Where more octets lie than are kept in memory.
  @Nullable DiskFile file() {
    return file;
  }

  /// Those that are kept in memory: the first `length` of the array.
  byte[] memory() {
    return buffer;
  }

  private void spill() throws IOException {
    if (file == null) {
      file = disk.open(path, Disk.Mode.REPLACE);
    }
    file.write(ByteBuffer.wrap(buffer, 0, length), fileLength);
    fileLength += length;
    length = 0;
  }

  private void room(int octets) throws IOException {
    if (length + octets <= buffer.length) {
      return;
    }
    if (file == null && length + octets <= MEMORY_MAX) {
      int least = Math.max(MEMORY_FIRST, length + octets);
      buffer = Arrays.copyOf(buffer, Math.min(MEMORY_MAX, Math.max(buffer.length * 2, least)));
      return;
    }
    spill();
    if (buffer.length > BUFFER) {
      buffer = new byte[BUFFER];
    }
  }

  @Override
  public void close() {
    buffer = new byte[0];
    length = 0;
    if (file != null) {
      try {
        file.close();
        file = null;
        disk.delete(path);
      } catch (IOException e) {
        // What stays is removed at the next start: the spool folder is emptied then.
        System.getLogger(Spool.class.getName())
            .log(System.Logger.Level.WARNING, "spool file not removed: " + path, e);
      }
    }
  }

  private final class Reading extends InputStream {
    private final long end = Spool.this.length();
    private long at;

    @Override
    public int read() throws IOException {
      var one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int count) throws IOException {
      Objects.checkFromIndexSize(offset, count, target.length);
      if (count == 0) {
        return 0;
      }
      if (at == end) {
        return -1;
      }
      int most = (int) Math.min(count, end - at);
      int n = most;
      if (file == null) {
        System.arraycopy(buffer, (int) at, target, offset, n);
      } else {
        n = file.read(ByteBuffer.wrap(target, offset, most), at);
        if (n <= 0) {
          throw new EOFException("the spool file ends early");
        }
      }
      at += n;
      return n;
    }
  }
}
