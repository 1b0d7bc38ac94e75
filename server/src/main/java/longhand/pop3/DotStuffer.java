package longhand.pop3;

import java.io.IOException;
import java.io.InputStream;
import longhand.wire.Connection;
import longhand.wire.LineEnds;

/// Sends a message as a multi-line answer (RFC 1939 §3): a dot before each line that begins with
/// one, and a line of a dot at the end. The octets go through in runs as long as can be.
final class DotStuffer {

  private static final byte[] DOT = {'.'};
  private static final byte[] CRLF = {'\r', '\n'};
  private static final byte[] END = {'.', '\r', '\n'};

  private final Connection connection;
  private final byte[] buffer;
  private boolean lineBegin = true;
  private boolean inBody;
  private boolean lineEmpty = true;
  private int linesLeft;

  /// @param buffer what is sent, or for reading it into: then its content is lost
  /// @param bodyLines after how many lines of the body to stop; `Integer.MAX_VALUE` for none
  private DotStuffer(Connection connection, byte[] buffer, int bodyLines) {
    this.connection = connection;
    this.buffer = buffer;
    this.linesLeft = bodyLines;
  }

  /// Sends all of a message.
  static void sendWhole(Connection connection, InputStream message, byte[] buffer)
      throws IOException {
    new DotStuffer(connection, buffer, Integer.MAX_VALUE).send(message);
  }

  /// Sends all of a message that is in memory, the first `length` of the octets.
  static void sendWhole(Connection connection, byte[] message, int length) throws IOException {
    var stuffer = new DotStuffer(connection, message, Integer.MAX_VALUE);
    stuffer.whole(length);
    stuffer.end();
  }

  /// Sends the header, the empty line, and so many lines of the body (TOP).
  static void sendTop(Connection connection, InputStream message, byte[] buffer, int bodyLines)
      throws IOException {
    new DotStuffer(connection, buffer, bodyLines).send(message);
  }

  private void send(InputStream message) throws IOException {
    boolean more = true;
    while (more) {
      int n = message.read(buffer, 0, buffer.length);
      if (n < 0) {
        break;
      }
      more = linesLeft == Integer.MAX_VALUE ? whole(n) : top(n);
    }
    end();
  }

  private void end() throws IOException {
    if (!lineBegin) {
      connection.write(CRLF);
    }
    connection.write(END);
  }

  private boolean whole(int length) throws IOException {
    int run = 0;
    int i = 0;
    while (i < length) {
      if (lineBegin && buffer[i] == '.') {
        connection.write(buffer, run, i - run);
        connection.write(DOT);
        run = i;
      }
      lineBegin = false;
      i = LineEnds.find(buffer, i, length);
      if (i < length) {
        lineBegin = buffer[i] == '\n';
        i++;
      }
    }
    connection.write(buffer, run, length - run);
    return true;
  }

  /// As `whole`, and counts lines of the body. False when there are enough.
  private boolean top(int length) throws IOException {
    int run = 0;
    int i = 0;
    while (i < length) {
      if (lineBegin) {
        if (inBody && linesLeft == 0) {
          connection.write(buffer, run, i - run);
          return false;
        }
        if (buffer[i] == '.') {
          connection.write(buffer, run, i - run);
          connection.write(DOT);
          run = i;
        }
        lineEmpty = true;
      }
      lineBegin = false;
      int end = LineEnds.find(buffer, i, length);
      lineEmpty &= end == i;
      i = end;
      if (i < length) {
        lineBegin = buffer[i] == '\n';
        i++;
      }
      if (lineBegin) {
        if (inBody) {
          linesLeft--;
        }
        inBody |= lineEmpty;
      }
    }
    connection.write(buffer, run, length - run);
    return true;
  }
}
