package longhand.server;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import longhand.auth.AuthSettings;
import longhand.auth.Authenticator;
import longhand.auth.Verifiers;
import longhand.directory.AccountRecord;
import longhand.directory.AliasRecord;
import longhand.directory.Directory;
import longhand.directory.Forward;
import longhand.mail.Address;
import longhand.mail.Domain;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `longhand account ...`: with the server running, through its control socket, or without it.
@Command(
    name = "account",
    description = "Adds, changes, lists and removes accounts, with the server running or not.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      AccountCommand.Add.class,
      AccountCommand.Password.class,
      AccountCommand.Forwarding.class,
      AccountCommand.Remove.class,
      AccountCommand.Show.class,
      AccountCommand.ListAll.class,
      AccountCommand.Import.class
    })
final class AccountCommand {

  /// Made by picocli.
  AccountCommand() {}

  /// What all of them have: a configuration, and so a directory and a way to change it.
  abstract static class OnAccounts implements Callable<Integer> {

    @Mixin private ConfigOption configOption;

    @SuppressWarnings("NullAway.Init") // picocli fills the field
    OnAccounts() {}

    @Override
    public Integer call() throws Exception {
      var config = configOption.read();
      if (!Files.isDirectory(config.data())) {
        Server.makeDataFolder(config);
      }
      try (var directory = Server.directory(config)) {
        return run(directory, new AccountChanges(config, directory));
      }
    }

    abstract int run(Directory directory, AccountChanges changes)
        throws IOException, CommandException;
  }

  /// Those that are about one account.
  abstract static class OnAddress extends OnAccounts {

    @Parameters(paramLabel = "ADDRESS", description = "The account, as jbob@example.com.")
    private String address;

    @SuppressWarnings("NullAway.Init") // picocli fills the field
    OnAddress() {}

    @Override
    int run(Directory directory, AccountChanges changes) throws IOException, CommandException {
      return run(directory, changes, addressOf(directory, address));
    }

    abstract int run(Directory directory, AccountChanges changes, Address account)
        throws IOException, CommandException;

    AccountRecord existing(Directory directory, Address account)
        throws IOException, CommandException {
      return directory
          .account(account)
          .orElseThrow(
              () -> new CommandException(ExitCode.NO_USER, "there is no account " + account));
    }
  }

  static Address addressOf(Directory directory, String text) throws CommandException {
    var account =
        directory
            .address(text)
            .orElseThrow(
                () ->
                    new CommandException(
                        ExitCode.DATA,
                        "\"" + text + "\" is no address, expected one such as jbob@example.com"));
    if (!directory.isLocal(account.domain())) {
      throw new CommandException(
          ExitCode.DATA,
          account.domain() + " is not a domain of this server; its [[domain]] is missing");
    }
    if (account.localPart().getBytes(StandardCharsets.UTF_8).length
        > Address.LOCAL_PART_OCTETS_MAX) {
      throw new CommandException(
          ExitCode.DATA,
          "the part before @ has more than " + Address.LOCAL_PART_OCTETS_MAX + " octets");
    }
    return account;
  }

  private static void refuseAlias(Directory directory, Address address)
      throws IOException, CommandException {
    var entry = directory.entry(address);
    if (entry.isPresent() && entry.get() instanceof AliasRecord) {
      throw new CommandException(
          ExitCode.DATA,
          address + " is an alias; it is removed with: longhand alias remove " + address);
    }
  }

  private static long quotaOf(String text) throws CommandException {
    long octets = AccountRecord.octets(text);
    if (octets < 0) {
      throw new CommandException(
          ExitCode.DATA, "quota \"" + text + "\", expected a number such as 0, 500M or 5G");
    }
    return octets;
  }

  private static String nameOf(String text) throws CommandException {
    var name = text.strip();
    if (!AccountRecord.isName(name)) {
      throw new CommandException(
          ExitCode.DATA,
          "a name has at most "
              + AccountRecord.NAME_CHARS_MAX
              + " characters, none of them control characters");
    }
    return name;
  }

