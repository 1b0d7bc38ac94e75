package longhand.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
import org.junit.jupiter.api.Test;

/// Laws of routing over worlds at random: what each host publishes, what DNSSEC vouches for, what
/// fails, and what the message demands.
class RoutingPropertyTest {

  private static final Duration TTL = Duration.ofMinutes(5);
  private static final DnsName DOMAIN = new DnsName("a.example");
  private static final Tlsa USABLE = new Tlsa(3, 1, 1, "00".repeat(32));
  private static final Tlsa UNUSABLE = new Tlsa(1, 1, 1, "00".repeat(32));

  /// What a host's TLSA records come to where they are asked for.
  private enum Records {
    NONE,
    FAILED,
    INSECURE,
    UNUSABLE,
    USABLE
  }

  private record World(
      boolean secureMx,
      Map<String, Records> records,
      Map<String, Boolean> secureAddress,
      Optional<StsPolicy> policy,
      Set<String> named,
      boolean stsFailed) {

    /// What DNSSEC makes of a host's records.
    Records of(String host) {
      boolean asked = secureMx && secureAddress.getOrDefault(host, false);
      var published = records.getOrDefault(host, Records.NONE);
      return asked && published != Records.INSECURE ? published : Records.NONE;
    }

    boolean enforced() {
      return policy.filter(each -> each.mode() == StsPolicy.Mode.ENFORCE).isPresent();
    }
  }

  private final ScriptedDns dns = new ScriptedDns();

  private World world(Random random) {
    boolean secureMx = random.nextInt(3) > 0;
    var records = new HashMap<String, Records>();
    var secureAddress = new HashMap<String, Boolean>();
    var exchanges = new ArrayList<MailExchange>();
    var named = new java.util.HashSet<String>();
    var patterns = new ArrayList<MxPattern>();
    patterns.add(new MxPattern(false, new DnsName("elsewhere.example")));
    for (int i = 1 + random.nextInt(4); i > 0; i--) {
      var host = "h" + i + ".example";
      exchanges.add(new MailExchange(random.nextInt(3), new DnsName(host)));
      records.put(host, Records.values()[random.nextInt(Records.values().length)]);
      secureAddress.put(host, random.nextInt(3) > 0);
      if (random.nextBoolean()) {
        named.add(host);
        patterns.add(new MxPattern(false, new DnsName(host)));
      }
      var four = List.of((Inet4Address) InetAddress.ofLiteral("192.0.2." + i));
      boolean secure = secureAddress.getOrDefault(host, false);
      dns.answer(
          new Question.A(new DnsName(host)),
          new Answer.Found<>(four, TTL, secure, new DnsName(host)));
      dns.answer(new Question.Aaaa(new DnsName(host)), new Answer.NoSuchData<>(secure));
      var name = new DnsName("_25._tcp." + host);
      var tlsa = new Question.TlsaOf(name);
      switch (records.getOrDefault(host, Records.NONE)) {
        case NONE -> dns.answer(tlsa, new Answer.NoSuchName<>(true));
        case FAILED -> dns.failed(tlsa);
        case INSECURE -> dns.answer(tlsa, new Answer.Found<>(List.of(USABLE), TTL, false, name));
        case UNUSABLE -> dns.answer(tlsa, new Answer.Found<>(List.of(UNUSABLE), TTL, true, name));
        case USABLE ->
            dns.answer(tlsa, new Answer.Found<>(List.of(UNUSABLE, USABLE), TTL, true, name));
      }
    }
    dns.answer(new Question.Mx(DOMAIN), new Answer.Found<>(exchanges, TTL, secureMx, DOMAIN));
    Optional<StsPolicy> policy =
        random.nextBoolean()
            ? Optional.empty()
            : Optional.of(
                new StsPolicy(
                    random.nextBoolean() ? StsPolicy.Mode.ENFORCE : StsPolicy.Mode.TESTING,
                    patterns,
                    TTL));
    return new World(secureMx, records, secureAddress, policy, named, random.nextInt(4) == 0);
  }

  private NextHops find(World world, TlsNeed need, long seed) {
    var failure =
        world.stsFailed()
            ? Optional.of(new StsFailure(StsFailure.Kind.FETCH_ERROR, "no luck"))
            : Optional.<StsFailure>empty();
    var hosts =
        new MailHosts(
            dns, MailHosts.Settings.of(Set.of(), Set.of()), new Random(seed), System::nanoTime);
    return new Routing(
            dns, hosts, _ -> new StsAnswer(world.policy(), failure), Routing.Settings.DEFAULT)
        .find(new Domain("a.example"), need);
  }

  private static boolean dane(TlsPolicy tls) {
    return tls instanceof TlsPolicy.Required(var how) && how instanceof TlsVerification.Dane;
  }

  private static boolean pkix(TlsPolicy tls) {
    return tls instanceof TlsPolicy.Required(var how) && how instanceof TlsVerification.Pkix;
  }

  @Test
  void noHopIsLaxerThanWhatIsPublishedOrDemanded() {
    long first = System.nanoTime();
    for (long seed = first; seed < first + 3000; seed++) {
      var random = new Random(seed);
      var world = world(random);
      var need = TlsNeed.values()[random.nextInt(3)];
      var found = find(world, need, seed);
      var said = "seed " + seed + " " + need + " " + world;
      int hosts = world.records().size();
      switch (found) {
        case NextHops.Found(var hops, _, var passedOver) -> {
          assertThat(hops.size() + passedOver.size()).as(said).isEqualTo(hosts);
          for (var hop : hops) {
            lawful(world, need, hop, said);
          }
        }
        case NextHops.Defer(var status, _, _, var passedOver) -> {
          assertThat(status.kind()).as(said).isEqualTo(4);
          assertThat(passedOver).as(said).hasSize(hosts);
          assertThat(need).as(said).isNotEqualTo(TlsNeed.DISREGARDED);
        }
        case NextHops.Bounce(var status, _) -> {
          assertThat(status).as(said).hasToString("5.7.30");
          assertThat(need).as(said).isEqualTo(TlsNeed.REQUIRED);
          assertThat(world.secureMx()).as(said).isFalse();
        }
      }
    }
  }

  private static void lawful(World world, TlsNeed need, NextHops.Hop hop, String said) {
    var tls = hop.target().tls();
    if (need == TlsNeed.DISREGARDED) {
      assertThat(tls).as(said).isInstanceOf(TlsPolicy.Opportunistic.class);
      return;
    }
    var records = world.of(hop.host());
    assertThat(records).as(said).isNotEqualTo(Records.FAILED);
    assertThat(dane(tls)).as(said).isEqualTo(records == Records.USABLE);
    if (records == Records.USABLE) {
      return;
    }
    boolean named = world.policy().isPresent() && world.named().contains(hop.host());
    if (world.enforced()) {
      assertThat(named).as(said).isTrue();
      assertThat(pkix(tls)).as(said).isTrue();
    }
    if (need == TlsNeed.REQUIRED) {
      assertThat(pkix(tls)).as(said).isTrue();
      assertThat(named || world.secureMx()).as(said).isTrue();
    }
    if (records == Records.UNUSABLE) {
      assertThat(tls).as(said).isInstanceOf(TlsPolicy.Required.class);
    }
    if (records == Records.NONE && !world.enforced() && need == TlsNeed.AS_PUBLISHED) {
      assertThat(tls).as(said).isInstanceOf(TlsPolicy.Opportunistic.class);
    }
  }
}
