package longhand.store;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import longhand.disk.Disk;
import org.jspecify.annotations.Nullable;

/// How an account's entries are packed into its index. A document whose facts (inode, length, time
/// of change) and generation are those of the head is as it was when the rows were written; any
/// other is read itself.
final class IndexRows {

  /// Entries in one part.
  static final int PART = 4096;

  private static final int VERSION = 1;

  private IndexRows() {}

  /// What an index says first.
  ///
  /// @param mailboxes by number: the next UID
  record Head(
      String token,
      long generation,
      Disk.Facts facts,
      long end,
      long nextId,
      long modseq,
      long deadOctets,
      int entries,
      Map<Integer, Long> mailboxes) {}

  static byte[] pack(Head head) {
    return bytes(
        out -> {
          out.writeInt(VERSION);
          out.writeUTF(head.token);
          out.writeLong(head.generation);
          out.writeLong(head.facts.size());
          out.writeLong(head.facts.modifiedNanos());
          out.writeUTF(head.facts.key());
          out.writeLong(head.end);
          out.writeLong(head.nextId);
          out.writeLong(head.modseq);
          out.writeLong(head.deadOctets);
          out.writeInt(head.entries);
          out.writeInt(head.mailboxes.size());
          for (var mailbox : head.mailboxes.entrySet()) {
            out.writeInt(mailbox.getKey());
            out.writeLong(mailbox.getValue());
          }
        });
  }

  /// The head in those octets; null when they are of another version.
  static @Nullable Head unpack(byte[] octets) throws IOException {
    var in = new DataInputStream(new ByteArrayInputStream(octets));
    if (octets.length < 4 || in.readInt() != VERSION) {
      return null;
    }
    var token = in.readUTF();
    long generation = in.readLong();
    var facts = new Disk.Facts(in.readLong(), in.readLong(), in.readUTF());
    long end = in.readLong();
    long nextId = in.readLong();
    long modseq = in.readLong();
    long deadOctets = in.readLong();
    int entries = in.readInt();
    var mailboxes = new TreeMap<Integer, Long>();
    for (int left = in.readInt(); left > 0; left--) {
      mailboxes.put(in.readInt(), in.readLong());
    }
    return new Head(token, generation, facts, end, nextId, modseq, deadOctets, entries, mailboxes);
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
