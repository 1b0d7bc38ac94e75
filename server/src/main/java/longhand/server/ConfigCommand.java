package longhand.server;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// `longhand config check FILE`
@Command(
    name = "config",
    description = "Looks at configuration files.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = ConfigCommand.Check.class)
final class ConfigCommand {

  /// Made by picocli.
  ConfigCommand() {}

  /// Says what is wrong with a file, or that nothing is.
  @Command(
      name = "check",
      description = "Says what is wrong with a configuration file, each problem with its line.",
      mixinStandardHelpOptions = true)
  static final class Check implements Callable<Integer> {

    @Parameters(paramLabel = "FILE", description = "The configuration file.")
    private Path file;

    /// Made by picocli.
    @SuppressWarnings("NullAway.Init") // picocli fills the field
    Check() {}

    @Override
    public Integer call() throws Exception {
      var config = ConfigFile.read(file);
      System.out.printf(
          "%s is fine: %d domains, %d listeners, data in %s%n",
          file, config.domain().size(), config.listener().size(), config.data());
      return ExitCode.OK;
    }
  }
}
