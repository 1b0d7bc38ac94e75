package longhand.imap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import longhand.imap.ImapTestServer.Client;
import longhand.store.Flag;
import longhand.store.Marks;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Sessions beside each other, and what scripts cannot say.
class ImapSessionTest {

  private static final String MESSAGE = "Subject: x\r\n\r\nbody\r\n";

  @TempDir Path data;
  private ImapTestServer server;
  private int port;

  @BeforeEach
  void open() throws Exception {
    server = new ImapTestServer(data);
    port = server.port(true, false);
  }

  @AfterEach
  void close() throws Exception {
    server.close();
  }

  private static String last(List<String> lines) {
    return lines.getLast();
  }

  @Test
  void oneSessionSeesWhatAnotherDoes() throws Exception {
    try (var one = Client.of(port, "ana");
        var two = Client.of(port, "ana")) {
      one.append("INBOX", MESSAGE);
      one.append("INBOX", MESSAGE);
      one.append("INBOX", MESSAGE);
      one.command("SELECT INBOX");
      two.command("SELECT INBOX");
      assertThat(one.command("STORE 2 +FLAGS (\\Flagged)"))
          .containsExactly("* 2 FETCH (FLAGS (\\Flagged \\Recent))", "OK STORE completed");
      assertThat(two.command("NOOP"))
          .containsExactly("* 2 FETCH (FLAGS (\\Flagged))", "OK NOOP completed");
      one.append("INBOX", MESSAGE);
      assertThat(two.command("NOOP")).contains("* 4 EXISTS").endsWith("OK NOOP completed");
      one.command("STORE 1,3 +FLAGS.SILENT (\\Deleted)");
      assertThat(one.command("EXPUNGE"))
          .containsExactly("* 1 EXPUNGE", "* 2 EXPUNGE", "OK EXPUNGE completed");
      // No EXPUNGE while FETCH, STORE, SEARCH count by numbers (RFC 3501 §7.4.1).
      assertThat(two.command("FETCH 4 (UID)"))
          .containsExactly("* 4 FETCH (UID 4)", "OK FETCH completed");
      assertThat(two.command("SEARCH ALL").getFirst()).isEqualTo("* SEARCH 1 2 3 4");
      assertThat(last(two.command("STORE 1 +FLAGS (\\Seen)"))).startsWith("NO [EXPUNGEISSUED]");
      assertThat(two.command("COPY 4 Trash"))
          .containsExactly(
              "* 1 EXPUNGE",
              "* 2 EXPUNGE",
              last(List.of("OK [COPYUID " + validity("Trash") + " 4 1] COPY completed")));
      assertThat(two.command("FETCH 1:* UID"))
          .containsExactly("* 1 FETCH (UID 2)", "* 2 FETCH (UID 4)", "OK FETCH completed");
    }
  }

  private long validity(String name) throws Exception {
    return server.account("ana").mailbox(name).orElseThrow().uidValidity();
  }

  @Test
  void silentStoresStillTellWhatOthersDid() throws Exception {
    try (var one = Client.of(port, "ana");
        var two = Client.of(port, "ana")) {
      one.append("INBOX", MESSAGE);
      one.command("SELECT INBOX");
      two.command("SELECT INBOX");
      two.command("STORE 1 +FLAGS (\\Flagged)");
      assertThat(one.command("STORE 1 +FLAGS.SILENT (\\Seen)"))
          .containsExactly("* 1 FETCH (FLAGS (\\Flagged \\Recent))", "OK STORE completed");
      assertThat(two.command("UID STORE 1 +FLAGS.SILENT (\\Draft)"))
          .containsExactly("* 1 FETCH (UID 1 FLAGS (\\Seen \\Flagged))", "OK STORE completed");
    }
  }

