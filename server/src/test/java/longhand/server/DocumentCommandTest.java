package longhand.server;

import static longhand.server.Commands.run;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import longhand.server.Commands.Ran;
import longhand.wire.ControlSocket;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The tools on documents, with a server that runs and without, and an import that is killed.
class DocumentCommandTest {

  private static final String CONFIG =
      """
      hostname = "mx.example.com"
      data = "data"
      [[domain]]
      name = "example.com"
      [[listener]]
      protocol = "imap"
      address = "127.0.0.1:0"
      tls = "none"
      plaintext-login = true
      """;
  private static final String BOX =
      """
      From alice@example.net Sun Feb  3 04:05:06 2019
      From: Alice <alice@example.net>
      Subject: =?utf-8?q?gr=C3=BCn?=
      Status: RO
      X-Status: AF
      X-Keywords: travel

      One line.

      From bob@example.net Mon Feb  4 04:05:06 2019
      From: bob@example.net
      Subject: two \u001b[31mred

      >From there

      """;

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void configuration() throws IOException {
    file = Files.writeString(folder.resolve("longhand.toml"), CONFIG);
    var secret = Files.writeString(folder.resolve("password"), "secret\n");
    for (var each : List.of("jbob", "alice")) {
      assertThat(
              tool("account", "add", each + "@example.com", "--password-file", secret.toString())
                  .code())
          .isZero();
    }
  }

  private Ran tool(String... arguments) {
    var all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--config", file.toString()));
    return run(all.toArray(String[]::new));
  }

  private Path document(String name) {
    return folder.resolve("data/mail/example.com").resolve(name);
  }

  @Test
  void withoutAServer() throws Exception {
    everyTool();
  }

  @Test
  void withAServer() throws Exception {
    try (var _ = Server.start(ConfigFile.read(file))) {
      everyTool();
    }
    assertThat(tool("check").code()).isZero();
  }

  private void everyTool() throws IOException {
    assertThat(tool("check").out()).startsWith("0 documents, 0 messages");
    assertThat(tool("cat", "jbob@example.com").code()).isEqualTo(ExitCode.NO_INPUT);
    assertThat(tool("cat", "nobody@example.com").code()).isEqualTo(ExitCode.NO_USER);
    assertThat(tool("export", "nobody@example.com").err()).contains("no account nobody");

    var box = Files.writeString(folder.resolve("Old.mbox"), BOX);
    var taken = tool("import", "jbob@example.com", box.toString());
    assertThat(taken.err()).isEmpty();
    assertThat(taken.out()).contains("2 messages imported").contains("; 0 were there already");
    assertThat(taken.code()).isZero();
    assertThat(tool("import", "jbob@example.com", box.toString()).out())
        .contains("0 messages imported")
        .contains("; 2 were there already");
    var folders = Files.createDirectories(folder.resolve("boxes"));
    Files.writeString(folders.resolve("Archive%2F2019.mbox"), BOX);
    Files.writeString(folders.resolve("broken"), "no mbox");
    var passed = tool("import", "JBOB@example.com", folders.toString());
    assertThat(passed.out()).contains("passed over: " + folders.resolve("broken"));
    assertThat(passed.code()).isZero();
    assertThat(tool("import", "jbob@example.com", "/none/such").code())
        .isEqualTo(ExitCode.NO_INPUT);
    assertThat(tool("import", "jbob@example.com", folders.resolve("broken").toString()).err())
        .contains("no mbox file");
    assertThat(tool("import", "nobody@example.com", box.toString()).code())
        .isEqualTo(ExitCode.NO_USER);

    assertThat(tool("cat", "jbob@example.com").out())
        .containsPattern("2 +1 +\\d+  INBOX\\n")
        .containsPattern("2 +1 +\\d+  Archive/2019\\n");
    var rows = tool("cat", "jbob@example.com/INBOX").out();
    assertThat(rows)
        .contains("\\Seen \\Answered \\Flagged travel")
        .contains("grün")
        .contains("2019-02-0")
        .doesNotContain("\u001b");
    assertThat(rows.lines()).hasSize(3);
    assertThat(tool("cat", "jbob@example.com/Archive/2019/").out().lines()).hasSize(3);
    assertThat(tool("cat", "jbob@example.com/2").out())
        .isEqualTo("From: bob@example.net\r\nSubject: two \u001b[31mred\r\n\r\nFrom there\r\n");
    assertThat(tool("cat", "jbob@example.com/Archive/2019/1").out()).contains("One line.\r\n");
    assertThat(tool("cat", "jbob@example.com/INBOX/99").code()).isEqualTo(ExitCode.NO_INPUT);
    assertThat(tool("cat", "jbob@example.com/None/").err()).contains("no mailbox \"None\"");

    exports();
    checkAndRebuild();
  }

