package longhand.queue;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.UnaryOperator;
import longhand.delivery.Delivery;
import longhand.delivery.Destination;
import longhand.delivery.Expansion;
import longhand.delivery.Outcome;
import longhand.directory.Directory;
import longhand.disk.SimDisk;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.Envelope;
import longhand.mail.ForwardPath;
import longhand.mail.ReversePath;
import longhand.srs.SenderRewriting;
import longhand.store.MailboxException;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/// What happens to a queue and its messages from a seed: messages come, servers go and return, the
/// clock jumps, the disk is in trouble, the power fails; and then all is over, and judged.
final class QueueHistory {

  private static final Path DATA = Path.of("/data");
  private static final int STEPS = 25;
  private static final List<Domain> DOMAINS =
      List.of(
          new Domain("one.example"),
          new Domain("two.example"),
          SimServers.DEAD,
          SimServers.UNNAMED,
          SimServers.NAME_SERVERS_FAIL);
  private static final List<Address> ACCOUNTS =
      List.of(
          new Address("bob", TestQueue.SENDER.domain()),
          new Address("carl", TestQueue.SENDER.domain()));
  private static final byte[] TRACE = "Received: x\r\n".getBytes(StandardCharsets.US_ASCII);

  /// What is wrong with a disk for a while.
  enum Fault {
    /// Nothing.
    NONE,
    /// No write and no force works.
    ERRORS,
    /// It is full: a part of a write, then nothing more is written, until there is room again.
    FULL,
    /// One write fails.
    ONE_WRITE,
    /// One force fails and drops what was to be forced, while reads go on showing it.
    ONE_FORCE,
    /// Nothing can be read.
    READS
  }

  /// What befalls the first disk of a history, counted in its changing calls.
  ///
  /// @param from the first call that fails, 0 for none
  /// @param calls how many do
  /// @param crashAt the call in whose middle the power fails, 0 for none
  record Trouble(Fault fault, int from, int calls, int crashAt) {

    static final Trouble NONE = new Trouble(Fault.NONE, 0, 0, 0);

    static Trouble powerLost(int at) {
      return new Trouble(Fault.NONE, 0, 0, at);
    }

    private SimDisk.Fate fate(SimDisk disk) {
      return (call, path, number) -> {
        boolean reads = call == SimDisk.Call.READ || call == SimDisk.Call.OPEN;
        boolean struck = number >= from && number < from + calls;
        switch (fault) {
          case NONE -> struck = false;
          case READS -> struck &= reads;
          case ERRORS -> struck &= !reads;
          case FULL -> struck &= call == SimDisk.Call.WRITE;
          case ONE_WRITE -> struck = call == SimDisk.Call.WRITE && number == from;
          case ONE_FORCE -> struck = call == SimDisk.Call.FORCE && number == from;
        }
        if (!struck) {
          return true;
        }
        if (fault == Fault.ONE_FORCE) {
          disk.forget(path);
        }
        if (fault == Fault.FULL || fault == Fault.ONE_WRITE) {
          throw new SimDisk.ShortWrite(number == from ? from * 97 % 1500 : 0);
        }
        throw new IOException("Input/output error");
      };
    }
  }

  /// What the queue and what is around it do wrong, to see that the judge sees it.
  ///
  /// @param batches makes wrong batches of those of the store
  /// @param courier tells wrongly what servers said
  /// @param apart whether recipients here have a batch of their own
  /// @param fate what the disk leaves out
  record Mistake(
      UnaryOperator<Batches> batches,
      UnaryOperator<Courier> courier,
      boolean apart,
      SimDisk.@Nullable Fate fate) {

    static final Mistake NONE =
        new Mistake(UnaryOperator.identity(), UnaryOperator.identity(), false, null);

    static Mistake ofBatches(UnaryOperator<Batches> batches) {
      return new Mistake(batches, UnaryOperator.identity(), false, null);
    }

    static Mistake ofCourier(UnaryOperator<Courier> courier) {
      return new Mistake(UnaryOperator.identity(), courier, false, null);
    }
  }

  /// What a history was like.
  ///
  /// @param calls changing calls of its first disk
  /// @param starts how often the queue was opened
  record Course(int calls, int starts) {}

