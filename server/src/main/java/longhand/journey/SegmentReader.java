package longhand.journey;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.function.Consumer;
import longhand.disk.Disk;

/// Reads the lines of a segment in pieces, from a position on. What the file has no LF behind yet
/// is left for the next time.
final class SegmentReader {

  private static final int PIECE_OCTETS = 1 << 18;

  /// No line of ours is longer.
  private static final int LINE_OCTETS_MAX = 1 << 16;

  private final Segment segment;
  private final Line line = new Line();
  private byte[] piece = new byte[PIECE_OCTETS];
  private long position;
  private boolean inLongLine;

  SegmentReader(Segment segment) {
    this.segment = segment;
  }

  Segment segment() {
    return segment;
  }

  /// Goes on behind what is in the file now.
  void toEnd(Disk disk) throws IOException {
    position = disk.facts(segment.file()).map(Disk.Facts::size).orElse(0L);
  }

  /// Gives the lines that are there and were not given yet. A file that is gone has none.
  void read(Disk disk, Consumer<Line> to) throws IOException {
    try (var file = disk.open(segment.file(), Disk.Mode.READ)) {
      int kept = 0;
      while (true) {
        int n = file.read(ByteBuffer.wrap(piece, kept, piece.length - kept), position + kept);
        if (n <= 0) {
          return;
        }
        int length = kept + n;
        int done = lines(length, to);
        if (done == 0 && length == piece.length) {
          if (length >= LINE_OCTETS_MAX) {
            inLongLine = true;
            done = length;
          } else {
            piece = Arrays.copyOf(piece, 2 * length);
          }
        }
        position += done;
        kept = length - done;
        System.arraycopy(piece, done, piece, 0, kept);
      }
    } catch (NoSuchFileException _) {
      // It became too old meanwhile.
    }
  }

  /// Gives the lines of the piece; the octets they take.
  private int lines(int length, Consumer<Line> to) {
    int done = 0;
    int begin = 0;
    for (int i = 0; i < length; i++) {
      byte octet = piece[i];
      if (octet > '\n' || octet < 0) {
        continue;
      }
      if (octet == '\n') {
        if (!inLongLine && line.take(piece, begin, i)) {
          to.accept(line);
        }
        inLongLine = false;
        done = i + 1;
        begin = i + 1;
      } else if (octet == 0) {
        // Never written, though what is behind it was.
        begin = i + 1;
      }
    }
    return done;
  }
}
