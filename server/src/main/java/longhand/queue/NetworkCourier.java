package longhand.queue;

import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import longhand.dns.DnsName;
import longhand.dns.MailHosts;
import longhand.dns.Reach;
import longhand.dns.Targets;
import longhand.dsn.Action;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;
import longhand.mail.Envelope;
import longhand.message.Recoding;
import longhand.relay.NextHops;
import longhand.relay.Opening;
import longhand.relay.Outcome;
import longhand.relay.Outgoing;
import longhand.relay.Route;
import longhand.relay.Routing;
import longhand.relay.SmtpClient;
import longhand.relay.Step;
import longhand.relay.Target;
import longhand.relay.Timeouts;
import longhand.relay.TlsNeed;
import longhand.relay.TlsPolicy;
import longhand.relay.TlsReporting;
import longhand.relay.TlsResult;
import longhand.wire.Connector;

/// The queue's way to real servers: by the routes of the configuration, or those that DNS names.
public final class NetworkCourier implements Courier, Closeable {

  private static final System.Logger LOG = System.getLogger(NetworkCourier.class.getName());
  private static final EnhancedStatus NO_CONNECTION = new EnhancedStatus(4, 4, 1);
  private static final EnhancedStatus BROKEN = new EnhancedStatus(4, 4, 2);
  private static final EnhancedStatus NO_SERVICE = new EnhancedStatus(4, 3, 2);
  private static final EnhancedStatus NOT_TRUSTED = new EnhancedStatus(4, 7, 5);
  private static final EnhancedStatus NO_TLS = new EnhancedStatus(4, 7, 10);

  /// Servers that are tried for one session, so that a domain with many dead ones costs no hours.
  private static final int TARGETS_MAX = 6;

  private final Connector connector;
  private final String hostname;
  private final Timeouts timeouts;
  private final Route.Pace pace;
  private final Map<String, Route> routes;
  private final MailHosts hosts;
  private final Routing routing;
  private final Optional<TlsReporting> reporting;

  /// @param hostname our name, for EHLO
  /// @param pace of domains that have no route
  /// @param routes by domain; that of `*` is for all others
  /// @param hosts finds the hosts that routes name
  /// @param routing finds those of a domain that no route names
  /// @param reporting counts what became of TLS with the latter
  public NetworkCourier(
      Connector connector,
      String hostname,
      Timeouts timeouts,
      Route.Pace pace,
      Map<String, Route> routes,
      MailHosts hosts,
      Routing routing,
      Optional<TlsReporting> reporting) {
    this.connector = connector;
    this.hostname = hostname;
    this.timeouts = timeouts;
    this.pace = pace;
    this.routes = Map.copyOf(routes);
    this.hosts = hosts;
    this.routing = routing;
    this.reporting = reporting;
  }

  @Override
  public Route route(Domain domain) {
    var route = routes.get(domain.name());
    if (route == null) {
      route = routes.get("*");
    }
    if (route == null) {
      return new Route(domain.name(), new Route.Via.Exchangers(domain), pace);
    }
    // A route for all that only sets the pace still goes to each domain's own servers.
    return route.via() instanceof Route.Via.Exchangers
        ? new Route(domain.name(), new Route.Via.Exchangers(domain), route.pace())
        : route;
  }

  @Override
  public Contact open(Route route, TlsNeed need) {
    return switch (route.via()) {
      case Route.Via.Host host -> open(host);
      case Route.Via.Exchangers(var domain) ->
          switch (found(domain, need)) {
            case NextHops.Bounce(var status, var sentence) -> new Contact.Nowhere(status, sentence);
            case NextHops.Defer(var status, var sentence, _, _) ->
                new Contact.Unreachable(status, "", sentence);
            case NextHops.Found(var hops, _, _) ->
                open(
                    hops.stream()
                        .map(hop -> new Attempt(hop.target(), told(domain, hop, need)))
                        .toList());
          };
    };
  }

  /// A server to try, and who hears what becomes of TLS with it.
  private record Attempt(Target target, Consumer<TlsResult> told) {}

  private NextHops found(Domain domain, TlsNeed need) {
    var found = routing.find(domain, need);
    counting(need).ifPresent(each -> each.searched(domain, found));
    return found;
  }

  private Consumer<TlsResult> told(Domain domain, NextHops.Hop hop, TlsNeed need) {
    return result -> counting(need).ifPresent(each -> each.tried(domain, hop, result));
  }

  /// What a sender lets go past the policies says nothing of them: so it is with reports of ours,
  /// which are not to be reported (RFC 8460 §3).
  private Optional<TlsReporting> counting(TlsNeed need) {
    return need == TlsNeed.DISREGARDED ? Optional.empty() : reporting;
  }

