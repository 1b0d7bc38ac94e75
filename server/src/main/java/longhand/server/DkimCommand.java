package longhand.server;

import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import longhand.dkim.DkimKeyFolder;
import longhand.dkim.HeldKey;
import longhand.mail.Domain;
import longhand.zone.MailDomain;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `longhand dkim ...`: the keys that sign a domain's mail. A running server follows by itself.
@Command(
    name = "dkim",
    description = "Shows and replaces the keys that sign the mail of a domain.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {DkimCommand.ListAll.class, DkimCommand.Rotate.class})
final class DkimCommand {

  /// Made by picocli.
  DkimCommand() {}

  /// Both are about one domain's keys.
  abstract static class OnKeys implements Callable<Integer> {

    @Mixin private ConfigOption configOption;

    @Parameters(paramLabel = "DOMAIN", description = "One of the configuration.")
    private String domain;

    @SuppressWarnings("NullAway.Init") // picocli fills the fields
    OnKeys() {}

    @Override
    public Integer call() throws Exception {
      var config = configOption.read();
      var known = DomainFacts.configured(config, domain);
      Server.makeDataFolder(config);
      return run(config, known, DomainFacts.keys(config, known), Instant.now());
    }

    abstract int run(Config config, Domain domain, DkimKeyFolder keys, Instant now)
        throws IOException, CommandException;
  }

  /// `dkim list DOMAIN`
  @Command(
      name = "list",
      description = "Lists keys: selector, algorithm, stage, since when, and until when published.",
      mixinStandardHelpOptions = true)
  static final class ListAll extends OnKeys {

    /// Made by picocli.
    ListAll() {}

    @Override
    int run(Config config, Domain domain, DkimKeyFolder keys, Instant now) throws IOException {
      for (var each : keys.keys()) {
        System.out.printf(
            "%-13s %-14s %-8s since %s%s%n",
            each.key().selector(),
            each.key().algorithm().tagValue(),
            each.stage(),
            each.since(),
            each.stage() != HeldKey.Stage.RETIRED
                ? ""
                : each.published(now)
                    ? ", stays in DNS until " + each.since().plus(HeldKey.RETIRED_KEPT)
                    : ", may be taken out of DNS");
      }
      return ExitCode.OK;
    }
  }

  /// `dkim rotate DOMAIN`
  @Command(
      name = "rotate",
      description = {
        "Makes new keys, which wait: publish their records. Then --activate lets them sign in",
        "place of the old ones, whose records stay in DNS for some days more."
      },
      mixinStandardHelpOptions = true)
  static final class Rotate extends OnKeys {

    @Mixin private ResolverOption resolver;

    @Option(
        names = "--activate",
        description = "Lets the waiting keys sign, once DNS shows their records.")
    private boolean activate;

    @Option(names = "--unchecked", description = "With --activate: without a look into DNS.")
    private boolean unchecked;

    /// Made by picocli.
    @SuppressWarnings("NullAway.Init") // picocli fills the field
    Rotate() {}

    @Override
    int run(Config config, Domain domain, DkimKeyFolder keys, Instant now)
        throws IOException, CommandException {
      return activate ? activated(config, domain, keys, now) : rotated(domain, keys, now);
    }

    private static int rotated(Domain domain, DkimKeyFolder keys, Instant now) throws IOException {
      if (keys.create(now)) {
        System.out.println("The first keys of " + domain + ", which sign at once. Publish:");
        show(domain, at(keys, HeldKey.Stage.SIGNING));
        return ExitCode.OK;
      }
      boolean made = keys.rotate(now);
      System.out.println(
          (made ? "New keys of " + domain + " wait" : "Keys of " + domain + " wait already")
              + "; those before go on to sign. Publish:");
      show(domain, at(keys, HeldKey.Stage.WAITING));
      System.out.println("Then: longhand dkim rotate --activate " + domain);
      return ExitCode.OK;
    }

    private int activated(Config config, Domain domain, DkimKeyFolder keys, Instant now)
        throws IOException, CommandException {
      var waiting = at(keys, HeldKey.Stage.WAITING);
      if (waiting.isEmpty()) {
        throw new CommandException(
            ExitCode.DATA, "no keys of " + domain + " wait; make some with: longhand dkim rotate");
      }
      if (!unchecked) {
        var facts = DomainFacts.of(config, domain, List.of(), now);
        var faults =
            ResolverOption.check(config, resolver.resolver(config.dns()))
                .dkim(
                    new MailDomain(
                        facts.domain(),
                        facts.host(),
                        facts.addresses(),
                        facts.services(),
                        waiting.stream()
                            .map(key -> new MailDomain.Key(key.key(), key.stage()))
                            .toList(),
                        facts.certificate()));
        if (!faults.isEmpty()) {
          for (var fault : faults) {
            System.out.println(Printable.of(fault.name() + ": " + fault.found()));
            fault.paste().forEach(System.out::println);
          }
          throw new CommandException(
              ExitCode.TEMPORARY,
              "DNS does not show the waiting keys yet, so the old ones go on to sign;"
                  + " try again when the records are published");
        }
      }
      keys.activate(now);
      System.out.println(
          "The new keys of "
              + domain
              + " sign from now on. Leave the old records in DNS for "
              + HeldKey.RETIRED_KEPT.toDays()
              + " days: mail under way carries their signatures.");
      return ExitCode.OK;
    }

    private static List<HeldKey> at(DkimKeyFolder keys, HeldKey.Stage stage) throws IOException {
      return keys.keys().stream().filter(key -> key.stage() == stage).toList();
    }

    private static void show(Domain domain, List<HeldKey> keys) {
      System.out.println();
      keys.forEach(key -> System.out.println(key.key().zoneLine(domain)));
      System.out.println();
    }
  }
}
