package longhand.server;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import longhand.auth.AuthSettings;
import longhand.auth.Authenticator;
import longhand.directory.AliasName;
import longhand.directory.AliasRecord;
import longhand.directory.Directory;
import longhand.dkim.HeldKey;
import longhand.dns.Answer;
import longhand.dns.DnsName;
import longhand.dns.Question;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.zone.Publication;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `longhand setup you@example.com`: from nothing to a server of a domain, as far as a program can
/// bring it. What is there already stays as it is, so that it can be run again at any time; what it
/// cannot do, it says.
@Command(
    name = "setup",
    description = {
      "Sets up a domain: configuration, first account, keys; looks at the machine, and prints the",
      "DNS records to publish. Run again, it changes nothing that is there."
    },
    mixinStandardHelpOptions = true)
final class SetupCommand implements Callable<Integer> {

  private static final String USER = "longhand";

  @Parameters(paramLabel = "ADDRESS", description = "The first account, as you@example.com.")
  private String address;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "The configuration, made when missing (${DEFAULT-VALUE}).",
      defaultValue = "/etc/longhand/longhand.toml")
  private Path configFile;

  @Option(
      names = "--data",
      paramLabel = "FOLDER",
      description = "Where to keep everything (${DEFAULT-VALUE}).",
      defaultValue = "/var/lib/longhand")
  private Path data;

  @Option(
      names = "--hostname",
      paramLabel = "NAME",
      description = "The server's name in DNS, as mail.example.com.")
  private Optional<String> hostname = Optional.empty();

  @Option(
      names = "--password-file",
      paramLabel = "FILE",
      description = "The password is FILE's first line; without, one is made and shown.")
  private Optional<Path> passwordFile = Optional.empty();

  @Option(
      names = "--outbound",
      paramLabel = "HOST[:PORT]",
      description = "A mail server to try the way out with; none for no try (${DEFAULT-VALUE}).",
      defaultValue = "gmail-smtp-in.l.google.com")
  private String outbound;

  @Option(names = "--yes", description = "Asks nothing.")
  private boolean yes;

  @Mixin private DnsCommand.AddressOption addresses;
  @Mixin private ResolverOption resolver;

  /// Made by picocli.
  @SuppressWarnings("NullAway.Init") // picocli fills the fields
  SetupCommand() {}

  @Override
  public Integer call() throws Exception {
    var domain = domain();
    var given = addresses.read();
    var reachable = given.isEmpty() ? DomainFacts.ofMachine() : given;
    System.out.println("Longhand for " + domain);
    System.out.println();
    var config = config(domain, reachable);
    dataFolder(config);
    account(config, domain);
    keys(config, domain);

    System.out.println();
    System.out.println("This machine");
    System.out.println();
    machine(config, reachable);

    System.out.println();
    System.out.println("DNS: give these records to whoever serves the zone of " + domain);
    System.out.println();
    new Publication(DomainFacts.of(config, domain, reachable, Instant.now()))
        .fragment()
        .forEach(System.out::println);
    System.out.println();
    next(config, domain);
    return ExitCode.OK;
  }

  private Domain domain() throws CommandException {
    int at = address.lastIndexOf('@');
    var name = address.substring(at + 1).toLowerCase(Locale.ROOT);
    if (at < 1 || !ConfigFile.isHostname(name) || name.indexOf('.') < 0) {
      throw new CommandException(
          ExitCode.DATA, "\"" + address + "\" is no address, expected one such as you@example.com");
    }
    return new Domain(name);
  }

  private Config config(Domain domain, List<InetAddress> reachable) throws Exception {
    var file = configFile.toAbsolutePath().normalize();
    if (Files.exists(file)) {
      var config = ConfigFile.read(file);
      if (config.domain().stream().noneMatch(each -> each.name().equals(domain.name()))) {
        throw new CommandException(
            ExitCode.CONFIG,
            file
                + " is there and does not have the domain. Add these lines, restart the server, and"
                + " run this again:\n\n[[domain]]\nname = \""
                + domain
                + "\"\n");
      }
      told("config", file, "was there; unchanged");
      told("server", config.hostname(), "");
      if (hostname.isPresent() && !hostname.get().equals(config.hostname())) {
        Paragraph.print(
            System.out,
            4,
            "--hostname " + hostname.get() + " is not taken; to change the name, edit the file.");
      }
      return config;
    }
    var host = host(domain, reachable);
    write(file, ConfigTemplate.text(file, host, data.toAbsolutePath().normalize(), domain.name()));
    told("config", file, "written");
    told("server", host, "");
    return ConfigFile.read(file);
  }

  private String host(Domain domain, List<InetAddress> reachable) throws CommandException {
    var name = hostname.orElse("").toLowerCase(Locale.ROOT);
    if (hostname.isEmpty()) {
      name = guessed(domain, reachable);
      // Null since Java 25 where standard input is no terminal; Error Prone knows Java 22 to 24.
      @SuppressWarnings("SystemConsoleNull")
      var console = System.console();
      if (!yes && console != null && console.isTerminal()) {
        var typed = console.readLine("The server's name in DNS [%s]: ", name);
        name = typed == null || typed.isBlank() ? name : typed.strip().toLowerCase(Locale.ROOT);
      }
    }
    if (!ConfigFile.isHostname(name) || name.indexOf('.') < 0) {
      throw new CommandException(
          ExitCode.DATA,
          "\"" + name + "\" is no name of a server, expected one such as mail." + domain);
    }
    return name;
  }

  /// The machine's own name where it is whole, else what reverse DNS calls it within the domain,
  /// else the usual one.
  private String guessed(Domain domain, List<InetAddress> reachable) throws CommandException {
    try {
      var name = Files.readString(Path.of("/etc/hostname")).strip().toLowerCase(Locale.ROOT);
      if (name.indexOf('.') > 0
          && ConfigFile.isHostname(name)
          && !name.endsWith(".local")
          && !name.endsWith(".localdomain")) {
        return name;
      }
    } catch (IOException e) {
      // The next way may tell.
    }
    var dns = resolver.resolver(ResolverOption.OF_SYSTEM);
    for (var each : reachable) {
      if (dns.ask(new Question.Ptr(each), MachineCheck.WITHIN)
          instanceof Answer.Found<DnsName> found) {
        var name = found.records().getFirst().text();
        if (name.endsWith("." + domain) && ConfigFile.isHostname(name)) {
          return name;
        }
      }
    }
    return "mail." + domain;
  }

  /// Written beside and put in place, so that a file is whole or not there; readable by the group
  /// of the server's user, for it may come to hold passwords of relays.
  private static void write(Path file, String text) throws IOException {
    var folder = file.getParent();
    if (folder != null && !Files.exists(folder)) {
      Files.createDirectories(
          folder,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-x---")));
      giveToGroup(folder);
    }
    var fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(fresh);
    Files.createFile(
        fresh, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-r-----")));
    try (var out = java.nio.channels.FileChannel.open(fresh, StandardOpenOption.WRITE)) {
      var octets = java.nio.ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
      while (octets.hasRemaining()) {
        out.write(octets);
      }
      out.force(true);
    }
    giveToGroup(fresh);
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private static void giveToGroup(Path path) throws IOException {
    var view = Files.getFileAttributeView(path, PosixFileAttributeView.class);
    try {
      view.setGroup(
          path.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByGroupName(USER));
    } catch (UserPrincipalNotFoundException e) {
      // Not installed as a package: whoever runs this runs the server.
    } catch (java.nio.file.FileSystemException e) {
      // Only root and members of the group may; others run the server themselves.
    }
  }

  private static void dataFolder(Config config) throws IOException, CommandException {
    if (Files.isDirectory(config.data())) {
      told("data", config.data(), "was there");
      return;
    }
    Server.makeDataFolder(config);
    try {
      Files.setOwner(
          config.data(),
          config
              .data()
              .getFileSystem()
              .getUserPrincipalLookupService()
              .lookupPrincipalByName(USER));
    } catch (UserPrincipalNotFoundException e) {
      // As above.
    } catch (java.nio.file.FileSystemException e) {
      // As above.
    }
    told("data", config.data(), "made");
  }

  private void account(Config config, Domain domain) throws IOException, CommandException {
    try (var directory = Server.directory(config)) {
      var changes = new AccountChanges(config, directory);
      var account = AccountCommand.addressOf(directory, address);
      var known = directory.entry(account);
      if (known.isPresent()) {
        told("account", account, "was there; password unchanged");
      } else {
        var password =
            passwordFile.isPresent()
                ? PasswordOption.of(passwordFile.get())
                : TryCommand.password();
        try {
          var verifiers =
              new Authenticator(directory, new byte[32], AuthSettings.DEFAULT).verifiers(password);
          changes.put(List.of(AccountChanges.account(account, verifiers, "", 0)), false);
        } catch (IllegalArgumentException e) {
          throw new CommandException(ExitCode.DATA, String.valueOf(e.getMessage()));
        }
        told(
            "account",
            account,
            passwordFile.isPresent()
                ? "added"
                : "added; its password, shown this once: " + password);
        directory.refresh();
      }
      postmaster(directory, changes, account, new Address("postmaster", domain));
    }
  }

  /// Every domain takes mail for it (RFC 5321 §4.5.1), and reports of others go there.
  private static void postmaster(
      Directory directory, AccountChanges changes, Address account, Address postmaster)
      throws IOException, CommandException {
    if (directory.entry(postmaster).isPresent()) {
      told("alias", postmaster, "was there");
    } else {
      changes.putAlias(
          AliasRecord.of(AliasName.of(postmaster), List.of(account)), Optional.empty());
      told("alias", postmaster, "added; leads to " + account);
    }
  }

  private static void keys(Config config, Domain domain) throws IOException {
    var folder = DomainFacts.keys(config, domain);
    boolean made = folder.create(Instant.now());
    told(
        "keys",
        folder.keys().stream()
            .filter(each -> each.stage() == HeldKey.Stage.SIGNING)
            .map(each -> each.key().selector())
            .collect(Collectors.joining(", ")),
        made ? "made" : "were there");
  }

  private static void told(String what, Object which, String how) {
    System.out.println(
        Printable.of("  %-9s  %-32s  %s".formatted(what, which, how)).stripTrailing());
  }

  private void machine(Config config, List<InetAddress> reachable) throws CommandException {
    var dns = resolver.resolver(config.dns());
    var tried = outbound.equals("none") ? Optional.<String>empty() : Optional.of(outbound);
    for (var seen : new MachineCheck(config, dns).all(reachable, tried)) {
      var state =
          switch (seen.state()) {
            case GOOD -> "good";
            case BAD -> "BAD";
            case UNKNOWN -> "unknown";
          };
      System.out.println(
          Printable.of("  %-9s  %-11s  %s".formatted(state, seen.what(), seen.found())));
      if (!seen.advice().isEmpty()) {
        Paragraph.print(System.out, 26, seen.advice());
      }
    }
  }

  private void next(Config config, Domain domain) {
    var file = configFile.toAbsolutePath().normalize();
    var option =
        file.equals(Path.of("/etc/longhand/longhand.toml")) ? "" : " --config " + configFile;
    boolean systemd = Files.exists(Path.of("/usr/lib/systemd/system/longhand.service"));
    var out = System.out;
    out.println("Next");
    out.println();
    out.println("  1. Publish the records above, and let the reverse DNS be set.");
    if (config.tls().certificate().isEmpty()) {
      out.println(
          "  2. Get a certificate for " + config.hostname() + ", for example with certbot,");
      out.println("     and name its files under [tls] in " + file + ".");
      out.println("     Until then the server makes one itself, which mail programs warn of.");
    } else {
      out.println("  2. The certificate is " + config.tls().certificate().get() + ".");
    }
    out.println(
        "  3. Start: "
            + (systemd && option.isEmpty()
                ? "systemctl enable --now longhand"
                : "longhand serve" + option));
    out.println("  4. Look at DNS: longhand dns check " + domain + option);
    out.println();
    out.println("Mail programs: " + address + ", server " + config.hostname() + ".");
  }
}
