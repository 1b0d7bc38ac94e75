package longhand.store;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import longhand.disk.SimDisk;
import org.junit.jupiter.api.Test;

/// Proof that the crash tests bite: with the forces of any single place in the store left out, as
/// if the disk lied there, they must find something lost.
class StoreMutationTest {

  /// Places whose force protects what these histories cannot see, with the reason.
  private static final Set<String> BEYOND_SIGHT =
      Set.of(
          // Segments are forced when made so that a commit needs no new length; the simulated disk
          // never
          // fills, and the first force of a batch covers what was not forced here.
          "Journal.addSegment FORCE");

  /// Places whose force may as well come one call later, with the reason.
  private static final Set<String> LATER_IS_AS_GOOD = Set.of();

  /// With a force and the call that follows it in each other's place the order of writes is another
  /// one, and that too must be noticed.
  @Test
  void everyOrderIsNeeded() throws Exception {
    var unneeded = new TreeSet<String>();
    int tried = 0;
    for (var place : places()) {
      if (!LATER_IS_AS_GOOD.contains(place) && !BEYOND_SIGHT.contains(place)) {
        tried++;
        if (!bites(new LateFate(place))) {
          unneeded.add(place);
        }
      }
    }
    System.out.println("orders: " + tried + " places, not noticed: " + unneeded);
    assertTrue(unneeded.isEmpty(), "put off without being noticed: " + unneeded);
  }

  /// Does the forces of a place after what should follow them.
  private record LateFate(String place) implements SimDisk.Fate {
    @Override
    public boolean comes(SimDisk.Call call, Path path, int number) {
      return true;
    }

    @Override
    public boolean late(SimDisk.Call call, Path path) {
      return StoreMutationTest.place(call, path).map(place::equals).orElse(false);
    }
  }

  @Test
  void everyForceIsNeeded() throws Exception {
    var places = places();
    var unneeded = new TreeSet<String>();
    for (var place : places) {
      SimDisk.Fate lie =
          (call, path, number) -> !place(call, path).map(place::equals).orElse(false);
      if (!BEYOND_SIGHT.contains(place) && !bites(lie)) {
        unneeded.add(place);
      }
    }
    System.out.println("mutations: " + places.size() + " places, not noticed: " + unneeded);
    assertTrue(unneeded.isEmpty(), "left out without being noticed: " + unneeded + " of " + places);
  }

  /// The places that force something in histories of all kinds.
  private static Set<String> places() throws Exception {
    var places = new TreeSet<String>();
    for (int history = 0; history < 12; history++) {
      var disk = new SimDisk();
      disk.fate(
          (call, path, number) -> {
            place(call, path).ifPresent(places::add);
            return true;
          });
      StoreCrashTest.dryRun(disk, 7000 + history, 40);
    }
    assertTrue(places.size() >= 8, "only these places were seen: " + places);
    return places;
  }

  private static boolean bites(SimDisk.Fate lie) {
    for (int history = 0; history < 60; history++) {
      try {
        StoreCrashTest.attack(9000 + history, history % 2 == 0 ? 4 : 40, 3, 2, lie);
      } catch (AssertionError e) {
        return true;
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
    return false;
  }

  /// Which method of the store made a forcing call; empty for other calls.
  private static java.util.Optional<String> place(SimDisk.Call call, Path path) {
    if (call != SimDisk.Call.FORCE && call != SimDisk.Call.FORCE_FOLDER) {
      return java.util.Optional.empty();
    }
    return StackWalker.getInstance()
        .walk(
            frames ->
                frames
                    .filter(frame -> frame.getClassName().startsWith("longhand.store."))
                    .filter(frame -> !frame.getClassName().endsWith("Test"))
                    .findFirst())
        .map(
            frame ->
                frame.getClassName().substring("longhand.store.".length())
                    + "."
                    + frame.getMethodName()
                    + " "
                    + call
                    + (call == SimDisk.Call.FORCE_FOLDER
                            && List.of("mail", "journal", "data")
                                .contains(String.valueOf(path.getFileName()))
                        ? " " + path.getFileName()
                        : ""));
  }
}
