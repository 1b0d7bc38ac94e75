package longhand.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import longhand.dialog.TestServer;
import longhand.mail.Envelope;
import longhand.mail.ForwardPath;
import longhand.mail.ReversePath;
import longhand.wire.Connector;
import longhand.wire.Limits;
import longhand.wire.TlsVerification;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The client and our own server.
class OwnServerTest {

  @TempDir static Path data;
  private static TestServer server;
  private static Connector connector;

  @BeforeAll
  static void open() throws IOException {
    server = new TestServer(data, Limits.DEFAULT);
    connector = new Connector(Duration.ofSeconds(8));
  }

  @AfterAll
  static void close() throws IOException {
    connector.close();
    server.close();
  }

  private static TlsPolicy required() {
    return new TlsPolicy.Required(new TlsVerification.Pkix(Set.of(server.tls.certificate())));
  }

  private static Opening open(
      String listener, Target.Protocol protocol, TlsPolicy tls, Optional<Target.Login> login)
      throws IOException {
    var target =
        new Target(
            server.listener(listener).address(),
            "mx.example.org",
            protocol,
            tls,
            login,
            Optional.of(InetAddress.ofLiteral("127.0.0.1")));
    return SmtpClient.open(connector, target, "me.example", SmtpClientTest.PATIENT);
  }

  private static Outgoing message(String text, String... to) {
    return SmtpClientTest.message(
        new Envelope(
            ReversePath.of(TestServer.address("ana")),
            List.of(to).stream().map(TestServer::address).map(ForwardPath::of).toList(),
            Envelope.Body.EIGHT_BIT_MIME,
            false,
            Optional.empty(),
            Optional.empty()),
        text);
  }

  @Test
  void messagesOfAnyShapeArriveAsTheyWere() throws Exception {
    var shapes =
        List.of(
            "Subject: 1\r\n\r\n.\r\n..\r\n.x\r\n",
            "Subject: 2\r\n\r\n" + ("." + "y".repeat(70) + "\r\n").repeat(5000),
            "Subject: 3\r\n\r\ngr\u00fc\u00df\r\n");
    var client =
        SmtpClientTest.ready(open("smtp", Target.Protocol.SMTP, required(), Optional.empty()));
    for (var shape : shapes) {
      var outcomes = client.send(message(shape, "ana", "nobody", "ben"));
      assertThat(outcomes.get(0)).isInstanceOf(Outcome.Delivered.class);
      assertThat(((Outcome.Refused) outcomes.get(1)).reply().status().orElseThrow())
          .hasToString("5.1.1");
      assertThat(outcomes.get(2)).isInstanceOf(Outcome.Delivered.class);
    }
    assertThat(client.send(message(shapes.getFirst(), "nobody")).getFirst())
        .isInstanceOf(Outcome.Refused.class);
    assertThat(client.send(message("Subject: 4\r\n\r\nlast\r\n", "ben")).getFirst())
        .isInstanceOf(Outcome.Delivered.class);
    client.quit();
    var inbox = server.inbox("ben");
    assertThat(inbox).hasSize(4);
    for (int i = 0; i < shapes.size(); i++) {
      var octets = shapes.get(i).getBytes(java.nio.charset.StandardCharsets.UTF_8);
      assertThat(inbox.get(i))
          .endsWith(new String(octets, java.nio.charset.StandardCharsets.ISO_8859_1));
    }
  }

  @Test
  void lmtpTellsOfEachRecipient() throws Exception {
    var client =
        SmtpClientTest.ready(
            open("lmtp", Target.Protocol.LMTP, new TlsPolicy.Opportunistic(), Optional.empty()));
    assertThat(client.tls()).isPresent();
    var outcomes = client.send(message("Subject: l\r\n\r\nx\r\n", "ana", "gone", "ana"));
    assertThat(outcomes.get(0)).isInstanceOf(Outcome.Delivered.class);
    assertThat(outcomes.get(1)).isNotInstanceOf(Outcome.Delivered.class);
    assertThat(outcomes.get(2)).isInstanceOf(Outcome.Delivered.class);
    client.quit();
  }

  @Test
  void logsInWithScram() throws Exception {
    var login = new Target.Login("ana@example.org", "secret");
    var client =
        SmtpClientTest.ready(
            open("submission", Target.Protocol.SMTP, required(), Optional.of(login)));
    var text = "From: <ana@example.org>\r\nSubject: s\r\n\r\nx\r\n";
    assertThat(client.send(message(text, "ana")).getFirst()).isInstanceOf(Outcome.Delivered.class);
    client.quit();
    var wrong = Optional.of(new Target.Login("ana@example.org", "Secret"));
    var opening = open("submission", Target.Protocol.SMTP, required(), wrong);
    assertThat(((Opening.Rejected) opening).step()).isEqualTo(Step.AUTH);
    var implicit =
        new TlsPolicy.Implicit(new TlsVerification.Pkix(Set.of(server.tls.certificate())));
    SmtpClientTest.ready(open("submissions", Target.Protocol.SMTP, implicit, Optional.of(login)))
        .quit();
  }

  @Test
  void comesFromTheAddressItIsTold() throws Exception {
    var target =
        new Target(
            server.listener("smtp").address(),
            "mx.example.org",
            Target.Protocol.SMTP,
            new TlsPolicy.Never(),
            Optional.empty(),
            Optional.of(InetAddress.ofLiteral("127.0.0.9")));
    var client =
        SmtpClientTest.ready(
            SmtpClient.open(connector, target, "me.example", SmtpClientTest.PATIENT));
    assertThat(client.send(message("Subject: from\r\n\r\nx\r\n", "tiny")).getFirst())
        .isInstanceOf(Outcome.Delivered.class);
    client.quit();
    assertThat(server.inbox("tiny").getFirst()).contains("127.0.0.9");
  }
}
