package longhand.dialog;

import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// Makes hostile octets out of good ones, from a seed: flips, cuts, repeats, splices, and puts in
/// what has hurt parsers before.
public final class Mutator {

  private static final byte[][] NASTY = {
    {'\r'},
    {'\n'},
    {'\r', '\n'},
    {0},
    {'.'},
    {'\r', '\n', '.', '\r', '\n'},
    {'<'},
    {'>'},
    {'"'},
    {'\\'},
    {' '},
    {'\t'},
    {'='},
    {'+'},
    {','},
    {':'},
    {'@'},
    {'['},
    {']'},
    {(byte) 0xc3},
    {(byte) 0xff},
    {(byte) 0xe2, (byte) 0x80, (byte) 0xa8},
    {(byte) 0xf0, (byte) 0x9f},
    "99999999999999999999".getBytes(java.nio.charset.StandardCharsets.US_ASCII),
    "-1".getBytes(java.nio.charset.StandardCharsets.US_ASCII),
  };

  private final Random random;
  private final List<byte[]> seeds;

  /// Mutates these.
  public Mutator(long seed, List<byte[]> seeds) {
    this.random = new Random(seed);
    this.seeds = seeds;
  }

  /// A number from the same seed, below `bound`.
  public int number(int bound) {
    return random.nextInt(bound);
  }

  /// The next octets, at most a few kilobytes.
  public byte[] next() {
    var octets = seeds.get(random.nextInt(seeds.size())).clone();
    for (int n = random.nextInt(6); n > 0; n--) {
      int at = random.nextInt(octets.length + 1);
      int end = at + random.nextInt(Math.min(octets.length - at, 20) + 1);
      octets =
          switch (random.nextInt(6)) {
            case 0 -> splice(octets, at, at, NASTY[random.nextInt(NASTY.length)]);
            case 1 -> splice(octets, at, end, new byte[0]);
            case 2 -> splice(octets, at, at, Arrays.copyOfRange(octets, at, end));
            case 3 -> splice(octets, at, end, NASTY[random.nextInt(NASTY.length)]);
            case 4 -> {
              var other = seeds.get(random.nextInt(seeds.size()));
              int from = random.nextInt(other.length + 1);
              yield splice(octets, at, end, Arrays.copyOfRange(other, from, other.length));
            }
            default -> {
              if (at < octets.length) {
                octets[at] = (byte) random.nextInt(256);
              }
              yield octets;
            }
          };
      if (octets.length > 4096) {
        octets = Arrays.copyOf(octets, 4096);
      }
    }
    return octets;
  }

  private static byte[] splice(byte[] octets, int from, int to, byte[] middle) {
    var result = new byte[octets.length - (to - from) + middle.length];
    System.arraycopy(octets, 0, result, 0, from);
    System.arraycopy(middle, 0, result, from, middle.length);
    System.arraycopy(octets, to, result, from + middle.length, octets.length - to);
    return result;
  }

  /// How long a fuzz test runs: two seconds, or as the property `longhand.fuzz.seconds` says.
  public static long untilNanos() {
    return System.nanoTime() + Long.getLong("longhand.fuzz.seconds", 2) * 1_000_000_000L;
  }
}
