package longhand.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import longhand.check.Checker;
import longhand.check.Finding;
import longhand.disk.EveryChoice;
import longhand.disk.SimDisk;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Power lost in the middle of every write: what was promised is there, what was not is there whole
/// or not at all (invariants I1, I2, I6).
class StoreCrashTest {

  private static final long SEED = Long.getLong("longhand.seed", 1);
  private static final int IMAGES_MAX = Boolean.getBoolean("longhand.long") ? 3000 : 40;
  private static final int HISTORIES = Integer.getInteger("longhand.histories", 40);

  @Test
  void everyCrashPointOfShortHistories() throws Exception {
    for (int history = 0; history < HISTORIES; history++) {
      attack(SEED * 1000 + history, 1 + history % 3, 1, 3);
    }
  }

  /// All pairs of operations, and with `longhand.long` all triples, on accounts that hold
  /// something, cut at every write.
  @Test
  void everyHistoryOfTwoOperations() throws Exception {
    var fill = List.of(0, 6, 6, 8, 17, 0, 6, 21);
    int before = fill.size();
    for (int first : Scenario.KINDS) {
      for (int second : Scenario.KINDS) {
        for (int third : Boolean.getBoolean("longhand.long") ? Scenario.KINDS : List.of(-1)) {
          var kinds = new ArrayList<>(fill);
          kinds.addAll(List.of(first, second));
          if (third >= 0) {
            kinds.add(third);
          }
          long seed = SEED * 3000 + first * 100L + second;
          var filled = new SimDisk();
          dryRun(filled, seed, Scenario.ofKinds(seed, kinds.subList(0, before)));
          // What the close of a dry run wrote counts as well, so the last calls may come twice.
          attack(seed, Scenario.ofKinds(seed, kinds), Math.max(1, filled.calls() - 4), 1, 1, null);
        }
      }
    }
  }

  /// One operation of each kind on accounts that hold something: at each write all that the disk
  /// may have kept, up to a bound.
  @Test
  void everyImageOfOneOperation() throws Exception {
    var fill = List.of(0, 6, 8, 17, 0);
    int images = 0;
    int cut = 0;
    for (int kind : Scenario.KINDS) {
      var kinds = new ArrayList<>(fill);
      kinds.add(kind);
      long seed = SEED * 5000 + kind;
      var filled = new SimDisk();
      dryRun(filled, seed, Scenario.ofKinds(seed, fill));
      var steps = Scenario.ofKinds(seed, kinds);
      var whole = new SimDisk();
      var states = dryRun(whole, seed, steps);
      for (int at = Math.max(1, filled.calls() - 4); at <= whole.calls(); at++) {
        var disk = new SimDisk();
        int done = run(disk, seed, steps, at);
        var choice = new EveryChoice();
        int ways = 0;
        do {
          verify(
              disk.afterCrash(choice),
              seed,
              states,
              done,
              "seed %d kind %d crash at %d way %d after step %d"
                  .formatted(seed, kind, at, ways, done));
          images++;
          ways++;
        } while (choice.next() && ways < IMAGES_MAX);
        cut += ways == IMAGES_MAX ? 1 : 0;
      }
    }
    System.out.println(images + " images, at " + cut + " places not all");
  }

  @Test
  void someCrashPointsOfLongHistories() throws Exception {
    for (int history = 0; history < 6; history++) {
      attack(SEED * 2000 + history, 40, 7, 2);
    }
  }

  private static void attack(long seed, int count, int stride, int images) throws Exception {
    attack(seed, count, stride, images, null);
  }

  /// Runs a history without a crash; what could be seen before it and after each step.
  static List<Scenario.Snapshot> dryRun(SimDisk disk, long seed, int count) throws Exception {
    return dryRun(disk, seed, Scenario.steps(seed, count));
  }

  static List<Scenario.Snapshot> dryRun(SimDisk disk, long seed, List<Scenario.Step> steps)
      throws Exception {
    var states = new ArrayList<Scenario.Snapshot>();
    try (var store = Scenario.open(disk, seed)) {
      states.add(Scenario.snapshot(store));
      for (var step : steps) {
        step.run(store);
        states.add(Scenario.snapshot(store));
      }
    }
    return states;
  }

  /// Crashes a history at every `stride`-th call, with several images of what the disk kept.
  ///
  /// @param fate of the calls before the crash; null for an honest disk
  static void attack(long seed, int count, int stride, int images, SimDisk.@Nullable Fate fate)
      throws Exception {
    var steps = Scenario.steps(seed, count);
    attack(seed, steps, 1 + (int) (Math.abs(seed) % stride), stride, images, fate);
  }

