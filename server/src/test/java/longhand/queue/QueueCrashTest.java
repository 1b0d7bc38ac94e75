package longhand.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import longhand.Seed;
import longhand.queue.QueueHistory.Mistake;
import longhand.queue.QueueHistory.Trouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The queue and other servers, with the power lost at every write of a history: what was accepted
/// reaches each recipient or comes back, once (invariant I8).
class QueueCrashTest {

  @TempDir private Path folder;

  @Test
  void powerLostAtEveryWrite() throws Exception {
    boolean all = Boolean.getBoolean("longhand.long");
    int histories = all ? 200 : 8;
    int runs = 0;
    for (int history = 0; history < histories; history++) {
      long seed = Seed.value() * 1000 + history;
      int calls = QueueHistory.run(folder, seed, Trouble.NONE, Mistake.NONE).calls();
      int stride = all ? 1 : Math.max(1, calls / 25);
      for (int at = 1 + history % stride; at <= calls; at += stride) {
        QueueHistory.run(folder, seed, Trouble.powerLost(at), Mistake.NONE);
        runs++;
      }
    }
    assertThat(runs).isGreaterThan(100);
  }
}
