package longhand.delivery;

import java.io.IOException;
import java.util.List;
import longhand.directory.AccountRecord;
import longhand.directory.Directory;
import longhand.directory.Resolved;
import longhand.mail.ForwardPath;

/// Where an address leads in the end, by aliases, groups, wildcards, other names of domains and
/// accounts that forward. Each account and each address of others is there once, by the shortest
/// way, in the order in which they are found. Depends on the directory alone.
public sealed interface Expansion {

  /// Most targets that are looked at for one address.
  int TARGETS_MAX = 10_000;

  /// Most steps from an address to its end.
  int DEPTH_MAX = 20;

  /// What is due to a sender who asked for a report of SUCCESS, from us and at once, besides what
  /// the leaves report.
  enum Due {
    /// Nothing: the leaves carry the wish, or the copy that an account keeps answers it.
    NOTHING,

    /// A report that the address was expanded (RFC 3461 §5.2.7.3 c).
    EXPANDED,

    /// A report that the message was delivered: where a confidential alias leads is not told (RFC
    /// 3461 §5.2.7.4).
    DELIVERED
  }

  /// Mail for it can go somewhere.
  ///
  /// @param leaves at least one
  /// @param problems members it cannot go to, and a loop if there is one; mail goes to the others
  ///   all the same
  record Expanded(List<Leaf> leaves, List<Problem> problems, Due due) implements Expansion {
    public Expanded {
      leaves = List.copyOf(leaves);
      problems = List.copyOf(problems);
    }
  }

  /// Mail for it can go nowhere.
  ///
  /// @param problems at least one, the first of them the reason to give
  record Nowhere(List<Problem> problems) implements Expansion {
    public Nowhere {
      problems = List.copyOf(problems);
    }

    /// Why.
    public Problem reason() {
      return problems.getFirst();
    }
  }

  /// Expands one path. An address that is just an account costs one look-up in the directory.
  ///
  /// @throws IOException when the directory cannot be read: the sender should try later
  static Expansion of(Directory directory, ForwardPath path) throws IOException {
    var found = directory.resolve(path.address());
    return found.isPresent()
            && found.get().entry() instanceof AccountRecord account
            && account.active()
            && account.forward().isEmpty()
        ? ofAccount(directory, path, account, found.get())
        : new Expander(directory, path).expand();
  }

  private static Expansion ofAccount(
      Directory directory, ForwardPath path, AccountRecord account, Resolved found) {
    var reached = directory.home(path.address());
    var step = new Trail.Step.Account(account.address(), found.subAddress());
    var trail = new Trail(null, path.address(), reached, step);
    return new Expanded(
        List.of(new Leaf.Local(account, path, reached, Leaf.Reports.ASKED, trail)),
        List.of(),
        Due.NOTHING);
  }
}