  @Test
  void idleTellsAtOnce() throws Exception {
    try (var idle = Client.of(port, "ana");
        var other = Client.of(port, "ana")) {
      idle.command("SELECT INBOX");
      idle.send("i IDLE\r\n");
      assertEquals("+ idling", idle.line());
      server.deliver("ana", MESSAGE);
      assertEquals("* 1 EXISTS", idle.line());
      assertThat(idle.line()).endsWith("RECENT");
      other.command("SELECT INBOX");
      other.command("STORE 1 +FLAGS (\\Deleted keyword)");
      assertEquals("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft keyword)", idle.line());
      assertThat(idle.line()).startsWith("* 1 FETCH (FLAGS (\\Deleted keyword");
      other.command("EXPUNGE");
      assertEquals("* 1 EXPUNGE", idle.line());
      for (int i = 0; i < 20; i++) {
        server.deliver("ana", MESSAGE);
      }
      var line = "";
      while (!line.equals("* 20 EXISTS")) {
        line = String.valueOf(idle.line());
      }
      idle.send("DONE\r\n");
      assertThat(last(idle.until("i"))).isEqualTo("OK IDLE completed");
      // What happened just before DONE is not lost, and nothing is told when idling is over.
      server.deliver("ana", MESSAGE);
      assertThat(idle.command("NOOP")).contains("* 21 EXISTS");
    }
  }

  @Test
  void aMailboxThatIsDeletedEndsItsSessions() throws Exception {
    try (var one = Client.of(port, "ana");
        var two = Client.of(port, "ana")) {
      one.command("CREATE x");
      two.command("SELECT x");
      one.command("DELETE x");
      assertThat(two.command("NOOP").getFirst()).startsWith("* BYE");
    }
  }

  @Test
  void idleEndsWhenTheMailboxIsDeleted() throws Exception {
    try (var one = Client.of(port, "ana");
        var two = Client.of(port, "ana")) {
      one.command("CREATE x");
      two.command("SELECT x");
      two.send("i IDLE\r\n");
      assertEquals("+ idling", two.line());
      one.command("DELETE x");
      assertThat(two.line()).startsWith("* BYE");
      assertThat(two.line()).isNull();
    }
  }

  @Test
  void accountsAreApart() throws Exception {
    try (var ana = Client.of(port, "ana");
        var ben = Client.of(port, "ben")) {
      ana.append("INBOX", MESSAGE);
      ana.command("CREATE secret");
      assertThat(ben.command("SELECT INBOX")).contains("* 0 EXISTS");
      assertThat(last(ben.command("SELECT secret"))).startsWith("NO [NONEXISTENT]");
      for (var name :
          List.of("../ana", "../ana/INBOX", "/etc/passwd", "\"~ana/INBOX\"", "\"#news.x\"")) {
        assertThat(last(ben.command("SELECT " + name))).startsWith("NO");
      }
    }
  }

  @Test
  void manySessionsOfOneAccountAreTooMany() throws Exception {
    server.close();
    server = new ImapTestServer(data, server.limits.with("imapSessionsPerAccountMax", 2));
    port = server.port(true, false);
    try (var one = Client.of(port, "ana");
        var two = Client.of(port, "ana");
        var three = new Client(port)) {
      three.line();
      assertThat(last(three.command("LOGIN ana@example.org secret"))).startsWith("NO [LIMIT]");
      one.command("LOGOUT");
      org.awaitility.Awaitility.await()
          .until(() -> last(three.command("LOGIN ana@example.org secret")).startsWith("OK"));
      assertThat(two.command("NOOP")).containsExactly("OK NOOP completed");
    }
  }

  @Test
  void aPeerThatSaysNothingIsSentAway() throws Exception {
    server.close();
    server =
        new ImapTestServer(
            data,
            server
                .limits
                .with("imapPreauthTimeout", java.time.Duration.ofMillis(200))
                .with("imapIdleTimeout", java.time.Duration.ofMillis(400)));
    port = server.port(true, false);
    try (var mute = new Client(port);
        var idle = Client.of(port, "ana")) {
      idle.send("i IDLE\r\n");
      assertEquals("+ idling", idle.line());
      mute.line();
      assertThat(mute.line()).startsWith("* BYE autologout");
      assertThat(mute.line()).isNull();
      assertThat(idle.line()).startsWith("* BYE autologout");
    }
  }

