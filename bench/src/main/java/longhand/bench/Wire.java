package longhand.bench;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/// One connection of the load generator. It does as little as it can, so that the server is what is
/// measured. Used by one thread at a time.
final class Wire implements Closeable {

  /// The last line of an answer is looked for in so many octets at its end.
  private static final int TAIL = 2048;

  private final SocketChannel channel;
  private final byte[] buffer;
  private int from;
  private int to;

  private Wire(SocketChannel channel, int bufferOctets) {
    this.channel = channel;
    this.buffer = new byte[bufferOctets];
  }

  /// Connects to a port of 127.0.0.1.
  static Wire open(int port, int bufferOctets) throws IOException {
    var channel =
        SocketChannel.open(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port));
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    return new Wire(channel, bufferOctets);
  }

  /// Sends ASCII text; line ends are the caller's.
  void send(String text) throws IOException {
    send(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
  }

  /// Sends all that remains in the buffers, in order.
  void send(ByteBuffer... parts) throws IOException {
    var last = parts[parts.length - 1];
    while (last.hasRemaining()) {
      channel.write(parts);
    }
  }

  /// The next line without its CRLF.
  String line() throws IOException {
    int scanned = from;
    while (true) {
      for (; scanned < to; scanned++) {
        if (buffer[scanned] == '\n') {
          int end = scanned > from && buffer[scanned - 1] == '\r' ? scanned - 1 : scanned;
          var line = new String(buffer, from, end - from, StandardCharsets.ISO_8859_1);
          from = scanned + 1;
          return line;
        }
      }
      int before = from;
      fill();
      scanned -= before - from;
    }
  }

  /// Passes over an IMAP answer to its tagged line, and returns that without the tag. Nothing may
  /// follow it: one command at a time. The tag must not begin a line of a message.
  String tagged(String tag) throws IOException {
    var start = (tag + " ").getBytes(StandardCharsets.US_ASCII);
    while (true) {
      if (to > from && buffer[to - 1] == '\n') {
        int begin = lastLine(to - 1);
        if (matches(begin, start)) {
          int first = begin + start.length;
          var text = new String(buffer, first, to - 2 - first, StandardCharsets.ISO_8859_1);
          from = to;
          return text;
        }
      }
      forget();
      fill();
    }
  }

  /// Passes over the lines of a POP3 answer to the dot that ends it. Nothing may follow.
  ///
  /// @return octets passed over
  long toDot() throws IOException {
    long octets = (long) to - from;
    var end = "\r\n.\r\n".getBytes(StandardCharsets.US_ASCII);
    while (true) {
      if (to - from >= end.length && matches(to - end.length, end)) {
        from = to;
        return octets;
      }
      forget();
      int before = to - from;
      fill();
      octets += to - from - before;
    }
  }

  /// Index of the first octet of the line that ends at `end`, as far as it is here.
  private int lastLine(int end) {
    int begin = end;
    while (begin > from && buffer[begin - 1] != '\n') {
      begin--;
    }
    return begin;
  }

  private boolean matches(int at, byte[] expected) {
    if (to - at < expected.length) {
      return false;
    }
    for (int i = 0; i < expected.length; i++) {
      if (buffer[at + i] != expected[i]) {
        return false;
      }
    }
    return true;
  }

  private void forget() {
    from = Math.max(from, to - Math.min(TAIL, buffer.length / 2));
  }

  private void fill() throws IOException {
    if (from > 0) {
      System.arraycopy(buffer, from, buffer, 0, to - from);
      to -= from;
      from = 0;
    }
    if (to == buffer.length) {
      throw new IOException("an answer line of more than " + to + " octets");
    }
    int n = channel.read(ByteBuffer.wrap(buffer, to, buffer.length - to));
    if (n < 0) {
      throw new EOFException("the server closed the connection");
    }
    to += n;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
