package longhand.server;

/// A command cannot do what was asked. The text is for the person at the keyboard: one sentence
/// that names the thing, what was found and what to do.
final class CommandException extends Exception {

  private final int exitCode;

  CommandException(int exitCode, String text) {
    super(text);
    this.exitCode = exitCode;
  }

  /// One of [ExitCode].
  int exitCode() {
    return exitCode;
  }
}