  private void exports() throws IOException {
    var inbox = tool("export", "jbob@example.com", "--mailbox", "INBOX");
    assertThat(inbox.code()).isZero();
    assertThat(inbox.out())
        .startsWith("From MAILER-DAEMON Sun Feb 03 04:05:06 2019\nStatus: RO\nX-Status: AF\n")
        .contains("\n\n>From there\n\n");
    for (var format : List.of("mbox", "maildir", "eml")) {
      var path = folder.resolve("out-" + format);
      var done =
          tool("export", "jbob@example.com", "--format", format, "--output", path.toString());
      assertThat(done.code()).as(done.err()).isZero();
      assertThat(tool("import", "alice@example.com", path.toString()).out())
          .contains("4 messages imported");
      var again =
          tool("export", "jbob@example.com", "--format", format, "--output", path.toString());
      assertThat(again.code()).isEqualTo(ExitCode.CANNOT_CREATE);
      assertThat(again.err()).contains("is there already");
    }
    assertThat(tool("cat", "alice@example.com").out())
        .containsPattern("6 +4 +\\d+  INBOX\\n")
        .containsPattern("6 +4 +\\d+  Archive/2019\\n");
    assertThat(tool("export", "jbob@example.com", "--format", "eml").code())
        .isEqualTo(ExitCode.USAGE);
    assertThat(tool("export", "jbob@example.com", "--mailbox", "None").code())
        .isEqualTo(ExitCode.NO_INPUT);
  }

  private void checkAndRebuild() throws IOException {
    assertThat(tool("check", "jbob@example.com").out()).contains("1 documents, 4 messages");
    assertThat(tool("check").out()).contains("2 documents, 16 messages").contains("in order");
    assertThat(tool("check").code()).isZero();
    assertThat(tool("check", "nobody@example.com").code()).isNotZero();
    var before = tool("export", "jbob@example.com").out();
    Files.deleteIfExists(document("jbob.index"));
    var rebuilt = tool("rebuild", "jbob@example.com");
    assertThat(rebuilt.code()).as(rebuilt.err()).isZero();
    assertThat(tool("export", "jbob@example.com").out()).isEqualTo(before);
    assertThat(tool("rebuild").code()).isZero();
    assertThat(tool("rebuild", "nobody@example.com").code()).isEqualTo(ExitCode.NO_USER);
    assertThat(tool("check").code()).isZero();
  }

  @Test
  void damageIsFound() throws Exception {
    var box = Files.writeString(folder.resolve("box"), BOX);
    assertThat(tool("import", "jbob@example.com", box.toString()).code()).isZero();
    var text = Files.readString(document("jbob"), StandardCharsets.ISO_8859_1);
    int at = text.indexOf("One line.");
    Files.writeString(
        document("jbob"),
        text.substring(0, at) + "0ne line." + text.substring(at + 9),
        StandardCharsets.ISO_8859_1);
    var offline = tool("check");
    assertThat(offline.code()).isEqualTo(ExitCode.DATA);
    assertThat(offline.out()).contains("damage: ").contains("DAMAGED");
  }

  /// A server as a process of its own, which answers commands.
  private Process serve() throws Exception {
    var server =
        Commands.launch(folder.resolve("server.log"), "serve", "--config", file.toString());
    boolean ready = false;
    try {
      var socket = Server.controlSocket(ConfigFile.read(file));
      long began = System.nanoTime();
      while (ControlSocket.ask(socket, "{}").isEmpty()) {
        assertThat(System.nanoTime() - began).isLessThan(TimeUnit.SECONDS.toNanos(30));
        assertThat(server.isAlive()).isTrue();
        Thread.sleep(20);
      }
      ready = true;
      return server;
    } finally {
      if (!ready) {
        kill(server);
      }
    }
  }

  @Test
  void theDataFolderIsOpenOrMissing() throws Exception {
    var server = serve();
    try {
      // The server is there but cannot be asked.
      Files.delete(Server.controlSocket(ConfigFile.read(file)));
      for (var command :
          List.of(List.of("check"), List.of("rebuild"), List.of("export", "jbob@example.com"))) {
        var ran = tool(command.toArray(String[]::new));
        assertThat(ran.code()).as(command.toString()).isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(ran.err()).contains(folder.resolve("data") + " open");
        assertThat(ran.err().lines()).hasSize(1);
      }
    } finally {
      kill(server);
    }
    // And right after it was killed the folder is free.
    assertThat(tool("check").code()).isZero();
    assertThat(tool("rebuild").code()).isZero();
    Files.writeString(file, CONFIG.replace("\"data\"", "\"none\""));
    assertThat(tool("check").code()).isEqualTo(ExitCode.NO_INPUT);
  }

  // An import that is killed.

  private static final int MESSAGES = 6000;

  private Path bigBox() throws IOException {
    var text = new StringBuilder();
    for (int i = 0; i < MESSAGES; i++) {
      text.append("From a@example.net Sun Feb  3 ")
          .append(String.format(Locale.ROOT, "%02d:%02d:00 2019\n", i / 60 % 24, i % 60))
          .append("Subject: number ")
          .append(i)
          .append('\n')
          .append(i % 3 == 0 ? "Status: RO\n" : "Status: O\n")
          .append(i % 5 == 0 ? "X-Status: F\n" : "")
          .append(i % 7 == 0 ? "X-Keywords: travel\n" : "")
          .append("\nText ")
          .append(i)
          .append(" of the box.\n\n");
    }
    return Files.writeString(folder.resolve("big"), text);
  }