  @Test
  void bigMessagesComeBackOctetForOctet() throws Exception {
    var random = new Random(1);
    var text = new StringBuilder("Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    for (int part = 0; part < 3; part++) {
      text.append("--b\r\nContent-Type: application/x-").append(part).append("\r\n\r\n");
      for (int line = 0; line < 20_000; line++) {
        for (int i = 0; i < 60; i++) {
          text.append((char) (random.nextInt(4) == 0 ? random.nextInt(0x80, 0x100) : 'a' + i % 26));
        }
        text.append("\r\n");
      }
    }
    text.append("--b--\r\n");
    var message = text.toString();
    try (var client = Client.of(port, "ana")) {
      assertThat(last(client.append("INBOX", message))).startsWith("OK [APPENDUID");
      client.command("SELECT INBOX");
      var whole = client.command("FETCH 1 BODY.PEEK[]").getFirst();
      assertThat(whole)
          .isEqualTo("* 1 FETCH (BODY[] {" + message.length() + "}\r\n" + message + ")");
      int second = message.indexOf("\r\n\r\n", message.indexOf("x-1")) + 4;
      int end = message.indexOf("\r\n--b", second);
      assertThat(client.command("FETCH 1 BODY.PEEK[2]").getFirst())
          .endsWith("}\r\n" + message.substring(second, end) + ")");
      var random2 = new Random(2);
      for (int i = 0; i < 30; i++) {
        int origin = random2.nextInt(message.length() + 100);
        int octets = 1 + random2.nextInt(100_000);
        int from = Math.min(origin, message.length());
        var expected = message.substring(from, Math.min(message.length(), from + octets));
        assertThat(client.command("FETCH 1 BODY.PEEK[]<" + origin + "." + octets + ">").getFirst())
            .isEqualTo(
                "* 1 FETCH (BODY[]<"
                    + origin
                    + "> {"
                    + expected.length()
                    + "}\r\n"
                    + expected
                    + ")");
      }
      assertThat(client.command("SEARCH BODY \"nothing of the kind\"").getFirst())
          .isEqualTo("* SEARCH");
    }
  }

  @Test
  void hostileMessagesComeBackOctetForOctet() throws Exception {
    var messages =
        List.of(
            "Status: D\r\nX-Status: D\r\nX-UID: 4294967294\r\n\r\nFrom x\r\n>From y\r\n",
            "X-Longhand: a b c\r\nFrom nobody Mon Nov 23 04:00:00 2026\r\n\r\nFrom \r\n",
            "\r\n\r\n",
            "x",
            "\r\n",
            ".",
            "a: b\0c\r\n\r\n\0\r\n",
            "\u00ff\u00fe\r\n",
            "no final line end",
            "a: b\r\n\r\n" + "x".repeat(200_000));
    try (var client = Client.of(port, "ana")) {
      for (var message : messages) {
        assertThat(last(client.append("INBOX", message))).startsWith("OK [APPENDUID");
      }
      client.command("SELECT INBOX");
      for (int i = 0; i < messages.size(); i++) {
        var message = messages.get(i);
        assertThat(client.command("FETCH " + (i + 1) + " (RFC822.SIZE BODY.PEEK[])").getFirst())
            .isEqualTo(
                "* "
                    + (i + 1)
                    + " FETCH (RFC822.SIZE "
                    + message.length()
                    + " BODY[] {"
                    + message.length()
                    + "}\r\n"
                    + message
                    + ")");
        assertThat(
                last(client.command("FETCH " + (i + 1) + " (ENVELOPE BODYSTRUCTURE BODY[TEXT])")))
            .isEqualTo("OK FETCH completed");
      }
    }
  }

  @Test
  void messagesOfOneAppendAreAllStoredOrNone() throws Exception {
    try (var client = Client.of(port, "ana")) {
      var one = " {" + MESSAGE.length() + "+}\r\n" + MESSAGE;
      assertThat(last(client.command("APPEND INBOX" + one.repeat(100))))
          .startsWith("OK [APPENDUID")
          .contains(" 1:100]");
      assertThat(last(client.command("APPEND INBOX" + one.repeat(101)))).startsWith("BAD more");
      assertThat(last(client.command("APPEND INBOX" + one.repeat(50) + " bogus")))
          .startsWith("BAD");
      assertThat(client.command("STATUS INBOX (MESSAGES)"))
          .containsExactly("* STATUS \"INBOX\" (MESSAGES 100)", "OK STATUS completed");
    }
  }

