package longhand.server;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static longhand.server.Commands.run;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Objects;
import longhand.auth.AuthSettings;
import longhand.auth.Authenticator;
import longhand.dns.FakeNameServer;
import longhand.dns.Nsd;
import longhand.mail.Address;
import longhand.mail.Domain;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/// From nothing to a server of a domain, by the commands that a person gives.
@Timeout(180)
class SetupCommandTest {

  private static final Domain DOMAIN = new Domain("right.test");

  @TempDir private Path folder;

  /// Sets up with a name server that knows nothing, so that nothing leaves this machine.
  private Commands.Ran setup(String... more) throws Exception {
    try (var names = FakeNameServer.always(3);
        var elsewhere = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      var arguments =
          new java.util.ArrayList<>(
              List.of(
                  "setup",
                  "ana@right.test",
                  "--config=" + file(),
                  "--data=" + folder.resolve("data"),
                  "--yes",
                  "--address=192.0.2.25",
                  "--outbound=127.0.0.1:" + elsewhere.getLocalPort(),
                  "--server=127.0.0.1:" + names.address().getPort()));
      arguments.addAll(List.of(more));
      return run(arguments.toArray(String[]::new));
    }
  }

  private Path file() {
    return folder.resolve("etc/longhand.toml");
  }

  private static String line(Commands.Ran ran, String beginning) {
    return ran.out()
        .lines()
        .filter(line -> line.startsWith(beginning))
        .findFirst()
        .orElseThrow(() -> new AssertionError(beginning + " not in\n" + ran.out() + ran.err()));
  }

  @Test
  void aSecondTimeChangesNothingAndTheServerStarts() throws Exception {
    var first = setup("--hostname=mail.right.test");
    assertThat(first.code()).as(first.err()).isZero();
    assertThat(line(first, "  config")).endsWith("written");
    assertThat(line(first, "  keys")).endsWith("made");
    assertThat(line(first, "  good       way out")).contains("127.0.0.1 answers");
    assertThat(first.out())
        .contains("right.test. IN MX 10 mail.right.test.", "mail.right.test. IN A 192.0.2.25");
    var account = line(first, "  account");
    var password = account.substring(account.lastIndexOf(' ') + 1);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
        .isEqualTo("rw-r-----");

    var config = Files.readString(file());
    var directory = Files.readString(folder.resolve("data/directory/right.test"));
    var keys = Files.readString(folder.resolve("data/dkim/right.test/keys"));
    var second = setup("--hostname=other.right.test");
    assertThat(second.code()).as(second.err()).isZero();
    assertThat(line(second, "  config")).endsWith("was there; unchanged");
    assertThat(line(second, "  account")).endsWith("was there; password unchanged");
    assertThat(second.out()).doesNotContain(password).contains("other.right.test is not taken");
    assertThat(Files.readString(file())).isEqualTo(config);
    assertThat(Files.readString(folder.resolve("data/directory/right.test"))).isEqualTo(directory);
    assertThat(Files.readString(folder.resolve("data/dkim/right.test/keys"))).isEqualTo(keys);

    // The same configuration, at ports that a test may use.
    var text = new StringBuilder(config);
    for (int at = text.indexOf("\"[::]:"); at >= 0; at = text.indexOf("\"[::]:", at)) {
      text.replace(at, text.indexOf("\"", at + 1), "\"127.0.0.1:0");
    }
    Files.writeString(file(), text);
    try (var server = Server.start(ConfigFile.read(file()));
        var client =
            new Socket(InetAddress.getLoopbackAddress(), server.addresses().getFirst().getPort())) {
      client.setSoTimeout(30_000);
      assertThat(new String(client.getInputStream().readNBytes(19), US_ASCII))
          .isEqualTo("220 mail.right.test");
      try (var accounts = Server.directory(ConfigFile.read(file()))) {
        var ana = new Address("ana", DOMAIN);
        assertThat(accounts.account(ana)).isPresent();
        assertThat(accounts.resolve(new Address("postmaster", DOMAIN))).isPresent();
        assertThat(
                new Authenticator(accounts, new byte[32], AuthSettings.DEFAULT)
                    .password("ana@right.test", password, InetAddress.getLoopbackAddress()))
            .isInstanceOf(Authenticator.Verdict.Granted.class);
      }
    }
  }

  @Test
  void aConfigurationOfAnotherDomainIsLeftAlone() throws Exception {
    assertThat(setup("--hostname=mail.right.test").code()).isZero();
    var before = Files.readString(file());
    var other = run("setup", "you@other.test", "--config=" + file(), "--yes");
    assertThat(other.code()).isEqualTo(ExitCode.CONFIG);
    assertThat(other.err()).contains("[[domain]]\nname = \"other.test\"");
    assertThat(Files.readString(file())).isEqualTo(before);
  }

  @Test
  void wrongWordsAreNamed() throws Exception {
    for (var address : List.of("ana", "@right.test", "ana@", "ana@right", "ana@-x.test")) {
      var ran = run("setup", address, "--config=" + file(), "--yes");
      assertThat(ran.code()).as(address).isEqualTo(ExitCode.DATA);
      assertThat(ran.err()).contains("is no address");
    }
    assertThat(setup("--hostname=right").err()).contains("is no name of a server");
    assertThat(setup("--address=here").code()).isEqualTo(ExitCode.USAGE);
    assertThat(Files.exists(file())).isFalse();
  }

