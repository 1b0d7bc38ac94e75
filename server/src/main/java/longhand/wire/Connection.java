package longhand.wire;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/// One connection, accepted or made: buffered octets in and out, in clear or under TLS. For one
/// reading thread; writers synchronise among themselves.
///
/// Buffers are made when there is something to put into them and given back when a line is waited
/// for, so that an idle connection costs little more than its socket. A message is read through the
/// window (`fill`, `input`, `position`, `limit`, `consume`) without a call for each octet.
///
/// Times: a read ends with `SocketTimeoutException` after `timeout`, and a line must be complete
/// within it; `deadline` bounds everything. A write has no timeout in Java: the [Listener] or the
/// [Connector] looks at its connections now and then (`overdue`) and closes those whose peer does
/// not read.
public final class Connection implements Closeable {

  private static final byte[] NOTHING = new byte[0];
  private static final int IDLE_OCTETS = 512;
  private static final int BULK_OCTETS = 16 * 1024;
  private static final int BUFFER_OCTETS_MAX = 64 * 1024;
  private static final int DRAIN_OCTETS_MAX = 256 * 1024;
  private static final int DRAIN_MILLIS_MAX = 500;

  private volatile InetSocketAddress peer;
  private volatile InetSocketAddress local;
  private volatile boolean trusted;
  private final Socket raw;
  private @Nullable SSLSocket ssl;
  private InputStream in;
  private OutputStream out;
  private byte[] input = NOTHING;
  private int position;
  private int limit;
  private byte[] output = NOTHING;
  private int outputLength;
  private long timeoutMillis;
  private long deadlineNanos;
  private boolean deadline;
  private int setMillis = -1;
  private boolean measured;
  private int rateMin;
  private long graceNanos;
  private long waitedNanos;
  private long measuredOctets;
  private volatile long writingSinceNanos;
  private volatile long handshakeUntilNanos;
  private volatile boolean ending;

  /// Wraps a connected socket, in clear.
  public Connection(Socket socket) throws IOException {
    this.raw = socket;
    this.peer = (InetSocketAddress) socket.getRemoteSocketAddress();
    this.local = (InetSocketAddress) socket.getLocalSocketAddress();
    socket.setTcpNoDelay(true);
    this.in = socket.getInputStream();
    this.out = socket.getOutputStream();
  }

  /// The other end: the client, also where a proxy speaks for it.
  public InetSocketAddress peer() {
    return peer;
  }

  /// Our end, or that of the proxy that speaks for the client.
  public InetSocketAddress local() {
    return local;
  }

  /// Whether the other end of the socket is a proxy that may speak for others ([Proxies]).
  public boolean trusted() {
    return trusted;
  }

  /// The other end is a proxy that may speak for others.
  void trust() {
    trusted = true;
  }

  /// Whoever talks from now on is a client behind the proxy, and speaks for nobody else.
  void distrust() {
    trusted = false;
  }

  /// A proxy has said for whom it speaks; from now on that is the peer. `IllegalStateException`
  /// when the other end of the socket is no proxy.
  public void comesFrom(InetSocketAddress client, InetSocketAddress server) {
    if (!trusted) {
      throw new IllegalStateException(peer + " is not trusted to speak for others");
    }
    peer = client;
    local = server;
  }

