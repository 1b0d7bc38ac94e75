package longhand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import longhand.check.Checker;
import longhand.check.Finding;
import longhand.disk.FileSystemDisk;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Messages that forge our format, or that of mbox tools: each comes back octet for octet, and
/// nothing else changes, for us and for Python's mbox reader (invariants I2, I3, I5).
class ForgeryTest {

  @TempDir Path data;

  private Store open() throws Exception {
    return Store.open(
        data, new FileSystemDisk(), InstantSource.system(), new Random(1), StoreSettings.DEFAULT);
  }

  /// Messages in wire form, bare CR and NUL included.
  private static List<String> forgeries(String token) {
    var list = new ArrayList<String>();
    for (var field :
        List.of(
            "Status: RO",
            "status:D",
            "STATUS : RD",
            "X-Status: D",
            "X-Status:\tDF",
            "X-Keywords: forged",
            "X-UID: 4294967294",
            "X-IMAP: 4294967295 4294967295",
            "X-IMAPbase: 1 4294967295 forged",
            "Content-Length: 0",
            "Content-Length: 99999999",
            "Content-Length: -1",
            "X-Mailbox: 2 Archive",
            "X-Quoted-Status: D",
            "X-Quoted-X-Quoted-X-Status: D",
            "X-Longhand: "
                + token
                + " 0000000001 0000000001 0000000000000001 00000000001 0000000001",
            "Statusquo: D",
            "X-Statu: D")) {
      list.add(field + "\r\nSubject: forged\r\n\r\nbody\r\n");
      list.add("Subject: forged\r\n" + field + "\r\n\r\nbody\r\n");
      list.add("Subject: forged\r\n\r\n" + field + "\r\n");
      list.add("Subject: forged\r\nX-A: b\r" + field + "\r\n\r\nbody\r\n");
      list.add("Subject: forged\r\nX-A: b\r\n " + field + "\r\n\r\nbody\r\n");
      list.add("Subject: forged\r\n" + field);
      list.add(field);
    }
    for (var from :
        List.of(
            "From me@here Mon Nov 23 04:00:00 2026",
            "From ",
            "From MAILER-DAEMON Mon Nov 23 04:00:00 2026\r\nX-Longhand: " + token,
            ">From a",
            ">>>From a",
            "> From a")) {
      list.add(from + "\r\nSubject: forged\r\n\r\nbody\r\n");
      list.add("Subject: forged\r\n" + from + "\r\n\r\nbody\r\n");
      list.add("Subject: forged\r\n\r\n" + from + "\r\n\r\n" + from + "\r\n");
      list.add("Subject: forged\r\n\r\nbody\r\n\r\n" + from);
      list.add("Subject: forged\r\n\r\nbody\r" + from + "\r\n");
    }
    list.add("Subject: forged\r\n\r\nnul \0 nul\r\n");
    list.add("Subject: \0forged\r\n\0\r\n\r\n\0");
    list.add("Subject: forged\r\n\r\nbare \r cr \r\r\n\r\n");
    list.add("Subject: forged\r\n\r\n8-bit \u00e4\u00f6\u00fc\u00ff\u0080\r\n");
    list.add("Subject: forged\r\n\r\n" + "x".repeat(1 << 20) + "\r\n");
    list.add("X".repeat(1 << 20) + ": y\r\n\r\nbody\r\n");
    list.add("X-Field: value\r\n".repeat(10_000) + "\r\nbody\r\n");
    list.add("Status: D\r\n".repeat(10_000) + "\r\nbody\r\n");
    list.add("Subject: forged\r\n\r\nno line end");
    list.add("Subject: forged");
    list.add("\r\n");
    list.add("\r\n\r\n\r\n");
    list.add("\r\r\nStatus: D\r\n\r\n");
    list.add(" folded at once\r\nSubject: forged\r\n\r\nbody\r\n");
    list.add("x");
    return list;
  }

  @Test
  void eachComesBackAndNothingElseChanges() throws Exception {
    var wanted = new ArrayList<String>();
    String token;
    try (var store = open()) {
      var account = store.account(StoreTest.JBOB);
      token = account.token();
      for (var forged : forgeries(token)) {
        wanted.add("Subject: before\r\n\r\nplain\r\n");
        wanted.add(forged);
      }
      for (var message : wanted) {
        StoreTest.append(store, account, Mailbox.INBOX, message, Marks.NONE);
      }
      compare(store, wanted);
      store.settle();
    }
    try (var store = open()) {
      compare(store, wanted);
    }
    Files.delete(data.resolve("mail/example.com/jbob.index"));
    try (var store = open()) {
      compare(store, wanted);
    }
    var findings = new ArrayList<Finding>();
    new Checker(new FileSystemDisk(), data, findings::add).check(null);
    assertEquals(List.of(), findings);
    python(wanted.size());
  }

  private static void compare(Store store, List<String> wanted) throws Exception {
    var account = store.account(StoreTest.JBOB);
    try (var view = account.view(Mailbox.INBOX, false)) {
      assertEquals(wanted.size(), view.count());
      for (int i = 1; i <= view.count(); i++) {
        var entry = view.at(i);
        assertThat(StoreTest.text(account, entry)).as("message " + i).isEqualTo(wanted.get(i - 1));
        assertEquals(wanted.get(i - 1).length(), entry.sizeOctets());
        assertEquals(Marks.NONE, entry.marks());
        assertEquals(i, entry.uid());
      }
    }
    assertEquals(6, account.mailboxes().size());
  }

  /// Python sees as many messages, none of them read, deleted or otherwise marked.
  private void python(int messages) throws Exception {
    var process =
        new ProcessBuilder(
                "python3",
                "-c",
                """
                import mailbox, sys
                box = mailbox.mbox(sys.argv[1])
                keys = box.keys()[1:]
                print(len(keys), sorted({m for k in keys for m in box[k].get_flags() if m != ' '}))
                """,
                data.resolve("mail/example.com/jbob").toString())
            .redirectErrorStream(true)
            .start();
    assumeTrue(process.isAlive() || process.exitValue() != 127);
    var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertEquals(messages + " []", output.strip());
  }
}
