package longhand.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import longhand.Seed;
import longhand.disk.SimDisk;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.ReversePath;
import longhand.store.Append;
import longhand.store.Mailbox;
import longhand.store.Marks;
import longhand.store.Store;
import longhand.store.StoreSettings;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Planted damage is found, wherever it lies (invariants I7, I12).
class CheckerTest {

  private static final Path DATA = Path.of("/data");
  private static final Path DOCUMENT = DATA.resolve("mail/example.com/jbob");
  private final SimDisk disk = new SimDisk();
  private byte[] document = {};

  @BeforeEach
  void fill() throws Exception {
    var settings =
        new StoreSettings(
            64 * 1024,
            4,
            false,
            Duration.ofSeconds(5),
            Duration.ofDays(1),
            false,
            Duration.ofDays(1),
            4096,
            1L << 30);
    try (var store =
        Store.open(
            DATA, disk, () -> Instant.ofEpochSecond(1_795_000_000L), new Random(1), settings)) {
      append(store, "Subject: one\r\nStatus: D\r\n\r\n>From one\r\n");
      append(store, "Subject: two\r\n\r\nno newline");
    }
    document = disk.content(DOCUMENT);
    assertEquals(List.of(), findings());
  }

  private static void append(Store store, String message) throws Exception {
    try (var letter = store.letter()) {
      var octets = message.getBytes(StandardCharsets.US_ASCII);
      letter.write(octets, 0, octets.length);
      letter.finish();
      var account = store.account(new Address("jbob", new Domain("example.com")));
      store.append(
          List.of(
              new Append(
                  account,
                  Mailbox.INBOX,
                  ReversePath.NULL,
                  Instant.ofEpochSecond(1_700_000_000L),
                  Marks.NONE,
                  new byte[0],
                  letter)));
    }
  }

  private List<Finding> findings() throws Exception {
    return findings(1 << 20);
  }

  private List<Finding> findings(int windowOctets) throws Exception {
    var findings = new ArrayList<Finding>();
    new Checker(disk, DATA, findings::add, _ -> {}, windowOctets).check(null);
    return findings;
  }

  /// The window is of no matter to what is found.
  @Test
  void anyWindowFindsTheSame() throws Exception {
    long seed = Seed.value();
    var random = new Random(seed);
    for (int i = 0; i < 400; i++) {
      var damaged = document.clone();
      for (int n = random.nextInt(4); n > 0; n--) {
        damaged[random.nextInt(damaged.length)] = (byte) "\n\r:> XF\0".charAt(random.nextInt(8));
      }
      if (random.nextInt(8) == 0) {
        damaged = java.util.Arrays.copyOf(damaged, random.nextInt(damaged.length));
      }
      disk.change(DOCUMENT, damaged);
      var expected = findings();
      for (int window : new int[] {1, 2, 17, 100, 1 + random.nextInt(3000)}) {
        assertThat(findings(window)).as("window %d, seed %d", window, seed).isEqualTo(expected);
      }
    }
  }

  @Test
  void everyFlippedBitOfTheEntriesIsFound() throws Exception {
    int first =
        new String(document, StandardCharsets.ISO_8859_1).indexOf("\n\nFrom MAILER-DAEMON") + 2;
    for (int at = first; at < document.length; at++) {
      for (int bit = 0; bit < 8; bit++) {
        var damaged = document.clone();
        damaged[at] ^= (byte) (1 << bit);
        disk.change(DOCUMENT, damaged);
        boolean sender = document[at] != ' ' && inSender(at);
        if (!sender) {
          assertThat(findings()).as("bit " + bit + " of octet " + at).isNotEmpty();
        }
      }
    }
  }

  /// The sender on a From line is for people; the reverse-path stands in Return-Path.
  private boolean inSender(int at) {
    int start = at;
    while (start > 0 && document[start - 1] != '\n') {
      start--;
    }
    var line =
        new String(
            document, start, Math.min(60, document.length - start), StandardCharsets.ISO_8859_1);
    return line.startsWith("From MAILER-DAEMON ") && at >= start + 5 && at < start + 18;
  }

  @Test
  void everyFlippedBitOfTheTableIsFound() throws Exception {
    var text = new String(document, StandardCharsets.ISO_8859_1);
    int end = text.indexOf('\n', text.indexOf("\nend ") + 1);
    for (int at = text.indexOf("\naccount ") + 1; at < end; at++) {
      var damaged = document.clone();
      damaged[at] ^= 1;
      disk.change(DOCUMENT, damaged);
      assertThat(findings()).as("octet " + at).isNotEmpty();
    }
  }

  @Test
  void everyCutIsFound() throws Exception {
    for (int length = 0; length < document.length; length++) {
      disk.change(DOCUMENT, java.util.Arrays.copyOf(document, length));
      var text = new String(document, 0, length, StandardCharsets.ISO_8859_1);
      // Cut exactly between two entries it is a whole document of fewer.
      boolean between =
          text.endsWith("\n\n")
              && new String(document, length, 5, StandardCharsets.ISO_8859_1).equals("From ");
      if (!between) {
        assertThat(findings()).as("cut at " + length).isNotEmpty();
      }
    }
  }

  @Test
  void blocksZeroedDoubledAndSwappedAreFound() throws Exception {
    for (int at = 512; at + 512 < document.length; at += 512) {
      var zeroed = document.clone();
      java.util.Arrays.fill(zeroed, at, at + 512, (byte) 0);
      disk.change(DOCUMENT, zeroed);
      assertThat(findings()).as("zeroed at " + at).isNotEmpty();
    }
  }
}
