package longhand.wire;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/// One accepted connection: buffered octets in and out, in clear or under TLS. For one reading
/// thread; writers synchronise among themselves.
public final class Connection implements Closeable {

  private static final int INPUT_FIRST = 512;
  private static final int INPUT_MAX = 64 * 1024;

  private final InetSocketAddress peer;
  private final InetSocketAddress local;
  private Socket socket;
  private InputStream in;
  private OutputStream out;
  private byte[] input = new byte[INPUT_FIRST];
  private int position;
  private int limit;
  private byte[] output = new byte[INPUT_FIRST];
  private int outputLength;

  /// Wraps a connected socket, in clear.
  public Connection(Socket socket) throws IOException {
    this.socket = socket;
    this.peer = (InetSocketAddress) socket.getRemoteSocketAddress();
    this.local = (InetSocketAddress) socket.getLocalSocketAddress();
    socket.setTcpNoDelay(true);
    this.in = socket.getInputStream();
    this.out = socket.getOutputStream();
  }

  /// The other end.
  public InetSocketAddress peer() {
    return peer;
  }

  /// Our end.
  public InetSocketAddress local() {
    return local;
  }

  /// The TLS session, when there is one.
  public Optional<SSLSession> tls() {
    return socket instanceof SSLSocket ssl ? Optional.of(ssl.getSession()) : Optional.empty();
  }

  /// How long a read waits for the peer before `SocketTimeoutException`.
  public void timeout(Duration timeout) throws IOException {
    socket.setSoTimeout(Math.toIntExact(timeout.toMillis()));
  }

  /// Takes up TLS as a server. Octets that came before the handshake are never carried across (RFC
  /// 3207 §4.2): if any wait, the connection is refused with an exception.
  public void startTls(SSLContext context) throws IOException {
    if (position < limit) {
      throw new IOException("octets sent ahead of the TLS handshake");
    }
    var ssl = (SSLSocket) context.getSocketFactory().createSocket(socket, null, true);
    ssl.setUseClientMode(false);
    ssl.startHandshake();
    socket = ssl;
    in = ssl.getInputStream();
    out = ssl.getOutputStream();
  }

  /// Whether octets of the peer wait in the buffer: a pipelining peer's answers can wait too.
  public boolean inputWaiting() {
    return position < limit;
  }

  /// The next octet, or -1 when the peer has closed.
  public int read() throws IOException {
    if (position == limit && !fill()) {
      return -1;
    }
    return input[position++] & 0xff;
  }

  /// Up to `length` octets into `target`; -1 when the peer has closed.
  public int read(byte[] target, int offset, int length) throws IOException {
    if (position == limit && !fill()) {
      return -1;
    }
    int n = Math.min(length, limit - position);
    System.arraycopy(input, position, target, offset, n);
    position += n;
    return n;
  }

  /// Exactly `length` octets, or `EOFException`.
  public void readFully(byte[] target, int offset, int length) throws IOException {
    for (int done = 0; done < length; ) {
      int n = read(target, offset + done, length - done);
      if (n < 0) {
        throw new EOFException("the peer closed in the middle of " + length + " octets");
      }
      done += n;
    }
  }

  /// The octets up to the next CRLF, without it; null when the peer has closed before sending any.
  /// Only CRLF ends a line. A bare CR or LF is `BareLineEndException`, more than `octetsMax` octets
  /// `LineTooLongException`, a close in the middle of a line `EOFException`.
  public byte @Nullable [] readLine(int octetsMax) throws IOException {
    var line = new byte[Math.min(octetsMax, 128)];
    int length = 0;
    while (true) {
      int octet = read();
      if (octet < 0) {
        if (length == 0) {
          return null;
        }
        throw new EOFException("the peer closed in the middle of a line");
      }
      if (octet == '\r') {
        if (read() != '\n') {
          throw new BareLineEndException();
        }
        return Arrays.copyOf(line, length);
      }
      if (octet == '\n') {
        throw new BareLineEndException();
      }
      if (length == octetsMax) {
        throw new LineTooLongException(octetsMax);
      }
      if (length == line.length) {
        line = Arrays.copyOf(line, Math.min(octetsMax, length * 2));
      }
      line[length++] = (byte) octet;
    }
  }

  /// Puts octets into the output buffer, sending what does not fit.
  public void write(byte[] octets, int offset, int length) throws IOException {
    if (length > output.length - outputLength) {
      if (output.length < INPUT_MAX && outputLength + length <= INPUT_MAX) {
        output =
            Arrays.copyOf(
                output, Math.min(INPUT_MAX, Math.max(output.length * 2, outputLength + length)));
      } else {
        send();
      }
    }
    if (length > output.length) {
      out.write(octets, offset, length);
    } else {
      System.arraycopy(octets, offset, output, outputLength, length);
      outputLength += length;
    }
  }

  /// Puts octets into the output buffer.
  public void write(byte[] octets) throws IOException {
    write(octets, 0, octets.length);
  }

  /// Puts text into the output buffer as UTF-8.
  public void write(String text) throws IOException {
    write(text.getBytes(StandardCharsets.UTF_8));
  }

  /// Sends what the output buffer holds.
  public void flush() throws IOException {
    send();
    out.flush();
  }

  private void send() throws IOException {
    if (outputLength > 0) {
      out.write(output, 0, outputLength);
      outputLength = 0;
    }
  }

  private boolean fill() throws IOException {
    if (limit == input.length && input.length < INPUT_MAX) {
      input = new byte[input.length * 4];
    }
    position = 0;
    limit = 0;
    int n = in.read(input, 0, input.length);
    if (n <= 0) {
      return false;
    }
    limit = n;
    return true;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
