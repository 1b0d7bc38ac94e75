package longhand.zone;

import java.nio.charset.StandardCharsets;
import longhand.dns.DnsName;

/// A record to publish.
///
/// @param data as in a zone file; of a TXT record the text itself, unquoted
public record ZoneRecord(DnsName name, Type type, String data) {

  /// Longest string within a TXT record, in octets (RFC 1035 §3.3).
  private static final int STRING_OCTETS_MAX = 255;

  /// Its type.
  public enum Type {
    A,
    AAAA,
    MX,
    TXT,
    SRV,
    CAA,
    TLSA
  }

  /// The record as one line of a zone file (RFC 1035 §5.1), the name absolute. A long text is cut
  /// into strings, which readers join again (RFC 7208 §3.3, RFC 6376 §3.6.2.2).
  public String line() {
    return name + ". IN " + type + " " + (type == Type.TXT ? strings() : data);
  }

  private String strings() {
    byte[] octets = data.getBytes(StandardCharsets.UTF_8);
    if (octets.length <= STRING_OCTETS_MAX) {
      return quoted(octets, 0, octets.length);
    }
    var strings = new StringBuilder("(");
    for (int i = 0; i < octets.length; i += STRING_OCTETS_MAX) {
      strings.append(' ').append(quoted(octets, i, Math.min(octets.length, i + STRING_OCTETS_MAX)));
    }
    return strings.append(" )").toString();
  }

  private static String quoted(byte[] octets, int from, int to) {
    var quoted = new StringBuilder("\"");
    for (int i = from; i < to; i++) {
      int octet = octets[i] & 0xff;
      if (octet == '"' || octet == '\\') {
        quoted.append('\\').append((char) octet);
      } else if (octet < ' ' || octet >= 0x7f) {
        quoted.append('\\').append((char) ('0' + octet / 100));
        quoted.append((char) ('0' + octet / 10 % 10)).append((char) ('0' + octet % 10));
      } else {
        quoted.append((char) octet);
      }
    }
    return quoted.append('"').toString();
  }
}
