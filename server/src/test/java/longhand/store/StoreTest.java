package longhand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import longhand.disk.FileSystemDisk;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.ReversePath;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreTest {

  static final Address JBOB = new Address("jbob", new Domain("example.com"));

  @TempDir Path data;

  Store open() throws Exception {
    return Store.open(
        data, new FileSystemDisk(), InstantSource.system(), new Random(1), StoreSettings.DEFAULT);
  }

  static Entry append(Store store, Account account, int mailbox, String message, Marks marks)
      throws Exception {
    try (var letter = store.letter()) {
      var octets = message.getBytes(StandardCharsets.ISO_8859_1);
      letter.write(octets, 0, octets.length);
      letter.finish();
      return store
          .append(
              List.of(
                  new Append(
                      account,
                      mailbox,
                      ReversePath.of(new Address("alice", new Domain("example.net"))),
                      Instant.parse("2026-11-23T04:00:00Z"),
                      marks,
                      new byte[0],
                      letter)))
          .getFirst();
    }
  }

  static String text(Account account, Entry entry) throws Exception {
    try (var in = account.open(entry)) {
      return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }

  @Test
  void aMessageIsThereAfterReopening() throws Exception {
    var message = "Subject: one\r\nStatus: D\r\n\r\nFrom here\r\n>From there\r\nend\r\n";
    try (var store = open()) {
      var account = store.account(JBOB);
      var entry = append(store, account, Mailbox.INBOX, message, Marks.of(Flag.SEEN));
      assertEquals(message, text(account, entry));
      assertEquals(message.length(), entry.sizeOctets());
    }
    try (var store = open()) {
      var account = store.account(JBOB);
      var view = account.view(Mailbox.INBOX, true);
      assertEquals(1, view.count());
      assertEquals(message, text(account, view.at(1)));
      assertThat(view.at(1).marks()).isEqualTo(Marks.of(Flag.SEEN));
      account.mark(
          List.of(view.at(1)),
          Account.Change.ADD,
          Marks.of(
              List.of(Flag.FLAGGED),
              List.of("a-very-long-keyword-that-needs-room", "and-another-one-to-be-sure")));
      assertEquals(message, text(account, view.at(1)));
      account.move(List.of(view.at(1)), 2);
      view.sync(true);
      assertEquals(0, view.count());
      view.close();
      store.settle();
    }
    try (var store = open()) {
      var account = store.account(JBOB);
      var view = account.view(2, true);
      assertEquals(1, view.count());
      assertThat(view.at(1).marks().keywords()).hasSize(2);
      assertEquals(message, text(account, view.at(1)));
    }
  }

  @Test
  void anAccountNobodyUsesIsClosedAndOpensAgain() throws Exception {
    // Nothing settles by itself.
    try (var store =
        Store.open(
            data,
            new FileSystemDisk(),
            InstantSource.system(),
            new Random(1),
            new StoreSettings(
                1 << 20,
                4,
                true,
                Duration.ofHours(1),
                Duration.ofDays(1),
                true,
                Duration.ofHours(1),
                4096,
                1 << 30))) {
      var account = store.account(JBOB);
      var entry = append(store, account, Mailbox.INBOX, "Subject: one\r\n\r\n", Marks.NONE);
      assertThat(account.closeIfIdle(0)).as("not settled yet").isFalse();
      store.settle();
      try (var view = account.view(Mailbox.INBOX, true)) {
        assertEquals(1, view.count());
        assertThat(account.closeIfIdle(0)).as("a session has it open").isFalse();
      }
      assertThat(account.closeIfIdle(0)).isTrue();
      assertThat(account.isOpen()).isFalse();
      append(store, account, Mailbox.INBOX, "Subject: two\r\n\r\n", Marks.NONE);
      try (var view = account.view(Mailbox.INBOX, true)) {
        assertEquals(2, view.count());
        assertEquals(entry.uid() + 1, view.at(2).uid());
        assertEquals("Subject: one\r\n\r\n", text(account, view.at(1)));
      }
    }
  }
}
