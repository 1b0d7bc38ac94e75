package longhand.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/// Writes that become durable together or not at all (`docs/document-format.md`, "The journal").
/// Filled by one thread, then given to the journal; the arrays given are not copied and must stay
/// as they are.
final class Batch {

  static final byte CREATE = 1;
  static final byte PUT = 2;
  static final byte REFERENCE = 3;
  static final byte INTENT = 4;
  static final byte SHARED = 5;
  static final byte PUT_SHARED = 6;
  static final byte LEDGERS = 7;

  private final List<ByteBuffer> parts = new ArrayList<>();
  private final CRC32C crc = new CRC32C();
  private int length;
  private String named = "";
  private byte[] name = {};

  /// Octets of the content.
  int length() {
    return length;
  }

  int crc() {
    return (int) crc.getValue();
  }

  void copyTo(ByteBuffer target) {
    for (var part : parts) {
      target.put(part.duplicate());
    }
  }

  private void add(ByteBuffer part) {
    parts.add(part);
    crc.update(part.duplicate());
    length = Math.addExact(length, part.remaining());
  }

  private void head(byte kind, String document, long generation, long offset, long octets) {
    if (!document.equals(named)) {
      named = document;
      name = document.getBytes(StandardCharsets.UTF_8);
    }
    var head = ByteBuffer.allocate(1 + 2 + name.length + 8 + 8 + 8);
    head.put(kind).putShort((short) name.length).put(name);
    add(head.putLong(generation).putLong(offset).putLong(octets).flip());
  }

  /// A document of generation 1 begins with these octets.
  void create(String document, byte[] octets) {
    head(CREATE, document, 1, 0, octets.length);
    add(ByteBuffer.wrap(octets));
  }

  /// These octets, one slice after the other, at that offset.
  void put(String document, long generation, long offset, ByteBuffer... slices) {
    long octets = 0;
    for (var slice : slices) {
      octets += slice.remaining();
    }
    head(PUT, document, generation, offset, octets);
    for (var slice : slices) {
      add(slice);
    }
  }

  /// These ledgers of a document, each where it says.
  void ledgers(String document, long generation, PackedLedgers ledgers) {
    head(LEDGERS, document, generation, 0, ledgers.length());
    add(ledgers.octets());
  }

  /// Octets that `putShared` of this batch refers to. At most once in a batch.
  void share(ByteBuffer octets) {
    head(SHARED, "", 0, 0, octets.remaining());
    add(octets);
  }

  /// At that offset `before`, then the shared octets, then `after`.
  void putShared(
      String document, long generation, long offset, ByteBuffer before, ByteBuffer after) {
    head(PUT_SHARED, document, generation, offset, before.remaining() + after.remaining() + 4);
    add(ByteBuffer.allocate(4).putInt(before.remaining()).flip());
    add(before);
    add(after);
  }

  /// At that offset lie octets already forced.
  void reference(String document, long generation, long offset, long octets) {
    head(REFERENCE, document, generation, offset, octets);
  }

  /// At that offset octets will be put ahead of a reference.
  void intent(String document, long generation, long offset, long octets) {
    head(INTENT, document, generation, offset, octets);
  }

  /// What a batch read from the journal says, in order.
  interface Reader {
    void create(String document, ByteBuffer octets) throws IOException;

    void put(String document, long generation, long offset, List<ByteBuffer> slices)
        throws IOException;

    void reference(String document, long generation, long offset, long octets) throws IOException;

    void intent(String document, long generation, long offset, long octets) throws IOException;
  }

  /// Reads a content whose CRC was right.
  static void read(ByteBuffer content, Reader reader) throws IOException {
    var shared = ByteBuffer.allocate(0);
    while (content.hasRemaining()) {
      byte kind = content.get();
      var name = new byte[content.getShort() & 0xffff];
      content.get(name);
      var document = new String(name, StandardCharsets.UTF_8);
      long generation = content.getLong();
      long offset = content.getLong();
      long octets = content.getLong();
      switch (kind) {
        case CREATE -> reader.create(document, slice(content, octets));
        case PUT -> reader.put(document, generation, offset, List.of(slice(content, octets)));
        case SHARED -> shared = slice(content, octets);
        case PUT_SHARED -> {
          int before = content.getInt();
          reader.put(
              document,
              generation,
              offset,
              List.of(
                  slice(content, before), shared.duplicate(), slice(content, octets - 4 - before)));
        }
        case LEDGERS ->
            PackedLedgers.read(
                slice(content, octets),
                (ledger, at) ->
                    reader.put(
                        document, generation, at, List.of(ByteBuffer.wrap(ledger.format()))));
        case REFERENCE -> reader.reference(document, generation, offset, octets);
        case INTENT -> reader.intent(document, generation, offset, octets);
        default -> throw new DamagedException("the journal holds a write of unknown kind " + kind);
      }
    }
  }

  private static ByteBuffer slice(ByteBuffer from, long octets) {
    var slice = from.slice(from.position(), Math.toIntExact(octets));
    from.position(from.position() + (int) octets);
    return slice;
  }
}