  private static Verifiers verifiers(Authenticator authenticator, String password)
      throws IOException, CommandException {
    try {
      return authenticator.verifiers(password);
    } catch (IllegalArgumentException e) {
      throw new CommandException(ExitCode.DATA, String.valueOf(e.getMessage()));
    }
  }

  private static Authenticator hasher(Directory directory, int atOnce) {
    var usual = AuthSettings.DEFAULT;
    return new Authenticator(
        directory,
        new byte[32],
        new AuthSettings(
            usual.failuresMax(),
            usual.window(),
            usual.delay(),
            usual.delayMax(),
            1,
            atOnce,
            usual.memoryKib(),
            usual.passes(),
            usual.scramIterations()));
  }

  /// `account add ADDRESS`
  @Command(
      name = "add",
      description =
          "Adds an account. The password is the first line of standard input, or asked for.",
      mixinStandardHelpOptions = true)
  static final class Add extends OnAddress {

    @Mixin private PasswordOption password;

    @Option(names = "--name", paramLabel = "NAME", description = "Display name.", defaultValue = "")
    private String name;

    @Option(
        names = "--quota",
        paramLabel = "OCTETS",
        description = "Most octets of messages: 500M, 5G; 0 for no limit (${DEFAULT-VALUE}).",
        defaultValue = "0")
    private String quota;

    /// Made by picocli.
    @SuppressWarnings("NullAway.Init") // picocli fills the fields
    Add() {}

    @Override
    int run(Directory directory, AccountChanges changes, Address account)
        throws IOException, CommandException {
      refuseAlias(directory, account);
      if (directory.account(account).isPresent()) {
        throw exists(account);
      }
      var displayName = nameOf(name);
      long octets = quotaOf(quota);
      var verifiers = verifiers(hasher(directory, 1), password.read());
      var added = AccountChanges.account(account, verifiers, displayName, octets);
      if (changes.put(List.of(added), false) == 0) {
        throw exists(account);
      }
      System.out.println("added " + account);
      return ExitCode.OK;
    }

    private static CommandException exists(Address account) {
      return new CommandException(
          ExitCode.DATA,
          "there is an account " + account + " already; its password is set with account password");
    }
  }

  /// `account password ADDRESS`
  @Command(
      name = "password",
      description = "Sets an account's password: the first line of standard input, or asked for.",
      mixinStandardHelpOptions = true)
  static final class Password extends OnAddress {

    @Mixin private PasswordOption password;

    /// Made by picocli.
    @SuppressWarnings("NullAway.Init") // picocli fills the field
    Password() {}

    @Override
    int run(Directory directory, AccountChanges changes, Address account)
        throws IOException, CommandException {
      var known = existing(directory, account);
      var verifiers = verifiers(hasher(directory, 1), password.read());
      var changed = known.withVerifiers(verifiers);
      changes.put(List.of(changed), true);
      System.out.println("changed the password of " + account);
      return ExitCode.OK;
    }
  }

  /// `account forward ADDRESS [TARGET...]`
  @Command(
      name = "forward",
      description = {
        "Sends an account's mail on to other addresses, instead of into the account or,",
        "with --copy, besides. Without a target it shows where mail goes."
      },
      mixinStandardHelpOptions = true)
  static final class Forwarding extends OnAddress {

    @Parameters(
        paramLabel = "TARGET",
        arity = "0..*",
        index = "1..*",
        description = "Addresses here or of other servers.")
    private List<String> targets = List.of();

    @Option(names = "--copy", description = "The account keeps its mail as well.")
    private boolean copy;

    @Option(names = "--none", description = "Forwards no more.")
    private boolean none;

    /// Made by picocli.
    Forwarding() {}

