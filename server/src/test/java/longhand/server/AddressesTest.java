package longhand.server;

import static longhand.server.Commands.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.ReversePath;
import longhand.server.Commands.Ran;
import longhand.srs.Returned;
import longhand.wire.ControlSocket;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/// The commands about addresses, as a person types them.
class AddressesTest {

  private static final String CONFIG =
      """
      hostname = "mx.example.com"
      data = "data"
      [[domain]]
      name = "example.com"
      [[domain]]
      name = "example.org"
      alias-of = "example.com"
      [[domain]]
      name = "backup.test"
      backup = true
      [[listener]]
      protocol = "smtp"
      address = "127.0.0.1:0"
      """;

  /// What follows the local part of an account's line; no password fits it.
  private static final String REST =
      " active 0 $argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
          + "A".repeat(43)
          + " SCRAM-SHA-256$50000:AAAAAAAAAAAAAAAAAAAAAA==$"
          + "A".repeat(43)
          + "=:"
          + "A".repeat(43)
          + "=";

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void configuration() throws IOException {
    file = Files.writeString(folder.resolve("longhand.toml"), CONFIG);
    Files.writeString(folder.resolve("password"), "secret\n");
    var accounts = Files.createDirectories(folder.resolve("data/directory"));
    Files.writeString(
        accounts.resolve("example.com"), "jbob" + REST + "\n" + "alice" + REST + "\n");
  }

  private Ran ran(String... arguments) {
    var all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--config", file.toString()));
    return run(all.toArray(String[]::new));
  }

  private String said(String... arguments) {
    var ran = ran(arguments);
    assertThat(ran.code()).as(ran.err()).isZero();
    assertThat(ran.err()).isEmpty();
    return ran.out();
  }

  private Ran refused(int code, String... arguments) {
    var ran = ran(arguments);
    assertThat(ran.code()).as(ran.out() + ran.err()).isEqualTo(code);
    assertThat(ran.out()).isEmpty();
    assertThat(ran.err()).startsWith("longhand: ");
    return ran;
  }

  @Test
  void aliasesWithTheServerStoppedAndRunning() throws Exception {
    assertThat(said("alias", "add", "sales@example.com", "jbob"))
        .isEqualTo("added sales@example.com: jbob@example.com\n");
    try (var _ = Server.start(ConfigFile.read(file))) {
      assertThat(said("alias", "add", "Sales@example.org", "Bob@example.net", "jbob@example.org"))
          .isEqualTo("changed sales@example.com: jbob@example.com, Bob@example.net\n");
      assertThat(said("alias", "add", "sales-*@example.com", "sales", "--senders", "none"))
          .isEqualTo("added sales-*@example.com: sales@example.com\n");
      assertThat(said("alias", "add", "sales@example.com", "--senders", "alice", "--confidential"))
          .startsWith("changed sales@example.com");
      assertThat(said("alias", "add", "fresh@example.com", "sales-de"))
          .isEqualTo("added fresh@example.com: sales-de@example.com\n");
      assertThat(said("alias", "remove", "fresh@example.com"))
          .isEqualTo("removed fresh@example.com\n");
      assertThat(said("alias", "list"))
          .isEqualTo(
              """
              sales-*@example.com\tsales@example.com\tnone
              sales@example.com\tjbob@example.com, Bob@example.net\talice@example.com
              """);
      assertThat(said("alias", "show", "sales@example.com"))
          .isEqualTo(
              """
              alias         sales@example.com
              target        jbob@example.com
              target        Bob@example.net
              senders       alice@example.com
              confidential  yes
              reverse-path  rewritten
              """);
      assertThat(said("alias", "remove", "sales@example.com", "jbob"))
          .isEqualTo("changed sales@example.com: Bob@example.net\n");
      assertThat(said("alias", "add", "sales@example.com", "--no-confidential", "--keep-sender"))
          .startsWith("changed");
    }
    assertThat(Files.readAllLines(folder.resolve("data/directory/example.com")))
        .contains("sales-* alias sales senders=none")
        .endsWith("sales alias Bob@example.net senders=alice keep-sender");
    assertThat(said("alias", "remove", "sales@example.com"))
        .isEqualTo("removed sales@example.com\n");
    assertThat(said("alias", "list", "example.com"))
        .isEqualTo("sales-*@example.com\tsales@example.com\tnone\n");
    assertThat(said("account", "list")).doesNotContain("sales");
  }

