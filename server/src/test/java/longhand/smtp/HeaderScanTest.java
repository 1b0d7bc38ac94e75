package longhand.smtp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import longhand.wire.Limits;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HeaderScanTest {

  private static HeaderScan scan(String message, int piece, Limits limits) {
    var octets = message.getBytes(StandardCharsets.UTF_8);
    var scan = new HeaderScan(limits, true);
    for (int at = 0; at < octets.length; at += piece) {
      scan.take(octets, at, Math.min(piece, octets.length - at));
    }
    scan.end();
    return scan;
  }

  private static HeaderScan scan(String message) {
    return scan(message, 1000, Limits.DEFAULT);
  }

  @Test
  void findsTheFieldsInAnyPieces() {
    var message =
        String.join(
            "\r\n",
            "Received: from a",
            "\tby b",
            "RECEIVED : x",
            "X: Received: no",
            "delivered-TO: Joe@Example.org ",
            "From: \"A, B\"",
            " <a@b.c>",
            "Date:",
            "",
            "Received: in the body",
            "Message-ID: <x@y>");
    for (int piece = 1; piece < 60; piece++) {
      var scan = scan(message, piece, Limits.DEFAULT);
      assertThat(scan.received()).isEqualTo(2);
      assertThat(scan.deliveredTo()).containsExactly("joe@example.org");
      assertThat(scan.from()).containsExactly("\"A, B\" <a@b.c>");
      assertThat(scan.date()).isTrue();
      assertThat(scan.messageId()).isFalse();
      assertThat(scan.tooLarge()).isFalse();
    }
  }

  @Test
  void linesThatAreNoFieldsArePassedOver() {
    var scan = scan("From joe Mon\r\nrubbish\r\nReceived: x\r\nReceivedX: y\r\n: z\r\nDate: now");
    assertThat(scan.received()).isEqualTo(1);
    assertThat(scan.date()).isTrue();
    assertThat(scan.from()).isEmpty();
  }

  @Test
  void severalFromAreSeen() {
    assertThat(scan("From: a\r\nFROM: b\r\nFrom: c\r\n\r\n").from()).hasSize(2);
  }

  @Test
  void noHeaderAtAll() {
    assertThat(scan("\r\nFrom: x\r\n").from()).isEmpty();
    assertThat(scan("").received()).isZero();
  }

  /// RFC 8689 §5: one field, one value.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "TLS-Required: No",
        "tls-required:no",
        "TLS-REQUIRED :\tNO ",
        "Subject: x\r\nTLS-Required:\r\n No\r\nFrom: a@b.c",
        "TLS-Required: No\r\n\r\nTLS-Required: Yes"
      })
  void tlsIsDisregarded(String header) {
    for (int piece = 1; piece <= header.length(); piece++) {
      assertThat(scan(header, piece, Limits.DEFAULT).disregardTls()).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "TLS-Required:",
        "TLS-Required: Yes",
        "TLS-Required: No, thanks",
        "TLS-Required: \"No\"",
        "TLS-Required: N o",
        "TLS-Required: No\r\n (really)",
        "TLS-Required: No\r\nTLS-Required: No",
        "TLS-Required: No\r\nTLS-Required: Yes",
        "TLS-Required: Yes\r\nTLS-Required: No",
        "X-TLS-Required: No",
        "TLS-Requiredx: No",
        "TLS-Required No",
        "Subject: x\r\n\r\nTLS-Required: No"
      })
  void tlsIsNotDisregarded(String header) {
    assertThat(scan(header).disregardTls()).isFalse();
  }

  @Test
  void whatFollowsManyBlanksIsSeen() {
    assertThat(scan("TLS-Required: No" + " ".repeat(80) + "\r\n\r\n").disregardTls()).isTrue();
    for (int blanks = 70; blanks < 300; blanks++) {
      var value = "No" + " ".repeat(blanks) + "but yes";
      assertThat(scan("TLS-Required: " + value + "\r\n\r\n").disregardTls()).isFalse();
    }
  }

  @Test
  void limitsAtTheirEdge() {
    var limits = Limits.DEFAULT.with("headerFieldsMax", 100);
    assertThat(scan("A: b\r\n".repeat(100) + "\r\n", 50, limits).tooLarge()).isFalse();
    assertThat(scan("A: b\r\n".repeat(101) + "\r\n", 50, limits).tooLarge()).isTrue();
    limits = Limits.DEFAULT.with("headerFieldOctetsMax", 1000);
    assertThat(scan("A: " + "x".repeat(900) + "\r\n\r\n", 50, limits).tooLarge()).isFalse();
    assertThat(scan("A: " + "x".repeat(1001) + "\r\n\r\n", 50, limits).tooLarge()).isTrue();
    assertThat(scan("A: " + "x\r\n ".repeat(300) + "\r\n\r\n", 50, limits).tooLarge()).isTrue();
    limits = Limits.DEFAULT.with("headerOctetsMax", 65_536);
    assertThat(scan("A: bcd\r\n".repeat(8191) + "\r\n", 50, limits).tooLarge()).isFalse();
    assertThat(scan("A: bcd\r\n".repeat(8193) + "\r\n", 50, limits).tooLarge()).isTrue();
    assertThat(scan("\r\n" + "x".repeat(100_000), 50, limits).tooLarge()).isFalse();
  }
}
