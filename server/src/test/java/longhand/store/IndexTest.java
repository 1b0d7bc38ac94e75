package longhand.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import longhand.disk.FileSystemDisk;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The index may be deleted, cut, flipped or replaced by an older one: answers stay the same
/// (invariant I4).
class IndexTest {

  @TempDir Path data;
  private Path index;
  private Map<String, String> truth = Map.of();

  private Store open() throws Exception {
    return Store.open(
        data, new FileSystemDisk(), InstantSource.system(), new Random(1), StoreSettings.DEFAULT);
  }

  @BeforeEach
  void fill() throws Exception {
    index = data.resolve("mail/example.com/jbob.index");
    try (var store = open()) {
      var account = store.account(StoreTest.JBOB);
      for (int i = 0; i < 60; i++) {
        StoreTest.append(
            store,
            account,
            1 + i % 3,
            "Subject: " + i + "\r\n\r\nbody\r\n",
            Marks.of(List.of(), List.of("k" + i % 7)));
      }
      var view = account.view(1, true);
      account.expunge(List.of(view.at(2), view.at(5)));
      account.move(List.of(view.at(1)), 4);
      view.close();
      truth = seen(store);
    }
    assertTrue(Files.size(index) > 1000, "an index was written");
    assertEquals(truth, reopened());
  }

  private static Map<String, String> seen(Store store) throws Exception {
    var seen = new TreeMap<String, String>();
    var account = store.account(StoreTest.JBOB);
    for (var mailbox : account.mailboxes()) {
      seen.put(mailbox.name(), mailbox.toString().replaceAll("(recent|highestModseq)=\\d+", ""));
      var view = account.view(mailbox.number(), false);
      for (int i = 1; i <= view.count(); i++) {
        var entry = view.at(i);
        seen.put(
            mailbox.name() + "/" + entry.uid(),
            entry.id()
                + " "
                + entry.marks()
                + " "
                + entry.modseq()
                + " "
                + StoreTest.text(account, entry)
                + new String(account.summary(entry).toBytes(), StandardCharsets.ISO_8859_1));
      }
      view.close();
    }
    return seen;
  }

  private Map<String, String> reopened() throws Exception {
    try (var store = open()) {
      return seen(store);
    }
  }

  @Test
  void deleted() throws Exception {
    Files.delete(index);
    assertEquals(truth, reopened());
    assertEquals(truth, reopened());
  }

  @Test
  void cutAndFlipped() throws Exception {
    var whole = Files.readAllBytes(index);
    var random = new Random(4);
    for (int i = 0; i < (Boolean.getBoolean("longhand.long") ? 3000 : 40); i++) {
      Files.write(index, java.util.Arrays.copyOf(whole, random.nextInt(whole.length)));
      assertEquals(truth, reopened(), "cut " + i);
      var flipped = whole.clone();
      for (int flips = 1 + random.nextInt(30); flips > 0; flips--) {
        flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
      }
      Files.write(index, flipped);
      assertEquals(truth, reopened(), "flipped " + i);
    }
  }

  @Test
  void replacedByAnOlderOne() throws Exception {
    var old = data.resolve("old");
    Files.copy(index, old);
    try (var store = open()) {
      var account = store.account(StoreTest.JBOB);
      StoreTest.append(store, account, 1, "Subject: new\r\n\r\n", Marks.NONE);
      try (var view = account.view(2, true)) {
        account.mark(List.of(view.at(1)), Account.Change.ADD, Marks.of(Flag.SEEN));
      }
      truth = seen(store);
    }
    Files.copy(old, index, StandardCopyOption.REPLACE_EXISTING);
    assertEquals(truth, reopened());
  }

  @Test
  void ofAnotherAccount() throws Exception {
    try (var store = open()) {
      var other =
          store.account(
              new longhand.mail.Address("alice", new longhand.mail.Domain("example.com")));
      StoreTest.append(store, other, 1, "Subject: hers\r\n\r\n", Marks.NONE);
    }
    Files.copy(index.resolveSibling("alice.index"), index, StandardCopyOption.REPLACE_EXISTING);
    assertEquals(truth, reopened());
  }
}
