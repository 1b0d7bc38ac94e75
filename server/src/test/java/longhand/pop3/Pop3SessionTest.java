package longhand.pop3;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import longhand.Seed;
import longhand.dialog.TestServer;
import longhand.store.Mailbox;
import longhand.wire.Connection;
import longhand.wire.Limits;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Pop3SessionTest {

  @TempDir Path data;
  private TestServer server;

  @BeforeEach
  void open() throws IOException {
    server =
        new TestServer(
            data,
            Limits.DEFAULT
                .with("pop3ConnectionsPerIpMax", 100)
                .with("pop3IdleTimeout", Duration.ofMillis(800))
                .with("pop3PreauthTimeout", Duration.ofMillis(300)));
  }

  @AfterEach
  void close() throws IOException {
    server.close();
  }

  private Socket client(String listener) throws IOException {
    var socket = server.connect(listener);
    assertThat(Pop3DialogTest.answer(socket)).startsWith("+OK");
    return socket;
  }

  private Socket login(String name) throws IOException {
    var socket = client("pop3s");
    assertThat(Pop3DialogTest.ask(socket, "USER " + name)).startsWith("+OK");
    assertThat(Pop3DialogTest.ask(socket, "PASS secret")).startsWith("+OK");
    return socket;
  }

  private static String ask(Socket socket, String command) throws IOException {
    return Pop3DialogTest.ask(socket, command);
  }

  private void append(String message) throws Exception {
    Pop3DialogTest.append(server, "ana", message);
  }

  @Test
  void oneSessionAnAccount() throws Exception {
    try (var first = login("ana");
        var second = client("pop3s")) {
      ask(second, "USER ana@example.org");
      assertThat(ask(second, "PASS secret")).startsWith("-ERR [IN-USE]");
      // IMAP is not locked out.
      server.account("ana").view(Mailbox.INBOX, true).close();
      assertThat(ask(first, "QUIT")).startsWith("+OK");
      ask(second, "USER ana");
      assertThat(ask(second, "PASS secret")).startsWith("+OK");
    }
    try (var third = login("ben")) {
      assertThat(ask(third, "STAT")).isEqualTo("+OK 0 0");
    }
  }

  @Test
  void deletedAtQuitOnly() throws Exception {
    append("Subject: one\r\n\r\n");
    append("Subject: two\r\n\r\n");
    try (var client = login("ana")) {
      ask(client, "DELE 1");
    }
    awaitLockFree();
    assertThat(server.inbox("ana")).hasSize(2);
    try (var client = login("ana")) {
      ask(client, "DELE 1");
      Thread.sleep(1000);
      assertThat(Pop3DialogTest.answer(client)).contains("Timeout");
    }
    assertThat(server.inbox("ana")).hasSize(2);
    try (var client = login("ana")) {
      ask(client, "DELE 1");
      assertThat(ask(client, "QUIT")).startsWith("+OK");
    }
    assertThat(server.inbox("ana")).containsExactly("Subject: two\r\n\r\n");
  }

  private void awaitLockFree() throws Exception {
    for (int i = 0; i < 100; i++) {
      try (var client = client("pop3s")) {
        ask(client, "USER ana");
        if (ask(client, "PASS secret").startsWith("+OK")) {
          ask(client, "QUIT");
          return;
        }
      }
      Thread.sleep(20);
    }
    throw new AssertionError("the maildrop stays locked");
  }

  @Test
  void numbersStayWhateverOthersDo() throws Exception {
    append("Subject: one\r\n\r\n");
    append("Subject: two\r\n\r\n");
    try (var client = login("ana")) {
      var id = ask(client, "UIDL 2");
      append("Subject: three\r\n\r\n");
      var account = server.account("ana");
      try (var view = account.view(Mailbox.INBOX, false)) {
        account.expunge(List.of(view.at(1)));
      }
      assertThat(ask(client, "STAT")).isEqualTo("+OK 2 32");
      assertThat(ask(client, "UIDL 2")).isEqualTo(id);
      ask(client, "DELE 1");
      assertThat(ask(client, "RETR 2")).isEqualTo("+OK 16 octets");
      assertThat(Pop3DialogTest.answer(client)).isEqualTo("Subject: two");
      Pop3DialogTest.answer(client);
      Pop3DialogTest.answer(client);
      // Message 1 is gone already: no error.
      assertThat(ask(client, "QUIT")).startsWith("+OK");
    }
    assertThat(server.inbox("ana")).hasSize(2);
  }

  @Test
  void uniqueIdsOutliveSessionsAndServers() throws Exception {
    append("Subject: one\r\n\r\n");
    String id;
    try (var client = login("ana")) {
      id = ask(client, "UIDL 1");
      ask(client, "QUIT");
    }
    server.close();
    open();
    append("Subject: two\r\n\r\n");
    try (var client = login("ana")) {
      assertThat(ask(client, "UIDL 1")).isEqualTo(id);
      assertThat(ask(client, "UIDL 2").substring(6)).isNotEqualTo(id.substring(6));
      assertThat(id.substring(6)).hasSizeBetween(1, 70);
    }
  }

  @Test
  void preauthIdleIsShort() throws Exception {
    try (var client = client("pop3")) {
      assertThat(Pop3DialogTest.answer(client)).startsWith("-ERR [SYS/TEMP]");
      assertThat(client.getInputStream().read()).isEqualTo(-1);
    }
  }

  @Test
  void aLargeMessageComesBackOctetForOctet() throws Exception {
    var message = new StringBuilder("Subject: large\r\n\r\n");
    var random = new Random(3);
    while (message.length() < 3_000_000) {
      message.append(".".repeat(random.nextInt(4))).append("x".repeat(random.nextInt(200)));
      message.append("\r\n");
    }
    append(message.toString());
    try (var client = login("ana")) {
      client.getOutputStream().write("RETR 1\r\nQUIT\r\n".getBytes(StandardCharsets.US_ASCII));
      var all = new String(client.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      var body = all.substring(all.indexOf('\n') + 1, all.indexOf("\r\n.\r\n+OK") + 2);
      var unstuffed = new StringBuilder();
      for (int at = 0; at < body.length(); ) {
        int end = body.indexOf('\n', at) + 1;
        unstuffed.append(body, body.charAt(at) == '.' ? at + 1 : at, end);
        at = end;
      }
      assertThat(unstuffed.toString()).isEqualTo(message.toString());
    }
  }

  /// Stuffing by the rule, whatever the message and however it is cut.
  @Test
  void stuffingIsByTheRule() throws Exception {
    long seed = Seed.value();
    var random = new Random(seed);
    for (int round = 0; round < 300; round++) {
      var message = new StringBuilder();
      var lines = new java.util.ArrayList<String>();
      for (int n = random.nextInt(6); n > 0; n--) {
        var line = ".".repeat(random.nextInt(3)) + "x".repeat(random.nextInt(3));
        lines.add(line);
        message.append(line).append("\r\n");
      }
      boolean open = random.nextInt(5) == 0;
      if (open) {
        message.append(".y");
        lines.add(".y");
      }
      int top = random.nextInt(4) - 1;
      var expected = new StringBuilder();
      int empty = lines.indexOf("");
      int last = top < 0 || empty < 0 ? lines.size() : Math.min(lines.size(), empty + 1 + top);
      for (var line : lines.subList(0, last)) {
        expected.append(line.startsWith(".") ? "." : "").append(line).append("\r\n");
      }
      expected.append(".\r\n");
      assertThat(stuffed(message.toString(), top, 1 + random.nextInt(9)))
          .as("seed %d, top %d of %s", seed, top, lines)
          .isEqualTo(expected.toString());
      if (top < 0) {
        assertThat(stuffed(message.toString(), top, 0)).isEqualTo(expected.toString());
      }
    }
  }

  /// Messages are read ahead while a client takes them in order. What it gets is the same in any
  /// order, with deletions between.
  @Test
  void everyOrderGetsTheSameMessages() throws Exception {
    var expected = new java.util.ArrayList<String>();
    expected.add("");
    for (int i = 1; i <= 12; i++) {
      // The seventh is too large to be read ahead.
      var body = (".line " + i + "\r\n").repeat(i == 7 ? 9000 : i * 3);
      append("Subject: " + i + "\r\n\r\n" + body);
      expected.add("Subject: " + i + "\r\n\r\n." + body.replace("\r\n.", "\r\n..") + ".\r\n");
    }
    try (var client = login("ana")) {
      for (int number : new int[] {1, 2, 3, 3, 4, 2, 3, 4, 5, 6, 7, 8, 9, 12, 1, 2}) {
        assertThat(retrieve(client, number))
            .as("message %d", number)
            .isEqualTo(expected.get(number));
      }
      assertThat(ask(client, "TOP 3 0")).startsWith("+OK");
      assertThat(Pop3DialogTest.answer(client)).isEqualTo("Subject: 3");
      assertThat(Pop3DialogTest.answer(client)).isEmpty();
      assertThat(Pop3DialogTest.answer(client)).isEqualTo(".");
      assertThat(ask(client, "DELE 3")).startsWith("+OK");
      assertThat(ask(client, "RETR 3")).startsWith("-ERR");
      assertThat(ask(client, "RSET")).startsWith("+OK");
      assertThat(retrieve(client, 3)).isEqualTo(expected.get(3));
      assertThat(retrieve(client, 4)).isEqualTo(expected.get(4));
      // The next has been asked for while the answer to this was on its way.
      client
          .getOutputStream()
          .write("RETR 5\r\nRETR 6\r\nRETR 7\r\nRETR 8\r\n".getBytes(StandardCharsets.US_ASCII));
      for (int number = 5; number <= 8; number++) {
        assertThat(Pop3DialogTest.answer(client)).startsWith("+OK");
        assertThat(toDot(client)).isEqualTo(expected.get(number));
      }
      assertThat(retrieve(client, 9)).isEqualTo(expected.get(9));
      assertThat(retrieve(client, 12)).isEqualTo(expected.get(12));
      assertThat(ask(client, "RETR 13")).startsWith("-ERR");
    }
  }

  private static String retrieve(Socket client, int number) throws IOException {
    assertThat(ask(client, "RETR " + number)).startsWith("+OK");
    return toDot(client);
  }

  private static String toDot(Socket client) throws IOException {
    var all = new StringBuilder();
    while (true) {
      var line = Pop3DialogTest.answer(client);
      all.append(line).append("\r\n");
      if (line.equals(".")) {
        return all.toString();
      }
    }
  }

  /// @param piece octets read at once, 0 for a message in memory
  private static String stuffed(String message, int top, int piece) throws IOException {
    try (var listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var peer = new Socket(listening.getInetAddress(), listening.getLocalPort());
        var connection = new Connection(listening.accept())) {
      var in = new ByteArrayInputStream(message.getBytes(StandardCharsets.US_ASCII));
      if (piece == 0) {
        var octets = message.getBytes(StandardCharsets.US_ASCII);
        DotStuffer.sendWhole(connection, Arrays.copyOf(octets, octets.length + 9), octets.length);
      } else if (top < 0) {
        DotStuffer.sendWhole(connection, in, new byte[piece]);
      } else {
        DotStuffer.sendTop(connection, in, new byte[piece], top);
      }
      connection.flush();
      connection.end();
      connection.finish();
      var out = new ByteArrayOutputStream();
      peer.getInputStream().transferTo(out);
      return out.toString(StandardCharsets.US_ASCII);
    }
  }
}
