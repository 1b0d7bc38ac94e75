package longhand.server;

import static longhand.server.Commands.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import longhand.server.Commands.Ran;
import longhand.wire.ControlSocket;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServerTest {

  private static final String CONFIG =
      """
      hostname = "mx.example.com"
      data = "data"
      [[domain]]
      name = "example.com"
      [[domain]]
      name = "example.org"
      [[listener]]
      protocol = "smtp"
      address = "127.0.0.1:0"
      [[listener]]
      protocol = "imap"
      address = "127.0.0.1:0"
      tls = "none"
      plaintext-login = true
      [[listener]]
      protocol = "pop3"
      address = "127.0.0.1:0"
      plaintext-login = true
      [auth]
      delay = "0s"
      [metrics]
      address = "127.0.0.1:0"
      """;

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void configuration() throws IOException {
    file = Files.writeString(folder.resolve("longhand.toml"), CONFIG);
  }

  private Ran account(String... arguments) {
    var all = new java.util.ArrayList<>(java.util.List.of("account"));
    all.addAll(java.util.List.of(arguments));
    all.addAll(java.util.List.of("--config", file.toString()));
    return run(all.toArray(String[]::new));
  }

  private Ran add(String address, String password, String... more) throws IOException {
    var secret = Files.writeString(folder.resolve("password"), password + "\n");
    var all = new java.util.ArrayList<>(java.util.List.of("add", address, "--password-file"));
    all.add(secret.toString());
    all.addAll(java.util.List.of(more));
    return account(all.toArray(String[]::new));
  }

  private static String talk(int port, String... lines) throws IOException {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(10_000);
      var answers = new StringBuilder();
      answers.append(line(socket));
      for (var line : lines) {
        socket.getOutputStream().write((line + "\r\n").getBytes(StandardCharsets.UTF_8));
        answers.append(line(socket));
      }
      return answers.toString();
    }
  }

  private static String line(Socket socket) throws IOException {
    var line = new StringBuilder();
    int octet;
    do {
      octet = socket.getInputStream().read();
      line.append((char) octet);
    } while (octet >= 0 && octet != '\n');
    return line.toString();
  }

  @Test
  void thePasswordMayComeThroughAPipe() throws Exception {
    var real = System.in;
    try {
      System.setIn(new java.io.ByteArrayInputStream("three\n".getBytes(StandardCharsets.UTF_8)));
      assertThat(account("add", "jbob@example.com").code()).isZero();
    } finally {
      System.setIn(real);
    }
    try (var server = Server.start(ConfigFile.read(file))) {
      int pop3 = server.addresses().get(2).getPort();
      assertThat(talk(pop3, "USER jbob@example.com", "PASS three")).doesNotContain("-ERR");
    }
  }

  @Test
  void accountsWithTheServerStoppedAndRunning() throws Exception {
    assertThat(add("jbob@example.com", "one", "--name", "Jim Bob", "--quota", "5G").code())
        .isZero();
    assertThat(add("jbob@example.com", "two").code()).isEqualTo(ExitCode.DATA);
    assertThat(account("show", "JBOB@example.com").out()).contains("Jim Bob").contains("5G");
    try (var server = Server.start(ConfigFile.read(file))) {
      int pop3 = server.addresses().get(2).getPort();
      assertThat(talk(pop3, "USER jbob@example.com", "PASS one")).doesNotContain("-ERR");
      assertThat(talk(pop3, "USER alice@example.org", "PASS two")).contains("-ERR");
      assertThat(add("alice@example.org", "two").code()).isZero();
      assertThat(talk(pop3, "USER alice@example.org", "PASS two")).doesNotContain("-ERR");
      assertThat(account("list").out())
          .isEqualTo("jbob@example.com\tactive\t5G\tJim Bob\nalice@example.org\tactive\t0\t\n");
      assertThat(account("list", "example.org").out()).startsWith("alice@example.org");
      Files.writeString(folder.resolve("password"), "three");
      assertThat(
              account(
                      "password",
                      "alice@example.org",
                      "--password-file",
                      folder.resolve("password").toString())
                  .code())
          .isZero();
      assertThat(talk(pop3, "USER alice@example.org", "PASS two")).contains("-ERR");
      assertThat(talk(pop3, "USER alice@example.org", "PASS three")).doesNotContain("-ERR");
      assertThat(account("remove", "alice@example.org").code()).isZero();
      assertThat(talk(pop3, "USER alice@example.org", "PASS three")).contains("-ERR");
      assertThat(account("remove", "alice@example.org").code()).isEqualTo(ExitCode.NO_USER);
    }
    assertThat(account("show", "alice@example.org"))
        .isEqualTo(
            new Ran(ExitCode.NO_USER, "", "longhand: there is no account alice@example.org\n"));
    assertThat(Files.exists(folder.resolve("data/control.sock"))).isFalse();
  }

  @Test
  void whatIsNoAddressIsRefusedWithASentence() throws IOException {
    for (var bad : new String[] {"jbob", "jbob@example.net", "@example.com", "a\nb@example.com"}) {
      var ran = add(bad, "one");
      assertThat(ran.code()).as(bad).isEqualTo(ExitCode.DATA);
      assertThat(ran.err()).startsWith("longhand: ");
    }
    assertThat(add("jbob@example.com", "").code()).isEqualTo(ExitCode.DATA);
    assertThat(add("jbob@example.com", "x", "--quota", "much").code()).isEqualTo(ExitCode.DATA);
    assertThat(account("add").code()).isEqualTo(ExitCode.USAGE);
    assertThat(account("show", "jbob@example.com").code()).isEqualTo(ExitCode.NO_USER);
  }

  @Test
  void manyAccountsFromAFile() throws IOException {
    var csv =
        Files.writeString(
            folder.resolve("accounts.csv"),
            """
            address,password,name,quota
            a@example.com,one,"Ann, A.",1G
            b@example.org,two,,
            a@example.com@,x,,
            c@example.net,x,,
            d@example.com,x
            e@example.com,,,
            f@example.com,x,,lots

            g@example.com,seven,Gus,0
            """);
    var ran = account("import", csv.toString());
    assertThat(ran.code()).isEqualTo(ExitCode.DATA);
    assertThat(ran.out()).contains("8 rows: 3 accounts written, 5 refused");
    assertThat(ran.err()).contains("accounts.csv:4: ").contains("accounts.csv:8: ");
    assertThat(account("list").out())
        .contains("a@example.com\tactive\t1G\tAnn, A.\n")
        .contains("g@example.com")
        .contains("b@example.org");
    assertThat(account("import", csv.toString()).out()).contains("0 accounts written");
    assertThat(account("import", "--replace", csv.toString()).out()).contains("3 accounts written");
    assertThat(account("import", folder.resolve("none.csv").toString()).code())
        .isEqualTo(ExitCode.NO_INPUT);
  }

  @Test
  void whatIsTakenIsNamed() throws Exception {
    var config = ConfigFile.read(file);
    try (var server = Server.start(config)) {
      int port = server.addresses().getFirst().getPort();
      Files.writeString(
          file,
          CONFIG.replaceFirst("127.0.0.1:0", "127.0.0.1:" + port).replace("data\"", "other\""));
      assertThatThrownBy(() -> Server.start(ConfigFile.read(file)))
          .isInstanceOf(CommandException.class)
          .hasMessageContaining("smtp 127.0.0.1:" + port)
          .hasMessageContaining("another program");
    }
    try (var _ = Server.start(config)) {
      // the lock is free again
    }
  }

  @Test
  void filesAreTheOwnersOnly() throws Exception {
    assertThat(add("jbob@example.com", "one").code()).isZero();
    try (var _ = Server.start(ConfigFile.read(file));
        var files = Files.walk(folder.resolve("data"))) {
      for (var each : files.toList()) {
        var mode = PosixFilePermissions.toString(Files.getPosixFilePermissions(each));
        assertThat(mode).as(each.toString()).endsWith("------");
      }
    }
  }

  @Test
  void metricsAreServed() throws Exception {
    try (var server = Server.start(ConfigFile.read(file));
        var client = HttpClient.newHttpClient()) {
      talk(server.addresses().getFirst().getPort(), "EHLO a.test");
      var base = "http://127.0.0.1:" + server.metricsAddress().orElseThrow().getPort();
      var page =
          client.send(
              HttpRequest.newBuilder(URI.create(base + "/metrics")).build(),
              HttpResponse.BodyHandlers.ofString());
      assertThat(page.statusCode()).isEqualTo(200);
      assertThat(page.body())
          .contains("process_resident_memory_bytes ")
          .contains("jvm_memory_used_bytes{area=\"heap\"} ")
          .contains(
              "longhand_connections_accepted_total{listener=\"smtp 127.0.0.1:0\",protocol=\"smtp\"} 1.0")
          .contains("longhand_accounts 0.0");
      var other =
          client.send(
              HttpRequest.newBuilder(URI.create(base + "/x")).build(),
              HttpResponse.BodyHandlers.discarding());
      assertThat(other.statusCode()).isEqualTo(404);
    }
  }

  /// The figures of one life of a message, from log-in to mark.
  @Test
  void whatHappensIsCounted() throws Exception {
    assertThat(add("jbob@example.com", "one").code()).isZero();
    try (var server = Server.start(ConfigFile.read(file));
        var client = HttpClient.newHttpClient()) {
      int imap = server.addresses().get(1).getPort();
      talk(
          server.addresses().getFirst().getPort(),
          "HELO a.test",
          "MAIL FROM:<a@example.net>",
          "RCPT TO:<jbob@example.com>",
          "DATA",
          "Subject: x\r\n\r\nx\r\n.",
          "QUIT");
      talk(imap, "a LOGIN jbob@example.com two");
      try (var session = new Socket(InetAddress.getLoopbackAddress(), imap)) {
        session.setSoTimeout(10_000);
        line(session);
        for (var command :
            new String[] {
              "a LOGIN jbob@example.com one",
              "a SELECT INBOX",
              "a FETCH 1 (FLAGS)",
              "a STORE 1 +FLAGS.SILENT (\\Seen)",
              "a EXPLODE"
            }) {
          session.getOutputStream().write((command + "\r\n").getBytes(StandardCharsets.UTF_8));
          while (!line(session).startsWith("a ")) {
            // the answers before
          }
        }
        var page =
            client
                .send(
                    HttpRequest.newBuilder(
                            URI.create(
                                "http://127.0.0.1:"
                                    + server.metricsAddress().orElseThrow().getPort()
                                    + "/metrics"))
                        .build(),
                    HttpResponse.BodyHandlers.ofString())
                .body();
        for (var figure :
            new String[] {
              "longhand_deliveries_total{outcome=\"stored\"} 1.0",
              "longhand_deliveries_total{outcome=\"deferred\"} 0.0",
              "longhand_logins_total{outcome=\"granted\"} 1.0",
              "longhand_logins_total{outcome=\"refused\"} 1.0",
              "longhand_logins_total{outcome=\"throttled\"} 0.0",
              "longhand_commands_total{command=\"login\",protocol=\"imap\"} 2.0",
              "longhand_commands_total{command=\"select\",protocol=\"imap\"} 1.0",
              "longhand_commands_total{command=\"malformed\",protocol=\"imap\"} 1.0",
              "longhand_commands_total{command=\"data\",protocol=\"smtp\"} 1.0",
              "longhand_imap_logins_total 1.0",
              "longhand_imap_fetched_total 1.0",
              "longhand_sessions{protocol=\"imap\"} 1.0",
              "longhand_sessions{protocol=\"pop3\"} 0.0",
              "longhand_journal_batches_total 2.0",
              "longhand_journal_force_seconds_count 2",
              "longhand_journal_force_seconds_bucket{le=\"+Inf\"} 2",
              "longhand_journal_batches_per_force_bucket{le=\"1.0\"} 2",
              "longhand_journal_batches_per_force_sum 2.0",
              "longhand_journal_segments 2.0",
              "longhand_documents_rewritten_total 0.0",
              "longhand_accounts_open 1.0",
              "longhand_accounts 1.0",
              "# TYPE longhand_journal_force_seconds histogram",
              "# TYPE longhand_journal_written_bytes_total counter",
            }) {
          assertThat(page).contains(figure + "\n");
        }
        assertThat(page).containsPattern("longhand_journal_written_bytes_total [1-9]");
        assertThat(page).containsPattern("longhand_accounts_unsettled [01]\\.0\n");
        assertThat(page).containsPattern("longhand_ledgers_unsettled [01]\\.0\n");
      }
    }
  }

  @Test
  void oddRequestsAtTheControlSocketHarmNothing() throws Exception {
    var config = ConfigFile.read(file);
    try (var _ = Server.start(config)) {
      var socket = Server.controlSocket(config);
      for (var odd :
          new String[] {
            "",
            "{",
            "[]",
            "5",
            "{\"command\":\"put\"}",
            "{\"command\":\"put\",\"domain\":\"example.com\",\"lines\":[\"x\"]}",
            "{\"command\":\"remove\",\"address\":\"../x@example.net\"}",
            "{\"command\":7}"
          }) {
        assertThat(ControlSocket.ask(socket, odd).orElseThrow()).startsWith("{");
      }
    }
    assertThat(ControlSocket.ask(Server.controlSocket(config), "{}")).isEmpty();
  }

  @Test
  void theCommandLineHelps() {
    assertThat(run().out()).contains("serve").contains("account");
    assertThat(run("--version").out()).startsWith("Longhand 0.");
    assertThat(run("account", "add", "--help").out()).contains("--password-file");
    assertThat(run("serv").code()).isEqualTo(ExitCode.USAGE);
    assertThat(run("serv").err()).contains("serve");
    assertThat(run("serve", "--config", folder.resolve("none").toString()).code())
        .isEqualTo(ExitCode.NO_INPUT);
    assertThat(run("config", "check", file.toString()).out()).contains("is fine");
    assertThat(run("config", "check", folder.resolve("none").toString()).code())
        .isEqualTo(ExitCode.NO_INPUT);
  }

  @Test
  void aWrongConfigurationStopsTheStart() throws IOException {
    Files.writeString(file, CONFIG.replace("hostname", "hostnam"));
    var ran = run("serve", "--config", file.toString());
    assertThat(ran.code()).isEqualTo(ExitCode.CONFIG);
    assertThat(ran.err()).contains("longhand.toml:1: ");
  }
}
