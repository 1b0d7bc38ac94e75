package longhand.store;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.TreeMap;
import longhand.disk.Disk;
import org.jspecify.annotations.Nullable;

/// What the catalogue says of a document: all that a delivery has to know. It is believed only
/// while the document's facts (inode, length, time of change) are these, so neither an older
/// catalogue nor a change from outside can mislead.
///
/// @param end where the next entry goes
/// @param deadSinceSeconds when the first of the dead entries died, since the epoch
/// @param indexedEnd how far the index's rows go; entries behind are read from the document
/// @param indexedModseq the state of the document in which those rows were written
/// @param late entries behind, each a delivery
/// @param mailboxes by number
record CatalogueEntry(
    String token,
    long generation,
    Disk.Facts facts,
    long end,
    long nextId,
    long modseq,
    long deadOctets,
    long deadSinceSeconds,
    long indexedEnd,
    long indexedModseq,
    int late,
    Map<Integer, Counts> mailboxes) {

  /// What is in a mailbox.
  record Counts(
      long nextUid,
      int messages,
      int unseen,
      int deleted,
      long firstRecent,
      int recent,
      long octets,
      long highestModseq) {}

  private static final int VERSION = 2;

  byte[] pack() {
    var octets = new ByteArrayOutputStream();
    try {
      var out = new DataOutputStream(octets);
      out.writeInt(VERSION);
      out.writeUTF(token);
      out.writeLong(generation);
      out.writeLong(facts.size());
      out.writeLong(facts.modifiedNanos());
      out.writeUTF(facts.key());
      out.writeLong(end);
      out.writeLong(nextId);
      out.writeLong(modseq);
      out.writeLong(deadOctets);
      out.writeLong(deadSinceSeconds);
      out.writeLong(indexedEnd);
      out.writeLong(indexedModseq);
      out.writeInt(late);
      out.writeInt(mailboxes.size());
      for (var mailbox : mailboxes.entrySet()) {
        var counts = mailbox.getValue();
        out.writeInt(mailbox.getKey());
        out.writeLong(counts.nextUid);
        out.writeInt(counts.messages);
        out.writeInt(counts.unseen);
        out.writeInt(counts.deleted);
        out.writeLong(counts.firstRecent);
        out.writeInt(counts.recent);
        out.writeLong(counts.octets);
        out.writeLong(counts.highestModseq);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return octets.toByteArray();
  }

  /// What those octets say; null when they are of another version.
  static @Nullable CatalogueEntry unpack(byte[] octets) throws IOException {
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
    long deadSinceSeconds = in.readLong();
    long indexedEnd = in.readLong();
    long indexedModseq = in.readLong();
    int late = in.readInt();
    var mailboxes = new TreeMap<Integer, Counts>();
    for (int left = in.readInt(); left > 0; left--) {
      mailboxes.put(
          in.readInt(),
          new Counts(
              in.readLong(),
              in.readInt(),
              in.readInt(),
              in.readInt(),
              in.readLong(),
              in.readInt(),
              in.readLong(),
              in.readLong()));
    }
    return new CatalogueEntry(
        token,
        generation,
        facts,
        end,
        nextId,
        modseq,
        deadOctets,
        deadSinceSeconds,
        indexedEnd,
        indexedModseq,
        late,
        mailboxes);
  }
}