  /// What the peer sends before anything is read through the buffer, an octet at a time where it is
  /// asked for so: what follows is left in the socket. A read ends with `SocketTimeoutException`
  /// when `time` has passed, counted from now.
  InputStream unbuffered(Duration time) throws IOException {
    long until = System.nanoTime() + time.toNanos();
    var socket = raw.getInputStream();
    return new InputStream() {
      @Override
      public int read() throws IOException {
        var one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] target, int offset, int length) throws IOException {
        long millis = (until - System.nanoTime()) / 1_000_000;
        if (millis <= 0) {
          throw new SocketTimeoutException("not sent in time");
        }
        soTimeout(millis);
        return socket.read(target, offset, length);
      }
    };
  }

  /// The TLS session, when there is one.
  public Optional<SSLSession> tls() {
    return ssl == null ? Optional.empty() : Optional.of(ssl.getSession());
  }

  /// How long a read waits for the peer before `SocketTimeoutException`; a line must be complete in
  /// that time. Zero waits for ever.
  public void timeout(Duration timeout) throws IOException {
    timeoutMillis = Math.min(timeout.toMillis(), Integer.MAX_VALUE);
  }

  /// From now on reads end with `SocketTimeoutException` after that time, whatever comes.
  public void deadline(Duration fromNow) {
    deadlineNanos = System.nanoTime() + fromNow.toNanos();
    deadline = true;
  }

  /// From now until `rateEnd` the peer must send `octetsPerSecond` once reads have waited for it
  /// longer than `grace`; otherwise a read ends with `TooSlowException`. Zero is no bound.
  public void rateBegin(int octetsPerSecond, Duration grace) {
    measured = octetsPerSecond > 0;
    rateMin = octetsPerSecond;
    graceNanos = grace.toNanos();
    waitedNanos = 0;
    measuredOctets = 0;
  }

  /// The peer may be as slow as the timeouts allow.
  public void rateEnd() {
    measured = false;
  }

  /// Takes up TLS as a server: 1.2 or 1.3, suites with forward secrecy and AEAD only. Octets that
  /// came before the handshake are never carried across (RFC 3207 §4.2): if any wait, the
  /// connection is refused with an exception.
  public void startTls(SSLContext context) throws IOException {
    if (position < limit) {
      throw new IOException("octets sent ahead of the TLS handshake");
    }
    var socket = (SSLSocket) context.getSocketFactory().createSocket(raw, null, true);
    socket.setUseClientMode(false);
    socket.setSSLParameters(TlsContext.parameters(socket));
    handshake(socket);
  }

  /// Takes up TLS as a client, with the same versions and suites. As there, octets that came before
  /// the handshake are an exception. `SSLException` when the server is not who it is to be.
  ///
  /// @param host the server's name: sent to it (RFC 6066 §3), and what its certificate is to say
  ///   where that is verified
  public void startTls(String host, TlsVerification verification) throws IOException {
    if (unreadOctets()) {
      throw new IOException("octets sent ahead of the TLS handshake");
    }
    handshake(PeerTrust.socket(raw, host, verification));
  }

  private void handshake(SSLSocket socket) throws IOException {
    soTimeout(timeoutMillis);
    long millis = timeoutMillis == 0 ? 30_000 : timeoutMillis;
    handshakeUntilNanos = System.nanoTime() + millis * 1_000_000 | 1;
    socket.startHandshake();
    handshakeUntilNanos = 0;
    ssl = socket;
    in = socket.getInputStream();
    out = socket.getOutputStream();
  }

  /// Whether the peer has sent octets that nobody has read, also such as are still in the socket.
  /// Waits for nothing; under TLS for a millisecond when a record has arrived that may be of TLS
  /// itself.
  public boolean unreadOctets() throws IOException {
    if (position < limit) {
      return true;
    }
    boolean arrived = raw.getInputStream().available() > 0;
    if (ssl == null) {
      return arrived;
    }
    if (!arrived && in.available() == 0) {
      return false;
    }
    long kept = timeoutMillis;
    timeoutMillis = 1;
    try {
      return fill(IDLE_OCTETS, 0);
    } catch (SocketTimeoutException e) {
      return false; // a session ticket, most likely
    } finally {
      timeoutMillis = kept;
    }
  }

  /// Whether octets of the peer wait in the buffer: a pipelining peer's answers can wait too.
  public boolean inputWaiting() {
    return position < limit;
  }

  /// Whether a whole line of the peer waits in the buffer, so that answers can wait for its own.
  public boolean lineWaiting() {
    for (int i = position; i < limit; i++) {
      if (input[i] == '\n') {
        return true;
      }
    }
    return false;
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
    byte[] head = NOTHING;
    int headLength = 0;
    boolean first = true;
    long began = 0;
    while (true) {
      if (position == limit) {
        if (first) {
          rest();
          began = timeoutMillis == 0 ? 0 : System.nanoTime();
        }
        if (!fill(IDLE_OCTETS, began)) {
          if (headLength == 0) {
            return null;
          }
          throw new EOFException("the peer closed in the middle of a line");
        }
      }
      first = false;
      int end = LineEnds.find(input, position, limit);
      int length = end - position;
      if (headLength + length > octetsMax) {
        throw new LineTooLongException(octetsMax);
      }
      if (end < limit && input[end] == '\n') {
        throw new BareLineEndException();
      }
      if (end + 1 < limit) {
        if (input[end + 1] != '\n') {
          throw new BareLineEndException();
        }
        byte[] line;
        if (headLength == 0) {
          line = Arrays.copyOfRange(input, position, end);
        } else {
          line = Arrays.copyOf(head, headLength + length);
          System.arraycopy(input, position, line, headLength, length);
        }
        position = end + 2;
        return line;
      }
      if (headLength + length > head.length) {
        head = Arrays.copyOf(head, Math.max(headLength + length, head.length * 2));
      }
      System.arraycopy(input, position, head, headLength, length);
      headLength += length;
      position = limit;
      if (end < limit) {
        // A CR is the last octet there is: its LF must come next.
        if (!fill(IDLE_OCTETS, began)) {
          throw new EOFException("the peer closed in the middle of a line");
        }
        if (input[position++] != '\n') {
          throw new BareLineEndException();
        }
        return Arrays.copyOf(head, headLength);
      }
    }
  }

  /// The buffer whose octets from `position` to before `limit` the peer has sent and nobody has
  /// consumed. Valid until the next read or fill.
  public byte[] input() {
    return input;
  }

  /// Where in `input` the next octet is.
  public int position() {
    return position;
  }

  /// Where in `input` the octets end.
  public int limit() {
    return limit;
  }

  /// Marks the next octets as read.
  public void consume(int octets) {
    position += octets;
  }

  /// Waits for octets of the peer when the window is empty; false when it has closed.
  public boolean fill() throws IOException {
    return position < limit || fill(BULK_OCTETS, 0);
  }

  /// Puts octets into the output buffer, sending what does not fit.
  public void write(byte[] octets, int offset, int length) throws IOException {
    int needed = outputLength + length;
    if (needed > output.length) {
      if (needed <= BUFFER_OCTETS_MAX) {
        output =
            Arrays.copyOf(
                output,
                Math.min(
                    BUFFER_OCTETS_MAX, Math.max(IDLE_OCTETS, Integer.highestOneBit(needed) * 2)));
      } else {
        sendBuffer();
        if (length > output.length) {
          send(octets, offset, length);
          return;
        }
      }
    }
    System.arraycopy(octets, offset, output, outputLength, length);
    outputLength += length;
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
    sendBuffer();
    if (output.length > BULK_OCTETS) {
      output = NOTHING;
    }
  }

  /// Asks the session to end: a read that waits, and each later one, finds that the peer has
  /// closed. For any thread; what is being written goes out first.
  public void end() {
    ending = true;
    try {
      raw.shutdownInput();
    } catch (IOException e) {
      // Closed already, which is an end too.
    }
  }

  /// Whether the server asked this session to end: a last word to the peer is in order.
  public boolean ending() {
    return ending;
  }

  /// Sends what waits, says goodbye in TLS, and closes so that the peer can still read the last
  /// answer: octets it sends meanwhile are thrown away for half a second at most. Does nothing when
  /// it is closed already.
  public void finish() throws IOException {
    if (raw.isClosed()) {
      return;
    }
    try {
      flush();
      if (ssl != null) {
        writingSinceNanos = System.nanoTime() | 1;
        ssl.shutdownOutput();
        writingSinceNanos = 0;
      }
      raw.shutdownOutput();
      if (ending) {
        return;
      }
      var scratch = new byte[1024];
      long until = System.nanoTime() + DRAIN_MILLIS_MAX * 1_000_000L;
      var rest = raw.getInputStream();
      for (int drained = 0; drained < DRAIN_OCTETS_MAX; ) {
        long millis = (until - System.nanoTime()) / 1_000_000;
        if (millis <= 0) {
          break;
        }
        raw.setSoTimeout((int) millis);
        int n = rest.read(scratch);
        if (n < 0) {
          break;
        }
        drained += n;
      }
    } finally {
      close();
    }
  }

  /// Closes at once, whatever other threads are doing with the connection. Never blocks.
  @Override
  public void close() throws IOException {
    raw.close();
  }

  /// Whether it is closed on our side. For any thread.
  boolean closed() {
    return raw.isClosed();
  }

  /// Whether a write or a TLS handshake has lasted too long. For any thread.
  boolean overdue(long nowNanos, Duration outputTimeout) {
    long writing = writingSinceNanos;
    long handshake = handshakeUntilNanos;
    return (writing != 0 && nowNanos - writing > outputTimeout.toNanos())
        || (handshake != 0 && nowNanos - handshake > 0);
  }

  private void rest() {
    if (input.length > IDLE_OCTETS) {
      input = NOTHING;
      position = 0;
      limit = 0;
    }
  }

  private void sendBuffer() throws IOException {
    if (outputLength > 0) {
      int length = outputLength;
      outputLength = 0;
      send(output, 0, length);
    }
  }

  private void send(byte[] octets, int offset, int length) throws IOException {
    for (int done = 0; done < length; ) {
      int n = Math.min(length - done, BUFFER_OCTETS_MAX);
      writingSinceNanos = System.nanoTime() | 1;
      out.write(octets, offset + done, n);
      writingSinceNanos = 0;
      done += n;
    }
  }

  /// Reads once into the empty buffer, which grows when the last read filled it.
  ///
  /// @param least how large the buffer is to be at least
  /// @param began when the line that is being read began, or 0
  private boolean fill(int least, long began) throws IOException {
    int wanted = Math.max(input.length, least);
    if (limit == input.length && limit > 0) {
      wanted = Math.min(BUFFER_OCTETS_MAX, Math.max(wanted, input.length * 4));
    }
    if (wanted > input.length) {
      input = new byte[wanted];
    }
    position = 0;
    limit = 0;
    if (ending) {
      return false;
    }
    soTimeout(waitMillis(began));
    long before = measured ? System.nanoTime() : 0;
    int n = in.read(input, 0, input.length);
    if (n <= 0) {
      return false;
    }
    limit = n;
    if (measured) {
      waitedNanos += System.nanoTime() - before;
      measuredOctets += n;
      if (waitedNanos > graceNanos && measuredOctets < rateMin * (waitedNanos / 1_000_000) / 1000) {
        throw new TooSlowException(measuredOctets, waitedNanos / 1_000_000_000);
      }
    }
    return true;
  }

  private long waitMillis(long began) throws SocketTimeoutException {
    long millis = timeoutMillis;
    if (began == 0 && !deadline) {
      return millis;
    }
    long now = System.nanoTime();
    if (began != 0 && millis > 0) {
      millis = Math.max(millis - (now - began) / 1_000_000, 0);
      if (millis == 0) {
        throw new SocketTimeoutException("no whole line in time");
      }
    }
    if (deadline) {
      long left = (deadlineNanos - now) / 1_000_000;
      if (left <= 0) {
        throw new SocketTimeoutException("the session has lasted too long");
      }
      millis = millis == 0 ? left : Math.min(millis, left);
    }
    return millis;
  }

  private void soTimeout(long millis) throws IOException {
    int rounded = (int) Math.min(millis, Integer.MAX_VALUE);
    if (rounded != setMillis) {
      raw.setSoTimeout(rounded);
      setMillis = rounded;
    }
  }
}
