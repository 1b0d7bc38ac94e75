package longhand.message;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import org.apache.james.mime4j.codec.Base64InputStream;
import org.apache.james.mime4j.codec.DecodeMonitor;
import org.apache.james.mime4j.codec.QuotedPrintableInputStream;

/// How the octets of a part are written (RFC 2045 §6).
public final class TransferEncoding {

  private TransferEncoding() {}

  /// What the header of a part says, in lower case; empty when it says nothing.
  static String of(Header header) {
    return header
        .first("Content-Transfer-Encoding")
        .map(field -> MimeValue.of(field.value()).word().toLowerCase(Locale.ROOT))
        .orElse("");
  }

  /// The octets of a part's body with their encoding undone, leniently; as they are where it is
  /// none or not known.
  ///
  /// @param header of the part
  /// @param body its octets as they lie in the message; read as the result is read
  public static InputStream decode(Header header, InputStream body) {
    return switch (of(header)) {
      case "base64" -> new Steady(new Base64InputStream(body, DecodeMonitor.SILENT));
      case "quoted-printable" ->
          new Steady(new QuotedPrintableInputStream(body, DecodeMonitor.SILENT));
      default -> body;
    };
  }

  /// A decoder's stream without reads of nothing, which readers do not take.
  private static final class Steady extends FilterInputStream {

    Steady(InputStream in) {
      super(in);
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      int n = super.read(target, offset, length);
      if (n != 0 || length == 0) {
        return n;
      }
      int octet = read();
      if (octet < 0) {
        return -1;
      }
      target[offset] = (byte) octet;
      return 1;
    }
  }
}
