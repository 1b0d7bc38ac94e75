package longhand.pop3;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import longhand.dialog.TestServer;
import longhand.mail.ReversePath;
import longhand.store.Append;
import longhand.store.Mailbox;
import longhand.store.MailboxException;
import longhand.store.Marks;
import longhand.wire.Limits;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// The conversations under `dialogs/pop3`. Before each, ana's INBOX holds three messages: of two
/// lines with dots, of a header only, and of a header and many lines.
class Pop3DialogTest {

  @TempDir static Path data;
  private static TestServer server;

  @BeforeAll
  static void open() throws IOException {
    server =
        new TestServer(
            data,
            Limits.DEFAULT
                .with("pop3ErrorsMax", 15)
                .with("pop3ConnectionsPerIpMinuteMax", 100_000));
  }

  @AfterAll
  static void close() throws IOException {
    server.close();
  }

  static void append(TestServer server, String localPart, String message)
      throws IOException, MailboxException {
    var octets = message.getBytes(StandardCharsets.UTF_8);
    try (var letter = server.store.letter()) {
      letter.write(octets, 0, octets.length);
      letter.finish();
      server.store.append(
          List.of(
              new Append(
                  server.account(localPart),
                  Mailbox.INBOX,
                  ReversePath.NULL,
                  Instant.now(),
                  Marks.NONE,
                  new byte[0],
                  letter)));
    }
  }

  static void clear(TestServer server, String localPart) throws IOException, MailboxException {
    var account = server.account(localPart);
    try (var view = account.view(Mailbox.INBOX, false)) {
      var all = new java.util.ArrayList<longhand.store.Entry>();
      for (int i = 1; i <= view.count(); i++) {
        all.add(view.at(i));
      }
      account.expunge(all);
    }
  }

  @TestFactory
  List<DynamicTest> pop3() {
    return server.tests("pop3").stream()
        .map(
            test ->
                DynamicTest.dynamicTest(
                    test.getDisplayName(),
                    () -> {
                      clear(server, "ana");
                      append(server, "ana", "Subject: one\r\n\r\n.\r\n..two\r\nx.y\r\n");
                      append(server, "ana", "Subject: two\r\n");
                      append(server, "ana", "Subject: three\r\n\r\n" + "line\r\n".repeat(1000));
                      test.getExecutable().execute();
                    }))
        .toList();
  }

  static String ask(Socket socket, String command) throws IOException {
    socket.getOutputStream().write((command + "\r\n").getBytes(StandardCharsets.US_ASCII));
    return answer(socket);
  }

  static String answer(Socket socket) throws IOException {
    var line = new StringBuilder();
    for (int octet = socket.getInputStream().read(); octet >= 0 && octet != '\n'; ) {
      line.append((char) octet);
      octet = socket.getInputStream().read();
    }
    return line.toString().stripTrailing();
  }
}
