package longhand.server;

import java.util.List;

/// The configuration is not as it should be. Each problem is one line that names the file, the
/// line, what was found and what was expected.
public final class ConfigException extends Exception {

  private final List<String> problems;

  ConfigException(List<String> problems) {
    super(String.join("\n", problems));
    this.problems = List.copyOf(problems);
  }

  /// One line for each thing wrong.
  public List<String> problems() {
    return problems;
  }
}
