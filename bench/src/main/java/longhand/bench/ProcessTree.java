package longhand.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.StringTokenizer;

/// What a server's processes use, read from `/proc`. A process that ended counts through its
/// parent, which has taken over its processor time by then.
final class ProcessTree {

  /// Linux counts processor time in these, on every architecture (USER_HZ).
  private static final double TICKS_PER_SECOND = 100;

  private ProcessTree() {}

  private record Stat(long parent, long ticks) {}

  /// Processor time of the processes and all their descendants so far, living or ended, in seconds.
  static double cpuSeconds(Set<Long> roots) throws IOException {
    var all = read();
    long ticks = 0;
    var tree = tree(all, roots);
    for (var each : all.entrySet()) {
      if (tree.contains(each.getKey())) {
        ticks += each.getValue().ticks();
      }
    }
    return ticks / TICKS_PER_SECOND;
  }

  /// Memory resident for the processes and all their descendants, in KiB; a page that several of
  /// them share is divided among its users (Pss).
  static long residentKib(Set<Long> roots) throws IOException {
    long sum = 0;
    for (long process : tree(read(), roots)) {
      try {
        for (var line : Files.readAllLines(Path.of("/proc/" + process + "/smaps_rollup"))) {
          if (line.startsWith("Pss:")) {
            sum += Long.parseLong(line.substring(4, line.length() - 2).strip());
          }
        }
      } catch (IOException e) {
        // It ended meanwhile.
      }
    }
    return sum;
  }

  /// The processes and all their descendants that live.
  static Set<Long> living(Set<Long> roots) throws IOException {
    return tree(read(), roots);
  }

  private static Set<Long> tree(Map<Long, Stat> all, Set<Long> roots) {
    var found = new HashSet<Long>();
    for (long root : roots) {
      if (all.containsKey(root)) {
        found.add(root);
      }
    }
    boolean grew = !found.isEmpty();
    while (grew) {
      grew = false;
      for (var each : all.entrySet()) {
        if (found.contains(each.getValue().parent()) && found.add(each.getKey())) {
          grew = true;
        }
      }
    }
    return found;
  }

  private static Map<Long, Stat> read() throws IOException {
    var all = new HashMap<Long, Stat>();
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (var process : processes) {
        try {
          var text = Files.readString(process.resolve("stat"), StandardCharsets.ISO_8859_1);
          all.put(Long.parseLong(process.getFileName().toString()), stat(text));
        } catch (IOException e) {
          // It ended meanwhile.
        }
      }
    }
    return all;
  }

  /// Fields are counted after the program's name, which stands in parentheses and may hold any.
  private static Stat stat(String text) {
    var fields = new StringTokenizer(text.substring(text.lastIndexOf(')') + 1));
    fields.nextToken(); // state
    long parent = Long.parseLong(fields.nextToken());
    for (int i = 0; i < 9; i++) {
      fields.nextToken(); // pgrp to cmajflt
    }
    long ticks = 0;
    for (int i = 0; i < 4; i++) {
      ticks += Long.parseLong(fields.nextToken()); // utime, stime, cutime, cstime
    }
    return new Stat(parent, ticks);
  }
}
