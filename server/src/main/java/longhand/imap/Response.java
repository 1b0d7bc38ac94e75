package longhand.imap;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import longhand.wire.Connection;

/// Writes responses into the connection (RFC 3501 §7). Collects small pieces; what is collected is
/// given back at each flush, so that an idle session holds no buffer. For one thread at a time.
final class Response {

  private static final int PIECES = 4096;
  private static final byte[] NOTHING = {};

  private final Connection connection;
  private byte[] pieces = NOTHING;
  private int length;

  Response(Connection connection) {
    this.connection = connection;
  }

  /// ASCII text as it stands.
  Response text(String text) throws ConnectionLost {
    int n = text.length();
    if (n > room(n)) {
      return octets(text.getBytes(StandardCharsets.ISO_8859_1));
    }
    for (int i = 0; i < n; i++) {
      pieces[length++] = (byte) text.charAt(i);
    }
    return this;
  }

  Response octet(char octet) throws ConnectionLost {
    room(1);
    pieces[length++] = (byte) octet;
    return this;
  }

  /// A number, not negative.
  Response number(long number) throws ConnectionLost {
    room(20);
    int digits = 1;
    for (long rest = number / 10; rest > 0; rest /= 10) {
      digits++;
    }
    long rest = number;
    for (int i = length + digits - 1; i >= length; i--) {
      pieces[i] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
    length += digits;
    return this;
  }

  Response octets(byte[] octets) throws ConnectionLost {
    return octets(octets, 0, octets.length);
  }

  Response octets(byte[] octets, int offset, int n) throws ConnectionLost {
    if (n > room(n)) {
      push();
      try {
        connection.write(octets, offset, n);
      } catch (IOException e) {
        throw new ConnectionLost(e);
      }
      return this;
    }
    System.arraycopy(octets, offset, pieces, length, n);
    length += n;
    return this;
  }

  /// A quoted string of printable ASCII.
  Response quoted(String text) throws ConnectionLost {
    octet('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        octet('\\');
      }
      octet(c);
    }
    return octet('"');
  }

  /// A mailbox name, encoded and quoted.
  Response mailbox(String name) throws ConnectionLost {
    return quoted(ModifiedUtf7.encode(name));
  }

  Response end() throws ConnectionLost {
    return text("\r\n");
  }

  /// A whole line.
  Response line(String text) throws ConnectionLost {
    return text(text).end();
  }

  /// Makes room for `wanted` octets if pieces are ever to hold so many, and says how many fit.
  private int room(int wanted) throws ConnectionLost {
    if (pieces.length == 0) {
      pieces = new byte[PIECES];
    }
    if (wanted > PIECES - length) {
      push();
    }
    return PIECES - length;
  }

  private void push() throws ConnectionLost {
    try {
      connection.write(pieces, 0, length);
    } catch (IOException e) {
      throw new ConnectionLost(e);
    }
    length = 0;
  }

  /// Hands everything to the connection without sending it yet.
  void hand() throws ConnectionLost {
    push();
    pieces = NOTHING;
  }

  /// Sends everything.
  void flush() throws ConnectionLost {
    hand();
    try {
      connection.flush();
    } catch (IOException e) {
      throw new ConnectionLost(e);
    }
  }
}
