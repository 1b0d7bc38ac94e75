package longhand.server;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import picocli.CommandLine.Option;

/// Where a password comes from: the first line of standard input or of a file, or the keyboard. An
/// argument would be in the list of processes and in the shell's history.
final class PasswordOption {

  private static final int BYTES_MAX = 4096;

  @Option(
      names = "--password-file",
      paramLabel = "FILE",
      description = "Takes the password from the first line of FILE, not from standard input.")
  private Optional<Path> file = Optional.empty();

  /// Made by picocli.
  PasswordOption() {}

  /// The password.
  String read() throws IOException, CommandException {
    if (file.isPresent()) {
      return of(file.get());
    }
    // Null since Java 25 where standard input is no terminal; Error Prone knows Java 22 to 24.
    @SuppressWarnings("SystemConsoleNull")
    var console = System.console();
    if (console != null && console.isTerminal()) {
      var first = console.readPassword("Password: ");
      var second = console.readPassword("Again: ");
      if (first == null || second == null || !Arrays.equals(first, second)) {
        throw new CommandException(ExitCode.DATA, "the two passwords are not the same");
      }
      return new String(first);
    }
    return firstLine(System.in);
  }

  /// The first line of a file.
  static String of(Path file) throws IOException, CommandException {
    try (var in = Files.newInputStream(file)) {
      return firstLine(in);
    }
  }

  private static String firstLine(InputStream in) throws IOException, CommandException {
    var line = new ByteArrayOutputStream();
    for (int octet = in.read(); octet >= 0 && octet != '\n'; octet = in.read()) {
      line.write(octet);
      if (line.size() > BYTES_MAX) {
        throw new CommandException(ExitCode.DATA, "the password is too long");
      }
    }
    byte[] bytes = line.toByteArray();
    int length =
        bytes.length > 0 && bytes[bytes.length - 1] == '\r' ? bytes.length - 1 : bytes.length;
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes, 0, length))
          .toString();
    } catch (CharacterCodingException e) {
      throw new CommandException(ExitCode.DATA, "the password is not UTF-8");
    }
  }
}
