package longhand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import longhand.check.Checker;
import longhand.check.Finding;
import longhand.disk.FileSystemDisk;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.ReversePath;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Losing everything but the documents loses nothing, and a damaged account entry is made anew from
/// what the entries say.
class RebuildTest {

  private static final Address JBOB = new Address("jbob", new Domain("example.com"));

  @TempDir Path data;
  private Path document;
  private List<String> messages = List.of();
  private List<String> mailboxes = List.of();

  @BeforeEach
  void fill() throws Exception {
    document = data.resolve("mail/example.com/jbob");
    try (var store = open()) {
      var account = store.account(JBOB);
      var travel = account.create("Travel/2026", Role.NONE).number();
      account.subscribe("Gone/List", true);
      for (int i = 1; i <= 30; i++) {
        append(store, i % 3 == 0 ? travel : Mailbox.INBOX, i);
      }
      try (var view = account.view(Mailbox.INBOX, true)) {
        account.mark(
            List.of(view.at(2)),
            Account.Change.REPLACE,
            Marks.of(List.of(Flag.SEEN), List.of("x")));
        account.move(List.of(view.at(3), view.at(20)), travel);
        account.expunge(List.of(view.at(4)));
      }
      messages = messages(store);
      mailboxes = mailboxes(store);
    }
  }

  private Store open() throws Exception {
    return Store.open(
        data, new FileSystemDisk(), Clock.systemUTC(), new Random(7), StoreSettings.DEFAULT);
  }

  private static void append(Store store, int mailbox, int number) throws Exception {
    try (var letter = store.letter()) {
      var octets =
          ("Subject: " + number + "\r\nStatus: D\r\n\r\nFrom " + number + "\r\n")
              .getBytes(StandardCharsets.US_ASCII);
      letter.write(octets, 0, octets.length);
      letter.finish();
      store.append(
          List.of(
              new Append(
                  store.account(JBOB),
                  mailbox,
                  ReversePath.NULL,
                  Clock.systemUTC().instant(),
                  Marks.of(Flag.FLAGGED),
                  new byte[0],
                  letter)));
    }
  }

  private static List<String> messages(Store store) throws Exception {
    var lines = new ArrayList<String>();
    var account = store.account(JBOB);
    for (var mailbox : account.mailboxes()) {
      try (var view = account.view(mailbox.number(), false)) {
        for (int i = 1; i <= view.count(); i++) {
          var entry = view.at(i);
          try (var in = account.open(entry)) {
            lines.add(
                mailbox.name()
                    + " "
                    + entry.uid()
                    + " "
                    + account.token()
                    + entry.id()
                    + " "
                    + entry.marks()
                    + " "
                    + entry.saved()
                    + new String(in.readAllBytes(), StandardCharsets.US_ASCII));
          }
        }
      }
    }
    return lines;
  }

  private static List<String> mailboxes(Store store) throws Exception {
    return store.account(JBOB).mailboxes().stream()
        .map(
            each ->
                each.number()
                    + " "
                    + each.name()
                    + " "
                    + each.role()
                    + " "
                    + each.uidValidity()
                    + " "
                    + each.uidNext())
        .toList();
  }

  private void rebuildAndCompare(boolean sameValidity) throws Exception {
    try (var store = open()) {
      store.rebuild(JBOB);
      assertThat(messages(store)).isEqualTo(messages);
      if (sameValidity) {
        assertThat(mailboxes(store)).isEqualTo(mailboxes);
      }
      append(store, Mailbox.INBOX, 99);
    }
    var findings = new ArrayList<Finding>();
    new Checker(new FileSystemDisk(), data, findings::add).check(null);
    assertThat(findings).noneMatch(each -> each.severity() == Finding.Severity.DAMAGE);
  }

  private void damage(String at, int further) throws Exception {
    var octets = Files.readAllBytes(document);
    int start = new String(octets, StandardCharsets.ISO_8859_1).indexOf(at);
    assertThat(start).isPositive();
    octets[start + further] ^= 1;
    Files.write(document, octets);
  }

  @Test
  void withoutTheIndex() throws Exception {
    Files.delete(data.resolve("mail/example.com/jbob.index"));
    rebuildAndCompare(true);
  }

  @Test
  void withoutAllButTheDocuments() throws Exception {
    for (var each : List.of("journal", "spool")) {
      try (var files = Files.newDirectoryStream(data.resolve(each))) {
        for (var file : files) {
          Files.delete(file);
        }
      }
      Files.delete(data.resolve(each));
    }
    Files.delete(data.resolve("longhand.lock"));
    Files.delete(data.resolve("mail/example.com/jbob.index"));
    rebuildAndCompare(true);
  }

  @Test
  void aDamagedLedgerLineOfTheAccountEntry() throws Exception {
    damage("X-Longhand: ", 14);
    try (var store = open()) {
      assertThatThrownBy(() -> store.account(JBOB).mailboxes())
          .isInstanceOf(DamagedException.class);
    }
    rebuildAndCompare(true);
  }

  @Test
  void aDamagedRowCostsThatMailboxItsUidValidity() throws Exception {
    damage("name Travel/2026", 3);
    rebuildAndCompare(false);
    try (var store = open()) {
      var now = mailboxes(store);
      assertThat(now.get(0)).startsWith(mailboxes.get(0).substring(0, 20));
      assertThat(now).anyMatch(line -> line.contains("Travel/2026"));
    }
  }

  @Test
  void everyOctetOfTheTableMayBeDamaged() throws Exception {
    var whole = Files.readAllBytes(document);
    var text = new String(whole, StandardCharsets.ISO_8859_1);
    int from = text.indexOf("account jbob@");
    int to = text.indexOf("\n", text.indexOf("\nend "));
    Map<Integer, String> failed = new java.util.TreeMap<>();
    for (int i = from; i < to; i += 17) {
      var octets = whole.clone();
      octets[i] ^= 4;
      Files.write(document, octets);
      Files.deleteIfExists(data.resolve("mail/example.com/jbob.index"));
      try (var store = open()) {
        store.rebuild(JBOB);
        if (!messages(store).equals(messages)) {
          failed.put(i, "messages differ");
        }
      }
    }
    assertThat(failed).isEmpty();
  }

  @Test
  void noAccountEntryAtAll() throws Exception {
    var whole = Files.readString(document, StandardCharsets.ISO_8859_1);
    Files.writeString(
        document, whole.substring(whole.indexOf("\n\nFrom ") + 2), StandardCharsets.ISO_8859_1);
    rebuildAndCompare(false);
  }

  @Test
  void whileASessionHasItOpen() throws Exception {
    try (var store = open()) {
      var account = store.account(JBOB);
      try (var view = account.view(Mailbox.INBOX, true)) {
        store.rebuild(JBOB);
        assertThat(view.mailbox()).isNull();
        assertThat(
                account
                    .mark(List.of(view.at(1)), Account.Change.ADD, Marks.of(Flag.DELETED))
                    .entries())
            .isEmpty();
      }
      assertThat(messages(store)).isEqualTo(messages);
    }
  }
}
