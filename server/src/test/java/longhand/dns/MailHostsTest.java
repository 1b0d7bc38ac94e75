package longhand.dns;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import longhand.mail.Domain;
import org.junit.jupiter.api.Test;

class MailHostsTest {

  private final ScriptedDns dns = new ScriptedDns();
  private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 5);
  private final Random random = new Random(7);

  private MailHosts hosts() {
    return new MailHosts(
        dns,
        MailHosts.Settings.of(
            Set.of(new DnsName("we.example")), Set.of(InetAddress.ofLiteral("192.0.2.99"))),
        random,
        now::get);
  }

  private Targets find(String domain) {
    return hosts().find(new Domain(domain), Reach.PUBLIC);
  }

  private static List<String> names(Targets targets) {
    assertThat(targets).isInstanceOf(Targets.Found.class);
    return ((Targets.Found) targets)
        .hosts().stream().map(host -> host.name().orElseThrow().text()).toList();
  }

  private static List<String> addresses(Targets targets) {
    assertThat(targets).isInstanceOf(Targets.Found.class);
    return ((Targets.Found) targets)
        .hosts().stream()
            .flatMap(host -> host.addresses().stream())
            .map(InetAddress::getHostAddress)
            .toList();
  }

  private static void none(Targets targets, String status) {
    assertThat(targets).isInstanceOf(Targets.None.class);
    var none = (Targets.None) targets;
    assertThat(none.status()).hasToString(status);
    assertThat(none.sentence()).matches("[ -~]+\\.");
  }

  @Test
  void theBestPreferenceComesFirst() {
    dns.mx("a.example", 20, "two.example", 10, "one.example", 30, "three.example")
        .host("one.example", "192.0.2.1")
        .host("two.example", "192.0.2.2")
        .host("three.example", "192.0.2.3");
    var found = find("a.example");
    assertThat(names(found)).containsExactly("one.example", "two.example", "three.example");
    assertThat(((Targets.Found) found).secure()).isTrue();
    assertThat(((Targets.Found) found).hosts().getFirst().secure()).isTrue();
  }

  @Test
  void mailIsSpreadOverEquals() {
    dns.mx("a.example", 10, "one.example", 10, "two.example", 20, "last.example")
        .host("one.example", "192.0.2.1")
        .host("two.example", "192.0.2.2")
        .host("last.example", "192.0.2.3");
    var first = new HashMap<String, Integer>();
    for (int i = 0; i < 1000; i++) {
      var names = names(find("a.example"));
      assertThat(names.getLast()).isEqualTo("last.example");
      first.merge(names.getFirst(), 1, Integer::sum);
    }
    assertThat(first.get("one.example")).isBetween(400, 600);
    assertThat(first.get("two.example")).isBetween(400, 600);
  }

  @Test
  void withoutMxTheDomainItselfIsTheHost() {
    dns.host("a.example", "192.0.2.1", "2001:db8::1");
    assertThat(names(find("a.example"))).containsExactly("a.example");
    assertThat(addresses(find("a.example"))).containsExactly("2001:db8:0:0:0:0:0:1", "192.0.2.1");
  }

  @Test
  void anMxWithoutAddressDoesNotLeadBackToTheDomain() {
    dns.mx("a.example", 10, "gone.example").host("a.example", "192.0.2.1");
    none(find("a.example"), "5.4.4");
  }

  @Test
  void nullMxIsObeyed() {
    dns.mx("a.example", 0, ".").host("a.example", "192.0.2.1");
    none(find("a.example"), "5.1.10");
  }

  @Test
  void theRootAmongOthersNamesNoHost() {
    dns.mx("a.example", 0, ".", 10, "one.example").host("one.example", "192.0.2.1");
    assertThat(names(find("a.example"))).containsExactly("one.example");
  }

  @Test
  void noSuchDomain() {
    none(find("nowhere.example"), "5.1.2");
    none(find("no host.example"), "5.1.2");
    dns.host("empty.example");
    none(find("empty.example"), "5.4.4");
  }

  @Test
  void troubleIsTemporary() {
    dns.failed(new Question.Mx(new DnsName("a.example")));
    none(find("a.example"), "4.4.3");
    dns.mx("b.example", 10, "one.example").failed(new Question.A(new DnsName("one.example")));
    none(find("b.example"), "4.4.3");
    dns.failed(new Question.Aaaa(new DnsName("c.example"))).mx("c.example");
    none(find("c.example"), "4.4.3");
  }

  @Test
  void oneHostInTroubleDoesNotHoldUpTheOthers() {
    dns.mx("a.example", 10, "one.example", 20, "two.example")
        .failed(new Question.A(new DnsName("one.example")))
        .failed(new Question.Aaaa(new DnsName("one.example")))
        .host("two.example", "192.0.2.2");
    assertThat(names(find("a.example"))).containsExactly("two.example");
  }

  @Test
  void aFailedLookupDoesNotMakeAHostInsecure() {
    dns.mx("a.example", 10, "one.example")
        .host("one.example", "192.0.2.1")
        .failed(new Question.Aaaa(new DnsName("one.example")));
    assertThat(((Targets.Found) find("a.example")).hosts().getFirst().secure()).isTrue();
  }

  @Test
  void ourNameTakesAwayEqualAndWorse() {
    dns.mx("a.example", 10, "best.example", 20, "we.example", 20, "equal.example", 30, "w.example")
        .host("best.example", "192.0.2.1")
        .host("equal.example", "192.0.2.2")
        .host("w.example", "192.0.2.3");
    for (int i = 0; i < 20; i++) {
      assertThat(names(find("a.example"))).containsExactly("best.example");
    }
  }

  @Test
  void ourAddressTakesAwayEqualAndWorse() {
    dns.mx(
            "a.example",
            10,
            "best.example",
            20,
            "alias.example",
            20,
            "equal.example",
            30,
            "w.example")
        .host("best.example", "192.0.2.1")
        .host("alias.example", "192.0.2.98", "192.0.2.99")
        .host("equal.example", "192.0.2.2")
        .host("w.example", "192.0.2.3");
    for (int i = 0; i < 20; i++) {
      assertThat(names(find("a.example"))).containsExactly("best.example");
    }
  }

  @Test
  void onlyOurselvesIsALoop() {
    dns.mx("a.example", 10, "we.example", 20, "worse.example").host("worse.example", "192.0.2.3");
    none(find("a.example"), "5.4.6");
    dns.host("b.example", "192.0.2.99");
    none(find("b.example"), "5.4.6");
    dns.host("we.example", "192.0.2.4");
    none(find("we.example"), "5.4.6");
    none(find("[192.0.2.99]"), "5.4.6");
  }

  @Test
  void privateAddressesNeedARoute() {
    dns.mx("a.example", 10, "one.example")
        .host("one.example", "127.0.0.1", "::1", "10.1.2.3", "fe80::1", "0.0.0.0", "224.0.0.1");
    none(find("a.example"), "5.4.4");
    assertThat(addresses(hosts().host(new DnsName("one.example"), Reach.PRIVATE_TOO)))
        .containsExactlyInAnyOrder(
            "127.0.0.1", "10.1.2.3", "0:0:0:0:0:0:0:1", "fe80:0:0:0:0:0:0:1");
  }

  @Test
  void addressesAlternateBeginningWithIpv6() {
    dns.host("a.example", "192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2");
    var order = addresses(find("a.example"));
    assertThat(order).hasSize(5).doesNotHaveDuplicates();
    assertThat(order.stream().map(each -> each.contains(":")))
        .containsExactly(true, false, true, false, false);
  }

  @Test
  void addressLiterals() {
    assertThat(addresses(find("[192.0.2.1]"))).containsExactly("192.0.2.1");
    assertThat(addresses(find("[ipv6:2001:db8::1]"))).containsExactly("2001:db8:0:0:0:0:0:1");
    for (var bad :
        List.of(
            "[",
            "[]",
            "[1]",
            "[1.2.3]",
            "[1.2.3.4.5]",
            "[1.2.3.256]",
            "[1.2.3.0004]",
            "[1..2.3]",
            "[1.2.3.4",
            "[ipv6:1.2.3.4]",
            "[ipv6:fe80::1%lo]",
            "[ipv6:::g]",
            "[ipv6:]",
            "[x:abc]")) {
      none(find(bad), "5.1.3");
    }
    none(find("[127.0.0.1]"), "5.4.4");
    none(find("[ipv6:::ffff:127.0.0.1]"), "5.4.4");
    none(find("[ipv6:64:ff9b::7f00:1]"), "5.4.4");
    none(find("[ipv6:2002:7f00:1::1]"), "5.4.4");
    none(find("[ipv6:::ffff:192.0.2.99]"), "5.4.6");
    assertThat(dns.asked).isEmpty();
  }

  @Test
  void internationalDomainsAreAskedAsALabels() {
    dns.mx("xn--bcher-kva.example", 10, "one.example").host("one.example", "192.0.2.1");
    assertThat(names(find("b\u00fccher.example"))).containsExactly("one.example");
  }

  @Test
  void aThousandHostsAreBounded() {
    var records = new Object[2000];
    for (int i = 0; i < 1000; i++) {
      records[2 * i] = 1000 - i;
      records[2 * i + 1] = "h" + i + ".example";
      dns.host("h" + i + ".example", "192.0.2.1");
    }
    dns.mx("a.example", records);
    var names = names(find("a.example"));
    assertThat(names).hasSize(20).startsWith("h999.example", "h998.example");
    assertThat(dns.asked).hasSize(41);
  }

  @Test
  void theSearchEndsByItsDeadline() {
    dns.mx("a.example", 10, "one.example", 20, "two.example")
        .host("one.example", "192.0.2.1")
        .host("two.example", "192.0.2.2");
    dns.whenAsked = () -> now.addAndGet(Duration.ofSeconds(25).toNanos());
    assertThat(names(find("a.example"))).containsExactly("one.example");
    assertThat(dns.asked).hasSize(3);
    dns.whenAsked = () -> now.addAndGet(Duration.ofSeconds(61).toNanos());
    none(find("a.example"), "4.4.3");
  }
}
