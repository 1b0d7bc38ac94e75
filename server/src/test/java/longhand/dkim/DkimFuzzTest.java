package longhand.dkim;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import longhand.Seed;
import org.junit.jupiter.api.Test;

/// Arbitrary messages and key records end in results and in nothing else.
class DkimFuzzTest {

  private static final List<String> PIECES =
      List.of(
          "DKIM-Signature: ",
          "v=1; ",
          "a=rsa-sha256; ",
          "a=ed25519-sha256;",
          "b=",
          "bh=",
          "d=",
          "example.org; ",
          "h=From:To; ",
          "s=e2026;",
          "i=@example.org;",
          "l=5;",
          "l=0;",
          "x=1;",
          "c=relaxed/simple;",
          "c=simple; ",
          "q=dns/txt;",
          ";",
          ":",
          "=",
          "==",
          "\r\n",
          "\r\n ",
          "\r\n\r\n",
          "\n",
          "\r",
          "From: a@b\r\n",
          "\u0000",
          "\u00ff",
          "AAAA",
          "p=",
          "k=ed25519;",
          "t=y:s;",
          "\t");

  @Test
  void messagesAndRecords() {
    long seed = Seed.value();
    boolean isLong = Boolean.getBoolean("longhand.long");
    long end = System.nanoTime() + (isLong ? 300_000_000_000L : 2_000_000_000L);
    var signed = Messages.signed(Messages.KEYS, Messages.PLAIN);
    int runs = 0;
    int passes = 0;
    for (; System.nanoTime() < end || runs < 1000; runs++) {
      // Seeds in a row begin with alike numbers.
      var random = new Random((seed + runs) * 0x9e3779b97f4a7c15L);
      var message = new StringBuilder(random.nextBoolean() ? signed : "DKIM-Signature: v=1; ");
      for (int n = random.nextInt(20); n > 0; n--) {
        int at = random.nextInt(message.length() + 1);
        int cut = random.nextInt(3) == 0 ? random.nextInt(10) : 0;
        message.replace(
            at, Math.min(message.length(), at + cut), PIECES.get(random.nextInt(PIECES.size())));
      }
      var record = new StringBuilder(Messages.ED25519.publicText());
      if (random.nextInt(4) == 0) {
        record.insert(random.nextInt(record.length()), PIECES.get(random.nextInt(PIECES.size())));
      }
      var verification =
          new DkimVerifier(_ -> new KeyAnswer.Found(List.of(record.toString())), Messages.CLOCK)
              .begin();
      var octets = message.toString().getBytes(ISO_8859_1);
      try {
        for (int at = 0; at < octets.length; ) {
          int n = Math.min(octets.length - at, random.nextInt(1, 400));
          verification.write(octets, at, n);
          at += n;
        }
        for (var result : verification.finish().results()) {
          assertThat(result.sentence()).endsWith(".");
          passes += result instanceof DkimResult.Pass ? 1 : 0;
        }
        var signing =
            new DkimSigner(
                    Messages.DOMAIN,
                    List.of(Messages.ED25519),
                    Messages.CLOCK,
                    java.util.Optional.empty())
                .begin();
        signing.write(octets, 0, octets.length);
        if (signing.finish() instanceof DkimSigner.Outcome.Signed(var fields)) {
          // What we sign, whatever it is, we verify; the other signatures in it may fail.
          var own = new String(fields, ISO_8859_1) + message;
          assertThat(Messages.results(Messages.dns(), own).getFirst())
              .isInstanceOf(DkimResult.Pass.class);
        }
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + (seed + runs), e);
      }
    }
    assertThat(passes).isPositive();
  }
}
