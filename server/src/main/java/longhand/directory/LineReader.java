package longhand.directory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import longhand.disk.DiskFile;

/// Reads the lines of a domain's file one after the other, in bounded memory. Lines end with LF; a
/// CR before it is not of the line. For one thread.
final class LineReader {

  private static final int BUFFER_BYTES = 256 * 1024;

  private final DiskFile file;
  private final byte[] buffer;
  private long bufferOffset;
  private int limit;
  private int next;
  private int start;
  private int end;
  private boolean cut;
  private long number;

  /// Begins at a byte offset, where a line must begin.
  LineReader(DiskFile file, long offset) {
    this(file, offset, BUFFER_BYTES);
  }

  /// Begins at a byte offset, with a buffer of so many bytes, and so lines of less.
  LineReader(DiskFile file, long offset, int bufferBytes) {
    this.file = file;
    this.buffer = new byte[bufferBytes];
    this.bufferOffset = offset;
  }

  /// Takes the next line; false when there is none. A last line without end is a line.
  boolean next() throws IOException {
    if (cut) {
      passOver();
    }
    int lf = find();
    if (lf < 0) {
      shift();
      lf = find();
    }
    if (lf < 0 && next == limit) {
      return false;
    }
    number++;
    cut = lf < 0 && limit == buffer.length;
    start = next;
    end = lf < 0 ? limit : lf;
    next = lf < 0 ? limit : lf + 1;
    if (end > start && buffer[end - 1] == '\r') {
      end--;
    }
    return true;
  }

  /// The line, without its end.
  byte[] bytes() {
    return Arrays.copyOfRange(buffer, start, end);
  }

  /// Where the line begins in the file, in bytes.
  long offset() {
    return bufferOffset + start;
  }

  /// Which line it is, counted from 1 where reading began.
  long number() {
    return number;
  }

  /// Whether this is only the beginning of a line longer than the buffer.
  boolean cut() {
    return cut;
  }

  /// Octet `i` of the line, or -1 past its end.
  int at(int i) {
    return start + i < end ? buffer[start + i] & 0xff : -1;
  }

  private int find() {
    for (int i = next; i < limit; i++) {
      if (buffer[i] == '\n') {
        return i;
      }
    }
    return -1;
  }

  /// Moves what is left to the front and fills the rest.
  private void shift() throws IOException {
    System.arraycopy(buffer, next, buffer, 0, limit - next);
    bufferOffset += next;
    limit -= next;
    next = 0;
    var rest = ByteBuffer.wrap(buffer, limit, buffer.length - limit);
    limit += rest.hasRemaining() ? Math.max(0, file.read(rest, bufferOffset + limit)) : 0;
  }

  /// Goes to the end of a line longer than the buffer.
  private void passOver() throws IOException {
    cut = false;
    int lf = find();
    while (lf < 0) {
      next = limit;
      shift();
      if (limit == 0) {
        return;
      }
      lf = find();
    }
    next = lf + 1;
  }
}
