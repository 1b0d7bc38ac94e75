package longhand.imap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

class ListPatternTest {

  @Test
  void wildcards() {
    assertTrue(new ListPattern("*").matches("a/b"));
    assertTrue(new ListPattern("*").matches(""));
    assertFalse(new ListPattern("%").matches("a/b"));
    assertTrue(new ListPattern("%").matches("ab"));
    assertTrue(new ListPattern("%/%").matches("a/b"));
    assertFalse(new ListPattern("%/%").matches("a/b/c"));
    assertTrue(new ListPattern("%*").matches("a/b/c"));
    assertTrue(new ListPattern("a*c").matches("a/b/c"));
    assertFalse(new ListPattern("a%c").matches("a/c"));
    assertFalse(new ListPattern("a").matches("A"));
    assertFalse(new ListPattern("").matches("a"));
    assertTrue(new ListPattern("").matches(""));
  }

  /// The plain meaning, by recursion, for short patterns.
  private static boolean simple(String pattern, String name) {
    if (pattern.isEmpty()) {
      return name.isEmpty();
    }
    char c = pattern.charAt(0);
    if (c != '*' && c != '%') {
      return !name.isEmpty()
          && name.charAt(0) == c
          && simple(pattern.substring(1), name.substring(1));
    }
    if (simple(pattern.substring(1), name)) {
      return true;
    }
    return !name.isEmpty()
        && (c == '*' || name.charAt(0) != '/')
        && simple(pattern, name.substring(1));
  }

  @Test
  void agreesWithThePlainMeaning() {
    var random = new Random(11);
    for (int i = 0; i < 30_000; i++) {
      var pattern = text(random, "ab/*%", 8);
      var name = text(random, "ab/", 9);
      assertEquals(
          simple(pattern, name), new ListPattern(pattern).matches(name), pattern + " " + name);
    }
  }

  private static String text(Random random, String letters, int max) {
    var text = new StringBuilder();
    for (int n = random.nextInt(max); n > 0; n--) {
      text.append(letters.charAt(random.nextInt(letters.length())));
    }
    return text.toString();
  }

  @Test
  void patternsLongerThanAWordOfBits() {
    var name = "x".repeat(200) + "/" + "y".repeat(200);
    assertTrue(new ListPattern(name).matches(name));
    assertTrue(new ListPattern("x".repeat(63) + "%" + "x".repeat(64) + "*y").matches(name));
    assertFalse(new ListPattern("x".repeat(64) + "%y").matches(name));
  }

  @Test
  void manyWildcardsTakeNoLonger() {
    var pattern = new ListPattern("a*".repeat(255) + "b");
    var name = "a".repeat(4_000);
    Assertions.assertTimeout(
        Duration.ofSeconds(5),
        () -> {
          for (int i = 0; i < 1_000; i++) {
            assertFalse(pattern.matches(name));
          }
        });
  }
}
