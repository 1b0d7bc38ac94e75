package longhand.queue;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Jobs of one destination that could be done now, in the order of their priority (RFC 6710);
/// within one priority the senders take turns, so that who sends ten thousand does not keep the
/// others waiting. For one thread at a time.
final class ReadyJobs {

  private final TreeMap<Integer, LinkedHashMap<String, ArrayDeque<Job>>> byPriority =
      new TreeMap<>(Comparator.reverseOrder());
  private int size;

  int size() {
    return size;
  }

  void add(Job job) {
    byPriority
        .computeIfAbsent(job.message().priority(), _ -> new LinkedHashMap<>())
        .computeIfAbsent(job.message().sender(), _ -> new ArrayDeque<>())
        .add(job);
    size++;
  }

  /// The next one, taken out; null when there is none.
  @Nullable Job poll() {
    var first = byPriority.firstEntry();
    if (first == null) {
      return null;
    }
    var senders = first.getValue();
    var turn = senders.pollFirstEntry();
    var job = turn.getValue().poll();
    if (!turn.getValue().isEmpty()) {
      senders.putLast(turn.getKey(), turn.getValue());
    }
    if (senders.isEmpty()) {
      byPriority.pollFirstEntry();
    }
    size--;
    return job;
  }

  /// All of them, taken out.
  List<Job> drain() {
    var jobs = new ArrayList<Job>(size);
    for (var job = poll(); job != null; job = poll()) {
      jobs.add(job);
    }
    return jobs;
  }
}
