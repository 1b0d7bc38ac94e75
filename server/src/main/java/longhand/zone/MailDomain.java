package longhand.zone;

import java.net.InetAddress;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import longhand.dkim.DkimKey;
import longhand.dkim.HeldKey;
import longhand.dns.DnsName;

/// A domain and the server of its mail, as far as DNS speaks of them.
///
/// @param host the server's name
/// @param addresses under which the world reaches it; none when the machine does not know them
/// @param services what mail programs may use
/// @param keys those whose records belong into DNS
/// @param certificate the one that the server shows
public record MailDomain(
    DnsName domain,
    DnsName host,
    List<InetAddress> addresses,
    List<Service> services,
    List<Key> keys,
    Optional<X509Certificate> certificate) {

  /// A service for mail programs (RFC 6186, RFC 8314).
  ///
  /// @param name `_imaps` and the like
  /// @param priority 0 for TLS from the first octet, more for what begins in clear
  public record Service(String name, int port, int priority) {}

  /// A DKIM key whose record belongs into DNS.
  public record Key(DkimKey key, HeldKey.Stage stage) {}

  public MailDomain {
    addresses = List.copyOf(addresses);
    services = List.copyOf(services);
    keys = List.copyOf(keys);
  }

  /// A name below the domain.
  DnsName below(String labels) {
    return new DnsName(labels + "." + domain);
  }

  /// Whether the host's name is one of the domain's own zone, as far as names tell.
  boolean hostInside() {
    return host.equals(domain) || host.text().endsWith("." + domain);
  }

  /// Where reports go; every domain has this address (RFC 5321 §4.5.1).
  String reports() {
    return "mailto:postmaster@" + domain;
  }
}
