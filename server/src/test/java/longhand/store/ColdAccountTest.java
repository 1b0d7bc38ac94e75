package longhand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import longhand.disk.Disk;
import longhand.disk.DiskFile;
import longhand.disk.FileSystemDisk;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Accounts of which only the catalogue's entry is known: deliveries need no more, and what is seen
/// is the same as when everything is read.
class ColdAccountTest {

  @TempDir Path data;

  /// One thread, an index, and nothing happens by itself.
  private static final StoreSettings SETTINGS =
      new StoreSettings(
          64 * 1024,
          8,
          false,
          Duration.ofSeconds(5),
          Duration.ofDays(1),
          true,
          Duration.ofMinutes(5),
          4096,
          1L << 30);

  private Store open(Disk disk) throws IOException {
    return Store.open(
        data, disk, () -> Instant.ofEpochSecond(1_795_000_000L), new Random(3), SETTINGS);
  }

  @Test
  void aDeliveryReadsTheHeadOfTheDocumentAlone() throws Exception {
    try (var store = open(new FileSystemDisk())) {
      var account = store.account(StoreTest.JBOB);
      for (int i = 1; i <= 500; i++) {
        StoreTest.append(store, account, Mailbox.INBOX, "Subject: " + i + "\r\n\r\n", Marks.NONE);
      }
    }
    var disk = new CountingDisk(data.resolve("mail/example.com/jbob"));
    try (var store = open(disk)) {
      disk.reads.set(0);
      var account = store.account(StoreTest.JBOB);
      var entry = StoreTest.append(store, account, 1, "Subject: new\r\n\r\n", Marks.NONE);
      assertEquals(501, entry.uid());
      assertEquals(501, account.usage().messages());
      var inbox = account.mailbox("inbox").orElseThrow();
      assertEquals(501, inbox.messages());
      assertEquals(501, inbox.unseen());
      assertEquals(502, inbox.uidNext());
      assertThat(disk.reads.get()).as("reads of the document").isEqualTo(1);
      assertThat(account.full).isFalse();
      store.settle();
      assertThat(account.closeIfIdle(0)).isTrue();
      StoreTest.append(store, account, 1, "Subject: newer\r\n\r\n", Marks.NONE);
      assertThat(disk.reads.get()).as("reads of the document").isEqualTo(2);
      try (var view = account.view(1, true)) {
        assertEquals(502, view.count());
        assertEquals("Subject: 1\r\n\r\n", StoreTest.text(account, view.at(1)));
        assertEquals("Subject: newer\r\n\r\n", StoreTest.text(account, view.at(502)));
      }
      // The rows of the first 500 came from the index, the two others from the document.
      assertThat(disk.reads.get()).isLessThan(10);
    }
  }

  @Test
  void whatIsSeenIsTheSameColdFullAndWithoutCaches() throws Exception {
    for (long seed = 1; seed <= 40; seed++) {
      var random = new Random(seed);
      var folder = data.resolve("run" + seed);
      Files.createDirectories(folder);
      for (int part = 0; part < 3; part++) {
        try (var store = open(folder, seed)) {
          for (var step : Scenario.steps(seed * 10 + part, 25)) {
            step.run(store);
            if (random.nextInt(3) == 0) {
              store.settle();
              compare(store, "seed " + seed);
            }
          }
        }
      }
      var known = snapshot(folder, seed);
      Files.delete(folder.resolve("catalogue"));
      assertEquals(known, snapshot(folder, seed), "seed " + seed);
    }
  }

  private static Scenario.Snapshot snapshot(Path folder, long seed) throws Exception {
    try (var store = open(folder, seed)) {
      return Scenario.snapshot(store);
    }
  }

  private static Store open(Path folder, long seed) throws IOException {
    return Store.open(
        folder,
        new FileSystemDisk(),
        () -> Instant.ofEpochSecond(1_795_000_000L),
        new Random(seed),
        SETTINGS);
  }

  /// Closes both accounts, and compares what is told of their mailboxes before and after the
  /// entries are read.
  private static void compare(Store store, String seed) throws Exception {
    for (var owner : Scenario.OWNERS) {
      var account = store.account(owner);
      var open = new TreeMap<Integer, Mailbox>();
      for (var mailbox : account.mailboxes()) {
        open.put(mailbox.number(), mailbox);
      }
      account.closeIfIdle(0);
      for (var mailbox : account.mailboxes()) {
        assertEquals(open.get(mailbox.number()), mailbox, seed + " closed and open");
      }
      var usage = account.usage();
      for (var mailbox : account.mailboxes()) {
        account.view(mailbox.number(), false).close();
      }
      for (var mailbox : account.mailboxes()) {
        assertEquals(open.get(mailbox.number()), mailbox, seed + " with entries");
      }
      assertEquals(usage, account.usage());
    }
  }

