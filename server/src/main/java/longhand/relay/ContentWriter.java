package longhand.relay;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import longhand.wire.Connection;
import longhand.wire.LineEnds;

/// Puts a message's octets into a connection's buffer, for DATA with a dot before each dot that
/// begins a line (RFC 5321 §4.5.2), and makes sure that lines end in CRLF and nothing else does:
/// where two servers see different ends, messages can be smuggled.
final class ContentWriter {

  /// The message holds a bare CR or LF.
  static final class BareLineEnd extends Exception {
    private static final long serialVersionUID = 1;
  }

  private static final byte[] DOT = {'.'};
  private static final byte[] CRLF = {'\r', '\n'};
  private static final byte[] END = ".\r\n".getBytes(StandardCharsets.US_ASCII);

  private final Connection connection;
  private final boolean dots;
  private boolean lineBegins = true;
  private boolean cr;

  /// For one message.
  ///
  /// @param dots for DATA; BDAT wants the octets as they are
  ContentWriter(Connection connection, boolean dots) {
    this.connection = connection;
    this.dots = dots;
  }

  /// The next octets, in blocks cut anywhere.
  void write(byte[] block, int length) throws IOException, BareLineEnd {
    int from = 0;
    for (int i = 0; i < length; ) {
      if (cr) {
        if (block[i] != '\n') {
          throw new BareLineEnd();
        }
        cr = false;
        lineBegins = true;
        i++;
        continue;
      }
      if (lineBegins && dots && block[i] == '.') {
        connection.write(block, from, i - from);
        connection.write(DOT);
        from = i;
      }
      lineBegins = false;
      int end = LineEnds.find(block, i, length);
      if (end < length) {
        if (block[end] == '\n') {
          throw new BareLineEnd();
        }
        cr = true;
        end++;
      }
      i = end;
    }
    connection.write(block, from, length - from);
  }

  /// After the last octets: for DATA the end of data, on a line of its own.
  void end() throws IOException, BareLineEnd {
    if (cr) {
      throw new BareLineEnd();
    }
    if (dots) {
      if (!lineBegins) {
        connection.write(CRLF);
      }
      connection.write(END);
    }
  }
}
