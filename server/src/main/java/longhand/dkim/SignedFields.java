package longhand.dkim;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import longhand.message.Header;
import longhand.message.HeaderField;

/// The fields of a header by their names, and what a signature over some of them signs.
final class SignedFields {

  private final Map<String, List<HeaderField>> byName = new HashMap<>();

  SignedFields(Header header) {
    for (var field : header.fields()) {
      byName.computeIfAbsent(lower(field.name()), _ -> new ArrayList<>()).add(field);
    }
  }

  /// How many fields have a name, in any letter case.
  int count(String name) {
    return named(name).size();
  }

  private List<HeaderField> named(String name) {
    return byName.getOrDefault(lower(name), List.of());
  }

  private static String lower(String name) {
    return name.toLowerCase(Locale.ROOT);
  }

  /// What is signed (RFC 6376 §3.7): the fields that `names` name, the last of a name first, a name
  /// without another field standing for nothing (§5.4.2); then the signature's own field with an
  /// empty `b=` and without its line end.
  ///
  /// @param names of the tag `h=`
  /// @param own the signature's own field, which no name chooses
  /// @param from where the value of its `b=` begins
  /// @param to where it ends
  byte[] canonical(List<String> names, Canonicalization form, HeaderField own, int from, int to) {
    var out = new ByteArrayOutputStream();
    var left = new HashMap<String, Integer>();
    for (var name : names) {
      var fields = named(name);
      int next = left.getOrDefault(lower(name), fields.size()) - 1;
      if (next >= 0 && isOwn(fields.get(next), own)) {
        next--;
      }
      if (next >= 0) {
        form.field(fields.get(next), out);
      }
      left.put(lower(name), Math.max(0, next));
    }
    form.field(without(own, from, to), out);
    var octets = out.toByteArray();
    return Arrays.copyOf(octets, octets.length - 2);
  }

  /// Of signatures in the same header, the place tells which it is.
  private static boolean isOwn(HeaderField field, HeaderField own) {
    return field.start() == own.start() && field.is("DKIM-Signature");
  }

  private static HeaderField without(HeaderField field, int from, int to) {
    var octets = new byte[field.end() - field.start() - (to - from)];
    int before = from - field.start();
    System.arraycopy(field.octets(), field.start(), octets, 0, before);
    System.arraycopy(field.octets(), to, octets, before, field.end() - to);
    return new HeaderField(
        octets,
        0,
        field.nameEnd() - field.start(),
        field.valueStart() - field.start(),
        octets.length);
  }
}