  private Contact open(Route.Via.Host host) {
    InetAddress literal;
    try {
      literal = InetAddress.ofLiteral(host.host());
    } catch (IllegalArgumentException e) {
      literal = host.host().equals("localhost") ? InetAddress.getLoopbackAddress() : null;
    }
    List<InetAddress> addresses;
    if (literal != null) {
      addresses = List.of(literal);
    } else {
      var name = DnsName.of(new Domain(host.host()));
      if (name.isEmpty()) {
        return new Contact.Unreachable(
            NO_CONNECTION, host.host(), "the route names a host that DNS cannot hold");
      }
      switch (hosts.host(name.get(), Reach.PRIVATE_TOO)) {
        case Targets.None none -> {
          // A mistake in the configuration must not cost messages.
          return new Contact.Unreachable(NO_CONNECTION, host.host(), none.sentence());
        }
        case Targets.Found(var found, _) ->
            addresses = found.stream().flatMap(each -> each.addresses().stream()).toList();
      }
    }
    return open(
        addresses.stream()
            .map(
                address ->
                    new Target(
                        new InetSocketAddress(address, host.port()),
                        host.host(),
                        host.protocol(),
                        host.tls(),
                        host.login(),
                        host.source()))
            .map(target -> new Attempt(target, _ -> {}))
            .toList());
  }

  /// The first of them that talks to us.
  private Contact open(List<Attempt> attempts) {
    Contact last = new Contact.Unreachable(NO_CONNECTION, "", "no server to try");
    for (var attempt : attempts.subList(0, Math.min(TARGETS_MAX, attempts.size()))) {
      last = open(attempt.target(), attempt.told());
      if (last instanceof Contact.Reached) {
        return last;
      }
      var seen = last;
      LOG.log(System.Logger.Level.DEBUG, () -> "no session: " + seen);
    }
    return last;
  }

  private Contact open(Target target, Consumer<TlsResult> told) {
    var opening = SmtpClient.open(connector, target, hostname, timeouts, told);
    if (opening instanceof Opening.Broken(var step, _)
        && step == Step.TLS
        && target.tls() instanceof TlsPolicy.Opportunistic) {
      // RFC 7435: what anybody on the way could have read is better than nothing.
      opening = SmtpClient.open(connector, withoutTls(target), hostname, timeouts);
    }
    var server = server(target);
    return switch (opening) {
      case Opening.Ready(var client) ->
          new Contact.Reached(
              new NetworkSession(client, server, target.protocol() == Target.Protocol.LMTP));
      case Opening.Rejected(_, var reply) ->
          // For good it is only said of messages, not of servers: another MX, another day.
          new Contact.Unreachable(
              reply.status().filter(status -> status.kind() == 4).orElse(NO_SERVICE),
              server,
              reply.toString());
      case Opening.Lacking(_, var detail) -> new Contact.Unreachable(NO_TLS, server, detail);
      case Opening.Broken(var step, var detail) ->
          new Contact.Unreachable(
              switch (step) {
                case CONNECT -> NO_CONNECTION;
                case TLS -> NOT_TRUSTED;
                default -> BROKEN;
              },
              server,
              detail);
    };
  }

  private static Target withoutTls(Target target) {
    return new Target(
        target.address(),
        target.host(),
        target.protocol(),
        new TlsPolicy.Never(),
        Optional.empty(),
        target.source());
  }

  private static String server(Target target) {
    var address = target.address().getAddress().getHostAddress();
    return target.host().equals(address)
        ? "[" + address + "]"
        : target.host() + " [" + address + "]";
  }

  @Override
  public void close() {
    connector.close();
  }

  private record NetworkSession(SmtpClient client, String server, boolean lmtp) implements Session {

    @Override
    public Optional<String> tls() {
      return client.tls().map(tls -> tls.getProtocol() + " " + tls.getCipherSuite());
    }

    @Override
    public Optional<Action> taken() {
      return lmtp ? Optional.of(Action.DELIVERED) : Action.taken(client.reports());
    }

    @Override
    public boolean deliversBy() {
      return lmtp || client.deliversBy();
    }

    @Override
    public boolean usable() {
      return client.usable();
    }

    @Override
    public List<Outcome> send(Outgoing mail) {
      return client.send(fit(mail));
    }

    /// RFC 6152 §3: what holds octets above 127 is written otherwise for a server that takes none.
    private Outgoing fit(Outgoing mail) {
      if (client.eightBit() || mail.envelope().body() == Envelope.Body.SEVEN_BIT) {
        return mail;
      }
      try {
        var recoding = Recoding.of(mail.source()::open, Recoding.Target.SEVEN_BIT);
        if (!recoding.possible()) {
          return mail;
        }
        long octets;
        try (var in = recoding.open()) {
          octets = in.transferTo(OutputStream.nullOutputStream());
        }
        return new Outgoing(
            mail.envelope().withBody(Envelope.Body.SEVEN_BIT),
            mail.requireTls(),
            octets,
            recoding::open);
      } catch (IOException e) {
        LOG.log(System.Logger.Level.DEBUG, () -> "sent as it is, not recoded: " + e);
        return mail;
      }
    }

    @Override
    public void close() {
      client.quit();
    }
  }
}