  private final long seed;
  private final Random random;
  private final Trouble trouble;
  private final Mistake mistake;
  private final SimServers servers;
  private final QueueLedger ledger = new QueueLedger();
  private final Directory directory;
  private SimDisk disk = new SimDisk();
  private @Nullable TestQueue queue;
  private @Nullable Delivery delivery;
  private Instant now = TestQueue.BEGAN;
  private Instant latest = now;
  private int messages;
  private int starts;
  private boolean refused;

  private QueueHistory(Directory directory, long seed, Trouble trouble, Mistake mistake) {
    this.directory = directory;
    this.seed = seed;
    this.random = new Random(seed * 0x9e3779b97f4a7c15L);
    this.trouble = trouble;
    this.mistake = mistake;
    this.servers = new SimServers(seed);
    servers.hangs = time -> pass(now.plus(time));
  }

  /// Lets one come to pass and judges it; an `AssertionError` says what is wrong.
  ///
  /// @param folder where there is nothing, for the directory
  static Course run(Path folder, long seed, Trouble trouble, Mistake mistake) throws Exception {
    ((Logger) LoggerFactory.getLogger("longhand")).setLevel(Level.OFF);
    try {
      var directory = Directory.open(folder, List.of(TestQueue.SENDER.domain()));
      return new QueueHistory(directory, seed, trouble, mistake).run();
    } catch (AssertionError | Exception e) {
      throw new AssertionError("seed " + seed + ", " + trouble + ": " + e.getMessage(), e);
    }
  }

  private Course run() throws Exception {
    var first = disk;
    servers.alive = () -> !disk.dead();
    disk.fate(mistake.fate() != null ? mistake.fate() : trouble.fate(disk));
    if (trouble.crashAt() > 0) {
      disk.crashAt(trouble.crashAt());
    }
    for (int step = 0; step < STEPS; step++) {
      try {
        if (queue == null) {
          open();
        } else if (refused && random.nextInt(3) == 0) {
          restart();
        }
        step();
      } catch (SimDisk.PowerLoss | IOException e) {
        if (!disk.dead()) {
          throw e;
        }
      }
      if (disk.dead()) {
        powerLost();
      }
    }
    // What befalls the end is another history's.
    disk.crashAt(Integer.MAX_VALUE - disk.calls());
    judge();
    return new Course(first.calls(), starts);
  }

  private void pass(Instant time) {
    now = time;
    latest = now.isAfter(latest) ? now : latest;
    if (queue != null) {
      queue.now = now;
    }
  }

  private TestQueue open() throws IOException, MailboxException {
    starts++;
    refused = false;
    TestQueue opened;
    try {
      opened = opened();
    } catch (IOException e) {
      // Whoever looks after the server mends the disk before the next start.
      if (trouble.fault() == Fault.NONE) {
        throw e;
      }
      disk.fate(null);
      opened = opened();
    }
    queue = opened;
    delivery =
        new Delivery(
            opened.store,
            directory,
            opened.queue,
            new SenderRewriting(
                TestQueue.SENDER.domain(),
                _ -> true,
                List.of("a secret of these tests"),
                () -> now),
            opened.journeys);
    return opened;
  }

  private TestQueue opened() throws IOException, MailboxException {
    return new TestQueue(
        disk, DATA, mistake.courier().apply(servers), now, 1000 * starts, mistake.batches());
  }

  /// The process ends as well as it can, and with it the trouble of the disk, perhaps.
  private void restart() throws IOException, MailboxException {
    var before = queue;
    queue = null;
    ledger.wentDown(servers);
    if (before != null) {
      try {
        before.close();
      } catch (IOException e) {
        // It could not write what waited in memory to be written.
      }
    }
    if (random.nextBoolean()) {
      disk = disk.afterCrash(new Random(seed * 37 + starts));
    } else {
      disk.fate(null);
    }
    open();
  }

  private void powerLost() {
    ledger.wentDown(servers);
    queue = null;
    disk = disk.afterCrash(new Random(seed * 31 + trouble.crashAt()));
  }

  private void step() throws IOException, MailboxException {
    var running = queue == null ? open() : queue;
    switch (random.nextInt(6)) {
      case 0, 1, 2 -> handIn();
      case 3 -> servers.dead(random.nextBoolean());
      default ->
          pass(
              switch (random.nextInt(12)) {
                case 0 -> now.plus(Duration.ofDays(1 + random.nextInt(6)));
                case 1 -> now.minus(Duration.ofHours(1 + random.nextInt(5)));
                default -> now.plusSeconds(random.nextInt(3 * 3600));
              });
    }
    work(running);
  }