  @Test
  void accountsUnusedLongestAreClosedWhenMemoryIsShort() throws Exception {
    var settings = SETTINGS.withOpenOctetsMax(200_000);
    try (var store =
        Store.open(
            data,
            new FileSystemDisk(),
            () -> Instant.ofEpochSecond(1_795_000_000L),
            new Random(3),
            settings)) {
      var first = store.account(Scenario.OWNERS.getFirst());
      var second = store.account(Scenario.OWNERS.getLast());
      for (var account : List.of(first, second)) {
        for (int i = 1; i <= 1500; i++) {
          StoreTest.append(store, account, Mailbox.INBOX, "Subject: " + i + "\r\n\r\n", Marks.NONE);
          if (i % 100 == 0) {
            store.settle();
          }
        }
        account.view(1, false).close();
      }
      store.settle();
      Awaitility.await()
          .atMost(Duration.ofSeconds(10))
          .until(
              () -> {
                store.closeIdle();
                return !first.isOpen();
              });
      assertThat(second.isOpen()).isTrue();
      try (var view = first.view(1, true)) {
        assertEquals(1500, view.count());
      }
    }
  }

  @Test
  void aChangeFromOutsideWhileCold() throws Exception {
    try (var store = open(new FileSystemDisk())) {
      var account = store.account(StoreTest.JBOB);
      StoreTest.append(store, account, 1, "Subject: one\r\n\r\n", Marks.NONE);
      store.settle();
      assertThat(account.closeIfIdle(0)).isTrue();
      StoreTest.append(store, account, 1, "Subject: two\r\n\r\n", Marks.NONE);
      assertThat(account.full).isFalse();
      Files.writeString(
          data.resolve("mail/example.com/jbob"),
          "From eve@example.org Mon Nov 23 05:06:07 2026\nSubject: three\n\nthree\n\n",
          StandardOpenOption.APPEND);
      StoreTest.append(store, account, 1, "Subject: four\r\n\r\n", Marks.NONE);
      try (var view = account.view(1, true)) {
        assertEquals(4, view.count());
        assertEquals("Subject: one\r\n\r\n", StoreTest.text(account, view.at(1)));
        assertEquals("Subject: two\r\n\r\n", StoreTest.text(account, view.at(2)));
        assertEquals("Subject: three\r\n\r\nthree\r\n", StoreTest.text(account, view.at(3)));
        assertEquals("Subject: four\r\n\r\n", StoreTest.text(account, view.at(4)));
      }
    }
  }

  @Test
  void anOlderCatalogueMisleadsNobody() throws Exception {
    try (var store = open(new FileSystemDisk())) {
      StoreTest.append(store, store.account(StoreTest.JBOB), 1, "Subject: 1\r\n\r\n", Marks.NONE);
    }
    var old = data.resolve("old");
    Files.copy(data.resolve("catalogue"), old);
    try (var store = open(new FileSystemDisk())) {
      StoreTest.append(store, store.account(StoreTest.JBOB), 1, "Subject: 2\r\n\r\n", Marks.NONE);
    }
    var whole = Files.readAllBytes(old);
    var random = new Random(8);
    for (int i = 0; i < 30; i++) {
      var other = whole.clone();
      for (int flips = i; flips > 0; flips--) {
        other[random.nextInt(other.length)] ^= (byte) (1 << random.nextInt(8));
      }
      Files.write(data.resolve("catalogue"), other);
      try (var store = open(new FileSystemDisk())) {
        var account = store.account(StoreTest.JBOB);
        var entry = StoreTest.append(store, account, 1, "Subject: more\r\n\r\n", Marks.NONE);
        assertEquals(i + 3, entry.uid());
        try (var view = account.view(1, true)) {
          assertEquals(i + 3, view.count());
        }
      }
    }
  }

  /// Counts the reads of one file.
  private static final class CountingDisk implements Disk {
    private final Disk disk = new FileSystemDisk();
    private final Path counted;
    final AtomicInteger reads = new AtomicInteger();

    CountingDisk(Path counted) {
      this.counted = counted;
    }

    @Override
    public DiskFile open(Path path, Mode mode) throws IOException {
      var file = disk.open(path, mode);
      return path.equals(counted) ? new CountingFile(file) : file;
    }

    @Override
    public Optional<Facts> facts(Path path) throws IOException {
      return disk.facts(path);
    }

    @Override
    public boolean exists(Path path) {
      return disk.exists(path);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
      disk.rename(from, to);
    }

    @Override
    public void delete(Path path) throws IOException {
      disk.delete(path);
    }

    @Override
    public void createFolders(Path path) throws IOException {
      disk.createFolders(path);
    }

    @Override
    public void forceFolder(Path path) throws IOException {
      disk.forceFolder(path);
    }

    @Override
    public List<String> list(Path path) throws IOException {
      return disk.list(path);
    }

    @Override
    public long freeOctets(Path path) throws IOException {
      return disk.freeOctets(path);
    }

    private final class CountingFile implements DiskFile {
      private final DiskFile file;

      CountingFile(DiskFile file) {
        this.file = file;
      }

      @Override
      public int read(ByteBuffer target, long position) throws IOException {
        reads.incrementAndGet();
        return file.read(target, position);
      }

      @Override
      public void write(ByteBuffer source, long position) throws IOException {
        file.write(source, position);
      }

      @Override
      public void copyTo(long position, long length, DiskFile target, long targetPosition)
          throws IOException {
        file.copyTo(position, length, target, targetPosition);
      }

      @Override
      public long size() throws IOException {
        return file.size();
      }

      @Override
      public void truncate(long size) throws IOException {
        file.truncate(size);
      }

      @Override
      public void force(boolean times) throws IOException {
        file.force(times);
      }

      @Override
      public @Nullable Closeable tryLock() throws IOException {
        return file.tryLock();
      }

      @Override
      public void close() throws IOException {
        file.close();
      }
    }
  }
}
