package longhand.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Longhand, started by its launcher as a person would start it, with default settings except that
/// one address may open as many connections as it likes.
final class LonghandServer implements MailServer {

  private final Path launcher;
  private final Path folder;
  private final Path config;
  private final int[] ports;
  private @Nullable Process process;

  private LonghandServer(Path launcher, Path folder, Path config, int[] ports) {
    this.launcher = launcher;
    this.folder = folder;
    this.config = config;
    this.ports = ports;
  }

  /// A server with empty accounts, stopped.
  ///
  /// @param home the checkout
  /// @param folder is made
  static LonghandServer prepare(Path home, Path folder) throws IOException, InterruptedException {
    var launcher = home.resolve("longhand");
    var ports = Processes.freePorts(4);
    Files.createDirectories(folder);
    Processes.copy(accounts(home, launcher), folder.resolve("data"));
    var config = writeConfig(folder, ports);
    return new LonghandServer(launcher, folder, config, ports);
  }

  /// A data folder with the accounts and nothing else. Each password costs 0.2 s of hashing, so it
  /// is kept in `bench/target` until Longhand is built anew.
  private static Path accounts(Path home, Path launcher) throws IOException, InterruptedException {
    var built = Files.getLastModifiedTime(home.resolve("server/target/built")).toMillis();
    var kept = home.resolve("bench/target/accounts-" + built);
    var data = kept.resolve("data");
    if (Files.exists(kept.resolve("complete"))) {
      return data;
    }
    Processes.remove(kept);
    Files.createDirectories(kept);
    var config = writeConfig(kept, new int[] {1, 2, 3, 4});
    var rows = new StringBuilder("address,password,name,quota\n");
    for (int i = 0; i < ACCOUNTS; i++) {
      rows.append(MailServer.address(i)).append(',').append(PASSWORD).append(",,\n");
    }
    var list = Files.writeString(kept.resolve("accounts.csv"), rows);
    Processes.run(
        List.of(
            launcher.toString(),
            "account",
            "import",
            "--config",
            config.toString(),
            list.toString()));
    Files.createFile(kept.resolve("complete"));
    return data;
  }

  private static Path writeConfig(Path folder, int[] ports) throws IOException {
    var text = new StringBuilder();
    text.append(
        """
        hostname = "mx.bench.test"
        data = "data"
        [[domain]]
        name = "bench.test"
        [[domain]]
        name = "relay.test"
        backup = true
        [[route]]
        domain = "relay.test"
        host = "127.0.0.1"
        port = %d
        tls = "none"
        [limits]
        loopback-unbounded = true
        imap-sessions-per-account-max = 1000
        """
            .formatted(ports[3]));
    var protocols = List.of("smtp", "imap", "pop3");
    for (int i = 0; i < protocols.size(); i++) {
      text.append(
          """
          [[listener]]
          protocol = "%s"
          address = "127.0.0.1:%d"
          tls = "none"
          plaintext-login = %s
          """
              .formatted(protocols.get(i), ports[i], i > 0));
    }
    return Files.writeString(folder.resolve("longhand.toml"), text);
  }

  @Override
  public String name() {
    return "Longhand";
  }

  @Override
  public double start() throws IOException, InterruptedException {
    var log = folder.resolve("log");
    long began = System.nanoTime();
    var started =
        Processes.start(log, List.of(launcher.toString(), "serve", "--config", config.toString()));
    process = started;
    Processes.awaitGreeting(started, smtpPort(), log);
    double millis = (System.nanoTime() - began) / 1e6;
    Processes.awaitGreeting(started, imapPort(), log);
    Processes.awaitGreeting(started, pop3Port(), log);
    return millis;
  }

  @Override
  public void stop() throws IOException, InterruptedException {
    var running = process;
    process = null;
    if (running != null) {
      Processes.end(running);
      try (var lines = Files.lines(folder.resolve("log"))) {
        lines
            .filter(line -> line.contains("WARN") || line.contains("ERROR"))
            .limit(20)
            .forEach(System.err::println);
      }
      Files.delete(folder.resolve("log"));
    }
  }

  @Override
  public void dropIndexes() throws IOException {
    try (var files = Files.walk(folder.resolve("data/mail"))) {
      for (var file : (Iterable<Path>) files::iterator) {
        if (file.toString().endsWith(".index")) {
          Files.delete(file);
        }
      }
    }
  }

  @Override
  public int smtpPort() {
    return ports[0];
  }

  @Override
  public int imapPort() {
    return ports[1];
  }

  @Override
  public int pop3Port() {
    return ports[2];
  }

  @Override
  public int sinkPort() {
    return ports[3];
  }

  @Override
  public Set<Long> roots() {
    var running = process;
    return running == null ? Set.of() : Set.of(running.pid());
  }

  @Override
  public Path folder() {
    return folder;
  }

  @Override
  public void close() throws IOException {
    try {
      stop();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Processes.remove(folder);
  }
}
