package longhand.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import longhand.check.Checker;
import longhand.check.Finding;
import longhand.disk.Disk;
import longhand.disk.SimDisk;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Damage to a document or to the journal that no crash makes: the offline check finds it, an
/// account with damage answers with its messages or with a clear error, and the others go on
/// (invariant I7).
@Timeout(600)
class CorruptionTest {

  private static final boolean ALL = Boolean.getBoolean("longhand.long");
  private static final Path JBOB = Scenario.DATA.resolve("mail/example.com/jbob");
  private static final Path ALICE = Scenario.DATA.resolve("mail/example.net/alice");
  private static final Path JOURNAL = Scenario.DATA.resolve("journal");

  private SimDisk disk = new SimDisk();
  private byte[] document = {};
  private byte[] hers = {};
  private Map<String, String> truth = Map.of();
  private Map<String, String> settled = Map.of();

  @BeforeEach
  void fill() throws Exception {
    disk = new SimDisk();
    try (var store = Scenario.open(disk, 1)) {
      for (var owner : Scenario.OWNERS) {
        for (int i = 1; i <= 2; i++) {
          append(store, owner, i);
        }
      }
      truth = Scenario.snapshot(store).messages();
    }
    document = disk.content(JBOB);
    hers = disk.content(ALICE);
    assertEquals(List.of(), findings());
  }

  private static void append(Store store, longhand.mail.Address owner, int number)
      throws Exception {
    StoreTest.append(
        store,
        store.account(owner),
        Mailbox.INBOX,
        "Subject: %d for %s\r\nStatus: D\r\n\r\n%s>From one\r\n"
            .formatted(number, owner, "line\r\n".repeat(100 * number)),
        Marks.of(List.of(Flag.SEEN), List.of("travel")));
  }

  private List<Finding> findings() throws IOException {
    var findings = new ArrayList<Finding>();
    new Checker(disk, Scenario.DATA, findings::add).check(null);
    return findings;
  }

  @Test
  void everyFlippedBit() throws Exception {
    for (int at = 0; at < document.length; at++) {
      for (int bit = ALL ? 0 : at % 8; bit < (ALL ? 8 : at % 8 + 1); bit++) {
        var damaged = document.clone();
        damaged[at] ^= (byte) (1 << bit);
        damaged(damaged, "bit " + bit + " of octet " + at);
      }
    }
  }

  @Test
  void everyCut() throws Exception {
    for (int length = 0; length < document.length; length += ALL ? 1 : 3) {
      damaged(Arrays.copyOf(document, length), "cut at " + length);
    }
  }

  @Test
  void blocks() throws Exception {
    for (int at = 0; at + 512 <= document.length; at += ALL ? 1 : 64) {
      var zeroed = document.clone();
      Arrays.fill(zeroed, at, at + 512, (byte) 0);
      damaged(zeroed, "zeroed at " + at);
      var doubled = Arrays.copyOf(document, document.length + 512);
      System.arraycopy(document, at, doubled, at + 512, document.length - at);
      damaged(doubled, "doubled at " + at);
      var gone = Arrays.copyOf(document, document.length - 512);
      System.arraycopy(document, at + 512, gone, at, document.length - at - 512);
      damaged(gone, "gone at " + at);
      var misdirected = document.clone();
      System.arraycopy(document, 0, misdirected, at, 512);
      damaged(misdirected, "written over by the first at " + at);
    }
  }

  /// What is left of an account after damage, and that nobody else is harmed.
  private void damaged(byte[] content, String where) throws Exception {
    if (Arrays.equals(content, document)) {
      return;
    }
    disk.change(JBOB, content);
    try {
      boolean found = !findings().isEmpty();
      try (var store = Scenario.open(disk, 2)) {
        var now = new TreeMap<String, String>();
        boolean refused = false;
        try {
          now.putAll(Scenario.snapshot(store).messages());
        } catch (IOException e) {
          refused = true;
        }
        assertTrue(found || refused || now.equals(truth) || isFewer(content), where + ": silent");
        assertTrue(hers(store).equals(hers(truth)), where + ": another account is harmed");
      }
      if (found) {
        try (var store = Scenario.open(disk, 3)) {
          assertTrue(hers(store).equals(hers(truth)), where + ": another account is harmed");
        }
      }
    } catch (RuntimeException e) {
      throw new AssertionError(where + ": " + e, e);
    }
    for (var name : disk.list(Scenario.DATA.resolve("mail/example.com"))) {
      if (!name.equals("jbob")) {
        disk.delete(JBOB.resolveSibling(name));
      }
    }
    disk.open(JBOB, Disk.Mode.CREATE).close();
    disk.change(JBOB, document);
  }

