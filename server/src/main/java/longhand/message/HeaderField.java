package longhand.message;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// One header field (RFC 5322 §2.2): a name, a colon, a value that may go on over several lines. It
/// points into the octets of its header and copies nothing. A line of a header that is no field (no
/// colon) is a field with the empty name, so that nothing of a header is ever lost.
///
/// @param octets the array the header lies in; not to be changed
/// @param start where the name begins
/// @param nameEnd after the name
/// @param valueStart after the colon
/// @param end after the line end of its last line
public record HeaderField(byte[] octets, int start, int nameEnd, int valueStart, int end) {

  /// The name as it stands there, empty for a line that is no field.
  public String name() {
    return new String(octets, start, nameEnd - start, StandardCharsets.ISO_8859_1);
  }

  /// Whether this is its name, in any letter case.
  public boolean is(String name) {
    if (name.length() != nameEnd - start) {
      return false;
    }
    for (int i = 0; i < name.length(); i++) {
      if (lower(name.charAt(i)) != lower(octets[start + i] & 0xff)) {
        return false;
      }
    }
    return true;
  }

  private static int lower(int c) {
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
  }

  /// The value without its line ends (RFC 5322 §2.2.3) and without white space around it.
  public byte[] value() {
    var value = new byte[end - valueStart];
    int length = 0;
    for (int i = valueStart; i < end; i++) {
      byte octet = octets[i];
      if (octet == '\n' || (octet == '\r' && i + 1 < end && octets[i + 1] == '\n')) {
        continue;
      }
      value[length++] = octet;
    }
    int from = 0;
    while (from < length && (value[from] == ' ' || value[from] == '\t')) {
      from++;
    }
    while (length > from && (value[length - 1] == ' ' || value[length - 1] == '\t')) {
      length--;
    }
    return Arrays.copyOfRange(value, from, length);
  }
}
