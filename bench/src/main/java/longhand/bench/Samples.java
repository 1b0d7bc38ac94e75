package longhand.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What was measured so far. Used by one thread.
final class Samples {

  private final Map<Measure, Map<String, List<Double>>> values = new EnumMap<>(Measure.class);
  private final List<String> notes = new ArrayList<>();

  /// Adds one value of one server.
  void add(Measure measure, MailServer server, double value) {
    values
        .computeIfAbsent(measure, _ -> new LinkedHashMap<>())
        .computeIfAbsent(server.name(), _ -> new ArrayList<>())
        .add(value);
    System.err.printf(
        "  %-14s %-58s %10.3f %s%n", server.name(), measure.title, value, measure.unit);
  }

  /// Adds a line that helps to read the figures.
  void note(String note) {
    System.err.println("  " + note);
    notes.add(note);
  }

  /// Those lines.
  List<String> notes() {
    return Collections.unmodifiableList(notes);
  }

  /// The median of a server's values.
  Optional<Double> median(Measure measure, String server) {
    var found = values.getOrDefault(measure, Map.of()).get(server);
    return found == null ? Optional.empty() : Optional.of(median(found));
  }

  /// Servers that have values there, in the order they came.
  List<String> servers(Measure measure) {
    return List.copyOf(values.getOrDefault(measure, Map.of()).keySet());
  }

  /// The middle value, or the mean of the two.
  static double median(List<Double> values) {
    var sorted = new ArrayList<>(values);
    Collections.sort(sorted);
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }
}
