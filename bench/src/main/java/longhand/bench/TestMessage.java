package longhand.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;

/// Messages of one size that differ in Subject and Message-ID. Safe for any thread.
final class TestMessage {

  private static final AtomicLong NUMBERS = new AtomicLong();

  private static final String HEAD =
      """
      From: Ana Load <ana@sender.test>\r
      To: Somebody <somebody@bench.test>\r
      Date: Mon, 23 Nov 2026 04:00:00 +0000\r
      MIME-Version: 1.0\r
      Content-Type: text/plain; charset=us-ascii\r
      Subject: message number %012d of the load\r
      Message-ID: <%012d.load@sender.test>\r
      \r
      """;

  private static final String LINE =
      "The quick brown fox jumps over the lazy dog, and the mail comes in the morning.\r\n";

  private final int octets;
  private final byte[] body;

  /// Messages of so many octets, at least 400, every line end counted as two.
  TestMessage(int octets) {
    this.octets = octets;
    int head = HEAD.formatted(0, 0).length();
    int bodyOctets = octets - head;
    var text = new StringBuilder(octets);
    while (text.length() + LINE.length() <= bodyOctets - 2) {
      text.append(LINE);
    }
    while (text.length() < bodyOctets - 2) {
      text.append('x');
    }
    text.append("\r\n");
    this.body = text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  /// Octets of each.
  int octets() {
    return octets;
  }

  /// The header of a new message, with the empty line.
  ByteBuffer head() {
    long number = NUMBERS.incrementAndGet();
    return ByteBuffer.wrap(HEAD.formatted(number, number).getBytes(StandardCharsets.US_ASCII));
  }

  /// The body of all of them; no line begins with a dot.
  ByteBuffer body() {
    return ByteBuffer.wrap(body);
  }
}
