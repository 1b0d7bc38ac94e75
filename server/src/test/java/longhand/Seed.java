package longhand;

/// Where tests that search at random begin.
public final class Seed {

  private Seed() {}

  /// The property `longhand.seed`. Without it a test looks at the same inputs each time, so that a
  /// change is judged by what it changed; the long tests (`./check --long`) look for new ones.
  public static long value() {
    return Long.getLong(
        "longhand.seed", Boolean.getBoolean("longhand.long") ? System.nanoTime() : 20);
  }
}
