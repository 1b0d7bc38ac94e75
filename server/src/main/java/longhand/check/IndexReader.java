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
import longhand.index.Catalogue;
import org.jspecify.annotations.Nullable;

/// Reads what the catalogue and an index say of a document's messages, when they say it of the
/// document as it is. A reader of its own, as the rest of the check.
final class IndexReader {

  private static final int VERSION = 2;

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

  /// What the caches know of a document.
  ///
  /// @param messages in all mailboxes
  /// @param octets on the wire, in all mailboxes
  /// @param rows by id, of entries in front of `rowsEnd`; null when the index has none of this
  ///   state
  record Known(long messages, long octets, long rowsEnd, @Nullable Map<Long, Row> rows) {}

  private final Disk disk;
  private final Catalogue catalogue;

  IndexReader(Disk disk, Catalogue catalogue) {
    this.disk = disk;
    this.catalogue = catalogue;
  }

  /// What is known of a document as it is; null when nothing is, or something of another state of
  /// it, which the store would not believe either.
  ///
  /// @param name of the document, with its domain
  @Nullable Known read(Path document, String name, String token) throws IOException {
    var facts = disk.facts(document);
    var entry = catalogue.get(name);
    if (facts.isEmpty() || entry == null || entry.length < 4) {
      return null;
    }
    var in = new DataInputStream(new ByteArrayInputStream(entry));
    if (in.readInt() != VERSION || !in.readUTF().equals(token)) {
      return null;
    }
    long generation = in.readLong();
    if (in.readLong() != facts.get().size()
        || in.readLong() != facts.get().modifiedNanos()
        || !in.readUTF().equals(facts.get().key())) {
      return null;
    }
    in.skipNBytes(5 * 8); // end, next id, modseq, dead entries
    long rowsEnd = in.readLong();
    long rowsModseq = in.readLong();
    in.readInt(); // entries behind the rows
    long messages = 0;
    long octets = 0;
    for (int left = in.readInt(); left > 0; left--) {
      in.skipNBytes(4 + 8);
      messages += in.readInt();
      in.skipNBytes(2 * 4 + 8 + 4);
      octets += in.readLong();
      in.readLong();
    }
    return new Known(
        messages, octets, rowsEnd, rows(document, token, generation, rowsEnd, rowsModseq));
  }

  private @Nullable Map<Long, Row> rows(
      Path document, String token, long generation, long end, long modseq) throws IOException {
    var file = document.resolveSibling(document.getFileName() + ".index");
    try (var index = AccountIndex.openReadOnly(disk, file)) {
      var head = index == null ? null : index.head();
      if (index == null || head == null || head.length < 4) {
        return null;
      }
      var in = new DataInputStream(new ByteArrayInputStream(head));
      if (in.readInt() != VERSION
          || !in.readUTF().equals(token)
          || in.readLong() != generation
          || in.readLong() != end
          || in.readLong() != modseq) {
        return null;
      }
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
