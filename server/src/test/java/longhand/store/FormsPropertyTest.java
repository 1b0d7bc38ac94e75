package longhand.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import longhand.Seed;
import longhand.disk.Disk;
import longhand.disk.DiskFile;
import longhand.disk.FileSystemDisk;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the forms of a message are, compared with the grammar of `docs/document-format.md` followed
/// octet by octet: for any octets, cut anywhere.
class FormsPropertyTest {

  private static final List<String> NAMES =
      List.of(
          "status",
          "x-status",
          "x-keywords",
          "x-uid",
          "x-imap",
          "x-imapbase",
          "content-length",
          "x-longhand",
          "x-mailbox");

  private static final List<String> PIECES =
      List.of(
          "\r\n",
          "\r\n",
          "\r\n",
          "\r",
          "\n",
          "\r\n\r\n",
          "From ",
          "from ",
          ">",
          "X-Quoted-",
          "x-qUOTED-",
          "Status:",
          "sTATUS ",
          "X-Status\t",
          "X-UID:",
          "X-IMAPbase:",
          "X-IMAP:",
          "Content-Length: 5",
          "x-longhand:",
          "Subject: a",
          ".",
          "S",
          "F",
          "x",
          "\u00ff",
          "\u008d\u008a",
          "The quick brown fox jumps over the lazy dog");

  @TempDir Path folder;

  /// Text of one octet a character.
  private static String random(Random random, int pieces) {
    var text = new StringBuilder();
    for (int i = 0; i < pieces; i++) {
      int kind = random.nextInt(PIECES.size() + 2);
      if (kind < PIECES.size()) {
        text.append(PIECES.get(kind));
      } else {
        text.repeat('a' + random.nextInt(26), random.nextInt(40));
      }
    }
    return text.toString();
  }

  private record Stored(String text, long wireOctets, boolean quoted) {}

  private static Stored byGrammar(String wire) {
    var text = wire.replace("\r\n", "\n");
    var stored = new StringBuilder();
    boolean header = true;
    boolean quoted = false;
    for (int at = 0; at < text.length(); at++) {
      char before = at == 0 ? '\n' : text.charAt(at - 1);
      if (before == '\n' || (before == '\r' && header)) {
        int name = quotable(text, at, header);
        if (name >= 0) {
          quoted = true;
          stored.append(text, at, name).append(text.charAt(name) == 'F' ? ">" : "X-Quoted-");
          // What was passed over is no beginning of a line: there is no line end in it.
          stored.append(text.charAt(name));
          at = name;
          continue;
        }
      }
      if (text.charAt(at) == '\n' && before == '\n') {
        header = false;
      }
      stored.append(text.charAt(at));
    }
    long lines = text.chars().filter(c -> c == '\n').count();
    return new Stored(stored.toString(), text.length() + lines, quoted);
  }

  /// Where in a line that begins at `at` a quote belongs, or -1.
  private static int quotable(String text, int at, boolean header) {
    int angles = at;
    while (text.startsWith(">", angles)) {
      angles++;
    }
    if (text.startsWith("From ", angles)) {
      return angles;
    }
    if (!header) {
      return -1;
    }
    int name = at;
    while (text.regionMatches(true, name, "X-Quoted-", 0, 9)) {
      name += 9;
    }
    for (var each : NAMES) {
      int end = name + each.length();
      if (text.regionMatches(true, name, each, 0, each.length())
          && end < text.length()
          && " \t:".indexOf(text.charAt(end)) >= 0) {
        // A name in lower or upper case is what the test's alphabet has, so that ignoring case is
        // the same here and there.
        assertThat(each).isEqualTo(text.substring(name, end).toLowerCase(Locale.ROOT));
        return name;
      }
    }
    return -1;
  }

