package longhand.mtasts;

/// The letters and digits of a grammar in ABNF (RFC 5234 §B.1).
final class Ascii {

  private Ascii() {}

  static boolean isLetter(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }

  static boolean isDigit(int c) {
    return c >= '0' && c <= '9';
  }
}
