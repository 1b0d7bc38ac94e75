package longhand.server;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// `longhand queue`: looks at messages for other servers, and changes what is done with them. It
/// asks the running server; while none runs, nothing is tried, and the documents in
/// `mail/queue.invalid` can be read with any mail program.
@Command(
    name = "queue",
    description = "Messages for other servers: what waits, and what is done with it.",
    mixinStandardHelpOptions = true,
    subcommands = {
      QueueCommand.Listing.class,
      QueueCommand.Show.class,
      QueueCommand.Hold.class,
      QueueCommand.Release.class,
      QueueCommand.Retry.class,
      QueueCommand.Remove.class,
      QueueCommand.Flush.class
    })
final class QueueCommand {

  private static final JsonMapper JSON = new JsonMapper();
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("d MMM HH:mm", Locale.ROOT);

  /// Made by picocli.
  QueueCommand() {}

  /// Which messages.
  static final class Filter {
    @Option(
        names = "--to",
        paramLabel = "ADDRESS|DOMAIN",
        description = "Messages that wait for a recipient there.")
    private @Nullable String to;

    @Option(
        names = "--from",
        paramLabel = "ADDRESS|DOMAIN",
        description = "Messages with that reverse-path.")
    private @Nullable String from;

    @Option(
        names = "--state",
        paramLabel = "STATE",
        description = "Messages that are `waiting`, `active` or `held`.")
    private @Nullable String state;

    /// Made by picocli.
    Filter() {}

    void into(ObjectNode request) {
      put(request, "to", to);
      put(request, "from", from);
      put(request, "state", state);
    }

    boolean empty() {
      return to == null && from == null && state == null;
    }

    private static void put(ObjectNode request, String key, @Nullable String value) {
      if (value != null) {
        request.put(key, value);
      }
    }
  }

  /// Asks the server.
  abstract static class Asking implements Callable<Integer> {
    @Mixin private ConfigOption configOption;

    @SuppressWarnings("NullAway.Init") // picocli fills the field
    Asking() {}

    final List<JsonNode> lines = new ArrayList<>();

    int ask(ObjectNode request) throws IOException, CommandException, ConfigException {
      request.put("command", "queue");
      lines.clear();
      var answer =
          RunningServer.ask(
              configOption.read(),
              request,
              told -> {
                if (told instanceof Told.Line(var text)) {
                  lines.add(JSON.readTree(text));
                }
              });
      return answer
          .orElseThrow(
              () ->
                  new CommandException(
                      ExitCode.UNAVAILABLE,
                      "no server runs with that data folder, so nothing is tried; what waits can"
                          + " be read in mail/queue.invalid with any mail program"))
          .path("exit")
          .asInt(ExitCode.SOFTWARE);
    }
  }

  /// `queue list`
  @Command(
      name = "list",
      description = {
        "Lists messages, those first that have waited longest.",
        "With --follow the list is shown anew each second."
      },
      mixinStandardHelpOptions = true)
  static final class Listing extends Asking {
    @Mixin private Filter filter;

    @Option(names = "--json", description = "One JSON object a line.")
    private boolean json;

    @Option(names = "--follow", description = "Shows it anew each second, until interrupted.")
    private boolean follow;

    /// Made by picocli.
    @SuppressWarnings("NullAway.Init") // picocli fills the fields
    Listing() {}

    @Override
    public Integer call() throws Exception {
      while (true) {
        var request = JSON.createObjectNode().put("do", "list");
        filter.into(request);
        int exit = ask(request);
        if (follow) {
          // Clears the terminal and goes to its corner (ECMA-48).
          System.out.print("\033[2J\033[H");
        }
        show();
        if (!follow || exit != ExitCode.OK) {
          return exit;
        }
        Thread.sleep(1000);
      }
    }

    private void show() {
      if (json) {
        lines.forEach(System.out::println);
        return;
      }
      if (lines.isEmpty()) {
        System.out.println("No message waits.");
        return;
      }
      System.out.printf(
          "%-13s %-8s %-13s %9s  %s%n", "ID", "STATE", "NEXT TRY", "SIZE", "FROM, AND WHO WAITS");
      long octets = 0;
      for (var line : lines) {
        octets += line.path("octets").asLong(0);
        System.out.printf(
            "%-13s %-8s %-13s %9s  %s%n",
            Printable.of(line.path("id").asString("")),
            line.path("state").asString(""),
            next(line),
            size(line.path("octets").asLong(0)),
            sender(line));
        int shown = 0;
        for (var each : line.path("waiting")) {
          if (shown++ == 3) {
            System.out.println("    and " + (line.path("waiting").size() - 3) + " more");
            break;
          }
          System.out.println("    " + recipient(each));
        }
      }
      System.out.printf("%d messages, %s%n", lines.size(), size(octets));
    }
  }

  private static String next(JsonNode line) {
    if (line.path("state").asString("").equals("held")) {
      return "-";
    }
    var next = Instant.parse(line.path("next").asString(""));
    return next.isAfter(Instant.now()) ? TIME.format(next.atZone(ZoneId.systemDefault())) : "now";
  }

  private static String sender(JsonNode line) {
    var from = line.path("from").asString("");
    return from.isEmpty() ? "<> (a report)" : Printable.of(from);
  }

  private static String size(long octets) {
    return octets < 10_000
        ? octets + " B"
        : octets < 10_000_000 ? octets / 1000 + " kB" : octets / 1_000_000 + " MB";
  }

