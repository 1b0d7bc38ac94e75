package longhand.smtp;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import longhand.wire.CommandCounts;
import longhand.wire.Connection;
import longhand.wire.Limits;
import longhand.wire.Listener;
import longhand.wire.Proxies;

/// SMTP at one address: gives each connection a session.
public final class SmtpServer implements Listener.Protocol {

  /// What happened so far; the adders only ever grow.
  public static final class Counts {
    /// Messages answered 250, for LMTP at least one recipient.
    public final LongAdder messages = new LongAdder();

    /// Their octets, without the trace fields.
    public final LongAdder octets = new LongAdder();

    /// Commands answered, by kind.
    public final CommandCounts commands = new CommandCounts();

    /// Messages refused or deferred at their end.
    public final LongAdder refusedMessages = new LongAdder();

    /// Recipients refused or deferred.
    public final LongAdder refusedRecipients = new LongAdder();

    Counts() {}
  }

  private final SmtpServices services;
  private final Counts counts = new Counts();
  private volatile BooleanSupplier stressed = () -> false;

  private SmtpServer(SmtpServices services) {
    this.services = services;
  }

  /// Binds and begins to accept. Closing the listener ends the sessions.
  ///
  /// @param name for threads and logs, as `smtp 127.0.0.1:2525`
  public static Listener open(String name, InetSocketAddress address, SmtpServices services)
      throws IOException {
    return open(name, address, new SmtpServer(services), Proxies.NONE);
  }

  /// A server whose counts can be read; for `open`.
  public static SmtpServer of(SmtpServices services) {
    return new SmtpServer(services);
  }

  /// Binds and begins to accept for that server.
  public static Listener open(
      String name, InetSocketAddress address, SmtpServer server, Proxies proxies)
      throws IOException {
    var listener = Listener.open(name, address, server, bounds(server.services), proxies);
    server.stressed = listener::stressed;
    return listener;
  }

  /// What happened so far.
  public Counts counts() {
    return counts;
  }

  @Override
  public void serve(Connection connection) throws IOException {
    new SmtpSession(connection, services, counts, stressed).run();
  }

  @Override
  public void refuse(Connection connection, Listener.Refusal refusal) throws IOException {
    if (!services.implicitTls()) {
      var reply =
          switch (refusal) {
            case TOO_MANY -> Reply.TOO_MANY;
            case TOO_MANY_FROM_SOURCE, TOO_OFTEN -> Reply.TOO_MANY_FROM_YOU;
          };
      new SmtpJourney(connection, services).ended(Optional.empty(), reply);
      connection.write(reply.octets());
      connection.flush();
    }
  }

  private static Listener.Bounds bounds(SmtpServices services) {
    Limits limits = services.limits();
    return switch (services.mode()) {
      case RECEPTION ->
          new Listener.Bounds(
              limits.smtpConnectionsMax(),
              limits.smtpConnectionsPerIpMax(),
              limits.smtpConnectionsPerIpMinuteMax(),
              limits.loopbackUnbounded(),
              limits.outputTimeout());
      case SUBMISSION ->
          new Listener.Bounds(
              limits.submissionConnectionsMax(),
              limits.submissionConnectionsPerIpMax(),
              limits.submissionConnectionsPerIpMinuteMax(),
              limits.loopbackUnbounded(),
              limits.outputTimeout());
      case LMTP ->
          // One peer, trusted to the extent that it is configured to come at all.
          new Listener.Bounds(
              limits.smtpConnectionsMax(),
              limits.smtpConnectionsMax(),
              Integer.MAX_VALUE,
              limits.loopbackUnbounded(),
              limits.outputTimeout());
    };
  }
}
