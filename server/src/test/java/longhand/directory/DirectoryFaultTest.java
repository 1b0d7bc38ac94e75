package longhand.directory;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import longhand.disk.SimDisk;
import org.junit.jupiter.api.Test;

/// The n-th call to the disk fails, once or from then on: what was told lasts, what was not is
/// whole or not at all, and look-ups go on with either (invariants I1, I7).
class DirectoryFaultTest {

  private static final int HISTORIES = Boolean.getBoolean("longhand.long") ? 200 : 8;
  private static final int STEPS = 8;

  private enum Fault {
    ONCE,
    FOR_GOOD,
    SHORT_WRITE
  }

  @Test
  void everyCallFails() throws Exception {
    for (int history = 0; history < HISTORIES; history++) {
      long seed = 100L + history;
      var steps = DirectoryHistory.steps(seed, STEPS);
      var whole = new SimDisk();
      var counted = new int[1];
      whole.fate(
          (call, path, number) -> {
            counted[0]++;
            return true;
          });
      var states = new ArrayList<Map<String, String>>();
      try (var directory = DirectoryHistory.open(whole, seed)) {
        states.add(Map.of());
        for (var step : steps) {
          step.run(directory, whole);
          int before = counted[0];
          states.add(DirectoryHistory.accounts(directory));
          counted[0] = before;
        }
      }
      for (int at = 1; at <= counted[0]; at++) {
        for (var fault : Fault.values()) {
          fail(seed, steps, states, at, fault);
        }
      }
    }
  }

  private static void fail(
      long seed,
      List<DirectoryHistory.Step> steps,
      List<Map<String, String>> states,
      int at,
      Fault fault)
      throws IOException {
    var disk = new SimDisk();
    var count = new int[1];
    var failed = new String[1];
    SimDisk.Fate fate =
        (call, path, number) -> {
          count[0]++;
          if (fault == Fault.FOR_GOOD ? count[0] >= at : count[0] == at) {
            failed[0] = call + " " + path;
            if (call == SimDisk.Call.FORCE) {
              disk.forget(path);
            }
            if (call == SimDisk.Call.WRITE && fault == Fault.SHORT_WRITE) {
              throw new SimDisk.ShortWrite((int) (seed * 7919 + at) % 400);
            }
            throw new IOException("Input/output error");
          }
          return true;
        };
    disk.fate(fate);
    int done = 0;
    var random = new Random(seed * 7 + at);
    try (var directory = DirectoryHistory.open(disk, seed)) {
      for (var step : steps) {
        step.run(directory, disk);
        done++;
      }
    } catch (IOException e) {
      assertTrue(failed[0] != null, "fails by itself: " + e);
    }
    var before = states.get(done);
    var next = states.get(Math.min(done + 1, STEPS));
    disk.fate(null);
    var where = "seed " + seed + " call " + at + " " + fault + " " + failed[0] + " after " + done;
    try (var directory = DirectoryHistory.open(disk, seed + 1)) {
      var found = DirectoryHistory.accounts(directory);
      assertTrue(
          found.equals(before) || found.equals(next),
          where + "\n" + before + "\n" + next + "\n" + found);
    }
    DirectoryCrashTest.verify(
        random.nextBoolean() ? disk : disk.afterCrash(random), before, next, where);
  }
}