  @Test
  void whatIsWrongIsSaid() throws IOException {
    assertThat(refused(ExitCode.DATA, "alias", "add", "jbob@example.com", "alice").err())
        .contains("there is an account jbob@example.com")
        .contains("longhand account forward");
    assertThat(refused(ExitCode.USAGE, "alias", "add", "new@example.com").err())
        .contains("at least one target");
    assertThat(refused(ExitCode.DATA, "alias", "add", "x@example.net", "alice").err())
        .contains("not a domain of this server");
    assertThat(refused(ExitCode.DATA, "alias", "add", "x@backup.test", "alice").err())
        .contains("not a domain of this server");
    assertThat(refused(ExitCode.DATA, "alias", "add", "x@example.com", "no@@x").err())
        .contains("is no address");
    assertThat(refused(ExitCode.DATA, "alias", "add", "x@example.com", "a*").err())
        .contains("no target");
    assertThat(refused(ExitCode.DATA, "alias", "add", "a*b*@example.com", "alice").err())
        .contains("one *");
    assertThat(refused(ExitCode.DATA, "alias", "add", "a+*@example.com", "alice").err())
        .contains("no +");
    assertThat(
            refused(
                    ExitCode.DATA,
                    "alias",
                    "add",
                    "x@example.com",
                    "alice",
                    "--senders",
                    "bob@example.net")
                .err())
        .contains("no account here");
    assertThat(refused(ExitCode.NO_USER, "alias", "show", "x@example.com").err())
        .contains("there is no alias x@example.com");
    assertThat(refused(ExitCode.NO_USER, "alias", "remove", "jbob@example.com").err())
        .contains("is an account, not an alias");
    said("alias", "add", "x@example.com", "alice");
    assertThat(refused(ExitCode.DATA, "alias", "remove", "x@example.com", "jbob").err())
        .contains("is no target of x@example.com, which has alice@example.com");
    assertThat(
            refused(
                    ExitCode.DATA,
                    "account",
                    "add",
                    "x@example.com",
                    "--password-file",
                    folder.resolve("password").toString())
                .err())
        .contains("is an alias");
    var csv =
        Files.writeString(
            folder.resolve("a.csv"), "address,password,name,quota\nx@example.com,secret,,\n");
    assertThat(ran("account", "import", "--replace", csv.toString()).err()).contains("is an alias");
    assertThat(ran("alias", "list", "example.net").code()).isEqualTo(ExitCode.DATA);
    assertThat(run("alias", "add", "--help").out()).contains("--senders").contains("TARGET");
  }

  @Test
  void whatLeadsNowhereIsNoted() {
    var loop = ran("alias", "add", "loop@example.com", "loop");
    assertThat(loop.code()).isZero();
    assertThat(loop.err()).contains("leads to loop@example.com: a loop");
    assertThat(ran("account", "forward", "alice@example.com", "gone", "--copy").err())
        .isEqualTo("longhand: note: gone@example.com is no address here\n");
    assertThat(ran("alias", "add", "dead-*@example.com", "gone").err())
        .isEqualTo("longhand: note: gone@example.com is no address here\n");
  }

