package longhand.bench;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// An IMAP client that has logged in to one account. One command at a time, one thread at a time.
final class ImapClient implements Closeable {

  private static final String TAG = "zQ7";
  private static final int MULTIAPPEND_MESSAGES = 100;

  private final Wire wire;

  private ImapClient(Wire wire) {
    this.wire = wire;
  }

  /// Connects and logs in.
  static ImapClient open(MailServer server, int account) throws IOException {
    return open(server, account, 64 * 1024);
  }

  /// The same, with a buffer of that size.
  static ImapClient open(MailServer server, int account, int bufferOctets) throws IOException {
    var client = new ImapClient(Wire.open(server.imapPort(), bufferOctets));
    client.wire.line();
    client.command("LOGIN " + MailServer.address(account) + " " + MailServer.PASSWORD);
    return client;
  }

  /// Sends a command and waits for its OK.
  void command(String command) throws IOException {
    wire.send(TAG + " " + command + "\r\n");
    completed(command);
  }

  private void completed(String command) throws IOException {
    var result = wire.tagged(TAG);
    if (!result.startsWith("OK")) {
      throw new IOException("IMAP: " + command + ": " + result);
    }
  }

  /// Messages in INBOX.
  long messages() throws IOException {
    wire.send(TAG + " STATUS INBOX (MESSAGES)\r\n");
    long messages = -1;
    while (true) {
      var line = wire.line();
      if (line.startsWith(TAG)) {
        if (messages < 0) {
          throw new IOException("IMAP: STATUS: " + line);
        }
        return messages;
      }
      int at = line.indexOf("(MESSAGES ");
      if (at > 0) {
        messages = Long.parseLong(line.substring(at + 10, line.indexOf(')', at)));
      }
    }
  }

  /// Appends one message and waits for its OK.
  void append(TestMessage kind) throws IOException {
    wire.send(
        ascii(TAG + " APPEND INBOX {" + kind.octets() + "+}\r\n"),
        kind.head(),
        kind.body(),
        ascii("\r\n"));
    completed("APPEND");
  }

  /// Appends many messages, as fast as the server takes them.
  void fill(TestMessage kind, long messages) throws IOException {
    for (long left = messages; left > 0; ) {
      int now = (int) Math.min(left, MULTIAPPEND_MESSAGES);
      wire.send(TAG + " APPEND INBOX");
      for (int i = 0; i < now; i++) {
        wire.send(ascii(" {" + kind.octets() + "+}\r\n"), kind.head(), kind.body());
      }
      wire.send("\r\n");
      completed("APPEND");
      left -= now;
    }
  }

  /// Begins IDLE; there is no way back but `close`.
  void idle() throws IOException {
    wire.send(TAG + " IDLE\r\n");
    var line = wire.line();
    while (line.startsWith("*")) {
      line = wire.line();
    }
    if (!line.startsWith("+")) {
      throw new IOException("IMAP: IDLE: " + line);
    }
  }

  private static ByteBuffer ascii(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
  }

  @Override
  public void close() throws IOException {
    wire.close();
  }
}
