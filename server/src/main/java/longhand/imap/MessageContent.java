package longhand.imap;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import longhand.message.Header;
import longhand.message.Summary;
import longhand.store.Account;
import longhand.store.Entry;
import org.jspecify.annotations.Nullable;

/// The octets of one message for one command: read when needed, as little as needed, kept in memory
/// only while the message is small. For one thread.
final class MessageContent implements Closeable {

  /// Messages up to this size are read once and kept while the command looks at them.
  private static final int WHOLE_MAX = 256 * 1024;

  private final Account account;
  private final Entry entry;
  private byte @Nullable [] whole;
  private byte @Nullable [] header;
  private @Nullable Summary summary;

  MessageContent(Account account, Entry entry) {
    this.account = account;
    this.entry = entry;
  }

  /// The octets of the message's own header with its empty line; of a longer one the first
  /// `Header.OCTETS_MAX`.
  byte[] header() throws IOException {
    if (header == null) {
      try (var in = whole == null ? account.open(entry) : new ByteArrayInputStream(whole)) {
        header = readHeader(in);
      }
    }
    return header;
  }

  /// Reads up to and with the first empty line.
  static byte[] readHeader(InputStream in) throws IOException {
    var chunk = new byte[4096];
    var out = new ByteArrayOutputStream(4096);
    int lineOctets = 0;
    boolean cr = false;
    while (out.size() < Header.OCTETS_MAX) {
      int n = in.read(chunk, 0, chunk.length);
      if (n < 0) {
        break;
      }
      for (int i = 0; i < n; i++) {
        if (chunk[i] == '\n') {
          if (lineOctets == 0 || (lineOctets == 1 && cr)) {
            out.write(chunk, 0, i + 1);
            return out.toByteArray();
          }
          lineOctets = 0;
        } else {
          lineOctets++;
          cr = chunk[i] == '\r';
        }
      }
      out.write(chunk, 0, n);
    }
    var octets = out.toByteArray();
    return octets.length > Header.OCTETS_MAX ? Arrays.copyOf(octets, Header.OCTETS_MAX) : octets;
  }

  /// What is known of the message without reading it, from the index where it is there.
  Summary summary() throws IOException {
    if (summary == null) {
      summary = account.summary(entry);
    }
    return summary;
  }

  private byte[] whole() throws IOException {
    if (whole == null) {
      try (var in = account.open(entry)) {
        whole = in.readNBytes(entry.sizeOctets());
      }
      if (whole.length != entry.sizeOctets()) {
        throw new IOException(
            "message of " + whole.length + " octets, expected " + entry.sizeOctets());
      }
    }
    return whole;
  }

  /// The octets from one place to before another, to be read and closed.
  InputStream open(long from, long to) throws IOException {
    if (whole != null || (entry.sizeOctets() <= WHOLE_MAX && to - from > WHOLE_MAX / 8)) {
      var octets = whole();
      int start = (int) Math.min(from, octets.length);
      int end = (int) Math.min(to, octets.length);
      return new ByteArrayInputStream(octets, start, Math.max(0, end - start));
    }
    var in = account.open(entry);
    try {
      in.skipNBytes(Math.min(from, entry.sizeOctets()));
    } catch (IOException e) {
      in.close();
      throw e;
    }
    return new Bounded(in, to - from);
  }

  /// The message from its beginning, for going through its parts in their order.
  Forward forward() throws IOException {
    return new Forward(
        entry.sizeOctets() <= WHOLE_MAX ? new ByteArrayInputStream(whole()) : account.open(entry));
  }

  /// A stream that is read once, piece after piece.
  static final class Forward implements Closeable {

    private final InputStream in;
    private Bounded slice;

    /// Where `slice` ends.
    private long end;

    private Forward(InputStream in) {
      this.in = in;
      this.slice = new Bounded(in, 0);
    }

    /// The octets from one place to before another, neither ahead of what was asked for before.
    InputStream slice(long from, long to) throws IOException {
      in.skipNBytes(Math.max(0, from - (end - slice.left)));
      slice = new Bounded(in, to - from);
      end = to;
      return slice;
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }

  @Override
  public void close() {
    whole = null;
    header = null;
  }

  /// A part of a stream.
  static final class Bounded extends InputStream {

    private final InputStream in;
    private long left;

    Bounded(InputStream in, long octets) {
      this.in = in;
      this.left = octets;
    }

    @Override
    public int read() throws IOException {
      if (left <= 0) {
        return -1;
      }
      int octet = in.read();
      left -= octet < 0 ? 0 : 1;
      return octet;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      if (left <= 0) {
        return length == 0 ? 0 : -1;
      }
      int n = in.read(target, offset, (int) Math.min(length, left));
      left -= Math.max(0, n);
      return n;
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }
}
