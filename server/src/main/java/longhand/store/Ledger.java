package longhand.store;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// The ledger: the five lines under an entry's `From ` line that say what Longhand knows of it
/// (`docs/document-format.md`, "Grammar"). The account entry has only the first.
///
/// @param uid of the account entry: the generation
/// @param saved seconds since the epoch: INTERNALDATE, whatever other programs make of the `From `
///   line
/// @param keywordsRoom octets after `X-Keywords: `
/// @param mailboxRoom octets after `X-Mailbox: `
record Ledger(
    String token,
    long id,
    long uid,
    long modseq,
    long saved,
    long length,
    long size,
    int crc,
    State state,
    boolean quoted,
    Marks marks,
    boolean old,
    int mailbox,
    String mailboxName,
    int keywordsRoom,
    int mailboxRoom) {

  enum State {
    LIVE('L'),
    DEAD('D'),
    ACCOUNT('A');

    final char letter;

    State(char letter) {
      this.letter = letter;
    }
  }

  static final int TOKEN_LENGTH = 16;
  static final int KEYWORDS_ROOM = 40;
  static final int MAILBOX_ROOM = 32;

  static final byte[] LONGHAND = ascii("X-Longhand: ");
  private static final byte[] STATUS = ascii("Status: ");
  private static final byte[] X_STATUS = ascii("X-Status: ");
  private static final byte[] X_KEYWORDS = ascii("X-Keywords: ");
  private static final byte[] X_MAILBOX = ascii("X-Mailbox: ");

  /// Octets of the first line, LF included.
  static final int LINE = 12 + TOKEN_LENGTH + 1 + 11 + 11 + 17 + 12 + 11 + 11 + 9 + 3 + 9 + 8 + 1;

  private static final int FIXED = LINE + 8 + 2 + 1 + 10 + 4 + 1 + 12 + 1 + 11 + 1;

  static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /// Octets of a ledger with those rooms.
  static int octets(int keywordsRoom, int mailboxRoom) {
    return FIXED + keywordsRoom + mailboxRoom;
  }

  /// The room keywords need, at least the usual.
  static int keywordsRoom(Marks marks) {
    int needed = 0;
    for (var keyword : marks.keywords()) {
      needed += keyword.length() + 1;
    }
    return needed <= KEYWORDS_ROOM ? KEYWORDS_ROOM : needed + KEYWORDS_ROOM;
  }

  /// Whether those keywords fit.
  static boolean fits(Marks marks, int keywordsRoom) {
    int needed = 0;
    for (var keyword : marks.keywords()) {
      needed += keyword.length() + 1;
    }
    return needed <= keywordsRoom;
  }

  /// Octets this ledger takes.
  int octets() {
    return state == State.ACCOUNT ? LINE : octets(keywordsRoom, mailboxRoom);
  }

  /// The ledger as it stands in a document.
  byte[] format() {
    var to = ByteBuffer.allocate(octets());
    if (state != State.ACCOUNT) {
      to.position(LINE);
      to.put(STATUS).put((byte) (marks.has(Flag.SEEN) ? 'R' : ' ')).put((byte) (old ? 'O' : ' '));
      to.put((byte) '\n');
      to.put(X_STATUS);
      to.put((byte) (marks.has(Flag.ANSWERED) ? 'A' : ' '));
      to.put((byte) (marks.has(Flag.FLAGGED) ? 'F' : ' '));
      to.put((byte) (marks.has(Flag.DELETED) || state == State.DEAD ? 'D' : ' '));
      to.put((byte) (marks.has(Flag.DRAFT) ? 'T' : ' '));
      to.put((byte) '\n');
      to.put(X_KEYWORDS);
      int end = to.position() + keywordsRoom;
      for (var keyword : marks.keywords()) {
        to.put(ascii(keyword)).put((byte) ' ');
      }
      pad(to, end);
      to.put(X_MAILBOX);
      end = to.position() + mailboxRoom;
      to.put(ascii(Integer.toString(mailbox))).put((byte) ' ');
      putName(to, mailboxName, end);
      pad(to, end);
    }
    int total = to.position();
    int marksCrc = state == State.ACCOUNT ? 0 : crc(to.array(), LINE, total - LINE);
    to.position(0);
    to.put(LONGHAND).put(ascii(token)).put((byte) ' ');
    decimal(to, id, 10);
    decimal(to, uid, 10);
    decimal(to, modseq, 16);
    decimal(to, saved, 11);
    decimal(to, length, 10);
    decimal(to, size, 10);
    hexadecimal(to, crc);
    to.put((byte) state.letter).put((byte) (quoted ? 'q' : '-')).put((byte) ' ');
    hexadecimal(to, marksCrc);
    int check = crc(to.array(), 0, to.position());
    hexadecimal(to, check);
    to.put(to.position() - 1, (byte) '\n');
    return to.array();
  }

  /// As much of the name as fits, cut between characters.
  private static void putName(ByteBuffer to, String name, int end) {
    for (int i = 0; i < name.length(); ) {
      int point = name.codePointAt(i);
      i += Character.charCount(point);
      var octets =
          Character.isISOControl(point)
              ? new byte[] {'?'}
              : Character.toString(point).getBytes(StandardCharsets.UTF_8);
      if (to.position() + octets.length > end) {
        return;
      }
      to.put(octets);
    }
  }

  private static void pad(ByteBuffer to, int end) {
    while (to.position() < end) {
      to.put((byte) ' ');
    }
    to.put((byte) '\n');
  }

  private static void decimal(ByteBuffer to, long value, int digits) {
    int start = to.position();
    long rest = value;
    for (int i = digits - 1; i >= 0; i--) {
      to.put(start + i, (byte) ('0' + rest % 10));
      rest /= 10;
    }
    if (rest != 0) {
      throw new IllegalArgumentException(value + " has more than " + digits + " digits");
    }
    to.position(start + digits);
    to.put((byte) ' ');
  }

  private static void hexadecimal(ByteBuffer to, int value) {
    for (int shift = 28; shift >= 0; shift -= 4) {
      to.put((byte) Character.forDigit(value >>> shift & 15, 16));
    }
    to.put((byte) ' ');
  }

  static int crc(byte[] octets, int offset, int length) {
    var crc = new CRC32C();
    crc.update(octets, offset, length);
    return (int) crc.getValue();
  }

  /// What `parse` makes of octets.
  ///
  /// @param marksIntact false when the lines below the first were changed by somebody else
  record Parsed(Ledger ledger, boolean marksIntact) {}

  /// Reads the ledger that begins at `offset`; null when there is none in its exact layout or its
  /// first line fails its check.
  static @Nullable Parsed parse(byte[] from, int offset, int limit) {
    var line = parseLine(from, offset, limit);
    if (line == null || line.state == State.ACCOUNT) {
      return line == null ? null : new Parsed(line, true);
    }
    int at = offset + LINE;
    if (!literal(from, at, limit, STATUS) || at + 11 + 15 > limit) {
      return null;
    }
    int bits = 0;
    boolean old = false;
    for (int i = at + 8; i < at + 10; i++) {
      switch (from[i]) {
        case 'R' -> bits |= Flag.SEEN.bit;
        case 'O' -> old = true;
        case ' ' -> {}
        default -> {
          return null;
        }
      }
    }
    if (from[at + 10] != '\n') {
      return null;
    }
    at += 11;
    if (!literal(from, at, limit, X_STATUS)) {
      return null;
    }
    for (int i = at + 10; i < at + 14; i++) {
      switch (from[i]) {
        case 'A' -> bits |= Flag.ANSWERED.bit;
        case 'F' -> bits |= Flag.FLAGGED.bit;
        case 'D' -> bits |= Flag.DELETED.bit;
        case 'T' -> bits |= Flag.DRAFT.bit;
        case ' ' -> {}
        default -> {
          return null;
        }
      }
    }
    if (from[at + 14] != '\n') {
      return null;
    }
    at += 15;
    if (!literal(from, at, limit, X_KEYWORDS)) {
      return null;
    }
    at += 12;
    int end = lineEnd(from, at, limit);
    if (end < 0) {
      return null;
    }
    var keywords = keywords(from, at, end);
    if (keywords == null) {
      return null;
    }
    int keywordsRoom = end - at;
    at = end + 1;
    if (!literal(from, at, limit, X_MAILBOX)) {
      return null;
    }
    at += 11;
    end = lineEnd(from, at, limit);
    if (end < 0) {
      return null;
    }
    int digits = at;
    long mailbox = 0;
    while (digits < end && from[digits] >= '0' && from[digits] <= '9' && digits - at < 10) {
      mailbox = mailbox * 10 + from[digits++] - '0';
    }
    if (digits == at || digits == end || from[digits] != ' ' || mailbox > Integer.MAX_VALUE) {
      return null;
    }
    int nameEnd = end;
    while (nameEnd > digits + 1 && from[nameEnd - 1] == ' ') {
      nameEnd--;
    }
    var name = new String(from, digits + 1, nameEnd - digits - 1, StandardCharsets.UTF_8);
    boolean intact = crc(from, offset + LINE, end + 1 - offset - LINE) == marksCrc(from, offset);
    if (intact && line.state == State.DEAD) {
      bits &= ~Flag.DELETED.bit;
    }
    return new Parsed(
        new Ledger(
            line.token,
            line.id,
            line.uid,
            line.modseq,
            line.saved,
            line.length,
            line.size,
            line.crc,
            line.state,
            line.quoted,
            Marks.of(bits, keywords),
            old,
            (int) mailbox,
            name,
            keywordsRoom,
            end - at),
        intact);
  }

  /// Reads only the first line; null when it is not one of ours or fails its check.
  static @Nullable Ledger parseLine(byte[] from, int offset, int limit) {
    if (offset + LINE > limit
        || !literal(from, offset, limit, LONGHAND)
        || from[offset + LINE - 1] != '\n') {
      return null;
    }
    int checkAt = offset + LINE - 9;
    if (hexadecimal(from, checkAt) != (crc(from, offset, checkAt - offset) & 0xffffffffL)) {
      return null;
    }
    int at = offset + 12;
    var token = new String(from, at, TOKEN_LENGTH, StandardCharsets.US_ASCII);
    at += TOKEN_LENGTH + 1;
    long id = decimal(from, at, 10);
    long uid = decimal(from, at + 11, 10);
    long modseq = decimal(from, at + 22, 16);
    long saved = decimal(from, at + 39, 11);
    long length = decimal(from, at + 51, 10);
    long size = decimal(from, at + 62, 10);
    long crc = hexadecimal(from, at + 73);
    at += 82;
    State state = null;
    for (var candidate : State.values()) {
      if (from[at] == candidate.letter) {
        state = candidate;
      }
    }
    if (state == null
        || id < 0
        || uid < 0
        || modseq < 0
        || saved < 0
        || length < 0
        || size < 0
        || crc < 0) {
      return null;
    }
    return new Ledger(
        token,
        id,
        uid,
        modseq,
        saved,
        length,
        size,
        (int) crc,
        state,
        from[at + 1] == 'q',
        Marks.NONE,
        false,
        0,
        "",
        0,
        0);
  }

  private static long marksCrc(byte[] from, int offset) {
    return (int) hexadecimal(from, offset + LINE - 18);
  }

  private static @Nullable List<String> keywords(byte[] from, int start, int end) {
    List<String> words = List.of();
    int at = start;
    while (at < end) {
      if (from[at] == ' ') {
        at++;
        continue;
      }
      int word = at;
      while (at < end && from[at] != ' ') {
        at++;
      }
      var text = new String(from, word, at - word, StandardCharsets.US_ASCII);
      if (!Marks.isKeyword(text)) {
        return null;
      }
      if (words.isEmpty()) {
        words = new ArrayList<>();
      }
      words.add(text);
    }
    return words;
  }

  private static int lineEnd(byte[] from, int start, int limit) {
    for (int i = start; i < limit; i++) {
      if (from[i] == '\n') {
        return i;
      }
    }
    return -1;
  }

  static boolean literal(byte[] from, int offset, int limit, byte[] word) {
    if (offset + word.length > limit) {
      return false;
    }
    for (int i = 0; i < word.length; i++) {
      if (from[offset + i] != word[i]) {
        return false;
      }
    }
    return true;
  }

  private static long decimal(byte[] from, int offset, int digits) {
    long value = 0;
    for (int i = offset; i < offset + digits; i++) {
      if (from[i] < '0' || from[i] > '9') {
        return -1;
      }
      value = value * 10 + from[i] - '0';
    }
    return value;
  }

  private static long hexadecimal(byte[] from, int offset) {
    long value = 0;
    for (int i = offset; i < offset + 8; i++) {
      int digit = Character.digit(from[i], 16);
      if (digit < 0) {
        return -1;
      }
      value = value << 4 | digit;
    }
    return value;
  }
}