  private static Stored written(String wire, Random random, int cutMax) throws IOException {
    var octets = wire.getBytes(StandardCharsets.ISO_8859_1);
    try (var letter = new Letter(new Spool(new FileSystemDisk(), Path.of("never-made")))) {
      for (int at = 0; at < octets.length; ) {
        int n = Math.min(octets.length - at, 1 + random.nextInt(cutMax));
        // Somewhere in a larger array, at any alignment; what lies around it is line ends.
        int shift = random.nextInt(9);
        var around = ("\r\n".repeat(5) + "\n".repeat(n + 9)).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(octets, at, around, shift, n);
        letter.write(around, shift, n);
        at += n;
      }
      letter.finish();
      return new Stored(
          new String(letter.memory(), 0, (int) letter.storedLength(), StandardCharsets.ISO_8859_1),
          letter.sizeOctets(),
          letter.quoted());
    }
  }

  @Test
  void theStoredFormIsTheGrammars() throws IOException {
    long seed = Seed.value();
    for (int i = 0; i < 6000; i++) {
      var random = new Random(seed + i);
      var wire = random(random, random.nextInt(30));
      int cutMax = random.nextBoolean() ? 3 : 200;
      assertThat(written(wire, random, cutMax)).as("seed %d", seed + i).isEqualTo(byGrammar(wire));
    }
  }

  @Test
  void theWireFormUndoesIt() throws IOException {
    long seed = Seed.value();
    for (int i = 0; i < 6000; i++) {
      var random = new Random(seed + i);
      var wire = random(random, random.nextInt(30));
      var stored = byGrammar(wire);
      var octets = stored.text.getBytes(StandardCharsets.ISO_8859_1);
      int shift = random.nextInt(9);
      var around = new byte[shift + octets.length];
      System.arraycopy(octets, 0, around, shift, octets.length);
      int crc = Ledger.crc(octets, 0, octets.length);
      try (var in =
          new WireForm(null, 0, around, shift, octets.length, stored.quoted, crc, () -> {})) {
        assertThat(read(in, random, 1 + random.nextInt(100)))
            .as("seed %d", seed + i)
            .isEqualTo(wire.replace("\r\n", "\n").replace("\n", "\r\n"));
      }
    }
  }

  /// More than is read from the document at once.
  @Test
  void theWireFormUndoesItForLongMessages() throws IOException {
    long seed = Seed.value();
    for (int i = 0; i < 40; i++) {
      var random = new Random(seed + i);
      var wire = random(random, 4000 + random.nextInt(11_000));
      var stored = byGrammar(wire);
      var octets = stored.text.getBytes(StandardCharsets.ISO_8859_1);
      var path = folder.resolve("document");
      try (var file = new FileSystemDisk().open(path, Disk.Mode.REPLACE)) {
        assertThat(written(wire, random, 70_000)).as("seed %d", seed + i).isEqualTo(stored);
        file.write(ByteBuffer.wrap(octets), 7);
        try (var in = opened(file, octets, random.nextInt(30_000), stored.quoted)) {
          assertThat(read(in, random, 1 + random.nextInt(70_000)))
              .as("seed %d", seed + i)
              .isEqualTo(wire.replace("\r\n", "\n").replace("\n", "\r\n"));
        }
      }
    }
  }

  /// With that many octets read already.
  private static WireForm opened(DiskFile file, byte[] octets, int before, boolean quoted)
      throws IOException {
    int n = Math.min(before, octets.length);
    var first = ByteBuffer.allocate(n);
    file.read(first, 7);
    int crc = Ledger.crc(octets, 0, octets.length);
    return new WireForm(file, 7 + n, first.array(), 0, octets.length, quoted, crc, () -> {});
  }

  private static String read(InputStream in, Random random, int cutMax) throws IOException {
    var all = new ByteArrayOutputStream();
    var target = new byte[cutMax + 8];
    while (true) {
      int offset = random.nextInt(9);
      int wanted = 1 + random.nextInt(target.length - offset);
      int n = random.nextInt(50) == 0 ? one(in, target, offset) : in.read(target, offset, wanted);
      if (n < 0) {
        return all.toString(StandardCharsets.ISO_8859_1);
      }
      assertThat(n).isPositive();
      all.write(target, offset, n);
    }
  }

  private static int one(InputStream in, byte[] target, int offset) throws IOException {
    int octet = in.read();
    target[offset] = (byte) octet;
    return octet < 0 ? -1 : 1;
  }
}