  @Test
  void aGivenPasswordIsNotShown() throws Exception {
    var secret = folder.resolve("password");
    Files.writeString(secret, "correct horse\n");
    var ran = setup("--hostname=mail.right.test", "--password-file=" + secret);
    assertThat(ran.code()).as(ran.err()).isZero();
    assertThat(line(ran, "  account")).endsWith("added");
    assertThat(ran.out()).doesNotContain("correct horse");
  }

  @Test
  void thePackagedFileIsTheTemplate() throws Exception {
    var root = Path.of("").toAbsolutePath();
    while (!Files.exists(root.resolve("packaging/longhand.toml"))) {
      root = Objects.requireNonNull(root.getParent());
    }
    assertThat(Files.readString(root.resolve("packaging/longhand.toml")))
        .isEqualTo(
            ConfigTemplate.text(
                Path.of("/etc/longhand/longhand.toml"),
                "mx.example.com",
                Path.of("/var/lib/longhand"),
                "example.com"));
  }

  private Commands.Ran dns(Nsd server, String... more) {
    var arguments =
        new java.util.ArrayList<>(
            List.of(
                "dns",
                "check",
                "right.test",
                "--config=" + file(),
                "--address=192.0.2.25",
                "--server=127.0.0.1:" + server.address().getPort()));
    arguments.addAll(List.of(more));
    return run(arguments.toArray(String[]::new));
  }

  /// Set up, publish what was printed, look, rotate the keys, and look again.
  @Test
  void fromSetupToKeysThatRotate() throws Exception {
    assertThat(setup("--hostname=mail.right.test").code()).isZero();
    var config = "--config=" + file();
    var names = Files.createDirectory(folder.resolve("nsd"));
    try (var server = new Nsd(names).plain("right.test", "").start()) {
      var ran = dns(server);
      assertThat(ran.code()).isEqualTo(ExitCode.DATA);
      assertThat(ran.out()).contains("MISSING    MX", "right.test. IN MX 10 mail.right.test.");
    }
    var published = run("dns", "show", "right.test", config, "--address=192.0.2.25").out();
    var reverse = "25 IN PTR mail.right.test.\n";
    var second = Files.createDirectory(folder.resolve("nsd2"));
    try (var server =
        new Nsd(second)
            .plain("right.test", published)
            .plain("2.0.192.in-addr.arpa", reverse)
            .start()) {
      var ran = dns(server);
      assertThat(ran.code()).as(ran.out()).isZero();
      assertThat(ran.out()).contains("Nothing must be mended.").doesNotContain("MISSING", "WRONG");
      var json = new JsonMapper().readTree(dns(server, "--json").out());
      assertThat(json.path("right").asBoolean(false)).isTrue();
      assertThat(json.path("findings").get(0).path("topic").asString("")).isEqualTo("MX");

      var at = "--server=127.0.0.1:" + server.address().getPort();
      var none = run("dkim", "rotate", "--activate", "right.test", config, at);
      assertThat(none.code()).isEqualTo(ExitCode.DATA);
      var rotated = run("dkim", "rotate", "right.test", config);
      assertThat(rotated.code()).isZero();
      assertThat(rotated.out()).contains("wait; those before go on to sign", "_domainkey");
      assertThat(run("dkim", "rotate", "right.test", config).out()).contains("wait already");
      assertThat(dns(server).code()).isEqualTo(ExitCode.DATA); // the new records are missing

      var early = run("dkim", "rotate", "--activate", "right.test", config, at);
      assertThat(early.code()).isEqualTo(ExitCode.TEMPORARY);
      assertThat(early.err()).contains("DNS does not show the waiting keys yet");
      assertThat(stages(config)).containsExactly("signing", "signing", "waiting", "waiting");
    }
    published = run("dns", "show", "right.test", config, "--address=192.0.2.25").out();
    var third = Files.createDirectory(folder.resolve("nsd3"));
    try (var server = new Nsd(third).plain("right.test", published).start()) {
      var at = "--server=127.0.0.1:" + server.address().getPort();
      var done = run("dkim", "rotate", "--activate", "right.test", config, at);
      assertThat(done.code()).as(done.err()).isZero();
      assertThat(stages(config)).containsExactly("retired", "retired", "signing", "signing");
    }
  }

  private static List<String> stages(String config) {
    return run("dkim", "list", "right.test", config)
        .out()
        .lines()
        .map(
            line ->
                List.of("waiting", "signing", "retired").stream()
                    .filter(line::contains)
                    .findFirst()
                    .orElseThrow())
        .toList();
  }

  @Test
  void aNameServerThatRefusesIsOneSentence() throws Exception {
    assertThat(setup("--hostname=mail.right.test").code()).isZero();
    try (var server = FakeNameServer.always(5)) {
      var ran =
          run(
              "dns",
              "check",
              "right.test",
              "--config=" + file(),
              "--server=127.0.0.1:" + server.address().getPort());
      assertThat(ran.code()).isEqualTo(ExitCode.TEMPORARY);
      assertThat(ran.err()).contains("DNS cannot be asked about right.test now");
      assertThat(ran.out()).isEmpty();
    }
  }
}
