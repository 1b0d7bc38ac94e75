package longhand.message;

import java.io.ByteArrayOutputStream;

/// Makes quoted-printable of octets (RFC 2045 §6.7). CRLF stays a line end; a CR or LF alone is an
/// octet like any other, so that what is decoded is what was there. Lines have at most 76 octets.
///
/// A `-` that begins a line is encoded: where lines are broken anew, no line may come about that
/// could be the boundary of a multipart around it.
public final class QuotedPrintableEncoder {

  private static final int LINE_MAX = 75;
  private static final byte[] HEX =
      "0123456789ABCDEF".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
  private static final int NONE = -1;

  private int column;

  /// A blank that is one only if the line goes on after it.
  private int blank = NONE;

  private boolean cr;

  /// How many octets an octet takes, but for blanks and line ends: 1 or 3.
  static int cost(byte octet) {
    return isPlain(octet) ? 1 : 3;
  }

  private static boolean isPlain(byte octet) {
    return octet >= '!' && octet <= '~' && octet != '=';
  }

  /// Takes the octets from `from` to before `to`; what is certain of them goes to `out`.
  public void encode(byte[] octets, int from, int to, ByteArrayOutputStream out) {
    for (int i = from; i < to; i++) {
      byte octet = octets[i];
      if (cr) {
        cr = false;
        if (octet == '\n') {
          endLine(out);
          continue;
        }
        blank(out);
        escaped('\r', out);
      }
      if (octet == '\r') {
        cr = true;
        continue;
      }
      blank(out);
      if (octet == ' ' || octet == '\t') {
        blank = octet;
      } else if (isPlain(octet) && !(octet == '-' && (column == 0 || column == LINE_MAX))) {
        plain(octet, out);
      } else {
        escaped(octet, out);
      }
    }
  }

  /// No octets follow.
  public void end(ByteArrayOutputStream out) {
    if (cr) {
      cr = false;
      blank(out);
      escaped('\r', out);
    } else if (blank != NONE) {
      int last = blank;
      blank = NONE;
      escaped(last, out);
    }
  }

  private void endLine(ByteArrayOutputStream out) {
    if (blank != NONE) {
      int last = blank;
      blank = NONE;
      escaped(last, out);
    }
    out.write('\r');
    out.write('\n');
    column = 0;
  }

  private void blank(ByteArrayOutputStream out) {
    if (blank != NONE) {
      int octet = blank;
      blank = NONE;
      plain(octet, out);
    }
  }

  private void plain(int octet, ByteArrayOutputStream out) {
    room(1, out);
    out.write(octet);
    column++;
  }

  private void escaped(int octet, ByteArrayOutputStream out) {
    room(3, out);
    out.write('=');
    out.write(HEX[(octet >> 4) & 15]);
    out.write(HEX[octet & 15]);
    column += 3;
  }

  private void room(int octets, ByteArrayOutputStream out) {
    if (column + octets > LINE_MAX) {
      out.write('=');
      out.write('\r');
      out.write('\n');
      column = 0;
    }
  }
}
