package longhand.store;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How an account's entries are packed into its index. Whether a document is still as it was when
/// the rows were written, or has only grown since, the catalogue says.
final class IndexRows {

  /// Entries in one part.
  static final int PART = 4096;

  private static final int VERSION = 2;

  private IndexRows() {}

  /// Of which state of the document the rows are.
  ///
  /// @param end how far they go
  record Head(String token, long generation, long end, long modseq, int entries) {}

  static byte[] pack(Head head) {
    return bytes(
        out -> {
          out.writeInt(VERSION);
          out.writeUTF(head.token);
          out.writeLong(head.generation);
          out.writeLong(head.end);
          out.writeLong(head.modseq);
          out.writeInt(head.entries);
        });
  }

  /// The head in those octets; null when they are of another version.
  static @Nullable Head unpack(byte[] octets) throws IOException {
    var in = new DataInputStream(new ByteArrayInputStream(octets));
    if (octets.length < 4 || in.readInt() != VERSION) {
      return null;
    }
    return new Head(in.readUTF(), in.readLong(), in.readLong(), in.readLong(), in.readInt());
  }

  static byte[] pack(List<Entry> entries) {
    return bytes(
        out -> {
          out.writeInt(entries.size());
          for (var entry : entries) {
            out.writeInt(entry.mailbox);
            out.writeInt((int) entry.id);
            out.writeInt((int) entry.uid);
            out.writeLong(entry.modseq);
            out.writeInt(entry.sizeOctets);
            out.writeLong(entry.savedSeconds);
            out.writeInt(entry.length);
            out.writeInt(entry.crc);
            out.writeByte(entry.marks.bits() | (entry.quoted ? 0x80 : 0));
            out.writeByte(entry.marks.keywords().size());
            for (var keyword : entry.marks.keywords()) {
              out.writeUTF(keyword);
            }
            out.writeLong(entry.offset);
            out.writeShort(entry.fromLength);
            out.writeShort(entry.keywordsRoom);
            out.writeShort(entry.mailboxRoom);
          }
        });
  }

  static List<Entry> unpackEntries(byte[] octets) throws IOException {
    var in = new DataInputStream(new ByteArrayInputStream(octets));
    int count = in.readInt();
    var entries = new ArrayList<Entry>(Math.min(count, PART));
    for (int i = 0; i < count; i++) {
      int mailbox = in.readInt();
      long id = in.readInt() & 0xffffffffL;
      long uid = in.readInt() & 0xffffffffL;
      long modseq = in.readLong();
      int size = in.readInt();
      long saved = in.readLong();
      int length = in.readInt();
      int crc = in.readInt();
      int bits = in.readUnsignedByte();
      var keywords = new ArrayList<String>();
      for (int left = in.readUnsignedByte(); left > 0; left--) {
        keywords.add(in.readUTF());
      }
      var entry =
          new Entry(
              mailbox,
              id,
              uid,
              modseq,
              size,
              saved,
              length,
              crc,
              (bits & 0x80) != 0,
              Marks.of(bits & 0x7f, keywords));
      entry.place(in.readLong(), in.readShort(), in.readShort(), in.readShort());
      entries.add(entry);
    }
    return entries;
  }

  private interface Writer {
    void to(DataOutputStream out) throws IOException;
  }

  private static byte[] bytes(Writer writer) {
    var octets = new ByteArrayOutputStream();
    try {
      writer.to(new DataOutputStream(octets));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return octets.toByteArray();
  }
}