  private void work(TestQueue running) {
    if (running.run() && !disk.dead()) {
      ledger.recorded(servers);
    }
  }

  private void handIn() throws IOException {
    var subject = "m" + ++messages;
    var from =
        switch (random.nextInt(8)) {
          case 0 -> ReversePath.NULL;
          case 1, 2 -> ReversePath.of(new Address("ed", SimServers.AWAY));
          default -> ReversePath.of(TestQueue.SENDER);
        };
    var elsewhere = new ArrayList<Address>();
    for (int n = random.nextInt(3); n >= 0; n--) {
      elsewhere.add(new Address(subject + "r" + n, DOMAINS.get(random.nextInt(DOMAINS.size()))));
    }
    var here = new ArrayList<Address>();
    for (var account : ACCOUNTS) {
      if (random.nextInt(3) == 0) {
        here.add(account);
      }
    }
    int lines = random.nextInt(12) == 0 ? 4000 : 1;
    boolean accepted = false;
    try {
      if (mistake.apart() && !here.isEmpty()) {
        boolean one = deliver(subject, from, here, List.of(), lines);
        boolean other = deliver(subject, from, List.of(), elsewhere, lines);
        accepted = one && other;
      } else {
        accepted = deliver(subject, from, here, elsewhere, lines);
      }
    } finally {
      refused |= !accepted;
      ledger.add(new QueueLedger.Message(subject, from, now, accepted, here, elsewhere));
    }
  }

  /// As a session does when it has a whole message; whether it may say 250.
  private boolean deliver(
      String subject, ReversePath from, List<Address> here, List<Address> elsewhere, int lines)
      throws IOException {
    var running = Objects.requireNonNull(queue);
    var paths = new ArrayList<ForwardPath>();
    var to = new ArrayList<Destination.Found>();
    for (var account : here) {
      var path = ForwardPath.of(account);
      paths.add(path);
      to.add(
          new Destination.Found(
              path,
              true,
              List.of(new Destination.Here(path, running.store.account(account), 0)),
              List.of(),
              Expansion.Due.NOTHING));
    }
    for (var address : elsewhere) {
      var path = ForwardPath.of(address);
      paths.add(path);
      to.add(Destination.Found.relay(path));
    }
    var envelope =
        new Envelope(
            from, paths, Envelope.Body.SEVEN_BIT, false, Optional.empty(), Optional.empty());
    try (var letter = running.store.letter()) {
      var text =
          ("Subject: " + subject + "\r\n\r\n" + "From here to there, and on.\r\n".repeat(lines))
              .getBytes(StandardCharsets.US_ASCII);
      letter.write(text, 0, text.length);
      letter.finish();
      return Objects.requireNonNull(delivery)
          .deliver(
              new Delivery.Accepted(
                  Long.toString(1_000_000L * starts + messages, 36),
                  Optional.empty(),
                  envelope,
                  letter,
                  now,
                  _ -> TRACE,
                  _ -> TRACE),
              to,
              true)
          .stream()
          .allMatch(
              outcome -> outcome instanceof Outcome.Stored || outcome instanceof Outcome.Queued);
    }
  }

  /// Judges what is so now, then lets all come to its end and judges that.
  private void judge() throws Exception {
    disk.fate(mistake.fate());
    if (trouble.fault() != Fault.NONE || queue == null) {
      restart();
    }
    var running = Objects.requireNonNull(queue);
    work(running);
    ledger.judge(servers, running::reports, waiting(running), latest);
    servers.dead(random.nextBoolean());
    var end = now.plus(Duration.ofDays(7));
    while (now.isBefore(end)) {
      pass(now.plus(Duration.ofHours(2)));
      work(running);
    }
    assertThat(running.queue.size()).as("what still waits").isZero();
    ledger.judge(servers, running::reports, waiting(running), latest);
    running.close();
  }

  private static Set<Address> waiting(TestQueue running) {
    var waiting = new HashSet<Address>();
    running.queue.list(
        entry -> entry.waiting().forEach(recipient -> waiting.add(recipient.address())));
    return waiting;
  }
}
