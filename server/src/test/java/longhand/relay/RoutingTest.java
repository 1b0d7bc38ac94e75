package longhand.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import longhand.dns.Answer;
import longhand.dns.DnsName;
import longhand.dns.MailExchange;
import longhand.dns.MailHosts;
import longhand.dns.Question;
import longhand.dns.ScriptedDns;
import longhand.dns.Tlsa;
import longhand.mail.Domain;
import longhand.mtasts.MxPattern;
import longhand.mtasts.StsAnswer;
import longhand.mtasts.StsFailure;
import longhand.mtasts.StsPolicy;
import longhand.wire.TlsVerification;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RoutingTest {

  private static final Duration TTL = Duration.ofMinutes(5);
  private static final String DIGEST = "00112233445566778899aabbccddeeff".repeat(2);
  private static final StsFailure FAILURE =
      new StsFailure(StsFailure.Kind.FETCH_ERROR, "HTTP status 500");

  private final ScriptedDns dns = new ScriptedDns();
  private final List<DnsName> asked = new ArrayList<>();
  private StsAnswer sts = StsAnswer.NONE;

  @BeforeEach
  void twoHosts() {
    dns.mx("a.example", 10, "one.example", 20, "two.example")
        .host("one.example", "192.0.2.1", "2001:db8::1")
        .host("two.example", "192.0.2.2");
  }

  private NextHops find(String domain, TlsNeed need) {
    var hosts =
        new MailHosts(
            dns,
            MailHosts.Settings.of(Set.of(new DnsName("we.example")), Set.of()),
            new Random(3),
            System::nanoTime);
    return new Routing(
            dns,
            hosts,
            name -> {
              asked.add(name);
              return sts;
            },
            Routing.Settings.DEFAULT)
        .find(new Domain(domain), need);
  }

  private List<NextHops.Hop> hops(TlsNeed need) {
    var found = find("a.example", need);
    assertThat(found).isInstanceOf(NextHops.Found.class);
    return ((NextHops.Found) found).hops();
  }

  private NextHops.Hop hop(String host) {
    return hops(TlsNeed.AS_PUBLISHED).stream()
        .filter(each -> each.host().equals(host))
        .findFirst()
        .orElseThrow();
  }

  private static List<String> hosts(List<NextHops.Hop> hops) {
    return hops.stream().map(NextHops.Hop::host).toList();
  }

  private static TlsVerification required(NextHops.Hop hop) {
    assertThat(hop.target().tls()).isInstanceOf(TlsPolicy.Required.class);
    return ((TlsPolicy.Required) hop.target().tls()).verification();
  }

  private void policy(StsPolicy.Mode mode, String... mx) {
    var patterns = new ArrayList<MxPattern>();
    for (var each : mx) {
      patterns.add(new MxPattern(false, new DnsName(each)));
    }
    sts =
        new StsAnswer(
            Optional.of(new StsPolicy(mode, patterns, Duration.ofDays(1))), Optional.empty());
  }

  private void tlsa(String host, boolean secure, Tlsa... records) {
    var name = new DnsName("_25._tcp." + host);
    dns.answer(new Question.TlsaOf(name), new Answer.Found<>(List.of(records), TTL, secure, name));
  }

  private void insecureMx() {
    dns.answer(
        new Question.Mx(new DnsName("a.example")),
        new Answer.Found<>(
            List.of(
                new MailExchange(10, new DnsName("one.example")),
                new MailExchange(20, new DnsName("two.example"))),
            TTL,
            false,
            new DnsName("a.example")));
  }

  /// An address that nobody vouches for, at the end of an alias or without one.
  private void insecureAddress(String host, String canonical) {
    var four = (Inet4Address) InetAddress.ofLiteral("192.0.2.1");
    dns.answer(
        new Question.A(new DnsName(host)),
        new Answer.Found<>(List.of(four), TTL, false, new DnsName(canonical)));
    dns.answer(new Question.Aaaa(new DnsName(host)), new Answer.NoSuchData<>(false));
  }

  @Test
  void withoutAnythingPublishedTlsIsTakenWhereItIs() {
    var hops = hops(TlsNeed.AS_PUBLISHED);
    assertThat(hosts(hops)).containsExactly("one.example", "one.example", "two.example");
    assertThat(hops.stream().map(each -> each.target().address().getAddress().getHostAddress()))
        .containsExactly("2001:db8:0:0:0:0:0:1", "192.0.2.1", "192.0.2.2");
    assertThat(hops)
        .allMatch(each -> each.target().tls() instanceof TlsPolicy.Opportunistic)
        .allMatch(each -> each.target().address().getPort() == 25)
        .allMatch(each -> each.published() instanceof Published.Nothing);
    assertThat(asked).containsExactly(new DnsName("a.example"));
  }

  @Test
  void tlsaRecordsAreObeyed() {
    tlsa("one.example", true, new Tlsa(3, 1, 1, DIGEST), new Tlsa(9, 9, 9, "00"));
    var one = hop("one.example");
    var dane = (TlsVerification.Dane) required(one);
    assertThat(dane.records()).hasSize(2);
    assertThat(dane.records().getFirst()).hasToString("3 1 1 " + DIGEST);
    assertThat(dane.names()).containsExactlyInAnyOrder("one.example", "a.example");
    assertThat(one.target().host()).isEqualTo("one.example");
    assertThat(one.published()).isInstanceOf(Published.Dane.class);
    assertThat(hop("two.example").target().tls()).isInstanceOf(TlsPolicy.Opportunistic.class);
  }

  @Test
  void daneGoesBeforeMtaSts() {
    tlsa("one.example", true, new Tlsa(3, 1, 1, DIGEST));
    policy(StsPolicy.Mode.ENFORCE, "two.example");
    assertThat(required(hop("one.example"))).isInstanceOf(TlsVerification.Dane.class);
    assertThat(required(hop("two.example"))).isInstanceOf(TlsVerification.Pkix.class);
  }

  @Test
  void recordsNobodyCanUseDemandTlsAndNoMore() {
    tlsa("one.example", true, new Tlsa(0, 0, 1, DIGEST), new Tlsa(3, 1, 1, "00"));
    assertThat(required(hop("one.example"))).isInstanceOf(TlsVerification.None.class);
    policy(StsPolicy.Mode.ENFORCE, "one.example");
    assertThat(required(hop("one.example"))).isInstanceOf(TlsVerification.Pkix.class);
    policy(StsPolicy.Mode.TESTING, "one.example");
    assertThat(required(hop("one.example"))).isInstanceOf(TlsVerification.None.class);
  }

  @Test
  void whereDnssecDoesNotVouchTlsaRecordsAreNotAskedFor() {
    tlsa("one.example", true, new Tlsa(3, 1, 1, DIGEST));
    insecureMx();
    assertThat(hop("one.example").target().tls()).isInstanceOf(TlsPolicy.Opportunistic.class);
    twoHosts();
    insecureAddress("one.example", "one.example");
    assertThat(hop("one.example").target().tls()).isInstanceOf(TlsPolicy.Opportunistic.class);
    assertThat(dns.asked).doesNotContain(new Question.TlsaOf(new DnsName("_25._tcp.one.example")));
  }

  @Test
  void recordsThatAreNotSecureCountForNothing() {
    tlsa("one.example", false, new Tlsa(3, 1, 1, DIGEST));
    assertThat(hop("one.example").target().tls()).isInstanceOf(TlsPolicy.Opportunistic.class);
  }

  @Test
  void aHostWhoseRecordsAreUnknownIsNotTried() {
    dns.failed(new Question.TlsaOf(new DnsName("_25._tcp.one.example")));
    var found = (NextHops.Found) find("a.example", TlsNeed.AS_PUBLISHED);
    assertThat(hosts(found.hops())).containsExactly("two.example");
    assertThat(found.passedOver().getFirst().reason())
        .isEqualTo(NextHops.PassedOver.Reason.TLSA_UNKNOWN);
    dns.failed(new Question.TlsaOf(new DnsName("_25._tcp.two.example")));
    var defer = (NextHops.Defer) find("a.example", TlsNeed.AS_PUBLISHED);
    assertThat(defer.status()).hasToString("4.4.3");
    assertThat(defer.sentence()).contains("_25._tcp.one.example").matches("[ -~]+\\.");
  }

  @Test
  void aliasesLeadToRecordsOfTheirEndOrElseTheirBeginning() {
    var four = (Inet4Address) InetAddress.ofLiteral("192.0.2.1");
    dns.answer(
        new Question.A(new DnsName("one.example")),
        new Answer.Found<>(List.of(four), TTL, true, new DnsName("end.example")));
    dns.answer(new Question.Aaaa(new DnsName("one.example")), new Answer.NoSuchData<>(true));
    tlsa("one.example", true, new Tlsa(3, 1, 1, DIGEST));
    assertThat(hop("one.example").target().host()).isEqualTo("one.example");
    tlsa("end.example", true, new Tlsa(2, 1, 1, DIGEST));
    assertThat(hop("one.example").target().host()).isEqualTo("end.example");
    assertThat(((TlsVerification.Dane) required(hop("one.example"))).names())
        .containsExactlyInAnyOrder("one.example", "end.example", "a.example");
  }

  @Test
  void aSecureAliasToWhereNothingIsSecureKeepsItsRecords() {
    tlsa("one.example", true, new Tlsa(3, 1, 1, DIGEST));
    tlsa("end.example", true, new Tlsa(3, 1, 1, DIGEST));
    insecureAddress("one.example", "end.example");
    var cname = new Question.Cname(new DnsName("one.example"));
    var end = List.of(new DnsName("end.example"));
    dns.answer(cname, new Answer.Found<>(end, TTL, true, cname.name()));
    assertThat(hop("one.example").target().host()).isEqualTo("one.example");
    assertThat(required(hop("one.example"))).isInstanceOf(TlsVerification.Dane.class);
    dns.answer(cname, new Answer.Found<>(end, TTL, false, cname.name()));
    assertThat(hop("one.example").target().tls()).isInstanceOf(TlsPolicy.Opportunistic.class);
    dns.failed(cname);
    assertThat(hosts(hops(TlsNeed.AS_PUBLISHED))).containsExactly("two.example");
  }

  @Test
  void anEnforcedPolicyIsObeyed() {
    policy(StsPolicy.Mode.ENFORCE, "one.example");
    var found = (NextHops.Found) find("a.example", TlsNeed.AS_PUBLISHED);
    assertThat(hosts(found.hops())).containsOnly("one.example");
    assertThat(required(found.hops().getFirst())).isInstanceOf(TlsVerification.Pkix.class);
    assertThat(found.passedOver().getFirst().reason())
        .isEqualTo(NextHops.PassedOver.Reason.NOT_IN_POLICY);
    policy(StsPolicy.Mode.ENFORCE, "other.example");
    var defer = (NextHops.Defer) find("a.example", TlsNeed.AS_PUBLISHED);
    assertThat(defer.status()).hasToString("4.7.5");
    assertThat(defer.passedOver()).hasSize(2);
  }

  @Test
  void aPolicyOnTrialHoldsNothingUp() {
    policy(StsPolicy.Mode.TESTING, "one.example");
    assertThat(hosts(hops(TlsNeed.AS_PUBLISHED)))
        .containsExactly("one.example", "one.example", "two.example");
    assertThat(hop("two.example").target().tls()).isInstanceOf(TlsPolicy.Opportunistic.class);
    assertThat(hop("two.example").published()).isInstanceOf(Published.Sts.class);
  }

  @Test
  void aPolicyThatCannotBeFetchedHoldsNothingUp() {
    sts = new StsAnswer(Optional.empty(), Optional.of(FAILURE));
    var found = (NextHops.Found) find("a.example", TlsNeed.AS_PUBLISHED);
    assertThat(found.stsFailure()).contains(FAILURE);
    assertThat(found.hops().getFirst().target().tls()).isInstanceOf(TlsPolicy.Opportunistic.class);
  }

  @Test
  void requireTlsWantsHostsThatAreNamedSecurely() {
    assertThat(hops(TlsNeed.REQUIRED))
        .hasSize(3)
        .allMatch(each -> required(each) instanceof TlsVerification.Pkix);
    insecureMx();
    var bounce = (NextHops.Bounce) find("a.example", TlsNeed.REQUIRED);
    assertThat(bounce.status()).hasToString("5.7.30");
    policy(StsPolicy.Mode.TESTING, "two.example");
    assertThat(hosts(hops(TlsNeed.REQUIRED))).containsExactly("two.example");
    assertThat(required(hops(TlsNeed.REQUIRED).getFirst()))
        .isInstanceOf(TlsVerification.Pkix.class);
    sts = new StsAnswer(Optional.empty(), Optional.of(FAILURE));
    assertThat(((NextHops.Defer) find("a.example", TlsNeed.REQUIRED)).status())
        .hasToString("4.7.5");
    assertThat(((NextHops.Bounce) find("[192.0.2.9]", TlsNeed.REQUIRED)).status())
        .hasToString("5.7.30");
  }

  @Test
  void requireTlsIsContentWithDane() {
    tlsa("one.example", true, new Tlsa(3, 1, 1, DIGEST));
    assertThat(required(hops(TlsNeed.REQUIRED).getFirst()))
        .isInstanceOf(TlsVerification.Dane.class);
    tlsa("one.example", true, new Tlsa(0, 1, 1, DIGEST));
    assertThat(required(hops(TlsNeed.REQUIRED).getFirst()))
        .isInstanceOf(TlsVerification.Pkix.class);
  }

  @Test
  void tlsRequiredNoDisregardsAllThatIsPublished() {
    tlsa("one.example", true, new Tlsa(3, 1, 1, DIGEST));
    policy(StsPolicy.Mode.ENFORCE, "other.example");
    assertThat(hops(TlsNeed.DISREGARDED))
        .hasSize(3)
        .allMatch(each -> each.target().tls() instanceof TlsPolicy.Opportunistic);
    assertThat(asked).isEmpty();
  }

  @Test
  void addressLiteralsHaveNoPolicies() {
    var found = (NextHops.Found) find("[192.0.2.9]", TlsNeed.AS_PUBLISHED);
    assertThat(found.hops()).hasSize(1);
    assertThat(found.hops().getFirst().host()).isEqualTo("[192.0.2.9]");
    assertThat(found.hops().getFirst().target().tls()).isInstanceOf(TlsPolicy.Opportunistic.class);
    assertThat(asked).isEmpty();
    assertThat(dns.asked).isEmpty();
  }

  @Test
  void whyNowhere() {
    dns.mx("null.example", 0, ".");
    assertThat(((NextHops.Bounce) find("null.example", TlsNeed.AS_PUBLISHED)).status())
        .hasToString("5.1.10");
    assertThat(((NextHops.Bounce) find("gone.example", TlsNeed.AS_PUBLISHED)).status())
        .hasToString("5.1.2");
    dns.failed(new Question.Mx(new DnsName("lost.example")));
    assertThat(((NextHops.Defer) find("lost.example", TlsNeed.AS_PUBLISHED)).status())
        .hasToString("4.4.3");
    dns.mx("loop.example", 0, "we.example");
    assertThat(((NextHops.Bounce) find("loop.example", TlsNeed.AS_PUBLISHED)).status())
        .hasToString("5.4.6");
    dns.mx("local.example", 0, "local.example").host("local.example", "127.0.0.1");
    assertThat(((NextHops.Bounce) find("local.example", TlsNeed.AS_PUBLISHED)).status())
        .hasToString("5.4.4");
  }

  @Test
  void internationalDomainsHaveTheirPolicyUnderTheALabel() {
    dns.mx("xn--bcher-kva.example", 10, "one.example");
    find("b\u00fccher.example", TlsNeed.AS_PUBLISHED);
    assertThat(asked).containsExactly(new DnsName("xn--bcher-kva.example"));
  }
}