  @Test
  void accountsForwardAndKeepThatWithANewPassword() throws Exception {
    assertThat(said("account", "forward", "jbob@example.com"))
        .isEqualTo("jbob@example.com forwards nothing\n");
    try (var _ = Server.start(ConfigFile.read(file))) {
      assertThat(said("account", "forward", "jbob@example.com", "Bob@example.net", "--copy"))
          .isEqualTo("jbob@example.com forwards to Bob@example.net and keeps a copy\n");
    }
    said(
        "account",
        "password",
        "jbob@example.com",
        "--password-file",
        folder.resolve("password").toString());
    assertThat(said("account", "show", "jbob@example.com"))
        .contains("forward  Bob@example.net\ncopy     kept\n");
    refused(ExitCode.USAGE, "account", "forward", "jbob@example.com", "alice", "--none");
    assertThat(said("account", "forward", "jbob@example.com", "--none"))
        .isEqualTo("jbob@example.com forwards nothing\n");
  }

  @Test
  void aRouteIsToldWithItsReasons() throws IOException {
    // Where mail to other servers goes is looked up by RouteCommandTest; here a route says it.
    Files.writeString(
        file, "[[route]]\ndomain = \"*\"\nhost = \"192.0.2.1\"\n", StandardOpenOption.APPEND);
    said("alias", "add", "sales@example.com", "jbob", "Bob@example.net");
    said("alias", "add", "*@example.com", "sales");
    said("account", "forward", "alice@example.com", "jbob", "--copy");
    ran("alias", "add", "partly@example.com", "jbob", "gone@example.org", "loop");
    ran("alias", "add", "loop@example.com", "loop");
    assertThat(said("route", "sales@example.com"))
        .isEqualTo(
            """
            sales@example.com is an alias of 2 addresses
              jbob@example.com is an account
                => into the account jbob@example.com
              Bob@example.net is of another server
                => relayed by the route * by 192.0.2.1:25
                => with the reverse-path rewritten
                   SMTP to 192.0.2.1 [192.0.2.1], port 25
                     TLS where it is offered, with any certificate
            """);
    assertThat(said("route", "Any+x@example.org"))
        .startsWith(
            """
            Any+x@example.org is any+x@example.com, which matches the wildcard *@example.com (+x taken off)
              sales+x@example.com is an alias (+x taken off) of 2 addresses
                jbob+x@example.com is an address of jbob@example.com (+x taken off)
                  => into the account jbob@example.com
            """);
    assertThat(said("route", "alice@example.com"))
        .isEqualTo(
            """
            alice@example.com is an account that forwards to 1 address and keeps a copy
              => into the account alice@example.com
              jbob@example.com is an account
                => into the account jbob@example.com
            """);
    assertThat(said("route", "x@backup.test"))
        .isEqualTo(
            """
            x@backup.test is of a domain that we are a backup for
              => relayed by the route * by 192.0.2.1:25
                 SMTP to 192.0.2.1 [192.0.2.1], port 25
                   TLS where it is offered, with any certificate
            """);
    var loop = ran("route", "loop@example.com");
    assertThat(loop.code()).isEqualTo(ExitCode.NO_USER);
    assertThat(loop.out())
        .isEqualTo(
            """
            loop@example.com is an alias
              !! loop@example.com leads to loop@example.com: a loop
            mail for loop@example.com is refused: 5.4.6
            """);
    var mapper = new JsonMapper();
    var json = mapper.readTree(said("route", "--json", "partly@example.com"));
    assertThat(json.path("deliverable").asBoolean()).isTrue();
    assertThat(json.path("leaves").get(0).path("kind").asString()).isEqualTo("account");
    assertThat(json.path("leaves").get(0).path("trail").size()).isEqualTo(2);
    assertThat(json.path("problems").get(0).path("kind").asString()).isEqualTo("loop");
    var nowhere = ran("route", "--json", "loop@example.com");
    assertThat(nowhere.code()).isEqualTo(ExitCode.NO_USER);
    assertThat(mapper.readTree(nowhere.out()).path("status").asString()).isEqualTo("5.4.6");
    assertThat(refused(ExitCode.DATA, "route", "nonsense").err()).contains("is no address");
    refused(ExitCode.DATA, "route", "a\nb@example.com");
  }

