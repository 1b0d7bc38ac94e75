package longhand.disk;

import java.util.Random;
import org.jspecify.annotations.NullMarked;

/// Chooses in every way, one after the other, where a test asks for chance: `next` goes on to the
/// next way. Of more than four possibilities the first, the middle and the last are tried.
@NullMarked
@SuppressWarnings("serial") // never written
public final class EveryChoice extends Random {

  private static final int DEPTH_MAX = 4096;

  private final int[] chosen = new int[DEPTH_MAX];
  private final int[] possible = new int[DEPTH_MAX];
  private int depth;

  /// Goes on to the next way; false when all have been tried.
  public boolean next() {
    for (int i = depth - 1; i >= 0; i--) {
      if (++chosen[i] < possible[i]) {
        depth = 0;
        return true;
      }
      chosen[i] = 0;
    }
    return false;
  }

  private int choose(int count) {
    if (depth == DEPTH_MAX) {
      return 0;
    }
    possible[depth] = count;
    return chosen[depth++];
  }

  @Override
  public int nextInt(int bound) {
    return bound <= 4
        ? choose(bound)
        : switch (choose(3)) {
          case 0 -> 0;
          case 1 -> bound / 2;
          default -> bound - 1;
        };
  }

  @Override
  public boolean nextBoolean() {
    return choose(2) == 1;
  }

  /// Garbage: any octets do.
  @Override
  public int nextInt() {
    return 0x5a;
  }
}
