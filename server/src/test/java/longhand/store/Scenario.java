package longhand.store;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.WeakHashMap;
import longhand.disk.Disk;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.ReversePath;
import org.jspecify.annotations.NullMarked;
import org.slf4j.LoggerFactory;

/// A history of store operations from a seed, the same each time it is run, for tests that cut it
/// short.
@NullMarked
final class Scenario {

  static final Path DATA = Path.of("/data");
  static final List<Address> OWNERS =
      List.of(
          new Address("jbob", new Domain("example.com")),
          new Address("alice", new Domain("example.net")));

  /// Small segments, so that they are used again and again.
  static final StoreSettings SETTINGS =
      new StoreSettings(
          64 * 1024,
          4,
          false,
          Duration.ofSeconds(5),
          Duration.ofDays(1),
          false,
          Duration.ofMinutes(5),
          4096,
          1L << 30);

  private Scenario() {}

  /// A store on that disk whose threads are the caller alone.
  static Store open(Disk disk, long seed) throws IOException {
    // These histories break the disk on purpose, a hundred thousand times; other tests set the log
    // up anew.
    ((Logger) LoggerFactory.getLogger("longhand.store")).setLevel(Level.OFF);
    return Store.open(
        DATA, disk, () -> Instant.ofEpochSecond(1_795_000_000L), new Random(seed), SETTINGS);
  }

  /// One operation of a history.
  interface Step {
    void run(Store store) throws IOException, MailboxException;
  }

  /// What everybody can see of a store: the names of mailboxes, and of each message all that is
  /// kept.
  record Snapshot(Map<String, String> messages, Map<String, Long> uidNexts) {}

  static Snapshot snapshot(Store store) throws IOException, MailboxException {
    return snapshot(store, OWNERS);
  }

  static Snapshot snapshot(Store store, List<Address> owners) throws IOException, MailboxException {
    var messages = new TreeMap<String, String>();
    var uidNexts = new TreeMap<String, Long>();
    for (var owner : owners) {
      var account = store.account(owner);
      for (var mailbox : account.mailboxes()) {
        var name = owner + "/" + mailbox.name();
        messages.put(name, mailbox.role() + " " + mailbox.subscribed());
        uidNexts.put(name + " " + mailbox.uidValidity(), mailbox.uidNext());
        if (mailbox.messages() == 0) {
          continue;
        }
        try (var view = account.view(mailbox.number(), false)) {
          for (int i = 1; i <= view.count(); i++) {
            var entry = view.at(i);
            try (var in = account.open(entry)) {
              var text = in.readAllBytes();
              messages.put(
                  name + "/" + entry.uid(),
                  entry.id()
                      + " "
                      + entry.marks()
                      + " "
                      + entry.sizeOctets()
                      + " "
                      + text.length
                      + " "
                      + Ledger.crc(text, 0, text.length));
            }
          }
        }
      }
    }
    return new Snapshot(messages, uidNexts);
  }

  /// A history of that many steps, of all kinds.
  static List<Step> steps(long seed, int count) {
    var random = new Random(seed);
    var steps = new ArrayList<Step>();
    for (int i = 0; i < count; i++) {
      long step = random.nextLong();
      int kind = random.nextInt(28);
      steps.add(store -> run(store, kind, new Random(step)));
    }
    return steps;
  }

  /// One kind of operation each.
  static final List<Integer> KINDS =
      List.of(0, 5, 6, 8, 12, 14, 16, 17, 18, 19, 20, 21, 23, 24, 26, 27);

  /// A history of those kinds.
  static List<Step> ofKinds(long seed, List<Integer> kinds) {
    var random = new Random(seed);
    var steps = new ArrayList<Step>();
    for (int kind : kinds) {
      long step = random.nextLong();
      steps.add(store -> run(store, kind, new Random(step)));
    }
    return steps;
  }

