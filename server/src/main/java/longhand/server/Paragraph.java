package longhand.server;

import java.io.PrintStream;

/// Text for people in lines of a readable length, under a heading or beside a column.
final class Paragraph {

  private static final int WIDTH = 96;

  private Paragraph() {}

  /// Prints text in lines that all begin after so many spaces. A word longer than a line stands
  /// alone.
  static void print(PrintStream out, int indent, String text) {
    var line = new StringBuilder();
    for (var word : Printable.of(text).split(" ", -1)) {
      if (!line.isEmpty() && indent + line.length() + 1 + word.length() > WIDTH) {
        out.println(" ".repeat(indent) + line);
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    if (!line.isEmpty()) {
      out.println(" ".repeat(indent) + line);
    }
  }
}
