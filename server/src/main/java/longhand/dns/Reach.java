package longhand.dns;

import java.net.InetAddress;

/// Which addresses mail may be sent to. What a stranger's DNS names must not lead into this machine
/// or the network around it; a route that an administrator wrote may.
public enum Reach {
  /// Addresses of the whole internet only (RFC 6890).
  PUBLIC,
  /// Loopback, link-local and private ones too.
  PRIVATE_TOO;

  /// Whether an address may be connected to. Unspecified, multicast and reserved ones never may. An
  /// IPv6 address that carries an IPv4 address counts as that.
  public boolean allows(InetAddress address) {
    byte[] octets = address.getAddress();
    if (octets.length == 4) {
      return allows4(octets, 0);
    }
    int first = octets[0] & 0xff;
    int second = octets[1] & 0xff;
    if (zero(octets, 0, 15) && (octets[15] == 0 || octets[15] == 1)) {
      return octets[15] == 1 && this == PRIVATE_TOO;
    }
    if (zero(octets, 0, 12) // RFC 4291 §2.5.5.1
        || (zero(octets, 0, 10) && octets[10] == -1 && octets[11] == -1)
        || (first == 0
            && second == 0x64
            && (octets[2] & 0xff) == 0xff
            && (octets[3] & 0xff) == 0x9b
            && zero(octets, 4, 12))) { // RFC 6052 §2.1
      return allows4(octets, 12);
    }
    if (first == 0x20 && second == 0x02) { // RFC 3056 §2
      return allows4(octets, 2);
    }
    boolean local =
        (first & 0xfe) == 0xfc // RFC 4193
            || (first == 0xfe && (second & 0xc0) == 0x80) // link-local
            || (first == 0xfe && (second & 0xc0) == 0xc0) // site-local, once
            || (first == 0 && second == 0x64 && (octets[2] & 0xff) == 0xff); // RFC 8215
    return first != 0xff && (this == PRIVATE_TOO || !local);
  }

  private boolean allows4(byte[] octets, int at) {
    int a = octets[at] & 0xff;
    int b = octets[at + 1] & 0xff;
    int c = octets[at + 2] & 0xff;
    if (a == 0 || a >= 224) {
      return false;
    }
    boolean local =
        a == 10
            || a == 127
            || (a == 100 && (b & 0xc0) == 64) // RFC 6598
            || (a == 169 && b == 254)
            || (a == 172 && (b & 0xf0) == 16)
            || (a == 192 && b == 168)
            || (a == 192 && b == 0 && c == 0)
            || (a == 198 && (b & 0xfe) == 18); // RFC 2544
    return this == PRIVATE_TOO || !local;
  }

  private static boolean zero(byte[] octets, int begin, int end) {
    for (int i = begin; i < end; i++) {
      if (octets[i] != 0) {
        return false;
      }
    }
    return true;
  }
}
