package longhand.check;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import longhand.disk.Disk;

/// Reads the journal as `docs/document-format.md` describes it: what is committed and perhaps not
/// yet in the documents.
final class JournalReader {

  /// A write to one document.
  ///
  /// @param generation of the document it is meant for
  record Put(long generation, long offset, byte[] octets) {}

  private final Disk disk;
  private final Path folder;
  private final Consumer<Finding> findings;
  private final Map<String, List<Put>> puts = new TreeMap<>();

  JournalReader(Disk disk, Path data, Consumer<Finding> findings) {
    this.disk = disk;
    this.folder = data.resolve("journal");
    this.findings = findings;
  }

  /// The puts of each document, in the journal's order.
  Map<String, List<Put>> read() throws IOException {
    long settled = checkpoint();
    var segments = new TreeMap<Long, byte[]>();
    for (var name : disk.list(folder)) {
      if (!name.endsWith(".journal")) {
        continue;
      }
      var octets = octets(folder.resolve(name));
      if (octets.length < 16) {
        continue;
      }
      var header = ByteBuffer.wrap(octets);
      if (header.getInt(0) == 0x4c4e4701 && header.getInt(12) == crc(octets, 0, 12)) {
        segments.put(header.getLong(4), octets);
      } else if (unsettled(octets, settled)) {
        findings.accept(
            new Finding(
                Finding.Severity.DAMAGE,
                "journal/" + name,
                0,
                "the segment's header fails its check"));
      }
    }
    long expected = -1;
    for (var segment : segments.entrySet()) {
      long first = segment.getKey();
      if (expected >= 0 && first != expected) {
        continue;
      }
      long next = batches(segment.getValue(), first, settled);
      expected = next > settled || expected >= 0 ? next : -1;
    }
    return puts;
  }

  /// Whether a segment without a header holds a batch that no document has for certain. One that
  /// was torn when its first batch was written, of which nobody was told, holds older ones, or
  /// none.
  private static boolean unsettled(byte[] octets, long settled) {
    var in = ByteBuffer.wrap(octets);
    return octets.length >= 40
        && in.getInt(16) == 0x4c4e4702
        && in.getInt(36) == crc(octets, 16, 20)
        && in.getLong(24) >= settled;
  }

  private long checkpoint() throws IOException {
    if (!disk.exists(folder.resolve("checkpoint"))) {
      return 0;
    }
    var octets = ByteBuffer.wrap(Arrays.copyOf(octets(folder.resolve("checkpoint")), 1024));
    long number = 0;
    long settled = 0;
    int whole = 0;
    for (int slot = 0; slot < 1024; slot += 512) {
      if (octets.getInt(slot + 16) == crc(octets.array(), slot, 16)) {
        whole++;
        if (octets.getLong(slot) > number) {
          number = octets.getLong(slot);
          settled = octets.getLong(slot + 8);
        }
      }
    }
    if (whole == 0) {
      findings.accept(
          new Finding(
              Finding.Severity.DAMAGE, "journal/checkpoint", 0, "neither slot passes its check"));
    }
    return settled;
  }

  private long batches(byte[] octets, long first, long settled) throws IOException {
    var in = ByteBuffer.wrap(octets);
    long next = first;
    int at = 16;
    while (at + 24 <= octets.length && in.getInt(at) == 0x4c4e4702) {
      int length = in.getInt(at + 4);
      if (in.getLong(at + 8) != next
          || in.getInt(at + 20) != crc(octets, at, 20)
          || length < 0
          || length > octets.length - at - 24
          || in.getInt(at + 16) != crc(octets, at + 24, length)) {
        break;
      }
      if (next >= settled) {
        batch(Arrays.copyOfRange(octets, at + 24, at + 24 + length));
      }
      next++;
      at += 24 + length;
    }
    return next;
  }

  private void batch(byte[] content) throws IOException {
    var in = new DataInputStream(new ByteArrayInputStream(content));
    var shared = new byte[0];
    while (in.available() > 0) {
      int kind = in.readUnsignedByte();
      var name = new byte[in.readUnsignedShort()];
      in.readFully(name);
      var document = new String(name, StandardCharsets.UTF_8);
      long generation = in.readLong();
      long offset = in.readLong();
      int octets = Math.toIntExact(in.readLong());
      switch (kind) {
        case 1, 2 -> put(document, kind == 1 ? 1 : generation, offset, octets(in, octets));
        case 3, 4 -> {
          // References and intents bring no octets: the document has them, or is cut.
        }
        case 5 -> shared = octets(in, octets);
        case 6 -> {
          int before = in.readInt();
          var whole = new ByteArrayOutputStream();
          whole.writeBytes(octets(in, before));
          whole.writeBytes(shared);
          whole.writeBytes(octets(in, octets - 4 - before));
          put(document, generation, offset, whole.toByteArray());
        }
        case 7 ->
            PackedLines.expand(
                octets(in, octets), (at, lines) -> put(document, generation, at, lines));
        default -> {
          findings.accept(
              new Finding(
                  Finding.Severity.DAMAGE, "journal", -1, "a batch holds a write of kind " + kind));
          return;
        }
      }
    }
  }

  private static byte[] octets(DataInputStream in, int length) throws IOException {
    var octets = new byte[length];
    in.readFully(octets);
    return octets;
  }

  private void put(String document, long generation, long offset, byte[] octets) {
    puts.computeIfAbsent(document, _ -> new ArrayList<>()).add(new Put(generation, offset, octets));
  }

  private byte[] octets(Path path) throws IOException {
    try (var file = disk.open(path, Disk.Mode.READ)) {
      var octets = new byte[Math.toIntExact(file.size())];
      file.read(ByteBuffer.wrap(octets), 0);
      return octets;
    }
  }

  private static int crc(byte[] octets, int offset, int length) {
    var crc = new CRC32C();
    crc.update(octets, offset, length);
    return (int) crc.getValue();
  }
}
