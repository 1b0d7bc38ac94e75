package longhand.store;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Many ledgers of one document as the journal holds them (`docs/document-format.md`, "The
/// journal"): each is all there, but what it shares with the one before takes no room. A mark on
/// 100,000 messages is 2 MB to force and not 24.
final class PackedLedgers {

  private static final int MARKS = 1;
  private static final int MAILBOX = 2;
  private static final int ROOMS = 4;
  private static final int MODSEQ = 8;
  private static final int DEAD = 16;
  private static final int QUOTED = 32;
  private static final int OLD = 64;

  /// Octets of a ledger without keywords and name, at the most.
  private static final int FIXED_MAX = 1 + 6 * 10 + 4 + 10 + 2 * 10;

  private byte[] octets = new byte[256];
  private int length;
  private long offset;
  private @Nullable Ledger before;

  /// Adds a ledger of the same document as those before.
  ///
  /// @param at where its X-Longhand line begins
  void add(Ledger ledger, long at) {
    var last = before;
    if (last == null) {
      append(Ledger.ascii(ledger.token()));
    }
    before = ledger;
    boolean marks = last == null || !ledger.marks().equals(last.marks());
    boolean mailbox =
        last == null
            || ledger.mailbox() != last.mailbox()
            || !ledger.mailboxName().equals(last.mailboxName());
    boolean rooms =
        last == null
            || ledger.keywordsRoom() != last.keywordsRoom()
            || ledger.mailboxRoom() != last.mailboxRoom();
    boolean modseq = last == null || ledger.modseq() != last.modseq();
    reserve(FIXED_MAX);
    octets[length++] =
        (byte)
            ((marks ? MARKS : 0)
                | (mailbox ? MAILBOX : 0)
                | (rooms ? ROOMS : 0)
                | (modseq ? MODSEQ : 0)
                | (ledger.state() == Ledger.State.DEAD ? DEAD : 0)
                | (ledger.quoted() ? QUOTED : 0)
                | (ledger.old() ? OLD : 0));
    signed(at - offset);
    offset = at;
    signed(ledger.id() - (last == null ? 0 : last.id()));
    signed(ledger.uid() - (last == null ? 0 : last.uid()));
    signed(ledger.saved() - (last == null ? 0 : last.saved()));
    unsigned(ledger.length());
    signed(ledger.size() - ledger.length());
    for (int shift = 24; shift >= 0; shift -= 8) {
      octets[length++] = (byte) (ledger.crc() >>> shift);
    }
    if (modseq) {
      unsigned(ledger.modseq());
    }
    if (rooms) {
      unsigned(ledger.keywordsRoom());
      unsigned(ledger.mailboxRoom());
    }
    if (marks) {
      reserve(20);
      unsigned(ledger.marks().bits());
      unsigned(ledger.marks().keywords().size());
      for (var keyword : ledger.marks().keywords()) {
        text(keyword);
      }
    }
    if (mailbox) {
      reserve(10);
      unsigned(ledger.mailbox());
      text(ledger.mailboxName());
    }
  }

  /// Octets so far.
  int length() {
    return length;
  }

  /// All of it; nothing may be added afterwards.
  ByteBuffer octets() {
    return ByteBuffer.wrap(octets, 0, length).slice();
  }

  private void reserve(int more) {
    if (octets.length - length < more) {
      octets = Arrays.copyOf(octets, Math.max(length + more, octets.length * 2));
    }
  }

  private void append(byte[] some) {
    reserve(some.length);
    System.arraycopy(some, 0, octets, length, some.length);
    length += some.length;
  }

  private void text(String text) {
    var some = text.getBytes(StandardCharsets.UTF_8);
    reserve(5);
    unsigned(some.length);
    append(some);
  }

  private void signed(long value) {
    unsigned(value << 1 ^ value >> 63);
  }

  private void unsigned(long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      octets[length++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    octets[length++] = (byte) rest;
  }

  /// Takes ledgers out of a pack.
  interface Reader {
    /// Takes one.
    ///
    /// @param at where its X-Longhand line begins
    void ledger(Ledger ledger, long at) throws IOException;
  }

  /// Gives the ledgers of a pack in their order.
  ///
  /// @throws DamagedException when it is not a pack, though its batch passed its check
  static void read(ByteBuffer from, Reader reader) throws IOException {
    try {
      var token = text(from, Ledger.TOKEN_LENGTH);
      long at = 0;
      long id = 0;
      long uid = 0;
      long saved = 0;
      long modseq = 0;
      var marks = Marks.NONE;
      int mailbox = 0;
      var name = "";
      int keywordsRoom = 0;
      int mailboxRoom = 0;
      while (from.hasRemaining()) {
        int bits = from.get();
        at += signed(from);
        id += signed(from);
        uid += signed(from);
        saved += signed(from);
        long length = unsigned(from);
        long size = length + signed(from);
        int crc = from.getInt();
        if ((bits & MODSEQ) != 0) {
          modseq = unsigned(from);
        }
        if ((bits & ROOMS) != 0) {
          keywordsRoom = Math.toIntExact(unsigned(from));
          mailboxRoom = Math.toIntExact(unsigned(from));
        }
        if ((bits & MARKS) != 0) {
          int flags = Math.toIntExact(unsigned(from));
          var keywords = new ArrayList<String>();
          for (long left = unsigned(from); left > 0; left--) {
            keywords.add(text(from, unsigned(from)));
          }
          marks = Marks.of(flags, keywords);
        }
        if ((bits & MAILBOX) != 0) {
          mailbox = Math.toIntExact(unsigned(from));
          name = text(from, unsigned(from));
        }
        reader.ledger(
            new Ledger(
                token,
                id,
                uid,
                modseq,
                saved,
                length,
                size,
                crc,
                (bits & DEAD) != 0 ? Ledger.State.DEAD : Ledger.State.LIVE,
                (bits & QUOTED) != 0,
                marks,
                (bits & OLD) != 0,
                mailbox,
                name,
                keywordsRoom,
                mailboxRoom),
            at);
      }
    } catch (BufferUnderflowException | ArithmeticException | IllegalArgumentException e) {
      throw new DamagedException("the journal holds ledgers that cannot be read: " + e);
    }
  }

  private static String text(ByteBuffer from, long octets) {
    if (octets > from.remaining()) {
      throw new BufferUnderflowException();
    }
    var some = new byte[(int) octets];
    from.get(some);
    return new String(some, StandardCharsets.UTF_8);
  }

  private static long signed(ByteBuffer from) {
    long value = unsigned(from);
    return value >>> 1 ^ -(value & 1);
  }

  private static long unsigned(ByteBuffer from) {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      byte octet = from.get();
      value |= (octet & 0x7fL) << shift;
      if (octet >= 0) {
        return value;
      }
    }
    throw new ArithmeticException("a number of more than 64 bits");
  }
}
