package longhand.dns;

import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import longhand.mail.EnhancedStatus;

/// Where mail for a domain goes, or why nowhere.
public sealed interface Targets {

  /// Hosts to try one after the other.
  ///
  /// @param hosts at least one
  /// @param secure whether the list itself (the MX records, or that there are none) was validated
  record Found(List<Host> hosts, boolean secure) implements Targets {

    public Found {
      hosts = List.copyOf(hosts);
    }
  }

  /// There is none.
  ///
  /// @param status of kind 4 when it may be otherwise later, of kind 5 when not
  /// @param sentence why, for the sender; printable ASCII
  record None(EnhancedStatus status, String sentence) implements Targets {}

  /// A host that takes mail.
  ///
  /// @param name empty for an address literal
  /// @param canonical where the name's aliases lead, the name itself without any (RFC 7672 §2.2.2)
  /// @param preference of its MX record; 0 without one
  /// @param addresses at least one, in the order in which to try them
  /// @param secure whether the addresses were validated; with an insecure one DANE is not asked
  ///   (RFC 7672 §2.2.2)
  record Host(
      Optional<DnsName> name,
      Optional<DnsName> canonical,
      int preference,
      List<InetAddress> addresses,
      boolean secure) {

    public Host {
      addresses = List.copyOf(addresses);
      if (addresses.isEmpty()) {
        throw new IllegalArgumentException("host without address");
      }
    }
  }
}
