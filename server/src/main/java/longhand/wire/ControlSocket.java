package longhand.wire;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
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
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A Unix domain socket through which commands of the same user reach the running server: one line
/// asks, one line answers, lines end with LF. Work that takes long tells of itself in lines that
/// begin with `+`, before the answer, which does not. The file's mode lets nobody else in.
public final class ControlSocket implements Closeable {

  /// Longest line, in bytes.
  public static final int LINE_BYTES_MAX = 4 << 20;

  private static final System.Logger LOG = System.getLogger(ControlSocket.class.getName());
  private static final int CONNECTIONS_MAX = 16;

  private final Path path;
  private final ServerSocketChannel server;
  private final Handler handler;
  private final Semaphore places = new Semaphore(CONNECTIONS_MAX);

  private ControlSocket(Path path, ServerSocketChannel server, Handler handler) {
    this.path = path;
    this.server = server;
    this.handler = handler;
  }

  /// What gives the answers, on a thread of the connection's own.
  public interface Handler {

    /// The answer to a line.
    ///
    /// @param told takes lines to send before the answer; `UncheckedIOException` when nobody is
    ///   there any more
    String answer(String line, Consumer<String> told);
  }

  /// Listens at `path`. A file left behind by a server that is no more is replaced, so the caller
  /// must make sure that no other server runs.
  public static ControlSocket open(Path path, Handler handler) throws IOException {
    Files.deleteIfExists(path);
    var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      server.bind(UnixDomainSocketAddress.of(path));
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
    } catch (IOException | RuntimeException e) {
      server.close();
      throw new IOException("cannot listen at " + path + ": " + e.getMessage(), e);
    }
    var socket = new ControlSocket(path, server, handler);
    Thread.ofVirtual().name("control accept").start(socket::accept);
    return socket;
  }

  /// Asks the server that listens at `path`; empty when none does.
  public static Optional<String> ask(Path path, String line) throws IOException {
    return ask(path, line, _ -> {});
  }

  /// The same, of work that tells of itself.
  ///
  /// @param told is given each line before the answer
  public static Optional<String> ask(Path path, String line, Consumer<String> told)
      throws IOException {
    if (!Files.exists(path)) {
      return Optional.empty();
    }
    try (var channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(path));
      write(channel, line);
      var lines = new Lines(channel);
      var answer = lines.next();
      while (answer != null && answer.startsWith("+")) {
        told.accept(answer.substring(1));
        answer = lines.next();
      }
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
      var lines = new Lines(channel);
      Consumer<String> told =
          text -> {
            try {
              write(channel, "+" + text);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          };
      for (var line = lines.next(); line != null; line = lines.next()) {
        write(channel, handler.answer(line, told));
      }
    } catch (UncheckedIOException e) {
      LOG.log(System.Logger.Level.DEBUG, "control connection: {0}", e.toString());
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

  /// Reads lines.
  private static final class Lines {

    private final InputStream in;
    private final byte[] buffer = new byte[64 * 1024];
    private int from;
    private int to;

    Lines(SocketChannel channel) {
      in = Channels.newInputStream(channel);
    }

    /// The next line without its LF; null at the end.
    @Nullable String next() throws IOException {
      var line = new ByteArrayOutputStream();
      while (true) {
        for (int i = from; i < to; i++) {
          if (buffer[i] == '\n') {
            line.write(buffer, from, i - from);
            from = i + 1;
            return line.toString(StandardCharsets.UTF_8);
          }
        }
        line.write(buffer, from, to - from);
        from = 0;
        to = 0;
        if (line.size() > LINE_BYTES_MAX) {
          throw new IOException("a line of more than " + LINE_BYTES_MAX + " bytes");
        }
        int n = in.read(buffer);
        if (n < 0) {
          return null;
        }
        to = n;
      }
    }
  }
}