  private static void run(Store store, int kind, Random random)
      throws IOException, MailboxException {
    var account = store.account(OWNERS.get(random.nextInt(OWNERS.size())));
    var mailboxes = account.mailboxes();
    var mailbox = mailboxes.get(random.nextInt(mailboxes.size())).number();
    var other = mailboxes.get(random.nextInt(mailboxes.size())).number();
    switch (kind) {
      case 0, 1, 2, 3, 4 -> append(store, List.of(account), mailbox, random, 2000);
      case 5 -> append(store, List.of(account), mailbox, random, 300_000);
      case 6, 7 ->
          append(
              store,
              List.of(store.account(OWNERS.getFirst()), store.account(OWNERS.getLast())),
              Mailbox.INBOX,
              random,
              1000);
      case 8, 9, 10, 11 ->
          account.mark(some(account, mailbox, random), change(random), marks(random));
      case 12, 13 -> account.expunge(some(account, mailbox, random));
      case 14, 15 -> account.move(some(account, mailbox, random), other);
      case 16 -> account.copy(some(account, mailbox, random), other);
      case 17 -> create(account, random);
      case 18 -> {
        if (mailbox != Mailbox.INBOX) {
          try {
            account.rename(Map.of(mailbox, "Renamed " + random.nextInt(100)));
          } catch (MailboxException e) {
            // The name is taken: nothing happens, which is a history too.
          }
        }
      }
      case 19 -> {
        if (mailbox > 6) {
          account.delete(mailbox);
        }
      }
      case 20 -> account.subscribe("Somewhere/" + random.nextInt(3), random.nextBoolean());
      case 21, 22 -> store.settle();
      case 24, 25 -> compactMeanwhile(account);
      case 26, 27 -> {
        var gone = some(account, mailbox, random);
        change(
            store,
            List.of(store.account(OWNERS.get(random.nextInt(OWNERS.size())))),
            Mailbox.INBOX,
            random,
            kind == 26 ? 1000 : 300_000,
            gone.stream().map(entry -> new Removal(account, entry)).toList());
      }
      default -> {
        store.settle();
        store.compact();
      }
    }
  }

  private static final Map<Account, Compaction.Copying> COPYING =
      Collections.synchronizedMap(new WeakHashMap<>());

  /// Begins a compaction, or ends the one begun: other steps come in between.
  private static void compactMeanwhile(Account account) throws IOException {
    var begun = COPYING.remove(account);
    if (begun != null) {
      try (begun) {
        account.compaction.end(begun);
      }
    } else if (account.deadOctets > 0) {
      var copying = account.compaction.start();
      if (copying != null) {
        copying.copy();
        COPYING.put(account, copying);
      }
    }
  }

  private static void create(Account account, Random random) throws IOException, MailboxException {
    try {
      account.create(
          "Folder " + random.nextInt(50) + "/" + "x".repeat(random.nextInt(200)), Role.NONE);
    } catch (MailboxException e) {
      // The name is taken: nothing happens, which is a history too.
    }
  }

  private static Account.Change change(Random random) {
    return List.of(Account.Change.values()).get(random.nextInt(3));
  }

  private static Marks marks(Random random) {
    var flags = new ArrayList<Flag>();
    for (var flag : Flag.values()) {
      if (random.nextInt(3) == 0) {
        flags.add(flag);
      }
    }
    var keywords = new ArrayList<String>();
    while (random.nextInt(3) == 0) {
      keywords.add("k" + random.nextInt(5) + "w".repeat(random.nextInt(50)));
    }
    return Marks.of(flags, keywords);
  }

  private static List<Entry> some(Account account, int mailbox, Random random)
      throws IOException, MailboxException {
    var some = new ArrayList<Entry>();
    try (var view = account.view(mailbox, true)) {
      for (int i = 1; i <= view.count(); i++) {
        if (random.nextInt(3) > 0) {
          some.add(view.at(i));
        }
      }
    }
    return some;
  }

  private static void append(
      Store store, List<Account> accounts, int mailbox, Random random, int octets)
      throws IOException, MailboxException {
    change(store, accounts, mailbox, random, octets, List.of());
  }

  private static void change(
      Store store,
      List<Account> accounts,
      int mailbox,
      Random random,
      int octets,
      List<Removal> removals)
      throws IOException, MailboxException {
    var text = new StringBuilder("Subject: " + random.nextInt() + "\r\n");
    if (random.nextInt(4) == 0) {
      text.append("Status: D\r\nX-Quoted-X-UID: 7\r\n");
    }
    text.append("\r\n");
    int wanted = random.nextInt(octets) + octets / 100;
    while (text.length() < wanted) {
      text.append(random.nextInt(8) == 0 ? ">From " : "").append(random.nextLong()).append("\r\n");
    }
    if (random.nextInt(4) == 0) {
      text.append("no newline at the end");
    }
    var bytes = text.toString().getBytes(StandardCharsets.US_ASCII);
    try (var letter = store.letter()) {
      letter.write(bytes, 0, bytes.length);
      letter.finish();
      var appends = new ArrayList<Append>();
      for (var account : accounts) {
        appends.add(
            new Append(
                account,
                mailbox,
                ReversePath.NULL,
                Instant.ofEpochSecond(1_700_000_000L + random.nextInt(1 << 20)),
                random.nextInt(4) == 0 ? marks(random) : Marks.NONE,
                ("Delivered-To: " + account.address() + "\r\n").getBytes(StandardCharsets.US_ASCII),
                letter));
      }
      store.change(appends, removals);
    }
  }
}
