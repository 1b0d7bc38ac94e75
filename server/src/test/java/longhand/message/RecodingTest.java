package longhand.message;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import longhand.message.Recoding.Target;
import org.junit.jupiter.api.Test;

class RecodingTest {

  private static Recoding of(String message, Target target) throws IOException {
    var octets = message.getBytes(ISO_8859_1);
    return Recoding.of(() -> new ByteArrayInputStream(octets), target);
  }

  private static String recoded(String message, Target target) throws IOException {
    var recoding = of(message, target);
    assertThat(recoding.possible()).isTrue();
    try (var in = recoding.open()) {
      return new String(in.readAllBytes(), ISO_8859_1);
    }
  }

  private static void stays(String message, Target target) throws IOException {
    assertThat(of(message, target).needed()).isFalse();
    assertThat(recoded(message, target)).isEqualTo(message);
  }

  /// RFC 2045 §6.2: what is labelled binary and is lines of text is labelled so; the rest is
  /// encoded.
  @Test
  void binaryPartsBecomeText() throws IOException {
    var message =
        """
        MIME-Version: 1.0\r
        Content-Type: multipart/mixed; boundary=b\r
        content-transfer-encoding: BINARY\r
        Subject: x\r
        \r
        preamble\r
        --b\r
        Content-Type: text/plain\r
        Content-Transfer-Encoding: binary\r
        \r
        caf\u00e9\r
        --b\r
        Content-Type: application/octet-stream\r
        Content-Transfer-Encoding: binary\r
        Content-Transfer-Encoding: 7bit\r
        X-After: y\r
        \r
        \0\r\u00ff\r
        --b\r
        Content-Transfer-Encoding: binary\r
        \r
        plain\r
        --b\r
        \r
        lone\nline = end \n\r
        --b--\r
        epilogue""";
    assertThat(recoded(message, Target.TEXT))
        .isEqualTo(
            """
            MIME-Version: 1.0\r
            Content-Type: multipart/mixed; boundary=b\r
            Content-Transfer-Encoding: 8bit\r
            Subject: x\r
            \r
            preamble\r
            --b\r
            Content-Type: text/plain\r
            Content-Transfer-Encoding: 8bit\r
            \r
            caf\u00e9\r
            --b\r
            Content-Type: application/octet-stream\r
            Content-Transfer-Encoding: base64\r
            X-After: y\r
            \r
            AA3/\r
            --b\r
            Content-Transfer-Encoding: 7bit\r
            \r
            plain\r
            --b\r
            Content-Transfer-Encoding: quoted-printable\r
            \r
            lone=0Aline =3D end =0A\r
            --b--\r
            epilogue""");
  }

  /// RFC 6152 §3.
  @Test
  void eightBitPartsBecomeSevenBit() throws IOException {
    var message =
        """
        Subject: x\r
        \r
        caf\u00e9\r
        """;
    assertThat(recoded(message, Target.SEVEN_BIT))
        .isEqualTo(
            """
            Subject: x\r
            Content-Transfer-Encoding: quoted-printable\r
            MIME-Version: 1.0\r
            Content-Type: text/plain; charset=unknown-8bit\r
            \r
            caf=E9\r
            """);
    stays(message, Target.TEXT);
    assertThat(recoded(message.replace("caf", "\u00e9\u00e8"), Target.SEVEN_BIT))
        .contains("Content-Transfer-Encoding: base64\r\n", "\r\n\r\n6ejpDQo=");
  }

  @Test
  void messagesWithinAreNotEncodedButTheirParts() throws IOException {
    var message =
        """
        MIME-Version: 1.0\r
        Content-Type: message/rfc822\r
        Content-Transfer-Encoding: 8bit\r
        \r
        MIME-Version: 1.0\r
        Content-Type: text/plain; charset=iso-8859-1\r
        Content-Transfer-Encoding: 8bit\r
        \r
        caf\u00e9\r
        """;
    assertThat(recoded(message, Target.SEVEN_BIT))
        .isEqualTo(
            message
                .replaceFirst("8bit", "7bit")
                .replace("8bit", "quoted-printable")
                .replace("\u00e9", "=E9"));
  }

  @Test
  void whatIsEncodedIsNotEncodedAgain() throws IOException {
    var base64 = "Content-Transfer-Encoding: base64\r\n\r\nAA\nBB\0\u00e9CC" + "D".repeat(80);
    assertThat(recoded(base64, Target.TEXT))
        .isEqualTo(
            "Content-Transfer-Encoding: base64\r\n\r\nAABBCC"
                + "D".repeat(70)
                + "\r\n"
                + "D".repeat(10));
    assertThat(
            recoded(
                "Content-Transfer-Encoding: quoted-printable\r\n\r\na=\nb\rc\0\u00e9=3D\r",
                Target.SEVEN_BIT))
        .isEqualTo("Content-Transfer-Encoding: quoted-printable\r\n\r\na=\r\nb=0Dc=00=E9=3D=0D");
  }

  @Test
  void linesOfParts() throws IOException {
    stays("A: b\r\n\r\n" + "x".repeat(998) + "\r\n", Target.TEXT);
    assertThat(recoded("A: b\r\n\r\n" + "x".repeat(999) + "\r\n", Target.TEXT))
        .contains("quoted-printable\r\n", "x".repeat(75) + "=\r\nx");
    stays("", Target.TEXT);
    stays("A: b", Target.SEVEN_BIT);
    stays("\r\n", Target.SEVEN_BIT);
  }

