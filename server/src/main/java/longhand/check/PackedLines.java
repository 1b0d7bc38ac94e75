package longhand.check;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.function.BiConsumer;
import java.util.zip.CRC32C;

/// The lines of ledgers that a journal holds packed (`docs/document-format.md`, "The journal"),
/// written out as a document has them.
final class PackedLines {

  private final DataInputStream in;
  private long offset;
  private long id;
  private long uid;
  private long saved;
  private long modseq;
  private long keywordsRoom;
  private long mailboxRoom;
  private long flags;
  private String keywords = "";
  private String mailbox = "";

  private PackedLines(byte[] pack) {
    this.in = new DataInputStream(new ByteArrayInputStream(pack));
  }

  /// Gives each ledger's offset and octets.
  static void expand(byte[] pack, BiConsumer<Long, byte[]> lines) throws IOException {
    var packed = new PackedLines(pack);
    var token = packed.text(16);
    while (packed.in.available() > 0) {
      var octets = packed.next(token);
      lines.accept(packed.offset, octets);
    }
  }

  private byte[] next(String token) throws IOException {
    int bits = in.readUnsignedByte();
    offset += zigzag();
    id += zigzag();
    uid += zigzag();
    saved += zigzag();
    long length = number();
    long size = length + zigzag();
    int crc = in.readInt();
    if ((bits & 8) != 0) {
      modseq = number();
    }
    if ((bits & 4) != 0) {
      keywordsRoom = number();
      mailboxRoom = number();
    }
    if ((bits & 1) != 0) {
      flags = number();
      var words = new StringBuilder();
      for (long left = number(); left > 0; left--) {
        words.append(text(number())).append(' ');
      }
      keywords = words.toString();
    }
    if ((bits & 2) != 0) {
      mailbox = number() + " " + text(number());
    }
    boolean dead = (bits & 16) != 0;
    var below = new ByteArrayOutputStream();
    below.writeBytes(ascii("Status: " + (has(1) ? 'R' : ' ') + ((bits & 64) != 0 ? 'O' : ' ')));
    below.writeBytes(ascii("\nX-Status: " + (has(2) ? 'A' : ' ') + (has(4) ? 'F' : ' ')));
    below.writeBytes(ascii("" + (has(8) || dead ? 'D' : ' ') + (has(16) ? 'T' : ' ')));
    below.writeBytes(ascii("\nX-Keywords: "));
    below.writeBytes(padded(keywords, keywordsRoom));
    below.writeBytes(ascii("\nX-Mailbox: "));
    below.writeBytes(padded(mailbox, mailboxRoom));
    below.write('\n');
    var line =
        String.format(
            Locale.ROOT,
            "X-Longhand: %s %010d %010d %016d %011d %010d %010d %08x %c%c %08x ",
            token,
            id,
            uid,
            modseq,
            saved,
            length,
            size,
            crc,
            dead ? 'D' : 'L',
            (bits & 32) != 0 ? 'q' : '-',
            check(below.toByteArray()));
    var whole = new ByteArrayOutputStream();
    whole.writeBytes(ascii(line + String.format(Locale.ROOT, "%08x\n", check(ascii(line)))));
    whole.writeBytes(below.toByteArray());
    return whole.toByteArray();
  }

  private boolean has(int flag) {
    return (flags & flag) != 0;
  }

  /// As many whole characters as fit, controls shown as question marks, then spaces.
  private static byte[] padded(String text, long room) {
    var out = new ByteArrayOutputStream();
    for (int point : text.codePoints().toArray()) {
      var octets =
          Character.isISOControl(point)
              ? new byte[] {'?'}
              : Character.toString(point).getBytes(StandardCharsets.UTF_8);
      if (out.size() + octets.length > room) {
        break;
      }
      out.writeBytes(octets);
    }
    while (out.size() < room) {
      out.write(' ');
    }
    return out.toByteArray();
  }

  private static int check(byte[] octets) {
    var crc = new CRC32C();
    crc.update(octets);
    return (int) crc.getValue();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private String text(long octets) throws IOException {
    var some = new byte[Math.toIntExact(octets)];
    in.readFully(some);
    return new String(some, StandardCharsets.UTF_8);
  }

  private long zigzag() throws IOException {
    long value = number();
    return value >>> 1 ^ -(value & 1);
  }

  private long number() throws IOException {
    long value = 0;
    int octet;
    int shift = 0;
    do {
      octet = in.readUnsignedByte();
      value |= (octet & 0x7fL) << shift;
      shift += 7;
    } while (octet >= 0x80 && shift < 64);
    return value;
  }
}
