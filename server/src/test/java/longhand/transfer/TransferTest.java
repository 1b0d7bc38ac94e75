package longhand.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import longhand.Seed;
import longhand.disk.FileSystemDisk;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.ReversePath;
import longhand.store.Account;
import longhand.store.Append;
import longhand.store.Flag;
import longhand.store.MailboxException;
import longhand.store.Marks;
import longhand.store.Role;
import longhand.store.Store;
import longhand.store.StoreSettings;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is exported and imported again is the same; what other programs wrote is read as they meant
/// it.
class TransferTest {

  private static final Instant SAVED = Instant.parse("2019-02-03T04:05:06Z");

  @TempDir Path folder;
  private Store store;
  private final List<String> notes = new ArrayList<>();

  @BeforeEach
  void open() throws IOException {
    store =
        Store.open(
            folder.resolve("data"),
            new FileSystemDisk(),
            Clock.systemUTC(),
            new SecureRandom(),
            StoreSettings.DEFAULT);
  }

  @AfterEach
  void close() throws IOException {
    store.close();
  }

  /// A message as it is served.
  private record Seen(String mailbox, String text, Instant saved, Marks marks) {

    Seen at(Instant other) {
      return new Seen(mailbox, text, other, marks);
    }

    Seen unmarked() {
      return new Seen(mailbox, text, saved, Marks.NONE);
    }
  }

  private Account account(String name) {
    return store.account(new Address(name, new Domain("example.com")));
  }

  private void append(Account account, Seen... messages) throws IOException, MailboxException {
    for (var each : messages) {
      var mailbox = account.mailbox(each.mailbox);
      int number =
          mailbox.isPresent()
              ? mailbox.get().number()
              : account.create(each.mailbox, Role.NONE).number();
      try (var letter = store.letter()) {
        var octets = each.text.getBytes(StandardCharsets.ISO_8859_1);
        letter.write(octets, 0, octets.length);
        letter.finish();
        store.append(
            List.of(
                new Append(
                    account,
                    number,
                    ReversePath.NULL,
                    each.saved,
                    each.marks,
                    new byte[0],
                    letter)));
      }
    }
  }

  private static List<Seen> messages(Account account) throws IOException, MailboxException {
    var all = new ArrayList<Seen>();
    for (var mailbox : account.mailboxes()) {
      try (var view = account.view(mailbox.number(), false)) {
        for (int i = 1; i <= view.count(); i++) {
          var entry = view.at(i);
          try (var in = account.open(entry)) {
            all.add(
                new Seen(
                    mailbox.name(),
                    new String(in.readAllBytes(), StandardCharsets.ISO_8859_1),
                    entry.saved(),
                    entry.marks()));
          }
        }
      }
    }
    return all;
  }

  private static void export(Account account, MessageSink sink)
      throws IOException, MailboxException {
    try (sink) {
      for (var mailbox : account.mailboxes()) {
        try (var view = account.view(mailbox.number(), false)) {
          for (int i = 1; i <= view.count(); i++) {
            var entry = view.at(i);
            try (var in = account.open(entry)) {
              sink.message(
                  new MessageFacts(
                      mailbox.name(),
                      entry.uid(),
                      entry.saved(),
                      entry.marks(),
                      entry.sizeOctets(),
                      "",
                      ""),
                  in);
            }
          }
        }
      }
    }
  }

  private Importer.Outcome take(
      Account account, Optional<String> mailbox, boolean again, Path... paths)
      throws IOException, MailboxException {
    return new Importer(
            store,
            account,
            folder.resolve("import").resolve(account.address().toString()),
            mailbox,
            again,
            new Importer.Listener() {
              @Override
              public void at(long octets, long total, long messages) {
                assertThat(octets).isBetween(0L, total);
              }

              @Override
              public void note(String note) {
                notes.add(note);
              }
            })
        .run(List.of(paths));
  }

  private Importer.Outcome take(Account account, Path... paths)
      throws IOException, MailboxException {
    return take(account, Optional.empty(), false, paths);
  }