  /// Cut exactly between two entries a document is a whole one of fewer, as a person leaves it who
  /// removes a message.
  private boolean isFewer(byte[] content) {
    return content.length == 0
        || (content.length < document.length
            && Arrays.equals(content, Arrays.copyOf(document, content.length))
            && document[content.length - 1] == '\n'
            && document[content.length - 2] == '\n'
            && document[content.length] == 'F');
  }

  private static Map<String, String> hers(Map<String, String> messages) {
    var hers = new TreeMap<>(messages);
    hers.keySet().removeIf(name -> !name.startsWith("alice"));
    return hers;
  }

  private static Map<String, String> hers(Store store) throws Exception {
    var account = store.account(Scenario.OWNERS.getLast());
    return hers(Scenario.snapshot(store, List.of(account.address())).messages());
  }

  @Test
  void swappedDocuments() throws Exception {
    disk.change(JBOB, hers);
    disk.change(ALICE, document);
    assertFalse(findings().isEmpty());
    try (var store = Scenario.open(disk, 2)) {
      append(store, new longhand.mail.Address("carol", Scenario.OWNERS.getFirst().domain()), 1);
      try {
        Scenario.snapshot(store);
      } catch (IOException e) {
        // Refused: a clear error.
      }
    }
  }

  /// A store that lost power with batches in several segments that are in no document yet.
  private SimDisk withJournal() throws Exception {
    var before = new SimDisk();
    var store = Scenario.open(before, 4);
    append(store, Scenario.OWNERS.getFirst(), 1);
    append(store, Scenario.OWNERS.getLast(), 1);
    store.settle();
    settled = Scenario.snapshot(store).messages();
    for (int i = 0; i < 90; i++) {
      append(store, Scenario.OWNERS.get(i % 2), 3);
    }
    truth = Scenario.snapshot(store).messages();
    return before.afterCrash(new Random(4));
  }

  private List<String> segments() throws IOException {
    return disk.list(JOURNAL).stream().filter(name -> name.endsWith(".journal")).toList();
  }

  @Test
  void aSegmentThatIsGone() throws Exception {
    int told = 0;
    disk = withJournal();
    int count = segments().size();
    assertTrue(count >= 3);
    for (int segment = 0; segment < count; segment++) {
      disk = withJournal();
      disk.delete(JOURNAL.resolve(segments().get(segment)));
      told += findings().isEmpty() ? 0 : 1;
      recovered("segment " + segment + " gone", false);
    }
    // The last one that was written cannot be missed: nothing says that there was one.
    assertTrue(told >= count - 2, told + " of " + count + " are told");
  }

  @Test
  void everySegmentDamagedAnywhere() throws Exception {
    var random = new Random(6);
    for (int round = 0; round < (ALL ? 3000 : 150); round++) {
      disk = withJournal();
      var segments = segments();
      var file = JOURNAL.resolve(segments.get(random.nextInt(segments.size())));
      var content = disk.content(file);
      int at = random.nextInt(content.length);
      switch (random.nextInt(3)) {
        case 0 -> content[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> Arrays.fill(content, at, Math.min(content.length, at + 512), (byte) 0);
        default -> content = Arrays.copyOf(content, at);
      }
      disk.change(file, content);
      recovered("round " + round, false);
    }
  }

  /// An old segment that comes back, under its name or another, is not played again.
  @Test
  void aSegmentOfOld() throws Exception {
    disk = withJournal();
    var old = new TreeMap<String, byte[]>();
    for (var name : segments()) {
      old.put(name, disk.content(JOURNAL.resolve(name)));
    }
    recovered("before", true);
    try (var store = Scenario.open(disk, 8)) {
      var account = store.account(Scenario.OWNERS.getFirst());
      try (var view = account.view(Mailbox.INBOX, true)) {
        account.expunge(List.of(view.at(1), view.at(2)));
      }
      truth = Scenario.snapshot(store).messages();
      settled = truth;
    }
    for (var segment : old.entrySet()) {
      var again = JOURNAL.resolve("0000009" + segment.getKey().charAt(7) + ".journal");
      disk.open(again, Disk.Mode.CREATE).close();
      disk.change(again, segment.getValue());
      recovered("replayed " + segment.getKey(), true);
    }
    for (var segment : old.entrySet()) {
      disk.change(JOURNAL.resolve(segment.getKey()), segment.getValue());
      recovered("put back " + segment.getKey(), true);
    }
  }

  /// The store opens and takes mail; what was in the documents is there, or `all` is.
  private void recovered(String where, boolean all) throws Exception {
    try (var store = Scenario.open(disk, 7)) {
      var found = Scenario.snapshot(store).messages();
      if (all) {
        assertEquals(truth, found, where);
      }
      assertTrue(found.entrySet().containsAll(settled.entrySet()), where);
      append(store, new longhand.mail.Address("carol", Scenario.OWNERS.getFirst().domain()), 1);
    } catch (RuntimeException e) {
      throw new AssertionError(where + ": " + e, e);
    }
  }
}
