package longhand.dns;

import java.net.InetAddress;
import java.util.Locale;
import java.util.Optional;
import longhand.mail.Domain;
import longhand.mail.Idna;

/// An absolute name in the DNS, lower case, without the last dot. Labels are letters, digits, `-`
/// and `_`, as names of hosts and services are; the root is a single dot.
public record DnsName(String text) {

  /// Longest name in this form, in characters: 255 octets on the wire (RFC 1035 §2.3.4).
  public static final int LENGTH_MAX = 253;

  private static final int LABEL_MAX = 63;

  /// The name that a null MX holds (RFC 7505 §3).
  public static final DnsName ROOT = new DnsName(".");

  public DnsName {
    if (!isName(text)) {
      throw new IllegalArgumentException("no name of a host: " + text.length() + " characters");
    }
  }

  /// The name in a text from outside, in any case, with or without a last dot; empty when it is
  /// none.
  public static Optional<DnsName> parse(String text) {
    var name =
        text.length() > 1 && text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
    if (name.length() > LENGTH_MAX) {
      return Optional.empty();
    }
    name = name.toLowerCase(Locale.ROOT);
    return isName(name) ? Optional.of(new DnsName(name)) : Optional.empty();
  }

  /// The name of a domain, letters beyond ASCII as A-labels (RFC 5891 §4.4); empty for an address
  /// literal and for what cannot be a name in the DNS.
  public static Optional<DnsName> of(Domain domain) {
    return parse(domain.name())
        .filter(name -> !name.equals(ROOT))
        .or(() -> Idna.toAscii(domain.name()).flatMap(DnsName::parse));
  }

  /// The name under which an address is looked up backwards (RFC 1035 §3.5, RFC 3596 §2.5).
  public static DnsName reverse(InetAddress address) {
    byte[] octets = address.getAddress();
    var name = new StringBuilder();
    for (int i = octets.length - 1; i >= 0; i--) {
      int octet = octets[i] & 0xff;
      if (octets.length == 4) {
        name.append(octet).append('.');
      } else {
        name.append(Character.forDigit(octet & 15, 16)).append('.');
        name.append(Character.forDigit(octet >> 4, 16)).append('.');
      }
    }
    return new DnsName(name.append(octets.length == 4 ? "in-addr.arpa" : "ip6.arpa").toString());
  }

  private static boolean isName(String text) {
    if (text.equals(".")) {
      return true;
    }
    if (text.isEmpty() || text.length() > LENGTH_MAX) {
      return false;
    }
    int label = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '.') {
        if (label == 0) {
          return false;
        }
        label = 0;
      } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_') {
        if (++label > LABEL_MAX) {
          return false;
        }
      } else {
        return false;
      }
    }
    return label > 0;
  }

  @Override
  public String toString() {
    return text;
  }
}
