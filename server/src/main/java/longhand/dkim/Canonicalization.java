package longhand.dkim;

import java.io.ByteArrayOutputStream;
import longhand.message.HeaderField;

/// What of a message a signature does not mind being changed on its way (RFC 6376 §3.4). Bodies are
/// canonicalised by [BodyHash], header fields here.
enum Canonicalization {
  /// Nothing but empty lines at the end of the body.
  SIMPLE,
  /// White space and its folding, and the letter case of field names.
  RELAXED;

  /// Appends a field in its canonical form with its CRLF (RFC 6376 §3.4.1, §3.4.2). Every CR and LF
  /// of the field belongs to a CRLF.
  void field(HeaderField field, ByteArrayOutputStream out) {
    switch (this) {
      case SIMPLE -> {
        int end = field.end();
        boolean ended = end - field.start() >= 2 && field.octets()[end - 1] == '\n';
        out.write(field.octets(), field.start(), end - field.start());
        if (!ended) {
          lineEnd(out);
        }
      }
      case RELAXED -> relaxed(field, out);
    }
  }

  private static void relaxed(HeaderField field, ByteArrayOutputStream out) {
    byte[] octets = field.octets();
    for (int i = field.start(); i < field.nameEnd(); i++) {
      byte octet = octets[i];
      out.write(octet >= 'A' && octet <= 'Z' ? octet + 32 : octet);
    }
    out.write(':');
    boolean any = false;
    boolean space = false;
    for (int i = field.valueStart(); i < field.end(); i++) {
      byte octet = octets[i];
      if (octet == ' ' || octet == '\t') {
        space = true;
      } else if (octet != '\r' && octet != '\n') {
        if (space && any) {
          out.write(' ');
        }
        out.write(octet);
        any = true;
        space = false;
      }
    }
    lineEnd(out);
  }

  private static void lineEnd(ByteArrayOutputStream out) {
    out.write('\r');
    out.write('\n');
  }
}
