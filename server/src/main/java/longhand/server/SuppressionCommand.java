package longhand.server;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import longhand.directory.Directory;
import longhand.mail.Address;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// `longhand suppression ...`: with the server running, through its control socket, or without it.
@Command(
    name = "suppression",
    description = {
      "Addresses that an account sends nothing to, since its mail for them came back.",
      "They are remembered when mail comes back, and end by themselves."
    },
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      SuppressionCommand.Listing.class,
      SuppressionCommand.Add.class,
      SuppressionCommand.Remove.class
    })
final class SuppressionCommand {

  private static final JsonMapper JSON = new JsonMapper();
  private static final int DAYS_MAX = 3650;

  /// Made by picocli.
  SuppressionCommand() {}

  /// What all of them have: an account.
  abstract static class OnAccount implements Callable<Integer> {
    @Mixin private ConfigOption configOption;

    @Parameters(paramLabel = "ACCOUNT", description = "The account, as jbob@example.com.")
    private String account;

    final List<JsonNode> lines = new ArrayList<>();

    @SuppressWarnings("NullAway.Init") // picocli fills the fields
    OnAccount() {}

    @Override
    public Integer call() throws Exception {
      var config = configOption.read();
      try (var directory = Server.directory(config)) {
        var address = AccountCommand.addressOf(directory, account);
        if (directory.account(address).isEmpty()) {
          throw new CommandException(ExitCode.NO_USER, "there is no account " + address);
        }
        return run(config, directory, address);
      }
    }

    abstract int run(Config config, Directory directory, Address account)
        throws IOException, CommandException;

    /// The exit code of the running server, or of this process when none runs; `lines` has what was
    /// told.
    int ask(Config config, Address account, ObjectNode request)
        throws IOException, CommandException {
      request.put("command", "suppression").put("account", account.toString());
      var answer = RunningServer.ask(config, request, this::hear);
      int exit = (answer.isPresent() ? answer.get() : here(config, request)).path("exit").asInt(1);
      if (exit == ExitCode.IO) {
        throw new CommandException(
            exit, "the account's file under " + config.data() + "/sending cannot be written");
      }
      return exit;
    }

    private JsonNode here(Config config, ObjectNode request) {
      try (var sending = Server.sendingRecords(config)) {
        return JSON.readTree(new SuppressionWork(sending).answer(request, this::hear));
      }
    }

    private void hear(Told told) {
      if (told instanceof Told.Line(var text)) {
        lines.add(JSON.readTree(text));
      }
    }
  }

  /// Those about one address.
  abstract static class OnAddress extends OnAccount {
    @Parameters(
        paramLabel = "ADDRESS",
        index = "1",
        description = "The address that is written to, as bob@example.net.")
    private String address;

    @SuppressWarnings("NullAway.Init") // picocli fills the field
    OnAddress() {}

    Address address(Directory directory, Address account) throws CommandException {
      return AliasCommand.targets(directory, List.of(address), account.domain()).getFirst();
    }
  }

  /// `suppression list ACCOUNT`
  @Command(
      name = "list",
      description = "Lists them: address, since when, until when, and what was said; with tabs.",
      mixinStandardHelpOptions = true)
  static final class Listing extends OnAccount {
    @Option(names = "--json", description = "One JSON object a line.")
    private boolean json;

    /// Made by picocli.
    Listing() {}

    @Override
    int run(Config config, Directory directory, Address account)
        throws IOException, CommandException {
      int exit = ask(config, account, JSON.createObjectNode().put("do", "list"));
      for (var line : lines) {
        System.out.println(
            json
                ? line.toString()
                : String.join(
                    "\t",
                    Printable.of(line.path("address").asString("")),
                    line.path("since").asString(""),
                    line.path("until").asString(""),
                    Printable.of(line.path("words").asString(""))));
      }
      return exit;
    }
  }

  /// `suppression add ACCOUNT ADDRESS`
  @Command(
      name = "add",
      description = "Lets an account send nothing to an address.",
      mixinStandardHelpOptions = true)
  static final class Add extends OnAddress {
    @Option(names = "--days", paramLabel = "N", description = "For how long (30).")
    private Optional<Integer> days = Optional.empty();

    @Option(
        names = "--why",
        paramLabel = "TEXT",
        description = "What who writes there is told (${DEFAULT-VALUE}).",
        defaultValue = "the postmaster wants it so")
    private String why;

    /// Made by picocli.
    @SuppressWarnings("NullAway.Init") // picocli fills the field
    Add() {}

    @Override
    int run(Config config, Directory directory, Address account)
        throws IOException, CommandException {
      int span = days.orElse(30);
      if (span < 1 || span > DAYS_MAX) {
        throw new CommandException(
            ExitCode.USAGE, "--days " + span + ", expected 1 to " + DAYS_MAX);
      }
      var address = address(directory, account);
      int exit =
          ask(
              config,
              account,
              JSON.createObjectNode()
                  .put("do", "add")
                  .put("address", address.toString())
                  .put("days", span)
                  .put("why", why));
      for (var line : lines) {
        System.out.println(
            account + " sends nothing to " + address + " until " + line.path("until").asString(""));
      }
      return exit;
    }
  }

  /// `suppression remove ACCOUNT ADDRESS`
  @Command(
      name = "remove",
      description = "Lets an account send to an address again.",
      mixinStandardHelpOptions = true)
  static final class Remove extends OnAddress {
    /// Made by picocli.
    Remove() {}

    @Override
    int run(Config config, Directory directory, Address account)
        throws IOException, CommandException {
      var address = address(directory, account);
      int exit =
          ask(
              config,
              account,
              JSON.createObjectNode().put("do", "remove").put("address", address.toString()));
      if (exit == ExitCode.NO_USER) {
        throw new CommandException(exit, account + " may send to " + address + " already");
      }
      System.out.println(account + " may send to " + address + " again");
      return exit;
    }
  }
}
