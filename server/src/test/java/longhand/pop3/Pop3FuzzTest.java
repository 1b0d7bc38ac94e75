package longhand.pop3;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.stream.Stream;
import longhand.Seed;
import longhand.dialog.Mutator;
import org.junit.jupiter.api.Test;

/// Arbitrary octets never get more than an answer out of the parser.
class Pop3FuzzTest {

  @Test
  void commands() {
    long seed = Seed.value();
    var mutator =
        new Mutator(
            seed,
            Stream.of(
                    "USER a",
                    "PASS b c",
                    "TOP 1 2",
                    "AUTH PLAIN AGE=",
                    "LANG en",
                    "UIDL 12",
                    "RETR 1")
                .map(text -> text.getBytes(StandardCharsets.US_ASCII))
                .toList());
    for (long until = Mutator.untilNanos(); System.nanoTime() < until; ) {
      var line = mutator.next();
      try {
        CommandParser.parse(line);
      } catch (RuntimeException | Error e) {
        throw new AssertionError("seed " + seed + ": " + HexFormat.of().formatHex(line), e);
      }
    }
  }
}
