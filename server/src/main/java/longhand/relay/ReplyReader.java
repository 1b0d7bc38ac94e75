package longhand.relay;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import longhand.wire.BareLineEndException;
import longhand.wire.Connection;
import longhand.wire.LineTooLongException;

/// Reads a server's replies, strictly: each line is three digits, a space or `-`, and text, and
/// ends in CRLF; all lines of a reply have one code (RFC 5321 §4.2.1). A line of the code alone is
/// taken too, as that section asks. Anything else is an `IOException` that says what was seen.
final class ReplyReader {

  /// Longest line, in octets without CRLF.
  static final int LINE_OCTETS_MAX = 4096;

  /// Most lines of a reply.
  static final int LINES_MAX = 100;

  /// Most octets of a reply.
  static final int OCTETS_MAX = 64 * 1024;

  private static final int SHOWN_OCTETS_MAX = 80;

  private final Connection connection;

  ReplyReader(Connection connection) {
    this.connection = connection;
  }

  /// The next reply, which must be whole within `timeout`.
  Reply read(Duration timeout) throws IOException {
    long until = System.nanoTime() + timeout.toNanos();
    var lines = new ArrayList<byte[]>(1);
    int code = 0;
    int octets = 0;
    while (true) {
      var line = line(until, timeout);
      octets += line.length + 2;
      if (lines.size() == LINES_MAX) {
        throw new ReplyException("a reply of more than " + LINES_MAX + " lines");
      }
      if (octets > OCTETS_MAX) {
        throw new ReplyException("a reply of more than " + OCTETS_MAX + " octets");
      }
      int said = code(line);
      if (!lines.isEmpty() && said != code) {
        throw new ReplyException("a reply of two codes, " + code + " and " + said);
      }
      code = said;
      lines.add(Arrays.copyOfRange(line, Math.min(4, line.length), line.length));
      if (line.length == 3 || line[3] == ' ') {
        return Reply.of(code, lines);
      }
    }
  }

  private byte[] line(long until, Duration timeout) throws IOException {
    long millis = (until - System.nanoTime()) / 1_000_000;
    try {
      if (millis <= 0) {
        throw new SocketTimeoutException();
      }
      connection.timeout(Duration.ofMillis(millis));
      byte[] line = connection.readLine(LINE_OCTETS_MAX);
      if (line == null) {
        throw new EOFException("the server closed the connection");
      }
      return line;
    } catch (SocketTimeoutException e) {
      throw new ReplyException("no whole reply within " + timeout.toMillis() + " ms");
    } catch (LineTooLongException e) {
      throw new ReplyException("a reply with a " + e.getMessage());
    } catch (BareLineEndException e) {
      throw new ReplyException("a reply with a " + e.getMessage());
    }
  }

  private static int code(byte[] line) throws ReplyException {
    boolean reply =
        line.length >= 3
            && line[0] >= '2'
            && line[0] <= '5'
            && isDigit(line[1])
            && isDigit(line[2])
            && (line.length == 3 || line[3] == ' ' || line[3] == '-');
    if (!reply) {
      var shown = Arrays.copyOf(line, Math.min(line.length, SHOWN_OCTETS_MAX));
      throw new ReplyException("no reply: " + Reply.text(shown, 0));
    }
    return (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0';
  }

  private static boolean isDigit(byte octet) {
    return octet >= '0' && octet <= '9';
  }
}
