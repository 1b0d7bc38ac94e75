package longhand.imap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Mail programs of this machine against a running server; one that is not installed is skipped,
/// visibly. What counts is what is on the server afterwards.
@Tag("interop")
class ImapProgramsTest {

  @TempDir Path data;
  @TempDir Path home;
  private ImapTestServer server;
  private int port;

  @BeforeEach
  void open() throws Exception {
    server = new ImapTestServer(data);
    port = server.port(true, false);
  }

  @AfterEach
  void close() throws Exception {
    server.close();
  }

  private static void needs(String program) {
    var path = System.getenv("PATH");
    boolean found = false;
    for (var folder : (path == null ? "" : path).split(":", -1)) {
      found |= !folder.isEmpty() && Files.isExecutable(Path.of(folder, program));
    }
    assumeTrue(found, "skipped: " + program + " is not installed");
  }

  private String run(String... command) throws Exception {
    var log = Files.createTempFile(home, "run", ".log");
    var builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().put("HOME", home.toString());
    var process = builder.start();
    process.getOutputStream().close();
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("took more than a minute: " + Files.readString(log));
    }
    var output = Files.readString(log, StandardCharsets.ISO_8859_1);
    assertThat(process.exitValue()).as(String.join(" ", command) + "\n" + output).isZero();
    return output;
  }

  private static String message(int n) {
    return "From: a@x.example\r\nTo: ana@example.org\r\nMessage-ID: <"
        + n
        + "@x.example>\r\n"
        + "Date: Mon, 23 Nov 2026 04:00:00 +0000\r\nSubject: message "
        + n
        + "\r\n\r\nbody "
        + n
        + "\r\n";
  }

  private List<String> subjects(String mailbox) throws Exception {
    var account = server.account("ana");
    var subjects = new ArrayList<String>();
    try (var view = account.view(account.mailbox(mailbox).orElseThrow().number(), false)) {
      for (int i = 1; i <= view.count(); i++) {
        try (var in = account.open(view.at(i))) {
          var text = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
          int at = text.indexOf("Subject: ") + 9;
          subjects.add(text.substring(at, text.indexOf("\r\n", at)));
        }
      }
    }
    return subjects;
  }

  @Test
  void curlReadsAndAppends() throws Exception {
    needs("curl");
    server.deliver("ana", message(1));
    var url = "imap://127.0.0.1:" + port;
    var output = run("curl", "-sS", "-u", "ana@example.org:secret", url + "/INBOX;MAILINDEX=1");
    assertThat(output).contains("Subject: message 1");
    var file = Files.writeString(home.resolve("new.eml"), message(2));
    run("curl", "-sS", "-T", file.toString(), "-u", "ana@example.org:secret", url + "/Sent");
    assertThat(subjects("Sent")).containsExactly("message 2");
    assertThat(run("curl", "-sS", "-u", "ana@example.org:secret", url + "/", "-X", "LIST \"\" *"))
        .contains("\\Sent");
    run(
        "curl",
        "-sSk",
        "--ssl-reqd",
        "-u",
        "ana@example.org:secret",
        "--login-options",
        "AUTH=PLAIN",
        url + "/INBOX;UID=1",
        "-o",
        home.resolve("got.eml").toString());
    assertThat(Files.readString(home.resolve("got.eml"))).isEqualTo(message(1));
  }

  @Test
  void pythonGoesThroughItsPaces() throws Exception {
    needs("python3");
    var script =
        """
        import imaplib, ssl, sys, time
        m = imaplib.IMAP4('127.0.0.1', int(sys.argv[1]))
        m.starttls(ssl._create_unverified_context())
        def ok(answer, status='OK'):
            assert answer[0] == status, answer
            return answer[1]
        ok(m.login('ana@example.org', 'secret'))
        ok(m.create('Archive/2026'))
        for i in range(10):
            ok(m.append('INBOX', r'(\\Seen)' if i % 2 else None, None,
                b'Subject: message %d\\r\\n\\r\\nbody\\r\\n' % i))
        assert ok(m.select('INBOX')) == [b'10']
        assert ok(m.search(None, 'UNSEEN')) == [b'1 3 5 7 9']
        assert len(ok(m.fetch('1:*', '(UID FLAGS ENVELOPE BODYSTRUCTURE)'))) == 10
        ok(m.store('1:3', '+FLAGS', r'(\\Deleted)'))
        ok(m.copy('4', 'Archive/2026'))
        ok(m.uid('MOVE', '5', 'Archive/2026'))
        ok(m.expunge())
        assert ok(m.uid('SEARCH', 'ALL')) == [b'4 6 7 8 9 10']
        ok(m.status('Archive/2026', '(MESSAGES UNSEEN UIDNEXT)'))
        ok(m.select('nothing'), 'NO')
        ok(m.rename('Archive/2026', 'Old'))
        ok(m.noop())
        m.logout()
        """;
    run("python3", Files.writeString(home.resolve("t.py"), script).toString(), "" + port);
    assertThat(subjects("Old")).containsExactly("message 3", "message 4");
    assertThat(subjects("INBOX")).hasSize(6);
  }

  @Test
  void mbsyncSynchronizesBothWays() throws Exception {
    needs("mbsync");
    for (int i = 1; i <= 20; i++) {
      server.deliver("ana", message(i));
    }
    var maildir = Files.createDirectory(home.resolve("mail"));
    var config =
        Files.writeString(
            home.resolve("mbsyncrc"),
            """
            IMAPAccount a
            Host 127.0.0.1
            Port %d
            User ana@example.org
            Pass secret
            SSLType None
            AuthMechs LOGIN

            IMAPStore far
            Account a

            MaildirStore near
            Path %s/
            Inbox %s/INBOX
            SubFolders Verbatim

            Channel all
            Far :far:
            Near :near:
            Patterns *
            Create Both
            Expunge Both
            SyncState *
            """
                .formatted(port, maildir, maildir));
    run("mbsync", "-c", config.toString(), "-a");
    var inbox = maildir.resolve("INBOX");
    var got = mails(inbox);
    assertThat(got).hasSize(20);
    // One is read here, one deleted here, one is new here, one is deleted there.
    var first = got.getFirst();
    Files.move(
        first,
        inbox
            .resolve("cur")
            .resolve(first.getFileName().toString().replaceAll(":2.*", "") + ":2,S"));
    Files.delete(got.get(1));
    Files.writeString(
        inbox.resolve("new").resolve("1.new.here"), message(99).replace("\r\n", "\n"));
    try (var client = ImapTestServer.Client.of(port, "ana")) {
      client.command("SELECT INBOX");
      client.command("UID STORE 20 +FLAGS (\\Deleted)");
      client.command("EXPUNGE");
    }
    run("mbsync", "-c", config.toString(), "-a");
    assertThat(subjects("INBOX")).hasSize(19).contains("message 99").doesNotContain("message 20");
    assertThat(mails(inbox)).hasSize(19);
    assertThat(server.account("ana").mailbox("INBOX").orElseThrow().unseen()).isLessThan(19);
    run("mbsync", "-c", config.toString(), "-a");
    assertThat(subjects("INBOX")).hasSize(19);
    assertThat(mails(inbox)).hasSize(19);
  }

  private static List<Path> mails(Path maildir) throws IOException {
    var mails = new ArrayList<Path>();
    for (var folder : List.of("cur", "new")) {
      try (var files = Files.list(maildir.resolve(folder))) {
        files.sorted().forEach(mails::add);
      }
    }
    return mails;
  }
}
