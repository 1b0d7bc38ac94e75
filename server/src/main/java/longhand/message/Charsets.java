package longhand.message;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
import java.util.Optional;
import org.apache.james.mime4j.util.CharsetUtil;

/// Charset names of messages, and text from octets whatever they claim to be.
public final class Charsets {

  private static final int NAME_MAX = 64;

  private Charsets() {}

  /// The charset of a MIME name, if this Java has it.
  public static Optional<Charset> of(String name) {
    if (name.isEmpty() || name.length() > NAME_MAX) {
      return Optional.empty();
    }
    try {
      var charset = CharsetUtil.lookup(name);
      return Optional.ofNullable(charset == null ? Charset.forName(name) : charset);
    } catch (IllegalCharsetNameException | UnsupportedCharsetException _) {
      return Optional.empty(); // not ours to decode: the caller guesses
    }
  }

  /// Text of octets in a charset; of an unknown or empty one, UTF-8 if they are that, else ISO
  /// 8859-1. Never fails: what does not decode becomes U+FFFD.
  public static String decode(byte[] octets, String charset) {
    var known = of(charset);
    if (known.isPresent() && !known.get().equals(StandardCharsets.US_ASCII)) {
      return new String(octets, known.get());
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(octets))
          .toString();
    } catch (CharacterCodingException _) {
      return new String(octets, StandardCharsets.ISO_8859_1); // the guess that loses nothing
    }
  }
}
