package longhand.delivery;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import longhand.directory.AccountRecord;
import longhand.directory.AliasRecord;
import longhand.directory.Directory;
import longhand.directory.Forward;
import longhand.directory.Hosting;
import longhand.directory.Resolved;
import longhand.mail.Address;
import longhand.mail.ForwardPath;
import org.jspecify.annotations.Nullable;

/// Makes one [Expansion]. Addresses are visited in breadth, each once, so that every leaf is found
/// by a shortest way and a loop is no danger; whether there is one is asked afterwards, and only
/// when some address was met twice. Work and memory are bounded by [Expansion#TARGETS_MAX].
final class Expander {

  /// An address on the way.
  private static final class Node {
    final @Nullable Trail before;
    final Address asked;
    final Address address;
    final int depth;

    /// Whether all from the first address to here have one target.
    final boolean alone;

    final Leaf.Reports reports;
    final Leaf.Returning returning;
    final List<Node> next = new ArrayList<>();

    /// How mail came here and on; null for an address that leads no further.
    @Nullable Trail trail;

    /// For the search for loops: the next of `next` to look at; -1 before the first look.
    int looked = -1;

    Node(
        @Nullable Trail before,
        Address asked,
        Address address,
        int depth,
        boolean alone,
        Leaf.Reports reports,
        Leaf.Returning returning) {
      this.before = before;
      this.asked = asked;
      this.address = address;
      this.depth = depth;
      this.alone = alone;
      this.reports = reports;
      this.returning = returning;
    }

    Trail at(Trail.Step step) {
      return new Trail(before, asked, address, step);
    }
  }

  private final Directory directory;
  private final ForwardPath path;
  private final Map<Address, Node> nodes = new HashMap<>();
  private final ArrayDeque<Node> waiting = new ArrayDeque<>();
  private final Map<Address, Leaf> leaves = new LinkedHashMap<>();
  private final List<Problem> problems = new ArrayList<>();
  private Expansion.Due due = Expansion.Due.NOTHING;
  private int targets;
  private boolean metTwice;
  private @Nullable Problem tooMuch;

  Expander(Directory directory, ForwardPath path) {
    this.directory = directory;
    this.path = path;
  }

  Expansion expand() throws IOException {
    var first =
        new Node(
            null,
            path.address(),
            directory.home(path.address()),
            0,
            true,
            Leaf.Reports.ASKED,
            Leaf.Returning.KEPT);
    nodes.put(first.address, first);
    waiting.add(first);
    while (!waiting.isEmpty() && tooMuch == null) {
      visit(waiting.remove());
    }
    if (tooMuch != null) {
      return new Expansion.Nowhere(List.of(tooMuch));
    }
    if (metTwice) {
      loop(first).ifPresent(problems::addFirst);
    }
    return leaves.isEmpty()
        ? new Expansion.Nowhere(problems)
        : new Expansion.Expanded(List.copyOf(leaves.values()), problems, due);
  }

  private void visit(Node node) throws IOException {
    switch (directory.hosting(node.address.domain())) {
      case Hosting.Foreign _ -> remote(node, new Trail.Step.Relay());
      case Hosting.Backup _ -> remote(node, new Trail.Step.Backup());
      case Hosting.Local _ -> {
        var found = directory.resolve(node.address);
        if (found.isEmpty()) {
          var trail = node.at(new Trail.Step.Nothing());
          problem(Problem.Kind.UNKNOWN, trail, trail.words());
          return;
        }
        switch (found.get().entry()) {
          case AccountRecord account -> account(node, found.get(), account);
          case AliasRecord alias -> alias(node, found.get(), alias);
        }
      }
    }
  }

  private void problem(Problem.Kind kind, Trail trail, String words) {
    problems.add(new Problem(kind, trail, words));
  }

  private void remote(Node node, Trail.Step step) {
    leaves.putIfAbsent(
        node.address,
        new Leaf.Remote(
            carried(node.address, node.reports), node.returning, node.reports, node.at(step)));
  }

  private void account(Node node, Resolved found, AccountRecord account) {
    var step = new Trail.Step.Account(account.address(), found.subAddress());
    if (!account.active()) {
      problem(Problem.Kind.INACTIVE, node.at(step), account.address().quoted() + " takes no mail");
      return;
    }
    if (account.forward().isEmpty()) {
      local(node, account, node.at(step));
      return;
    }
    var forward = account.forward().get();
    var trail = node.at(forwarding(found, account, forward));
    if (forward.copy()) {
      local(node, account, trail);
    } else if (node.alone && forward.targets().size() > 1) {
      due = Expansion.Due.EXPANDED;
    }
    var reports =
        forward.copy() ? Leaf.Reports.NONE : through(forward.targets().size(), node.reports);
    targets(
        node,
        found,
        trail,
        forward.targets(),
        reports,
        node.returning == Leaf.Returning.NULL ? node.returning : Leaf.Returning.REWRITTEN);
  }

