package longhand.imap;

import java.io.IOException;
import java.net.InetSocketAddress;
import longhand.wire.Connection;
import longhand.wire.Listener;
import longhand.wire.Proxies;

/// IMAP at one address: gives each connection a session.
public final class ImapServer implements Listener.Protocol {

  private final ImapServices services;
  private final boolean implicitTls;

  private ImapServer(ImapServices services, boolean implicitTls) {
    this.services = services;
    this.implicitTls = implicitTls;
  }

  /// Binds and begins to accept. Closing the listener ends the sessions.
  ///
  /// @param name for threads and logs, as `imap 127.0.0.1:2143`
  /// @param implicitTls whether a session begins with the handshake
  public static Listener open(
      String name, InetSocketAddress address, ImapServices services, boolean implicitTls)
      throws IOException {
    return open(name, address, services, implicitTls, Proxies.NONE);
  }

  /// The same behind proxies.
  public static Listener open(
      String name,
      InetSocketAddress address,
      ImapServices services,
      boolean implicitTls,
      Proxies proxies)
      throws IOException {
    if (implicitTls && services.tls().isEmpty()) {
      throw new IllegalArgumentException("implicit TLS without a certificate");
    }
    var limits = services.limits();
    return Listener.open(
        name,
        address,
        new ImapServer(services, implicitTls),
        new Listener.Bounds(
            limits.imapConnectionsMax(),
            limits.imapConnectionsPerIpMax(),
            limits.imapConnectionsPerIpMinuteMax(),
            limits.loopbackUnbounded(),
            limits.outputTimeout()),
        proxies);
  }

  @Override
  public void serve(Connection connection) {
    new ImapSession(connection, services, implicitTls).run();
  }

  @Override
  public void refuse(Connection connection, Listener.Refusal refusal) throws IOException {
    if (!implicitTls) {
      connection.write("* BYE [LIMIT] too many connections; try later\r\n");
      connection.flush();
    }
  }
}
