package longhand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A hundred connections that bring large messages at the same time, to a server whose heap is far
/// smaller than what they bring. Every other message is of any octets, and becomes text there.
class LargeMessagesTest {

  private static final int CONNECTIONS = 100;

  /// Octets of each message: together 1.6 times the heap of 256 MB, and with `longhand.long` twenty
  /// times.
  private static final int OCTETS = Boolean.getBoolean("longhand.long") ? 50_000_000 : 4_000_000;

  private static final String USER = "jbob@example.com";

  @TempDir Path folder;

  @Test
  @Timeout(value = 10, unit = TimeUnit.MINUTES)
  void aHundredAtOnceFitASmallHeap() throws Exception {
    int smtp = freePort();
    int pop3 = freePort();
    var config =
        Files.writeString(
            folder.resolve("longhand.toml"),
            """
            hostname = "mx.example.com"
            data = "data"
            [[domain]]
            name = "example.com"
            [[listener]]
            protocol = "smtp"
            address = "127.0.0.1:%d"
            tls = "none"
            [[listener]]
            protocol = "pop3"
            address = "127.0.0.1:%d"
            tls = "none"
            plaintext-login = true
            [log]
            level = "warning"
            [limits]
            loopback-unbounded = true
            """
                .formatted(smtp, pop3));
    var secret = Files.writeString(folder.resolve("password"), "secret\n");
    assertThat(
            Main.run(
                "account",
                "add",
                USER,
                "--password-file",
                secret.toString(),
                "--config",
                config.toString()))
        .isZero();
    var log = folder.resolve("server.log");
    var server = Commands.launch(log, "serve", "--config", config.toString());
    try {
      awaitGreeting(server, pop3, log);
      var together = new CyclicBarrier(CONNECTIONS);
      var replies = new ArrayList<Future<String>>();
      try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < CONNECTIONS; i++) {
          boolean text = i % 2 == 0;
          replies.add(
              threads.submit(() -> text ? send(smtp, together) : sendAnyOctets(smtp, together)));
        }
      }
      for (var reply : replies) {
        assertThat(reply.get()).as(Files.readString(log)).startsWith("250 ");
      }
      assertThat(stat(pop3)).isGreaterThan((long) CONNECTIONS * OCTETS);
      assertThat(server.isAlive()).isTrue();
      assertThat(Files.readString(log)).doesNotContain("OutOfMemory");
    } finally {
      server.destroy();
      if (!server.waitFor(60, TimeUnit.SECONDS)) {
        server.destroyForcibly();
      }
    }
  }

  /// Sends a message whose end waits for the others; the reply to it.
  private static String send(int port, CyclicBarrier together) throws Exception {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(300_000);
      var in = new BufferedInputStream(socket.getInputStream());
      var out = socket.getOutputStream();
      line(in);
      for (var command :
          new String[] {"HELO a.example.net", "MAIL FROM:<>", "RCPT TO:<" + USER + ">", "DATA"}) {
        out.write((command + "\r\n").getBytes(StandardCharsets.US_ASCII));
        line(in);
      }
      out.write("Subject: large\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      var piece = ("x".repeat(76) + "\r\n").repeat(1000).getBytes(StandardCharsets.US_ASCII);
      for (int sent = 0; sent < OCTETS; sent += piece.length) {
        out.write(piece);
      }
      together.await(5, TimeUnit.MINUTES);
      out.write(".\r\n".getBytes(StandardCharsets.US_ASCII));
      return line(in);
    }
  }

  /// The same in chunks of octets that are no text.
  private static String sendAnyOctets(int port, CyclicBarrier together) throws Exception {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(300_000);
      var in = new BufferedInputStream(socket.getInputStream());
      var out = socket.getOutputStream();
      line(in);
      say(out, "EHLO a.example.net");
      for (var line = line(in); line.startsWith("250-"); line = line(in)) {
        // One extension after the other.
      }
      say(out, "MAIL FROM:<> BODY=BINARYMIME");
      line(in);
      say(out, "RCPT TO:<" + USER + ">");
      line(in);
      var header =
          "Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n"
              .getBytes(StandardCharsets.US_ASCII);
      say(out, "BDAT " + header.length);
      out.write(header);
      line(in);
      var piece = new byte[100_000];
      for (int i = 0; i < piece.length; i++) {
        piece[i] = (byte) ((i * 31) >>> 3);
      }
      for (int sent = 0; sent < OCTETS; sent += piece.length) {
        say(out, "BDAT " + piece.length);
        out.write(piece);
        line(in);
      }
      together.await(5, TimeUnit.MINUTES);
      say(out, "BDAT 0 LAST");
      return line(in);
    }
  }

  private static void say(OutputStream out, String line) throws IOException {
    out.write((line + "\r\n").getBytes(StandardCharsets.US_ASCII));
  }

  /// The octets of a maildrop that holds as many messages as there were connections.
  private static long stat(int port) throws IOException {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(60_000);
      var in = new BufferedInputStream(socket.getInputStream());
      line(in);
      var answer = "";
      for (var command : new String[] {"USER " + USER, "PASS secret", "STAT"}) {
        socket.getOutputStream().write((command + "\r\n").getBytes(StandardCharsets.US_ASCII));
        answer = line(in);
      }
      assertThat(answer).startsWith("+OK " + CONNECTIONS + " ");
      return Long.parseLong(answer, answer.lastIndexOf(' ') + 1, answer.length(), 10);
    }
  }

  private static String line(InputStream in) throws IOException {
    var line = new StringBuilder();
    for (int octet = in.read(); octet != '\n'; octet = in.read()) {
      if (octet < 0) {
        throw new IOException("the server closed the connection after: " + line);
      }
      if (octet != '\r') {
        line.append((char) octet);
      }
    }
    return line.toString();
  }

  private static void awaitGreeting(Process server, int port, Path log) throws Exception {
    for (int i = 0; i < 1500 && server.isAlive(); i++) {
      try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        line(socket.getInputStream());
        return;
      } catch (IOException e) {
        Thread.sleep(20);
      }
    }
    fail("the server does not greet: " + Files.readString(log));
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
