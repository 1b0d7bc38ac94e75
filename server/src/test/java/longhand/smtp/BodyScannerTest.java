package longhand.smtp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import longhand.Seed;
import longhand.wire.BareLineEndException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BodyScannerTest {

  /// What a scanner makes of octets that come in pieces of that size: the message, and how many
  /// octets it took.
  private record Scan(String message, int taken, boolean ended) {
    static Scan of(String input, int piece, boolean dots) throws IOException {
      var octets = input.getBytes(StandardCharsets.ISO_8859_1);
      var message = new ByteArrayOutputStream();
      var scanner =
          new BodyScanner(
              dots ? BodyScanner.Framing.DATA : BodyScanner.Framing.BDAT, 1000, message::write);
      int at = 0;
      while (at < octets.length && !scanner.ended()) {
        at = scanner.take(octets, at, Math.min(at + piece, octets.length));
      }
      return new Scan(message.toString(StandardCharsets.ISO_8859_1), at, scanner.ended());
    }
  }

  private static void check(String input, String message, int rest) throws IOException {
    for (int piece = 1; piece <= input.length(); piece++) {
      assertThat(Scan.of(input, piece, true))
          .as("pieces of %d", piece)
          .isEqualTo(new Scan(message, input.length() - rest, true));
    }
  }

  @Test
  void endsAtItsDotOnly() throws IOException {
    check("a\r\n.\r\n", "a\r\n", 0);
    check(".\r\n", "", 0);
    check("a\r\n.\r\nMAIL", "a\r\n", 4);
    check("a.\r\n.b\r\n.\r\n", "a.\r\nb\r\n", 0);
    check("\r\n\r\n.\r\n", "\r\n\r\n", 0);
  }

  @Test
  void takesStuffedDotsOut() throws IOException {
    check("..\r\n...\r\n.x\r\nx.y\r\n.\r\n", ".\r\n..\r\nx\r\nx.y\r\n", 0);
    check("..a\r\n.\r\n", ".a\r\n", 0);
  }

  @Test
  void keepsEveryOctet() throws IOException {
    var all = new StringBuilder();
    for (char c = 0; c < 256; c++) {
      if (c != '\r' && c != '\n') {
        all.append(c);
      }
    }
    check(all + "\r\n.\r\n", all + "\r\n", 0);
  }

  /// Every way that some server takes for the end of a message, and CRLF.CRLF is not (SMTP
  /// smuggling): the session must not go on.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "a\n.\n",
        "a\n.\r\n",
        "a\r\n.\n",
        "a\r.\r",
        "a\r.\r\n",
        "a\r\n.\r",
        "a\r\n.\rx",
        "a\n.\r",
        "a\r.\n",
        "a\r\r\n.\r\n",
        "a\n\r.\r\n",
        "a\r\n\n.\r\n",
        "a\r\n\r.\r\n",
        "a\r\n.\r\r\n",
        "a\n\n.\n\n",
        "\n",
        "\r",
        "\rx",
        ".\n",
        ".\rx",
        "..\n",
        "a\0\n",
        "a\r\0\n.\r\n",
        "a\r\n.\0\r\r\n"
      })
  void anythingButCrlfIsRefused(String input) {
    var octets = input + "xxx\r\n.\r\n";
    for (int piece = 1; piece <= octets.length(); piece++) {
      int size = piece;
      assertThatThrownBy(() -> Scan.of(octets, size, true))
          .isInstanceOf(BareLineEndException.class);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"a\r\n.\0\r\n", "a\r\n.\u0085\r\n", "a\r\n. \r\n", "a\r\n..\r\n"})
  void nearMissesDoNotEndIt(String input) throws IOException {
    assertThat(Scan.of(input, 3, true).ended).isFalse();
  }

  @Test
  void chunksHaveNoDots() throws IOException {
    assertThat(Scan.of(".\r\n..\r\n.\r\n", 2, false))
        .isEqualTo(new Scan(".\r\n..\r\n.\r\n", 10, false));
    assertThatThrownBy(() -> Scan.of("a\nb", 3, false)).isInstanceOf(BareLineEndException.class);
  }

  @Test
  void crAtTheEndOfTheLastChunkIsBare() throws IOException {
    var scanner = new BodyScanner(BodyScanner.Framing.BDAT, 1000, (octets, offset, length) -> {});
    scanner.take(new byte[] {'a', '\r'}, 0, 2);
    assertThatThrownBy(scanner::end).isInstanceOf(BareLineEndException.class);
  }

  @ParameterizedTest
  @CsvSource({"1000,false", "1001,true"})
  void lineLength(int length, boolean tooLong) throws IOException {
    var octets = ("x".repeat(length) + "\r\n").getBytes(StandardCharsets.US_ASCII);
    for (int piece : new int[] {1, 7, 999, 2000}) {
      var scanner = new BodyScanner(BodyScanner.Framing.DATA, 1000, (array, offset, size) -> {});
      for (int at = 0; at < octets.length; ) {
        at = scanner.take(octets, at, Math.min(at + piece, octets.length));
      }
      assertThat(scanner.lineTooLong()).isEqualTo(tooLong);
    }
  }

  /// Whatever message is stuffed by the rule comes back, in whatever pieces.
  @Test
  void stuffedMessagesComeBack() throws IOException {
    long seed = Seed.value();
    var random = new Random(seed);
    var alphabet = ".\0ax\u00ff";
    for (int round = 0; round < 2000; round++) {
      var message = new StringBuilder();
      var wire = new StringBuilder();
      int lines = random.nextInt(8);
      for (int i = 0; i < lines; i++) {
        var line = new StringBuilder();
        for (int n = random.nextInt(12); n > 0; n--) {
          line.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        message.append(line).append("\r\n");
        wire.append(!line.isEmpty() && line.charAt(0) == '.' ? "." : "")
            .append(line)
            .append("\r\n");
      }
      wire.append(".\r\n");
      int piece = 1 + random.nextInt(wire.length());
      assertThat(Scan.of(wire.toString(), piece, true))
          .as("seed %d", seed)
          .isEqualTo(new Scan(message.toString(), wire.length(), true));
    }
  }

  /// RFC 3030 §3: with BODY=BINARYMIME the header is text, the rest is any octets.
  @Test
  void binaryIsFreeAfterTheHeader() throws IOException {
    var input = "A: b\r\n.\r\n\r\n\r\n\n\r\0\u00ff.\r\n.\r\n\r";
    for (int piece = 1; piece <= input.length(); piece++) {
      assertThat(binary(input, piece)).as("pieces of %d", piece).isEqualTo(input);
    }
    assertThat(binary("A: b", 2)).isEqualTo("A: b");
    for (var wrong : new String[] {"A: b\nC: d\r\n\r\n", "A: b\r\r\n\r\n", "\n", "A: b\r"}) {
      assertThatThrownBy(() -> binary(wrong, 1)).isInstanceOf(BareLineEndException.class);
    }
  }

  private static String binary(String input, int piece) throws IOException {
    var octets = input.getBytes(StandardCharsets.ISO_8859_1);
    var message = new ByteArrayOutputStream();
    var scanner = new BodyScanner(BodyScanner.Framing.BINARY, 1000, message::write);
    for (int at = 0; at < octets.length; ) {
      at = scanner.take(octets, at, Math.min(at + piece, octets.length));
    }
    scanner.end();
    return message.toString(StandardCharsets.ISO_8859_1);
  }
}