  /// Every message once, with its date and marks; the order is of no matter.
  private void allOnce() throws IOException {
    var out = folder.resolve("out");
    assertThat(
            tool("export", "jbob@example.com", "--mailbox", "INBOX", "--output", out.toString())
                .code())
        .isZero();
    var entries = new TreeMap<Integer, String>();
    for (var entry : Files.readString(out).split("\nFrom ", -1)) {
      int at = entry.indexOf("Subject: number ") + 16;
      int number = Integer.parseInt(entry.substring(at, entry.indexOf('\n', at)));
      assertThat(entries.put(number, entry)).as("number %d twice", number).isNull();
    }
    assertThat(entries).hasSize(MESSAGES);
    entries.forEach(
        (i, entry) -> {
          assertThat(entry)
              .contains(
                  String.format(
                      Locale.ROOT, " Sun Feb 03 %02d:%02d:00 2019\n", i / 60 % 24, i % 60))
              .contains(i % 3 == 0 ? "\nStatus: RO\n" : "\nStatus: O\n")
              .contains("\nText " + i + " of the box.\n");
          assertThat(entry.contains("\nX-Status: F\n")).isEqualTo(i % 5 == 0);
          assertThat(entry.contains("\nX-Keywords: travel\n")).isEqualTo(i % 7 == 0);
        });
    assertThat(tool("check").code()).isZero();
  }

  private long noted() throws IOException {
    var logs = folder.resolve("data/import/example.com/jbob");
    if (!Files.isDirectory(logs)) {
      return 0;
    }
    long size = 0;
    try (var files = Files.newDirectoryStream(logs)) {
      for (var each : files) {
        size += Files.size(each);
      }
    }
    return size;
  }

  /// Waits until an import has noted more than that, or is over.
  private void awaitNoted(long before, Process process) throws Exception {
    long began = System.nanoTime();
    while (noted() <= before && process.isAlive()) {
      assertThat(System.nanoTime() - began).isLessThan(TimeUnit.SECONDS.toNanos(60));
      Thread.onSpinWait();
    }
  }

  private static void kill(Process process) throws InterruptedException {
    process.destroyForcibly();
    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
  }

  private void killedAndResumed(Path source) throws Exception {
    var log = folder.resolve("import.log");
    int killed = 0;
    for (int i = 0; i < 5; i++) {
      long before = noted();
      var process =
          Commands.launch(
              log,
              "import",
              "jbob@example.com",
              source.toString(),
              "--mailbox",
              "INBOX",
              "--config",
              file.toString());
      try {
        // Longer each time: before, between and behind the batch that was noted and its mark.
        awaitNoted(before + 1, process);
        TimeUnit.MICROSECONDS.sleep(700L * i);
      } finally {
        killed += process.isAlive() ? 1 : 0;
        kill(process);
      }
    }
    assertThat(killed).as("imports that were killed at work").isGreaterThan(2);
    var last = tool("import", "jbob@example.com", source.toString(), "--mailbox", "INBOX");
    assertThat(last.code()).as(last.err()).isZero();
    allOnce();
  }

  @Test
  void anImportOfAnMboxThatIsKilledGoesOn() throws Exception {
    killedAndResumed(bigBox());
  }

  @Test
  void anImportOfAMaildirThatIsKilledGoesOn() throws Exception {
    var maildir = folder.resolve("maildir");
    assertThat(tool("import", "alice@example.com", bigBox().toString()).code()).isZero();
    assertThat(
            tool(
                    "export",
                    "alice@example.com",
                    "--format",
                    "maildir",
                    "--output",
                    maildir.toString())
                .code())
        .isZero();
    killedAndResumed(maildir);
  }

  @Test
  void aServerThatIsKilledAtAnImportGoesOn() throws Exception {
    var box = bigBox();
    for (int i = 0; i < 2; i++) {
      var server = serve();
      try {
        long before = noted();
        var asked = new Ran[1];
        var command =
            Thread.ofPlatform()
                .start(() -> asked[0] = tool("import", "jbob@example.com", box.toString()));
        awaitNoted(before + 1, server);
        TimeUnit.MILLISECONDS.sleep(2L * i);
        kill(server);
        command.join(TimeUnit.SECONDS.toMillis(30));
        assertThat(command.isAlive()).isFalse();
        assertThat(asked[0].code()).isEqualTo(ExitCode.IO);
        assertThat(asked[0].err()).contains("without an answer");
      } finally {
        kill(server);
      }
    }
    // What is left behind, a socket and a lock file, hinders nobody.
    assertThat(tool("import", "jbob@example.com", box.toString()).code()).isZero();
    allOnce();
  }
}
