package longhand.message;

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import org.apache.james.mime4j.codec.Base64InputStream;
import org.apache.james.mime4j.codec.DecodeMonitor;
import org.apache.james.mime4j.codec.QuotedPrintableInputStream;

/// The text of a part for people: transfer encoding and charset undone, as a stream.
public final class PartText {

  private PartText() {}

  /// The text of a part's body; empty when the part is no text.
  ///
  /// @param header of the part
  /// @param body its octets as they lie in the message; read as the reader is read
  public static Optional<Reader> of(Header header, InputStream body) {
    var contentType = header.first("Content-Type").map(field -> MimeValue.of(field.value()));
    if (contentType.isPresent() && !isText(contentType.get())) {
      return Optional.empty();
    }
    var encoding =
        header
            .first("Content-Transfer-Encoding")
            .map(field -> MimeValue.of(field.value()).word().toLowerCase(Locale.ROOT))
            .orElse("");
    var octets =
        switch (encoding) {
          case "base64" -> new Steady(new Base64InputStream(body, DecodeMonitor.SILENT));
          case "quoted-printable" ->
              new Steady(new QuotedPrintableInputStream(body, DecodeMonitor.SILENT));
          default -> body;
        };
    var charset =
        contentType
            .flatMap(value -> value.raw("charset"))
            .flatMap(Charsets::of)
            .orElse(StandardCharsets.UTF_8);
    return Optional.of(
        new InputStreamReader(
            octets, charset.equals(StandardCharsets.US_ASCII) ? StandardCharsets.UTF_8 : charset));
  }

  private static boolean isText(MimeValue contentType) {
    return contentType.word().isEmpty()
        || contentType.word().indexOf('/') < 0
        || contentType.type().equals("text");
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

  /// The text of a body in memory, for tests and short parts.
  static Optional<Reader> of(Header header, byte[] body) throws IOException {
    return of(header, new ByteArrayInputStream(body));
  }
}
