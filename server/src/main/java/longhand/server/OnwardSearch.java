package longhand.server;

import java.net.InetAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import longhand.dns.DnsName;
import longhand.dns.Reach;
import longhand.dns.Targets;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;
import longhand.relay.Route;
import longhand.relay.TlsNeed;
import longhand.wire.Network;

/// Finds where mail for domains goes from here, with what the server itself finds it with. Each
/// domain is looked up once, and all together for so long at most. For one thread.
final class OnwardSearch {

  private static final EnhancedStatus NO_ADDRESS = new EnhancedStatus(4, 4, 1);

  private final Outbound outbound;
  private final Duration within;
  private final long began = System.nanoTime();
  private final Map<Domain, Onward> found = new HashMap<>();

  /// The time begins now.
  OnwardSearch(Outbound outbound, Duration within) {
    this.outbound = outbound;
    this.within = within;
  }

  Onward of(Domain domain) throws InterruptedException {
    var before = found.get(domain);
    if (before != null) {
      return before;
    }
    var onward = inTime(domain);
    found.put(domain, onward);
    return onward;
  }

  private Onward inTime(Domain domain) throws InterruptedException {
    var search = new FutureTask<>(() -> look(domain));
    Thread.ofVirtual().start(search);
    try {
      long left = within.toNanos() - (System.nanoTime() - began);
      return search.get(Math.max(0, left), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      search.cancel(true);
      return new Onward.Late(
          "Looking up " + domain + ": " + within.toMillis() / 1000.0 + " seconds are over.");
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  private Onward look(Domain domain) {
    var route = outbound.courier().route(domain);
    return switch (route.via()) {
      case Route.Via.Host host -> new Onward.ByRoute(route.name(), host, hosts(host));
      case Route.Via.Exchangers(var exchanged) -> {
        var targets = outbound.hosts().find(exchanged, outbound.reach());
        yield new Onward.ByDns(
            targets, outbound.routing().among(exchanged, targets, TlsNeed.AS_PUBLISHED));
      }
    };
  }

  private Targets hosts(Route.Via.Host host) {
    var literal =
        host.host().equals("localhost")
            ? Optional.of(InetAddress.getLoopbackAddress())
            : Network.literal(host.host());
    if (literal.isPresent()) {
      var one =
          new Targets.Host(Optional.empty(), Optional.empty(), 0, List.of(literal.get()), false);
      return new Targets.Found(List.of(one), false);
    }
    return DnsName.of(new Domain(host.host()))
        .map(name -> outbound.hosts().host(name, Reach.PRIVATE_TOO))
        .orElseGet(
            () -> new Targets.None(NO_ADDRESS, "The route names a host that DNS cannot hold."));
  }
}
