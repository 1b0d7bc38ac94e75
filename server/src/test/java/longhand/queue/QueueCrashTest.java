package longhand.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import longhand.disk.SimDisk;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;
import longhand.mail.ForwardPath;
import longhand.relay.Outcome;
import longhand.store.MailboxException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/// The queue and other servers, with the power lost at every write of a history: what was accepted
/// reaches each recipient or comes back, once (invariant I8). Servers are dead, slow to accept,
/// lose their last reply, or do not exist; time jumps. What was sent and told is known outside.
class QueueCrashTest {

  private static final long SEED = Long.getLong("longhand.seed", 1);
  private static final Path DATA = Path.of("/data");
  private static final List<String> DOMAINS =
      List.of("one.example", "two.example", "dead.example", "none.example");

  /// What happens, from a seed, and what is known of it outside.
  private static final class World {
    final long seed;
    final Random random;
    final TestCourier courier = new TestCourier();
    final Set<String> accepted = new HashSet<>();
    final Map<String, List<String>> recipients = new HashMap<>();
    final Map<String, Integer> mayRepeat = new HashMap<>();
    final Map<String, Integer> tries = new HashMap<>();
    Instant now = TestQueue.BEGAN;
    int messages;
    int arrivedBefore;

    World(long seed) {
      this.seed = seed;
      this.random = new Random(seed * 0x9e3779b97f4a7c15L);
      courier.answers = this::answer;
      courier.places.put(
          new Domain("none.example"),
          new Courier.Contact.Nowhere(new EnhancedStatus(5, 1, 2), "no such domain"));
    }

    /// The same for the same try, whatever happened in between.
    private Outcome answer(Address to) {
      int attempt = tries.merge(to.toString(), 1, Integer::sum);
      int chance = new Random((seed + to.hashCode()) * 0x9e3779b97f4a7c15L + attempt).nextInt(10);
      if (attempt > 4) {
        return TestCourier.ACCEPTED;
      }
      return switch (chance) {
        case 0, 1 -> TestCourier.GREYLISTED;
        case 2 -> TestCourier.UNKNOWN;
        case 3 -> {
          mayRepeat.merge(to.toString(), 1, Integer::sum);
          yield TestCourier.LOST;
        }
        case 4 -> TestCourier.CUT;
        default -> TestCourier.ACCEPTED;
      };
    }

    TestQueue open(SimDisk disk) throws IOException {
      return new TestQueue(disk, DATA, courier, now, 1000 * ++messages);
    }

    void step(TestQueue queue) throws IOException, MailboxException {
      switch (random.nextInt(5)) {
        case 0, 1 -> accept(queue);
        case 2 -> courier.dead("dead.example", random.nextBoolean());
        default -> {
          now = now.plusSeconds(random.nextInt(3 * 3600));
          queue.now = now;
        }
      }
      arrivedBefore = courier.arrived.size();
      queue.run();
    }

    private void accept(TestQueue queue) throws IOException, MailboxException {
      int number = ++messages;
      var to = new ArrayList<ForwardPath>();
      var names = new ArrayList<String>();
      for (int n = random.nextInt(3); n >= 0; n--) {
        var name = "m" + number + "r" + n + "@" + DOMAINS.get(random.nextInt(DOMAINS.size()));
        names.add(name);
        to.add(TestQueue.to(name));
      }
      recipients.put("m" + number, names);
      queue.accept(TestQueue.SENDER, "Subject: m" + number + "\r\n\r\ntext\r\n", to);
      accepted.add("m" + number);
    }

    /// The power fails: what was sent in the step that was cut short is perhaps not written down.
    void powerLost() {
      for (var each : courier.arrived.subList(arrivedBefore, courier.arrived.size())) {
        mayRepeat.merge(each.to().toString(), 1, Integer::sum);
      }
      arrivedBefore = courier.arrived.size();
    }

