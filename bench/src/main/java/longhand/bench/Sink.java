package longhand.bench;

import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A server that takes all mail and keeps none: Postfix's smtp-sink, which costs little of the
/// processors that it shares with the server under measurement. Used by one thread.
final class Sink implements Closeable {

  private static final Path PROGRAM = Path.of("/usr/sbin/smtp-sink");
  private static final long DEADLINE_SECONDS = 300;

  /// Its last count is in so many octets at the end of its output.
  private static final int TAIL = 64;

  private final Process process;
  private final Path output;

  private Sink(Process process, Path output) {
    this.process = process;
    this.output = output;
  }

  /// Whether it is installed.
  static boolean available() {
    return Files.isExecutable(PROGRAM);
  }

  /// Starts it where a server brings its mail.
  static Sink start(MailServer server) throws IOException, InterruptedException {
    var output = server.folder().resolveSibling("sink.log");
    Files.deleteIfExists(output);
    var process =
        Processes.start(
            output,
            List.of(
                PROGRAM.toString(),
                "-u",
                "nobody",
                "-c", // counts on its output
                "127.0.0.1:" + server.sinkPort(),
                "1000"));
    Processes.awaitGreeting(process, server.sinkPort(), output);
    return new Sink(process, output);
  }

  /// Messages taken so far.
  long messages() throws IOException {
    try (var file = new RandomAccessFile(output.toFile(), "r")) {
      file.seek(Math.max(0, file.length() - TAIL));
      var tail = new byte[TAIL];
      int length = Math.max(0, file.read(tail));
      var counts = new String(tail, 0, length, StandardCharsets.US_ASCII);
      // "sess=1 quit=0 mesg=0" and a CR each time; what follows the last CR is not whole.
      int end = counts.lastIndexOf('\r');
      int from = counts.lastIndexOf('=', end) + 1;
      return end < 0 ? 0 : Long.parseLong(counts.substring(from, end).strip());
    }
  }

  /// Waits until it has taken so many, and no more.
  ///
  /// @throws IOException when one is missing after five minutes, or there are too many
  void await(long expected) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
    long found = messages();
    while (found < expected) {
      if (System.nanoTime() > deadline) {
        throw new IOException("the next server has " + found + " messages, not " + expected);
      }
      TimeUnit.MILLISECONDS.sleep(2);
      found = messages();
    }
    if (found > expected) {
      throw new IOException("the next server has " + found + " messages, and not " + expected);
    }
  }

  @Override
  public void close() throws IOException {
    try {
      Processes.end(process);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Files.deleteIfExists(output);
  }
}
