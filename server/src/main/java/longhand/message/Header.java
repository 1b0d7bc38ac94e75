package longhand.message;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// All fields of one header, in order (RFC 5322 §2.2). It ends at the first empty line or with the
/// octets. Lines may end in CRLF or LF.
public final class Header {

  /// Most octets of a header that are looked at; a longer one is cut there, its message is served
  /// whole all the same.
  public static final int OCTETS_MAX = 1 << 20;

  /// Most fields that are looked at.
  public static final int FIELDS_MAX = 10_000;

  private final List<HeaderField> fields;

  private Header(List<HeaderField> fields) {
    this.fields = List.copyOf(fields);
  }

  /// Reads the header at the beginning of those octets. The array is kept and not to be changed.
  public static Header of(byte[] octets, int offset, int length) {
    var fields = new ArrayList<HeaderField>();
    int limit = offset + Math.min(length, OCTETS_MAX);
    int line = offset;
    while (line < limit && fields.size() < FIELDS_MAX) {
      int next = lineAfter(octets, line, limit);
      if (octets[line] == '\n' || (octets[line] == '\r' && next == line + 2)) {
        break;
      }
      while (next < limit && (octets[next] == ' ' || octets[next] == '\t')) {
        next = lineAfter(octets, next, limit);
      }
      fields.add(field(octets, line, next));
      line = next;
    }
    return new Header(fields);
  }

  /// Reads a header that is all of those octets.
  public static Header of(byte[] octets) {
    return of(octets, 0, octets.length);
  }

  private static int lineAfter(byte[] octets, int from, int limit) {
    int i = from;
    while (i < limit && octets[i] != '\n') {
      i++;
    }
    return i < limit ? i + 1 : limit;
  }

  private static HeaderField field(byte[] octets, int start, int end) {
    int i = start;
    while (i < end && octets[i] > ' ' && octets[i] < 0x7f && octets[i] != ':') {
      i++;
    }
    int nameEnd = i;
    while (i < end && (octets[i] == ' ' || octets[i] == '\t')) {
      i++;
    }
    if (nameEnd == start || i == end || octets[i] != ':') {
      return new HeaderField(octets, start, start, start, end);
    }
    return new HeaderField(octets, start, nameEnd, i + 1, end);
  }

  /// The fields in order.
  public List<HeaderField> fields() {
    return fields;
  }

  /// The first field of a name, in any letter case.
  public Optional<HeaderField> first(String name) {
    for (var field : fields) {
      if (field.is(name)) {
        return Optional.of(field);
      }
    }
    return Optional.empty();
  }
}