    @Override
    int run(Directory directory, AccountChanges changes, Address account)
        throws IOException, CommandException {
      var known = existing(directory, account);
      if (none && !targets.isEmpty()) {
        throw new CommandException(ExitCode.USAGE, "--none goes without a target");
      }
      if (!none && targets.isEmpty()) {
        System.out.println(words(account, known.forward()));
        return ExitCode.OK;
      }
      var forward =
          none
              ? Optional.<Forward>empty()
              : Optional.of(
                  new Forward(AliasCommand.targets(directory, targets, account.domain()), copy));
      try {
        changes.put(List.of(known.withForward(forward)), true);
      } catch (IllegalArgumentException e) {
        throw new CommandException(ExitCode.DATA, String.valueOf(e.getMessage()));
      }
      System.out.println(words(account, forward));
      AliasCommand.warn(directory, List.of(account));
      return ExitCode.OK;
    }

    private static String words(Address account, Optional<Forward> forward) {
      return forward.isEmpty()
          ? account + " forwards nothing"
          : account
              + " forwards to "
              + AliasCommand.words(forward.get().targets())
              + (forward.get().copy() ? " and keeps a copy" : " and keeps nothing");
    }
  }

  /// `account remove ADDRESS`
  @Command(
      name = "remove",
      description = "Removes an account. Its document stays where it is.",
      mixinStandardHelpOptions = true)
  static final class Remove extends OnAddress {

    /// Made by picocli.
    Remove() {}

    @Override
    int run(Directory directory, AccountChanges changes, Address account)
        throws IOException, CommandException {
      if (!changes.remove(account)) {
        throw new CommandException(ExitCode.NO_USER, "there is no account " + account);
      }
      System.out.println("removed " + account);
      return ExitCode.OK;
    }
  }

  /// `account show ADDRESS`
  @Command(
      name = "show",
      description = "Shows an account, but nothing of its password.",
      mixinStandardHelpOptions = true)
  static final class Show extends OnAddress {

    /// Made by picocli.
    Show() {}

    @Override
    int run(Directory directory, AccountChanges changes, Address account)
        throws IOException, CommandException {
      var known = existing(directory, account);
      System.out.println("address  " + known.address());
      System.out.println("name     " + known.name());
      System.out.println("state    " + (known.active() ? "active" : "disabled"));
      System.out.println(
          "quota    "
              + (known.quotaOctets() == 0 ? "none" : AccountRecord.octets(known.quotaOctets())));
      if (known.forward().isPresent()) {
        var forward = known.forward().get();
        System.out.println("forward  " + AliasCommand.words(forward.targets()));
        System.out.println("copy     " + (forward.copy() ? "kept" : "none"));
      }
      return ExitCode.OK;
    }
  }

