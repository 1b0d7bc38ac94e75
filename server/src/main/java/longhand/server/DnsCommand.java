package longhand.server;

import java.io.IOException;
import java.net.InetAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import longhand.dns.Answer;
import longhand.dns.Dns;
import longhand.dns.Question;
import longhand.wire.Network;
import longhand.zone.Finding;
import longhand.zone.MailDomain;
import longhand.zone.Publication;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.json.JsonMapper;

/// `longhand dns ...`: the records of a domain, as they should be and as they are.
@Command(
    name = "dns",
    description = "Shows the DNS records of a domain, and compares them with live DNS.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {DnsCommand.Show.class, DnsCommand.Check.class})
final class DnsCommand {

  /// Made by picocli.
  DnsCommand() {}

  /// `--address ADDRESS`
  static final class AddressOption {

    @Option(
        names = "--address",
        paramLabel = "ADDRESS",
        description =
            "A public address of this server, where the machine does not know it (NAT). May occur"
                + " often.")
    private List<String> addresses = List.of();

    /// Made by picocli.
    AddressOption() {}

    List<InetAddress> read() throws CommandException {
      var read = new ArrayList<InetAddress>();
      for (var text : addresses) {
        read.add(
            Network.literal(text)
                .orElseThrow(
                    () ->
                        new CommandException(
                            ExitCode.USAGE, "--address " + text + ": expected an IP address")));
      }
      return read;
    }
  }

  /// Those that are about one domain.
  abstract static class OnDomain implements Callable<Integer> {

    @Mixin private ConfigOption configOption;
    @Mixin private AddressOption addresses;

    @Parameters(paramLabel = "DOMAIN", description = "One of the configuration.")
    private String domain;

    @SuppressWarnings("NullAway.Init") // picocli fills the fields
    OnDomain() {}

    @Override
    public Integer call() throws Exception {
      var config = configOption.read();
      var facts =
          DomainFacts.of(
              config, DomainFacts.configured(config, domain), addresses.read(), Instant.now());
      return run(config, facts);
    }

    abstract int run(Config config, MailDomain domain) throws IOException, CommandException;
  }

  /// `dns show DOMAIN`
  @Command(
      name = "show",
      description = "Prints the records to publish, as lines of a zone file.",
      mixinStandardHelpOptions = true)
  static final class Show extends OnDomain {

    /// Made by picocli.
    Show() {}

    @Override
    int run(Config config, MailDomain domain) {
      new Publication(domain).fragment().forEach(System.out::println);
      return ExitCode.OK;
    }
  }

  /// `dns check DOMAIN`
  @Command(
      name = "check",
      description = {
        "Compares live DNS with what it should say: what is wrong, why it matters, what to paste.",
        "Ends with 0 when mail can come and go, 65 when something must be mended, and 75 when",
        "not everything could be asked."
      },
      mixinStandardHelpOptions = true)
  static final class Check extends OnDomain {

    @Mixin private ResolverOption resolver;

    @Option(names = "--json", description = "Says it as one JSON object.")
    private boolean json;

    /// Made by picocli.
    @SuppressWarnings("NullAway.Init") // picocli fills the field
    Check() {}

    @Override
    int run(Config config, MailDomain domain) throws CommandException {
      var dns = resolver.resolver(config.dns());
      reach(dns, domain);
      var findings = ResolverOption.check(config, dns).check(domain);
      if (json) {
        System.out.println(json(domain, findings));
      } else {
        text(domain, findings);
      }
      return findings.stream().anyMatch(Finding::toMend)
          ? ExitCode.DATA
          : findings.stream().anyMatch(each -> each.verdict() == Finding.Verdict.UNKNOWN)
              ? ExitCode.TEMPORARY
              : ExitCode.OK;
    }

    /// Where nobody answers at all, one sentence says more than twenty.
    private static void reach(Dns dns, MailDomain domain) throws CommandException {
      if (dns.ask(new Question.Mx(domain.domain()), MachineCheck.WITHIN) instanceof Answer.Failed
          && dns.ask(new Question.Txt(domain.domain()), MachineCheck.WITHIN)
              instanceof Answer.Failed<String>(var sentence)) {
        throw new CommandException(
            ExitCode.TEMPORARY,
            "DNS cannot be asked about " + domain.domain() + " now. " + sentence);
      }
    }

    private static void text(MailDomain domain, List<Finding> findings) {
      var out = System.out;
      out.println("DNS of " + domain.domain() + ", whose mail " + domain.host() + " takes");
      out.println();
      for (var each : findings) {
        var verdict = each.toMend() ? each.verdict().name() : each.verdict().toString();
        out.println(
            Printable.of(
                "  %-9s  %-7s  %s: %s"
                    .formatted(verdict, each.topic(), each.name(), each.found())));
        if (!each.why().isEmpty()) {
          Paragraph.print(out, 22, each.why());
        }
        if (!each.paste().isEmpty()) {
          out.println();
          each.paste().forEach(out::println);
          out.println();
        }
      }
      out.println();
      long mend = findings.stream().filter(Finding::toMend).count();
      out.println(
          mend == 0
              ? "Nothing must be mended."
              : mend
                  + " of "
                  + findings.size()
                  + " must be mended. Name servers remember answers for their time to live, also"
                  + " that there is none: a change may take as long to show.");
    }

    private static String json(MailDomain domain, List<Finding> findings) {
      var root = new JsonMapper().createObjectNode();
      root.put("domain", domain.domain().text());
      root.put("host", domain.host().text());
      root.put("right", findings.stream().noneMatch(Finding::toMend));
      var all = root.putArray("findings");
      for (var each : findings) {
        var node = all.addObject();
        node.put("topic", each.topic());
        node.put("name", each.name().text());
        node.put("verdict", each.verdict().toString());
        node.put("found", each.found());
        node.put("why", each.why());
        var paste = node.putArray("paste");
        each.paste().forEach(paste::add);
      }
      return root.toString();
    }
  }
}
