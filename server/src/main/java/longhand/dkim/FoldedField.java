package longhand.dkim;

import java.nio.charset.StandardCharsets;

/// A header field that is folded while it grows, so that its lines stay within 78 columns (RFC 5322
/// §2.1.1) as long as its words do.
final class FoldedField {

  /// Longest line, in octets without its line end.
  static final int COLUMNS_MAX = 78;

  private final StringBuilder text;
  private int column;

  FoldedField(String begin) {
    text = new StringBuilder(begin);
    column = begin.length();
  }

  /// Appends a word, on a new line if it does not fit into this one; a space before it becomes part
  /// of the line break.
  FoldedField word(String word) {
    var fitting = word;
    if (column + word.length() > COLUMNS_MAX) {
      text.append("\r\n ");
      column = 1;
      fitting = word.startsWith(" ") ? word.substring(1) : word;
    }
    text.append(fitting);
    column += fitting.length();
    return this;
  }

  /// Appends letters that may be broken anywhere.
  FoldedField letters(String letters) {
    int i = 0;
    while (i < letters.length()) {
      if (column >= COLUMNS_MAX) {
        text.append("\r\n ");
        column = 1;
      }
      int n = Math.min(letters.length() - i, COLUMNS_MAX - column);
      text.append(letters, i, i + n);
      column += n;
      i += n;
    }
    return this;
  }

  /// The octets so far, ASCII.
  byte[] octets() {
    return text.toString().getBytes(StandardCharsets.US_ASCII);
  }
}