  @Test
  void mailForAnotherNameOfADomainIsDelivered() throws Exception {
    try (var server = Server.start(ConfigFile.read(file));
        var socket =
            new Socket(InetAddress.getLoopbackAddress(), server.addresses().getFirst().getPort())) {
      socket.setSoTimeout(10_000);
      var in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
      assertThat(in.readLine()).startsWith("220 ");
      for (var step :
          List.of(
              "HELO a.test|250 ",
              "MAIL FROM:<ana@example.net>|250 ",
              "RCPT TO:<Jbob+x@example.org>|250 ",
              "RCPT TO:<nobody@example.org>|550 5.1.1",
              "DATA|354 ",
              "Subject: x\r\n\r\nx\r\n.|250 ",
              "QUIT|221 ")) {
        int bar = step.indexOf('|');
        socket
            .getOutputStream()
            .write((step.substring(0, bar) + "\r\n").getBytes(StandardCharsets.US_ASCII));
        assertThat(in.readLine()).as(step).startsWith(step.substring(bar + 1));
      }
    }
    assertThat(folder.resolve("data/mail/example.com/jbob")).content().contains("Subject: x");
  }

  @Test
  void oddRequestsAtTheControlSocketHarmNothing() throws Exception {
    var config = ConfigFile.read(file);
    try (var _ = Server.start(config)) {
      for (var odd :
          List.of(
              "{\"command\":\"put-alias\"}",
              "{\"command\":\"put-alias\",\"domain\":\"example.com\",\"line\":\"x\"}",
              "{\"command\":\"put-alias\",\"domain\":\"example.org\",\"line\":\"x alias a\"}",
              "{\"command\":\"put-alias\",\"domain\":\"example.com\",\"line\":\"x alias a\",\"seen\":7}",
              "{\"command\":\"remove-alias\",\"address\":\"a**@example.com\"}",
              "{\"command\":\"remove-alias\",\"address\":\"x@example.net\"}")) {
        assertThat(ControlSocket.ask(Server.controlSocket(config), odd).orElseThrow())
            .as(odd)
            .contains("\"error\"");
      }
      assertThat(said("alias", "list")).isEmpty();
    }
  }

  @Test
  void theSecretsOfRewritingAreMadeKeptAndReplaced() throws Exception {
    var config = ConfigFile.read(file);
    var secret = folder.resolve("data/srs-secret");
    var sender = new Address("ana", new Domain("example.net"));
    try (var directory = Server.directory(config)) {
      var first = RewritingSecrets.rewriting(config, directory);
      assertThat(first.domain()).isEqualTo(new Domain("example.com"));
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(secret)))
          .isEqualTo("rw-------");
      var rewritten = first.forward(ReversePath.of(sender)).address().orElseThrow();
      var again = RewritingSecrets.rewriting(config, directory);
      assertThat(again.reverse(rewritten)).isEqualTo(new Returned.Valid(sender));
      var own = ReversePath.of(new Address("jbob", new Domain("example.org")));
      assertThat(first.forward(own)).isEqualTo(own);
      Files.writeString(
          secret, "a new secret".replace(' ', '-') + "-1234\n" + Files.readString(secret));
      var replaced = RewritingSecrets.rewriting(config, directory);
      assertThat(replaced.reverse(rewritten)).isEqualTo(new Returned.Valid(sender));
      assertThat(replaced.forward(ReversePath.of(sender)).address().orElseThrow())
          .isNotEqualTo(rewritten);
      for (var bad : List.of("", "short\n", "x".repeat(20) + "\n".repeat(2) + "a b".repeat(9))) {
        Files.writeString(secret, bad);
        assertThatThrownBy(() -> RewritingSecrets.rewriting(config, directory))
            .isInstanceOf(IOException.class)
            .hasMessageContaining("srs-secret: expected one line");
      }
    }
  }
}
