package longhand.server;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.Properties;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// The command line. Each command is a class of its own; what goes wrong is one sentence on
/// standard error and an exit code of `sysexits.h`.
@Command(
    name = "longhand",
    description = "An email server that keeps each account as one text document.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      TryCommand.class,
      SetupCommand.class,
      ServeCommand.class,
      ConfigCommand.class,
      AccountCommand.class,
      AliasCommand.class,
      RouteCommand.class,
      QueueCommand.class,
      SuppressionCommand.class,
      DnsCommand.class,
      DkimCommand.class,
      JourneyCommand.class,
      DocumentCommand.Check.class,
      DocumentCommand.Rebuild.class,
      DocumentCommand.Cat.class,
      DocumentCommand.Export.class,
      DocumentCommand.Import.class,
    },
    footer = {
      "",
      "Try it:        longhand try",
      "Your domain:   longhand setup you@example.com",
      "For real:      longhand serve --config /etc/longhand/longhand.toml",
      "Help:          longhand COMMAND --help"
    })
public final class Main implements Runnable {

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  /// Made by picocli.
  @SuppressWarnings("NullAway.Init") // picocli fills the field
  Main() {}

  /// Runs one command and ends the process with its exit code.
  public static void main(String[] arguments) {
    System.exit(run(arguments));
  }

  /// Runs one command; gives its exit code.
  static int run(String... arguments) {
    return new CommandLine(new Main())
        .setExitCodeExceptionMapper(e -> ExitCode.SOFTWARE)
        .setExecutionExceptionHandler(
            (e, commandLine, _) -> {
              commandLine.getErr().println(commandLine.getColorScheme().errorText(sentence(e)));
              return exitCode(e);
            })
        .setParameterExceptionHandler(
            (e, _) -> {
              var command = e.getCommandLine();
              command.getErr().println(command.getColorScheme().errorText(e.getMessage()));
              CommandLine.UnmatchedArgumentException.printSuggestions(e, command.getErr());
              command
                  .getErr()
                  .println("See: " + command.getCommandSpec().qualifiedName() + " --help");
              return ExitCode.USAGE;
            })
        .setCaseInsensitiveEnumValuesAllowed(true)
        .execute(arguments);
  }

  private static String sentence(Exception e) {
    return switch (e) {
      case CommandException known -> "longhand: " + known.getMessage();
      case ConfigException known -> String.join("\n", known.problems());
      case NoSuchFileException missing -> "longhand: there is no " + missing.getMessage();
      case AccessDeniedException denied -> "longhand: not allowed: " + denied.getMessage();
      case IOException failed -> "longhand: " + failed.getMessage();
      default -> {
        var log = System.getLogger(Main.class.getName());
        log.log(System.Logger.Level.ERROR, "a mistake of Longhand's own", e);
        yield "longhand: a mistake of Longhand's own, above; please report it";
      }
    };
  }

  private static int exitCode(Exception e) {
    return switch (e) {
      case CommandException known -> known.exitCode();
      case ConfigException _ -> ExitCode.CONFIG;
      case NoSuchFileException _ -> ExitCode.NO_INPUT;
      case AccessDeniedException _ -> ExitCode.NO_PERMISSION;
      case IOException _ -> ExitCode.IO;
      default -> ExitCode.SOFTWARE;
    };
  }

  @Override
  public void run() {
    spec.commandLine().usage(System.out);
  }

  /// Tells the version that the build wrote down.
  static final class Version implements CommandLine.IVersionProvider {

    /// Made by picocli.
    Version() {}

    @Override
    public String[] getVersion() {
      return new String[] {"Longhand " + text(), "Java " + Runtime.version()};
    }

    /// As `0.1.0`.
    static String text() {
      try (InputStream in = Main.class.getResourceAsStream("version.properties")) {
        var properties = new Properties();
        if (in != null) {
          properties.load(in);
        }
        return properties.getProperty("version", "unknown");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
