package longhand.message;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/// What mail programs ask about a message without wanting it: its ENVELOPE, BODY and BODYSTRUCTURE,
/// ready to be sent, the fields they search, and where its parts lie. Made once, kept in the index;
/// then listing a mailbox parses nothing. The arrays are not copied and not to be changed.
///
/// @param envelope `envelope` of RFC 3501 §9, in octets
/// @param body `body` without extension data
/// @param bodyStructure `body` with extension data
/// @param sentDay see `SentDay`
/// @param searched of the message's own header
/// @param parts the parts, each after the one around it; the first is the message itself
public record Summary(
    byte[] envelope,
    byte[] body,
    byte[] bodyStructure,
    int sentDay,
    SearchedFields searched,
    List<Part> parts) {

  private static final int FORMAT = 2;

  public Summary {
    parts = List.copyOf(parts);
  }

  /// Reads a message to its end, in its form on the wire, in one pass and bounded memory. The
  /// stream is not closed.
  public static Summary of(InputStream message) throws IOException {
    return of(MimeScanner.scan(message));
  }

  /// Looks at a message in memory.
  public static Summary of(byte[] message) {
    return of(MimeScanner.scan(message));
  }

  private static Summary of(MimeScanner.Found found) {
    var entities = found.entities();
    var parts = new ArrayList<Part>(entities.size());
    for (var entity : entities) {
      parts.add(
          new Part(
              entity.kind,
              entity.parent == null ? -1 : entity.parent.index,
              entity.headerStart,
              entity.bodyStart,
              entity.end));
    }
    var envelope = entities.getFirst().envelope;
    return new Summary(
        envelope == null ? new byte[0] : envelope,
        BodyStructure.of(entities, false),
        BodyStructure.of(entities, true),
        found.sentDay(),
        found.searched(),
        parts);
  }

  /// The message itself: header and whole body.
  public Part root() {
    return parts.getFirst();
  }

  /// The parts directly within one, by its index.
  public List<Integer> children(int index) {
    var children = new ArrayList<Integer>();
    for (int i = index + 1; i < parts.size(); i++) {
      int parent = parts.get(i).parent();
      if (parent == index) {
        children.add(i);
      } else if (parent < index) {
        break;
      }
    }
    return children;
  }

  /// The part that IMAP section numbers name (RFC 3501 §6.4.5), by its index; -1 when there is
  /// none. In a message that is no multipart, 1 is its body: the message's own index is given.
  ///
  /// @param path the numbers, at least one
  public int part(int[] path) {
    int index = 0;
    boolean message = true;
    for (int number : path) {
      if (!message && parts.get(index).kind() == Part.Kind.MESSAGE) {
        index = index + 1 < parts.size() ? index + 1 : index;
        message = true;
      }
      if (parts.get(index).kind() == Part.Kind.MULTIPART) {
        index = child(index, number);
        if (index < 0) {
          return -1;
        }
      } else if (!message || number != 1) {
        return -1;
      }
      message = false;
    }
    return index;
  }

  private int child(int index, int number) {
    int seen = 0;
    for (int i = index + 1; i < parts.size(); i++) {
      int parent = parts.get(i).parent();
      if (parent < index) {
        break;
      }
      if (parent == index && ++seen == number) {
        return i;
      }
    }
    return -1;
  }

  /// A compact form for `fromBytes`.
  public byte[] toBytes() {
    var out = new ByteArrayOutputStream(envelope.length + body.length + bodyStructure.length + 64);
    out.write(FORMAT);
    put(out, sentDay == SentDay.NONE ? 0 : (((long) sentDay << 1) ^ (sentDay >> 31)) + 1);
    for (var octets : List.of(envelope, body, bodyStructure, searched.packed())) {
      put(out, octets.length);
      out.writeBytes(octets);
    }
    put(out, parts.size());
    long last = 0;
    for (var part : parts) {
      out.write(
          switch (part.kind()) {
            case LEAF -> 0;
            case MULTIPART -> 1;
            case MESSAGE -> 2;
          });
      put(out, part.parent() + 1L);
      put(out, part.headerStart() - last);
      put(out, part.bodyStart() - part.headerStart());
      put(out, part.end() - part.bodyStart());
      last = part.headerStart();
    }
    return out.toByteArray();
  }

  private static void put(ByteArrayOutputStream out, long number) {
    long rest = number;
    while (rest > 0x7f) {
      out.write((int) ((rest & 0x7f) | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
  }

  /// What `toBytes` wrote. `IllegalArgumentException` for anything that cannot be that: whoever
  /// kept the bytes makes a new summary then.
  public static Summary fromBytes(byte[] bytes) {
    return new Reader(bytes).read();
  }

  private static final class Reader {

    private final byte[] bytes;
    private int at;

    Reader(byte[] bytes) {
      this.bytes = bytes;
    }

    Summary read() {
      if (octet() != FORMAT) {
        throw new IllegalArgumentException("a summary of another format");
      }
      long day = number();
      int sentDay = SentDay.NONE;
      if (day > 0) {
        sentDay = (int) ((day - 1) >>> 1) ^ -(int) ((day - 1) & 1);
      }
      var envelope = octets();
      var body = octets();
      var bodyStructure = octets();
      var searched = new SearchedFields(octets());
      int count = length(MimeScanner.PARTS_MAX);
      var parts = new ArrayList<Part>(count);
      long last = 0;
      for (int i = 0; i < count; i++) {
        var kind = kind();
        int parent = length(i) - 1;
        if ((parent < 0) != (i == 0)) {
          throw new IllegalArgumentException("damaged summary");
        }
        long headerStart = last + number();
        long bodyStart = headerStart + number();
        long end = bodyStart + number();
        if (headerStart < 0 || bodyStart < headerStart || end < bodyStart) {
          throw new IllegalArgumentException("damaged summary");
        }
        parts.add(new Part(kind, parent, headerStart, bodyStart, end));
        last = headerStart;
      }
      if (parts.isEmpty() || at != bytes.length) {
        throw new IllegalArgumentException("damaged summary");
      }
      return new Summary(envelope, body, bodyStructure, sentDay, searched, parts);
    }

    private Part.Kind kind() {
      int octet = octet();
      if (octet > 2) {
        throw new IllegalArgumentException("damaged summary");
      }
      return octet == 0 ? Part.Kind.LEAF : octet == 1 ? Part.Kind.MULTIPART : Part.Kind.MESSAGE;
    }

    private int octet() {
      if (at >= bytes.length) {
        throw new IllegalArgumentException("a summary cut short");
      }
      return bytes[at++] & 0xff;
    }

    private long number() {
      long number = 0;
      for (int shift = 0; shift < 63; shift += 7) {
        int octet = octet();
        number |= (long) (octet & 0x7f) << shift;
        if (octet < 0x80) {
          return number;
        }
      }
      throw new IllegalArgumentException("damaged summary");
    }

    private int length(int max) {
      long length = number();
      if (length > max) {
        throw new IllegalArgumentException("damaged summary");
      }
      return (int) length;
    }

    private byte[] octets() {
      int length = length(bytes.length - at);
      var octets = java.util.Arrays.copyOfRange(bytes, at, at + length);
      at += length;
      return octets;
    }
  }
}
