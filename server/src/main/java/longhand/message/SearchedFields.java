package longhand.message;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The values of those fields of a header that mail programs search most, as they stand there,
/// unfolded: what SEARCH (RFC 3501 §6.4.4) needs to answer as if it had read the header. An address
/// of an ENVELOPE would not do: it has lost comments, quotes and commas.
///
/// @param packed for each field the place of its name in `NAMES`, the length of its value in three
///   octets, the value; not to be changed. Empty when there are none, one octet 255 when there are
///   more than are kept.
public record SearchedFields(byte[] packed) {

  private static final List<String> NAMES = List.of("from", "to", "cc", "bcc", "subject");

  /// Most octets that are kept: a header with more is read when it is searched.
  private static final int OCTETS_MAX = 4096;

  private static final byte TOO_MANY = -1;

  /// Those of a header.
  static SearchedFields of(Header header) {
    var out = new ByteArrayOutputStream();
    for (var field : header.fields()) {
      for (int name = 0; name < NAMES.size(); name++) {
        if (!field.is(NAMES.get(name))) {
          continue;
        }
        var value = field.value();
        if (out.size() + value.length > OCTETS_MAX) {
          return new SearchedFields(new byte[] {TOO_MANY});
        }
        out.write(name);
        out.write(value.length >> 16);
        out.write(value.length >> 8);
        out.write(value.length);
        out.writeBytes(value);
      }
    }
    return new SearchedFields(out.toByteArray());
  }

  /// The values of all fields of a name, in any letter case, in order; nothing when they are not
  /// kept here.
  public Optional<List<byte[]>> values(String name) {
    int wanted = -1;
    for (int i = 0; i < NAMES.size(); i++) {
      wanted = same(name, NAMES.get(i)) ? i : wanted;
    }
    if (wanted < 0 || (packed.length > 0 && packed[0] == TOO_MANY)) {
      return Optional.empty();
    }
    var values = new ArrayList<byte[]>(1);
    for (int at = 0; at + 4 <= packed.length; ) {
      int length =
          (packed[at + 1] & 0xff) << 16 | (packed[at + 2] & 0xff) << 8 | (packed[at + 3] & 0xff);
      int end = Math.min(packed.length, at + 4 + length);
      if (packed[at] == wanted) {
        values.add(Arrays.copyOfRange(packed, at + 4, end));
      }
      at = end;
    }
    return Optional.of(values);
  }

  /// As `HeaderField.is`: of ASCII letters alone.
  private static boolean same(String name, String lower) {
    if (name.length() != lower.length()) {
      return false;
    }
    for (int i = 0; i < lower.length(); i++) {
      char c = name.charAt(i);
      if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != lower.charAt(i)) {
        return false;
      }
    }
    return true;
  }
}