  @Test
  void manyCommandsAtOnce() throws Exception {
    try (var client = Client.of(port, "ana")) {
      var all = new StringBuilder("s SELECT INBOX\r\n");
      for (int i = 0; i < 500; i++) {
        all.append("a").append(i).append(" APPEND INBOX (\\Seen) {").append(MESSAGE.length());
        all.append("+}\r\n").append(MESSAGE).append("\r\n");
        all.append("n").append(i).append(" NOOP\r\n");
      }
      client.send(all.toString());
      client.until("s");
      for (int i = 0; i < 500; i++) {
        assertThat(last(client.until("a" + i))).startsWith("OK [APPENDUID");
        assertThat(client.until("n" + i)).containsExactly("OK NOOP completed");
      }
      assertThat(client.command("UID SEARCH 1:*").getFirst().split(" ")).hasSize(502);
      client.command("STORE 1:* +FLAGS.SILENT (\\Deleted)");
      var gone = client.command("EXPUNGE");
      assertThat(gone).hasSize(501);
      assertThat(client.command("FETCH 1:* FLAGS").getLast()).startsWith("BAD");
    }
  }

  /// A client that follows EXISTS, EXPUNGE and FETCH only ends with the state that a new one finds.
  @Test
  void followingTheResponsesIsEnough() throws Exception {
    long seed = Long.getLong("longhand.seed", 42);
    var random = new Random(seed);
    try (var follower = Client.of(port, "ana");
        var other = Client.of(port, "ana")) {
      other.command("SELECT INBOX");
      follower.command("SELECT INBOX");
      var flags = new ArrayList<String>();
      for (int round = 0; round < 300; round++) {
        switch (random.nextInt(6)) {
          case 0, 1 -> other.append("INBOX", MESSAGE);
          case 2 -> other.command("STORE 1:* FLAGS.SILENT (k" + random.nextInt(3) + ")");
          case 3 -> other.command("UID STORE " + random.nextInt(1, 200) + ":* +FLAGS (\\Flagged)");
          case 4 -> {
            other.command("UID STORE " + random.nextInt(1, 300) + " +FLAGS (\\Deleted)");
            other.command("EXPUNGE");
          }
          default -> other.command("UID MOVE " + random.nextInt(1, 300) + " Trash");
        }
        if (random.nextInt(3) == 0) {
          var command =
              switch (random.nextInt(4)) {
                case 0 -> "SEARCH ALL";
                case 1 -> "STORE 1:* +FLAGS (\\Answered)";
                case 2 -> "UID FETCH 1:* (FLAGS)";
                default -> "NOOP";
              };
          follow(follower.command(command), flags, seed + " round " + round + " " + command);
        }
      }
      follow(follower.command("NOOP"), flags, seed + " at the end");
      var fresh = new ArrayList<String>();
      try (var reader = Client.of(port, "ana")) {
        follow(reader.command("EXAMINE INBOX"), fresh, "");
        follow(reader.command("FETCH 1:* FLAGS"), fresh, "");
      }
      // A follower has not asked for the flags of what came: only what it was told must agree.
      assertEquals(fresh.size(), flags.size(), "seed " + seed);
      for (int i = 0; i < fresh.size(); i++) {
        if (!flags.get(i).isEmpty()) {
          assertEquals(fresh.get(i), flags.get(i), "seed " + seed + " message " + (i + 1));
        }
      }
    }
  }

  private static void follow(List<String> lines, List<String> flags, String what) {
    for (var line : lines) {
      var words = line.split(" ", 4);
      if (line.endsWith(" EXISTS")) {
        int exists = Integer.parseInt(words[1]);
        assertThat(exists).as(what).isGreaterThanOrEqualTo(flags.size());
        while (flags.size() < exists) {
          flags.add("");
        }
      } else if (line.endsWith(" EXPUNGE")) {
        flags.remove(Integer.parseInt(words[1]) - 1);
      } else if (words.length == 4 && words[2].equals("FETCH")) {
        int at = line.indexOf("FLAGS (");
        flags.set(
            Integer.parseInt(words[1]) - 1,
            line.substring(at, line.indexOf(')', at))
                .replace(" \\Recent", "")
                .replace("\\Recent", ""));
      }
    }
  }

  @Test
  void seenIsSetOnceAndTold() throws Exception {
    try (var client = Client.of(port, "ana");
        var other = Client.of(port, "ana")) {
      server.deliver("ana", MESSAGE);
      client.command("SELECT INBOX");
      other.command("SELECT INBOX");
      assertThat(client.command("FETCH 1 RFC822.TEXT"))
          .containsExactly(
              "* 1 FETCH (RFC822.TEXT {6}\r\nbody\r\n FLAGS (\\Seen \\Recent))",
              "OK FETCH completed");
      assertThat(client.command("FETCH 1 RFC822.TEXT"))
          .containsExactly("* 1 FETCH (RFC822.TEXT {6}\r\nbody\r\n)", "OK FETCH completed");
      assertThat(other.command("NOOP"))
          .containsExactly("* 1 FETCH (FLAGS (\\Seen))", "OK NOOP completed");
      assertThat(server.account("ana").view(1, false).at(1).marks()).isEqualTo(Marks.of(Flag.SEEN));
    }
  }

