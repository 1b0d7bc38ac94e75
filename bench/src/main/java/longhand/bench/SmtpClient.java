package longhand.bench;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// An SMTP client that sends message after message, as a mail server does: MAIL, RCPT and DATA in
/// one write (RFC 2920), then the message. One thread at a time.
final class SmtpClient implements Closeable {

  private static final byte[] END = ".\r\n".getBytes(StandardCharsets.US_ASCII);

  private final Wire wire;

  private SmtpClient(Wire wire) {
    this.wire = wire;
  }

  /// Connects and greets.
  static SmtpClient open(MailServer server) throws IOException {
    var client = new SmtpClient(Wire.open(server.smtpPort(), 4096));
    client.expect("220");
    client.wire.send("EHLO sender.test\r\n");
    client.expect("250");
    return client;
  }

  /// Sends one message to one account; the server has accepted it when this returns.
  void send(TestMessage kind, int account) throws IOException {
    send(kind, MailServer.address(account));
  }

  /// Sends one message to an address; the server has accepted it when this returns.
  void send(TestMessage kind, String to) throws IOException {
    wire.send("MAIL FROM:<ana@sender.test>\r\nRCPT TO:<" + to + ">\r\nDATA\r\n");
    expect("250");
    expect("250");
    expect("354");
    wire.send(kind.head(), kind.body(), ByteBuffer.wrap(END));
    expect("250");
  }

  private void expect(String code) throws IOException {
    String line;
    do {
      line = wire.line();
      if (!line.startsWith(code)) {
        throw new IOException("SMTP: " + line + ", expected " + code);
      }
    } while (line.length() > 3 && line.charAt(3) == '-');
  }

  @Override
  public void close() throws IOException {
    try {
      wire.send("QUIT\r\n");
      wire.line();
    } finally {
      wire.close();
    }
  }
}
