package longhand.server;

import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
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

/// `longhand route ADDRESS`: where mail for an address would go and why. Only reads: the files, the
/// DNS, and the MTA-STS policies of the domains it leads to.
@Command(
    name = "route",
    description = {
      "Says where mail for an address would go, and why: to which accounts, or by which route or",
      "servers that DNS names, and under what TLS.",
      "Ends with 67 when it can go nowhere, and 75 when it can go nowhere just now."
    },
    mixinStandardHelpOptions = true)
final class RouteCommand implements Callable<Integer> {

  /// How long is looked up what DNS and other servers say.
  private static final Duration WITHIN = Duration.ofSeconds(30);

  @Mixin private ConfigOption configOption;
  @Mixin private ResolverOption resolver;

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
    try (var directory = Server.directory(config);
        var outbound = Outbound.looking(config, resolver.resolver(config.dns()))) {
      var route = Expansion.of(directory, ForwardPath.of(parsed(address)));
      var search = new OnwardSearch(outbound, WITHIN);
      if (json) {
        System.out.println(json(route, search));
      } else {
        for (var line : text(route, search)) {
          System.out.println(Printable.of(line));
        }
      }
      return switch (route) {
        case Expansion.Expanded(var leaves, _, _) -> code(leaves, search);
        case Expansion.Nowhere _ -> ExitCode.NO_USER;
      };
    }
  }

  /// By the best that becomes of a copy.
  private static int code(List<Leaf> leaves, OnwardSearch search) throws InterruptedException {
    int code = ExitCode.NO_USER;
    for (var leaf : leaves) {
      switch (fate(leaf, search)) {
        case GOES -> {
          return ExitCode.OK;
        }
        case WAITS -> code = ExitCode.TEMPORARY;
        case RETURNS -> {}
      }
    }
    return code;
  }

  private static Onward.Fate fate(Leaf leaf, OnwardSearch search) throws InterruptedException {
    return switch (leaf) {
      case Leaf.Local _ -> Onward.Fate.GOES;
      case Leaf.Remote(var path, _, _, _) -> search.of(path.address().domain()).fate();
    };
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
  private List<String> text(Expansion route, OnwardSearch search) throws InterruptedException {
    var lines = new ArrayList<String>();
    var told = new HashSet<Domain>();
    Set<Trail> shown = Collections.newSetFromMap(new IdentityHashMap<>());
    switch (route) {
      case Expansion.Expanded(var leaves, var problems, _) -> {
        for (var leaf : leaves) {
          steps(lines, shown, leaf.trail());
          goes(leaf, search).forEach(line -> lines.add(indent(leaf.trail()) + "  => " + line));
          if (leaf instanceof Leaf.Remote(var path, _, _, _) && told.add(path.address().domain())) {
            OnwardText.lines(search.of(path.address().domain()))
                .forEach(line -> lines.add(indent(leaf.trail()) + "     " + line));
          }
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

  /// Where a leaf's mail goes.
  private static List<String> goes(Leaf leaf, OnwardSearch search) throws InterruptedException {
    return switch (leaf) {
      case Leaf.Local local -> List.of("into the account " + local.account().address().quoted());
      case Leaf.Remote remote -> {
        var lines = new ArrayList<String>();
        var domain = remote.path().address().domain();
        lines.add(
            search.of(domain) instanceof Onward.ByRoute(var name, _, _)
                ? "relayed by the route " + name
                : "relayed to the servers of " + domain);
        switch (remote.returning()) {
          case KEPT -> {}
          case REWRITTEN -> lines.add("with the reverse-path rewritten");
          case NULL -> lines.add("with the null reverse-path");
        }
        yield lines;
      }
    };
  }

  private String json(Expansion route, OnwardSearch search) throws InterruptedException {
    var mapper = new JsonMapper();
    var root = mapper.createObjectNode();
    root.put("address", address);
    var leaves = root.putArray("leaves");
    var problems = root.putArray("problems");
    switch (route) {
      case Expansion.Expanded(var found, var told, _) -> {
        root.put("deliverable", true);
        for (var leaf : found) {
          leaf(leaves, leaf, search);
        }
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

  private static void leaf(ArrayNode leaves, Leaf leaf, OnwardSearch search)
      throws InterruptedException {
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
        OnwardText.json(node.putObject("onward"), search.of(remote.path().address().domain()));
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
