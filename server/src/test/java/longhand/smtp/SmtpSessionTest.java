package longhand.smtp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;
import longhand.dialog.TestServer;
import longhand.disk.FileSystemDisk;
import longhand.dkim.DkimKeyFolder;
import longhand.dkim.DkimResult;
import longhand.dkim.DkimVerifier;
import longhand.dkim.KeyAnswer;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;
import longhand.store.Mailbox;
import longhand.store.MailboxException;
import longhand.wire.Limits;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What a session does with messages: what is stored, and what limits and slow peers lead to.
class SmtpSessionTest {

  private static final Limits LIMITS =
      Limits.DEFAULT
          .with("smtpErrorDelay", Duration.ofMillis(100))
          .with("smtpConnectionsPerIpMinuteMax", 100_000)
          .with("smtpConnectionsPerIpMax", 1000)
          .with("messageOctetsMax", 65_536)
          .with("smtpTextLineOctetsMax", 30_000)
          .with("smtpRecipientsMax", 100)
          .with("accountMessagesHourMax", 3)
          .with("accountRecipientsHourMax", 5)
          .with("headerFieldsMax", 200)
          .with("smtpIdleTimeout", Duration.ofMillis(700))
          .with("smtpStressIdleTimeout", Duration.ofMillis(300))
          .with("dataRateMin", 1000)
          .with("dataRateGrace", Duration.ofMillis(300))
          .with("outputTimeout", Duration.ofMillis(500))
          .with("tlsHandshakeTimeout", Duration.ofMillis(500));

  @TempDir Path data;
  private TestServer server;

  @BeforeEach
  void open() throws IOException {
    server = new TestServer(data, LIMITS);
  }

  @AfterEach
  void close() throws IOException {
    server.close();
  }

  /// A client that waits for each answer.
  private static final class Client implements AutoCloseable {
    private final Socket socket;
    private final BufferedReader in;

