package longhand.dns;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.Optional;
import longhand.mail.Domain;

/// Reads the address literal that stands in a domain's place: `[192.0.2.1]` or `[IPv6:2001:db8::1]`
/// (RFC 5321 §4.1.3).
final class AddressLiteral {

  private static final String IPV6 = "ipv6:";

  /// Longest text of an IPv6 address, with the last 32 bits in IPv4 form.
  private static final int IPV6_LENGTH_MAX = 45;

  private AddressLiteral() {}

  static boolean isLiteral(Domain domain) {
    return domain.name().startsWith("[");
  }

  /// The address; empty when the text is none, or one of a kind that is not known.
  static Optional<InetAddress> parse(Domain domain) {
    var name = domain.name();
    if (name.length() < 3 || !name.startsWith("[") || !name.endsWith("]")) {
      return Optional.empty();
    }
    var text = name.substring(1, name.length() - 1).toLowerCase(Locale.ROOT);
    return text.startsWith(IPV6) ? six(text.substring(IPV6.length())) : four(text);
  }

  private static Optional<InetAddress> four(String text) {
    byte[] octets = new byte[4];
    int part = 0;
    int digits = 0;
    int value = 0;
    for (int i = 0; i <= text.length(); i++) {
      char c = i < text.length() ? text.charAt(i) : '.';
      if (c >= '0' && c <= '9' && digits < 3) {
        value = value * 10 + c - '0';
        digits++;
      } else if (c == '.' && digits > 0 && value < 256 && part < 4) {
        octets[part++] = (byte) value;
        digits = 0;
        value = 0;
      } else {
        return Optional.empty();
      }
    }
    return part == 4 ? Optional.of(address(octets)) : Optional.empty();
  }

  private static Optional<InetAddress> six(String text) {
    if (text.length() > IPV6_LENGTH_MAX || text.indexOf(':') < 0) {
      return Optional.empty();
    }
    for (int i = 0; i < text.length(); i++) {
      // No scope: it would name an interface of ours.
      if ("0123456789abcdef:.".indexOf(text.charAt(i)) < 0) {
        return Optional.empty();
      }
    }
    try {
      return Optional.of(Inet6Address.ofLiteral(text));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /// An address without a name.
  static InetAddress address(byte[] octets) {
    try {
      return InetAddress.getByAddress(octets);
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }
}
