package longhand.message;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;

/// What holds for the summary of any octets at all.
final class Soundness {

  private Soundness() {}

  static void check(byte[] octets, Summary summary, String what) {
    sameSearched(octets, summary, what);
    var parts = summary.parts();
    assertTrue(parts.size() <= MimeScanner.PARTS_MAX, what);
    assertEquals(0, summary.root().headerStart(), what);
    assertEquals(octets.length, summary.root().end(), what);
    for (int i = 0; i < parts.size(); i++) {
      var part = parts.get(i);
      assertTrue(part.headerStart() <= part.bodyStart(), what);
      assertTrue(part.bodyStart() <= part.end(), what);
      if (i > 0) {
        var parent = parts.get(part.parent());
        assertTrue(part.parent() < i, what);
        assertTrue(parent.kind() != Part.Kind.LEAF, what);
        assertTrue(parent.bodyStart() <= part.headerStart(), what);
        assertTrue(part.end() <= parent.end(), what);
      }
    }
    Syntax.check(summary.envelope(), what);
    Syntax.check(summary.body(), what);
    Syntax.check(summary.bodyStructure(), what);
    var again = Summary.fromBytes(summary.toBytes());
    assertEquals(summary.parts(), again.parts(), what);
    assertEquals(summary.sentDay(), again.sentDay(), what);
    assertArrayEquals(summary.envelope(), again.envelope(), what);
    assertArrayEquals(summary.searched().packed(), again.searched().packed(), what);
    assertArrayEquals(summary.body(), again.body(), what);
    assertArrayEquals(summary.bodyStructure(), again.bodyStructure(), what);
  }

  /// What is kept for searches is what the header says.
  private static void sameSearched(byte[] octets, Summary summary, String what) {
    var header = Header.of(octets);
    int day = header.first("Date").map(date -> SentDay.of(date.value())).orElse(SentDay.NONE);
    assertEquals(day, summary.sentDay(), what);
    for (var name : java.util.List.of("From", "TO", "cc", "Bcc", "Subject")) {
      var values =
          header.fields().stream()
              .filter(field -> field.is(name))
              .map(field -> new String(field.value(), java.nio.charset.StandardCharsets.ISO_8859_1))
              .toList();
      summary
          .searched()
          .values(name)
          .ifPresentOrElse(
              kept ->
                  assertEquals(
                      values,
                      kept.stream()
                          .map(
                              value ->
                                  new String(value, java.nio.charset.StandardCharsets.ISO_8859_1))
                          .toList(),
                      what + " " + name),
              () -> assertTrue(octets.length > 1000, what + " " + name + " is not kept"));
    }
    assertTrue(summary.searched().values("Sender").isEmpty());
  }

  /// Whether octets are one well-formed IMAP list: what a client's parser must be able to read.
  static final class Syntax {

    private Syntax() {}

    static void check(byte[] octets, String what) {
      int depth = 0;
      int at = 0;
      var text = new String(octets, java.nio.charset.StandardCharsets.ISO_8859_1);
      var errors = new ArrayList<String>();
      while (at < text.length() && errors.isEmpty()) {
        char c = text.charAt(at);
        if (c == '(') {
          depth++;
          at++;
        } else if (c == ')') {
          depth--;
          at++;
          if (depth == 0 && at < text.length()) {
            errors.add("more after the end");
          }
        } else if (c == '"') {
          at++;
          while (at < text.length() && text.charAt(at) != '"') {
            char inside = text.charAt(at);
            if (inside == '\\') {
              at++;
            } else if (inside == '\r' || inside == '\n' || inside == 0 || inside > 0x7e) {
              errors.add("a character that cannot be quoted");
            }
            at++;
          }
          at++;
        } else if (c == '{') {
          int end = text.indexOf("}\r\n", at);
          int length = Integer.parseInt(text.substring(at + 1, end));
          at = end + 3 + length;
          if (text.substring(end + 3, at).indexOf('\0') >= 0) {
            errors.add("NUL in a literal");
          }
        } else if (c == ' ' || (c >= '0' && c <= '9') || "NIL".indexOf(c) >= 0) {
          at++;
        } else {
          errors.add("character " + (int) c);
        }
      }
      assertTrue(
          errors.isEmpty() && depth == 0 && at == text.length(), what + errors + " in " + text);
    }
  }
}
