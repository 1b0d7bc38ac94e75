package longhand.store;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Recognises the beginnings of lines that stand quoted in a document, octet by octet
/// (`docs/document-format.md`, "Grammar"). The writer puts one more quote before such a line, the
/// reader takes one off; both ask this class, so that what one does the other undoes.
///
/// A quote is a *unit*: `>` before `From `, `X-Quoted-` before a field name. Any number of units
/// may stand there; the one added or removed is the last, directly before what follows.
final class Quoting {

  /// What the octet given last has made of the line's beginning.
  enum Found {
    /// Nothing for certain yet; `held` grew by the octet.
    UNDECIDED,
    /// The held octets are one whole unit.
    UNIT,
    /// The held octets are what needs quoting.
    MATCH,
    /// An ordinary line.
    NONE
  }

  static final byte[] ANGLE = {'>'};
  static final byte[] FIELD = "X-Quoted-".getBytes(StandardCharsets.US_ASCII);

  private static final byte[] FROM = "From ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[][] NAMES = {
    ascii("status"),
    ascii("x-status"),
    ascii("x-keywords"),
    ascii("x-uid"),
    ascii("x-imap"),
    ascii("x-imapbase"),
    ascii("content-length"),
    ascii("x-longhand"),
    ascii("x-mailbox"),
  };
  private static final byte[] FIELD_LOWER = ascii("x-quoted-");

  private final byte[] held = new byte[32];
  private int heldLength;
  private boolean header;
  private boolean angles;
  private boolean fields;

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /// Begins a line. Field names count only in the header.
  void begin(boolean header) {
    this.header = header;
    heldLength = 0;
    angles = false;
    fields = false;
  }

  /// Whether a line that begins with this octet can be anything but ordinary.
  static boolean mayBegin(int octet, boolean header) {
    return octet == '>'
        || octet == 'F'
        || (header
            && (octet == 'S'
                || octet == 's'
                || octet == 'X'
                || octet == 'x'
                || octet == 'C'
                || octet == 'c'));
  }

  /// The octets since the line began or the last unit ended.
  byte[] held() {
    return Arrays.copyOf(held, heldLength);
  }

  /// The unit that quotes what was matched.
  byte[] unit() {
    return held[0] == 'F' ? ANGLE : FIELD;
  }

  Found step(int octet) {
    held[heldLength++] = (byte) octet;
    if (heldLength == 1 && octet == '>' && !fields) {
      heldLength = 0;
      held[0] = '>';
      angles = true;
      return Found.UNIT;
    }
    if (!fields && isPrefix(FROM, false)) {
      return heldLength == FROM.length ? Found.MATCH : Found.UNDECIDED;
    }
    if (!header || angles) {
      return Found.NONE;
    }
    if (isPrefix(FIELD_LOWER, true)) {
      if (heldLength == FIELD_LOWER.length) {
        heldLength = 0;
        fields = true;
        return Found.UNIT;
      }
      return Found.UNDECIDED;
    }
    boolean open = false;
    for (var name : NAMES) {
      if (heldLength == name.length + 1
          && (octet == ':' || octet == ' ' || octet == '\t')
          && startsWith(name)) {
        return Found.MATCH;
      }
      open |= isPrefix(name, true);
    }
    return open ? Found.UNDECIDED : Found.NONE;
  }

  /// The octets of the unit just found, in the letters they came in.
  byte[] foundUnit() {
    return Arrays.copyOf(held, angles ? 1 : FIELD.length);
  }

  private boolean isPrefix(byte[] word, boolean anyCase) {
    if (heldLength > word.length) {
      return false;
    }
    int last = held[heldLength - 1];
    // All but the last octet were compared when they came; comparing anew keeps no state and is
    // short.
    if ((anyCase ? lower(last) : last) != word[heldLength - 1]) {
      return false;
    }
    for (int i = heldLength - 2; i >= 0; i--) {
      if ((anyCase ? lower(held[i]) : held[i]) != word[i]) {
        return false;
      }
    }
    return true;
  }

  private boolean startsWith(byte[] word) {
    for (int i = 0; i < word.length; i++) {
      if (lower(held[i]) != word[i]) {
        return false;
      }
    }
    return true;
  }

  private static int lower(int octet) {
    return octet >= 'A' && octet <= 'Z' ? octet + 32 : octet;
  }
}
