package longhand.message;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;

/// What holds for the summary of any octets at all.
final class Soundness {

  private Soundness() {}

  static void check(byte[] octets, Summary summary, String what) {
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
    assertArrayEquals(summary.body(), again.body(), what);
    assertArrayEquals(summary.bodyStructure(), again.bodyStructure(), what);
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
