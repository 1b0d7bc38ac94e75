package longhand.message;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

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
    var octets = TransferEncoding.decode(header, body);
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

  /// The text of a body in memory, for tests and short parts.
  static Optional<Reader> of(Header header, byte[] body) throws IOException {
    return of(header, new ByteArrayInputStream(body));
  }
}
