package longhand.server;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import longhand.delivery.Expansion;
import longhand.delivery.Problem;
import longhand.directory.AliasName;
import longhand.directory.AliasRecord;
import longhand.directory.Directory;
import longhand.directory.Hosting;
import longhand.directory.Senders;
import longhand.directory.TargetList;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.ForwardPath;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `longhand alias ...`: with the server running, through its control socket, or without it.
@Command(
    name = "alias",
    description = {
      "Adds, changes, lists and removes aliases and groups, with the server running or not.",
      "A * in the name is a wildcard: sales-*@example.com; *@example.com takes all that is left."
    },
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      AliasCommand.Add.class,
      AliasCommand.Remove.class,
      AliasCommand.Show.class,
      AliasCommand.ListAll.class
    })
final class AliasCommand {

  /// Made by picocli.
  AliasCommand() {}

  /// Those that are about one alias.
  abstract static class OnAlias extends AccountCommand.OnAccounts {

    @Parameters(
        paramLabel = "ALIAS",
        description = "Its address, as sales@example.com or sales-*@example.com.")
    private String address;

    @SuppressWarnings("NullAway.Init") // picocli fills the field
    OnAlias() {}

    @Override
    int run(Directory directory, AccountChanges changes) throws IOException, CommandException {
      var written = AccountCommand.addressOf(directory, address);
      try {
        return run(directory, changes, AliasName.written(written));
      } catch (IllegalArgumentException e) {
        throw new CommandException(
            ExitCode.DATA, "\"" + address + "\" is no name of an alias: " + e.getMessage());
      }
    }

    abstract int run(Directory directory, AccountChanges changes, AliasName name)
        throws IOException, CommandException;

    static AliasRecord existing(Directory directory, AliasName name)
        throws IOException, CommandException {
      var alias = directory.alias(name);
      if (alias.isPresent()) {
        return alias.get();
      }
      throw new CommandException(
          ExitCode.NO_USER,
          isAccount(directory, name)
              ? name + " is an account, not an alias"
              : "there is no alias " + name);
    }

    static boolean isAccount(Directory directory, AliasName name) throws IOException {
      return !name.wildcard()
          && directory.account(new Address(name.local(), name.domain())).isPresent();
    }

    static void put(AccountChanges changes, AliasRecord alias, Optional<AliasRecord> seen)
        throws IOException, CommandException {
      if (!changes.putAlias(alias, seen)) {
        throw new CommandException(
            ExitCode.TEMPORARY,
            alias.name() + " was changed by somebody else meanwhile; nothing is done, try again");
      }
    }
  }

  /// Addresses from the command line; a name without `@` is of `home`.
  static List<Address> targets(Directory directory, List<String> texts, Domain home)
      throws CommandException {
    var targets = new LinkedHashSet<Address>();
    for (var text : texts) {
      targets.add(target(directory, text, home));
    }
    return List.copyOf(targets);
  }

  private static Address target(Directory directory, String text, Domain home)
      throws CommandException {
    int at = text.lastIndexOf('@');
    var local = at < 0 ? text : text.substring(0, at);
    var domain = at < 0 ? Optional.of(home) : TargetList.domain(text.substring(at + 1));
    if (local.isEmpty()
        || local.indexOf('@') >= 0
        || local.getBytes(StandardCharsets.UTF_8).length > Address.LOCAL_PART_OCTETS_MAX
        || local.chars().anyMatch(Character::isISOControl)
        || domain.isEmpty()) {
      throw new CommandException(
          ExitCode.DATA, "\"" + text + "\" is no address, expected one such as bob@example.net");
    }
    if (local.indexOf('*') >= 0) {
      throw new CommandException(
          ExitCode.DATA, "\"" + text + "\": a wildcard can be an alias, but no target");
    }
    return directory.home(new Address(local, domain.get()));
  }

