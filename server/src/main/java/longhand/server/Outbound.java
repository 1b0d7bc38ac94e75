package longhand.server;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import longhand.disk.FileSystemDisk;
import longhand.dns.Dns;
import longhand.dns.DnsName;
import longhand.dns.MailHosts;
import longhand.dns.Reach;
import longhand.mail.Domain;
import longhand.mtasts.StsFetcher;
import longhand.mtasts.StsPolicies;
import longhand.queue.NetworkCourier;
import longhand.relay.Route;
import longhand.relay.Routing;
import longhand.relay.Timeouts;
import longhand.relay.TlsReporting;
import longhand.tlsrpt.TlsCounts;
import longhand.wire.Connector;
import longhand.wire.Listener;

/// What finds the way of mail that leaves, and sends it there, put together as a configuration
/// says.
///
/// @param hosts finds the hosts of a domain
/// @param reach to which addresses names may lead mail
/// @param routing says under what TLS
/// @param courier knows the routes, and goes where these say
record Outbound(MailHosts hosts, Reach reach, Routing routing, NetworkCourier courier)
    implements Closeable {

  private static final int SMTP_PORT = 25;

  /// That of the server, which keeps the policies of other domains in the data folder;
  /// `IOException` when that folder cannot be had.
  ///
  /// @param counts where the TLS of each session is counted
  static Outbound sending(Config config, Dns dns, Connector connector, Optional<TlsCounts> counts)
      throws IOException {
    return of(config, dns, connector, policies(config), counts);
  }

  /// One that only looks: beside a server that runs it leaves all files as they are.
  static Outbound looking(Config config, Dns dns) throws IOException {
    return of(
        config,
        dns,
        new Connector(Timeouts.DATA_BLOCK),
        policies(config).onlyReading(),
        Optional.empty());
  }

  private static StsPolicies.Settings policies(Config config) {
    return StsPolicies.Settings.of(config.data().resolve("mta-sts"));
  }

  private static Outbound of(
      Config config,
      Dns dns,
      Connector connector,
      StsPolicies.Settings kept,
      Optional<TlsCounts> counts)
      throws IOException {
    var pace = config.queue().pace();
    var routes = new HashMap<String, Route>();
    for (var each : config.route()) {
      routes.put(each.domain(), each.route(pace));
    }
    var ownNames = DnsName.of(new Domain(config.hostname())).map(Set::of).orElse(Set.of());
    var reach = config.dns().reach();
    var hosts =
        new MailHosts(
            dns,
            MailHosts.Settings.of(ownNames, ownAddresses(config)),
            new SecureRandom(),
            System::nanoTime);
    var policies =
        new StsPolicies(
            dns,
            new StsFetcher(dns, connector, StsFetcher.Settings.DEFAULT.within(reach))::fetch,
            new FileSystemDisk(),
            kept,
            Clock.systemUTC());
    var routing = new Routing(dns, hosts, policies::find, Routing.Settings.DEFAULT.within(reach));
    var courier =
        new NetworkCourier(
            connector,
            config.hostname(),
            Timeouts.DEFAULT,
            pace,
            routes,
            hosts,
            routing,
            counts.map(each -> new TlsReporting(each, Set.of())));
    return new Outbound(hosts, reach, routing, courier);
  }

  /// Where other servers reach us: at what takes their mail on the port that MX records mean. Where
  /// that is every address of the machine, all those it has count, but for loopback.
  private static Set<InetAddress> ownAddresses(Config config) throws IOException {
    var own = new HashSet<InetAddress>();
    for (var listener : config.listener()) {
      var at = Listener.address(listener.address());
      if (listener.protocol() != Config.Protocol.SMTP || at.getPort() != SMTP_PORT) {
        continue;
      }
      if (!at.getAddress().isAnyLocalAddress()) {
        own.add(at.getAddress());
        continue;
      }
      for (var each : Collections.list(NetworkInterface.getNetworkInterfaces())) {
        each.inetAddresses().filter(address -> !address.isLoopbackAddress()).forEach(own::add);
      }
    }
    return own;
  }

  @Override
  public void close() {
    courier.close();
  }
}
