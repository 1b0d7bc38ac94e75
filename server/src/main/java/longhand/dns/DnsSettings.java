package longhand.dns;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import org.xbill.DNS.config.ResolvConfResolverConfigProvider;

/// How the stub resolver works.
///
/// @param servers at least one, asked in this order
/// @param attemptTimeout how long one server has, with TCP where UDP was too small
/// @param rounds how often the list of servers is gone through, at least once
/// @param deadline how long a whole lookup may last, with all aliases
/// @param aliasesMax how many CNAMEs are followed
/// @param lookupsMax how many lookups may be under way at once; others wait, within their deadline
/// @param cacheEntriesMax how many answers are kept
/// @param cacheOctetsMax how large they may be together, as octets on the wire
/// @param ttlLeast answers are kept for at least this long, whatever they say
/// @param ttlGreatest and at most this long
/// @param negativeGreatest the same for "no such name" and "no such data" (RFC 2308 §5)
/// @param failureTtl how long a failure is remembered, so that a server in trouble is not asked
///   again and again (RFC 9520 §3.2: 1 second to 5 minutes)
/// @param validation who validates with DNSSEC
public record DnsSettings(
    List<InetSocketAddress> servers,
    Duration attemptTimeout,
    int rounds,
    Duration deadline,
    int aliasesMax,
    int lookupsMax,
    int cacheEntriesMax,
    long cacheOctetsMax,
    Duration ttlLeast,
    Duration ttlGreatest,
    Duration negativeGreatest,
    Duration failureTtl,
    Validation validation) {

  /// Who validates answers with DNSSEC.
  public sealed interface Validation {

    /// Nobody: no answer is secure.
    record None() implements Validation {}

    /// The servers, whose word (the AD bit) is taken. Right only for a server on this machine, or
    /// over a way that nobody else can write to (RFC 6840 §5.7, RFC 7672 §2.1.1).
    record ByServers() implements Validation {}

    /// We do, beginning at these trust anchors.
    ///
    /// @param trustAnchors DS or DNSKEY records, a line each, as in a zone file
    record Own(List<String> trustAnchors) implements Validation {

      public Own {
        trustAnchors = List.copyOf(trustAnchors);
      }
    }
  }

  public DnsSettings {
    servers = List.copyOf(servers);
    if (servers.isEmpty() || rounds < 1 || lookupsMax < 1 || aliasesMax < 0) {
      throw new IllegalArgumentException("a resolver needs a server, a round and a lookup");
    }
  }

  /// The usual settings, with these servers.
  public static DnsSettings of(List<InetSocketAddress> servers, Validation validation) {
    return new DnsSettings(
        servers,
        Duration.ofSeconds(3),
        2,
        Duration.ofSeconds(20),
        8,
        256,
        20_000,
        16L << 20,
        Duration.ofSeconds(5),
        Duration.ofDays(1),
        Duration.ofHours(1),
        Duration.ofSeconds(5),
        validation);
  }

  /// The servers of `/etc/resolv.conf` as it is now; 127.0.0.1 where it names none
  /// (resolv.conf(5)).
  public static List<InetSocketAddress> serversOfSystem() {
    var provider = new ResolvConfResolverConfigProvider();
    provider.initialize();
    var servers = provider.servers();
    return servers.isEmpty()
        ? List.of(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 53))
        : servers;
  }
}