  /// A line that is broken anew must not look like a boundary.
  @Test
  void noBoundaryComesAbout() throws IOException {
    for (int filler = 70; filler < 80; filler++) {
      var message =
          "Content-Type: multipart/mixed; boundary=\"=\"\r\n\r\n--=\r\n\r\n"
              + "x".repeat(filler)
              + "--=\u00e9\r\n--\r\n--=--\r\n";
      var recoded = recoded(message, Target.SEVEN_BIT).getBytes(ISO_8859_1);
      assertThat(Summary.of(recoded).parts()).hasSize(2);
    }
  }

  @Test
  void signedPartsStayWhileTheyCan() throws IOException {
    var message =
        """
        MIME-Version: 1.0\r
        Content-Type: multipart/signed; boundary=b\r
        Content-Transfer-Encoding: 8bit\r
        \r
        --b\r
        Content-Transfer-Encoding: 8bit\r
        \r
        CONTENT\r
        --b--\r
        """;
    assertThat(recoded(message, Target.SEVEN_BIT)).isEqualTo(message.replaceFirst("8bit", "7bit"));
    assertThat(of(message, Target.SEVEN_BIT).breaksSignature()).isFalse();
    var eightBit = message.replace("CONTENT", "caf\u00e9");
    assertThat(of(eightBit, Target.SEVEN_BIT).breaksSignature()).isTrue();
    assertThat(recoded(eightBit, Target.SEVEN_BIT)).contains("caf=E9");
    assertThat(of(eightBit, Target.TEXT).needed()).isFalse();
  }

  @Test
  void whatIsAroundPartsBecomesText() throws IOException {
    var message =
        "A: b\nC: \rd\0e\r\nContent-Type: multipart/mixed; boundary=b\n\np\u00e9\0\n--b\n\nx\n--b--\n\u00e9\r";
    assertThat(recoded(message, Target.TEXT))
        .isEqualTo(
            "A: b\r\nC:  d e\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\np\u00e9 \r\n--b"
                + "\r\n\r\nx\r\n--b--\r\n\u00e9 ");
    assertThat(recoded(message, Target.SEVEN_BIT)).contains("\r\np? \r\n--b", "--b--\r\n? ");
  }

  @Test
  void headersBeyondAsciiHaveNoSevenBitForm() throws IOException {
    assertThat(of("Subject: \u00e9\r\n\r\nx\r\n", Target.SEVEN_BIT).possible()).isFalse();
    assertThat(of("Subject: \u00e9\r\n\r\nx\r\n", Target.TEXT).possible()).isTrue();
    var boundary = "Content-Type: multipart/mixed; boundary=x\r\n\r\n--\u00e9\r\n";
    assertThat(of(boundary, Target.SEVEN_BIT).possible()).isFalse();
    var large =
        "Content-Transfer-Encoding: binary\r\nA: " + "x".repeat(Header.OCTETS_MAX) + "\r\n\r\n\0";
    assertThat(of(large, Target.TEXT).possible()).isFalse();
  }

  @Test
  void saysWhetherOctetsAbove127AreLeft() throws IOException {
    assertThat(of("A: b\r\n\r\n\u00e9", Target.TEXT).eightBit()).isTrue();
    assertThat(of("A: b\r\n\r\n\u00e9", Target.SEVEN_BIT).eightBit()).isFalse();
    assertThat(of("A: b\r\n\r\n\u00e9\0", Target.TEXT).eightBit()).isFalse();
    assertThat(of("A: \u00e9\r\n\r\nx", Target.TEXT).eightBit()).isTrue();
  }

  /// A line that a lone CR begins is no boundary, though the line before it began with a dash.
  @Test
  void aDashCountsForItsLineAlone() throws IOException {
    var message =
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n-\r\n\r\u00ff\r\n--b\r\n\r\n--b--";
    assertThat(recoded(message, Target.SEVEN_BIT)).contains("-\r\n ?\r\n--b");
  }

  @Test
  void aMessageThatShrinksIsAnError() {
    var calls = new AtomicInteger();
    var whole = "A: b\r\n\r\n\0\0\0".getBytes(ISO_8859_1);
    Recoding.Source shrinking =
        () -> new ByteArrayInputStream(whole, 0, calls.getAndIncrement() < 2 ? whole.length : 9);
    assertThatThrownBy(
            () -> {
              try (var in = Recoding.of(shrinking, Target.TEXT).open()) {
                in.readAllBytes();
              }
            })
        .isInstanceOf(EOFException.class);
  }

  /// A stream that is read in pieces, from parts far larger than its buffers.
  @Test
  void largePartsPassThrough() throws IOException {
    var random = new java.util.Random(3);
    var body = new byte[1_000_003];
    random.nextBytes(body);
    var message =
        "Content-Type: image/x\r\nContent-Transfer-Encoding: binary\r\n\r\n"
            + new String(body, ISO_8859_1);
    var recoded = recoded(message, Target.TEXT);
    var decoded =
        java.util.Base64.getMimeDecoder()
            .decode(recoded.substring(recoded.indexOf("\r\n\r\n")).getBytes(ISO_8859_1));
    assertThat(decoded).isEqualTo(body);
    for (var line : recoded.split("\r\n", -1)) {
      assertThat(line.length()).isLessThanOrEqualTo(76);
    }
  }
}
