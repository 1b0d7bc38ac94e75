package longhand.server;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import longhand.auth.AuthSettings;
import longhand.auth.Authenticator;
import longhand.mail.Address;
import longhand.mail.Domain;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `longhand try`: a whole server for one person at a keyboard, on loopback addresses only. It
/// writes a configuration and two accounts into `longhand-data`, once, and then does what `serve`
/// does; a second start finds them and changes nothing.
@Command(
    name = "try",
    description = {
      "Runs a server on this machine only, with two accounts and its data in ./longhand-data,",
      "and says how to reach it. Ctrl-C ends it."
    },
    mixinStandardHelpOptions = true)
final class TryCommand implements Callable<Integer> {

  private static final Domain DOMAIN = new Domain("longhand.test");
  private static final String CONFIG =
      """
      # Written by `longhand try`, which uses it as it finds it.
      hostname = "longhand.test"
      data = "."

      [[domain]]
      name = "longhand.test"

      [[listener]]
      protocol = "smtp"
      address = "127.0.0.1:2525"

      [[listener]]
      protocol = "submission"
      address = "127.0.0.1:2587"
      plaintext-login = true

      [[listener]]
      protocol = "submission"
      address = "127.0.0.1:2465"
      tls = "implicit"

      [[listener]]
      protocol = "pop3"
      address = "127.0.0.1:2110"
      plaintext-login = true

      [[listener]]
      protocol = "pop3"
      address = "127.0.0.1:2995"
      tls = "implicit"

      [[listener]]
      protocol = "imap"
      address = "127.0.0.1:2143"
      plaintext-login = true

      [[listener]]
      protocol = "imap"
      address = "127.0.0.1:2993"
      tls = "implicit"

      [log]
      level = "warning"
      """;

  @Option(
      names = "--data",
      paramLabel = "FOLDER",
      description = "Where to keep everything (${DEFAULT-VALUE}).",
      defaultValue = "longhand-data")
  private Path data;

  /// Made by picocli.
  @SuppressWarnings("NullAway.Init") // picocli fills the field
  TryCommand() {}

  @Override
  public Integer call() throws Exception {
    var folder = data.toAbsolutePath().normalize();
    Files.createDirectories(
        folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    var file = folder.resolve("longhand.toml");
    if (!Files.exists(file)) {
      Files.writeString(file, CONFIG);
    }
    var config = ConfigFile.read(file);
    Logging.configure(config.log());
    var passwords = accounts(config, folder.resolve("passwords"));
    var server = Server.start(config);
    show(config, folder, file, passwords);
    server.runUntilTold();
    return ExitCode.OK;
  }

  /// The two accounts' passwords, made when there are none.
  private static Map<String, String> accounts(Config config, Path file)
      throws IOException, CommandException {
    var passwords = new TreeMap<String, String>();
    if (Files.exists(file)) {
      for (var line : Files.readAllLines(file)) {
        int space = line.indexOf(' ');
        if (space > 0) {
          passwords.put(line.substring(0, space), line.substring(space + 1));
        }
      }
    }
    try (var directory = Server.directory(config)) {
      var hasher = new Authenticator(directory, new byte[32], AuthSettings.DEFAULT);
      for (var each : List.of(Map.entry("alice", "Alice"), Map.entry("jbob", "Jim Bob"))) {
        var account = new Address(each.getKey(), DOMAIN);
        if (!directory.isLocal(DOMAIN)
            || (directory.account(account).isPresent()
                && passwords.containsKey(account.toString()))) {
          continue;
        }
        var password = password();
        var verifiers = hasher.verifiers(password);
        new AccountChanges(config, directory)
            .put(List.of(AccountChanges.account(account, verifiers, each.getValue(), 0)), true);
        passwords.put(account.toString(), password);
      }
    }
    var lines = new StringBuilder();
    passwords.forEach((account, password) -> lines.append(account + " " + password + "\n"));
    var ownerOnly =
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    if (!Files.exists(file)) {
      Files.createFile(file, ownerOnly);
    }
    Files.write(file, lines.toString().getBytes(StandardCharsets.UTF_8));
    return passwords;
  }

  /// Sixteen letters that are hard to mistake, 76 bits.
  static String password() {
    var letters = "abcdefghjkmnpqrstuvwxyz2345";
    var random = new SecureRandom();
    var password = new StringBuilder();
    for (int i = 0; i < 16; i++) {
      if (i > 0 && i % 4 == 0) {
        password.append('-');
      }
      password.append(letters.charAt(random.nextInt(letters.length())));
    }
    return password.toString();
  }

  private static void show(Config config, Path folder, Path file, Map<String, String> passwords) {
    var out = new ArrayList<String>();
    out.add("");
    out.add("Longhand " + Main.Version.text() + " is running, on this machine only.");
    out.add("");
    for (var listener : config.listener()) {
      var security =
          switch (listener.tls()) {
            case NONE -> "in clear";
            case STARTTLS -> "STARTTLS";
            case IMPLICIT -> "TLS";
          };
      out.add(
          "  %-11s %-16s %s"
              .formatted(
                  Server.name(listener.protocol()),
                  listener.address(),
                  security + (listener.plaintextLogin() ? ", or in clear" : "")));
    }
    out.add("");
    passwords.forEach(
        (account, password) -> out.add("  %-22s password %s".formatted(account, password)));
    out.add("");
    out.add("  documents   " + folder.resolve("mail").resolve(DOMAIN.name()));
    out.add("  settings    " + file);
    out.add("");
    out.add("Send a message, and read it:");
    out.add("");
    out.add(
        "  swaks --to jbob@longhand.test --server "
            + config.listener().stream()
                .filter(listener -> listener.protocol() == Config.Protocol.SMTP)
                .map(Config.ListenerConfig::address)
                .findFirst()
                .orElse("127.0.0.1:2525"));
    out.add("  mutt -f " + folder.resolve("mail").resolve(DOMAIN.name()).resolve("jbob"));
    out.add("");
    out.add("Ctrl-C ends it.");
    System.out.println(String.join(System.lineSeparator(), out));
  }
}
