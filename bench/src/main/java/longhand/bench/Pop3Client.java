package longhand.bench;

import java.io.Closeable;
import java.io.IOException;

/// A POP3 client that has logged in. One thread at a time.
final class Pop3Client implements Closeable {

  private final Wire wire;

  private Pop3Client(Wire wire) {
    this.wire = wire;
  }

  /// Connects and logs in.
  static Pop3Client open(MailServer server, int account) throws IOException {
    var client = new Pop3Client(Wire.open(server.pop3Port(), 64 * 1024));
    client.ok("greeting");
    client.command("USER " + MailServer.address(account));
    client.command("PASS " + MailServer.PASSWORD);
    return client;
  }

  /// Messages in the maildrop.
  int messages() throws IOException {
    var answer = command("STAT");
    return Integer.parseInt(answer.substring(4, answer.indexOf(' ', 4)));
  }

  /// Reads one message whole.
  ///
  /// @return its octets, dots and the end included
  long retrieve(int number) throws IOException {
    command("RETR " + number);
    return wire.toDot();
  }

  private String command(String command) throws IOException {
    wire.send(command + "\r\n");
    return ok(command);
  }

  private String ok(String command) throws IOException {
    var line = wire.line();
    if (!line.startsWith("+OK")) {
      throw new IOException("POP3: " + command + ": " + line);
    }
    return line;
  }

  @Override
  public void close() throws IOException {
    try {
      command("QUIT");
    } finally {
      wire.close();
    }
  }
}
