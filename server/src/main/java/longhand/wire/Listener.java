package longhand.wire;

import java.io.Closeable;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/// Accepts connections at one address and gives each a virtual thread of its own, within bounds:
/// connections in all, from one source, and a minute from one source. A source is an IPv4 address
/// or an IPv6 /64. What is beyond them gets a short refusal from the protocol. Where a proxy stands
/// in front and says whom it speaks for, the source is that client.
///
/// Two platform threads serve a listener: one accepts, one looks each moment for connections whose
/// peer does not read what we write and closes them.
public final class Listener implements Closeable {

  private static final System.Logger LOG = System.getLogger(Listener.class.getName());
  private static final int BACKLOG = 1024;
  private static final int SOURCES_MAX = 65_536;
  private static final long MINUTE_NANOS = TimeUnit.MINUTES.toNanos(1);
  private static final Duration PROXY_HEADER_TIME = Duration.ofSeconds(10);

  /// What a listener speaks.
  public interface Protocol {

    /// Talks to the peer until done, on a thread of its own. The connection is closed afterwards.
    /// `IOException` means that the peer is gone; anything else is a mistake of ours and logged.
    void serve(Connection connection) throws IOException;

    /// Says that there are too many connections, without waiting for anything: at most a few
    /// hundred octets are written. The connection is closed afterwards.
    void refuse(Connection connection, Refusal refusal) throws IOException;
  }

  /// Why a connection is not served.
  public enum Refusal {
    /// The listener has as many connections as it may.
    TOO_MANY,
    /// That source has.
    TOO_MANY_FROM_SOURCE,
    /// That source connects too often.
    TOO_OFTEN
  }

  /// How much a listener takes.
  ///
  /// @param connectionsMax at once
  /// @param perSourceMax at once from one source
  /// @param perSourceMinuteMax new ones a minute from one source
  /// @param loopbackUnbounded whether loopback addresses are free of the two bounds per source
  /// @param outputTimeout after which a peer that does not read is closed
  public record Bounds(
      int connectionsMax,
      int perSourceMax,
      int perSourceMinuteMax,
      boolean loopbackUnbounded,
      Duration outputTimeout) {}

  /// What happened so far; the adders only ever grow.
  public static final class Counts {
    /// Connections served.
    public final LongAdder accepted = new LongAdder();

    /// Connections refused, for any reason.
    public final LongAdder refused = new LongAdder();

    /// Connections closed because the peer did not read or did not finish a TLS handshake.
    public final LongAdder overdue = new LongAdder();

    private Counts() {}
  }

  /// @param source what it is counted for; nobody's yet when a proxy has still to say whose
  private record Session(Connection connection, @Nullable Source source, boolean announced) {}

  private static final class Source {
    int connections;
    int fresh;
    long minuteBegan;

    @Nullable Refusal enter(long now, Bounds bounds) {
      if (fresh == 0 || now - minuteBegan > MINUTE_NANOS) {
        minuteBegan = now;
        fresh = 0;
      }
      if (fresh >= bounds.perSourceMinuteMax) {
        return Refusal.TOO_OFTEN;
      }
      fresh++;
      if (connections >= bounds.perSourceMax) {
        return Refusal.TOO_MANY_FROM_SOURCE;
      }
      connections++;
      return null;
    }
  }

  private static final class Entrance {
    @Nullable Source source;
    @Nullable Refusal refusal;
  }

  private final String name;
  private final Protocol protocol;
  private final Bounds bounds;
  private final Proxies proxies;
  private final ServerSocket server;
  private final Counts counts = new Counts();
  private final Set<Session> sessions = ConcurrentHashMap.newKeySet();
  private final ConcurrentHashMap<Object, Source> sources = new ConcurrentHashMap<>();
  private final AtomicInteger open = new AtomicInteger();
  private volatile boolean closed;

  private Listener(
      String name, Protocol protocol, Bounds bounds, Proxies proxies, ServerSocket server) {
    this.name = name;
    this.protocol = protocol;
    this.bounds = bounds;
    this.proxies = proxies;
    this.server = server;
  }

