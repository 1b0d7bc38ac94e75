package longhand.mtasts;

import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import longhand.wire.Connection;

/// Reads the one reply to a GET in HTTP/1.1 (RFC 9112): status 200, a plain text, its length told
/// in one way. Anything else is an `IOException` that says what was seen. Redirections are not
/// followed (RFC 8461 §3.3).
final class HttpReply {

  private static final int LINE_OCTETS_MAX = 8 * 1024;
  private static final int FIELDS_MAX = 100;

  private final Connection connection;
  private final int octetsMax;
  private Optional<String> type = Optional.empty();
  private long length = -1;
  private boolean chunked;

  HttpReply(Connection connection, int octetsMax) {
    this.connection = connection;
    this.octetsMax = octetsMax;
  }

  /// The text.
  byte[] read() throws IOException {
    var status = line();
    boolean http = status.startsWith("HTTP/1.1 ") || status.startsWith("HTTP/1.0 ");
    if (!http || status.length() < 12 || (status.length() > 12 && status.charAt(12) != ' ')) {
      throw new IOException("no HTTP");
    }
    if (!status.startsWith("200", 9)) {
      throw new IOException("HTTP status " + status.substring(9, 12));
    }
    int fields = 0;
    for (var line = line(); !line.isEmpty(); line = line()) {
      if (++fields > FIELDS_MAX) {
        throw new IOException("more than " + FIELDS_MAX + " header fields");
      }
      field(line);
    }
    if (!type.equals(Optional.of("text/plain"))) {
      throw new IOException("the content is not text/plain");
    }
    if (chunked && length >= 0) {
      throw new IOException("two lengths of the content");
    }
    if (chunked) {
      return chunks();
    }
    if (length < 0) {
      // The end of the connection would be the end of the text, and the JDK takes one that somebody
      // cut for one that TLS vouches for.
      throw new IOException("no length of the content");
    }
    return exactly((int) length);
  }

  private void field(String line) throws IOException {
    int colon = line.indexOf(':');
    if (colon < 1 || line.charAt(0) == ' ' || line.charAt(0) == '\t') {
      throw new IOException("a line that is no header field");
    }
    var value = stripped(line.substring(colon + 1)).toLowerCase(Locale.ROOT);
    switch (line.substring(0, colon).toLowerCase(Locale.ROOT)) {
      case "content-type" -> {
        int semicolon = value.indexOf(';');
        var media = stripped(semicolon < 0 ? value : value.substring(0, semicolon));
        if (type.isPresent()) {
          throw new IOException("two content types");
        }
        type = Optional.of(media);
      }
      case "content-length" -> {
        long said = number(value, 10);
        if (length >= 0) {
          throw new IOException("two lengths of the content");
        }
        length = bounded(said);
      }
      case "transfer-encoding" -> {
        if (chunked || !value.equals("chunked")) {
          throw new IOException("a transfer encoding other than chunked");
        }
        chunked = true;
      }
      case "content-encoding" -> {
        if (!value.equals("identity")) {
          throw new IOException("the content is encoded, which nobody asked for");
        }
      }
      default -> {}
    }
  }

  private byte[] chunks() throws IOException {
    byte[] text = new byte[0];
    while (true) {
      var line = line();
      int semicolon = line.indexOf(';');
      var digits = stripped(semicolon < 0 ? line : line.substring(0, semicolon));
      int size = (int) bounded(number(digits, 16));
      if (size == 0) {
        int fields = 0;
        while (!line().isEmpty()) {
          if (++fields > FIELDS_MAX) {
            throw new IOException("more than " + FIELDS_MAX + " trailer fields");
          }
        }
        return text;
      }
      bounded((long) text.length + size);
      int before = text.length;
      text = Arrays.copyOf(text, before + size);
      connection.readFully(text, before, size);
      if (!line().isEmpty()) {
        throw new IOException("a chunk longer than it says");
      }
    }
  }

  private byte[] exactly(int octets) throws IOException {
    byte[] text = new byte[octets];
    connection.readFully(text, 0, octets);
    return text;
  }

  private long bounded(long octets) throws IOException {
    if (octets > octetsMax) {
      throw new IOException("more than " + octetsMax + " octets");
    }
    return octets;
  }

  private String line() throws IOException {
    byte[] line = connection.readLine(LINE_OCTETS_MAX);
    if (line == null) {
      throw new EOFException("the server closed the connection");
    }
    return new String(line, StandardCharsets.ISO_8859_1);
  }

  private static String stripped(String text) {
    int from = 0;
    int to = text.length();
    while (from < to && isSpace(text.charAt(from))) {
      from++;
    }
    while (to > from && isSpace(text.charAt(to - 1))) {
      to--;
    }
    return text.substring(from, to);
  }

  private static boolean isSpace(char c) {
    return c == ' ' || c == '\t';
  }

  private static long number(String text, int radix) throws IOException {
    long number = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      int digit = c < 0x80 ? Character.digit(c, radix) : -1;
      if (digit < 0 || i == 10) {
        throw new IOException("a length that is no number");
      }
      number = number * radix + digit;
    }
    if (text.isEmpty()) {
      throw new IOException("a length that is no number");
    }
    return number;
  }
}
