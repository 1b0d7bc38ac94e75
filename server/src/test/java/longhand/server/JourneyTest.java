package longhand.server;

import static longhand.server.Commands.run;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import longhand.server.Commands.Ran;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/// The journeys of messages through a whole server, as a person asks for them.
@Timeout(120)
class JourneyTest {

  @TempDir Path folder;
  private Path file;
  private ServerSocket sink;

  @BeforeEach
  void configuration() throws IOException {
    sink = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::takeMail);
    file =
        Files.writeString(
            folder.resolve("longhand.toml"),
            """
            hostname = "mx.example.com"
            data = "data"
            [[domain]]
            name = "example.com"
            [[listener]]
            protocol = "smtp"
            address = "127.0.0.1:0"
            [[listener]]
            protocol = "submission"
            address = "127.0.0.1:0"
            plaintext-login = true
            [[listener]]
            protocol = "lmtp"
            address = "127.0.0.1:0"
            [[route]]
            domain = "*"
            host = "127.0.0.1"
            port = %d
            [auth]
            delay = "0s"
            """
                .formatted(sink.getLocalPort()));
    Files.writeString(folder.resolve("password"), "secret\n");
    assertThat(
            ran(
                    "account",
                    "add",
                    "alice@example.com",
                    "--password-file",
                    folder.resolve("password").toString())
                .code())
        .isZero();
  }

  @AfterEach
  void close() throws IOException {
    sink.close();
  }

  /// A small server that takes all but what is for `nobody`.
  private void takeMail() {
    while (!sink.isClosed()) {
      try (var socket = sink.accept()) {
        socket.setSoTimeout(20_000);
        say(socket, "220 sink.example ESMTP");
        for (var line = line(socket); !line.isEmpty(); line = line(socket)) {
          if (line.startsWith("DATA")) {
            say(socket, "354 go on");
            do {
              line = line(socket);
            } while (!line.isEmpty() && !line.equals(".\r\n"));
            say(socket, "250 2.0.0 taken as 4711");
          } else {
            say(
                socket,
                line.contains("nobody@") ? "550 5.1.1 nobody of\tthat name" : "250 2.0.0 fine");
          }
        }
      } catch (IOException _) {
        // The test ends, or the client has gone.
      }
    }
  }

  private static void say(Socket socket, String line) throws IOException {
    socket.getOutputStream().write((line + "\r\n").getBytes(StandardCharsets.UTF_8));
  }

  private static String line(Socket socket) throws IOException {
    var line = new StringBuilder();
    for (int octet = socket.getInputStream().read();
        octet >= 0;
        octet = socket.getInputStream().read()) {
      line.append((char) octet);
      if (octet == '\n') {
        break;
      }
    }
    return line.toString();
  }

  private Ran ran(String... arguments) {
    var all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--config", file.toString()));
    return run(all.toArray(String[]::new));
  }

  /// What the command shows, as soon as it shows that.
  private String shown(String until, String... arguments) throws InterruptedException {
    var all = new ArrayList<>(List.of("journey"));
    all.addAll(List.of(arguments));
    var shown = ran(all.toArray(String[]::new));
    for (int i = 0; i < 400 && !shown.out().contains(until); i++) {
      Thread.sleep(50);
      shown = ran(all.toArray(String[]::new));
    }
    assertThat(shown.out()).as(shown.err()).contains(until);
    return shown.out();
  }

  /// One conversation; the replies, one a line.
  private static String talk(Server server, int listener, String... lines) throws IOException {
    try (var socket =
        new Socket(InetAddress.getLoopbackAddress(), server.addresses().get(listener).getPort())) {
      socket.setSoTimeout(20_000);
      var replies = new StringBuilder(line(socket));
      for (var said : lines) {
        say(socket, said);
        String reply;
        do {
          reply = line(socket);
          replies.append(reply);
        } while (reply.length() > 3 && reply.charAt(3) == '-');
      }
      return replies.toString();
    }
  }

  private static String login() {
    return "AUTH PLAIN "
        + Base64.getEncoder()
            .encodeToString("\0alice@example.com\0secret".getBytes(StandardCharsets.UTF_8));
  }

  private static String id(String replies) {
    int at = replies.indexOf(", id ") + 5;
    return replies.substring(at, replies.indexOf('\r', at));
  }

  @Test
  void oneMessageFromSubmissionToItsEnd() throws Exception {
    String id;
    try (var server = Server.start(ConfigFile.read(file))) {
      var replies =
          talk(
              server,
              1,
              "EHLO laptop.example",
              login(),
              "MAIL FROM:<alice@example.com>",
              "RCPT TO:<Alice+self@example.com>",
              "RCPT TO:<bob@example.net>",
              "RCPT TO:<nobody@example.net>",
              "RCPT TO:<missing@example.com>",
              "DATA",
              "From: alice@example.com\r\nSubject: private\r\n\r\nsecret words\r\n.",
              "QUIT");
      id = id(replies);
      var shown = shown("has left the queue", id);
      System.out.print(shown);
      assertThat(shown.lines().map(line -> line.replaceFirst("^  [-0-9]+ [:.0-9]+  ", "")))
          .containsSubsequence(
              id,
              "client     127.0.0.1 which calls itself laptop.example, brings a message in clear"
                  + " [ESMTPA]",
              "login      alice@example.com has logged in",
              "sender     alice@example.com is the sender",
              "recipient  Alice+self@example.com leads to the account alice@example.com"
                  + " [250 2.1.5 Recipient OK]",
              "recipient  bob@example.net is to be reached through other servers"
                  + " [250 2.1.5 Recipient OK]",
              "recipient  nobody@example.net is to be reached through other servers"
                  + " [250 2.1.5 Recipient OK]",
              "recipient  missing@example.com is refused [550 5.1.1 No such user here]",
              "check      the From field names who logged in [From: alice@example.com]",
              "stored     alice@example.com has it in INBOX, written to disk"
                  + " [document example.com/alice, UID 1]")
          .anyMatch(line -> line.startsWith("message    <" + id + "."))
          .contains(
              "queued     bob@example.net gets it through other servers: it waits in the queue,"
                  + " written to disk [queue id "
                  + id
                  + ", from <alice@example.com>]",
              "reply      the message is accepted [250 2.0.0 Stored, id " + id + "]",
              "relay      bob@example.net was taken by [127.0.0.1] in clear"
                  + " [250 2.0.0 taken as 4711]",
              "next       nobody@example.net is given up [5.1.1]",
              "end        it has left the queue")
          .anyMatch(
              line ->
                  line.startsWith(
                      "relay      nobody@example.net will not be taken by [127.0.0.1] in clear"
                          + " [550 5.1.1 nobody of"))
          .anyMatch(
              line ->
                  line.startsWith(
                      "report     alice@example.com is told: nobody@example.net does not get it"
                          + " [5.1.1, report "));
      assertThat(shown).doesNotContain("private").doesNotContain("secret");
    }
    // And with the server stopped, by whatever a person knows of it.
    var known = shown("has left the queue", id);
    var messageId =
        known
            .lines()
            .filter(line -> line.contains("  message "))
            .map(line -> line.substring(line.indexOf('<'), line.indexOf('>') + 1))
            .findFirst()
            .orElseThrow();
    assertThat(shown("left", messageId)).isEqualTo(known);
    assertThat(shown("left", messageId.substring(1, messageId.length() - 1))).isEqualTo(known);
    assertThat(shown("left", "--to", "bob@EXAMPLE.net")).isEqualTo(known);
    assertThat(shown("left", "--to", "alice@example.com", "--since", "1h")).isEqualTo(known);
    assertThat(shown("left", "--from", "alice@example.com")).isEqualTo(known);
    for (var line : shown("left", id, "--json").lines().toList()) {
      var station = new JsonMapper().readTree(line);
      assertThat(station.propertyNames())
          .containsExactlyInAnyOrder("time", "id", "kind", "subject", "words", "value");
      assertThat(station.get("id").asString()).isEqualTo(id);
    }
    assertThat(ran("journey", "--to", "eve@example.net"))
        .satisfies(ran -> assertThat(ran.code()).isEqualTo(ExitCode.NO_INPUT))
        .satisfies(
            ran ->
                assertThat(ran.err()).startsWith("longhand: nothing is known of such a message"));
  }

  @Test
  void whatWasRefusedHasAJourneyToo() throws Exception {
    try (var server = Server.start(ConfigFile.read(file))) {
      talk(
          server,
          0,
          "HELO stranger.example",
          "MAIL FROM:<eve@example.net>",
          "RCPT TO:<missing@example.com>",
          "RCPT TO:<other@example.org>",
          "RSET",
          "MAIL FROM:<eve2@example.net>",
          "RCPT TO:<alice@example.com>",
          "DATA",
          "Message-ID: <loop@example.net>\r\nDelivered-To: alice@example.com\r\n\r\n.",
          "QUIT");
      talk(
          server,
          1,
          "EHLO laptop.example",
          "AUTH PLAIN AGFsaWNlQGV4YW1wbGUuY29tAHdyb25n",
          login(),
          "MAIL FROM:<mallory@example.com>",
          "MAIL FROM:<alice@example.com>",
          "RCPT TO:<alice@example.com>",
          "DATA",
          "From: somebody@example.com\r\nMessage-ID: <forged@example.com>\r\n\r\n.",
          "QUIT");
      talk(server, 0, "HELO bare.example\nX");
      assertThat(shown("no message came", "--from", "eve@example.net"))
          .contains("missing@example.com is refused [550 5.1.1 No such user here]")
          .contains("other@example.org is refused [550 5.7.1 Relaying refused]");
      assertThat(shown("the message is refused", "<loop@example.net>"))
          .contains("<loop@example.net> is the Message-ID of what came: 67 octets")
          .contains("the message is refused [554 5.4.6 Mail loop");
      assertThat(shown("the message is refused", "forged@example.com"))
          .contains("names somebody else than who logged in [From: somebody@example.com]")
          .contains("[550 5.7.1 The From field must name");
      assertThat(shown("may bring no message", "--from", "mallory@example.com"))
          .contains("the log-in failed [PLAIN: 535 5.7.8 Authentication failed]")
          .contains("mallory@example.com may bring no message [553 5.7.1");
      for (int i = 0; i < 400 && !written().contains("521 5.5.2"); i++) {
        Thread.sleep(50);
      }
      assertThat(written()).contains("the session ends\t521 5.5.2 Bare CR or LF");
    }
  }

  /// All files of journeys.
  private String written() throws IOException {
    var all = new StringBuilder();
    try (var files = Files.list(folder.resolve("data/journey"))) {
      for (var each : files.filter(name -> name.toString().endsWith(".txt")).toList()) {
        all.append(Files.readString(each));
      }
    }
    return all.toString();
  }

  @Test
  void lmtpTellsOfEachRecipient() throws Exception {
    try (var server = Server.start(ConfigFile.read(file))) {
      try (var socket =
          new Socket(InetAddress.getLoopbackAddress(), server.addresses().get(2).getPort())) {
        socket.setSoTimeout(20_000);
        say(
            socket,
            "LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.com>\r\nRCPT TO:<alice+2@example.com>"
                + "\r\nDATA\r\nMessage-ID: <two@a.example>\r\n\r\n.\r\nQUIT");
        while (!line(socket).startsWith("221")) {
          // the replies before
        }
      }
    }
    assertThat(shown("alice+2@example.com the message is accepted", "two@a.example"))
        .contains("alice@example.com the message is accepted [250 2.0.0 Stored")
        .contains("<> is the sender")
        .contains("[LMTP]");
  }

  @Test
  void followingShowsWhatHappens() throws Exception {
    try (var server = Server.start(ConfigFile.read(file))) {
      var log = folder.resolve("followed");
      var following =
          Commands.launch(
              log, "journey", "--follow", "--to", "alice@example.com", "--config", file.toString());
      try {
        // It sees what comes after its start, so it gets one until it has seen one.
        long until = System.nanoTime() + 60_000_000_000L;
        do {
          talk(
              server,
              0,
              "HELO a.example",
              "MAIL FROM:<eve@example.net>",
              "RCPT TO:<missing@example.com>",
              "RSET",
              "MAIL FROM:<bob@example.net>",
              "RCPT TO:<alice@example.com>",
              "DATA",
              "x: y\r\n\r\n.",
              "QUIT");
          Thread.sleep(200);
        } while (!Files.readString(log).contains("the message is accepted")
            && following.isAlive()
            && System.nanoTime() < until);
        assertThat(Files.readString(log))
            .contains("bob@example.net is the sender")
            .contains("the message is accepted [250 2.0.0 Stored")
            .doesNotContain("eve@example.net");
      } finally {
        following.destroyForcibly().waitFor(20, TimeUnit.SECONDS);
      }
    }
  }

  @Test
  void mistakesAreExplained() throws IOException {
    assertThat(ran("journey"))
        .satisfies(ran -> assertThat(ran.code()).isEqualTo(ExitCode.USAGE))
        .satisfies(ran -> assertThat(ran.err()).startsWith("longhand: which message?"));
    assertThat(ran("journey", "x", "--to", "a@example.com").code()).isEqualTo(ExitCode.USAGE);
    assertThat(ran("journey", "--to", "a@example.com", "--since", "soon").err())
        .contains("--since \"soon\", expected a time such as 10m, 1h or 2d");
    assertThat(ran("journey", "--to", "nobody").code()).isEqualTo(ExitCode.DATA);
    assertThat(ran("journey", "x").err()).contains("no journey is written down yet");
    Files.writeString(file, Files.readString(file) + "[journey]\nkeep = \"0s\"\n");
    assertThat(ran("journey", "x"))
        .satisfies(ran -> assertThat(ran.code()).isEqualTo(ExitCode.UNAVAILABLE))
        .satisfies(ran -> assertThat(ran.err()).contains("[journey] keep is 0s"));
  }

  @Test
  void nothingIsNotedWhenItIsOff() throws Exception {
    Files.writeString(file, Files.readString(file) + "[journey]\nkeep = \"0s\"\n");
    try (var server = Server.start(ConfigFile.read(file))) {
      var replies =
          talk(
              server,
              0,
              "HELO a.example",
              "MAIL FROM:<bob@example.net>",
              "RCPT TO:<alice@example.com>",
              "DATA",
              "x: y\r\n\r\n.",
              "QUIT");
      assertThat(replies).contains("250 2.0.0 Stored");
    }
    assertThat(folder.resolve("data/journey")).doesNotExist();
  }

  private static String submit(Server server, String to) throws IOException {
    return talk(
        server,
        1,
        "EHLO laptop.example",
        login(),
        "MAIL FROM:<alice@example.com>",
        "RCPT TO:<" + to + ">",
        "DATA",
        "From: alice@example.com\r\n\r\nwords\r\n.",
        "QUIT");
  }

  /// An address that mail came back from gets none any more, until somebody says otherwise.
  @Test
  void anAddressThatDoesNotExistIsSuppressed() throws Exception {
    try (var server = Server.start(ConfigFile.read(file))) {
      var shown = shown("has left the queue", id(submit(server, "nobody@example.net")));
      assertThat(shown)
          .contains(
              "nobody@example.net gets nothing more from alice@example.com for now, since there is"
                  + " no such address [until ");
      assertThat(submit(server, "nobody@example.net"))
          .contains(
              "550-5.1.1 Nothing is sent to nobody@example.net: mail came back on 20",
              "550-5.1.1 What was said: 550 5.1.1 nobody of that name\r\n",
              "550 5.1.1 To end this now: longhand suppression remove alice@example.com"
                  + " nobody@example.net\r\n");
      assertThat(shown("550-5.1.1", "--to", "nobody@example.net")).contains("is refused");
      assertThat(said("suppression", "list", "alice@example.com"))
          .startsWith("nobody@example.net\t20")
          .endsWith("\t550 5.1.1 nobody of that name\n");
    }
    try (var server = Server.start(ConfigFile.read(file))) {
      assertThat(submit(server, "nobody@example.net")).contains("550-5.1.1 Nothing is sent");
      assertThat(said("suppression", "remove", "alice@example.com", "Nobody@example.net"))
          .isEqualTo("alice@example.com may send to Nobody@example.net again\n");
      assertThat(submit(server, "nobody@example.net")).contains("250 2.0.0 Queued");
      assertThat(
              said(
                  "suppression",
                  "add",
                  "alice@example.com",
                  "bob@example.net",
                  "--why",
                  "on leave"))
          .startsWith("alice@example.com sends nothing to bob@example.net until 20");
      assertThat(submit(server, "bob@example.net"))
          .contains("550-5.1.1 What was said: on leave\r\n");
    }
    // With no server running it is the same.
    var line =
        new JsonMapper()
            .readTree(
                said("suppression", "list", "alice@example.com", "--json")
                    .lines()
                    .filter(each -> each.contains("bob@"))
                    .findFirst()
                    .orElseThrow());
    assertThat(line.path("address").asString()).isEqualTo("bob@example.net");
    assertThat(line.path("status").asString()).isEqualTo("5.1.1");
    assertThat(line.path("words").asString()).isEqualTo("on leave");
    said("suppression", "remove", "alice@example.com", "bob@example.net");
    assertThat(said("suppression", "list", "alice@example.com")).doesNotContain("bob@");
    var again = ran("suppression", "remove", "alice@example.com", "bob@example.net");
    assertThat(again.code()).isEqualTo(ExitCode.NO_USER);
    assertThat(again.err()).contains("alice@example.com may send to bob@example.net already");
    assertThat(ran("suppression", "list", "ghost@example.com").code()).isEqualTo(ExitCode.NO_USER);
    assertThat(ran("suppression", "add", "alice@example.com", "x@y.example", "--days", "0").code())
        .isEqualTo(ExitCode.USAGE);
    said("suppression", "add", "alice@example.com", "x@y.example", "--days", "2");
    assertThat(said("suppression", "list", "alice@example.com")).contains("x@y.example\t");
  }

  private String said(String... arguments) {
    var ran = ran(arguments);
    assertThat(ran.code()).as(ran.err()).isZero();
    return ran.out();
  }
}
