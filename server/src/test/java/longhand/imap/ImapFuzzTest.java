package longhand.imap;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import longhand.Seed;
import longhand.wire.Limits;
import org.junit.jupiter.api.Test;

/// Commands that somebody makes up: nothing throws past the parser, hangs, or takes more than its
/// share. A few seconds, or as many as the system property `longhand.fuzz.seconds` says.
class ImapFuzzTest {

  private static final List<String> PIECES =
      List.of(
          " ",
          " ",
          " ",
          "(",
          ")",
          "\"",
          "\\",
          "{3}",
          "{3+}",
          "{0}",
          "{99999999999}",
          "[",
          "]",
          "<",
          ">",
          "*",
          "%",
          "*:1",
          "1:*",
          "1,2,3",
          "0",
          "4294967295",
          "4294967296",
          ".",
          ",",
          ":",
          "+",
          "-",
          "FETCH",
          "UID",
          "SEARCH",
          "STORE",
          "FLAGS",
          "LIST",
          "RETURN",
          "STATUS",
          "APPEND",
          "INBOX",
          "LOGIN",
          "BODY[",
          "BODY.PEEK[",
          "HEADER.FIELDS",
          "MIME",
          "TEXT",
          "OR",
          "NOT",
          "CHARSET",
          "UTF-8",
          "SUBJECT",
          "HEADER",
          "ON",
          "1-Feb-2026",
          "\\Seen",
          "\\*",
          "&AC8-",
          "&APw-",
          "&",
          "NIL",
          "ID",
          "RECURSIVEMATCH",
          "SUBSCRIBED",
          "COPY",
          "MOVE",
          "ENABLE",
          "AUTHENTICATE",
          "PLAIN",
          "=",
          "~{1}",
          "\u00ff",
          "\0",
          "a");

  private static final class Noise implements ImapParser.Source {
    private final Random random;
    private int left = 50;

    Noise(Random random) {
      this.random = random;
    }

    @Override
    public byte[] literal(int octets, boolean synchronizing) throws IOException {
      var literal = new byte[octets];
      random.nextBytes(literal);
      return literal;
    }

    @Override
    public byte[] line() throws IOException {
      if (left-- == 0) {
        throw new EOFException();
      }
      return noise(random, 20);
    }
  }

  private static byte[] noise(Random random, int most) {
    var text = new StringBuilder();
    for (int n = random.nextInt(most); n > 0; n--) {
      text.append(PIECES.get(random.nextInt(PIECES.size())));
    }
    return text.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  @Test
  void commands() throws Exception {
    long seed = Seed.value();
    long until = System.nanoTime() + Long.getLong("longhand.fuzz.seconds", 3) * 1_000_000_000L;
    var starts = List.of("a ", "a FETCH 1 ", "a UID SEARCH ", "a STORE 1 ", "a LIST ", "a ID ", "");
    for (long n = seed; System.nanoTime() < until; n++) {
      var random = new Random(n);
      var start = starts.get(random.nextInt(starts.size()));
      var rest = new String(noise(random, 30), StandardCharsets.ISO_8859_1);
      var parser =
          new ImapParser(
              (start + rest).getBytes(StandardCharsets.ISO_8859_1),
              new Noise(random),
              Limits.DEFAULT,
              random.nextBoolean());
      try {
        if (parser.tag() == null) {
          continue;
        }
        var command = parser.command();
        parser.octetsUnasked();
        if (command instanceof Command.Append) {
          parser.appendMessage();
        }
      } catch (EOFException | ImapParser.SyntaxException _) {
        // as it should be
      } catch (Throwable e) {
        throw new AssertionError("seed " + n + ": " + start + rest, e);
      }
    }
  }

  /// Twice as much takes at most three times as long; limits out of the way.
  @Test
  void timeIsLinear() throws Exception {
    var limits =
        Limits.DEFAULT
            .with("imapNestingMax", 10_000_000)
            .with("imapSearchKeysMax", 10_000_000)
            .with("imapSequenceRangesMax", 10_000_000)
            .with("imapListPatternOctetsMax", 100_000_000)
            .with("imapListWildcardsMax", 100_000_000);
    for (var shape :
        List.of(
            "SEARCH |(",
            "SEARCH |NOT ",
            "SEARCH |OR ",
            "SEARCH |ALL ",
            "SEARCH |1,",
            "FETCH |1,",
            "FETCH 1 (|FLAGS ",
            "FETCH 1 BODY[HEADER.FIELDS (|a ",
            "LOGIN \"|\\\"",
            "LIST \"\" |*",
            "LIST \"\" |a*",
            "STORE 1 FLAGS |k ",
            "SELECT \"|&APw-",
            "|x",
            "|(",
            "ID (|\"a\" \"b\" ")) {
      int bar = shape.indexOf('|');
      var head = "a " + shape.substring(0, bar);
      var piece = shape.substring(bar + 1);
      double ratio = 99;
      for (int attempt = 0; attempt < 6 && ratio >= 3; attempt++) {
        long once = fastest(head + piece.repeat(20_000), limits);
        long twice = fastest(head + piece.repeat(40_000), limits);
        ratio = twice < 3_000_000 ? 1 : (double) twice / Math.max(1, once);
      }
      assertThat(ratio).as(shape).isLessThan(3);
    }
  }

  private static long fastest(String command, Limits limits) throws Exception {
    var octets = command.getBytes(StandardCharsets.ISO_8859_1);
    long best = Long.MAX_VALUE;
    for (int i = 0; i < 3; i++) {
      long start = System.nanoTime();
      var parser = new ImapParser(octets, new Noise(new Random(1)), limits, true);
      parser.tag();
      parser.command();
      best = Math.min(best, System.nanoTime() - start);
    }
    return best;
  }

  @Test
  void needlesAreFoundAsStringsFindThem() {
    var random = new Random(4);
    for (int i = 0; i < 20_000; i++) {
      var text = letters(random, 30);
      var wanted = letters(random, 4);
      assertThat(new Needle(wanted).isIn(text))
          .isEqualTo(
              text.toLowerCase(java.util.Locale.ROOT)
                  .contains(wanted.toLowerCase(java.util.Locale.ROOT)));
    }
    assertThat(new Needle("a".repeat(60_000) + "b").isIn("a".repeat(2_000_000))).isFalse();
    assertThat(new Needle("STRASSE Ä").isIn("strasse ä")).isTrue();
  }

  private static String letters(Random random, int most) {
    var text = new StringBuilder();
    for (int n = random.nextInt(most); n > 0; n--) {
      text.append("aAbB".charAt(random.nextInt(4)));
    }
    return text.toString();
  }
}
