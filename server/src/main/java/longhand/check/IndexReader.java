package longhand.check;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import longhand.disk.Disk;
import longhand.index.AccountIndex;
import org.jspecify.annotations.Nullable;

/// Reads what an index says of a document's messages, when it says it of the document as it is. A
/// reader of its own, as the rest of the check.
final class IndexReader {

  private static final int VERSION = 1;

  /// One message.
  ///
  /// @param crc of the text, hexadecimal
  /// @param flags of the letters R, A, F, D, T
  /// @param offset of the `From ` line
  record Row(
      long mailbox,
      long uid,
      long modseq,
      long saved,
      long length,
      long size,
      String crc,
      String flags,
      SortedSet<String> keywords,
      long offset) {}

  private final Disk disk;
  private final Path document;

  IndexReader(Disk disk, Path document) {
    this.disk = disk;
    this.document = document;
  }

  /// The rows by id; null when there is no index, or one that the store would not believe either,
  /// since it is of another state of the document.
  @Nullable Map<Long, Row> read(String token) throws IOException {
    var file = document.resolveSibling(document.getFileName() + ".index");
    var facts = disk.facts(document);
    if (facts.isEmpty()) {
      return null;
    }
    try (var index = AccountIndex.openReadOnly(disk, file)) {
      var head = index == null ? null : index.head();
      if (index == null || head == null || head.length < 4) {
        return null;
      }
      var in = new DataInputStream(new ByteArrayInputStream(head));
      if (in.readInt() != VERSION || !in.readUTF().equals(token)) {
        return null;
      }
      in.readLong(); // the generation: the inode says as much
      if (in.readLong() != facts.get().size()
          || in.readLong() != facts.get().modifiedNanos()
          || !in.readUTF().equals(facts.get().key())) {
        return null;
      }
      in.skipNBytes(4 * 8); // end, next id, modseq, dead octets
      int entries = in.readInt();
      var rows = new HashMap<Long, Row>();
      int read = 0;
      for (int part = 0; read < entries; part++) {
        var octets = index.rows(part);
        if (octets == null) {
          return null; // damaged, and so of no consequence
        }
        read += rows(octets, rows);
      }
      return rows;
    }
  }

  private static int rows(byte[] octets, Map<Long, Row> rows) throws IOException {
    var in = new DataInputStream(new ByteArrayInputStream(octets));
    int count = in.readInt();
    for (int i = 0; i < count; i++) {
      long mailbox = in.readInt();
      long id = Integer.toUnsignedLong(in.readInt());
      long uid = Integer.toUnsignedLong(in.readInt());
      long modseq = in.readLong();
      long size = in.readInt();
      long saved = in.readLong();
      long length = in.readInt();
      var crc = String.format(Locale.ROOT, "%08x", in.readInt());
      int bits = in.readUnsignedByte();
      var flags = new StringBuilder();
      for (int bit = 0; bit < 5; bit++) {
        if ((bits & 1 << bit) != 0) {
          flags.append("RAFDT".charAt(bit));
        }
      }
      var keywords = new TreeSet<String>();
      for (int left = in.readUnsignedByte(); left > 0; left--) {
        keywords.add(in.readUTF());
      }
      long offset = in.readLong();
      in.skipNBytes(3 * 2); // widths
      rows.put(
          id,
          new Row(
              mailbox, uid, modseq, saved, length, size, crc, flags.toString(), keywords, offset));
    }
    return count;
  }
}
