package longhand.server;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import longhand.disk.FileSystemDisk;
import longhand.journey.JourneyReader;
import longhand.journey.Station;
import longhand.journey.Wanted;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.json.JsonMapper;

/// `longhand journey ...`: what happened to messages. Reads the files, whether the server runs or
/// not.
@Command(
    name = "journey",
    description = {
      "Shows what happened to a message, refused ones too: who brought it, how it was checked,",
      "where it was written, each try at another server with its reply.",
      "Ends with 66 when nothing is known of it."
    },
    mixinStandardHelpOptions = true)
final class JourneyCommand implements Callable<Integer> {

  private static final JsonMapper JSON = new JsonMapper();
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss.SSS", Locale.ROOT)
          .withZone(ZoneId.systemDefault());

  /// Journeys that are shown; more is nothing for people to read.
  private static final int JOURNEYS_MAX = 1_000;

  private static final Duration LOOKING = Duration.ofMillis(200);

  @Mixin private ConfigOption configOption;

  @Parameters(
      paramLabel = "MESSAGE-ID|QUEUE-ID",
      arity = "0..1",
      description = "As <x@example.com>, or the id that the SMTP reply and the log have.")
  private @Nullable String name;

  @Option(names = "--to", paramLabel = "ADDRESS", description = "Messages for that address.")
  private @Nullable String to;

  @Option(
      names = "--from",
      paramLabel = "ADDRESS",
      description = "Messages of that sender or account; <> for reports.")
  private @Nullable String from;

  @Option(
      names = "--since",
      paramLabel = "TIME",
      description = "Only what happened in the last 10m, 1h, 2d.")
  private @Nullable String since;

  @Option(
      names = "--follow",
      description = "Goes on with what happens, until Ctrl-C; of all messages when none is named.")
  private boolean follow;

  @Option(names = "--json", description = "Writes a JSON object a line for each station.")
  private boolean json;

  /// Made by picocli.
  @SuppressWarnings("NullAway.Init") // picocli fills the fields
  JourneyCommand() {}

  @Override
  public Integer call() throws Exception {
    var wanted = wanted();
    if (wanted.isEmpty() && !follow) {
      throw new CommandException(
          ExitCode.USAGE,
          "which message? Give its Message-ID or queue id, --to or --from with an address, or"
              + " --follow for all that come");
    }
    var begin = begin();
    var config = configOption.read();
    if (config.journey().keep().isZero()) {
      throw new CommandException(
          ExitCode.UNAVAILABLE, "journeys are not kept: [journey] keep is 0s in the configuration");
    }
    var reader = new JourneyReader(new FileSystemDisk(), Server.journeyFolder(config));
    return follow ? follow(reader, wanted, begin) : show(reader, wanted.orElseThrow(), begin);
  }

  private Optional<Wanted> wanted() throws CommandException {
    var all = new ArrayList<Wanted>();
    if (name != null) {
      all.add(Wanted.named(name));
    }
    if (to != null) {
      all.add(Wanted.to(RouteCommand.parsed(to).quoted()));
    }
    if (from != null) {
      all.add(Wanted.from(from.equals("<>") ? from : RouteCommand.parsed(from).quoted()));
    }
    if (all.size() > 1) {
      throw new CommandException(
          ExitCode.USAGE, "an id, --to and --from do not go together; give one of them");
    }
    return all.stream().findFirst();
  }

  private Optional<Instant> begin() throws CommandException {
    if (since == null) {
      return Optional.empty();
    }
    var text = since;
    var ago =
        ConfigFile.duration(text)
            .orElseThrow(
                () ->
                    new CommandException(
                        ExitCode.USAGE,
                        "--since \"" + text + "\", expected a time such as 10m, 1h or 2d"));
    return Optional.of(Instant.now().minus(ago));
  }

  private int show(JourneyReader reader, Wanted wanted, Optional<Instant> begin)
      throws IOException, CommandException {
    var journeys = reader.find(wanted, begin.orElse(Instant.EPOCH), JOURNEYS_MAX);
    if (journeys.isEmpty()) {
      var first = reader.begin();
      throw new CommandException(
          ExitCode.NO_INPUT,
          first.isEmpty()
              ? "no journey is written down yet; the server notes them when it runs"
              : "nothing is known of such a message"
                  + (since == null ? "; what is kept begins at " + TIME.format(first.get()) : ""));
    }
    for (var journey : journeys) {
      if (!json) {
        System.out.println(journey.getFirst().id());
      }
      journey.forEach(station -> System.out.println(json ? json(station) : "  " + text(station)));
    }
    if (journeys.size() == JOURNEYS_MAX) {
      System.err.println("only the last " + JOURNEYS_MAX + " messages; --since shows fewer");
    }
    return ExitCode.OK;
  }

  private int follow(JourneyReader reader, Optional<Wanted> wanted, Optional<Instant> begin)
      throws IOException, InterruptedException {
    var following = reader.follow(wanted, begin);
    while (true) {
      for (var station : following.next()) {
        System.out.println(
            json ? json(station) : Printable.of(station.id()) + "  " + text(station));
      }
      // Who reads this may have gone.
      if (System.out.checkError()) {
        return ExitCode.OK;
      }
      Thread.sleep(LOOKING);
    }
  }

  /// Time, kind, a sentence, and behind it the value in brackets.
  private static String text(Station station) {
    var sentence = new ArrayList<>(List.of(station.subject(), station.words()));
    if (!station.value().isEmpty()) {
      sentence.add("[" + station.value() + "]");
    }
    sentence.removeIf(String::isEmpty);
    return Printable.of(
        String.format(
            Locale.ROOT,
            "%s  %-9s  %s",
            TIME.format(station.at()),
            station.kind().text(),
            String.join(" ", sentence)));
  }

  private static String json(Station station) {
    return JSON.createObjectNode()
        .put("time", station.at().toString())
        .put("id", station.id())
        .put("kind", station.kind().text())
        .put("subject", station.subject())
        .put("words", station.words())
        .put("value", station.value())
        .toString();
  }
}