  @Test
  void implicitTlsAndScram() throws Exception {
    int secure = server.port(false, true);
    try (var socket = ImapDialogTest.trust().getSocketFactory().createSocket("127.0.0.1", secure)) {
      socket.setSoTimeout(10_000);
      var in = new java.io.BufferedInputStream(socket.getInputStream());
      assertThat(read(in)).startsWith("* OK [CAPABILITY IMAP4rev1").doesNotContain("LOGINDISABLED");
      socket
          .getOutputStream()
          .write(
              "a LOGIN ana@example.org secret\r\n"
                  .getBytes(java.nio.charset.StandardCharsets.US_ASCII));
      assertThat(read(in)).startsWith("a OK");
    }
  }

  /// SCRAM-SHA-256 (RFC 7677) as a client does it: the server's last word is a challenge that is
  /// answered with nothing (RFC 5802 §5, RFC 4422 §3.7).
  @Test
  void scram() throws Exception {
    for (var password : List.of("secret", "wrong")) {
      try (var client = new Client(port)) {
        client.line();
        var bare = "n=ana@example.org,r=clientnonce";
        client.send("s AUTHENTICATE SCRAM-SHA-256 " + base64("n,," + bare) + "\r\n");
        var first = fromBase64(client.line());
        var salt = java.util.Base64.getDecoder().decode(field(first, "s="));
        int iterations = Integer.parseInt(field(first, "i="));
        var salted =
            javax.crypto.SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                .generateSecret(
                    new javax.crypto.spec.PBEKeySpec(password.toCharArray(), salt, iterations, 256))
                .getEncoded();
        var key = hmac(salted, "Client Key");
        var stored = java.security.MessageDigest.getInstance("SHA-256").digest(key);
        var end = "c=biws,r=" + field(first, "r=");
        var signature = hmac(stored, bare + "," + first + "," + end);
        for (int i = 0; i < key.length; i++) {
          key[i] ^= signature[i];
        }
        client.send(
            base64(end + ",p=" + java.util.Base64.getEncoder().encodeToString(key)) + "\r\n");
        var answer = String.valueOf(client.line());
        if (password.equals("wrong")) {
          assertThat(answer).startsWith("s NO [AUTHENTICATIONFAILED]");
          continue;
        }
        assertThat(fromBase64(answer)).startsWith("v=");
        client.send("\r\n");
        assertThat(client.line()).startsWith("s OK [CAPABILITY");
        assertThat(last(client.command("SELECT INBOX"))).startsWith("OK");
      }
    }
  }

  private static String base64(String text) {
    return java.util.Base64.getEncoder()
        .encodeToString(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  private static String fromBase64(@org.jspecify.annotations.Nullable String challenge) {
    var text = String.valueOf(challenge);
    assertThat(text).startsWith("+ ");
    return new String(
        java.util.Base64.getDecoder().decode(text.substring(2)),
        java.nio.charset.StandardCharsets.UTF_8);
  }

  private static String field(String message, String name) {
    for (var field : message.split(",", -1)) {
      if (field.startsWith(name)) {
        return field.substring(name.length());
      }
    }
    throw new AssertionError(name + " in " + message);
  }

  private static byte[] hmac(byte[] key, String text) throws Exception {
    var mac = javax.crypto.Mac.getInstance("HmacSHA256");
    mac.init(new javax.crypto.spec.SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  private static String read(java.io.InputStream in) throws java.io.IOException {
    var line = new StringBuilder();
    int octet;
    while ((octet = in.read()) >= 0 && octet != '\n') {
      line.append((char) octet);
    }
    return line.toString();
  }

  @Test
  void stoppingTheServerSaysGoodbye() throws Exception {
    try (var client = Client.of(port, "ana")) {
      client.command("SELECT INBOX");
      server.stop();
      assertThat(client.line()).startsWith("* BYE the server is stopping");
      assertThat(client.line()).isNull();
    }
  }
}
