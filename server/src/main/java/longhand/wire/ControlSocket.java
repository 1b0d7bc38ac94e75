package longhand.wire;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// A Unix domain socket through which commands of the same user reach the running server: one line
/// asks, one line answers, lines end with LF. The file's mode lets nobody else in.
public final class ControlSocket implements Closeable {

  /// Longest line, in bytes.
  public static final int LINE_BYTES_MAX = 4 << 20;

  private static final System.Logger LOG = System.getLogger(ControlSocket.class.getName());
  private static final int CONNECTIONS_MAX = 16;

  private final Path path;
  private final ServerSocketChannel server;
  private final UnaryOperator<String> answer;
  private final Semaphore places = new Semaphore(CONNECTIONS_MAX);

  private ControlSocket(Path path, ServerSocketChannel server, UnaryOperator<String> answer) {
    this.path = path;
    this.server = server;
    this.answer = answer;
  }

  /// Listens at `path`. A file left behind by a server that is no more is replaced, so the caller
  /// must make sure that no other server runs.
  ///
  /// @param answer gives the answer to a line, on a thread of the connection's own
  public static ControlSocket open(Path path, UnaryOperator<String> answer) throws IOException {
    Files.deleteIfExists(path);
    var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      server.bind(UnixDomainSocketAddress.of(path));
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
    } catch (IOException | RuntimeException e) {
      server.close();
      throw new IOException("cannot listen at " + path + ": " + e.getMessage(), e);
    }
    var socket = new ControlSocket(path, server, answer);
    Thread.ofVirtual().name("control accept").start(socket::accept);
    return socket;
  }

  /// Asks the server that listens at `path`; empty when none does.
  public static Optional<String> ask(Path path, String line) throws IOException {
    if (!Files.exists(path)) {
      return Optional.empty();
    }
    try (var channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(path));
      write(channel, line);
      var answer = readLine(channel);
      if (answer == null) {
        throw new IOException("the server closed " + path + " without an answer");
      }
      return Optional.of(answer);
    } catch (ConnectException e) {
      return Optional.empty(); // left behind by a server that was killed
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    Files.deleteIfExists(path);
  }

  private void accept() {
    while (server.isOpen()) {
      try {
        places.acquireUninterruptibly();
        var channel = server.accept();
        Thread.ofVirtual().name("control").start(() -> serve(channel));
      } catch (IOException e) {
        places.release();
        if (server.isOpen()) {
          LOG.log(System.Logger.Level.WARNING, "control socket: {0}", e.toString());
        }
      }
    }
  }

  private void serve(SocketChannel channel) {
    try (channel) {
      for (var line = readLine(channel); line != null; line = readLine(channel)) {
        write(channel, answer.apply(line));
      }
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "control connection: {0}", e.toString());
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.ERROR, "control connection", e);
    } finally {
      places.release();
    }
  }

  private static void write(SocketChannel channel, String line) throws IOException {
    var bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /// Reads one line; what follows it is not kept, since each side waits for the other's line.
  private static @Nullable String readLine(SocketChannel channel) throws IOException {
    var line = new ByteArrayOutputStream();
    var in = Channels.newInputStream(channel);
    var buffer = new byte[8192];
    while (true) {
      int n = in.read(buffer);
      if (n < 0) {
        return null;
      }
      if (n > 0 && buffer[n - 1] == '\n') {
        line.write(buffer, 0, n - 1);
        return line.toString(StandardCharsets.UTF_8);
      }
      line.write(buffer, 0, n);
      if (line.size() > LINE_BYTES_MAX) {
        throw new IOException("a line of more than " + LINE_BYTES_MAX + " bytes");
      }
    }
  }
}
