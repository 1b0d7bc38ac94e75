package longhand.message;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import longhand.Seed;
import org.junit.jupiter.api.Test;

/// Octets that somebody sends to hurt: nothing throws, hangs, or makes an answer that is not
/// well-formed. A few seconds, or as many as the system property `longhand.fuzz.seconds` says.
class MessageFuzzTest {

  private static final List<String> PIECES =
      List.of(
          "\r\n",
          "\n",
          "\r",
          "\r\n\r\n",
          ": ",
          ";",
          "--",
          "--b",
          "--b--",
          "\r\n--b\r\n",
          "\r\n--b--\r\n",
          "--bb",
          "\r\n--bb\r\n",
          "Content-Type: ",
          "multipart/mixed; boundary=b",
          "multipart/digest; boundary=\"bb\"",
          "message/rfc822",
          "text/plain; charset=",
          "Content-Transfer-Encoding: base64\r\n",
          "Content-Disposition: attachment; filename*0*=",
          "Content-Language: a, b\r\n",
          "Subject: ",
          "From: ",
          "To: ",
          "Date: 1 Jan 2026 ",
          "=?utf-8?q?",
          "?=",
          "=?",
          "<",
          ">",
          "@",
          ",",
          "(",
          ")",
          "\"",
          "\\",
          "[",
          "]",
          " ",
          "\t",
          "\0",
          "\u00ff",
          "a",
          "b");

  private static long seconds() {
    return Long.getLong("longhand.fuzz.seconds", 3);
  }

  @Test
  void messages() {
    long seed = Seed.value();
    long until = System.nanoTime() + seconds() * 1_000_000_000L;
    for (long n = seed; System.nanoTime() < until; n++) {
      var octets = octets(new Random(n), 400);
      try {
        var summary = Summary.of(octets);
        Soundness.check(octets, summary, "seed " + n + " ");
        var streamed = Summary.of(new SharedMessagesTest.Trickle(octets, 1 + (int) (n & 63)));
        assertThat(streamed.parts()).isEqualTo(summary.parts());
        assertThat(streamed.bodyStructure()).isEqualTo(summary.bodyStructure());
        var header = Header.of(octets);
        for (var field : header.fields()) {
          EncodedWords.decode(field.value());
          MimeValue.of(field.value()).decoded("filename");
          HeaderAddress.list(field.value());
          SentDay.of(field.value());
        }
        var reader = PartText.of(header, octets);
        if (reader.isPresent()) {
          reader.get().transferTo(java.io.Writer.nullWriter());
        }
      } catch (Throwable e) {
        throw new AssertionError("seed " + n, e);
      }
    }
  }

  private static byte[] octets(Random random, int most) {
    var text = new StringBuilder();
    for (int pieces = random.nextInt(most); pieces > 0; pieces--) {
      text.append(
          random.nextInt(20) == 0
              ? String.valueOf((char) random.nextInt(256))
              : PIECES.get(random.nextInt(PIECES.size())));
    }
    return text.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  /// Twice as much takes at most three times as long, whatever it is made of.
  @Test
  void timeIsLinear() throws Exception {
    var shapes = new ArrayList<String>();
    shapes.add("--b\r\n");
    shapes.add("--b--\r\n");
    shapes.add("--c\r\n");
    shapes.add("-");
    shapes.add("\r\n");
    shapes.add("\r");
    shapes.add("a: b\r\n");
    shapes.add(" x\r\n");
    shapes.add("--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n");
    shapes.add("Content-Type: message/rfc822\r\n\r\n");
    for (var shape : shapes) {
      var head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
      linear(
          shape, n -> Summary.of((head + shape.repeat(n)).getBytes(StandardCharsets.ISO_8859_1)));
      linear(shape, n -> Summary.of(shape.repeat(n).getBytes(StandardCharsets.ISO_8859_1)));
    }
    for (var shape :
        List.of(
            "(",
            ")",
            "\"",
            "\\",
            "<",
            "a@b,",
            "a:",
            "@",
            "[",
            "=?",
            "=?a?q?",
            "=?a?q?b?=",
            "=?utf-8?b?YQ==?= ",
            "; a=",
            ";",
            "x*0=",
            "; a*1=b",
            "<@",
            "1 ",
            "a ")) {
      linear(shape, n -> HeaderAddress.list(shape.repeat(n).getBytes(StandardCharsets.ISO_8859_1)));
      linear(
          shape, n -> EncodedWords.decode(shape.repeat(n).getBytes(StandardCharsets.ISO_8859_1)));
      linear(
          shape,
          n -> MimeValue.of(shape.repeat(n).getBytes(StandardCharsets.ISO_8859_1)).decoded("a"));
      linear(shape, n -> SentDay.of(shape.repeat(n).getBytes(StandardCharsets.ISO_8859_1)));
    }
  }

  private interface Work {
    void run(int n) throws Exception;
  }

  private static void linear(String what, Work work) throws Exception {
    int n = 1 << 14;
    double ratio = 99;
    for (int attempt = 0; attempt < 6 && ratio >= 3; attempt++) {
      long once = fastest(work, n);
      long twice = fastest(work, 2 * n);
      ratio = twice < 3_000_000 ? 1 : (double) twice / Math.max(1, once);
    }
    assertThat(ratio).as(what).isLessThan(3);
  }

  private static long fastest(Work work, int n) throws Exception {
    long best = Long.MAX_VALUE;
    for (int i = 0; i < 3; i++) {
      long start = System.nanoTime();
      work.run(n);
      best = Math.min(best, System.nanoTime() - start);
    }
    return best;
  }
}
