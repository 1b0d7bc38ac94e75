package longhand.wire;

import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/// How many commands of each kind were answered: the kinds are the records of a protocol's sealed
/// `Command`, so that a peer cannot make new ones. Safe for any thread.
public final class CommandCounts {

  private final Map<Class<?>, LongAdder> counts = new ConcurrentHashMap<>();

  /// Nothing yet.
  public CommandCounts() {}

  /// One more of that kind.
  public void count(Object command) {
    var count = counts.get(command.getClass());
    if (count == null) {
      count = counts.computeIfAbsent(command.getClass(), _ -> new LongAdder());
    }
    count.increment();
  }

  /// How many, by the name of the kind in lower case, as `fetch`.
  public Map<String, Long> byKind() {
    var byKind = new TreeMap<String, Long>();
    counts.forEach(
        (kind, count) -> byKind.put(kind.getSimpleName().toLowerCase(Locale.ROOT), count.sum()));
    return byKind;
  }
}
