package longhand.transfer;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/// Turns the wire's line ends into those of files.
final class LineFeeds {

  private LineFeeds() {}

  /// Copies all of it, with LF for CRLF; a CR elsewhere stays.
  static void copy(InputStream wire, OutputStream out) throws IOException {
    var buffer = new byte[1 << 16];
    boolean cr = false;
    for (int n = wire.read(buffer); n >= 0; n = wire.read(buffer)) {
      int from = 0;
      for (int i = 0; i < n; i++) {
        if (cr && buffer[i] != '\n') {
          out.write('\r');
        }
        cr = buffer[i] == '\r';
        if (cr) {
          out.write(buffer, from, i - from);
          from = i + 1;
        }
      }
      out.write(buffer, from, n - from);
    }
    if (cr) {
      out.write('\r');
    }
  }
}