    Client(Socket socket) throws IOException {
      this.socket = socket;
      in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
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

    /// All lines of an answer.
    List<String> lines() throws IOException {
      var lines = new ArrayList<String>();
      String line;
      do {
        line = String.valueOf(in.readLine());
        lines.add(line);
      } while (line.length() > 3 && line.charAt(3) == '-');
      return lines;
    }

    void raw(String text) throws IOException {
      socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    String send(String line) throws IOException {
      raw(line + "\r\n");
      return answer();
    }

    /// Says hello, MAIL and RCPT, and DATA.
    void begin(String from, String... to) throws IOException {
      assertThat(send("EHLO client.example")).startsWith("250");
      assertThat(send("MAIL FROM:<" + from + ">")).startsWith("250");
      for (var recipient : to) {
        assertThat(send("RCPT TO:<" + recipient + ">")).startsWith("250");
      }
      assertThat(send("DATA")).startsWith("354");
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  private Client client(String listener) throws IOException {
    return new Client(server.connect(listener));
  }

  @Test
  void aMessageIsStoredOctetForOctetUnderItsTraceFields() throws Exception {
    var message = new StringBuilder("Subject: x\r\nReturn-Path: <forged>\r\n\r\n");
    for (char c = 0; c < 256; c++) {
      message.append(c == '\r' || c == '\n' ? "\r\n" : c);
    }
    message.append("\r\nFrom joe Mon\r\n>From x\r\nno newline after this");
    try (var client = client("smtp")) {
      client.begin("joe@client.example", "Ana+List@Example.ORG");
      assertThat(client.send(message + "\r\n.")).startsWith("250 2.0.0 Stored, id ");
    }
    var stored = server.inbox("ana").getFirst();
    var lines = stored.substring(0, stored.indexOf("Subject:"));
    assertThat(lines)
        .startsWith(
            String.join(
                "\r\n",
                "Return-Path: <joe@client.example>",
                "Delivered-To: Ana+List@example.org",
                "Received: from client.example ([127.0.0.1])",
                "\tby mx.example.org with ESMTP",
                "\tid "))
        .contains(" for <Ana+List@example.org>;\r\n\t")
        .endsWith(" +0000\r\n");
    assertThat(stored).endsWith("\r\n" + message + "\r\n");
  }

  @Test
  void chunksAreStoredAsTheyAreWithoutAFinalLineEndToo() throws Exception {
    try (var client = client("smtp")) {
      client.send("EHLO client.example");
      client.send("MAIL FROM:<>");
      client.send("RCPT TO:<ana@example.org>");
      client.raw("BDAT 12\r\nSubject: x\r\n");
      client.answer();
      client.raw("BDAT 9 LAST\r\n\r\n.\r\n..ab");
      assertThat(client.answer()).startsWith("250");
    }
    assertThat(server.inbox("ana").getFirst())
        .startsWith("Return-Path: <>\r\n")
        .contains("\r\nSubject: x\r\n\r\n.\r\n..ab");
  }

  @Test
  void tlsAndUserAreInTheReceivedField() throws Exception {
    try (var client = client("submissions")) {
      client.send("EHLO client.example");
      assertThat(client.send("AUTH PLAIN AGFuYQBzZWNyZXQ=")).startsWith("235");
      client.begin("ana@example.org", "ben@example.org");
      assertThat(client.send("Subject: x\r\n\r\nhello\r\n.")).startsWith("250");
    }
    var stored = server.inbox("ben").getFirst();
    assertThat(stored)
        .contains("with ESMTPSA (TLSv1.3 TLS_AES_")
        .contains("\r\nFrom: <ana@example.org>\r\nDate: ")
        .contains("\r\nMessage-ID: <")
        .contains("@mx.example.org>\r\nSubject: x\r\n\r\nhello\r\n");
  }

  @Test
  void whatAUserWroteIsNotAddedAgain() throws Exception {
    var message =
        String.join(
            "\r\n",
            "Date: Mon, 23 Nov 2026 04:00:00 +0000",
            "from: A <ANA+x@example.org>",
            "MESSAGE-ID: <a@b>",
            "",
            "");
    try (var client = client("submission-plain")) {
      client.send("EHLO client.example");
      client.send("AUTH PLAIN AGFuYQBzZWNyZXQ=");
      client.begin("ana@example.org", "ben@example.org");
      assertThat(client.send(message + ".")).startsWith("250");
    }
    var stored = server.inbox("ben").getFirst();
    assertThat(stored).endsWith(" +0000\r\n" + message);
    assertThat(stored.split("Date: ", -1)).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "From: ben@example.org",
        "From: ana@example.org\r\nFrom: ben@example.org",
        "From: ana@example.org, ben@example.org",
        "From: \"ana@example.org\" <joe@elsewhere.example>",
        "From:"
      })
  void aUserIsFromThatUserOnly(String field) throws Exception {
    try (var client = client("submission-plain")) {
      client.send("EHLO client.example");
      client.send("AUTH PLAIN AGFuYQBzZWNyZXQ=");
      client.begin("ana@example.org", "ben@example.org");
      assertThat(client.send(field + "\r\n\r\n.")).startsWith("550 5.7.1");
    }
    assertThat(server.inbox("ben")).isEmpty();
  }

  @Test
  void oneAccountNamedTwiceGetsTheMessageOnce() throws Exception {
    try (var client = client("smtp")) {
      client.begin(
          "joe@client.example",
          "ana@example.org",
          "ANA@example.org",
          "ana+x@example.org",
          "ben@example.org");
      assertThat(client.send(".")).startsWith("250");
    }
    assertThat(server.inbox("ana")).hasSize(1);
    assertThat(server.inbox("ben")).hasSize(1);
    assertThat(server.inbox("ben").getFirst()).contains("Delivered-To: ben@").doesNotContain("ana");
  }

  @Test
  void aBrokenConnectionDeliversNothing() throws Exception {
    try (var client = client("smtp")) {
      client.begin("joe@client.example", "ana@example.org");
      client.raw("Subject: x\r\n\r\nhalf\r\n.\r");
    }
    try (var client = client("smtp")) {
      client.begin("joe@client.example", "ana@example.org");
      assertThat(client.send(".")).startsWith("250");
    }
    assertThat(server.inbox("ana")).hasSize(1);
  }

  @Test
  void quotaOfAnAccountIsKept() throws Exception {
    try (var client = client("smtp")) {
      client.begin("joe@client.example", "tiny@example.org");
      assertThat(client.send("x".repeat(1200) + "\r\n.")).startsWith("250");
      client.begin("joe@client.example", "tiny@example.org", "ana@example.org");
      // One answer for both: neither has it.
      assertThat(client.send("x".repeat(1200) + "\r\n.")).startsWith("452 4.2.2");
      client.send("MAIL FROM:<> SIZE=900");
      assertThat(client.send("RCPT TO:<tiny@example.org>")).startsWith("452 4.2.2");
    }
    assertThat(server.inbox("tiny")).hasSize(1);
    assertThat(server.inbox("ana")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"65536,250", "65537,552"})
  void messageSizeAtItsEdge(int octets, int code) throws Exception {
    var message = ("\r\n" + "x".repeat(998)).repeat(65) + "\r\n";
    var padded = message + "y".repeat(octets - message.length() - 2) + "\r\n";
    try (var client = client("smtp")) {
      client.begin("joe@client.example", "ana@example.org");
      assertThat(client.send(padded + ".")).startsWith(Integer.toString(code));
      client.send("MAIL FROM:<>");
      client.send("RCPT TO:<ana@example.org>");
      client.raw("BDAT " + octets + " LAST\r\n" + padded);
      assertThat(client.answer()).startsWith(Integer.toString(code));
      assertThat(client.send("NOOP")).startsWith("250");
    }
  }

  @Test
  void farTooMuchIsNotReadToItsEnd() throws Exception {
    try (var client = client("smtp")) {
      client.begin("joe@client.example", "ana@example.org");
      var block = "x".repeat(998) + "\r\n";
      assertThat(client.send(block.repeat(140))).startsWith("552 5.3.4");
      assertThat(client.answer()).isEqualTo("closed");
    }
    try (var client = client("smtp")) {
      client.send("EHLO client.example");
      assertThat(client.send("BDAT 999999999999")).startsWith("552 5.3.4");
      assertThat(client.answer()).isEqualTo("closed");
    }
  }

  @ParameterizedTest
  @CsvSource({"30000,250", "30001,554"})
  void textLineAtItsEdge(int octets, int code) throws Exception {
    try (var client = client("smtp")) {
      client.begin("joe@client.example", "ana@example.org");
      assertThat(client.send("\r\n" + "x".repeat(octets) + "\r\n."))
          .startsWith(Integer.toString(code));
    }
  }

  @ParameterizedTest
  @CsvSource({"200,250", "201,552"})
  void headerFieldsAtTheirEdge(int fields, int code) throws Exception {
    try (var client = client("smtp")) {
      client.begin("joe@client.example", "ana@example.org");
      assertThat(client.send("X: y\r\n".repeat(fields) + "\r\n."))
          .startsWith(Integer.toString(code));
    }
  }

  @Test
  void recipientsAtTheirEdge() throws Exception {
    try (var client = client("smtp")) {
      client.send("EHLO client.example");
      client.send("MAIL FROM:<>");
      for (int i = 0; i < 100; i++) {
        assertThat(client.send("RCPT TO:<ana+" + i + "@example.org>")).startsWith("250");
      }
      assertThat(client.send("RCPT TO:<ana@example.org>")).startsWith("452 4.5.3");
      assertThat(client.send("DATA")).startsWith("354");
      assertThat(client.send(".")).startsWith("250");
    }
    assertThat(server.inbox("ana")).hasSize(1);
  }

  @Test
  void withTooLittleSpaceOnTheDiskNothingIsTaken() throws Exception {
    var limits = LIMITS.with("diskFreeMegabytesMin", Integer.MAX_VALUE);
    try (var full = new TestServer(data.resolve("full"), limits);
        var client = new Client(full.connect("smtp"))) {
      client.send("EHLO client.example");
      assertThat(client.send("MAIL FROM:<a@example.org>")).startsWith("452 4.3.1");
      assertThat(client.send("NOOP")).startsWith("250");
    }
  }

  @Test
  void silenceIsAnsweredAndClosed() throws Exception {
    try (var client = client("smtp")) {
      assertThat(client.answer()).startsWith("421 4.4.2");
      assertThat(client.answer()).isEqualTo("closed");
    }
  }

  @Test
  void aLineMustBeWholeInTime() throws Exception {
    try (var client = client("smtp")) {
      long began = System.nanoTime();
      try {
        for (int i = 0; i < 40; i++) {
          client.raw("N");
          Thread.sleep(100);
        }
      } catch (IOException e) {
        // Closed while we were still dripping.
        assertThat(e).hasMessageContaining("");
      }
      assertThat(System.nanoTime() - began).isLessThan(10_000_000_000L);
      assertThat(client.answer()).startsWith("421 4.4.2");
    }
  }

  @Test
  void aSessionWithoutMessagesEnds() throws Exception {
    var limits = LIMITS.with("smtpSessionMax", Duration.ofMillis(700));
    try (var shortLived = new TestServer(data.resolve("short"), limits);
        var client = new Client(shortLived.connect("smtp"))) {
      String answer = "250";
      long began = System.nanoTime();
      for (int i = 0; i < 100 && answer.startsWith("250"); i++) {
        Thread.sleep(50);
        answer = client.send("NOOP");
      }
      assertThat(answer).startsWith("421 4.4.2");
      assertThat(System.nanoTime() - began).isGreaterThan(600_000_000L);
    }
  }

  @Test
  void drippingDataIsTooSlow() throws Exception {
    try (var client = client("smtp")) {
      client.begin("joe@client.example", "ana@example.org");
      for (int i = 0; i < 8; i++) {
        client.raw("x\r\n");
        Thread.sleep(100);
      }
      assertThat(client.answer()).isEqualTo("421 4.4.2 Too slow; closing");
    }
    assertThat(server.inbox("ana")).isEmpty();
  }

  @Test
  void handshakesThatDripAreClosed() throws Exception {
    try (var socket = new Socket()) {
      socket.connect(server.listener("smtps").address());
      socket.setSoTimeout(5000);
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
  }

  @Test
  void aPeerThatDoesNotReadIsClosed() throws Exception {
    var listener = server.listener("smtp");
    try (var socket = new Socket()) {
      socket.setReceiveBufferSize(4096);
      socket.connect(listener.address());
      socket.setSoTimeout(5000);
      var help = "HELP\r\n".repeat(10_000).getBytes(StandardCharsets.US_ASCII);
      long until = System.nanoTime() + Duration.ofSeconds(10).toNanos();
      try {
        while (listener.counts().overdue.sum() == 0 && System.nanoTime() < until) {
          socket.getOutputStream().write(help);
        }
      } catch (IOException e) {
        // It has closed.
        assertThat(e).isNotNull();
      }
      for (int i = 0; i < 100 && listener.counts().overdue.sum() == 0; i++) {
        Thread.sleep(20);
      }
      assertThat(listener.counts().overdue.sum()).isEqualTo(1);
    }
  }

  @Test
  void errorsBeyondTheSoftLimitAreAnsweredLate() throws Exception {
    try (var client = client("smtp")) {
      long began = System.nanoTime();
      for (int i = 0; i < 8; i++) {
        assertThat(client.send("RUBBISH")).startsWith("500");
      }
      assertThat(System.nanoTime() - began).isGreaterThan(300_000_000L);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"smtp", "smtps"})
  void shuttingDownIsSaid(String listener) throws Exception {
    try (var client = client(listener)) {
      client.send("EHLO client.example");
      long began = System.nanoTime();
      server.listener(listener).close(Duration.ofSeconds(2));
      assertThat(System.nanoTime() - began).isLessThan(1_500_000_000L);
      assertThat(client.answer()).startsWith("421 4.3.2");
      assertThat(client.answer()).isEqualTo("closed");
    }
  }

  @Test
  void manyAtOnce() throws Exception {
    try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
      Callable<Integer> task =
          () -> {
            int accepted = 0;
            try (var client = client("smtp")) {
              for (int i = 0; i < 10; i++) {
                client.begin("joe@client.example", "ana@example.org", "ben@example.org");
                accepted += client.send("Subject: x\r\n\r\nhello\r\n.").startsWith("250") ? 1 : 0;
              }
            }
            return accepted;
          };
      int accepted = 0;
      for (var future : pool.invokeAll(java.util.Collections.nCopies(20, task))) {
        accepted += future.get();
      }
      assertThat(accepted).isEqualTo(200);
    }
    assertThat(inboxes("ana", "ben")).containsExactly(200, 200);
  }

  /// RFC 5802, from the client's side; the server's last word is a challenge that is answered with
  /// an empty line (RFC 4954 §4).
  @Test
  void scram() throws Exception {
    try (var client = client("submission-plain")) {
      client.send("EHLO client.example");
      var bare = "n=ana@example.org,r=abcdefgh";
      var serverFirst = challenge(client.send("AUTH SCRAM-SHA-256 " + base64("n,," + bare)));
      var parts = serverFirst.split(",", -1);
      var salt = Base64.getDecoder().decode(parts[1].substring(2));
      int rounds = Integer.parseInt(parts[2].substring(2));
      var salted =
          SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
              .generateSecret(new PBEKeySpec("secret".toCharArray(), salt, rounds, 256))
              .getEncoded();
      var last = "c=biws," + parts[0];
      var message = bare + "," + serverFirst + "," + last;
      var clientKey = hmac(salted, "Client Key");
      var proof = hmac(MessageDigest.getInstance("SHA-256").digest(clientKey), message);
      for (int i = 0; i < proof.length; i++) {
        proof[i] ^= clientKey[i];
      }
      var serverFinal =
          challenge(client.send(base64(last + ",p=" + Base64.getEncoder().encodeToString(proof))));
      assertThat(serverFinal)
          .isEqualTo(
              "v=" + Base64.getEncoder().encodeToString(hmac(hmac(salted, "Server Key"), message)));
      assertThat(client.send("")).startsWith("235 2.7.0");
      assertThat(client.send("MAIL FROM:<ana@example.org>")).startsWith("250");
    }
  }

  private static byte[] hmac(byte[] key, String text) throws Exception {
    var mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String challenge(String reply) {
    assertThat(reply).startsWith("334 ");
    return new String(Base64.getDecoder().decode(reply.substring(4)), StandardCharsets.UTF_8);
  }

  @Test
  void aDocumentThatCannotBeReadHarmsNoOther() throws Exception {
    Files.createDirectories(data.resolve("mail/example.org/ben/x"));
    try (var client = client("smtp")) {
      client.send("EHLO client.example");
      client.send("MAIL FROM:<>");
      assertThat(client.send("RCPT TO:<ben@example.org>")).startsWith("451 4.3.0");
      assertThat(client.send("RCPT TO:<ana@example.org>")).startsWith("250");
      assertThat(client.send("DATA")).startsWith("354");
      assertThat(client.send(".")).startsWith("250");
    }
    assertThat(server.inbox("ana")).hasSize(1);
  }

  @Test
  void lmtpTellsEachRecipientItsOwn() throws Exception {
    try (var client = client("lmtp")) {
      client.send("LHLO client.example");
      client.send("MAIL FROM:<joe@client.example>");
      for (var name : new String[] {"ana", "tiny", "ana+x", "ben"}) {
        assertThat(client.send("RCPT TO:<" + name + "@example.org>")).startsWith("250");
      }
      client.send("DATA");
      assertThat(client.send("x".repeat(3000) + "\r\n.")).startsWith("250 2.0.0");
      assertThat(client.answer()).startsWith("552 5.2.2");
      assertThat(client.answer()).startsWith("250 2.0.0");
      assertThat(client.answer()).startsWith("250 2.0.0");
      assertThat(client.send("NOOP")).startsWith("250 2.0.0 OK");
    }
    assertThat(inboxes("ana", "tiny", "ben")).containsExactly(1, 0, 1);
    assertThat(server.inbox("ana").getFirst()).contains(" with LMTP\r\n");
  }

  /// Whatever way of ending data some server knows: nothing behind it is taken for a command, and
  /// nothing is delivered.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "\n.\n",
        "\n.\r\n",
        "\r\n.\n",
        "\r.\r",
        "\r.\r\n",
        "\r\n.\r",
        "\r\r\n.\r\n",
        "\n\n.\r\n",
        "\r\n.\r\r\n",
        "\r\n\0.\n"
      })
  void nothingIsSmuggled(String end) throws Exception {
    try (var client = client("smtp")) {
      client.begin("joe@client.example", "ana@example.org");
      client.raw(
          "first"
              + end
              + "MAIL FROM:<admin@example.org>\r\nRCPT TO:<ben@example.org>\r\nDATA\r\nx\r\n.\r\n");
      assertThat(client.answer()).startsWith("521 5.5.2");
      assertThat(client.answer()).isEqualTo("closed");
    }
    assertThat(inboxes("ana", "ben")).containsExactly(0, 0);
  }

  private int[] inboxes(String... names) {
    return Arrays.stream(names)
        .mapToInt(
            name -> {
              try {
                return server.inbox(name).size();
              } catch (IOException | MailboxException e) {
                throw new IllegalStateException(e);
              }
            })
        .toArray();
  }

  /// What our users send to other servers bears both signatures of their domain, over the fields
  /// that were added too.
  @Test
  void whatUsersSendIsSigned() throws Exception {
    var folder = new DkimKeyFolder(data, TestServer.DOMAIN, new FileSystemDisk());
    assertThat(folder.create(Instant.now())).isTrue();
    try (var client =
        new Client(
            new Socket(
                server.listener("submission-plain").address().getAddress(),
                server.listener("submission-plain").address().getPort()))) {
      assertThat(client.send("EHLO client.example")).startsWith("250");
      assertThat(client.send("AUTH PLAIN AGFuYQBzZWNyZXQ=")).startsWith("235");
      assertThat(client.send("MAIL FROM:<ana@example.org>")).startsWith("250");
      assertThat(client.send("RCPT TO:<joe@elsewhere.example>")).startsWith("250");
      assertThat(client.send("DATA")).startsWith("354");
      client.raw("From: Ana <ana@example.org>\r\nSubject: hello\r\n\r\n.. text\r\n");
      assertThat(client.send(".")).startsWith("250 2.0.0 Queued");
    }
    var account = server.store.account(new Address("1", new Domain("queue.invalid")));
    String text;
    try (var view = account.view(Mailbox.INBOX, false);
        var in = account.open(view.at(1))) {
      text = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    }
    var message = text.substring(text.indexOf("Received: "));
    assertThat(message).contains("\r\nDKIM-Signature: ", "\r\nDate: ", "\r\nMessage-ID: <");
    var published = new HashMap<String, KeyAnswer>();
    for (var held : folder.keys()) {
      published.put(
          held.key().selector() + "._domainkey.example.org",
          new KeyAnswer.Found(List.of(held.key().publicText())));
    }
    var verification = new DkimVerifier(published::get, Clock.systemUTC()).begin();
    var octets = message.getBytes(StandardCharsets.ISO_8859_1);
    verification.write(octets, 0, octets.length);
    assertThat(verification.finish().results())
        .hasSize(2)
        .allMatch(result -> result instanceof DkimResult.Pass);
  }

  /// The header says how the message may travel, unless MAIL does (RFC 8689 §5).
  @ParameterizedTest
  @CsvSource({
    "'', TLS-Required: No, ' TLS-REQUIRED=NO'",
    "' MT-PRIORITY=4', TLS-Required: No, ' MT-PRIORITY=4 TLS-REQUIRED=NO'",
    "' REQUIRETLS', TLS-Required: No, ' REQUIRETLS'",
    "'', TLS-Required: Yes, ''"
  })
  void tlsRequiredNoIsKeptWithTheMessage(String said, String field, String kept) throws Exception {
    try (var client = client("submissions")) {
      assertThat(client.send("EHLO client.example")).startsWith("250");
      assertThat(client.send("AUTH PLAIN AGFuYQBzZWNyZXQ=")).startsWith("235");
      assertThat(client.send("MAIL FROM:<ana@example.org>" + said)).startsWith("250");
      assertThat(client.send("RCPT TO:<joe@elsewhere.example>")).startsWith("250");
      assertThat(client.send("DATA")).startsWith("354");
      assertThat(client.send(field + "\r\n\r\ntext\r\n.")).startsWith("250 2.0.0 Queued");
    }
    var account = server.store.account(new Address("1", new Domain("queue.invalid")));
    try (var view = account.view(Mailbox.INBOX, false);
        var in = account.open(view.at(1))) {
      assertThat(new String(in.readAllBytes(), StandardCharsets.ISO_8859_1))
          .contains("\r\nQueue-From: <ana@example.org>" + kept + "\r\n", "\r\n" + field + "\r\n");
    }
  }

  /// A stolen password does little: so many messages and recipients an hour, whatever the session.
  @Test
  void anAccountSendsOnlySoMuch() throws Exception {
    var address = server.listener("submission-plain").address();
    for (int message = 1; message <= 4; message++) {
      try (var client = new Client(new Socket(address.getAddress(), address.getPort()))) {
        assertThat(client.send("EHLO client.example")).startsWith("250");
        assertThat(client.send("AUTH PLAIN AGFuYQBzZWNyZXQ=")).startsWith("235");
        assertThat(client.send("MAIL FROM:<ana@example.org>")).startsWith("250");
        var first = client.send("RCPT TO:<ben@example.org>");
        if (message == 3) {
          // Four recipients were sent to, one more may be.
          assertThat(first).startsWith("250");
          assertThat(client.send("RCPT TO:<joe@example.net>"))
              .startsWith("450 4.7.1 This account may send to 5 recipients in an hour; more after");
        } else if (message == 4) {
          assertThat(first).startsWith("450 4.7.1");
          continue;
        } else {
          assertThat(client.send("RCPT TO:<joe@example.net>")).startsWith("250");
        }
        assertThat(client.send("DATA")).startsWith("354");
        client.raw("From: ana@example.org\r\n\r\ntext\r\n");
        assertThat(client.send(".")).startsWith("250");
      }
    }
  }

  private static final String PROXIED =
      "XCLIENT NAME=client.example.net ADDR=IPV6:2001:db8::7 PORT=4000 PROTO=SMTP"
          + " HELO=its.own.name DESTADDR=192.0.2.1 DESTPORT=25";

  /// Postfix's XCLIENT_README: the word of a proxy that is trusted, and of nobody else.
  @Test
  void aProxySpeaksForItsClient() throws Exception {
    try (var client = client("proxied-smtp")) {
      client.raw("EHLO proxy.example\r\n");
      var said = client.lines();
      assertThat(said).contains("250-XCLIENT NAME ADDR PORT PROTO HELO DESTADDR DESTPORT");
      assertThat(client.send(PROXIED)).isEqualTo("220 mx.example.org ESMTP Longhand");
      assertThat(client.send("MAIL FROM:<a@b.example>")).startsWith("503 5.5.1");
      assertThat(client.send("EHLO proxy.example")).startsWith("250");
      assertThat(client.send("MAIL FROM:<a@b.example>")).startsWith("250");
      assertThat(client.send(PROXIED)).startsWith("503 5.5.1");
      assertThat(client.send("RCPT TO:<ana@example.org>")).startsWith("250");
      assertThat(client.send("DATA")).startsWith("354");
      assertThat(client.send("Subject: x\r\n\r\nbody\r\n.")).startsWith("250");
      // What is said later stands beside what was said before.
      assertThat(client.send("XCLIENT ADDR=192.0.2.9 NAME=[UNAVAILABLE]")).startsWith("220");
      client.begin("a@b.example", "ana@example.org");
      assertThat(client.send("Subject: y\r\n\r\nbody\r\n.")).startsWith("250");
    }
    var inbox = server.inbox("ana");
    assertThat(inbox).hasSize(2);
    assertThat(inbox.get(0))
        .contains(
            "Received: from its.own.name (client.example.net [IPv6:2001:db8:0:0:0:0:0:7])\r\n",
            "\tby mx.example.org with SMTP\r\n");
    assertThat(inbox.get(1)).contains("Received: from its.own.name ([192.0.2.9])\r\n");
  }

  @Test
  void nobodyElseSpeaksForOthers() throws Exception {
    for (var listener : List.of("smtp", "submission", "lmtp")) {
      try (var client = client(listener)) {
        client.raw((listener.equals("lmtp") ? "LHLO" : "EHLO") + " a.example\r\n");
        assertThat(client.lines()).noneMatch(line -> line.contains("XCLIENT"));
        assertThat(client.send(PROXIED)).startsWith("550 5.7.0");
      }
    }
  }

  @Test
  void aProxySaysWhoLoggedIn() throws Exception {
    try (var client = client("proxied-submission")) {
      for (var wrong : List.of("nobody@example.org", "gone@example.org", "ana@example.net", "@")) {
        assertThat(client.send("XCLIENT LOGIN=" + wrong)).as(wrong).startsWith("535 5.7.8");
      }
      client.send("EHLO proxy.example");
      assertThat(client.send("MAIL FROM:<ana@example.org>")).startsWith("530");
      assertThat(client.send("XCLIENT LOGIN=Ana@example.org")).startsWith("220");
      assertThat(client.send("XCLIENT ADDR=192.0.2.9")).startsWith("220");
      client.send("EHLO proxy.example");
      assertThat(client.send("MAIL FROM:<ben@example.org>")).startsWith("553");
      assertThat(client.send("MAIL FROM:<ana@example.org>")).startsWith("250");
      assertThat(client.send("RSET")).startsWith("250");
      assertThat(client.send("XCLIENT LOGIN=[UNAVAILABLE]")).startsWith("220");
      client.send("EHLO proxy.example");
      assertThat(client.send("MAIL FROM:<ana@example.org>")).startsWith("530");
    }
    // On port 25 nobody logs in, whatever is said.
    try (var client = client("proxied-smtp")) {
      assertThat(client.send("XCLIENT LOGIN=ana@example.org")).startsWith("220");
      client.send("EHLO proxy.example");
      assertThat(client.send("MAIL FROM:<ana@example.org>")).startsWith("250");
      assertThat(client.send("RCPT TO:<joe@elsewhere.example>")).startsWith("550 5.7.1");
    }
  }

  /// A password given in one client's name counts for no other.
  @Test
  void aLoginEndsWhereAnotherClientIsSpokenFor() throws Exception {
    try (var client = client("proxied-submission-plain")) {
      client.send("EHLO proxy.example");
      assertThat(client.send("AUTH PLAIN AGFuYQBzZWNyZXQ=")).startsWith("235");
      assertThat(client.send("XCLIENT ADDR=192.0.2.9")).startsWith("220");
      client.send("EHLO proxy.example");
      assertThat(client.send("MAIL FROM:<ana@example.org>")).startsWith("530");
    }
  }

  /// RCPT to an address that mail came back from says who said so, as no error of the client's.
  @Test
  void anAddressThatDoesNotExistIsRefusedToWhoKnows() throws Exception {
    var joe = new Address("joe", new Domain("example.net"));
    server.sending.bounced(
        new Address("ana", TestServer.DOMAIN),
        joe,
        new EnhancedStatus(5, 1, 10),
        "556 5.1.10 no mail here");
    for (var login : List.of("AGFuYQBzZWNyZXQ=", "AGJlbgBzZWNyZXQ=")) {
      try (var client = client("submission-plain")) {
        assertThat(client.send("EHLO client.example")).startsWith("250");
        assertThat(client.send("AUTH PLAIN " + login)).startsWith("235");
        boolean ana = login.startsWith("AGFu");
        var from = ana ? "ana" : "ben";
        assertThat(client.send("MAIL FROM:<" + from + "@example.org>")).startsWith("250");
        if (!ana) {
          assertThat(client.send("RCPT TO:<joe@example.net>")).startsWith("250");
          continue;
        }
        for (int i = 0; i < 25; i++) {
          client.raw("RCPT TO:<Joe@example.net>\r\n");
          assertThat(client.in.readLine())
              .startsWith("550-5.1.10 Nothing is sent to joe@example.net: mail came back on 20");
          assertThat(client.in.readLine())
              .isEqualTo("550-5.1.10 What was said: 556 5.1.10 no mail here");
          assertThat(client.in.readLine())
              .isEqualTo(
                  "550 5.1.10 To end this now: longhand suppression remove ana@example.org"
                      + " joe@example.net");
        }
        assertThat(client.send("RCPT TO:<jim@example.net>")).startsWith("250");
        server.sending.allow(new Address("ana", TestServer.DOMAIN), joe);
        assertThat(client.send("RCPT TO:<joe@example.net>")).startsWith("250");
      }
    }
  }
}
