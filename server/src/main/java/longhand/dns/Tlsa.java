package longhand.dns;

import java.util.HexFormat;

/// A TLSA record (RFC 6698 §2.1). Numbers that are not assigned are kept; who uses the record
/// decides what it can use (RFC 7672 §3.1).
///
/// @param usage 0 to 255: which certificate is meant
/// @param selector 0 to 255: the whole certificate or its public key
/// @param matchingType 0 to 255: exact, or by which hash
/// @param data in lower case hexadecimal digits
public record Tlsa(int usage, int selector, int matchingType, String data) {

  static Tlsa of(int usage, int selector, int matchingType, byte[] data) {
    return new Tlsa(usage, selector, matchingType, HexFormat.of().formatHex(data));
  }
}
