package longhand.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import longhand.disk.SimDisk;
import org.junit.jupiter.api.Test;

/// The n-th call to the disk fails, once or from then on: nothing acknowledged is lost, nothing
/// else is harmed, and what could not be done is said (invariants I1, I7).
class StoreFaultTest {

  private static final int STEPS = 25;

  @Test
  void oneCallFails() throws Exception {
    for (int history = 0; history < 4; history++) {
      everyCall(3000 + history, false);
    }
  }

  @Test
  void allCallsFailFromThere() throws Exception {
    for (int history = 0; history < 4; history++) {
      everyCall(4000 + history, true);
    }
  }

  private static void everyCall(long seed, boolean forGood) throws Exception {
    var counted = new int[1];
    var whole = new SimDisk();
    whole.fate(
        (call, path, number) -> {
          counted[0]++;
          return true;
        });
    var states = StoreCrashTest.dryRun(whole, seed, STEPS);
    for (int at = 1 + (int) (seed % 5); at < counted[0]; at += 5) {
      try {
        fail(seed, states, at, forGood);
      } catch (AssertionError | Exception e) {
        throw new AssertionError("seed " + seed + " call " + at + ": " + e.getMessage(), e);
      }
    }
  }

  private static void fail(long seed, List<Scenario.Snapshot> states, int at, boolean forGood)
      throws Exception {
    var disk = new SimDisk();
    var count = new int[1];
    var failed = new String[1];
    disk.fate(
        (call, path, number) -> {
          count[0]++;
          if (forGood ? count[0] >= at : count[0] == at) {
            if (call == SimDisk.Call.FORCE) {
              disk.forget(path);
            }
            failed[0] = call + " " + path;
            throw new IOException(
                count[0] % 2 == 0 ? "No space left on device" : "Input/output error");
          }
          return true;
        });
    int done = 0;
    boolean told = false;
    try (var store = Scenario.open(disk, seed)) {
      try {
        Scenario.snapshot(store);
        for (var step : Scenario.steps(seed, STEPS)) {
          step.run(store);
          done++;
          if (!Scenario.snapshot(store).messages().equals(states.get(done).messages())) {
            // Accepted, but the document could not be written: it waits in the journal, and what
            // follows would be another history.
            break;
          }
        }
      } catch (IOException e) {
        told = true;
        if (!forGood) {
          carryOn(store, states, done);
        }
      }
    } catch (IOException e) {
      told = true;
    }
    disk.fate(null);
    var after = new Random(seed + at).nextBoolean() ? disk : disk.afterCrash(new Random(seed + at));
    try (var store = Scenario.open(after, seed + 1)) {
      var found = Scenario.snapshot(store).messages();
      int last = Math.min(done + 1, STEPS);
      assertTrue(
          found.equals(states.get(done).messages()) || found.equals(states.get(last).messages()),
          "neither before nor after step "
              + done
              + (told ? "" : ", and nobody was told")
              + " failed "
              + failed[0]
              + StoreCrashTest.difference(states.get(done).messages(), found));
    }
  }

  /// After one failure the store either refuses all, or shows what is so.
  private static void carryOn(Store store, List<Scenario.Snapshot> states, int done)
      throws MailboxException {
    try {
      var now = Scenario.snapshot(store).messages();
      var allowed = new ArrayList<>(List.of(states.get(done).messages()));
      allowed.add(states.get(Math.min(done + 1, STEPS)).messages());
      assertTrue(allowed.contains(now), "seen in the same process: neither before nor after");
      store.settle();
      assertEquals(now, Scenario.snapshot(store).messages());
    } catch (IOException e) {
      // Refused: the journal or a force failed, and a restart recovers.
    }
  }
}
