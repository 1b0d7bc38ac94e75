package longhand.server;

import java.io.IOException;
import java.io.Reader;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads comma-separated values (RFC 4180), a row at a time, in bounded memory. LF ends a row too,
/// and a byte order mark before the first is passed over.
final class Csv {

  private static final int ROW_CHARS_MAX = 10_000;

  private final Reader in;
  private int line = 1;
  private int rowLine = 1;
  private int pushed = -2;

  Csv(Reader in) {
    this.in = in;
  }

  /// The line on which the last row began, from 1.
  int line() {
    return rowLine;
  }

  /// The next row; null when there is none.
  ///
  /// @throws IllegalArgumentException when the row is not of the form; the next call goes on after
  ///   it
  @Nullable List<String> next() throws IOException {
    rowLine = line;
    int c = read();
    if (c == '\ufeff' && rowLine == 1) {
      c = read();
    }
    if (c < 0) {
      return null;
    }
    var row = new ArrayList<String>();
    var value = new StringBuilder();
    boolean quoted = false;
    boolean closed = false;
    int chars = 0;
    String wrong = null;
    while (true) {
      if (quoted) {
        if (c < 0) {
          throw new IllegalArgumentException("a quoted value that never ends");
        }
        if (c == '"') {
          int after = read();
          if (after == '"') {
            value.append('"');
          } else {
            quoted = false;
            closed = true;
            pushed = after;
          }
        } else {
          value.append((char) c);
        }
      } else if (c < 0 || c == '\n' || c == ',') {
        row.add(value.toString());
        value.setLength(0);
        closed = false;
        if (c != ',') {
          break;
        }
      } else if (c == '"' && value.isEmpty() && !closed) {
        quoted = true;
      } else if (c == '\r') {
        int after = read();
        pushed = after;
        if (after != '\n' && after >= 0) {
          value.append('\r');
        }
      } else if (closed) {
        wrong = "text after a closing quote";
      } else {
        value.append((char) c);
      }
      if (++chars > ROW_CHARS_MAX) {
        wrong = "a row of more than " + ROW_CHARS_MAX + " characters";
        value.setLength(0);
        row.clear();
      }
      c = read();
    }
    if (wrong != null) {
      throw new IllegalArgumentException(wrong);
    }
    return row;
  }

  private int read() throws IOException {
    int c = pushed;
    if (c == -2) {
      c = in.read();
      if (c == '\n') {
        line++;
      }
    }
    pushed = -2;
    return c;
  }
}
