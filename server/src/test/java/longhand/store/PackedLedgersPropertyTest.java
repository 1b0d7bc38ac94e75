package longhand.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import longhand.Seed;
import org.junit.jupiter.api.Test;

class PackedLedgersPropertyTest {

  private record Placed(Ledger ledger, long at) {}

  @Test
  void whatIsPackedComesOutTheSame() throws Exception {
    long seed = Seed.value();
    System.out.println("packed ledgers: seed " + seed);
    var random = new Random(seed);
    for (int round = 0; round < 500; round++) {
      var placed = some(random);
      var packed = new PackedLedgers();
      placed.forEach(each -> packed.add(each.ledger, each.at));
      var read = new ArrayList<Placed>();
      PackedLedgers.read(packed.octets(), (ledger, at) -> read.add(new Placed(ledger, at)));
      assertEquals(placed, read);
      for (int i = 0; i < read.size(); i++) {
        assertArrayEquals(placed.get(i).ledger.format(), read.get(i).ledger.format());
      }
    }
  }

  @Test
  void aPackCutShortIsDamage() {
    var packed = new PackedLedgers();
    some(new Random(3)).forEach(each -> packed.add(each.ledger, each.at));
    var whole = new byte[packed.length()];
    packed.octets().get(whole);
    int told = 0;
    for (int length = 0; length < whole.length; length++) {
      try {
        PackedLedgers.read(ByteBuffer.wrap(whole, 0, length), (_, _) -> {});
      } catch (DamagedException e) {
        told++;
      } catch (java.io.IOException e) {
        throw new AssertionError(e);
      }
    }
    // Cut between two ledgers it is a shorter pack; the batch's own check tells that.
    assertEquals(true, told > whole.length - 100, told + " of " + whole.length);
    assertThrows(
        DamagedException.class,
        () -> PackedLedgers.read(ByteBuffer.wrap(whole, 0, 3), (_, _) -> {}));
  }

  private static List<Placed> some(Random random) {
    var some = new ArrayList<Placed>();
    long at = random.nextInt(1000);
    int count = 1 + random.nextInt(40);
    for (int i = 0; i < count; i++) {
      var words = new ArrayList<String>();
      while (random.nextInt(3) == 0) {
        words.add("k" + random.nextInt(5) + "w".repeat(random.nextInt(60)));
      }
      var marks = Marks.of(random.nextInt(4) == 0 ? random.nextInt(32) : 1, words);
      some.add(
          new Placed(
              new Ledger(
                  "abcdefghijklmnop",
                  random.nextLong(9_999_999_999L),
                  random.nextLong(0xffff_ffffL),
                  random.nextLong(1L << 50),
                  random.nextLong(99_999_999_999L),
                  random.nextInt(Integer.MAX_VALUE),
                  random.nextInt(Integer.MAX_VALUE),
                  random.nextInt(),
                  random.nextBoolean() ? Ledger.State.LIVE : Ledger.State.DEAD,
                  random.nextBoolean(),
                  marks,
                  random.nextBoolean(),
                  random.nextInt(Integer.MAX_VALUE),
                  random.nextBoolean() ? "Läng/" + "ö".repeat(random.nextInt(30)) : "INBOX",
                  Ledger.keywordsRoom(marks),
                  Ledger.MAILBOX_ROOM),
              at));
      at += random.nextLong(1L << random.nextInt(40));
    }
    return some;
  }
}
