package longhand.store;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import longhand.disk.Disk;
import longhand.disk.DiskFile;
import org.jspecify.annotations.Nullable;

/// A message on its way into documents. It takes octets as the wire brings them (CRLF ends lines,
/// dots already unstuffed) and keeps them in the form documents hold: in memory while small, in a
/// spool file beyond that, so that any number of large messages cost little memory. One thread
/// writes, then `finish`; after that any number of appends may use it. Close gives back memory and
/// file.
public final class Letter implements Closeable {

  /// Octets kept in memory; a larger letter lies in a file.
  static final int MEMORY_MAX = 256 * 1024;

  private static final int MEMORY_FIRST = 4 * 1024;
  private static final int BUFFER = 64 * 1024;

  private static final byte[] NOTHING = {};

  private final Disk disk;
  private final Path path;
  private final StoredForm form = new Form();
  private byte[] buffer = new byte[0];
  private int length;
  private @Nullable DiskFile file;
  private long fileLength;
  private boolean finished;

  /// @param path where the spool file would be
  Letter(Disk disk, Path path) {
    this.disk = disk;
    this.path = path;
  }

  /// Takes the next octets. A bare LF becomes CRLF: documents have no other line ends.
  public void write(byte[] octets, int offset, int length) throws IOException {
    if (finished) {
      throw new IllegalStateException("the letter is finished");
    }
    form.write(octets, offset, length);
  }

  /// No more octets follow.
  public void finish() throws IOException {
    form.end();
    if (file != null) {
      spill();
    }
    finished = true;
  }

  /// Octets on the wire so far.
  public long sizeOctets() {
    return form.wireOctets();
  }

  /// The finished letter, octet for octet as it came, lines ended by CRLF. Each call begins anew; a
  /// stream is of no use once the letter is closed.
  public InputStream open() throws IOException {
    if (!finished) {
      throw new IllegalStateException("the letter is not finished");
    }
    int stored = Math.toIntExact(storedLength());
    var text = new Text(NOTHING, file == null ? buffer : null, file, 0, stored, quoted(), 0);
    var first = file == null ? Arrays.copyOf(buffer, stored) : NOTHING;
    return new WireForm(file, 0, first, 0, stored, quoted(), text.crc(), () -> {});
  }

  /// Whether a line stands quoted.
  boolean quoted() {
    return form.quoted();
  }

  /// Octets in the form documents hold.
  long storedLength() {
    return fileLength + length;
  }

  /// The spool file of a large letter.
  @Nullable DiskFile file() {
    return file;
  }

  /// The stored octets of a small letter: the first `storedLength` of the array.
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
        System.getLogger(Letter.class.getName())
            .log(System.Logger.Level.WARNING, "spool file not removed: " + path, e);
      }
    }
  }

  private final class Form extends StoredForm {

    @Override
    void expect(int octets) throws IOException {
      room(Math.min(octets, BUFFER / 2));
    }

    @Override
    void put(byte[] octets, int offset, int count) throws IOException {
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

    @Override
    void put(int octet) throws IOException {
      room(1);
      buffer[length++] = (byte) octet;
    }
  }
}
