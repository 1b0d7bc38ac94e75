package longhand.wire;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32C;

/// What a proxy says at the beginning of a connection of whom it speaks for: version 1, a line of
/// text, or version 2, octets (HAProxy's specification of the PROXY protocol, of 2020). Strict, and
/// no octet beyond the header is read: a TLS handshake may follow at once.
///
/// @param client the other end of the client's connection to the proxy
/// @param server the proxy's end of it
record ProxyHeader(InetSocketAddress client, InetSocketAddress server) {

  /// Octets of the longest line of version 1, CRLF included.
  private static final int LINE_MAX = 107;

  /// Octets that may follow the fixed part of version 2: addresses, and what a proxy adds.
  private static final int REST_MAX = 4096;

  private static final byte[] SIGNATURE = {
    '\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'
  };

  private static final int FIXED = 16;
  private static final int CRC32C_TYPE = 3;

  /// Reads a header; empty when the proxy speaks for itself or knows of no client. `IOException`
  /// for anything that is no header.
  static Optional<ProxyHeader> read(InputStream in) throws IOException {
    // The shortest line, `PROXY UNKNOWN`, is longer than the signature.
    var begin = exactly(in, SIGNATURE.length);
    return Arrays.equals(begin, SIGNATURE) ? octets(in) : line(in, begin);
  }

  private static byte[] exactly(InputStream in, int length) throws IOException {
    var octets = in.readNBytes(length);
    if (octets.length < length) {
      throw new EOFException("closed in the middle of a PROXY header");
    }
    return octets;
  }

  private static IOException wrong(String what) {
    return new IOException("no PROXY header: " + what);
  }

  private static Optional<ProxyHeader> line(InputStream in, byte[] begin) throws IOException {
    var line = Arrays.copyOf(begin, LINE_MAX);
    if (!text(line, 6).equals("PROXY ")) {
      throw wrong("it does not begin so");
    }
    int length = begin.length;
    while (line[length - 1] != '\n') {
      if (length == LINE_MAX) {
        throw wrong("the line is too long");
      }
      int octet = in.read();
      if (octet < 0) {
        throw new EOFException("closed in the middle of a PROXY header");
      }
      line[length++] = (byte) octet;
    }
    if (line[length - 2] != '\r') {
      throw wrong("the line does not end in CRLF");
    }
    var text = text(line, length - 2);
    if (text.equals("PROXY UNKNOWN") || text.startsWith("PROXY UNKNOWN ")) {
      return Optional.empty();
    }
    var words = new String[6];
    int at = 0;
    for (int i = 0; i < words.length; i++) {
      int space = text.indexOf(' ', at);
      if ((space < 0) != (i == words.length - 1)) {
        throw wrong("six words are wanted");
      }
      words[i] = text.substring(at, space < 0 ? text.length() : space);
      at = space + 1;
    }
    boolean six = words[1].equals("TCP6");
    if (!six && !words[1].equals("TCP4")) {
      throw wrong("neither TCP4, TCP6 nor UNKNOWN");
    }
    return Optional.of(
        new ProxyHeader(address(six, words[2], words[4]), address(six, words[3], words[5])));
  }

  private static String text(byte[] octets, int length) {
    return new String(octets, 0, length, StandardCharsets.ISO_8859_1);
  }

  private static InetSocketAddress address(boolean six, String address, String port)
      throws IOException {
    int number = Network.number(port, 0, port.length(), 65_535);
    var known = Network.literal(address);
    if (number < 0 || known.isEmpty() || six != address.indexOf(':') >= 0) {
      throw wrong("a bad address or port");
    }
    return new InetSocketAddress(known.get(), number);
  }

  private static Optional<ProxyHeader> octets(InputStream in) throws IOException {
    var fixed = exactly(in, FIXED - SIGNATURE.length);
    int command = fixed[0] & 0xff;
    int family = fixed[1] & 0xff;
    int length = (fixed[2] & 0xff) << 8 | (fixed[3] & 0xff);
    if (command != 0x20 && command != 0x21) {
      throw wrong("neither LOCAL nor PROXY of version 2");
    }
    if (length > REST_MAX) {
      throw wrong("longer than " + REST_MAX + " octets");
    }
    var rest = exactly(in, length);
    if (command == 0x20) {
      return Optional.empty();
    }
    int size =
        switch (family) {
          case 0x00 -> 0;
          case 0x11 -> 4;
          case 0x21 -> 16;
          default -> throw wrong("neither TCP over IPv4 nor over IPv6");
        };
    int addresses = size == 0 ? 0 : 2 * size + 4;
    if (length < addresses) {
      throw wrong("too short for its addresses");
    }
    // What a header of no known family holds has no known form.
    if (size == 0) {
      return Optional.empty();
    }
    additions(fixed, rest, addresses);
    return Optional.of(
        new ProxyHeader(address(rest, 0, size, 2 * size), address(rest, size, size, 2 * size + 2)));
  }

  private static InetSocketAddress address(byte[] rest, int at, int size, int port)
      throws UnknownHostException {
    return new InetSocketAddress(
        InetAddress.getByAddress(Arrays.copyOfRange(rest, at, at + size)),
        (rest[port] & 0xff) << 8 | (rest[port + 1] & 0xff));
  }

  /// What a proxy adds, each of a type, a length of two octets and a value. Only the checksum is
  /// looked at; it is of the whole header with zeros in its own place.
  private static void additions(byte[] fixed, byte[] rest, int begin) throws IOException {
    for (int at = begin; at < rest.length; ) {
      if (at + 3 > rest.length) {
        throw wrong("an addition is cut short");
      }
      int length = (rest[at + 1] & 0xff) << 8 | (rest[at + 2] & 0xff);
      int value = at + 3;
      if (length > rest.length - value) {
        throw wrong("an addition is cut short");
      }
      if (rest[at] == CRC32C_TYPE) {
        if (length != 4) {
          throw wrong("a checksum of " + length + " octets");
        }
        long said = 0;
        for (int i = value; i < value + 4; i++) {
          said = said << 8 | (rest[i] & 0xff);
        }
        var zeroed = rest.clone();
        Arrays.fill(zeroed, value, value + 4, (byte) 0);
        var sum = new CRC32C();
        sum.update(SIGNATURE);
        sum.update(fixed);
        sum.update(zeroed);
        if (sum.getValue() != said) {
          throw wrong("its checksum is another");
        }
      }
      at = value + length;
    }
  }
}
