package longhand.dkim;

import java.security.MessageDigest;

/// The hash of a body in its canonical form (RFC 6376 §3.4.3, §3.4.4), computed while its octets
/// pass. They may be cut anywhere. What is not decided yet is counted, not kept: empty lines, which
/// are dropped if the body ends with them, white space, which is dropped at the end of a line, and
/// a CR that may be the first half of a CRLF. A CR or LF alone is an octet like others. Memory is a
/// few kilobytes, time is linear.
final class BodyHash {

  private final Canonicalization form;
  private final MessageDigest digest;
  private final long hashedMax;
  private final byte[] out = new byte[4096];
  private int outLength;
  private long octets;
  private long lineEnds;
  private boolean space;
  private boolean cr;
  private boolean any;

  /// Hashes at most `hashedMax` octets of the canonical body, as the tag `l=` asks.
  BodyHash(Canonicalization form, MessageDigest digest, long hashedMax) {
    this.form = form;
    this.digest = digest;
    this.hashedMax = hashedMax;
  }

  void update(byte[] from, int offset, int length) {
    int end = offset + length;
    int i = offset;
    while (i < end) {
      byte octet = from[i];
      if (cr) {
        cr = false;
        if (octet == '\n') {
          space = false;
          lineEnds++;
          i++;
          continue;
        }
        emitWaiting();
        emit((byte) '\r');
      }
      if (octet == '\r') {
        cr = true;
        i++;
      } else if (isSpace(octet)) {
        space = true;
        i++;
      } else {
        int run = i + 1;
        while (run < end && from[run] != '\r' && !isSpace(from[run])) {
          run++;
        }
        emitWaiting();
        emit(from, i, run - i);
        i = run;
      }
    }
  }

  private boolean isSpace(byte octet) {
    return (octet == ' ' || octet == '\t') && form == Canonicalization.RELAXED;
  }

  private void emitWaiting() {
    any = true;
    for (; lineEnds > 0; lineEnds--) {
      emit((byte) '\r');
      emit((byte) '\n');
    }
    if (space) {
      emit((byte) ' ');
      space = false;
    }
  }

  private void emit(byte octet) {
    octets++;
    if (octets <= hashedMax) {
      if (outLength == out.length) {
        flush();
      }
      out[outLength++] = octet;
    }
  }

  private void emit(byte[] from, int offset, int length) {
    int hashed = (int) Math.min(length, Math.max(0, hashedMax - octets));
    octets += length;
    if (hashed > out.length - outLength) {
      flush();
    }
    if (hashed > out.length) {
      digest.update(from, offset, hashed);
    } else {
      System.arraycopy(from, offset, out, outLength, hashed);
      outLength += hashed;
    }
  }

  private void flush() {
    digest.update(out, 0, outLength);
    outLength = 0;
  }

  /// The hash, once, when all octets have passed.
  byte[] finish() {
    if (cr) {
      cr = false;
      emitWaiting();
      emit((byte) '\r');
    }
    // An empty body is a CRLF in the simple form and nothing in the relaxed one.
    if (any || form == Canonicalization.SIMPLE) {
      emit((byte) '\r');
      emit((byte) '\n');
    }
    flush();
    return digest.digest();
  }

  /// Octets of the canonical body, hashed or not; known after [#finish].
  long octets() {
    return octets;
  }
}
