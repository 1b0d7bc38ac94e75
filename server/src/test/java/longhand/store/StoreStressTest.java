package longhand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import longhand.check.Checker;
import longhand.check.Finding;
import longhand.disk.FileSystemDisk;
import longhand.mail.Address;
import longhand.mail.Domain;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Many threads on two accounts, with settling and compaction all the while: what each was promised
/// is there in the end, each view's sequence numbers follow the rules, and a reopening sees the
/// same.
class StoreStressTest {

  private static final long SEED = Long.getLong("longhand.seed", 11);
  private static final int THREADS = 8;
  private static final int OPERATIONS = Boolean.getBoolean("longhand.long") ? 5_000 : 250;

  private static final StoreSettings SETTINGS =
      new StoreSettings(
          1 << 20,
          8,
          true,
          Duration.ofMillis(50),
          Duration.ofDays(1),
          true,
          Duration.ofMinutes(5),
          4096,
          1L << 30);

  @TempDir Path data;

  private final List<Account> accounts = new ArrayList<>();
  private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();

  private Store open() throws Exception {
    var store =
        Store.open(data, new FileSystemDisk(), InstantSource.system(), new Random(), SETTINGS);
    accounts.clear();
    accounts.add(store.account(StoreTest.JBOB));
    accounts.add(store.account(new Address("alice", new Domain("example.com"))));
    return store;
  }

  @Test
  void manyThreadsOnTwoAccounts() throws Exception {
    Map<String, String> before;
    try (var store = open()) {
      var done = new AtomicBoolean();
      var keeper =
          Thread.ofPlatform()
              .start(
                  () -> {
                    while (!done.get()) {
                      try {
                        store.settle();
                        store.compact();
                      } catch (Exception e) {
                        failures.add(e);
                      }
                      Thread.onSpinWait();
                    }
                  });
      try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < THREADS; i++) {
          int number = i;
          threads.execute(() -> work(store, number));
        }
      }
      done.set(true);
      keeper.join();
      assertThat(failures).isEmpty();
      before = seen();
    }
    var findings = new ArrayList<Finding>();
    new Checker(new FileSystemDisk(), data, findings::add).check(null);
    findings.removeIf(finding -> finding.text().contains("has been removed"));
    assertEquals(List.of(), findings);
    try (var _ = open()) {
      assertEquals(before, seen());
    }
  }

  private Map<String, String> seen() throws Exception {
    var seen = new TreeMap<String, String>();
    for (var account : accounts) {
      for (var mailbox : account.mailboxes()) {
        try (var view = account.view(mailbox.number(), false)) {
          assertEquals(mailbox.messages(), view.count());
          for (int i = 1; i <= view.count(); i++) {
            var entry = view.at(i);
            seen.put(
                account.address() + "/" + mailbox.name() + "/" + entry.uid(),
                entry.id()
                    + " "
                    + entry.marks()
                    + " "
                    + entry.modseq()
                    + " "
                    + StoreTest.text(account, entry));
          }
        }
      }
    }
    return seen;
  }

  private void work(Store store, int number) {
    var random = new Random(SEED + number);
    try {
      var account = accounts.get(number % 2);
      int mailbox = 1 + random.nextInt(3);
      try (var view = account.view(mailbox, true)) {
        // What a client would know that only follows what it is told.
        var followed = new ArrayList<Entry>();
        for (int i = 1; i <= view.count(); i++) {
          followed.add(view.at(i));
        }
        for (int i = 0; i < OPERATIONS; i++) {
          operate(store, account, view, random, number * 1_000_000 + i);
          boolean expunges = random.nextBoolean();
          var changes = view.sync(expunges);
          if (!expunges) {
            assertThat(changes.expunged()).isEmpty();
          }
          for (int sequence : changes.expunged()) {
            assertThat(followed.remove(sequence - 1).expunged()).isTrue();
          }
          for (int sequence = followed.size() + 1; sequence <= view.count(); sequence++) {
            followed.add(view.at(sequence));
          }
          assertEquals(view.count(), followed.size(), "thread " + number + " operation " + i);
          for (int sequence = 1; sequence <= followed.size(); sequence += 7) {
            assertEquals(followed.get(sequence - 1).uid(), view.at(sequence).uid());
          }
        }
      }
    } catch (Throwable e) {
      failures.add(e);
    }
  }

  private static void operate(Store store, Account account, View view, Random random, int name)
      throws Exception {
    var some = new ArrayList<Entry>();
    for (int i = 1; i <= view.count(); i++) {
      if (random.nextInt(6) == 0) {
        some.add(view.at(i));
      }
    }
    switch (random.nextInt(10)) {
      case 0, 1, 2, 3 -> {
        var message = "Subject: " + name + "\r\n\r\n" + "x".repeat(random.nextInt(3000)) + "\r\n";
        var entry = StoreTest.append(store, account, 1 + random.nextInt(3), message, Marks.NONE);
        if (!entry.expunged()) {
          try {
            assertEquals(message, StoreTest.text(account, entry));
          } catch (java.io.IOException e) {
            // Expunged and compacted by another thread in between.
            assertThat(entry.expunged()).as(e.getMessage()).isTrue();
          }
        }
      }
      case 4, 5, 6 ->
          account.mark(
              some,
              random.nextBoolean() ? Account.Change.ADD : Account.Change.REMOVE,
              Marks.of(List.of(Flag.SEEN), List.of("k".repeat(1 + random.nextInt(60)))));
      case 7 -> account.expunge(some);
      case 8 -> account.move(some, 1 + random.nextInt(3));
      default -> account.copy(some.subList(0, Math.min(3, some.size())), 1 + random.nextInt(3));
    }
  }
}