  /// Addresses as a person reads them.
  static String words(List<Address> addresses) {
    return addresses.isEmpty()
        ? "nobody"
        : addresses.stream().map(Address::quoted).collect(Collectors.joining(", "));
  }

  static String words(Senders senders) {
    return switch (senders) {
      case Senders.Members _ -> "members";
      case Senders.Nobody _ -> "none";
      case Senders.Listed(var accounts) -> words(accounts);
    };
  }

  /// Tells what is in the way of an alias's mail, on standard error.
  static void warn(Directory directory, AliasRecord alias) throws IOException {
    warn(
        directory,
        alias.name().wildcard()
            ? alias.targets()
            : List.of(new Address(alias.name().local(), alias.name().domain())));
  }

  /// Tells what is in the way of mail for some addresses, on standard error.
  static void warn(Directory directory, List<Address> addresses) throws IOException {
    directory.refresh(); // a running server may just have changed it
    for (var address : addresses) {
      for (var problem : problems(directory, address)) {
        System.err.println("longhand: note: " + Printable.of(problem.words()));
      }
    }
  }

  private static List<Problem> problems(Directory directory, Address address) throws IOException {
    return switch (Expansion.of(directory, ForwardPath.of(address))) {
      case Expansion.Expanded(_, var problems, _) -> problems;
      case Expansion.Nowhere(var problems) -> problems;
    };
  }

  /// `alias add ALIAS [TARGET...]`
  @Command(
      name = "add",
      description = {
        "Adds an alias, or targets to one there is. With several targets it is a group.",
        "Options that are given change those of an alias there is."
      },
      mixinStandardHelpOptions = true)
  static final class Add extends OnAlias {

    @Parameters(
        paramLabel = "TARGET",
        arity = "0..*",
        index = "1..*",
        description = "Addresses here or of other servers; without @, of the alias's own domain.")
    private List<String> targets = List.of();

    @Option(
        names = "--senders",
        paramLabel = "WHO",
        description = {
          "Who may send as the alias: members (accounts here that it leads to, which is the",
          "default), none, or accounts with commas between them."
        })
    private @Nullable String senders;

    @Option(
        names = "--confidential",
        negatable = true,
        description = "Senders get no report that tells where the alias leads.")
    private @Nullable Boolean confidential;

    @Option(
        names = "--keep-sender",
        negatable = true,
        description =
            "Mail goes on to other servers with the reverse-path it came with, not a rewritten one.")
    private @Nullable Boolean keepSender;

    /// Made by picocli.
    Add() {}

    @Override
    int run(Directory directory, AccountChanges changes, AliasName name)
        throws IOException, CommandException {
      if (isAccount(directory, name)) {
        throw new CommandException(
            ExitCode.DATA,
            "there is an account "
                + name
                + "; to send its mail elsewhere: longhand account forward "
                + name
                + " TARGET");
      }
      var known = directory.alias(name);
      if (known.isEmpty() && targets.isEmpty()) {
        throw new CommandException(
            ExitCode.USAGE, "there is no alias " + name + " yet; name at least one target");
      }
      var base = known.orElseGet(() -> AliasRecord.of(name, List.of()));
      var all = new LinkedHashSet<>(base.targets());
      all.addAll(AliasCommand.targets(directory, targets, name.domain()));
      var alias =
          new AliasRecord(
              name,
              List.copyOf(all),
              senders == null ? base.senders() : senders(directory, senders, name.domain()),
              confidential == null ? base.confidential() : confidential,
              keepSender == null ? base.rewriting() : !keepSender);
      put(changes, alias, known);
      System.out.println(
          (known.isEmpty() ? "added " : "changed ") + name + ": " + words(alias.targets()));
      warn(directory, alias);
      return ExitCode.OK;
    }

