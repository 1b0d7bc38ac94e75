package longhand.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
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

  /// Histories that once ended badly: what the queue had written of a message could not be seen
  /// yet, since its document could not be written, and it was tried as if never before; a large
  /// message was shown to some of its accounts only; and it was cut off though the journal had it.
  @Test
  void theseEndWell() throws Exception {
    for (var each :
        List.of(
            new Past(126, new Trouble(Fault.ONE_WRITE, 127, 35, 214)),
            new Past(133, new Trouble(Fault.ONE_WRITE, 134, 58, 0)),
            new Past(12_726_005, new Trouble(Fault.ERRORS, 42, 10, 0)),
            new Past(10, new Trouble(Fault.READS, 251, 4, 0)),
            new Past(15_003, new Trouble(Fault.ONE_FORCE, 118, 7, 140)))) {
      QueueHistory.run(folder, each.seed, each.trouble, Mistake.NONE);
    }
  }

  private record Past(long seed, Trouble trouble) {}
}
