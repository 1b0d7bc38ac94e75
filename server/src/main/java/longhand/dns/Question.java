package longhand.dns;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;

/// A question to the DNS, with the type of the records that answer it.
public sealed interface Question<T> {

  /// The name that is asked for.
  DnsName name();

  /// Which hosts take mail (RFC 5321 §5.1).
  record Mx(DnsName name) implements Question<MailExchange> {}

  /// Addresses of IPv4.
  record A(DnsName name) implements Question<Inet4Address> {}

  /// Addresses of IPv6 (RFC 3596). One that only maps an IPv4 address is left out.
  record Aaaa(DnsName name) implements Question<Inet6Address> {}

  /// Texts; the strings of a record are joined (RFC 7208 §3.3), one char for each octet.
  record Txt(DnsName name) implements Question<String> {}

  /// What a service's certificate must be; the name begins `_25._tcp.` (RFC 7672 §2.2.3).
  record TlsaOf(DnsName name) implements Question<Tlsa> {}

  /// The names of an address.
  record Ptr(DnsName name) implements Question<DnsName> {

    public Ptr(InetAddress address) {
      this(DnsName.reverse(address));
    }
  }

  /// The alias itself, not followed: whether it is secure matters to DANE when what it leads to is
  /// not (RFC 7672 §2.2.2).
  record Cname(DnsName name) implements Question<DnsName> {}

  /// Where a service is; the name begins `_imaps._tcp.` and the like (RFC 2782).
  record SrvOf(DnsName name) implements Question<Srv> {}

  /// Who may issue certificates (RFC 8659).
  record CaaOf(DnsName name) implements Question<Caa> {}

  /// The name servers of a zone; only the name at its top has some.
  record Ns(DnsName name) implements Question<DnsName> {}

  /// The tags of the keys that a zone is signed with (RFC 4034 §2); only a signed zone has some.
  record Dnskey(DnsName name) implements Question<Integer> {}

  /// The tags of the keys that the zone above vouches for (RFC 4034 §5); without one nobody can
  /// validate the zone.
  record Ds(DnsName name) implements Question<Integer> {}
}