  /// `account list [DOMAIN]`
  @Command(
      name = "list",
      description = "Lists accounts: address, state, quota and name, a tab between them.",
      mixinStandardHelpOptions = true)
  static final class ListAll extends OnAccounts {

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
          directory.forEach(
              each,
              account ->
                  System.out.printf(
                      "%s\t%s\t%s\t%s%n",
                      account.address(),
                      account.active() ? "active" : "disabled",
                      AccountRecord.octets(account.quotaOctets()),
                      account.name()));
        }
      }
      return ExitCode.OK;
    }
  }

  /// `account import FILE`
  @Command(
      name = "import",
      description = {
        "Adds accounts from a file of comma-separated values with the header",
        "address,password,name,quota. A row that cannot be taken is named, and the rest goes on."
      },
      mixinStandardHelpOptions = true)
  static final class Import extends OnAccounts {

    private static final List<String> HEADER = List.of("address", "password", "name", "quota");
    private static final int BATCH = 1000;
    private static final int AHEAD_PER_PROCESSOR = 4;

    @Parameters(paramLabel = "FILE", description = "The file; UTF-8.")
    private Path file;

    @Option(names = "--replace", description = "Replaces accounts that exist already.")
    private boolean replace;

    private final ArrayList<AccountRecord> batch = new ArrayList<>();
    private final ArrayDeque<Future<AccountRecord>> ahead = new ArrayDeque<>();
    private long rows;
    private long written;
    private long refused;
    private long lastShownNanos = System.nanoTime();

    /// Made by picocli.
    @SuppressWarnings("NullAway.Init") // picocli fills the field
    Import() {}

    @Override
    int run(Directory directory, AccountChanges changes) throws IOException, CommandException {
      int processors = Runtime.getRuntime().availableProcessors();
      var hasher = hasher(directory, processors);
      try (BufferedReader in = Files.newBufferedReader(file, StandardCharsets.UTF_8);
          var threads = java.util.concurrent.Executors.newVirtualThreadPerTaskExecutor()) {
        var csv = new Csv(in);
        header(csv);
        while (true) {
          List<String> row;
          try {
            row = csv.next();
          } catch (IllegalArgumentException e) {
            refuse(csv.line(), String.valueOf(e.getMessage()));
            continue;
          }
          if (row == null) {
            break;
          }
          if (row.size() == 1 && row.getFirst().isEmpty()) {
            continue;
          }
          rows++;
          var values = row;
          int line = csv.line();
          try {
            var account = checked(directory, values);
            refuseAlias(directory, account);
            if (!replace && directory.account(account).isPresent()) {
              refuse(line, "there is an account " + account + " already");
              continue;
            }
            var name = nameOf(values.get(2));
            long quota = values.get(3).isEmpty() ? 0 : quotaOf(values.get(3));
            if (!Authenticator.isPassword(values.get(1))) {
              refuse(line, "the password of " + account + " is empty, too long, or unprintable");
              continue;
            }
            ahead.add(
                threads.submit(
                    () -> {
                      var verifiers = hasher.verifiers(values.get(1));
                      return AccountChanges.account(account, verifiers, name, quota);
                    }));
          } catch (CommandException e) {
            refuse(line, String.valueOf(e.getMessage()));
          }
          if (ahead.size() >= processors * AHEAD_PER_PROCESSOR) {
            take(changes);
          }
        }
        while (!ahead.isEmpty()) {
          take(changes);
        }
        flush(changes);
      }
      System.out.printf(
          Locale.ROOT, "%d rows: %d accounts written, %d refused%n", rows, written, refused);
      return refused > 0 ? ExitCode.DATA : ExitCode.OK;
    }

    private void header(Csv csv) throws IOException, CommandException {
      List<String> header;
      try {
        header = csv.next();
      } catch (IllegalArgumentException e) {
        header = List.of();
      }
      if (!HEADER.equals(header)) {
        throw new CommandException(
            ExitCode.DATA, file + ":1: expected the header " + String.join(",", HEADER));
      }
    }

    private static Address checked(Directory directory, List<String> row) throws CommandException {
      if (row.size() != HEADER.size()) {
        throw new CommandException(
            ExitCode.DATA, row.size() + " values, expected " + String.join(",", HEADER));
      }
      return addressOf(directory, row.getFirst());
    }

    private void refuse(int line, String why) {
      refused++;
      System.err.println(file + ":" + line + ": " + why);
    }

    private void take(AccountChanges changes) throws IOException, CommandException {
      try {
        batch.add(ahead.remove().get());
      } catch (java.util.concurrent.ExecutionException e) {
        throw new IOException(e.getCause());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
      if (batch.size() >= BATCH) {
        flush(changes);
      }
    }

    private void flush(AccountChanges changes) throws IOException, CommandException {
      var byDomain = new java.util.TreeMap<Domain, List<AccountRecord>>();
      for (var account : batch) {
        byDomain.computeIfAbsent(account.address().domain(), _ -> new ArrayList<>()).add(account);
      }
      for (var each : byDomain.values()) {
        written += changes.put(each, replace);
      }
      batch.clear();
      if (System.nanoTime() - lastShownNanos > Duration.ofSeconds(2).toNanos()) {
        lastShownNanos = System.nanoTime();
        System.err.printf(Locale.ROOT, "%d accounts written%n", written);
      }
    }
  }
}
