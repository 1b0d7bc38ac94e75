package longhand.store;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/// Entries whose ledger in the document is not yet what it has to be, each once, the longest
/// waiting first. Guarded by the account's state lock. An entry knows itself whether it is one of
/// them, so that a change of 100,000 messages hashes nothing.
final class Unsettled {

  private final ArrayDeque<Entry> queue = new ArrayDeque<>();
  private int count;

  boolean isEmpty() {
    return count == 0;
  }

  int size() {
    return count;
  }

  void add(Entry entry) {
    if (!entry.unsettled) {
      entry.unsettled = true;
      queue.add(entry);
      count++;
    }
  }

  /// Takes an entry out, wherever it stands.
  void remove(Entry entry) {
    if (entry.unsettled) {
      entry.unsettled = false;
      count--;
    }
  }

  /// The first of them, at most so many; they stay.
  List<Entry> first(int most) {
    var some = new ArrayList<Entry>(Math.min(most, count));
    for (var entry : queue) {
      if (some.size() == most) {
        break;
      }
      if (entry.unsettled) {
        some.add(entry);
      }
    }
    return some;
  }

  /// Takes out those that `first` gave.
  void settled(List<Entry> some) {
    some.forEach(this::remove);
    while (!queue.isEmpty() && !queue.getFirst().unsettled) {
      queue.removeFirst();
    }
  }

  /// Takes all out.
  void clear() {
    settled(first(count));
    queue.clear();
  }
}
