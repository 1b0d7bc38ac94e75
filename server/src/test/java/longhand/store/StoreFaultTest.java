package longhand.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Random;
import longhand.disk.SimDisk;
import org.junit.jupiter.api.Test;

/// The n-th call to the disk fails, once or from then on: nothing acknowledged is lost, nothing
/// else is harmed, and what could not be done is said (invariants I1, I7).
///
/// With `longhand.long` every call of every history fails in every way; else all that change
/// something in one history, and of the others as many as `longhand.faults` says, from a seed.
class StoreFaultTest {

  private static final boolean ALL = Boolean.getBoolean("longhand.long");

  /// The same in every short run, so that a build fails for what it changed; long ones go on
  /// looking.
  private static final long SEED =
      Long.getLong(
          "longhand.seed",
          Boolean.getBoolean("longhand.long") ? System.nanoTime() & 0xffff : 27_600);

  private static final int SAMPLES = Integer.getInteger("longhand.faults", 1200);
  private static final int STEPS = 25;

  private enum Fault {
    /// An error, once.
    ONCE,
    /// An error, and so all that follows.
    FOR_GOOD,
    /// A part of a write, then an error, once.
    SHORT,
    /// The disk is full: a part of a write, then nothing more is written; all else works.
    FULL,
    /// A force that fails and drops what was to be forced, while reads go on showing it.
    FORGOTTEN;

    boolean fits(SimDisk.Call call) {
      return switch (this) {
        case ONCE, FOR_GOOD -> true;
        case SHORT, FULL -> call == SimDisk.Call.WRITE;
        case FORGOTTEN -> call == SimDisk.Call.FORCE;
      };
    }
  }

  private record Attempt(History history, int at, Fault fault) {}

  /// A history, the calls it makes, and what can be seen after each step.
  private record History(
      long seed,
      List<Scenario.Step> steps,
      List<SimDisk.Call> calls,
      List<Scenario.Snapshot> states) {

    static History of(long seed, List<Scenario.Step> steps) throws Exception {
      var calls = new ArrayList<SimDisk.Call>();
      var disk = new SimDisk();
      disk.fate(
          (call, path, number) -> {
            calls.add(call);
            return true;
          });
      var states = StoreCrashTest.dryRun(disk, seed, steps);
      return new History(seed, steps, calls, states);
    }
  }

  @Test
  void everyCallFails() throws Exception {
    var kinds = new ArrayList<>(List.of(0, 6, 17));
    kinds.addAll(Scenario.KINDS);
    var first = History.of(3000, Scenario.ofKinds(3000, kinds));
    var must = new ArrayList<Attempt>();
    var may = new ArrayList<Attempt>();
    add(first, must, may);
    for (int history = 1; history <= (ALL ? 12 : 4); history++) {
      add(History.of(3000 + history, Scenario.steps(3000L + history, STEPS)), may, may);
    }
    if (!ALL) {
      Collections.shuffle(may, new Random(SEED));
      may.subList(Math.min(SAMPLES, may.size()), may.size()).clear();
    }
    must.addAll(may);
    var tried = new EnumMap<Fault, Integer>(Fault.class);
    for (var attempt : must) {
      try {
        run(attempt);
      } catch (AssertionError | Exception e) {
        throw new AssertionError(
            "longhand.seed=%d, history %d, call %d of %d fails %s: %s"
                .formatted(
                    SEED,
                    attempt.history.seed,
                    attempt.at,
                    attempt.history.calls.size(),
                    attempt.fault,
                    e.getMessage()),
            e);
      }
      tried.merge(attempt.fault, 1, Integer::sum);
    }
    System.out.println("faults: " + tried + ", longhand.seed=" + SEED);
    assertEquals(Fault.values().length, tried.size());
  }

  /// All ways in which a history's calls can fail: those of calls that change something, and those
  /// of calls that read.
  private static void add(History history, List<Attempt> changing, List<Attempt> reading) {
    for (int at = 0; at < history.calls.size(); at++) {
      var call = history.calls.get(at);
      for (var fault : Fault.values()) {
        if (fault.fits(call)) {
          boolean reads = call == SimDisk.Call.READ || call == SimDisk.Call.OPEN;
          (reads ? reading : changing).add(new Attempt(history, at + 1, fault));
        }
      }
    }
  }

  /// Fails the calls from one on as the fault says.
  private static SimDisk.Fate fate(SimDisk disk, Attempt attempt, List<String> failed) {
    var count = new int[1];
    return (call, path, number) -> {
      int at = ++count[0];
      boolean fails =
          switch (attempt.fault) {
            case ONCE, SHORT, FORGOTTEN -> at == attempt.at;
            case FOR_GOOD -> at >= attempt.at;
            case FULL -> at >= attempt.at && call == SimDisk.Call.WRITE;
          };
      if (!fails) {
        return true;
      }
      failed.add(call + " " + path);
      switch (attempt.fault) {
        case SHORT -> throw new SimDisk.ShortWrite(attempt.at * 97 % 1500);
        case FULL -> throw new SimDisk.ShortWrite(at == attempt.at ? attempt.at * 97 % 1500 : 0);
        case FORGOTTEN -> disk.forget(path);
        case ONCE, FOR_GOOD -> {}
      }
      throw new IOException("Input/output error");
    };
  }

  private static void run(Attempt attempt) throws Exception {
    var history = attempt.history;
    var states = history.states;
    var disk = new SimDisk();
    var failed = new ArrayList<String>();
    disk.fate(fate(disk, attempt, failed));
    int done = 0;
    try (var store = Scenario.open(disk, history.seed)) {
      try {
        Scenario.snapshot(store);
        for (var step : history.steps) {
          step.run(store);
          done++;
          if (!Scenario.snapshot(store).messages().equals(states.get(done).messages())) {
            // Accepted, but the document could not be written: it waits in the journal, and what
            // follows would be another history.
            break;
          }
        }
      } catch (IOException e) {
        assertTrue(!failed.isEmpty(), () -> "fails by itself: " + e);
        if (attempt.fault != Fault.FOR_GOOD) {
          carryOn(store, states, done);
        }
      }
    } catch (IOException e) {
      assertTrue(!failed.isEmpty(), () -> "fails by itself: " + e);
    }
    disk.fate(null);
    var random = new Random(history.seed * 31 + attempt.at);
    var after = random.nextBoolean() ? disk : disk.afterCrash(random);
    var where = failed + " after step " + done;
    StoreCrashTest.verify(after, history.seed, states, done, where);
    // What was shown after a force that failed is there after a loss of power, too.
    StoreCrashTest.verify(after.afterCrash(random), history.seed, states, done, where + ", again");
  }

  /// After one failure the store either refuses all, or shows what is so.
  private static void carryOn(Store store, List<Scenario.Snapshot> states, int done)
      throws MailboxException {
    try {
      var now = Scenario.snapshot(store).messages();
      var allowed = new ArrayList<>(List.of(states.get(done).messages()));
      allowed.add(states.get(Math.min(done + 1, states.size() - 1)).messages());
      assertTrue(allowed.contains(now), "seen in the same process: neither before nor after");
      store.settle();
      assertEquals(now, Scenario.snapshot(store).messages());
    } catch (IOException e) {
      // Refused: the journal or a force failed, and a restart recovers.
    }
  }
}
