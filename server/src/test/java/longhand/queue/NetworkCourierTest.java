package longhand.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import longhand.dialog.TestServer;
import longhand.dns.Answer;
import longhand.dns.DnsName;
import longhand.dns.MailHosts;
import longhand.dns.Question;
import longhand.dns.Reach;
import longhand.dns.ScriptedDns;
import longhand.dns.Tlsa;
import longhand.mail.Domain;
import longhand.mtasts.MxPattern;
import longhand.mtasts.StsAnswer;
import longhand.mtasts.StsPolicy;
import longhand.relay.Route;
import longhand.relay.Routing;
import longhand.relay.Timeouts;
import longhand.relay.TlsNeed;
import longhand.wire.Connector;
import longhand.wire.Limits;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What becomes of sessions where a domain publishes what its server does not keep.
class NetworkCourierTest {

  private static final Duration TTL = Duration.ofMinutes(5);

  @TempDir Path data;
  private final ScriptedDns dns = new ScriptedDns();
  private StsAnswer sts = StsAnswer.NONE;

  /// The port of a server without TLS.
  private int inClear;

  private Courier.Contact open(int port, TlsNeed need) {
    dns.mx("a.example", 10, "mx.a.example").host("mx.a.example", "127.0.0.1");
    var hosts =
        new MailHosts(
            dns, MailHosts.Settings.of(Set.of(), Set.of()), new Random(3), System::nanoTime);
    var settings =
        new Routing.Settings(
            port, Reach.PRIVATE_TOO, Optional.empty(), Set.of(), Duration.ofSeconds(20));
    try (var courier =
        new NetworkCourier(
            new Connector(Duration.ofSeconds(8)),
            "me.example",
            Timeouts.DEFAULT,
            Route.Pace.DEFAULT,
            Map.of(),
            hosts,
            new Routing(dns, hosts, _ -> sts, settings),
            Optional.empty())) {
      var contact = courier.open(courier.route(new Domain("a.example")), need);
      if (contact instanceof Courier.Contact.Reached(var session)) {
        assertThat(session.tls().isPresent()).as("TLS").isEqualTo(port != inClear);
        try (session) {
          assertThat(session.usable()).isTrue();
        }
      }
      return contact;
    }
  }

  private void publishDane(int port) {
    var name = new DnsName("_" + port + "._tcp.mx.a.example");
    var wrong = new Tlsa(3, 1, 1, "00112233445566778899aabbccddeeff".repeat(2));
    dns.answer(new Question.TlsaOf(name), new Answer.Found<>(List.of(wrong), TTL, true, name));
  }

  private void publishSts(String mx) {
    sts =
        new StsAnswer(
            Optional.of(
                new StsPolicy(
                    StsPolicy.Mode.ENFORCE,
                    List.of(new MxPattern(false, new DnsName(mx))),
                    Duration.ofDays(1))),
            Optional.empty());
  }

  private static void assertUnreachable(Courier.Contact contact) {
    assertThat(contact).isInstanceOf(Courier.Contact.Unreachable.class);
    assertThat(((Courier.Contact.Unreachable) contact).status().subject()).isEqualTo(7);
  }

  /// The server's certificate is vouched for by nobody.
  @ParameterizedTest
  @ValueSource(strings = {"DANE", "MTA-STS", "MTA-STS that names another host"})
  void aPolicyThatFailsHoldsUpAllButWhatDisregardsIt(String published) throws Exception {
    try (var server = new TestServer(data, Limits.DEFAULT)) {
      int port = server.listener("smtp").address().getPort();
      switch (published) {
        case "DANE" -> publishDane(port);
        case "MTA-STS" -> publishSts("mx.a.example");
        default -> publishSts("mx.b.example");
      }
      assertUnreachable(open(port, TlsNeed.AS_PUBLISHED));
      assertUnreachable(open(port, TlsNeed.REQUIRED));
      assertThat(open(port, TlsNeed.DISREGARDED)).isInstanceOf(Courier.Contact.Reached.class);
    }
  }

  /// RFC 8689 §5: it is sent in clear where there is no TLS at all.
  @Test
  void aServerWithoutTlsGetsWhatDisregardsIt() throws Exception {
    try (var server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      Thread.ofVirtual().start(() -> talkInClear(server));
      inClear = server.getLocalPort();
      publishDane(inClear);
      assertUnreachable(open(inClear, TlsNeed.AS_PUBLISHED));
      assertThat(open(inClear, TlsNeed.DISREGARDED)).isInstanceOf(Courier.Contact.Reached.class);
    }
  }

  /// Says yes to everything, one client after the other.
  private static void talkInClear(ServerSocket server) {
    while (!server.isClosed()) {
      try (var socket = server.accept();
          var in =
              new BufferedReader(
                  new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))) {
        socket.setSoTimeout(10_000);
        var out = socket.getOutputStream();
        out.write("220 fine\r\n".getBytes(StandardCharsets.US_ASCII));
        for (var line = in.readLine(); line != null; line = in.readLine()) {
          var code = line.equals("QUIT") ? "221" : "250";
          out.write((code + " fine\r\n").getBytes(StandardCharsets.US_ASCII));
        }
      } catch (IOException _) {
        // The client has gone, or the test ends.
      }
    }
  }
}
