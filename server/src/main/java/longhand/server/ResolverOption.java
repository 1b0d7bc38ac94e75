package longhand.server;

import java.time.Clock;
import java.util.List;
import java.util.Optional;
import longhand.dns.StubResolver;
import longhand.mtasts.StsFetcher;
import longhand.relay.Timeouts;
import longhand.wire.Connector;
import longhand.wire.Listener;
import longhand.zone.ZoneCheck;
import picocli.CommandLine.Option;

/// `--server ADDRESS:PORT`: whom to ask for names, where it is not who the configuration says.
final class ResolverOption {

  /// While there is no configuration: the resolvers of the system.
  static final Config.DnsConfig OF_SYSTEM =
      new Config.DnsConfig(List.of(), Config.DnsValidation.NONE, List.of(), false);

  @Option(
      names = "--server",
      paramLabel = "ADDRESS:PORT",
      description = "The name server to ask, as 127.0.0.1:53 (that of the configuration).")
  private Optional<String> server = Optional.empty();

  /// Made by picocli.
  ResolverOption() {}

  /// A resolver with nothing in its cache.
  StubResolver resolver(Config.DnsConfig configured) throws CommandException {
    var dns = configured;
    if (server.isPresent()) {
      try {
        var _ = Listener.address(server.get());
      } catch (IllegalArgumentException e) {
        throw new CommandException(
            ExitCode.USAGE, "--server " + server.get() + ": expected address:port");
      }
      dns =
          new Config.DnsConfig(
              List.of(server.get()), dns.validation(), dns.trustAnchor(), dns.privateAddresses());
    }
    return new StubResolver(dns.settings(), Clock.systemUTC());
  }

  /// What compares with that resolver's answers.
  static ZoneCheck check(Config config, StubResolver dns) {
    var reach = config.dns().reach();
    var fetcher =
        new StsFetcher(
            dns, new Connector(Timeouts.DATA_BLOCK), StsFetcher.Settings.DEFAULT.within(reach));
    return new ZoneCheck(dns, fetcher::fetch, reach, MachineCheck.WITHIN);
  }
}
