package longhand.smtp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import longhand.Seed;
import longhand.dialog.TestServer;
import longhand.disk.FileSystemDisk;
import longhand.dkim.DkimKeyFolder;
import longhand.dkim.DkimResult;
import longhand.dkim.DkimVerifier;
import longhand.dkim.KeyAnswer;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.message.Recoding.Target;
import longhand.message.RecodingPropertyTest;
import longhand.store.Mailbox;
import longhand.wire.Limits;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Messages of any octets (RFC 3030 §3) become text that says the same.
class BinaryMimeTest {

  private static final String LOGIN = "AUTH PLAIN AGFuYQBzZWNyZXQ=";

  @TempDir Path data;
  private TestServer server;

  @BeforeEach
  void open() throws IOException {
    server = new TestServer(data, Limits.DEFAULT);
  }

  @AfterEach
  void close() throws IOException {
    server.close();
  }

  /// A client that waits for each answer; a line has its octets as characters.
  private static final class Client implements AutoCloseable {
    private final Socket socket;
    private final BufferedReader in;

    Client(Socket socket) throws IOException {
      this.socket = socket;
      in = new BufferedReader(new InputStreamReader(socket.getInputStream(), ISO_8859_1));
      answer();
    }

    String answer() throws IOException {
      while (true) {
        var line = in.readLine();
        if (line == null) {
          return "closed";
        }
        if (line.length() < 4 || line.charAt(3) != '-') {
          return line;
        }
      }
    }

    String send(String line) throws IOException {
      socket.getOutputStream().write((line + "\r\n").getBytes(ISO_8859_1));
      return answer();
    }

    String chunk(byte[] octets, int from, int to, boolean last) throws IOException {
      var out = new ByteArrayOutputStream();
      out.writeBytes(("BDAT " + (to - from) + (last ? " LAST\r\n" : "\r\n")).getBytes(ISO_8859_1));
      out.write(octets, from, to - from);
      socket.getOutputStream().write(out.toByteArray());
      return answer();
    }

    String last(String message) throws IOException {
      return chunk(message.getBytes(ISO_8859_1), 0, message.length(), true);
    }

