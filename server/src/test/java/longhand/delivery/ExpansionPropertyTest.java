package longhand.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import longhand.directory.Directory;
import longhand.mail.ForwardPath;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Random graphs of aliases and accounts that forward, with loops: what an expansion finds is what
/// a model says that follows each target by itself, over and over, until nothing new is found.
class ExpansionPropertyTest {

  private static final long SEED = Long.getLong("longhand.seed", 20261124L);
  private static final int GRAPHS = Boolean.getBoolean("longhand.long") ? 5_000 : 150;

  /// One line: whether an account gets mail of this name itself, and where else it goes.
  private record Named(boolean account, boolean keeps, List<String> targets) {}

  @TempDir Path data;

  @Test
  void anExpansionIsWhatTheModelSays() throws IOException {
    Files.createDirectories(data.resolve("directory"));
    int loops = 0;
    int nowhere = 0;
    for (int graph = 0; graph < GRAPHS; graph++) {
      var random = new Random(SEED * 10_007 + graph);
      var names = graph(random);
      write(names);
      try (var directory = Directory.open(data, ExpansionTest.DOMAINS)) {
        for (var name : names.keySet()) {
          var where = "seed %d graph %d %s of %s".formatted(SEED, graph, name, names);
          var reached = reached(names, name);
          boolean loop = reached.stream().anyMatch(each -> onLoop(names, each));
          var expected = leaves(names, reached);
          var path = ForwardPath.of(ExpansionTest.address(name));
          switch (Expansion.of(directory, path)) {
            case Expansion.Expanded(var leaves, var problems, _) -> {
              assertThat(new TreeSet<>(leaves.stream().map(ExpansionTest::name).toList()))
                  .as(where)
                  .isEqualTo(expected)
                  .hasSize(leaves.size());
              assertThat(loop(problems)).as(where).isEqualTo(loop);
              leaves.forEach(leaf -> shortest(names, name, leaf, where));
            }
            case Expansion.Nowhere(var problems) -> {
              assertThat(expected).as(where).isEmpty();
              assertThat(loop(problems)).as(where).isEqualTo(loop);
              nowhere++;
            }
          }
          loops += loop ? 1 : 0;
        }
      }
    }
    assertThat(loops).as("loops were tried").isGreaterThan(GRAPHS / 4);
    assertThat(nowhere).as("dead ends were tried").isGreaterThan(GRAPHS / 4);
  }

  private static boolean loop(List<Problem> problems) {
    return problems.stream().anyMatch(problem -> problem.kind() == Problem.Kind.LOOP);
  }

  private static Map<String, Named> graph(Random random) {
    var names = new LinkedHashMap<String, Named>();
    int count = 2 + random.nextInt(9);
    for (int i = 0; i < count; i++) {
      var targets = new TreeSet<String>();
      for (int k = random.nextInt(4); k > 0; k--) {
        targets.add(
            switch (random.nextInt(6)) {
              case 0 -> "out" + random.nextInt(3) + "@example.net";
              case 1 -> "gone" + random.nextInt(2);
              default -> "n" + random.nextInt(count);
            });
      }
      boolean account = random.nextInt(3) == 0;
      boolean keeps = account && (targets.isEmpty() || random.nextBoolean());
      names.put("n" + i, new Named(account, keeps, List.copyOf(targets)));
    }
    return names;
  }

  private void write(Map<String, Named> names) throws IOException {
    var lines = new ArrayList<String>();
    names.forEach(
        (name, named) -> {
          var targets = named.targets.isEmpty() ? ":;" : String.join(",", named.targets);
          if (!named.account) {
            lines.add(name + " alias " + targets);
          } else if (named.targets.isEmpty()) {
            lines.add(name + " active" + ExpansionTest.REST);
          } else {
            lines.add(
                name
                    + " active;forward="
                    + targets
                    + (named.keeps ? ";copy" : "")
                    + ExpansionTest.REST);
          }
        });
    Files.writeString(data.resolve("directory/example.com"), String.join("\n", lines) + "\n");
  }

  /// All that can be reached, the name itself among it.
  private static Set<String> reached(Map<String, Named> names, String from) {
    var reached = new HashSet<String>(Set.of(from));
    boolean more = true;
    while (more) {
      more = false;
      for (var each : List.copyOf(reached)) {
        more |= reached.addAll(targets(names, each));
      }
    }
    return reached;
  }

  private static List<String> targets(Map<String, Named> names, String name) {
    var named = names.get(name);
    return named == null ? List.of() : named.targets;
  }

  private static boolean onLoop(Map<String, Named> names, String name) {
    return targets(names, name).stream().anyMatch(next -> reached(names, next).contains(name));
  }

  private static Set<String> leaves(Map<String, Named> names, Set<String> reached) {
    var leaves = new TreeSet<String>();
    for (var each : reached) {
      var named = names.get(each);
      if (each.contains("@")) {
        leaves.add("relay " + each);
      } else if (named != null && named.keeps) {
        leaves.add("account " + each);
      }
    }
    return leaves;
  }

  /// The trail has one step more than the shortest way has targets, and each follows from the last.
  private static void shortest(Map<String, Named> names, String from, Leaf leaf, String where) {
    var to = ExpansionTest.name(leaf).replaceFirst("^(account|relay) ", "");
    int steps = 1;
    Set<String> front = Set.of(from);
    while (!front.contains(to)) {
      var next = new HashSet<String>();
      front.forEach(each -> next.addAll(targets(names, each)));
      front = next;
      steps++;
    }
    assertThat(leaf.trail().steps()).as(where).hasSize(steps);
  }
}