  private static void attack(
      long seed,
      List<Scenario.Step> steps,
      int from,
      int stride,
      int images,
      SimDisk.@Nullable Fate fate)
      throws Exception {
    try {
      var whole = new SimDisk();
      var states = dryRun(whole, seed, steps);
      for (int at = from; at <= whole.calls(); at += stride) {
        for (int image = 0; image < images; image++) {
          crash(seed, steps, states, at, image, fate);
        }
      }
    } catch (AssertionError | Exception e) {
      throw new AssertionError(
          "seed " + seed + " steps " + steps.size() + ": " + e.getMessage(), e);
    }
  }

  private static void crash(
      long seed,
      List<Scenario.Step> steps,
      List<Scenario.Snapshot> states,
      int at,
      int image,
      SimDisk.@Nullable Fate fate)
      throws Exception {
    var disk = new SimDisk();
    disk.fate(fate);
    int done = run(disk, seed, steps, at);
    var random = new Random(seed * 31 + at * 7919L + image);
    var after = disk.afterCrash(random);
    int depth = random.nextInt(4);
    for (int again = 0; again < depth; again++) {
      // The power fails once more while recovery is at work.
      after.crashAt(1 + random.nextInt(40));
      try (var store = Scenario.open(after, seed + again)) {
        Scenario.snapshot(store);
      } catch (SimDisk.PowerLoss | IOException e) {
        if (!after.dead()) {
          throw e;
        }
      }
      after = after.afterCrash(random);
    }
    verify(
        after, seed, states, done, " crash at " + at + " image " + image + " after step " + done);
  }

  /// Runs a history until the power fails; how many steps were done.
  private static int run(SimDisk disk, long seed, List<Scenario.Step> steps, int at)
      throws Exception {
    disk.crashAt(at);
    int done = 0;
    try (var store = Scenario.open(disk, seed)) {
      Scenario.snapshot(store);
      for (var step : steps) {
        step.run(store);
        Scenario.snapshot(store);
        done++;
      }
    } catch (SimDisk.PowerLoss | IOException e) {
      if (!disk.dead()) {
        throw e;
      }
    }
    return done;
  }

  static void verify(
      SimDisk after, long seed, List<Scenario.Snapshot> states, int done, String where)
      throws Exception {
    Scenario.Snapshot found;
    try (var store = Scenario.open(after, seed + 99)) {
      found = Scenario.snapshot(store);
      checked(after, found, where);
      store.settle();
      assertEquals(found, Scenario.snapshot(store), "settling changed something," + where);
      checked(after, found, where);
    }
    var before = states.get(done);
    var next = states.get(Math.min(done + 1, states.size() - 1));
    if (!found.messages().equals(before.messages()) && !found.messages().equals(next.messages())) {
      fail(
          "neither before nor after,"
              + where
              + "\nagainst before "
              + difference(before.messages(), found.messages())
              + "\nagainst after "
              + difference(next.messages(), found.messages()));
    }
    for (var mailbox : before.uidNexts().entrySet()) {
      var now = found.uidNexts().get(mailbox.getKey());
      if (now != null) {
        assertTrue(
            now >= mailbox.getValue(), "UIDNEXT of " + mailbox.getKey() + " went back," + where);
      }
    }
    try (var store = Scenario.open(after, seed + 100)) {
      assertEquals(found, Scenario.snapshot(store), "reopening changed something," + where);
    }
  }

  /// Keys of messages end in a UID.
  private static boolean isMessage(String key) {
    return Character.isDigit(key.charAt(key.length() - 1))
        && key.lastIndexOf('/') > 0
        && key.substring(key.lastIndexOf('/') + 1).chars().allMatch(Character::isDigit);
  }

  /// The offline check finds nothing, neither with changes in the journal nor after settling.
  private static void checked(SimDisk disk, Scenario.Snapshot found, String where)
      throws IOException {
    var findings = new ArrayList<Finding>();
    var extent = new Checker(disk, Scenario.DATA, findings::add).check(null);
    long messages = found.messages().keySet().stream().filter(StoreCrashTest::isMessage).count();
    assertEquals(messages, extent.messages(), "the check counts otherwise," + where);
    findings.removeIf(finding -> finding.text().contains("has been removed"));
    assertEquals(List.of(), findings, "the check finds something," + where);
  }

  static String difference(Map<String, String> expected, Map<String, String> found) {
    var missing = new TreeMap<>(expected);
    missing.entrySet().removeAll(found.entrySet());
    var more = new TreeMap<>(found);
    more.entrySet().removeAll(expected.entrySet());
    return "missing " + missing + " more " + more;
  }
}
