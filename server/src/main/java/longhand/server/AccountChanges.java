package longhand.server;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import longhand.auth.Verifiers;
import longhand.directory.AccountRecord;
import longhand.directory.AliasName;
import longhand.directory.AliasRecord;
import longhand.directory.Directory;
import longhand.directory.DirectoryEntry;
import longhand.mail.Address;
import longhand.mail.Domain;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Changes of accounts and aliases by a command: done by the running server when there is one, so that they
/// count at once and its files stay its own; else by this process. Passwords never cross, only
/// their verifiers.
///
/// The server is asked one JSON object a line, and answers with one:
///
///     {"command":"put","replace":false,"domain":"example.com","lines":["jbob active 0 ..."]}
///     {"changed":1}
///     {"command":"remove","address":"jbob@example.com"}
///     {"command":"put-alias","domain":"example.com","line":"sales alias alice","seen":"..."}
///     {"command":"remove-alias","address":"sales@example.com"}
///     {"error":"..."}
///
/// `seen` is the line that the change was made from, left out when there was none.
final class AccountChanges {

  private static final JsonMapper JSON = new JsonMapper();

  private final Config config;
  private final Directory directory;

  /// @param directory of the same data folder, to read, and to write when no server runs
  AccountChanges(Config config, Directory directory) {
    this.config = config;
    this.directory = directory;
  }

  /// Adds accounts of one domain; those that exist already only with `replace`. Gives how many were
  /// written.
  int put(List<AccountRecord> accounts, boolean replace) throws IOException, CommandException {
    if (accounts.isEmpty()) {
      return 0;
    }
    var request = JSON.createObjectNode();
    request.put("command", "put");
    request.put("replace", replace);
    request.put("domain", accounts.getFirst().address().domain().name());
    var lines = request.putArray("lines");
    accounts.forEach(account -> lines.add(account.toLine()));
    var answer = RunningServer.ask(config, request, _ -> {});
    return answer.isPresent()
        ? answer.get().path("changed").asInt(0)
        : put(directory, accounts, replace);
  }

  /// Removes an account; false when there is none.
  boolean remove(Address address) throws IOException, CommandException {
    var request = JSON.createObjectNode();
    request.put("command", "remove");
    request.put("address", address.toString());
    var answer = RunningServer.ask(config, request, _ -> {});
    return answer.isPresent()
        ? answer.get().path("changed").asInt(0) > 0
        : directory.remove(address);
  }

  /// Writes an alias; false when what there is of its name is no longer what was seen.
  ///
  /// @param seen the alias as it was before; empty when there was none
  boolean putAlias(AliasRecord alias, Optional<AliasRecord> seen)
      throws IOException, CommandException {
    var request = JSON.createObjectNode();
    request.put("command", "put-alias");
    request.put("domain", alias.name().domain().name());
    request.put("line", alias.toLine());
    seen.ifPresent(before -> request.put("seen", before.toLine()));
    var answer = RunningServer.ask(config, request, _ -> {});
    try {
      return answer.isPresent()
          ? answer.get().path("changed").asInt(0) > 0
          : directory.putAlias(alias, seen);
    } catch (IllegalArgumentException e) {
      throw new CommandException(ExitCode.DATA, String.valueOf(e.getMessage()));
    }
  }

  /// Removes an alias; false when there is none.
  boolean removeAlias(AliasName name) throws IOException, CommandException {
    var request = JSON.createObjectNode();
    request.put("command", "remove-alias");
    request.put("address", name.toString());
    var answer = RunningServer.ask(config, request, _ -> {});
    return answer.isPresent()
        ? answer.get().path("changed").asInt(0) > 0
        : directory.removeAlias(name);
  }

  /// A new account that may log in.
  static AccountRecord account(
      Address address, Verifiers verifiers, String name, long quotaOctets) {
    return new AccountRecord(
        address, verifiers.password(), verifiers.scram(), name, quotaOctets, true);
  }

  /// The running server's side: one line in, one line out.
  static String answer(Directory directory, JsonNode request) {
    var answer = JSON.createObjectNode();
    try {
      switch (request.path("command").asString("")) {
        case "put" -> {
          var domain = domain(directory, request);
          var accounts = new ArrayList<AccountRecord>();
          for (var each : request.path("lines")) {
            accounts.add(AccountRecord.ofLine(each.asString(""), domain));
          }
          answer.put("changed", put(directory, accounts, request.path("replace").asBoolean(false)));
        }
        case "remove" -> {
          var address = directory.address(request.path("address").asString(""));
          answer.put("changed", address.isPresent() && directory.remove(address.get()) ? 1 : 0);
        }
        case "put-alias" -> {
          var domain = domain(directory, request);
          var alias = AliasRecord.ofLine(request.path("line").asString(""), domain);
          var seen =
              Optional.ofNullable(request.get("seen"))
                  .map(before -> AliasRecord.ofLine(before.asString(""), domain));
          answer.put("changed", directory.putAlias(alias, seen) ? 1 : 0);
        }
        case "remove-alias" -> {
          var address = directory.address(request.path("address").asString(""));
          answer.put(
              "changed",
              address.isPresent() && directory.removeAlias(AliasName.written(address.get()))
                  ? 1
                  : 0);
        }
        default -> answer.put("error", "unknown command");
      }
    } catch (IllegalArgumentException e) {
      answer.put("error", String.valueOf(e.getMessage()));
      answer.put("exit", ExitCode.DATA);
    } catch (IOException e) {
      answer.put("error", String.valueOf(e.getMessage()));
    }
    return answer.toString();
  }

  private static Domain domain(Directory directory, JsonNode request) {
    return directory.domains().stream()
        .filter(each -> each.name().equals(request.path("domain").asString("")))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("not a domain of this server"));
  }

  private static int put(Directory directory, List<AccountRecord> accounts, boolean replace)
      throws IOException {
    if (accounts.size() == 1 && !replace) {
      return directory.add(accounts.getFirst()) ? 1 : 0;
    }
    var fresh = new ArrayList<AccountRecord>();
    for (var account : accounts) {
      Optional<DirectoryEntry> known =
          replace ? Optional.empty() : directory.entry(account.address());
      if (known.isEmpty()) {
        fresh.add(account);
      }
    }
    directory.put(fresh);
    return fresh.size();
  }
}
