package longhand.server;

import java.util.HashMap;
import java.util.Map;

/// On which line of a TOML text each key stands: tables and keys as people write them, one to a
/// line. It is for error texts only: a key it does not find (in an inline table, say) has the line
/// of the nearest thing around it.
final class TomlLines {

  private final Map<String, Integer> lines = new HashMap<>();

  TomlLines(String text) {
    var counts = new HashMap<String, Integer>();
    var table = "";
    int number = 0;
    for (int start = 0; start <= text.length(); number++) {
      int end = text.indexOf('\n', start);
      var line = text.substring(start, end < 0 ? text.length() : end).strip();
      if (line.startsWith("[[")) {
        var name = name(line.substring(2));
        int count = counts.merge(name, 1, Integer::sum);
        table = name + "[" + (count - 1) + "]";
        lines.put(table, number + 1);
        lines.putIfAbsent(name, number + 1);
      } else if (line.startsWith("[")) {
        table = name(line.substring(1));
        lines.putIfAbsent(table, number + 1);
      } else if (!line.startsWith("#") && line.indexOf('=') > 0) {
        var key = name(line.substring(0, line.indexOf('=')));
        lines.putIfAbsent(table.isEmpty() ? key : table + "." + key, number + 1);
      }
      start = end < 0 ? text.length() + 1 : end + 1;
    }
  }

  /// The line, from 1, of a path such as `listener[1].tls`.
  int of(String path) {
    var around = path;
    while (!around.isEmpty()) {
      var line = lines.get(around);
      if (line != null) {
        return line;
      }
      int dot = around.lastIndexOf('.');
      int bracket = around.lastIndexOf('[');
      around = around.substring(0, Math.max(0, Math.max(dot, bracket)));
    }
    return 1;
  }

  private static String name(String text) {
    int end = text.indexOf(']');
    var name = (end < 0 ? text : text.substring(0, end)).strip();
    return name.length() > 1 && (name.startsWith("\"") || name.startsWith("'"))
        ? name.substring(1, name.length() - 1)
        : name;
  }
}