    /// Lets all come to its end, then compares.
    void judge(TestQueue queue) throws IOException, MailboxException {
      courier.dead("dead.example", random.nextBoolean());
      queue.pass(Duration.ofDays(7), Duration.ofHours(2));
      assertThat(queue.queue.size()).as("what still waits").isZero();
      var arrived = new HashMap<String, Integer>();
      courier.arrived.forEach(each -> arrived.merge(each.to().toString(), 1, Integer::sum));
      var failed = new HashMap<String, Integer>();
      for (var report : queue.reports(TestQueue.SENDER)) {
        for (var part : report.split("Final-Recipient: rfc822; ", -1)) {
          int end = part.indexOf("\r\nAction: failed\r\n");
          if (end > 0 && part.indexOf('\r') == end) {
            failed.merge(part.substring(0, end), 1, Integer::sum);
          }
        }
      }
      for (var message : recipients.entrySet()) {
        for (var to : message.getValue()) {
          int times = arrived.getOrDefault(to, 0);
          int told = failed.getOrDefault(to, 0);
          if (accepted.contains(message.getKey()) && times + told == 0) {
            fail(to + " was accepted, did not arrive, and nobody was told");
          }
          int repeats = mayRepeat.getOrDefault(to, 0);
          if (times > 1 + repeats) {
            fail(to + " arrived " + times + " times, of which " + repeats + " are excused");
          }
          if (told > 1) {
            fail("the sender was told " + told + " times that " + to + " failed");
          }
          if (times > 0 && told > 0 && repeats == 0) {
            fail(to + " arrived, and its sender was told that it failed");
          }
        }
      }
    }
  }

  private static void quiet() {
    ((Logger) LoggerFactory.getLogger("longhand.store")).setLevel(Level.OFF);
    ((Logger) LoggerFactory.getLogger("longhand.queue")).setLevel(Level.OFF);
  }

  /// One history with the power lost at that call; gives how many calls there were.
  private static int run(long seed, int steps, int crashAt, SimDisk.@Nullable Fate fate)
      throws Exception {
    var world = new World(seed);
    var disk = new SimDisk();
    if (fate != null) {
      disk.fate(fate);
    }
    if (crashAt > 0) {
      disk.crashAt(crashAt);
    }
    var first = disk;
    world.courier.alive = () -> !first.dead();
    TestQueue queue = null;
    int step = 0;
    try {
      queue = world.open(disk);
      for (; step < steps && !disk.dead(); step++) {
        world.step(queue);
      }
    } catch (SimDisk.PowerLoss | IOException e) {
      if (!disk.dead()) {
        throw e;
      }
      step++;
    }
    if (disk.dead()) {
      world.powerLost();
      disk = disk.afterCrash(new Random(seed * 31 + crashAt));
      world.courier.alive = () -> true;
      queue = world.open(disk);
      for (; step < steps; step++) {
        world.step(queue);
      }
    }
    if (queue == null) {
      throw new IllegalStateException("neither a queue nor a crash");
    }
    int calls = disk.calls();
    world.judge(queue);
    queue.close();
    return calls;
  }

  @Test
  void powerLostAtEveryWrite() throws Exception {
    quiet();
    int histories = Boolean.getBoolean("longhand.long") ? 200 : 12;
    int runs = 0;
    for (int history = 0; history < histories; history++) {
      long seed = SEED * 1000 + history;
      int calls = run(seed, 25, 0, null);
      int stride = Boolean.getBoolean("longhand.long") ? 1 : Math.max(1, calls / 25);
      for (int at = 1 + history % stride; at <= calls; at += stride) {
        try {
          run(seed, 25, at, null);
        } catch (AssertionError | Exception e) {
          throw new AssertionError("longhand.seed " + seed + ", crash at " + at + ": " + e, e);
        }
        runs++;
      }
    }
    assertThat(runs).isGreaterThan(100);
  }

  /// A disk that does not force what it says it has: the judge must see it, or judges nothing.
  @Test
  void theJudgeSeesAForceLeftOut() throws Exception {
    quiet();
    int seen = 0;
    for (int history = 0; history < 10; history++) {
      long seed = SEED * 2000 + history;
      int calls = run(seed, 25, 0, null);
      for (int at = calls / 2; at <= calls; at += Math.max(1, calls / 12)) {
        try {
          run(seed, 25, at, (call, _, _) -> call != SimDisk.Call.FORCE);
        } catch (AssertionError e) {
          seen++;
        }
      }
    }
    assertThat(seen).isPositive();
  }
}
