package longhand.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import longhand.disk.SimDisk;
import longhand.dns.DnsName;
import longhand.dns.MailHosts;
import longhand.dns.Reach;
import longhand.dns.ScriptedDns;
import longhand.mail.Domain;
import longhand.mtasts.MxPattern;
import longhand.mtasts.StsAnswer;
import longhand.mtasts.StsFailure;
import longhand.mtasts.StsPolicy;
import longhand.queue.Courier;
import longhand.queue.NetworkCourier;
import longhand.tlsrpt.AppliedPolicy;
import longhand.tlsrpt.PolicyResult;
import longhand.tlsrpt.TlsCounts;
import longhand.wire.Connector;
import longhand.wire.TlsContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The queue's way to other servers counts what becomes of TLS on it, with real sockets.
@Timeout(60)
class CourierReportingTest {

  private static final Domain DOMAIN = new Domain("example.net");
  private static final LocalDate DAY = LocalDate.of(2026, 11, 24);
  private static final String CLEAR = "S: 220 mx\nC: EHLO me.example\nS: 250 mx\n";
  private static final String OFFERED =
      "S: 220 mx\nC: EHLO me.example\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n";
  private static final String AGAIN = "C: EHLO me.example\nS: 250 mx\n";
  private static final String BYE = "C: QUIT\nS: 221 bye\n";

  private static TlsContext tls;
  private static TlsContext stranger;

  private TlsCounts counts;

  @BeforeAll
  static void begin() throws IOException {
    tls = TlsContext.selfSigned("mx.example.net");
    stranger = TlsContext.selfSigned("mx.example.net");
  }

  @BeforeEach
  void open() throws IOException {
    counts =
        new TlsCounts(
            new SimDisk(),
            TlsCounts.Settings.of(Path.of("/data/tls")),
            Clock.fixed(Instant.parse("2026-11-24T12:00:00Z"), ZoneOffset.UTC));
  }

  private NetworkCourier courier(
      Connector connector, int port, StsAnswer policy, Map<String, Route> routes) {
    var dns =
        new ScriptedDns()
            .mx("example.net", 10, "mx.example.net")
            .host("mx.example.net", "127.0.0.1");
    var hosts =
        new MailHosts(
            dns, MailHosts.Settings.of(Set.of(), Set.of()), new Random(1), System::nanoTime);
    var settings =
        new Routing.Settings(
            port,
            Reach.PRIVATE_TOO,
            Optional.empty(),
            Set.of(tls.certificate()),
            Duration.ofSeconds(20));
    return new NetworkCourier(
        connector,
        "me.example",
        SmtpClientTest.PATIENT,
        Route.Pace.DEFAULT,
        routes,
        hosts,
        new Routing(dns, hosts, _ -> policy, settings),
        Optional.of(new TlsReporting(counts, Set.of(tls.certificate()))));
  }

  /// What is counted after a session is opened, or not.
  private List<PolicyResult> counted(
      String script, TlsContext server, StsAnswer policy, boolean reached) throws Exception {
    return counted(script, server, policy, TlsNeed.AS_PUBLISHED, reached);
  }

  private List<PolicyResult> counted(
      String script, TlsContext server, StsAnswer policy, TlsNeed need, boolean reached)
      throws Exception {
    try (var peer = new ScriptedServer(script, server);
        var connector = new Connector(Duration.ofSeconds(8));
        var courier = courier(connector, peer.address().getPort(), policy, Map.of())) {
      open(courier, need, reached);
    }
    return counts.of(DAY).getOrDefault("example.net", List.of());
  }

  private static void open(NetworkCourier courier, TlsNeed need, boolean reached)
      throws IOException {
    switch (courier.open(courier.route(DOMAIN), need)) {
      case Courier.Contact.Reached(var session) -> {
        assertThat(reached).isTrue();
        session.close();
      }
      case Courier.Contact.Unreachable _, Courier.Contact.Nowhere _ ->
          assertThat(reached).isFalse();
    }
  }

  private static StsAnswer enforced() {
    return new StsAnswer(
        Optional.of(
            new StsPolicy(
                StsPolicy.Mode.ENFORCE,
                List.of(new MxPattern(false, new DnsName("mx.example.net"))),
                Duration.ofDays(1))),
        Optional.empty());
  }

  @Test
  void aSessionWithTlsIsASuccess() throws Exception {
    var results = counted(OFFERED + "TLS\n" + AGAIN + BYE, tls, StsAnswer.NONE, true);
    assertThat(results).hasSize(1);
    assertThat(results.getFirst().policy().type()).isEqualTo(AppliedPolicy.NONE);
    assertThat(results.getFirst().successes()).isEqualTo(1);
    assertThat(results.getFirst().failures()).isZero();
  }

  @Test
  void aSessionInClearIsAFailureThoughMailGoes() throws Exception {
    var results = counted(CLEAR + BYE, tls, StsAnswer.NONE, true);
    assertThat(results.getFirst().successes()).isZero();
    assertThat(results.getFirst().failures()).isEqualTo(1);
    var detail = results.getFirst().details().getFirst().detail();
    assertThat(detail.resultType()).isEqualTo("starttls-not-supported");
    assertThat(detail.receivingHost()).isEqualTo("mx.example.net");
  }

  @Test
  void underAnEnforcedPolicyAStrangerIsAFailure() throws Exception {
    var results = counted(OFFERED + "TLS\n", stranger, enforced(), false);
    assertThat(results).hasSize(1);
    assertThat(results.getFirst().policy().type()).isEqualTo(AppliedPolicy.STS);
    assertThat(results.getFirst().details().getFirst().detail().resultType())
        .isEqualTo("certificate-not-trusted");
  }

  @Test
  void aPolicyThatCannotBeHadIsCountedBesideTheSession() throws Exception {
    var policy =
        new StsAnswer(
            Optional.empty(),
            Optional.of(new StsFailure(StsFailure.Kind.FETCH_ERROR, "HTTP status 500")));
    var results = counted(OFFERED + "TLS\n" + AGAIN + BYE, tls, policy, true);
    assertThat(results.stream().map(each -> each.policy().type()))
        .containsExactlyInAnyOrder(AppliedPolicy.STS, AppliedPolicy.NONE);
    assertThat(
            results.stream()
                .flatMap(each -> each.details().stream())
                .map(each -> each.detail().resultType()))
        .containsExactly("sts-policy-fetch-error");
  }

  /// What an administrator has routed is the administrator's business, not the domain's.
  @Test
  void routesAreNotCounted() throws Exception {
    try (var peer = new ScriptedServer(OFFERED + "TLS\n" + AGAIN + BYE, tls);
        var connector = new Connector(Duration.ofSeconds(8))) {
      var route =
          new Route(
              "routed",
              new Route.Via.Host(
                  "127.0.0.1",
                  peer.address().getPort(),
                  Target.Protocol.SMTP,
                  new TlsPolicy.Opportunistic(),
                  Optional.empty(),
                  Optional.empty()),
              Route.Pace.DEFAULT);
      try (var courier = courier(connector, 25, StsAnswer.NONE, Map.of("example.net", route))) {
        open(courier, TlsNeed.AS_PUBLISHED, true);
      }
      assertThat(peer.problem()).isEmpty();
    }
    assertThat(counts.of(DAY)).isEmpty();
  }

  /// Reports go out so, and would otherwise be reported themselves (RFC 8460 §3).
  @Test
  void whatDisregardsPoliciesCountsNowhere() throws Exception {
    assertThat(counted(CLEAR + BYE, tls, StsAnswer.NONE, TlsNeed.DISREGARDED, true)).isEmpty();
  }
}
