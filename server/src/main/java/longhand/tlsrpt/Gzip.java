package longhand.tlsrpt;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.GZIPOutputStream;
import java.util.zip.Inflater;

/// The compression of reports (RFC 1952). Reads one member and nothing behind it, up to a size. The
/// JDK's reader is not used for what a peer sends: it calls itself for each further member, and a
/// thousand empty ones are too deep for a small stack.
final class Gzip {

  private static final int HEADER_OCTETS = 10;
  private static final int TRAILER_OCTETS = 8;
  private static final int HEADER_CRC = 2;
  private static final int EXTRA = 4;
  private static final int NAME = 8;
  private static final int COMMENT = 16;
  private static final int BLOCK_OCTETS = 16 * 1024;

  private Gzip() {}

  static byte[] compress(byte[] octets) {
    var out = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(out)) {
      gzip.write(octets);
    } catch (IOException e) {
      throw new IllegalStateException(e); // memory does not fail so
    }
    return out.toByteArray();
  }

  static byte[] expand(byte[] gzip, int octetsMax) throws MalformedReport {
    int begin = content(gzip);
    var inflater = new Inflater(true);
    try {
      inflater.setInput(gzip, begin, gzip.length - begin);
      var out = new ByteArrayOutputStream();
      var block = new byte[BLOCK_OCTETS];
      while (!inflater.finished()) {
        int n = inflater.inflate(block);
        if (n == 0 && !inflater.finished()) {
          throw new MalformedReport("gzip that is cut short");
        }
        if (out.size() + n > octetsMax) {
          throw new MalformedReport("more than " + octetsMax + " octets");
        }
        out.write(block, 0, n);
      }
      byte[] octets = out.toByteArray();
      int trailer = gzip.length - inflater.getRemaining();
      var crc = new CRC32();
      crc.update(octets);
      if (inflater.getRemaining() != TRAILER_OCTETS
          || number(gzip, trailer) != crc.getValue()
          || number(gzip, trailer + 4) != octets.length) {
        throw new MalformedReport("gzip that does not end as it is to");
      }
      return octets;
    } catch (DataFormatException e) {
      throw new MalformedReport("no gzip");
    } finally {
      inflater.end();
    }
  }

  /// Where the header ends (RFC 1952 §2.3).
  private static int content(byte[] gzip) throws MalformedReport {
    if (gzip.length < HEADER_OCTETS || gzip[0] != 0x1f || gzip[1] != (byte) 0x8b || gzip[2] != 8) {
      throw new MalformedReport("no gzip");
    }
    int flags = gzip[3];
    int at = HEADER_OCTETS;
    if ((flags & EXTRA) != 0 && at + 2 <= gzip.length) {
      at += 2 + (gzip[at] & 0xff) + ((gzip[at + 1] & 0xff) << 8);
    }
    for (int flag : new int[] {NAME, COMMENT}) {
      if ((flags & flag) != 0) {
        while (at < gzip.length && gzip[at] != 0) {
          at++;
        }
        at++;
      }
    }
    if ((flags & HEADER_CRC) != 0) {
      at += 2;
    }
    if (at >= gzip.length) {
      throw new MalformedReport("gzip that is cut short");
    }
    return at;
  }

  private static long number(byte[] octets, int at) {
    long number = 0;
    for (byte each : Arrays.copyOfRange(octets, at, at + 4)) {
      number = number >>> 8 | (each & 0xffL) << 24;
    }
    return number;
  }
}