  private static String recipient(JsonNode each) {
    var text = new StringBuilder(Printable.of(each.path("to").asString("")));
    int attempts = each.path("attempts").asInt(0);
    if (attempts > 0) {
      text.append(", tried ").append(attempts).append(attempts == 1 ? " time" : " times");
    }
    if (each.has("reply")) {
      var server = each.path("server").asString("");
      text.append(": ").append(server.isEmpty() ? "" : Printable.of(server) + " ");
      text.append(Printable.of(each.path("reply").asString("")));
    }
    return text.toString();
  }

  /// `queue show ID`
  @Command(
      name = "show",
      description = "Shows all that is known of a message.",
      mixinStandardHelpOptions = true)
  static final class Show extends Asking {
    @Parameters(paramLabel = "ID", description = "As `queue list` shows it.")
    private String id;

    @Option(names = "--json", description = "As one JSON object.")
    private boolean json;

    /// Made by picocli.
    @SuppressWarnings("NullAway.Init") // picocli fills the fields
    Show() {}

    @Override
    public Integer call() throws Exception {
      var request = JSON.createObjectNode().put("do", "list");
      request.putArray("ids").add(id);
      ask(request);
      if (lines.isEmpty()) {
        throw new CommandException(
            ExitCode.NO_INPUT, "there is no message " + id + " in the queue");
      }
      var line = lines.getFirst();
      if (json) {
        System.out.println(line);
        return ExitCode.OK;
      }
      var arrived = Instant.parse(line.path("arrived").asString(""));
      System.out.println("Message     " + Printable.of(line.path("id").asString("")));
      System.out.println("State       " + line.path("state").asString(""));
      System.out.println("Arrived     " + arrived + ", " + ago(arrived));
      if (line.has("account")) {
        System.out.println("Handed in   by " + Printable.of(line.path("account").asString("")));
      }
      System.out.println("From        " + sender(line));
      System.out.println("Size        " + size(line.path("octets").asLong(0)));
      int all = line.path("recipients").asInt(0);
      int waiting = line.path("waiting").size();
      System.out.println("Recipients  " + all + ", of whom " + waiting + " wait");
      for (var each : line.path("waiting")) {
        System.out.println("  " + recipient(each));
        System.out.println("      next try " + each.path("next").asString(""));
      }
      return ExitCode.OK;
    }

    private static String ago(Instant time) {
      var since = Duration.between(time, Instant.now());
      return since.toHours() >= 48
          ? since.toDays() + " days ago"
          : since.toMinutes() >= 120
              ? since.toHours() + " hours ago"
              : since.toMinutes() + " minutes ago";
    }
  }

  /// An order about messages that are named, or that a filter finds.
  abstract static class Ordering extends Asking {
    private final String done;

    @Parameters(paramLabel = "ID", arity = "0..*", description = "As `queue list` shows it.")
    private List<String> ids = List.of();

    @Mixin private Filter filter;

    @Option(names = "--all", description = "All messages.")
    private boolean all;

    /// @param done as `held`
    @SuppressWarnings("NullAway.Init") // picocli fills the field
    Ordering(String done) {
      this.done = done;
    }

    abstract String order();

    @Override
    public Integer call() throws Exception {
      if (ids.isEmpty() && filter.empty() && !all) {
        throw new CommandException(
            ExitCode.USAGE, "which messages? Name ids, or use --to, --from, --state or --all");
      }
      var request = JSON.createObjectNode().put("do", order());
      filter.into(request);
      var array = request.putArray("ids");
      ids.forEach(array::add);
      int exit = ask(request);
      for (var line : lines) {
        var id = Printable.of(line.path("id").asString(""));
        System.out.println(
            line.path("done").asBoolean(false)
                ? done + " " + id
                : id + ": no such message, or it is being tried just now; ask again");
      }
      if (lines.isEmpty()) {
        System.out.println("No such message.");
      }
      return exit;
    }
  }

  /// `queue hold`
  @Command(
      name = "hold",
      description = "Stops messages until they are released.",
      mixinStandardHelpOptions = true)
  static final class Hold extends Ordering {
    /// Made by picocli.
    Hold() {
      super("held");
    }

    @Override
    String order() {
      return "hold";
    }
  }

  /// `queue release`
  @Command(
      name = "release",
      description = "Lets held messages go, at once.",
      mixinStandardHelpOptions = true)
  static final class Release extends Ordering {
    /// Made by picocli.
    Release() {
      super("released");
    }

    @Override
    String order() {
      return "release";
    }
  }

  /// `queue retry`
  @Command(
      name = "retry",
      description = "Tries messages now, and not at their time.",
      mixinStandardHelpOptions = true)
  static final class Retry extends Ordering {
    /// Made by picocli.
    Retry() {
      super("trying");
    }

    @Override
    String order() {
      return "retry";
    }
  }

  /// `queue remove`
  @Command(
      name = "remove",
      description = "Takes messages out of the queue for good.",
      mixinStandardHelpOptions = true)
  static final class Remove extends Ordering {
    @Option(
        names = "--return",
        description = "Tells the senders that they were not delivered. Else nobody hears of it.")
    private boolean tell;

    /// Made by picocli.
    Remove() {
      super("removed");
    }

    @Override
    String order() {
      return tell ? "return" : "remove";
    }
  }

  /// `queue flush`
  @Command(
      name = "flush",
      description = "Tries all that waits now.",
      mixinStandardHelpOptions = true)
  static final class Flush extends Asking {
    /// Made by picocli.
    Flush() {}

    @Override
    public Integer call() throws Exception {
      var request = JSON.createObjectNode().put("do", "retry").put("state", "waiting");
      int exit = ask(request);
      System.out.println("Trying " + lines.size() + " messages.");
      return exit;
    }
  }
}
