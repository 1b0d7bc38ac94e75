package longhand.server;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `longhand serve --config FILE`
@Command(
    name = "serve",
    description = "Runs the server until it is told to end (SIGTERM, Ctrl-C).",
    mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {

  @Mixin private ConfigOption config;

  /// Made by picocli.
  @SuppressWarnings("NullAway.Init") // picocli fills the field
  ServeCommand() {}

  @Override
  public Integer call() throws Exception {
    var read = config.read();
    Logging.configure(read.log());
    var server = Server.start(read);
    server.runUntilTold();
    return ExitCode.OK;
  }
}
