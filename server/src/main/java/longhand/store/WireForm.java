package longhand.store;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import java.util.zip.CRC32C;
import longhand.disk.DiskFile;
import longhand.wire.LineEnds;
import org.jspecify.annotations.Nullable;

/// A message as the wire carries it, read from the form documents hold: LF becomes CRLF, quotes are
/// taken off. What [StoredForm] did is undone exactly.
final class WireForm extends InputStream {

  private static final int CHUNK = 32 * 1024;

  private final @Nullable DiskFile file;
  private final Closeable onClose;
  private final boolean quoted;
  private final Quoting quoting = new Quoting();
  private long position;
  private long left;
  private final byte[] in;
  private int inPosition;
  private int inLimit;
  private byte[] out = new byte[256];
  private int outPosition;
  private int outLimit;
  private boolean header = true;
  private boolean atLineStart = true;
  private boolean afterCr;
  private boolean matching;
  private byte[] unit = new byte[0];
  private final CRC32C crc = new CRC32C();
  private final int expectedCrc;
  private boolean closed;

  /// @param file null when `first` holds all
  /// @param first octets read already, of which those from `from` on belong to the message
  /// @param position in the file, of what follows them
  /// @param length octets of the whole message as stored
  /// @param expectedCrc CRC-32C of those
  /// @param onClose closed once, when the stream is closed
  WireForm(
      @Nullable DiskFile file,
      long position,
      byte[] first,
      int from,
      int length,
      boolean quoted,
      int expectedCrc,
      Closeable onClose) {
    this.file = file;
    this.position = position;
    this.in = first.length > 0 ? first : new byte[Math.min(CHUNK, Math.max(1, length))];
    this.inPosition = from;
    this.inLimit = first.length;
    this.left = (long) length - (first.length - from);
    this.quoted = quoted;
    this.expectedCrc = expectedCrc;
    this.onClose = onClose;
    crc.update(first, from, first.length - from);
  }

  /// The wire form of a whole text in memory.
  static byte[] of(byte[] text, boolean quoted) throws IOException {
    int crc = Ledger.crc(text, 0, text.length);
    try (var in = new WireForm(null, 0, text, 0, text.length, quoted, crc, () -> {})) {
      return in.readAllBytes();
    }
  }

  @Override
  public int read() throws IOException {
    var one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (closed) {
      throw new IOException("stream closed");
    }
    if (length == 0) {
      return 0;
    }
    int done = 0;
    while (done < length) {
      if (outPosition < outLimit) {
        int n = Math.min(length - done, outLimit - outPosition);
        System.arraycopy(out, outPosition, target, offset + done, n);
        outPosition += n;
        done += n;
        continue;
      }
      if (inPosition == inLimit && !fill()) {
        letGo();
        if (outPosition == outLimit) {
          break;
        }
        continue;
      }
      if (quoted) {
        expandQuoted();
      } else {
        done += expand(target, offset + done, length - done);
      }
    }
    return done == 0 ? -1 : done;
  }

  /// The plain case: straight into the caller's array, line by line.
  private int expand(byte[] target, int offset, int room) {
    int to = offset;
    int end = offset + room;
    int from = inPosition;
    while (from < inLimit && to < end) {
      int stop = Math.min(inLimit, from + (end - to));
      int lineEnd = LineEnds.find(in, from, stop);
      System.arraycopy(in, from, target, to, lineEnd - from);
      to += lineEnd - from;
      from = lineEnd;
      if (from == stop) {
        continue;
      }
      byte octet = in[from];
      if (octet == '\n') {
        if (end - to < 2) {
          if (to == offset) {
            append('\r');
            append('\n');
            from++;
          }
          break;
        }
        target[to++] = '\r';
      }
      target[to++] = octet;
      from++;
    }
    inPosition = from;
    return to - offset;
  }

  private void expandQuoted() {
    outPosition = 0;
    outLimit = 0;
    while (inPosition < inLimit && outLimit < CHUNK) {
      int octet = in[inPosition];
      if (atLineStart && octet != '\n' && octet != '\r') {
        atLineStart = false;
        if (Quoting.mayBegin(octet, header)) {
          quoting.begin(header);
          matching = true;
        }
        continue;
      }
      inPosition++;
      if (octet == '\n') {
        letGo();
        if (atLineStart && !afterCr) {
          header = false;
        }
        append('\r');
        append('\n');
        atLineStart = true;
        afterCr = false;
      } else if (octet == '\r') {
        letGo();
        append('\r');
        // A CR before LF was CR CR LF on the wire; the line that begins after it is empty either
        // way.
        atLineStart = header;
        afterCr = header;
      } else if (matching) {
        match(octet);
      } else {
        int lineEnd = LineEnds.find(in, inPosition, inLimit);
        append(in, inPosition - 1, lineEnd);
        inPosition = lineEnd;
      }
    }
  }

  private void match(int octet) {
    switch (quoting.step(octet)) {
      case UNDECIDED -> {}
      case UNIT -> {
        append(unit);
        unit = quoting.foundUnit();
      }
      case MATCH -> {
        unit = new byte[0];
        letGo();
      }
      case NONE -> letGo();
    }
  }

  private void letGo() {
    if (matching) {
      matching = false;
      append(unit);
      unit = new byte[0];
      append(quoting.held());
    }
  }

  private void append(byte[] octets) {
    append(octets, 0, octets.length);
  }

  private void append(byte[] octets, int from, int to) {
    room(to - from);
    System.arraycopy(octets, from, out, outLimit, to - from);
    outLimit += to - from;
  }

  private void append(int octet) {
    room(1);
    out[outLimit++] = (byte) octet;
  }

  private void room(int octets) {
    if (outPosition == outLimit) {
      outPosition = 0;
      outLimit = 0;
    }
    if (outLimit + octets > out.length) {
      out = Arrays.copyOf(out, Math.max(out.length * 2, outLimit + octets));
    }
  }

  private boolean fill() throws IOException {
    if (left == 0) {
      if ((int) crc.getValue() != expectedCrc) {
        throw new DamagedException(
            "the text of a message fails its check: "
                + Integer.toHexString((int) crc.getValue())
                + " found, "
                + Integer.toHexString(expectedCrc)
                + " expected");
      }
      return false;
    }
    var buffer = ByteBuffer.wrap(in, 0, (int) Math.min(in.length, left));
    int n = Objects.requireNonNull(file).read(buffer, position);
    if (n <= 0) {
      throw new EOFException("the document ends within a message");
    }
    position += n;
    left -= n;
    crc.update(in, 0, n);
    inPosition = 0;
    inLimit = n;
    return true;
  }

  @Override
  public void close() throws IOException {
    if (!closed) {
      closed = true;
      onClose.close();
    }
  }
}
