package longhand.disk;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// An open file. Safe for any thread; a closed one throws. A thread inside any of these is never
/// interrupted: the channel would close for everybody.
public interface DiskFile extends Closeable {

  /// Reads at a position, as much as fits and is there; the octets read, or -1 at or past the end.
  int read(ByteBuffer target, long position) throws IOException;

  /// Writes all that remains in `source` at a position; the file grows as needed.
  void write(ByteBuffer source, long position) throws IOException;

  /// Copies octets into another file without bringing them into memory, all of them.
  void copyTo(long position, long length, DiskFile target, long targetPosition) throws IOException;

  /// How long the file is.
  long size() throws IOException;

  /// Cuts the file.
  void truncate(long size) throws IOException;

  /// Makes durable what was written through this object, length included; with `times` also when it
  /// was written. What a failed force leaves on the disk is not known.
  void force(boolean times) throws IOException;

  /// Takes the advisory lock that mail programs take (fcntl), exclusively; null when it is taken,
  /// by another process or by this one. Closing the lock gives it back.
  @Nullable Closeable tryLock() throws IOException;
}
