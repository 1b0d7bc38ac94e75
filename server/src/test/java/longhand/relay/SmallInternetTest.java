package longhand.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import longhand.dns.DnsName;
import longhand.dns.MailHosts;
import longhand.dns.Nsd;
import longhand.dns.Reach;
import longhand.dns.StubResolver;
import longhand.mail.Domain;
import longhand.mtasts.MxPattern;
import longhand.mtasts.StsAnswer;
import longhand.mtasts.StsPolicy;
import longhand.wire.Connector;
import longhand.wire.TlsContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// From a domain to a session, with a real name server, zones signed, forged and plain, and mail
/// servers on this machine.
@Timeout(120)
class SmallInternetTest {

  private static final String SECURE =
      """
      S: 220 mx
      C: EHLO me.example
      S: 250-mx
      S: 250 STARTTLS
      C: STARTTLS
      S: 220 go
      TLS
      C: EHLO me.example
      S: 250 mx
      C: QUIT
      S: 221 bye
      """;

  @TempDir private Path folder;

  private static NextHops find(
      StubResolver dns, String domain, int port, Optional<StsPolicy> policy, TlsContext tls) {
    var hosts =
        new MailHosts(
            dns, MailHosts.Settings.of(Set.of(), Set.of()), new Random(1), System::nanoTime);
    var settings =
        new Routing.Settings(
            port,
            Reach.PRIVATE_TOO,
            Optional.of(InetAddress.ofLiteral("127.0.0.1")),
            Set.of(tls.certificate()),
            Duration.ofSeconds(20));
    return new Routing(dns, hosts, _ -> new StsAnswer(policy, Optional.empty()), settings)
        .find(new Domain(domain), TlsNeed.AS_PUBLISHED);
  }

  /// Tries one hop after the other, as a queue does, until one is open.
  private static Opening open(Connector connector, NextHops found) {
    assertThat(found).isInstanceOf(NextHops.Found.class);
    Opening opening = new Opening.Broken(Step.CONNECT, "nobody was tried");
    for (var hop : ((NextHops.Found) found).hops()) {
      opening = SmtpClient.open(connector, hop.target(), "me.example", SmtpClientTest.PATIENT);
      if (opening instanceof Opening.Ready(var client)) {
        client.quit();
        break;
      }
    }
    return opening;
  }

  @Test
  void domainsLeadToServersUnderTheTlsTheyPublish() throws Exception {
    var tls = TlsContext.selfSigned("mx.plain.test");
    var digest =
        HexFormat.of()
            .formatHex(
                MessageDigest.getInstance("SHA-256")
                    .digest(tls.certificate().getPublicKey().getEncoded()));
    try (var first = new ScriptedServer(SECURE, tls)) {
      int port = first.address().getPort();
      // Nobody listens at 127.0.0.7, so the second host is needed.
      var records =
          """
          @ IN MX 10 down
          @ IN MX 20 mx
          down IN A 127.0.0.7
          mx IN A 127.0.0.1
          """;
      var tlsa = "_" + port + "._tcp.mx IN TLSA 3 1 1 ";
      try (var server =
              new Nsd(folder)
                  .signed("signed.test", records + tlsa + digest + "\n", text -> text)
                  .signed("wrong.test", records + tlsa + "00".repeat(32) + "\n", text -> text)
                  .signed(
                      "forged.test",
                      records + tlsa + digest + "\n",
                      text -> text.replace(digest, "00".repeat(32)))
                  .plain("plain.test", records + tlsa + "00".repeat(32) + "\n")
                  .start();
          var connector = new Connector(Duration.ofSeconds(8))) {
        var dns = server.resolver();
        assertThat(open(connector, find(dns, "signed.test", port, Optional.empty(), tls)))
            .isInstanceOf(Opening.Ready.class);
        assertThat(first.problem()).isEmpty();

        var plain = find(dns, "plain.test", port, Optional.empty(), tls);
        assertThat(((NextHops.Found) plain).hops())
            .hasSize(2)
            .allMatch(hop -> hop.target().tls() instanceof TlsPolicy.Opportunistic);

        // The records cannot be had: only the host that says validly that it has none is left.
        var forged = (NextHops.Found) find(dns, "forged.test", port, Optional.empty(), tls);
        assertThat(forged.hops().stream().map(NextHops.Hop::host))
            .containsExactly("down.forged.test");
        assertThat(forged.passedOver().getFirst().reason())
            .isEqualTo(NextHops.PassedOver.Reason.TLSA_UNKNOWN);

        var wrong = ((NextHops.Found) find(dns, "wrong.test", port, Optional.empty(), tls)).hops();
        try (var second = new ScriptedServer(SECURE, tls)) {
          var hop = wrong.getLast();
          var target =
              new Target(
                  second.address(),
                  hop.target().host(),
                  Target.Protocol.SMTP,
                  hop.target().tls(),
                  Optional.empty(),
                  Optional.empty());
          var opening = SmtpClient.open(connector, target, "me.example", SmtpClientTest.PATIENT);
          assertThat(opening).isInstanceOf(Opening.Broken.class);
          assertThat(((Opening.Broken) opening).detail()).contains("TLSA");
        }

        var policy =
            new StsPolicy(
                StsPolicy.Mode.ENFORCE,
                List.of(new MxPattern(false, new DnsName("mx.plain.test"))),
                Duration.ofDays(1));
        try (var third = new ScriptedServer(SECURE, tls)) {
          var enforced =
              find(dns, "plain.test", third.address().getPort(), Optional.of(policy), tls);
          assertThat(((NextHops.Found) enforced).passedOver()).hasSize(1);
          assertThat(open(connector, enforced)).isInstanceOf(Opening.Ready.class);
          assertThat(third.problem()).isEmpty();
        }
      }
    }
  }
}
