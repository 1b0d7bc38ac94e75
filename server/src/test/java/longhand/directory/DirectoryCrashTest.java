package longhand.directory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import longhand.disk.SimDisk;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Power lost in the middle of every write to the accounts: a change that was told is in force,
/// another is whole or not at all, and no account is harmed (invariant I1).
class DirectoryCrashTest {

  private static final long SEED = Long.getLong("longhand.seed", 1);
  private static final int HISTORIES = Boolean.getBoolean("longhand.long") ? 2000 : 60;

  /// Forces that protect what these histories cannot see, with the reason.
  private static final Set<String> BEYOND_SIGHT =
      Set.of(
          // After a write that failed, which the fault loops try.
          "DomainFile.undo FORCE",
          // The name of the pending lines in the same folder is forced right after. Alone this one
          // counts when somebody removes the file of a running server.
          "DomainFile.create FORCE_FOLDER");

  private static final String TEST = DirectoryCrashTest.class.getName();

  @Test
  void everyCrashPoint() throws Exception {
    for (int history = 0; history < HISTORIES; history++) {
      attack(SEED * 1000 + history, 1 + history % 8, 3, null);
    }
  }

  @Test
  void everyForceIsNeeded() throws Exception {
    var places = new TreeSet<String>();
    for (int history = 0; history < 40; history++) {
      attack(
          SEED * 1000 + history,
          8,
          1,
          (call, path, number) -> {
            place(call).ifPresent(places::add);
            return true;
          });
    }
    assertTrue(places.size() >= 7, "only these places were seen: " + places);
    var unneeded = new TreeSet<String>();
    for (var place : places) {
      if (!BEYOND_SIGHT.contains(place) && !bites(place)) {
        unneeded.add(place);
      }
    }
    System.out.println("directory mutations: " + places + ", not noticed: " + unneeded);
    assertEquals(Set.of(), unneeded);
  }

  private static boolean bites(String place) {
    SimDisk.Fate lie = (call, path, number) -> !place(call).map(place::equals).orElse(false);
    for (int history = 0; history < 400; history++) {
      try {
        attack(5000L + history, 1 + history % 8, 2, lie);
      } catch (AssertionError e) {
        return true;
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
    return false;
  }

  /// Which methods made a forcing call; empty for other calls.
  private static Optional<String> place(SimDisk.Call call) {
    if (call != SimDisk.Call.FORCE && call != SimDisk.Call.FORCE_FOLDER) {
      return Optional.empty();
    }
    var frames =
        StackWalker.getInstance()
            .walk(
                all ->
                    all.filter(frame -> frame.getClassName().startsWith("longhand.directory."))
                        .filter(frame -> !frame.getMethodName().equals("forceFolder"))
                        .filter(frame -> !frame.getClassName().startsWith(TEST))
                        .limit(1)
                        .toList());
    var frame = frames.getFirst();
    var type = frame.getClassName().substring("longhand.directory.".length());
    return type.startsWith("DirectoryHistory")
        ? Optional.empty()
        : Optional.of(type + "." + frame.getMethodName() + " " + call);
  }

  private static void attack(long seed, int count, int images, SimDisk.@Nullable Fate fate)
      throws Exception {
    var steps = DirectoryHistory.steps(seed, count);
    var whole = new SimDisk();
    var states = new ArrayList<Map<String, String>>();
    try (var directory = DirectoryHistory.open(whole, seed)) {
      states.add(DirectoryHistory.accounts(directory));
      for (var step : steps) {
        step.run(directory, whole);
        states.add(DirectoryHistory.accounts(directory));
      }
    }
    for (int at = 1; at <= whole.calls(); at++) {
      crash(seed, steps, states, at, images, fate);
    }
  }

  private static void crash(
      long seed,
      List<DirectoryHistory.Step> steps,
      List<Map<String, String>> states,
      int at,
      int images,
      SimDisk.@Nullable Fate fate)
      throws IOException {
    var disk = new SimDisk();
    disk.fate(fate);
    disk.crashAt(at);
    int done = 0;
    try (var directory = DirectoryHistory.open(disk, seed)) {
      for (var step : steps) {
        step.run(directory, disk);
        done++;
      }
    } catch (SimDisk.PowerLoss e) {
      // As planned.
    }
    for (int image = 0; image < images; image++) {
      var random = new Random(seed * 31 + at * 7919L + image);
      var after = disk.afterCrash(random);
      for (int again = random.nextInt(4); again > 0; again--) {
        after.fate(fate);
        after.crashAt(1 + random.nextInt(6));
        try (var _ = DirectoryHistory.open(after, seed + again)) {
          after = after.afterCrash(random);
        } catch (SimDisk.PowerLoss e) {
          after = after.afterCrash(random);
        }
      }
      after.fate(null);
      verify(
          after,
          states.get(done),
          states.get(Math.min(done + 1, states.size() - 1)),
          "seed %d steps %d: crash at %d image %d after step %d"
              .formatted(seed, steps.size(), at, image, done));
    }
  }

  /// The accounts are those before or after a change, and the next change works and lasts.
  static void verify(
      SimDisk disk, Map<String, String> before, Map<String, String> next, String where) {
    try {
      Map<String, String> found;
      var owner = DirectoryHistory.DOMAINS.getFirst();
      var one = new Random(1);
      try (var directory = DirectoryHistory.open(disk, 1)) {
        found = DirectoryHistory.accounts(directory);
        if (!found.equals(before) && !found.equals(next)) {
          fail("neither before nor after, " + where + "\n" + before + "\n" + next + "\n" + found);
        }
        directory.put(
            List.of(
                AccountRecord.ofLine(
                    "after active 0 " + DirectoryHistory.VERIFIERS + " " + one.nextInt(10),
                    owner)));
        found = DirectoryHistory.accounts(directory);
        assertTrue(found.containsKey("after@example.com"), where);
      }
      var again = disk.afterCrash(new Random(2));
      try (var directory = DirectoryHistory.open(again, 2)) {
        assertEquals(found, DirectoryHistory.accounts(directory), where);
        noTornLines(again, where);
      }
    } catch (IOException e) {
      throw new AssertionError("cannot be read, " + where + ": " + e.getMessage(), e);
    }
  }

  /// What a crash left is gone from the files: all lines read like lines.
  private static void noTornLines(SimDisk disk, String where) throws IOException {
    for (var domain : DirectoryHistory.DOMAINS) {
      Path file = DirectoryHistory.DATA.resolve("directory").resolve(domain.name());
      if (!disk.exists(file)) {
        continue;
      }
      for (var line : new String(disk.content(file), StandardCharsets.UTF_8).lines().toList()) {
        if (line.startsWith("#") || line.isEmpty() || line.endsWith(" removed")) {
          continue;
        }
        try {
          Objects.requireNonNull(
              AccountLine.entry(line.getBytes(StandardCharsets.UTF_8), domain), where);
        } catch (AccountLine.BadLineException e) {
          fail("a torn line is left, " + where + ": " + line);
        }
      }
    }
  }
}