  private Path write(String name, String text) throws IOException {
    var file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text, StandardCharsets.ISO_8859_1);
  }

  private static String plain(String subject, String body) {
    return "Subject: " + subject + "\r\nDate: Sun, 3 Feb 2019 04:05:06 +0000\r\n\r\n" + body;
  }

  private static String crlf(String text) {
    return text.replace("\n", "\r\n");
  }

  private static List<Seen> hostile() {
    var all = Marks.of(Set.of(Flag.values()), List.of("$Forwarded", "travel", "zZ"));
    var messages = new ArrayList<Seen>();
    messages.add(new Seen("INBOX", plain("plain", "One line.\r\n"), SAVED, Marks.NONE));
    messages.add(new Seen("INBOX", plain("marked", "x\r\n"), SAVED.plusSeconds(86_400 * 300), all));
    messages.add(
        new Seen(
            "INBOX",
            plain(
                "from",
                crlf(
                    """
                    From me Mon Nov 23 04:00:00 2026
                    >From you
                    >>From x

                    From a@b Mon Nov 23 04:00:00 2026
                    Status: RO
                    """)),
            SAVED,
            Marks.of(Flag.SEEN)));
    messages.add(
        new Seen(
            "INBOX",
            ">From old@uucp Mon Nov 23 04:00:00 1992\r\nStatus: RO\r\nX-Status: D\r\nX-Quoted-Status: x\r\n"
                + "X-UID: 7\r\nContent-Length: 3\r\nX-Longhand: 1 2\r\n"
                + plain("fields", "X-Status: D\r\n"),
            SAVED,
            Marks.of(Flag.ANSWERED)));
    messages.add(new Seen("INBOX", plain("empty body", ""), SAVED, Marks.of(Flag.FLAGGED)));
    messages.add(
        new Seen(
            "INBOX",
            "Subject: no body\r\nDate: Sun, 3 Feb 2019 04:05:06 +0000\r\n",
            SAVED,
            Marks.of(Flag.DRAFT)));
    messages.add(
        new Seen("INBOX", plain("empty lines", "\r\n\r\nx\r\n\r\n\r\n"), SAVED, Marks.NONE));
    messages.add(
        new Seen(
            "Archive/2026",
            plain("long", "y".repeat(300_000) + "\r\n" + ">".repeat(3000) + "From x\r\n"),
            SAVED,
            Marks.of(Flag.SEEN)));
    messages.add(
        new Seen("Grüße & Küsse.x", plain("name", "\u00fc\u00ff\u0001\r\n"), SAVED, Marks.NONE));
    messages.add(new Seen(".hidden", plain("dot", ".\r\n..\r\n"), SAVED, Marks.of(Flag.DELETED)));
    return messages;
  }

  @Test
  void exportedAndImportedIsTheSame() throws Exception {
    var account = account("jbob");
    append(account, hostile().toArray(Seen[]::new));
    var before = messages(account);
    assertThat(before).containsExactlyInAnyOrderElementsOf(hostile());
    for (var format : List.of("mbox", "maildir", "eml")) {
      var path = folder.resolve(format);
      export(
          account,
          switch (format) {
            case "mbox" -> new MboxFolderSink(path);
            case "maildir" -> new MaildirSink(path);
            default -> new EmlSink(path);
          });
      var other = account(format);
      var outcome = take(other, path);
      assertThat(outcome.messages()).as(format).isEqualTo(before.size());
      assertThat(outcome.refused()).isZero();
      var after = messages(other);
      if (format.equals("eml")) {
        // An .eml file has no place for marks, and says with its Date field when it was.
        assertThat(after)
            .as(format)
            .containsExactlyInAnyOrderElementsOf(
                before.stream().map(each -> each.unmarked().at(SAVED)).toList());
      } else {
        assertThat(after).as(format).containsExactlyInAnyOrderElementsOf(before);
      }
      // And once more there is nothing to take.
      var again = take(other, path);
      assertThat(again.messages()).isZero();
      assertThat(again.known()).as(format).isEqualTo(before.size());
      assertThat(messages(other)).hasSameSizeAs(before);
    }
    assertThat(notes).noneMatch(note -> note.startsWith("passed over"));
  }

  @Test
  void oneMailboxAsOneMbox() throws Exception {
    var account = account("jbob");
    append(
        account,
        hostile().stream().filter(each -> each.mailbox.equals("INBOX")).toArray(Seen[]::new));
    var file = folder.resolve("inbox");
    export(account, new MboxSink(Files.newOutputStream(file)));
    var other = account("other");
    assertThat(take(other, file).messages()).isEqualTo(7);
    assertThat(messages(other)).isEqualTo(messages(account));
    // Into another mailbox it is another import.
    take(other, Optional.of("Old"), false, file);
    assertThat(messages(other)).hasSize(14);
    take(other, Optional.empty(), true, file);
    assertThat(messages(other)).hasSize(21);
  }

  @Test
  void randomTextsSurviveEachFormat() throws Exception {
    long seed = Seed.value();
    var random = new Random(seed);
    var account = account("jbob");
    var lines =
        List.of(
            "From ",
            ">From x",
            "From a@b Mon Nov 23 04:00:00 2026",
            "Status: R",
            "",
            "",
            ">",
            "x",
            "Content-Length: 12",
            "X-Quoted-X-Status: A",
            " folded",
            "From: a@b",
            "Subject: s",
            "\tStatus: RO",
            "X-Keywords: a b",
            "text\rmore");
    var wanted = new ArrayList<Seen>();
    for (int i = 0; i < 200; i++) {
      var text = new StringBuilder(plain("n" + i, "").replace("\r\n\r\n", "\r\n"));
      for (int j = random.nextInt(12); j > 0; j--) {
        text.append(lines.get(random.nextInt(lines.size()))).append("\r\n");
      }
      wanted.add(
          new Seen(
              "INBOX",
              text.toString(),
              SAVED.plusSeconds(random.nextInt(1_000_000)),
              Marks.of(
                  random.nextBoolean() ? Set.of(Flag.SEEN) : Set.of(Flag.FLAGGED, Flag.DRAFT),
                  random.nextInt(3) == 0 ? List.of("k" + random.nextInt(20)) : List.of())));
    }
    append(account, wanted.toArray(Seen[]::new));
    assertThat(messages(account)).as("seed %d", seed).isEqualTo(wanted);
    export(account, new MboxSink(Files.newOutputStream(folder.resolve("mbox"))));
    export(account, new MaildirSink(folder.resolve("maildir")));
    export(account, new EmlSink(folder.resolve("eml")));
    take(account("mbox"), folder.resolve("mbox"));
    assertThat(messages(account("mbox"))).as("mbox, seed %d", seed).isEqualTo(wanted);
    take(account("maildir"), folder.resolve("maildir"));
    assertThat(messages(account("maildir")))
        .as("maildir, seed %d", seed)
        .containsExactlyInAnyOrderElementsOf(wanted);
    take(account("eml"), folder.resolve("eml"));
    assertThat(messages(account("eml")).stream().map(Seen::text))
        .as("eml, seed %d", seed)
        .containsExactlyElementsOf(wanted.stream().map(Seen::text).toList());
  }

  @Test
  void mboxoAsOthersWriteIt() throws Exception {
    var account = account("jbob");
    var file =
        write(
            "mboxo",
            """
            From alice@example.net  Sun Feb  3 04:05:06 2019
            Subject: one
            Status: RO
            X-Status: AF
            X-Keywords: travel  $Forwarded

            >From here
            From there, no time in it
            x

            From MAILER-DAEMON Sun Feb  3 05:05 2019 +0100
            Subject: two

            Not one From the middle Sun Feb  3 04:05:06 2019
            From after no empty line Sun Feb  3 04:05:06 2019

            From bob Sun Feb 03 04:05:06 MET 2019
            Subject: three
            X-Mozilla-Status: 0001

            end""");
    assertThat(take(account, file).messages()).isEqualTo(3);
    assertThat(messages(account))
        .containsExactly(
            new Seen(
                "INBOX",
                "Subject: one\r\n\r\nFrom here\r\nFrom there, no time in it\r\nx\r\n",
                SAVED,
                Marks.of(
                    Set.of(Flag.SEEN, Flag.ANSWERED, Flag.FLAGGED),
                    List.of("travel", "$Forwarded"))),
            new Seen(
                "INBOX",
                crlf(
                    """
                    Subject: two

                    Not one From the middle Sun Feb  3 04:05:06 2019
                    From after no empty line Sun Feb  3 04:05:06 2019
                    """),
                SAVED.minusSeconds(6),
                Marks.NONE),
            new Seen(
                "INBOX", "Subject: three\r\nX-Mozilla-Status: 0001\r\n\r\nend", SAVED, Marks.NONE));
  }

  @Test
  void mboxcl2IsCounted() throws Exception {
    var body = "From me Sun Feb  3 04:05:06 2019\n\nFrom you Sun Feb  3 04:05:06 2019\n>From x\n";
    var one = "From a@b.c Sun Feb  3 04:05:06 2019\nSubject: one\nContent-Length: ";
    var file =
        write(
            "mboxcl2",
            one
                + body.length()
                + "\n\n"
                + body
                + "\nFrom a@b.c Sun Feb  3 04:05:06 2019\nSubject: two\nContent-Length: 100000\n\n"
                + "short\n\n"
                + "From a@b.c Sun Feb  3 04:05:06 2019\nSubject: three\nContent-Length: 2\n\n"
                + "longer\n\n"
                + "From a@b.c Sun Feb  3 04:05:06 2019\nSubject: four\nContent-Length: 5\n\nlast\n");
    var account = account("jbob");
    assertThat(take(account, file).messages()).isEqualTo(4);
    assertThat(messages(account).stream().map(Seen::text))
        .containsExactly(
            "Subject: one\r\n\r\n" + body.replace("\n", "\r\n"),
            "Subject: two\r\n\r\nshort\r\n",
            "Subject: three\r\n\r\nlonger\r\n",
            "Subject: four\r\n\r\nlast\r\n");
  }

  @Test
  void anMboxWithLinesEndedByCrlf() throws Exception {
    var file =
        write(
            "crlf",
            crlf(
                """
                From a@b.c Sun Feb  3 04:05:06 2019
                Subject: one
                Status: R

                >From x
                y

                From a@b.c Sun Feb  3 04:05:06 2019
                Subject: two

                z

                """));
    var account = account("jbob");
    assertThat(take(account, file).messages()).isEqualTo(2);
    assertThat(messages(account))
        .containsExactly(
            new Seen("INBOX", "Subject: one\r\n\r\nFrom x\r\ny\r\n", SAVED, Marks.of(Flag.SEEN)),
            new Seen("INBOX", "Subject: two\r\n\r\nz\r\n", SAVED, Marks.NONE));
  }

  @Test
  void theFoldersOwnMessageIsLeftOut() throws Exception {
    var file =
        write(
            "pine",
            """
            From MAILER-DAEMON Sun Feb  3 04:05:06 2019
            Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA
            X-IMAP: 1549166706 0000000002
            Status: RO

            This text is part of the internal format of your mail folder.

            From a@b.c Sun Feb  3 04:05:06 2019
            Subject: one

            x
            """);
    var account = account("jbob");
    assertThat(take(account, file).messages()).isEqualTo(1);
    assertThat(messages(account).getFirst().text).startsWith("Subject: one");
  }

  @Test
  void anMboxThatHasGrownBringsWhatIsNew() throws Exception {
    var first = "From a@b.c Sun Feb  3 04:05:06 2019\nSubject: one\n\nx\n\n";
    var file = write("grown", first);
    var account = account("jbob");
    assertThat(take(account, file).messages()).isEqualTo(1);
    write("grown", first + first.replace("one", "two"));
    assertThat(take(account, file).messages()).isEqualTo(1);
    assertThat(messages(account).stream().map(Seen::text))
        .containsExactly("Subject: one\r\n\r\nx\r\n", "Subject: two\r\n\r\nx\r\n");
    write("grown", first.replace("one", "six") + first);
    assertThatThrownBy(() -> take(account, file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("--again");
    assertThat(messages(account)).hasSize(2);
  }

  @Test
  void aMaildirOfOthers() throws Exception {
    var root = folder.resolve("Maildir");
    for (var each : List.of("", ".Work.Old", ".Entw&APw-rfe")) {
      for (var part : List.of("cur", "new", "tmp")) {
        Files.createDirectories(root.resolve(each).resolve(part));
      }
    }
    write("Maildir/dovecot-keywords", "0 travel\n1 $Label1\n99 x\nnonsense\n");
    var names =
        List.of(
            "cur/1.a.host:2,S",
            "cur/2.b.host,S=12:2,DFRSTab",
            "cur/3.c.host:2,P",
            "new/4.d.host",
            "cur/5.e.host!2,F",
            ".Work.Old/cur/6.f.host:2,Sa",
            ".Entw&APw-rfe/new/7.g.host",
            "tmp/8.unfinished",
            "cur/.hidden");
    for (var name : names) {
      var file = write("Maildir/" + name, "Subject: " + name + "\n\n>From x\nFrom y\n");
      Files.setLastModifiedTime(file, FileTime.from(SAVED));
    }
    var account = account("jbob");
    assertThat(take(account, root).messages()).isEqualTo(7);
    var expected = new ArrayList<Seen>();
    var marks =
        List.of(
            Marks.of(Flag.SEEN),
            Marks.of(Set.of(Flag.values()), List.of("travel", "$Label1")),
            Marks.of(Set.of(), List.of("$Forwarded")),
            Marks.NONE,
            Marks.of(Flag.FLAGGED),
            Marks.of(Flag.SEEN),
            Marks.NONE);
    for (int i = 0; i < marks.size(); i++) {
      expected.add(
          new Seen(
              i < 5 ? "INBOX" : i == 5 ? "Work/Old" : "Entwürfe",
              "Subject: " + names.get(i) + "\r\n\r\n>From x\r\nFrom y\r\n",
              SAVED,
              marks.get(i)));
    }
    assertThat(messages(account)).containsExactlyInAnyOrderElementsOf(expected);
    // A message that another program marked meanwhile is known under its new name.
    Files.move(root.resolve("new/4.d.host"), root.resolve("cur/4.d.host:2,S"));
    write("Maildir/new/9.i.host", "Subject: new\n\nx\n");
    assertThat(take(account, root).messages()).isEqualTo(1);
  }

  @Test
  void emlFilesAndFolders() throws Exception {
    write(
        "eml/a.eml",
        crlf(
            """
            Received: from x by y; Sun, 3 Feb 2019 04:05:06 +0000 (UTC)
            Received: from w by x; Sat, 2 Feb 2019 04:05:06 +0000
            Subject: a

            >From x
            """));
    write("eml/b.EML", "Subject: b\nDate: Sun, 3 Feb 2019 05:05:06 +0100\n\nFrom y\n");
    write("eml/Work/Old/c.eml", "Subject: c\r\n\r\nz\r\n");
    Files.setLastModifiedTime(folder.resolve("eml/Work/Old/c.eml"), FileTime.from(SAVED));
    write("eml/readme.txt", "no message\n");
    var account = account("jbob");
    assertThat(take(account, folder.resolve("eml")).messages()).isEqualTo(3);
    assertThat(notes).containsExactly("passed over: " + folder.resolve("eml/readme.txt"));
    assertThat(messages(account).stream().map(Seen::mailbox))
        .containsExactly("INBOX", "INBOX", "Work/Old");
    assertThat(messages(account).stream().map(Seen::saved)).containsOnly(SAVED);
    assertThat(messages(account).getFirst().text).endsWith("\r\n\r\n>From x\r\n");
    // A single file is a source of its own.
    assertThat(take(account, folder.resolve("eml/a.eml")).messages()).isEqualTo(1);
    assertThat(take(account, folder.resolve("eml/a.eml")).known()).isEqualTo(1);
    assertThatThrownBy(() -> take(account, folder.resolve("eml/readme.txt")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no mbox file");
  }

  @Test
  void aLargeMessageAndManyBatches() throws Exception {
    var line = "0123456789".repeat(10) + "\n";
    var text = new StringBuilder();
    for (int i = 0; i < 1203; i++) {
      text.append("From a@b.c Sun Feb  3 04:05:06 2019\nSubject: ").append(i).append("\n\n");
      text.append(i == 700 ? line.repeat(60_000) : line).append('\n');
    }
    var file = write("large", text.toString());
    var account = account("jbob");
    var outcome = take(account, file);
    assertThat(outcome.messages()).isEqualTo(1203);
    assertThat(outcome.octets())
        .isEqualTo(messages(account).stream().mapToLong(each -> each.text.length()).sum());
    var subjects = new TreeSet<Integer>();
    for (var each : messages(account)) {
      subjects.add(Integer.parseInt(each.text.substring(9, each.text.indexOf('\r'))));
    }
    assertThat(subjects).hasSize(1203);
  }

  /// The end of the log is lost in every way it can be: what is in stays in once.
  @Test
  void aLogThatEndsEarlyTakesNothingInTwice() throws Exception {
    var text = new StringBuilder();
    for (int i = 0; i < 1100; i++) {
      text.append("From a@b.c Sun Feb  3 04:05:06 2019\nSubject: ").append(i).append("\n\nx\n\n");
    }
    var mbox = write("mbox", text.toString());
    var maildir = folder.resolve("maildir");
    var source = account("source");
    take(source, mbox);
    export(source, new MaildirSink(maildir));
    for (var path : List.of(mbox, maildir)) {
      var account = account(path.getFileName().toString());
      take(account, path);
      Path log;
      try (var files =
          Files.newDirectoryStream(folder.resolve("import/" + account.address().toString()))) {
        log = files.iterator().next();
      }
      var whole = Files.readString(log);
      int batch = whole.lastIndexOf("batch ");
      int done = whole.lastIndexOf("done");
      assertThat(done).isGreaterThan(batch);
      for (int cut : new int[] {done, done + 2, whole.length()}) {
        Files.writeString(log, whole.substring(0, cut));
        take(account, path);
        assertThat(messages(account)).as("%s cut at %d", path, cut).hasSize(1100);
      }
    }
  }

  /// A line that was torn by the loss of power was of a batch that the store never got.
  @Test
  void aTornLineOfTheLogCountsAsNone() throws Exception {
    var text = new StringBuilder();
    for (int i = 0; i < 700; i++) {
      text.append("From a@b.c Sun Feb  3 04:05:06 2019\nSubject: ").append(i).append("\n\nx\n\n");
    }
    var mbox = write("mbox", text.toString());
    var source = account("source");
    take(source, mbox);
    var maildir = folder.resolve("maildir");
    export(source, new MaildirSink(maildir));
    for (var path : List.of(mbox, maildir)) {
      var model = account("model-" + path.getFileName());
      take(model, path);
      Path log;
      try (var files =
          Files.newDirectoryStream(folder.resolve("import/" + model.address().toString()))) {
        log = files.iterator().next();
      }
      var whole = Files.readString(log);
      int line = whole.indexOf("batch ");
      int end = whole.indexOf('\n', line);
      var random = new Random(7);
      for (int i = 0; i < 5; i++) {
        int cut = line + 1 + random.nextInt(Math.min(60, end - line - 1));
        var account = account("torn-" + i + "-" + path.getFileName());
        var logs = folder.resolve("import/" + account.address().toString());
        Files.createDirectories(logs);
        var torn = Files.writeString(logs.resolve(log.getFileName()), whole.substring(0, cut));
        // Somebody looks at it, and is interrupted before anything is noted.
        new ImportLog(logs, path + " INBOX", false).close();
        assertThat(Files.exists(torn)).isTrue();
        take(account, path);
        assertThat(messages(account)).as("%s cut at %d", path, cut).hasSize(700);
        assertThat(take(account, path).messages()).isZero();
      }
    }
  }
}
