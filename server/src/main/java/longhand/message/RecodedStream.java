package longhand.message;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import longhand.message.Recoding.Stretch;

/// A message on its way through a [Recoding]: reads one stretch after the other and writes each in
/// its way, some kilobytes at a time.
final class RecodedStream extends InputStream {

  private static final int BLOCK = 8 * 1024;

  /// Octets in a line of base64: 76 characters.
  private static final int BASE64_LINE = 57;

  private static final byte[] CRLF = {'\r', '\n'};
  private static final byte[] NOTHING = new byte[0];

  private final InputStream in;
  private final boolean sevenBit;
  private final List<Stretch> stretches;
  private final byte[] block = new byte[BLOCK];
  private int next;
  private Stretch at;
  private long left;
  private final ByteArrayOutputStream made = new ByteArrayOutputStream(2 * BLOCK);
  private byte[] ready = NOTHING;
  private int position;

  /// What one stretch has to remember from block to block.
  private QuotedPrintableEncoder encoder = new QuotedPrintableEncoder();

  private byte[] pending = NOTHING;
  private int column;
  private boolean cr;
  private boolean lineBegins;
  private boolean dashed;

  RecodedStream(InputStream in, Recoding.Target target, List<Stretch> stretches) {
    this.in = in;
    this.sevenBit = target == Recoding.Target.SEVEN_BIT;
    this.stretches = List.copyOf(stretches);
    this.at = new Stretch(Recoding.Way.AS_IS, 0, 0, "", false);
  }

  @Override
  public int read() throws IOException {
    var one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (position == ready.length) {
      if (left == 0 && next == stretches.size()) {
        return -1;
      }
      made.reset();
      if (left == 0) {
        begin(stretches.get(next++));
      }
      step();
      ready = made.toByteArray();
      position = 0;
    }
    int n = Math.min(length, ready.length - position);
    System.arraycopy(ready, position, target, offset, n);
    position += n;
    return n;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  private void begin(Stretch stretch) {
    at = stretch;
    left = stretch.to() - stretch.from();
    encoder = new QuotedPrintableEncoder();
    pending = NOTHING;
    column = 0;
    cr = false;
    lineBegins = true;
    dashed = false;
  }

  /// Reads a block of the stretch and writes what it becomes; the last block ends the stretch.
  private void step() throws IOException {
    if (at.way() == Recoding.Way.LABEL) {
      var header = in.readNBytes((int) left);
      if (header.length < left) {
        throw shorter();
      }
      left = 0;
      label(header);
      return;
    }
    int n = in.read(block, 0, (int) Math.min(BLOCK, left));
    if (n < 0) {
      throw shorter();
    }
    left -= n;
    boolean last = left == 0;
    switch (at.way()) {
      case AS_IS -> made.write(block, 0, n);
      case FIELDS -> structure(block, n, last, false);
      case AROUND -> structure(block, n, last, true);
      case LABEL -> throw new IllegalStateException("a header comes whole");
      case BASE64 -> base64(n, last);
      case QUOTED_PRINTABLE -> {
        encoder.encode(block, 0, n, made);
        if (last) {
          encoder.end(made);
        }
      }
      case REWRAP -> rewrap(n);
      case REPAIR -> repair(n, last);
    }
  }

  private static EOFException shorter() {
    return new EOFException("a message that was longer when it was read before");
  }

  /// Copies a header but for its label, which is put where the first was, or at the end.
  private void label(byte[] header) {
    var fields = Header.of(header).fields();
    var changed = new ByteArrayOutputStream(header.length + 100);
    boolean labelled = false;
    boolean mime = false;
    boolean typed = false;
    int from = 0;
    int end = 0;
    for (var field : fields) {
      mime |= field.is("MIME-Version");
      typed |= field.is("Content-Type");
      if (field.is("Content-Transfer-Encoding")) {
        changed.write(header, from, field.start() - from);
        if (!labelled) {
          changed.writeBytes(labelField());
          labelled = true;
        }
        from = field.end();
      }
      end = field.end();
    }
    changed.write(header, from, end - from);
    if (end > 0 && header[end - 1] != '\n') {
      changed.writeBytes(CRLF);
    }
    if (!labelled) {
      changed.writeBytes(labelField());
    }
    if (at.root() && !mime) {
      changed.writeBytes(ascii("MIME-Version: 1.0\r\n"));
      if (!typed) {
        // RFC 1428 §3: what nobody has named.
        changed.writeBytes(ascii("Content-Type: text/plain; charset=unknown-8bit\r\n"));
      }
    }
    changed.write(header, end, header.length - end);
    var octets = changed.toByteArray();
    structure(octets, octets.length, true, false);
  }

  private byte[] labelField() {
    return ascii("Content-Transfer-Encoding: " + at.label() + "\r\n");
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /// Lines with a known end. A boundary begins with a dash and keeps its octets.
  private void structure(byte[] octets, int length, boolean last, boolean around) {
    for (int i = 0; i < length; i++) {
      byte octet = octets[i];
      if (octet == '\n') {
        made.writeBytes(CRLF);
        cr = false;
        lineBegins = true;
        dashed = false;
        continue;
      }
      if (cr) {
        made.write(' ');
        cr = false;
        lineBegins = false;
      }
      if (octet == '\r') {
        cr = true;
        continue;
      }
      dashed = lineBegins ? octet == '-' : dashed;
      lineBegins = false;
      boolean lost = octet == 0 || (octet < 0 && around && sevenBit && !dashed);
      made.write(lost ? octet == 0 ? ' ' : '?' : octet);
    }
    if (last && cr) {
      made.write(' ');
    }
  }

  private void base64(int length, boolean last) {
    var octets = new byte[pending.length + length];
    System.arraycopy(pending, 0, octets, 0, pending.length);
    System.arraycopy(block, 0, octets, pending.length, length);
    int done = 0;
    while (octets.length - done >= BASE64_LINE || (last && done < octets.length)) {
      int end = Math.min(octets.length, done + BASE64_LINE);
      if (column > 0) {
        made.writeBytes(CRLF);
      }
      made.writeBytes(Base64.getEncoder().encode(java.util.Arrays.copyOfRange(octets, done, end)));
      column = 1;
      done = end;
    }
    pending = java.util.Arrays.copyOfRange(octets, done, octets.length);
  }

  /// The characters of base64 alone, in lines of 76.
  private void rewrap(int length) {
    for (int i = 0; i < length; i++) {
      int c = block[i];
      boolean known =
          (c >= 'A' && c <= 'Z')
              || (c >= 'a' && c <= 'z')
              || (c >= '0' && c <= '9')
              || c == '+'
              || c == '/'
              || c == '=';
      if (known) {
        if (column == 76) {
          made.writeBytes(CRLF);
          column = 0;
        }
        made.write(c);
        column++;
      }
    }
  }

  /// Lines end in CRLF; octets that are no text are written as quoted-printable has them.
  private void repair(int length, boolean last) {
    for (int i = 0; i < length; i++) {
      byte octet = block[i];
      if (octet == '\n') {
        made.writeBytes(CRLF);
        cr = false;
        continue;
      }
      if (cr) {
        made.writeBytes(ascii("=0D"));
        cr = false;
      }
      if (octet == '\r') {
        cr = true;
      } else if (octet == 0 || (octet < 0 && sevenBit)) {
        made.writeBytes(ascii("=%02X".formatted(octet & 0xff)));
      } else {
        made.write(octet);
      }
    }
    if (last && cr) {
      made.writeBytes(ascii("=0D"));
    }
  }
}
