package longhand.wire;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Makes connections to other servers, and closes those whose peer does not read what we write or
/// does not finish a TLS handshake: one platform thread looks at all of them each moment. Safe for
/// any thread.
public final class Connector implements Closeable {

  private static final System.Logger LOG = System.getLogger(Connector.class.getName());

  private final Duration outputTimeout;
  private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  /// Begins to watch.
  ///
  /// @param outputTimeout how long a peer may leave a block of 64 KiB at most unread
  public Connector(Duration outputTimeout) {
    this.outputTimeout = outputTimeout;
    Thread.ofPlatform().daemon().name("connector watch").start(this::watch);
  }

  /// A connection in clear. `IOException` when there is none within `timeout`, or no longer a
  /// connector.
  ///
  /// @param source the address of ours to come from, port chosen by the system
  public Connection connect(
      InetSocketAddress target, Optional<InetAddress> source, Duration timeout) throws IOException {
    var socket = new Socket();
    try {
      if (source.isPresent()) {
        socket.bind(new InetSocketAddress(source.get(), 0));
      }
      socket.connect(target, Math.clamp(timeout.toMillis(), 1, Integer.MAX_VALUE));
      var connection = new Connection(socket);
      connections.add(connection);
      if (closed) {
        throw new IOException("no new connections: the server is closing");
      }
      return connection;
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /// Closes every connection.
  @Override
  public void close() {
    closed = true;
    connections.forEach(Connector::shut);
  }

  private void watch() {
    long pauseMillis = Math.clamp(outputTimeout.toMillis() / 4, 20, 1000);
    while (!closed) {
      try {
        Thread.sleep(pauseMillis);
      } catch (InterruptedException e) {
        return;
      }
      long now = System.nanoTime();
      for (var connection : connections) {
        if (connection.overdue(now, outputTimeout)) {
          shut(connection);
        }
      }
      connections.removeIf(Connection::closed);
    }
  }

  private static void shut(Connection connection) {
    try {
      connection.close();
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, () -> connection.peer() + ": closing: " + e);
    }
  }
}