  /// Binds and begins to accept.
  ///
  /// @param name for threads and logs, as `smtp 127.0.0.1:2525`
  /// @param address port 0 takes a free one
  /// @param proxies whose connections are counted for those they speak for
  public static Listener open(
      String name, InetSocketAddress address, Protocol protocol, Bounds bounds, Proxies proxies)
      throws IOException {
    var server = new ServerSocket();
    try {
      server.setReuseAddress(true);
      server.bind(address, BACKLOG);
    } catch (IOException e) {
      server.close();
      throw e;
    }
    var listener = new Listener(name, protocol, bounds, proxies, server);
    Thread.ofPlatform().daemon().name(name + " accept").start(listener::accept);
    Thread.ofPlatform().daemon().name(name + " watch").start(listener::watch);
    return listener;
  }

  /// Reads `host:port`, `[address]:port` or `:port` (any address). A host name is looked up.
  /// `IllegalArgumentException` says what is wrong.
  public static InetSocketAddress address(String text) {
    int colon = text.lastIndexOf(':');
    if (colon < 0) {
      throw new IllegalArgumentException("no port in " + text + ", expected host:port");
    }
    int port;
    try {
      port = Integer.parseInt(text.substring(colon + 1));
    } catch (NumberFormatException e) {
      port = -1;
    }
    if (port < 0 || port > 65_535) {
      throw new IllegalArgumentException("no port of 0 to 65535 at the end of " + text);
    }
    var host = text.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    } else if (host.indexOf(':') >= 0) {
      throw new IllegalArgumentException("an IPv6 address needs brackets: " + text);
    }
    var address = host.isEmpty() ? new InetSocketAddress(port) : new InetSocketAddress(host, port);
    if (address.isUnresolved()) {
      throw new IllegalArgumentException("there is no host " + host);
    }
    return address;
  }

  /// Where it listens, with the port it got.
  public InetSocketAddress address() {
    return (InetSocketAddress) server.getLocalSocketAddress();
  }

  /// Its name.
  public String name() {
    return name;
  }

  /// What happened so far.
  public Counts counts() {
    return counts;
  }

  /// Connections open now.
  public int connections() {
    return open.get();
  }

  /// Whether more than three quarters of the connections are taken.
  public boolean stressed() {
    return 4L * open.get() > 3L * bounds.connectionsMax;
  }

  /// Stops accepting, asks every session to end, waits for them up to `grace`, then closes what is
  /// left.
  public void close(Duration grace) throws InterruptedException {
    closed = true;
    try {
      server.close();
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, () -> name + ": closing: " + e);
    }
    for (var session : sessions) {
      session.connection.end();
    }
    long until = System.nanoTime() + grace.toNanos();
    while (!sessions.isEmpty() && System.nanoTime() < until) {
      Thread.sleep(5);
    }
    for (var session : sessions) {
      shut(session.connection);
    }
  }

  /// Closes without grace.
  @Override
  public void close() {
    try {
      close(Duration.ZERO);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void accept() {
    while (!closed) {
      try {
        var socket = server.accept();
        try {
          admit(socket);
        } catch (IOException e) {
          // The peer has gone before we could greet it.
          socket.close();
        }
      } catch (IOException e) {
        if (!closed) {
          // Out of descriptors, most likely: connections wait in the backlog until some are free.
          LOG.log(System.Logger.Level.WARNING, () -> name + ": accepting: " + e);
          pause(100);
        }
      } catch (RuntimeException | Error e) {
        LOG.log(System.Logger.Level.ERROR, name + ": accepting", e);
        pause(100);
      }
    }
  }

  private void admit(Socket socket) throws IOException {
    var connection = new Connection(socket);
    if (open.get() >= bounds.connectionsMax) {
      refuse(connection, Refusal.TOO_MANY);
      return;
    }
    boolean proxy = proxies.trusts(connection.peer().getAddress());
    if (proxy) {
      connection.trust();
    }
    boolean announced = proxy && proxies.proxyProtocol();
    Source source = null;
    if (!announced) {
      var entrance = enter(connection);
      if (entrance.refusal != null) {
        refuse(connection, entrance.refusal);
        return;
      }
      source = entrance.source;
      counts.accepted.increment();
    }
    var session = new Session(connection, source, announced);
    open.incrementAndGet();
    sessions.add(session);
    Thread.ofVirtual().name(name).start(() -> run(session));
    if (closed) {
      connection.end();
    }
  }

  private void refuse(Connection connection, Refusal refusal) throws IOException {
    counts.refused.increment();
    try (connection) {
      protocol.refuse(connection, refusal);
    }
  }

  private void run(Session session) {
    var source = session.source;
    try (var connection = session.connection) {
      if (session.announced) {
        if (!announce(connection)) {
          return;
        }
        var entrance = enter(connection);
        source = entrance.source;
        if (entrance.refusal != null) {
          source = null;
          refuse(connection, entrance.refusal);
          return;
        }
        counts.accepted.increment();
      }
      protocol.serve(connection);
    } catch (IOException e) {
      LOG.log(
          System.Logger.Level.DEBUG,
          () -> name + ": " + session.connection.peer() + ": " + e.getMessage());
    } catch (RuntimeException | Error e) {
      LOG.log(System.Logger.Level.ERROR, name + ": session of " + session.connection.peer(), e);
    } finally {
      if (source != null) {
        leave(source);
      }
      sessions.remove(session);
      open.decrementAndGet();
    }
  }

  /// Reads what a proxy says of its client; false when it says nothing that can be understood, and
  /// then nobody is served: its own address would be taken for the client's.
  private boolean announce(Connection connection) {
    try {
      ProxyHeader.read(connection.unbuffered(PROXY_HEADER_TIME))
          .ifPresent(header -> connection.comesFrom(header.client(), header.server()));
      connection.distrust();
      return true;
    } catch (IOException e) {
      counts.refused.increment();
      LOG.log(
          System.Logger.Level.WARNING,
          () -> name + ": proxy " + connection.peer() + ": " + e.getMessage());
      return false;
    }
  }

  /// Counts a connection in for its source, or says why not. Without a source it is free of bounds.
  private Entrance enter(Connection connection) {
    var entrance = new Entrance();
    var address = connection.peer().getAddress();
    if (bounds.loopbackUnbounded && address.isLoopbackAddress()) {
      return entrance;
    }
    // Within `compute`, so that a source is not forgotten while it is being entered.
    sources.compute(
        key(address),
        (_, known) -> {
          var source = known == null ? new Source() : known;
          synchronized (source) {
            entrance.source = source;
            entrance.refusal = source.enter(System.nanoTime(), bounds);
          }
          return source;
        });
    return entrance;
  }

  private static void leave(Source source) {
    synchronized (source) {
      source.connections--;
    }
  }

  private void watch() {
    long swept = System.nanoTime();
    long pauseMillis = Math.clamp(bounds.outputTimeout.toMillis() / 4, 20, 1000);
    while (!closed || !sessions.isEmpty()) {
      pause(pauseMillis);
      long now = System.nanoTime();
      for (var session : sessions) {
        if (session.connection.overdue(now, bounds.outputTimeout)) {
          counts.overdue.increment();
          shut(session.connection);
        }
      }
      if (now - swept > MINUTE_NANOS || sources.size() > SOURCES_MAX) {
        swept = now;
        sweep(now);
      }
    }
  }

  /// Forgets sources without connections whose minute is over; all without connections when there
  /// are too many to remember.
  private void sweep(long now) {
    boolean full = sources.size() > SOURCES_MAX;
    for (var key : sources.keySet()) {
      sources.computeIfPresent(
          key,
          (_, source) -> {
            synchronized (source) {
              boolean idle = source.connections == 0;
              return idle && (full || now - source.minuteBegan > MINUTE_NANOS) ? null : source;
            }
          });
    }
  }

  private static Object key(InetAddress address) {
    return address instanceof Inet6Address six
        ? (Object) ByteBuffer.wrap(six.getAddress()).getLong()
        : address;
  }

  private void shut(Connection connection) {
    try {
      connection.close();
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, () -> name + ": closing: " + e.getMessage());
    }
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
