package longhand.pop3;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.atomic.LongAdder;
import longhand.wire.CommandCounts;
import longhand.wire.Connection;
import longhand.wire.Listener;
import longhand.wire.Proxies;

/// POP3 at one address: gives each connection a session.
public final class Pop3Server implements Listener.Protocol {

  /// What happened so far; the adders only ever grow.
  public static final class Counts {
    /// Log-ins that succeeded.
    public final LongAdder logins = new LongAdder();

    /// Commands answered, by kind.
    public final CommandCounts commands = new CommandCounts();

    /// Messages sent whole.
    public final LongAdder retrieved = new LongAdder();

    /// Messages removed.
    public final LongAdder deleted = new LongAdder();

    Counts() {}
  }

  private final Pop3Services services;
  private final Counts counts = new Counts();

  private Pop3Server(Pop3Services services) {
    this.services = services;
  }

  /// A server, whose counts can be read; for `open`.
  public static Pop3Server of(Pop3Services services) {
    return new Pop3Server(services);
  }

  /// Binds and begins to accept. Closing the listener ends the sessions; what they had marked for
  /// deletion stays.
  ///
  /// @param name for threads and logs, as `pop3 127.0.0.1:2110`
  public static Listener open(String name, InetSocketAddress address, Pop3Server server)
      throws IOException {
    return open(name, address, server, Proxies.NONE);
  }

  /// The same behind proxies.
  public static Listener open(
      String name, InetSocketAddress address, Pop3Server server, Proxies proxies)
      throws IOException {
    var limits = server.services.limits();
    return Listener.open(
        name,
        address,
        server,
        new Listener.Bounds(
            limits.pop3ConnectionsMax(),
            limits.pop3ConnectionsPerIpMax(),
            limits.pop3ConnectionsPerIpMinuteMax(),
            limits.loopbackUnbounded(),
            limits.outputTimeout()),
        proxies);
  }

  /// What happened so far.
  public Counts counts() {
    return counts;
  }

  @Override
  public void serve(Connection connection) throws IOException {
    new Pop3Session(connection, services, counts).run();
  }

  @Override
  public void refuse(Connection connection, Listener.Refusal refusal) throws IOException {
    if (!services.implicitTls()) {
      connection.write("-ERR [SYS/TEMP] Too many connections; try later\r\n");
      connection.flush();
    }
  }
}
