package longhand.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/// `--config FILE`, as every command has it.
final class ConfigOption {

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "The configuration file (${DEFAULT-VALUE}).",
      defaultValue = "/etc/longhand/longhand.toml")
  private Path file;

  /// Made by picocli.
  @SuppressWarnings("NullAway.Init") // picocli fills the field
  ConfigOption() {}

  /// Reads the configuration.
  Config read() throws IOException, ConfigException, CommandException {
    if (!Files.exists(file)) {
      throw new CommandException(
          ExitCode.NO_INPUT,
          "there is no configuration "
              + file
              + "; name one with --config FILE, or run: longhand try");
    }
    return ConfigFile.read(file);
  }
}
