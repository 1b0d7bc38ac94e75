package longhand.server;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import longhand.auth.AuthSettings;
import longhand.auth.Authenticator;
import longhand.mail.Address;
import longhand.mail.Domain;

/// A short life of a server, from configuration to a message sent and read, for Java to note what
/// it loads: the AOT cache (JEP 514) that halves the time to start is made of it. It runs when the
/// launcher or a package is built, never in a server.
final class Training {

  private static final String CONFIG =
      """
      hostname = "mx.longhand.test"
      data = "data"
      [[domain]]
      name = "longhand.test"
      [[listener]]
      protocol = "smtp"
      address = "127.0.0.1:0"
      [[listener]]
      protocol = "submission"
      address = "127.0.0.1:0"
      plaintext-login = true
      [[listener]]
      protocol = "imap"
      address = "127.0.0.1:0"
      plaintext-login = true
      [[listener]]
      protocol = "imap"
      address = "127.0.0.1:0"
      tls = "implicit"
      [[listener]]
      protocol = "pop3"
      address = "127.0.0.1:0"
      plaintext-login = true
      """;

  private static final int TIMEOUT_MILLIS = 10_000;

  private Training() {}

  /// Trains in an empty folder.
  public static void main(String[] arguments) throws Exception {
    var folder = Path.of(arguments[0]);
    var file = folder.resolve("longhand.toml");
    Files.writeString(file, CONFIG);
    Main.run("config", "check", file.toString());
    var config = ConfigFile.read(file);
    Logging.configure(config.log());
    var server = Server.start(config);
    try (server;
        var directory = Server.directory(config)) {
      var hasher = new Authenticator(directory, new byte[32], AuthSettings.forTests());
      var verifiers = hasher.verifiers("training");
      var account =
          AccountChanges.account(
              new Address("jbob", new Domain("longhand.test")), verifiers, "", 0);
      new AccountChanges(config, directory).put(List.of(account), true);
      Main.run("account", "list", "--config", file.toString());
      var ports = server.addresses();
      send(ports.get(0));
      talk(
          new Socket(InetAddress.getLoopbackAddress(), ports.get(2).getPort()),
          "* OK",
          "a login jbob@longhand.test training\r\n",
          "a OK",
          "b select inbox\r\n",
          "b OK",
          "c fetch 1 (flags envelope body.peek[])\r\n",
          "c OK",
          "d logout\r\n",
          "d OK");
      talk(
          context()
              .getSocketFactory()
              .createSocket(InetAddress.getLoopbackAddress(), ports.get(3).getPort()),
          "* OK",
          "a login jbob@longhand.test training\r\n",
          "a OK",
          "d logout\r\n",
          "d OK");
      talk(
          new Socket(InetAddress.getLoopbackAddress(), ports.get(4).getPort()),
          "+OK",
          "USER jbob@longhand.test\r\n",
          "+OK",
          "PASS training\r\n",
          "+OK",
          "RETR 1\r\n",
          ".",
          "QUIT\r\n",
          "+OK");
    }
    System.exit(ExitCode.OK);
  }

  private static void send(InetSocketAddress address) throws IOException {
    talk(
        new Socket(InetAddress.getLoopbackAddress(), address.getPort()),
        "220 ",
        "EHLO training.test\r\n",
        "250 ",
        "MAIL FROM:<alice@longhand.test>\r\n",
        "250 ",
        "RCPT TO:<jbob@longhand.test>\r\n",
        "250 ",
        "DATA\r\n",
        "354 ",
        "From: alice@longhand.test\r\nSubject: training\r\n\r\nOne line.\r\n.\r\n",
        "250 ",
        "QUIT\r\n",
        "221 ");
  }

  /// Waits for a line that begins with the first text, sends the second, and so on. What is missing
  /// makes the training shorter, no more.
  private static void talk(Socket socket, String... lines) throws IOException {
    try (socket) {
      socket.setSoTimeout(TIMEOUT_MILLIS);
      for (int i = 0; i < lines.length; i++) {
        if (i % 2 == 1) {
          socket.getOutputStream().write(lines[i].getBytes(StandardCharsets.US_ASCII));
        } else {
          await(socket.getInputStream(), lines[i]);
        }
      }
    }
  }

  private static void await(InputStream in, String beginning) throws IOException {
    var line = new StringBuilder();
    for (int octet = in.read(); octet >= 0; octet = in.read()) {
      if (octet != '\n') {
        line.append((char) octet);
      } else if (line.toString().startsWith(beginning)) {
        return;
      } else {
        line.setLength(0);
      }
    }
    throw new IOException("closed instead of " + beginning);
  }

  /// Trusts the certificate of our own making, whatever it is.
  private static SSLContext context() throws GeneralSecurityException {
    var anybody =
        new X509TrustManager() {
          @Override
          public void checkClientTrusted(X509Certificate[] chain, String authType) {}

          @Override
          public void checkServerTrusted(X509Certificate[] chain, String authType) {}

          @Override
          public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
          }
        };
    var context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {anybody}, null);
    return context;
  }
}
