package longhand.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import longhand.disk.SimDisk;
import org.junit.jupiter.api.Test;

/// Documents that somebody has damaged or edited in every silly way: opening one ends, in a clear
/// error or in an account that stays as it is from then on.
class DocumentFuzzTest {

  private static final long SEED = Long.getLong("longhand.seed", 5);
  private static final long MILLIS = Boolean.getBoolean("longhand.long") ? 120_000 : 6_000;
  private static final Path DOCUMENT = Scenario.DATA.resolve("mail/example.com/jbob");

  @Test
  void anyDocumentOpensOrIsRefused() throws Exception {
    var random = new Random(SEED);
    long until = System.nanoTime() + MILLIS * 1_000_000;
    int opened = 0;
    int refused = 0;
    for (int round = 0; System.nanoTime() < until; round++) {
      var disk = new SimDisk();
      var before = texts(StoreCrashTest.dryRun(disk, 6000 + round % 7, 15).getLast());
      byte[] document;
      try {
        document = disk.content(DOCUMENT);
      } catch (IOException e) {
        continue;
      }
      boolean may = false;
      int times = 1 + random.nextInt(3);
      for (int i = 0; i < times; i++) {
        int kind = random.nextInt(9);
        // Cut off, or every line end changed: then any number of messages may be gone.
        may |= kind == 1 || kind == 7;
        document = mutate(document, kind, random);
      }
      int lost = may ? Integer.MAX_VALUE : 4 * times;
      disk.change(DOCUMENT, document);
      var where = "seed " + SEED + " round " + round;
      try {
        Scenario.Snapshot first;
        try (var store = Scenario.open(disk, 1)) {
          first = Scenario.snapshot(store);
          store.settle();
          assertEquals(first.messages(), Scenario.snapshot(store).messages(), where);
        }
        try (var store = Scenario.open(disk, 2)) {
          assertEquals(first.messages(), Scenario.snapshot(store).messages(), where);
        }
        before.removeAll(texts(first));
        assertTrue(before.size() <= lost, where + ": messages are gone: " + before);
        opened++;
      } catch (IOException e) {
        refused++;
      } catch (RuntimeException e) {
        throw new AssertionError(where, e);
      }
    }
    System.out.println("documents opened " + opened + ", refused " + refused);
  }

  /// Length and CRC of the messages of one account.
  private static Set<String> texts(Scenario.Snapshot snapshot) {
    var texts = new HashSet<String>();
    for (var message : snapshot.messages().entrySet()) {
      if (message.getKey().startsWith("jbob@") && message.getKey().matches(".*/\\d+")) {
        var value = message.getValue();
        int last = value.lastIndexOf(' ');
        texts.add(value.substring(value.lastIndexOf(' ', last - 1)));
      }
    }
    return texts;
  }

  private static byte[] mutate(byte[] document, int kind, Random random) {
    if (document.length < 10) {
      return document;
    }
    int at = random.nextInt(document.length);
    int end = Math.min(document.length, at + 1 + random.nextInt(600));
    return switch (kind) {
      case 0 -> {
        var flipped = document.clone();
        flipped[at] ^= (byte) (1 << random.nextInt(8));
        yield flipped;
      }
      case 1 -> Arrays.copyOf(document, at);
      case 2 -> join(document, 0, at, document, end, document.length);
      case 3 -> join(document, 0, end, document, at, document.length);
      case 4 -> {
        var zeroed = document.clone();
        Arrays.fill(zeroed, at, end, (byte) 0);
        yield zeroed;
      }
      case 5 -> {
        var noise = new byte[random.nextInt(300)];
        random.nextBytes(noise);
        yield join(
            join(document, 0, at, noise, 0, noise.length),
            0,
            at + noise.length,
            document,
            at,
            document.length);
      }
      case 6 -> {
        // A message typed in, at the start of a line.
        while (at > 0 && document[at - 1] != '\n') {
          at--;
        }
        var typed =
            Ledger.ascii(
                "\nFrom x@y Mon Nov 23 04:00:00 2026\nSubject: typed\nStatus: RO\n\nhello\n\n");
        yield join(
            join(document, 0, at, typed, 0, typed.length),
            0,
            at + typed.length,
            document,
            at,
            document.length);
      }
      case 7 ->
          new String(document, java.nio.charset.StandardCharsets.ISO_8859_1)
              .replace("\n", "\r\n")
              .getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
      default -> {
        // A whole line away.
        while (at > 0 && document[at - 1] != '\n') {
          at--;
        }
        int line = at;
        while (line < document.length && document[line] != '\n') {
          line++;
        }
        yield join(document, 0, at, document, Math.min(line + 1, document.length), document.length);
      }
    };
  }

  private static byte[] join(byte[] a, int aFrom, int aTo, byte[] b, int bFrom, int bTo) {
    var joined = Arrays.copyOfRange(a, aFrom, aTo + bTo - bFrom);
    System.arraycopy(b, bFrom, joined, aTo - aFrom, bTo - bFrom);
    return joined;
  }
}