    private static Senders senders(Directory directory, String text, Domain home)
        throws CommandException {
      return switch (text.toLowerCase(Locale.ROOT)) {
        case "members" -> new Senders.Members();
        case "none" -> new Senders.Nobody();
        default -> {
          var accounts =
              AliasCommand.targets(directory, List.of(text.split(",", -1)), home).stream()
                  .map(Address::canonical)
                  .toList();
          for (var account : accounts) {
            if (!(directory.hosting(account.domain()) instanceof Hosting.Local)) {
              throw new CommandException(
                  ExitCode.DATA, account + " is no account here, so it cannot send from here");
            }
          }
          yield new Senders.Listed(accounts);
        }
      };
    }
  }

  /// `alias remove ALIAS [TARGET...]`
  @Command(
      name = "remove",
      description = "Removes an alias, or with targets, only these of it.",
      mixinStandardHelpOptions = true)
  static final class Remove extends OnAlias {

    @Parameters(
        paramLabel = "TARGET",
        arity = "0..*",
        index = "1..*",
        description = "Targets to take out of it.")
    private List<String> targets = List.of();

    /// Made by picocli.
    Remove() {}

    @Override
    int run(Directory directory, AccountChanges changes, AliasName name)
        throws IOException, CommandException {
      var known = existing(directory, name);
      if (targets.isEmpty()) {
        if (!changes.removeAlias(name)) {
          throw new CommandException(ExitCode.NO_USER, "there is no alias " + name);
        }
        System.out.println("removed " + name);
        return ExitCode.OK;
      }
      var rest = new LinkedHashSet<>(known.targets());
      for (var target : AliasCommand.targets(directory, targets, name.domain())) {
        if (!rest.remove(target)) {
          throw new CommandException(
              ExitCode.DATA,
              target.quoted()
                  + " is no target of "
                  + name
                  + ", which has "
                  + words(known.targets()));
        }
      }
      var alias =
          new AliasRecord(
              name, List.copyOf(rest), known.senders(), known.confidential(), known.rewriting());
      put(changes, alias, Optional.of(known));
      System.out.println("changed " + name + ": " + words(alias.targets()));
      warn(directory, alias);
      return ExitCode.OK;
    }
  }

  /// `alias show ALIAS`
  @Command(name = "show", description = "Shows an alias.", mixinStandardHelpOptions = true)
  static final class Show extends OnAlias {

    /// Made by picocli.
    Show() {}

    @Override
    int run(Directory directory, AccountChanges changes, AliasName name)
        throws IOException, CommandException {
      var known = existing(directory, name);
      System.out.println("alias         " + known.name());
      for (var target : known.targets()) {
        System.out.println("target        " + target.quoted());
      }
      System.out.println("senders       " + words(known.senders()));
      System.out.println("confidential  " + (known.confidential() ? "yes" : "no"));
      System.out.println("reverse-path  " + (known.rewriting() ? "rewritten" : "kept"));
      warn(directory, known);
      return ExitCode.OK;
    }
  }

  /// `alias list [DOMAIN]`
  @Command(
      name = "list",
      description = "Lists aliases: address, targets and who may send, a tab between them.",
      mixinStandardHelpOptions = true)
  static final class ListAll extends AccountCommand.OnAccounts {

    @Parameters(paramLabel = "DOMAIN", arity = "0..1", description = "Only those of that domain.")
    private Optional<String> domain = Optional.empty();

    /// Made by picocli.
    ListAll() {}

    @Override
    int run(Directory directory, AccountChanges changes) throws IOException, CommandException {
      if (domain.isPresent()
          && directory.domains().stream().map(Domain::name).noneMatch(domain.get()::equals)) {
        throw new CommandException(ExitCode.DATA, domain.get() + " is not a domain of this server");
      }
      for (var each : directory.domains()) {
        if (domain.isEmpty() || domain.get().equals(each.name())) {
          directory.forEachEntry(
              each,
              entry -> {
                if (entry instanceof AliasRecord alias) {
                  System.out.printf(
                      "%s\t%s\t%s%n", alias.name(), words(alias.targets()), words(alias.senders()));
                }
              });
        }
      }
      return ExitCode.OK;
    }
  }
}
