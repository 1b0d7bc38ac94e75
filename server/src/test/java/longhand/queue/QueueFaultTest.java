package longhand.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Random;
import longhand.Seed;
import longhand.queue.QueueHistory.Fault;
import longhand.queue.QueueHistory.Mistake;
import longhand.queue.QueueHistory.Trouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The queue on a disk that fails for a while: writes and forces that do not work, no room, then
/// room again, a force that fails once and drops what it was for, reads that fail; and the power
/// lost some time after. What a failed force was for is not taken as written (invariants I7, I8).
class QueueFaultTest {

  @TempDir private Path folder;

  @Test
  void everyWayADiskFails() throws Exception {
    boolean all = Boolean.getBoolean("longhand.long");
    int histories = all ? 100 : 6;
    int starts = 0;
    int runs = 0;
    for (int history = 0; history < histories; history++) {
      long seed = Seed.value() * 3000 + history;
      var random = new Random(seed);
      int calls = QueueHistory.run(folder, seed, Trouble.NONE, Mistake.NONE).calls();
      int stride = Math.max(1, calls / (all ? 60 : 6));
      for (int at = 1 + random.nextInt(stride); at <= calls; at += stride) {
        for (var fault : Fault.values()) {
          if (fault != Fault.NONE) {
            int crashAt = random.nextInt(3) == 0 ? at + random.nextInt(100) : 0;
            var trouble = new Trouble(fault, at, 1 + random.nextInt(60), crashAt);
            starts += QueueHistory.run(folder, seed, trouble, Mistake.NONE).starts();
            runs++;
          }
        }
      }
    }
    assertThat(runs).isGreaterThan(150);
    assertThat(starts).as("restarts, because a disk failed").isGreaterThan(2 * runs);
  }
}
