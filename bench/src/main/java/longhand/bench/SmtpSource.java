package longhand.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Postfix's own load generator, beside ours: a program of other hands that speaks SMTP its own
/// way. One process sends to one account, so there are several.
final class SmtpSource {

  private static final Path PROGRAM = Path.of("/usr/sbin/smtp-source");
  private static final long PATIENCE_SECONDS = 300;

  /// Processes, and so accounts.
  static final int PROCESSES = 10;

  private SmtpSource() {}

  /// Whether it is installed.
  static boolean available() {
    return Files.isExecutable(PROGRAM);
  }

  /// Sends so many messages to each of the first accounts, over so many connections each, and
  /// returns when all have been accepted.
  ///
  /// @param octets of each body
  /// @throws IOException when a process does not end well
  static void send(MailServer server, int connections, int messages, int octets)
      throws IOException, InterruptedException {
    var log = server.folder().resolveSibling("smtp-source.log");
    var processes = new ArrayList<Process>();
    try {
      for (int i = 0; i < PROCESSES; i++) {
        processes.add(
            Processes.start(
                log,
                List.of(
                    PROGRAM.toString(),
                    "-d", // more than one message over a connection
                    "-s",
                    Integer.toString(connections),
                    "-m",
                    Integer.toString(messages),
                    "-l",
                    Integer.toString(octets),
                    "-f",
                    "sender@elsewhere.test",
                    "-t",
                    MailServer.address(i),
                    "inet:127.0.0.1:" + server.smtpPort())));
      }
      for (var process : processes) {
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
          throw new IOException("smtp-source does not end; " + Processes.tail(log));
        }
        if (process.exitValue() != 0) {
          throw new IOException(
              "smtp-source ended with " + process.exitValue() + "; " + Processes.tail(log));
        }
      }
    } finally {
      for (var process : processes) {
        Processes.end(process);
      }
      Files.deleteIfExists(log);
    }
  }
}
