package longhand.server;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import longhand.delivery.Expansion;
import longhand.delivery.Leaf;
import longhand.delivery.Problem;
import longhand.delivery.Trail;
import longhand.directory.TargetList;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.ForwardPath;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;

/// `longhand route ADDRESS`: where mail for an address would go and why. Only reads.
@Command(
    name = "route",
    description = {
      "Says where mail for an address would go, and why.",
      "Ends with 67 when it can go nowhere."
    },
    mixinStandardHelpOptions = true)
final class RouteCommand implements Callable<Integer> {

  @Mixin private ConfigOption configOption;

  @Parameters(paramLabel = "ADDRESS", description = "As jbob@example.com.")
  private String address;

  @Option(names = "--json", description = "Says it as one JSON object.")
  private boolean json;

  /// Made by picocli.
  @SuppressWarnings("NullAway.Init") // picocli fills the fields
  RouteCommand() {}

  @Override
  public Integer call() throws Exception {
    var config = configOption.read();
    if (!Files.isDirectory(config.data())) {
      throw new CommandException(
          ExitCode.NO_INPUT, "there is no data folder " + config.data() + " yet");
    }
    try (var directory = Server.directory(config)) {
      var route = Expansion.of(directory, ForwardPath.of(parsed(address)));
      if (json) {
        System.out.println(json(route));
      } else {
        text(route).forEach(line -> System.out.println(Printable.of(line)));
      }
      return switch (route) {
        case Expansion.Expanded _ -> ExitCode.OK;
        case Expansion.Nowhere _ -> ExitCode.NO_USER;
      };
    }
  }

  /// The address that somebody typed.
  static Address parsed(String address) throws CommandException {
    int at = address.lastIndexOf('@');
    var domain = at < 1 ? Optional.<Domain>empty() : TargetList.domain(address.substring(at + 1));
    if (domain.isEmpty() || address.substring(0, at).chars().anyMatch(Character::isISOControl)) {
      throw new CommandException(
          ExitCode.DATA,
          "\"" + address + "\" is no address, expected one such as jbob@example.com");
    }
    return new Address(address.substring(0, at), domain.get());
  }

  /// The steps as a tree, each once, and where each leaf goes.
  private List<String> text(Expansion route) {
    var lines = new ArrayList<String>();
    Set<Trail> shown = Collections.newSetFromMap(new IdentityHashMap<>());
    switch (route) {
      case Expansion.Expanded(var leaves, var problems, _) -> {
        for (var leaf : leaves) {
          steps(lines, shown, leaf.trail());
          goes(leaf).forEach(line -> lines.add(indent(leaf.trail()) + "  => " + line));
        }
        problems(lines, shown, problems);
      }
      case Expansion.Nowhere(var problems) -> {
        problems(lines, shown, problems);
        lines.add("mail for " + address + " is refused: " + problems.getFirst().kind().status());
      }
    }
    return lines;
  }

  private static void problems(List<String> lines, Set<Trail> shown, List<Problem> problems) {
    for (var problem : problems) {
      steps(lines, shown, problem.trail());
      if (!problem.words().equals(problem.trail().words())) {
        lines.add(indent(problem.trail()) + "  !! " + problem.words());
      } else {
        lines.add(indent(problem.trail()) + "  !! no mail goes there");
      }
    }
  }

  /// Adds the steps that were not shown yet. Trails of one expansion share their beginnings.
  private static void steps(List<String> lines, Set<Trail> shown, Trail trail) {
    for (var step : trail.steps()) {
      if (shown.add(step)) {
        lines.add(indent(step) + step.words());
      }
    }
  }

  private static String indent(Trail trail) {
    return "  ".repeat(trail.steps().size() - 1);
  }

  /// Where a leaf's mail goes. What is known of the way to other servers is said here.
  private static List<String> goes(Leaf leaf) {
    return switch (leaf) {
      case Leaf.Local local -> List.of("into the account " + local.account().address().quoted());
      case Leaf.Remote remote -> {
        var lines = new ArrayList<String>();
        lines.add("relayed to the servers of " + remote.path().address().domain());
        switch (remote.returning()) {
          case KEPT -> {}
          case REWRITTEN -> lines.add("with the reverse-path rewritten");
          case NULL -> lines.add("with the null reverse-path");
        }
        yield lines;
      }
    };
  }

  private String json(Expansion route) {
    var mapper = new JsonMapper();
    var root = mapper.createObjectNode();
    root.put("address", address);
    var leaves = root.putArray("leaves");
    var problems = root.putArray("problems");
    switch (route) {
      case Expansion.Expanded(var found, var told, _) -> {
        root.put("deliverable", true);
        found.forEach(leaf -> leaf(leaves, leaf));
        told.forEach(problem -> problem(problems, problem));
      }
      case Expansion.Nowhere(var told) -> {
        root.put("deliverable", false);
        root.put("status", told.getFirst().kind().status().toString());
        told.forEach(problem -> problem(problems, problem));
      }
    }
    return root.toString();
  }

  private static void leaf(ArrayNode leaves, Leaf leaf) {
    var node = leaves.addObject();
    switch (leaf) {
      case Leaf.Local local -> {
        node.put("kind", "account");
        node.put("address", local.account().address().quoted());
      }
      case Leaf.Remote remote -> {
        node.put("kind", "relay");
        node.put("address", remote.path().address().quoted());
        node.put("reverse-path", name(remote.returning()));
      }
    }
    node.put("reports", name(leaf.reports()));
    trail(node.putArray("trail"), leaf.trail());
  }

  private static void problem(ArrayNode problems, Problem problem) {
    var node = problems.addObject();
    node.put("kind", name(problem.kind()));
    node.put("status", problem.kind().status().toString());
    node.put("words", problem.words());
    trail(node.putArray("trail"), problem.trail());
  }

  private static void trail(ArrayNode into, Trail trail) {
    trail.steps().forEach(step -> into.add(step.words()));
  }

  private static String name(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
