package longhand.dsn;

import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/// A message whose lines end in CRLF and in nothing else: a CR or LF alone becomes CRLF, NUL a
/// blank. What was accepted has none of these; a report holds whatever it is given.
final class CrlfStream extends FilterInputStream {

  private static final int NONE = -2;

  private int next = NONE;
  private boolean lineFeedOwed;

  CrlfStream(InputStream in) {
    super(new BufferedInputStream(in));
  }

  @Override
  public int read() throws IOException {
    if (lineFeedOwed) {
      lineFeedOwed = false;
      return '\n';
    }
    int octet = next == NONE ? in.read() : next;
    next = NONE;
    if (octet == '\r') {
      int after = in.read();
      next = after == '\n' ? NONE : after;
      lineFeedOwed = true;
      return '\r';
    }
    if (octet == '\n') {
      lineFeedOwed = true;
      return '\r';
    }
    return octet == 0 ? ' ' : octet;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    for (int i = 0; i < length; i++) {
      int octet = read();
      if (octet < 0) {
        return i == 0 ? -1 : i;
      }
      target[offset + i] = (byte) octet;
    }
    return length;
  }
}