  private static Trail.Step forwarding(Resolved found, AccountRecord account, Forward forward) {
    return new Trail.Step.Forward(
        account.address(), found.subAddress(), forward.copy(), forward.targets().size());
  }

  private void local(Node node, AccountRecord account, Trail trail) {
    leaves.putIfAbsent(
        account.address(),
        new Leaf.Local(
            account, carried(path.address(), node.reports), node.address, node.reports, trail));
  }

  private void alias(Node node, Resolved found, AliasRecord alias) {
    int count = alias.targets().size();
    var trail =
        node.at(
            new Trail.Step.Alias(
                alias.name().toString(),
                found.match() == Resolved.Match.WILDCARD,
                found.subAddress(),
                count));
    if (count == 0) {
      problem(Problem.Kind.EMPTY, trail, alias.name() + " is a group without members");
      return;
    }
    if (node.alone && node.reports == Leaf.Reports.ASKED) {
      if (alias.confidential()) {
        due = Expansion.Due.DELIVERED;
      } else if (count > 1) {
        due = Expansion.Due.EXPANDED;
      }
    }
    Leaf.Returning returning;
    if (alias.confidential() || node.returning == Leaf.Returning.NULL) {
      returning = Leaf.Returning.NULL;
    } else {
      returning = alias.rewriting() ? Leaf.Returning.REWRITTEN : Leaf.Returning.KEPT;
    }
    targets(
        node,
        found,
        trail,
        alias.targets(),
        alias.confidential() ? Leaf.Reports.NONE : through(count, node.reports),
        returning);
  }

  /// What is left of the wishes behind an entry of so many targets.
  private static Leaf.Reports through(int count, Leaf.Reports reports) {
    return count > 1 && reports == Leaf.Reports.ASKED ? Leaf.Reports.NOT_OF_SUCCESS : reports;
  }

  private void targets(
      Node node,
      Resolved found,
      Trail trail,
      List<Address> to,
      Leaf.Reports reports,
      Leaf.Returning returning) {
    if (node.depth == Expansion.DEPTH_MAX) {
      tooMuch =
          new Problem(
              Problem.Kind.TOO_DEEP,
              trail,
              path.address().quoted() + " leads on after " + Expansion.DEPTH_MAX + " steps");
      return;
    }
    targets += to.size();
    if (targets > Expansion.TARGETS_MAX) {
      tooMuch =
          new Problem(
              Problem.Kind.TOO_MANY,
              trail,
              path.address().quoted() + " has more than " + Expansion.TARGETS_MAX + " targets");
      return;
    }
    node.trail = trail;
    boolean alone = node.alone && to.size() == 1 && reports != Leaf.Reports.NONE;
    for (var target : to) {
      var asked = directory.along(found, target);
      var address = directory.home(asked);
      var known = nodes.get(address);
      if (known == null) {
        known = new Node(trail, asked, address, node.depth + 1, alone, reports, returning);
        nodes.put(address, known);
        waiting.add(known);
      } else {
        metTwice = true;
      }
      node.next.add(known);
    }
  }

  /// The path of a leaf.
  private ForwardPath carried(Address address, Leaf.Reports reports) {
    return switch (reports) {
      case ASKED ->
          address.equals(path.address())
              ? path
              : new ForwardPath(address, path.reports(), path.originalRecipient());
      case NOT_OF_SUCCESS -> new ForwardPath(address, withoutSuccess(), path.originalRecipient());
      case NONE -> new ForwardPath(address, Set.of(ForwardPath.Notify.NEVER), Optional.empty());
    };
  }

  private Set<ForwardPath.Notify> withoutSuccess() {
    if (!path.reports().contains(ForwardPath.Notify.SUCCESS)) {
      return path.reports();
    }
    var rest = EnumSet.copyOf(path.reports());
    rest.remove(ForwardPath.Notify.SUCCESS);
    return rest.isEmpty() ? Set.of(ForwardPath.Notify.NEVER) : rest;
  }

  /// A way that leads back to where it began, if there is one: a search in depth that meets an
  /// address it has not come back from.
  private Optional<Problem> loop(Node first) {
    var way = new ArrayDeque<Node>();
    first.looked = 0;
    way.addLast(first);
    while (!way.isEmpty()) {
      var node = way.getLast();
      if (node.looked == node.next.size()) {
        node.looked = Integer.MAX_VALUE;
        way.removeLast();
        continue;
      }
      var next = node.next.get(node.looked++);
      if (next.looked < 0) {
        next.looked = 0;
        way.addLast(next);
      } else if (next.looked < Integer.MAX_VALUE) {
        var loop =
            way.stream()
                .dropWhile(each -> each != next)
                .map(each -> each.address.quoted())
                .toList();
        return Optional.of(
            new Problem(
                Problem.Kind.LOOP,
                Objects.requireNonNull(node.trail),
                loop.stream().collect(Collectors.joining(" leads to "))
                    + " leads to "
                    + next.address.quoted()
                    + ": a loop"));
      }
    }
    return Optional.empty();
  }
}
