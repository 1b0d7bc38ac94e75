package longhand.wire;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Optional;

/// Neighbouring IP addresses: those whose first bits are the same (RFC 4632 §3.1).
///
/// @param address one of them
/// @param prefix how many bits are the same: 0 to 32 for IPv4, to 128 for IPv6
public record Network(InetAddress address, int prefix) {

  public Network {
    if (prefix < 0 || prefix > address.getAddress().length * 8) {
      throw new IllegalArgumentException("prefix of " + prefix + " bits of " + address);
    }
  }

  /// Reads `10.0.0.0/8`, `2001:db8::/32`, or an address alone; empty when it is none of these.
  /// Nothing is looked up.
  public static Optional<Network> of(String text) {
    int slash = text.indexOf('/');
    var address = literal(slash < 0 ? text : text.substring(0, slash));
    if (address.isEmpty()) {
      return Optional.empty();
    }
    int bits = address.get().getAddress().length * 8;
    int prefix = slash < 0 ? bits : number(text, slash + 1, text.length(), bits);
    return prefix < 0 ? Optional.empty() : Optional.of(new Network(address.get(), prefix));
  }

  /// Whether an address is one of them. An IPv4 address in IPv6 form is that IPv4 address.
  public boolean contains(InetAddress other) {
    var ours = address.getAddress();
    var theirs = other.getAddress();
    if (ours.length != theirs.length) {
      return false;
    }
    int whole = prefix / 8;
    for (int i = 0; i < whole; i++) {
      if (ours[i] != theirs[i]) {
        return false;
      }
    }
    int rest = prefix % 8;
    return rest == 0 || ((ours[whole] ^ theirs[whole]) & 0xff) >> (8 - rest) == 0;
  }

  /// An IPv4 address of four numbers, or an IPv6 address without brackets and zone; empty for any
  /// other text.
  public static Optional<InetAddress> literal(String text) {
    try {
      if (text.indexOf(':') < 0) {
        return isDotted(text) ? Optional.of(Inet4Address.ofLiteral(text)) : Optional.empty();
      }
      return text.indexOf('%') >= 0 || text.indexOf('[') >= 0
          ? Optional.empty()
          : Optional.of(Inet6Address.ofLiteral(text));
    } catch (IllegalArgumentException e) {
      // No address is one of the answers.
      return Optional.empty();
    }
  }

  private static boolean isDotted(String text) {
    int begin = 0;
    for (int part = 0; part < 4; part++) {
      int dot = text.indexOf('.', begin);
      int end = dot < 0 ? text.length() : dot;
      if (number(text, begin, end, 255) < 0 || (dot < 0) != (part == 3)) {
        return false;
      }
      begin = end + 1;
    }
    return true;
  }

  /// A decimal number without leading zeros, or -1.
  static int number(String text, int begin, int end, int max) {
    if (begin >= end || end - begin > 5 || (text.charAt(begin) == '0' && end - begin > 1)) {
      return -1;
    }
    int number = 0;
    for (int i = begin; i < end; i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9') {
        return -1;
      }
      number = number * 10 + c - '0';
    }
    return number > max ? -1 : number;
  }
}