    /// MAIL and RCPT, as said.
    void begin(String from, String to) throws IOException {
      assertThat(send("MAIL FROM:<" + from + "> BODY=BINARYMIME")).startsWith("250");
      assertThat(send("RCPT TO:<" + to + ">")).startsWith("250");
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  private Client client(String listener) throws IOException {
    var client = new Client(server.connect(listener));
    var hello = listener.startsWith("lmtp") ? "LHLO " : "EHLO ";
    assertThat(client.send(hello + "client.example")).startsWith("250");
    return client;
  }

  private byte[] stored(int number) throws Exception {
    return server.inbox("ana").get(number).getBytes(ISO_8859_1);
  }

  /// How many files there are for what is on its way.
  private long spooled() throws IOException {
    try (var files = Files.list(data.resolve("spool"))) {
      return files.count();
    }
  }

  private void assertNothingSpooled() throws Exception {
    for (int i = 0; i < 500 && spooled() > 0; i++) {
      Thread.sleep(10);
    }
    assertThat(spooled()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"smtp", "smtps", "lmtp"})
  void eachPartDecodesToTheOctetsThatCame(String listener) throws Exception {
    long seed = Seed.value();
    var random = new Random(seed);
    try (var client = client(listener)) {
      for (int n = 0; n < 25; n++) {
        var what = "seed " + (seed + n);
        var message = RecodingPropertyTest.message(seed + n);
        client.begin("joe@client.example", "ana@example.org");
        int at = 0;
        for (int chunks = random.nextInt(5); chunks > 0; chunks--) {
          int to = at + random.nextInt(message.length - at + 1);
          assertThat(client.chunk(message, at, to, false)).as(what).startsWith("250");
          at = to;
        }
        assertThat(client.chunk(message, at, message.length, true)).as(what).startsWith("250 2.0");
        var stored = stored(n);
        RecodingPropertyTest.assertText(stored, Target.TEXT, what);
        assertThat(RecodingPropertyTest.contents(stored))
            .as(what)
            .isEqualTo(RecodingPropertyTest.contents(message));
      }
    }
    assertNothingSpooled();
  }

  /// Beyond what is kept in memory too.
  @Test
  void aLargePartDecodesToTheOctetsThatCame() throws Exception {
    var content = new byte[3_000_000];
    new Random(Seed.value()).nextBytes(content);
    var header = "Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n";
    try (var client = client("smtp")) {
      client.begin("", "ana@example.org");
      assertThat(client.chunk(header.getBytes(ISO_8859_1), 0, header.length(), false))
          .startsWith("250");
      for (int at = 0; at < content.length; at += 1_000_000) {
        assertThat(client.chunk(content, at, at + 1_000_000, false)).startsWith("250");
      }
      assertThat(client.last("")).startsWith("250 2.0.0 Stored");
    }
    var stored = server.inbox("ana").getFirst();
    assertThat(stored).contains("\r\nContent-Transfer-Encoding: base64\r\n");
    var text = stored.substring(stored.indexOf("\r\n\r\n") + 4);
    assertThat(Base64.getMimeDecoder().decode(text)).isEqualTo(content);
    assertNothingSpooled();
  }

  @Test
  void chunksMayBeCutAnywhere() throws Exception {
    var message =
        "MIME-Version: 1.0\r\nContent-Transfer-Encoding: binary\r\n\r\n\n\r\0\r\n.\r\n\u00ff\r"
            .getBytes(ISO_8859_1);
    try (var client = client("smtp")) {
      for (int cut = 0; cut <= message.length; cut++) {
        client.begin("", "ben@example.org");
        assertThat(client.chunk(message, 0, cut, false)).startsWith("250");
        assertThat(client.chunk(message, cut, message.length, true)).startsWith("250");
      }
    }
    var contents = RecodingPropertyTest.contents(message);
    assertThat(contents).hasSize(1);
    for (var stored : server.inbox("ben")) {
      assertThat(RecodingPropertyTest.contents(stored.getBytes(ISO_8859_1))).isEqualTo(contents);
    }
  }

  /// RFC 3030 §3: 503, and the transaction goes on.
  @Test
  void dataIsNotForIt() throws Exception {
    try (var client = client("smtp")) {
      client.begin("joe@client.example", "ana@example.org");
      assertThat(client.send("DATA")).startsWith("503 5.5.1");
      assertThat(client.last("Subject: x\r\n\r\na\nb")).startsWith("250");
    }
    assertThat(server.inbox("ana").getFirst())
        .contains("\r\nContent-Transfer-Encoding: quoted-printable\r\n", "\r\n\r\na=0Ab");
  }

  @ParameterizedTest
  @CsvSource({"65536,250", "65537,552"})
  void itsSizeAtTheEdge(int octets, int code) throws Exception {
    server.close();
    server = new TestServer(data, Limits.DEFAULT.with("messageOctetsMax", 65_536));
    var header = "Content-Type: image/png\r\n\r\n";
    try (var client = client("smtp")) {
      client.begin("", "ana@example.org");
      // Encoded it is longer than a message may come.
      assertThat(client.last(header + "\0".repeat(octets - header.length())))
          .startsWith(Integer.toString(code));
      client.begin("", "ana@example.org");
      // Three octets for each one are too many.
      assertThat(
              client.last(
                  "Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
                      + "\0".repeat(60_000)))
          .startsWith("552 5.3.4");
      assertThat(client.send("NOOP")).startsWith("250");
    }
    assertThat(server.inbox("ana")).hasSize(code == 250 ? 1 : 0);
  }

  /// The label of a part stands in its header, which is read whole to change it.
  @Test
  void aPartWithAHeaderBeyondMeasureIsRefused() throws Exception {
    var message =
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
            + ("X: " + "y".repeat(70) + "\r\n").repeat(15_000)
            + "\r\n\0\r\n--b--\r\n";
    try (var client = client("smtp")) {
      client.begin("", "ana@example.org");
      assertThat(client.last(message)).startsWith("554 5.6.3 A part has a header so large");
      assertThat(client.send("NOOP")).startsWith("250");
    }
    assertThat(server.inbox("ana")).isEmpty();
    assertNothingSpooled();
  }

  @Test
  void loopsAreFoundInTheText() throws Exception {
    try (var client = client("smtp")) {
      client.begin("", "ana@example.org");
      assertThat(client.last("Delivered-To: ana@example.org\r\n\r\n\n")).startsWith("554 5.4.6");
      client.begin("", "ana@example.org");
      assertThat(client.last("Received: x\r\n".repeat(101) + "\r\n\n")).startsWith("554 5.4.6");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"RSET", "EHLO", "gone", "gone in a chunk"})
  void whatComesToNothingLeavesNothing(String end) throws Exception {
    var half = new byte[1_000_000];
    Arrays.fill(half, (byte) '\n');
    half[0] = '\r';
    try (var client = client("smtp")) {
      client.begin("", "ana@example.org");
      assertThat(client.chunk(half, 0, half.length, false)).startsWith("250");
      assertThat(spooled()).isEqualTo(1);
      switch (end) {
        case "RSET" -> assertThat(client.send("RSET")).startsWith("250");
        case "EHLO" -> assertThat(client.send("EHLO again.example")).startsWith("250");
        case "gone in a chunk" -> {
          client.socket.getOutputStream().write("BDAT 9 LAST\r\n12345678".getBytes(ISO_8859_1));
          client.socket.close();
        }
        default -> client.socket.close();
      }
      assertNothingSpooled();
    }
    assertThat(server.inbox("ana")).isEmpty();
  }

  /// What a crash leaves is gone when the store is opened.
  @Test
  void aStartRemovesWhatACrashLeft() throws Exception {
    server.close();
    Files.writeString(data.resolve("spool").resolve("7"), "half a message");
    server = new TestServer(data, Limits.DEFAULT);
    assertThat(spooled()).isZero();
  }

  /// The signature is over the text: that is what travels.
  @Test
  void theTextIsSigned() throws Exception {
    var folder = new DkimKeyFolder(data, TestServer.DOMAIN, new FileSystemDisk());
    assertThat(folder.create(Instant.now())).isTrue();
    try (var client = client("submission-plain")) {
      assertThat(client.send(LOGIN)).startsWith("235");
      client.begin("ana@example.org", "joe@elsewhere.example");
      assertThat(
              client.last("From: ana@example.org\r\nContent-Type: image/png\r\n\r\n\0\n\r\u00ff"))
          .startsWith("250 2.0.0 Queued");
    }
    var account = server.store.account(new Address("1", new Domain("queue.invalid")));
    String text;
    try (var view = account.view(Mailbox.INBOX, false);
        var in = account.open(view.at(1))) {
      text = new String(in.readAllBytes(), ISO_8859_1);
    }
    assertThat(text).contains("Queue-From: <ana@example.org>\r\n");
    var message = text.substring(text.indexOf("Received: "));
    assertThat(message).contains("\r\nContent-Transfer-Encoding: base64\r\n");
    var published = new HashMap<String, KeyAnswer>();
    for (var held : folder.keys()) {
      published.put(
          held.key().selector() + "._domainkey.example.org",
          new KeyAnswer.Found(List.of(held.key().publicText())));
    }
    var verification = new DkimVerifier(published::get, Clock.systemUTC()).begin();
    var octets = message.getBytes(ISO_8859_1);
    verification.write(octets, 0, octets.length);
    assertThat(verification.finish().results())
        .hasSize(2)
        .allMatch(result -> result instanceof DkimResult.Pass);
  }

  /// A server that knows nothing of chunks gets the text.
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void itIsRelayedAsText(boolean eightBit) throws Exception {
    server.close();
    var arrived = new ArrayBlockingQueue<String>(1);
    try (var sink = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      Thread.ofVirtual().start(() -> takeOne(sink, eightBit, arrived));
      server = new TestServer(data, Limits.DEFAULT, sink.getLocalPort());
      var message =
          """
          From: ana@example.org
          MIME-Version: 1.0
          Content-Type: multipart/mixed; boundary=b
          Content-Transfer-Encoding: binary

          --b
          Content-Transfer-Encoding: 8bit

          gr\u00fc\u00df
          --b
          Content-Type: image/png
          Content-Transfer-Encoding: binary

          LF\0CR\u00ff
          --b--
          """
              .replace("\n", "\r\n")
              .replace("LF", "\n")
              .replace("CR", "\r");
      try (var client = client("submission-plain")) {
        assertThat(client.send(LOGIN)).startsWith("235");
        client.begin("ana@example.org", "joe@elsewhere.example");
        assertThat(client.last(message)).startsWith("250 2.0.0 Queued");
      }
      var text = String.valueOf(arrived.poll(20, TimeUnit.SECONDS));
      var octets = text.substring(text.indexOf("\r\n") + 2).getBytes(ISO_8859_1);
      assertThat(text).startsWith(eightBit ? "MAIL FROM:<ana@example.org> BODY=8BITMIME" : "MAIL");
      RecodingPropertyTest.assertText(octets, eightBit ? Target.TEXT : Target.SEVEN_BIT, text);
      assertThat(RecodingPropertyTest.contents(octets))
          .isEqualTo(RecodingPropertyTest.contents(message.getBytes(ISO_8859_1)));
    }
  }

  /// Takes one message: the line of MAIL, and below it what came after DATA.
  private static void takeOne(ServerSocket sink, boolean eightBit, BlockingQueue<String> arrived) {
    try (var socket = sink.accept();
        var in = new BufferedReader(new InputStreamReader(socket.getInputStream(), ISO_8859_1))) {
      socket.setSoTimeout(20_000);
      var out = socket.getOutputStream();
      out.write("220 sink.example ESMTP\r\n".getBytes(ISO_8859_1));
      var message = new StringBuilder();
      for (var line = in.readLine(); line != null; line = in.readLine()) {
        if (line.startsWith("EHLO") && eightBit) {
          out.write("250-sink.example\r\n250 8BITMIME\r\n".getBytes(ISO_8859_1));
        } else if (line.equals("DATA")) {
          out.write("354 go on\r\n".getBytes(ISO_8859_1));
          for (line = in.readLine(); line != null && !line.equals("."); line = in.readLine()) {
            message.append(line.startsWith(".") ? line.substring(1) : line).append("\r\n");
          }
          arrived.add(message.toString());
          out.write("250 2.0.0 taken\r\n".getBytes(ISO_8859_1));
        } else {
          if (line.startsWith("MAIL")) {
            message.append(line).append("\r\n");
          }
          out.write("250 2.0.0 fine\r\n".getBytes(ISO_8859_1));
        }
      }
    } catch (IOException e) {
      // The test waits for a message that does not come, and says so.
      System.getLogger(BinaryMimeTest.class.getName()).log(System.Logger.Level.INFO, "sink", e);
    }
  }
}
