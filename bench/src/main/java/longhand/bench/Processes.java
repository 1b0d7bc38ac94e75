package longhand.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// Programs and ports that the servers under measurement need. Only processes that were started
/// here are ended, by their ids.
final class Processes {

  private static final long POLL_NANOS = TimeUnit.MICROSECONDS.toNanos(500);

  /// All that were started; guarded by itself.
  private static final List<Process> STARTED = new ArrayList<>();

  /// Whether nothing may be started any more; guarded by `STARTED`.
  private static boolean ending;

  private Processes() {}

  /// Ends all that were started and lets nothing start any more, since this process is to end.
  static void endAll() throws IOException, InterruptedException {
    List<Process> all;
    synchronized (STARTED) {
      ending = true;
      all = List.copyOf(STARTED);
    }
    for (var process : all) {
      end(process);
    }
  }

  /// Ports of 127.0.0.1 that nobody uses at the moment.
  static int[] freePorts(int count) throws IOException {
    var sockets = new ArrayList<ServerSocket>();
    try {
      var ports = new int[count];
      for (int i = 0; i < count; i++) {
        var socket = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"));
        sockets.add(socket);
        ports[i] = socket.getLocalPort();
      }
      return ports;
    } finally {
      for (var socket : sockets) {
        socket.close();
      }
    }
  }

  /// Starts a program whose output goes to a file.
  static Process start(Path log, List<String> command) throws IOException {
    synchronized (STARTED) {
      if (ending) {
        throw new IOException("ending");
      }
      STARTED.removeIf(each -> !each.isAlive());
      var process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
              .start();
      STARTED.add(process);
      return process;
    }
  }

  /// Runs a program to its end, which must be a good one.
  static String run(List<String> command) throws IOException, InterruptedException {
    var process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int code = process.waitFor();
    if (code != 0) {
      throw new IOException(String.join(" ", command) + " ended with " + code + ": " + output);
    }
    return output;
  }

  /// Waits until a port greets.
  ///
  /// @throws IOException with the end of the log when the process ends first, or after 60 s
  static void awaitGreeting(Process process, int port, Path log)
      throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (true) {
      try (var wire = Wire.open(port, 1024)) {
        wire.line();
        return;
      } catch (IOException e) {
        if (!process.isAlive() || System.nanoTime() > deadline) {
          throw new IOException("no greeting on port " + port + "; " + tail(log), e);
        }
        TimeUnit.NANOSECONDS.sleep(POLL_NANOS);
      }
    }
  }

  /// The end of a log, for an error text.
  static String tail(Path log) throws IOException {
    if (!Files.exists(log)) {
      return log + " is not there";
    }
    var text = Files.readString(log, StandardCharsets.ISO_8859_1);
    return log + " ends with: " + text.substring(Math.max(0, text.length() - 2000));
  }

  /// Ends a process by SIGTERM, and waits until it and all its descendants have gone; what remains
  /// after 20 s is killed.
  static void end(Process process) throws IOException, InterruptedException {
    var family = ProcessTree.living(Set.of(process.pid()));
    process.destroy();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (family.stream().anyMatch(Processes::lives)) {
      if (System.nanoTime() > deadline) {
        for (long each : family) {
          ProcessHandle.of(each).ifPresent(ProcessHandle::destroyForcibly);
        }
        break;
      }
      TimeUnit.MILLISECONDS.sleep(5);
    }
    process.waitFor();
  }

  private static boolean lives(long process) {
    return ProcessHandle.of(process).map(ProcessHandle::isAlive).orElse(false);
  }

  /// Removes a folder and all in it.
  static void remove(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(
              Path each, @org.jspecify.annotations.Nullable IOException failed) throws IOException {
            if (failed != null) {
              throw failed;
            }
            Files.deleteIfExists(each);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /// Copies a folder and all in it to a place that does not exist yet.
  static void copy(Path from, Path to) throws IOException {
    try (var all = Files.walk(from)) {
      for (var each : (Iterable<Path>) all::iterator) {
        if (Files.isRegularFile(each) || Files.isDirectory(each)) {
          Files.copy(
              each,
              to.resolve(from.relativize(each).toString()),
              java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
        }
      }
    }
  }
}
