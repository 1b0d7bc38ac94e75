package longhand.server;

/// Text of others on its way to a terminal: what could move the cursor or hide something becomes a
/// question mark.
final class Printable {

  private Printable() {}

  static String of(String text) {
    var out = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            point -> {
              boolean shown =
                  switch (Character.getType(point)) {
                    case Character.CONTROL,
                        Character.FORMAT,
                        Character.SURROGATE,
                        Character.LINE_SEPARATOR,
                        Character.PARAGRAPH_SEPARATOR,
                        Character.UNASSIGNED,
                        Character.PRIVATE_USE ->
                        false;
                    default -> true;
                  };
              out.appendCodePoint(shown ? point : '?');
            });
    return out.toString();
  }

  /// At most so many characters, the last of them an ellipsis when some were left out.
  static String of(String text, int most) {
    var whole = of(text);
    return whole.codePointCount(0, whole.length()) <= most
        ? whole
        : whole.substring(0, whole.offsetByCodePoints(0, most - 1)) + "…";
  }
}
