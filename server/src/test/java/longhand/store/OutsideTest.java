package longhand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import longhand.disk.FileSystemDisk;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Other programs read and change the document, while the server runs and while it does not.
class OutsideTest {

  @TempDir Path data;
  private Store store;
  private Account account;
  private Path document;

  @BeforeEach
  void open() throws Exception {
    store =
        Store.open(
            data,
            new FileSystemDisk(),
            InstantSource.system(),
            new Random(1),
            StoreSettings.DEFAULT);
    account = store.account(StoreTest.JBOB);
    document = data.resolve("mail/example.com/jbob");
  }

  @AfterEach
  void close() throws Exception {
    store.close();
  }

  private void three() throws Exception {
    StoreTest.append(store, account, 1, "Subject: one\r\n\r\nFrom one\r\n", Marks.NONE);
    StoreTest.append(
        store,
        account,
        1,
        "Subject: two\r\nStatus: D\r\nX-Status: D\r\n\r\ntwo\r\n",
        Marks.of(Flag.FLAGGED));
    StoreTest.append(store, account, 1, "Subject: three\r\n\r\nthree", Marks.of(Flag.SEEN));
    store.settle();
  }

  private static String run(String... command) throws Exception {
    // Into a file: a pipe would keep the reader for as long as any child of the program lives. Its
    // input stays open: script would pass the end of it on to mutt as a key.
    var output = Files.createTempFile("outside", ".txt");
    try {
      var process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        var children = process.descendants().toList();
        process.destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
        throw new AssertionError(
            String.join(" ", command) + " does not end: " + Files.readString(output));
      }
      return Files.readString(output);
    } finally {
      Files.delete(output);
    }
  }

  private static boolean has(String program) throws Exception {
    return new ProcessBuilder("sh", "-c", "command -v " + program)
            .redirectErrorStream(true)
            .start()
            .waitFor()
        == 0;
  }

  private List<String> subjects(int mailbox) throws Exception {
    var subjects = new ArrayList<String>();
    try (var view = account.view(mailbox, false)) {
      for (int i = 1; i <= view.count(); i++) {
        var text = StoreTest.text(account, view.at(i));
        int start = text.indexOf("Subject: ") + 9;
        subjects.add(text.substring(start, text.indexOf('\r', start)));
      }
    }
    return subjects;
  }

  @Test
  void pythonSeesTheMessagesAndTheirMarks() throws Exception {
    assumeTrue(has("python3"));
    three();
    var seen =
        run(
            "python3",
            "-c",
            """
            import mailbox, sys
            for m in mailbox.mbox(sys.argv[1]):
                print(m['subject'], ''.join(sorted(m.get_flags().replace(' ', ''))))
            """,
            document.toString());
    assertThat(seen.lines().toList().subList(1, 4)).containsExactly("one ", "two F", "three R");
  }

  @Test
  void appendedMessagesArriveInAWatchingView() throws Exception {
    three();
    var view = account.view(Mailbox.INBOX, true);
    var told = new CountDownLatch(1);
    view.onChange(told::countDown);
    Files.writeString(
        document,
        """
        From eve@example.org Mon Nov 23 05:06:07 2026
        Subject: four
        Status: RO
        Content-Length: 9

        >From out

        From eve@example.org Mon Nov 23 05:06:08 2026
        Subject: five

        five
        """,
        StandardOpenOption.APPEND);
    assertThat(told.await(10, TimeUnit.SECONDS)).isTrue();
    Awaitility.await()
        .atMost(Duration.ofSeconds(5))
        .until(() -> view.sync(true).exists() == 5 || view.count() == 5);
    assertEquals(List.of("one", "two", "three", "four", "five"), subjects(1));
    assertEquals("Subject: four\r\n\r\nFrom out\r\n", StoreTest.text(account, view.at(4)));
    assertEquals(Marks.of(Flag.SEEN), view.at(4).marks());
    assertEquals("2026-11-23T05:06:07Z", view.at(4).saved().toString());
    view.close();
  }

  @Test
  void whatWasJustExpungedMovedOrRemovedStaysSo() throws Exception {
    three();
    var gone = account.create("Gone", Role.NONE);
    StoreTest.append(store, account, gone.number(), "Subject: gone\r\n\r\n", Marks.NONE);
    try (var view = account.view(Mailbox.INBOX, true)) {
      account.expunge(List.of(view.at(1)));
      account.move(List.of(view.at(2)), 2);
      account.mark(
          List.of(view.at(3)), Account.Change.ADD, Marks.of(List.of(), List.of("w".repeat(60))));
    }
    account.delete(gone.number());
    // None of that is written in place yet when the next message comes from outside.
    Files.writeString(
        document,
        "From eve@example.org Mon Nov 23 05:06:07 2026\nSubject: four\n\nfour\n",
        StandardOpenOption.APPEND);
    Awaitility.await().atMost(Duration.ofSeconds(5)).until(() -> subjects(1).size() == 2);
    assertEquals(List.of("three", "four"), subjects(1));
    assertEquals(List.of("two"), subjects(2));
    store.close();
    open();
    assertEquals(List.of("three", "four"), subjects(1));
    assertEquals(List.of("two"), subjects(2));
  }

  @Test
  void whatIsNotYetSettledIsNotWrittenOverWhatSomebodyElseWrote() throws Exception {
    three();
    try (var view = account.view(1, true)) {
      account.mark(List.of(view.at(3)), Account.Change.ADD, Marks.of(Flag.ANSWERED));
    }
    // The first message is taken out: the others move up. Nobody has looked since.
    var text = Files.readString(document, StandardCharsets.ISO_8859_1);
    int first = text.indexOf("From alice");
    int second = text.indexOf("From alice", first + 1);
    Files.writeString(
        document, text.substring(0, first) + text.substring(second), StandardCharsets.ISO_8859_1);
    store.settle();
    store.close();
    open();
    assertEquals(List.of("two", "three"), subjects(1));
    try (var view = account.view(1, true)) {
      assertEquals(
          "Subject: two\r\nStatus: D\r\nX-Status: D\r\n\r\ntwo\r\n",
          StoreTest.text(account, view.at(1)));
      assertEquals("Subject: three\r\n\r\nthree", StoreTest.text(account, view.at(2)));
      assertThat(view.at(2).marks()).isEqualTo(Marks.of(Flag.SEEN, Flag.ANSWERED));
    }
  }

  @Test
  void aMessageFromOutsideIsNotOverwrittenByADeliveryRightAfterIt() throws Exception {
    three();
    for (int i = 0; i < 10; i++) {
      StoreTest.append(store, account, 1, "Subject: ours" + i + "\r\n\r\n", Marks.NONE);
      Files.writeString(
          document,
          "From eve@example.org Mon Nov 23 05:06:07 2026\nSubject: theirs" + i + "\n\nhello\n\n",
          StandardOpenOption.APPEND);
    }
    StoreTest.append(store, account, 1, "Subject: last\r\n\r\n", Marks.NONE);
    Awaitility.await().atMost(Duration.ofSeconds(5)).until(() -> subjects(1).size() == 24);
    for (int i = 0; i < 10; i++) {
      assertThat(subjects(1)).contains("ours" + i, "theirs" + i);
    }
  }

  @Test
  void pythonRemovesAndMarks() throws Exception {
    assumeTrue(has("python3"));
    three();
    var view = account.view(Mailbox.INBOX, true);
    long id = view.at(2).id();
    run(
        "python3",
        "-c",
        """
        import mailbox, sys
        box = mailbox.mbox(sys.argv[1])
        box.lock()
        for key, m in box.items():
            if m['subject'] == 'one':
                box.remove(key)
            if m['subject'] == 'two':
                m.set_flags('RAF')
                box[key] = m
        box.flush()
        box.unlock()
        """,
        document.toString());
    Awaitility.await()
        .atMost(Duration.ofSeconds(5))
        .until(() -> !view.sync(true).isEmpty() || view.count() == 2);
    assertEquals(List.of("two", "three"), subjects(1));
    assertEquals(id, view.at(1).id());
    assertEquals(2, view.at(1).uid());
    assertThat(view.at(1).marks().flags()).containsExactly(Flag.SEEN, Flag.ANSWERED, Flag.FLAGGED);
    view.close();
  }

  @Test
  void muttFlagsAndDeletes() throws Exception {
    assumeTrue(has("mutt") && has("script"));
    three();
    store.close();
    var rc = data.resolve("muttrc");
    Files.writeString(
        rc,
        """
        set delete=yes quit=yes move=no mbox_type=mbox folder=/tmp sort=mailbox-order mark_old=no
        push "<first-entry><next-entry><delete-message><quit>"
        """);
    var output =
        run(
            "script",
            "-qec",
            // Nothing between the terminal and mutt: timeout would put it into the background of
            // that terminal, where it is stopped at its first look at it.
            "TERM=xterm HOME=" + data + " exec mutt -n -F " + rc + " -f " + document,
            "/dev/null");
    open();
    assertThat(subjects(1)).as(output).containsExactly("two", "three");
    try (var view = account.view(1, true)) {
      assertEquals(2, view.at(1).uid());
      assertEquals(
          "Subject: two\r\nStatus: D\r\nX-Status: D\r\n\r\ntwo\r\n",
          StoreTest.text(account, view.at(1)));
      assertThat(view.at(1).marks().flags()).contains(Flag.FLAGGED);
    }
  }

  @Test
  void aDocumentChangedWhileTheServerWasDown() throws Exception {
    three();
    store.close();
    var text = Files.readString(document, StandardCharsets.ISO_8859_1);
    // Somebody takes out the second message with an editor, and types one at the end.
    int second = text.indexOf("From alice", text.indexOf("Subject: one"));
    int third = text.indexOf("From alice", second + 1);
    Files.writeString(
        document,
        text.substring(0, second)
            + text.substring(third)
            + "From me@here Mon Nov 23 06:00:00 2026\nSubject: typed\n\nhello\n",
        StandardCharsets.ISO_8859_1);
    open();
    assertEquals(List.of("one", "three", "typed"), subjects(1));
    try (var view = account.view(1, true)) {
      assertEquals(
          List.of(1L, 3L, 4L), List.of(view.at(1).uid(), view.at(2).uid(), view.at(3).uid()));
    }
    StoreTest.append(store, account, 1, "Subject: later\r\n\r\n", Marks.NONE);
    store.close();
    open();
    assertEquals(List.of("one", "three", "typed", "later"), subjects(1));
  }

  @Test
  void aDocumentChangedBetweenACrashAndTheNextStart() throws Exception {
    three();
    StoreTest.append(store, account, 1, "Subject: four\r\nStatus: D\r\n\r\nfour\r\n", Marks.NONE);
    try (var view = account.view(1, true)) {
      account.mark(List.of(view.at(3)), Account.Change.ADD, Marks.of(Flag.ANSWERED));
    }
    // What a crash leaves now: the fourth message and the mark are in the journal.
    var crashed = data.resolve("crashed");
    Files.createDirectories(crashed);
    run(
        "cp",
        "-r",
        data.resolve("mail").toString(),
        data.resolve("journal").toString(),
        crashed + "/");
    var copy = crashed.resolve("mail/example.com/jbob");
    var text = Files.readString(copy, StandardCharsets.ISO_8859_1);
    // The power took the fourth message, and then somebody removed the first.
    int first = text.indexOf("From alice", 10);
    int second = text.indexOf("From alice", first + 1);
    int fourth = text.lastIndexOf("From alice");
    Files.writeString(
        copy,
        text.substring(0, first) + text.substring(second, fourth),
        StandardCharsets.ISO_8859_1);
    Files.deleteIfExists(crashed.resolve("mail/example.com/jbob.index"));
    try (var other =
        Store.open(
            crashed,
            new FileSystemDisk(),
            InstantSource.system(),
            new Random(2),
            StoreSettings.DEFAULT)) {
      account = other.account(StoreTest.JBOB);
      assertEquals(List.of("two", "three", "four"), subjects(1));
      try (var view = account.view(1, true)) {
        assertEquals(2, view.at(1).uid());
        assertEquals(
            "Subject: four\r\nStatus: D\r\n\r\nfour\r\n", StoreTest.text(account, view.at(3)));
      }
    }
  }
}
