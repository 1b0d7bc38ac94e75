package longhand.zone;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import longhand.dkim.DkimSigner;
import longhand.dns.Answer;
import longhand.dns.Dns;
import longhand.dns.DnsName;
import longhand.dns.Nsd;
import longhand.dns.Question;
import longhand.dns.Reach;
import longhand.dns.ScriptedDns;
import longhand.mail.Domain;
import longhand.mtasts.Fetched;
import longhand.mtasts.MxPattern;
import longhand.mtasts.StsFailure;
import longhand.mtasts.StsPolicy;
import longhand.zone.Finding.Verdict;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What is said of zones that are right, wrong and empty, by a real name server and by a script.
@Timeout(120)
class ZoneCheckTest {

  private static final Duration WITHIN = Duration.ofSeconds(10);
  private static final String REVERSE =
      """
      25 IN PTR mail.right.test.
      66 IN PTR elsewhere.wrong.test.
      """;

  @TempDir private Path folder;

  private static List<Finding> check(Dns dns, MailDomain domain, Fetched policy) {
    return new ZoneCheck(dns, _ -> policy, Reach.PRIVATE_TOO, WITHIN).check(domain);
  }

  private static Fetched policy(String host) {
    return new Fetched.Policy(
        new StsPolicy(
            StsPolicy.Mode.ENFORCE,
            List.of(new MxPattern(false, new DnsName(host))),
            Duration.ofDays(1)));
  }

  private static Fetched noPolicy() {
    return new Fetched.Failed(new StsFailure(StsFailure.Kind.FETCH_ERROR, "nobody there"));
  }

  /// Topics and names with their verdicts.
  private static List<String> verdicts(List<Finding> findings) {
    return findings.stream()
        .map(each -> each.topic() + " " + each.name() + " " + each.verdict())
        .toList();
  }

  private static Finding finding(List<Finding> findings, String topic) {
    return findings.stream().filter(each -> each.topic().equals(topic)).findFirst().orElseThrow();
  }

  /// The proposed records, those in comments too.
  private static String fragment(MailDomain domain) {
    return new Publication(domain)
        .fragment().stream()
            .map(line -> line.startsWith("; ") && line.contains(". IN ") ? line.substring(2) : line)
            .filter(line -> !line.contains("arpa."))
            .collect(Collectors.joining("\n", "", "\n"));
  }

  private static MailDomain ipv4(MailDomain domain, X509Certificate certificate) {
    return new MailDomain(
        domain.domain(),
        domain.host(),
        domain.addresses().subList(0, 1),
        domain.services(),
        domain.keys(),
        Optional.of(certificate));
  }

  private static String wrong() {
    var text = Domains.RSA.publicText();
    return """
        @ IN MX 10 mx.wrong.test.
        mx IN CNAME mail
        mail IN A 192.0.2.66
        mail IN TXT "v=spf1 ip4:192.0.2.66 +all"
        @ IN TXT "v=spf1 include:a include:b"
        @ IN TXT "v=spf1 mx -all"
        20261124r._domainkey IN TXT ( "%s" "%s" "%s" )
        20261124e._domainkey IN TXT "v=DKIM1; k=ed25519; p="
        _dmarc IN TXT "v=DMARC1; p=no"
        _mta-sts IN TXT "v=STSv1; id=not-good;"
        _smtp._tls IN TXT "v=TLSRPTv1; rua=mailto:"
        _25._tcp.mail IN TLSA 3 1 1 %s
        _imaps._tcp IN SRV 0 1 993 old.wrong.test.
        """
        .formatted(
            text.substring(0, 60),
            text.substring(60, 200) + "AAAA",
            text.substring(204),
            "00".repeat(32));
  }

  @Test
  void zonesThatAreRightWrongAndEmpty() throws Exception {
    var certificate = Domains.certificate();
    var right = ipv4(Domains.of("right.test", Optional.empty()), certificate);
    try (var server =
        new Nsd(folder)
            .signed("right.test", fragment(right), text -> text)
            .plain("wrong.test", wrong())
            .plain("empty.test", "")
            .plain("2.0.192.in-addr.arpa", REVERSE)
            .start()) {
      // What we propose, published as it is, is right throughout.
      var found = check(server.resolver(), right, policy("mail.right.test"));
      assertThat(found).allMatch(each -> each.verdict() == Verdict.RIGHT, "is right");
      assertThat(found.stream().map(Finding::topic).distinct())
          .containsExactly(
              "MX", "A, AAAA", "PTR", "SPF", "DKIM", "DMARC", "DNSSEC", "TLSA", "MTA-STS", "TLSRPT",
              "SRV", "CAA");
      assertThat(found.stream().filter(each -> each.topic().equals("SRV"))).hasSize(3);
      assertThat(found).allMatch(each -> each.paste().isEmpty());

      // Without validation the zone is seen to be signed, but nobody vouches for it.
      var unsure = check(server.unvalidated(), right, policy("mail.right.test"));
      assertThat(finding(unsure, "DNSSEC").found()).contains("nobody above vouches");
      assertThat(unsure).noneMatch(Finding::toMend);

      // Every record is there, and each is wrong in its own way.
      var wrong = ipv4(Domains.of("wrong.test", Optional.empty()), certificate);
      found = check(server.unvalidated(), wrong, noPolicy());
      assertThat(verdicts(found))
          .containsExactly(
              "MX wrong.test wrong",
              "A, AAAA mail.wrong.test wrong",
              "PTR 66.2.0.192.in-addr.arpa wrong",
              "SPF wrong.test wrong",
              "SPF mail.wrong.test wrong",
              "DKIM 20261124r._domainkey.wrong.test wrong",
              "DKIM 20261124e._domainkey.wrong.test wrong",
              "DMARC _dmarc.wrong.test wrong",
              "DNSSEC wrong.test suggested",
              "TLSA _25._tcp.mail.wrong.test wrong",
              "MTA-STS _mta-sts.wrong.test wrong",
              "TLSRPT _smtp._tls.wrong.test wrong",
              "SRV _submissions._tcp.wrong.test suggested",
              "SRV _submission._tcp.wrong.test suggested",
              "SRV _imaps._tcp.wrong.test wrong",
              "CAA mail.wrong.test suggested");
      assertThat(finding(found, "MX").found()).isEqualTo("mail goes to mx.wrong.test");
      assertThat(finding(found, "MX").paste())
          .containsExactly("wrong.test. IN MX 10 mail.wrong.test.");
      assertThat(finding(found, "A, AAAA").paste())
          .containsExactly("mail.wrong.test. IN A 192.0.2.25");
      assertThat(finding(found, "SPF").found()).isEqualTo("there are 2 SPF records");
      assertThat(found.stream().filter(each -> each.topic().equals("DKIM")).map(Finding::found))
          .containsExactly("it holds another key", "it says that the key was revoked");
      assertThat(finding(found, "TLSA").paste().getFirst()).contains("TLSA 3 1 1 ");
      assertThat(found.stream().filter(Finding::toMend))
          .allMatch(each -> !each.why().isEmpty() && !each.paste().isEmpty());

      // Nothing is there: what mail needs is missing, the rest is proposed.
      var empty = Domains.of("empty.test", Optional.of(certificate));
      found = check(server.unvalidated(), empty, noPolicy());
      assertThat(found.stream().filter(Finding::toMend).map(Finding::topic))
          .containsExactly("MX", "A, AAAA", "SPF", "DKIM", "DKIM", "DMARC");
      assertThat(found)
          .allMatch(
              each -> each.verdict() == Verdict.MISSING || each.verdict() == Verdict.SUGGESTED);
      // What is to be pasted is what the fragment has.
      var proposed = new Publication(empty).fragment();
      assertThat(found.stream().flatMap(each -> each.paste().stream())).isSubsetOf(proposed);
    }
  }

  @Test
  void anAliasUnderMxIsWrong() {
    var dns =
        new ScriptedDns()
            .mx("example.com", 10, "mail.example.com")
            .host("real.example.com", "192.0.2.25")
            .answer(
                new Question.Cname(new DnsName("mail.example.com")),
                new Answer.Found<>(
                    List.of(new DnsName("real.example.com")),
                    WITHIN,
                    false,
                    new DnsName("mail.example.com")));
    var found = check(dns, Domains.of("example.com", Optional.empty()), noPolicy());
    assertThat(finding(found, "A, AAAA").verdict()).isEqualTo(Verdict.WRONG);
    assertThat(finding(found, "A, AAAA").found()).contains("alias (CNAME) of real.example.com");
  }

  private static Finding spf(ScriptedDns dns, String... texts) {
    dns.mx("example.com", 10, "mail.example.com").host("mail.example.com", "192.0.2.25");
    dns.host("mail.example.com", "192.0.2.25", "2001:db8::25").txt("example.com", texts);
    return finding(check(dns, Domains.of("example.com", Optional.empty()), noPolicy()), "SPF");
  }

  @Test
  void spfIsFollowedToItsEnds() {
    assertThat(spf(new ScriptedDns(), "v=spf1 mx -all").found())
        .isEqualTo("it lets this server send, with 1 lookup");
    assertThat(spf(new ScriptedDns(), "other", "v=spf1 a:mail.example.com ~all").verdict())
        .isEqualTo(Verdict.RIGHT);
    assertThat(spf(new ScriptedDns(), "v=spf1 ip4:192.0.2.0/24 -all").found())
        .isEqualTo("it does not let 2001:db8:0:0:0:0:0:25 send");
    assertThat(spf(new ScriptedDns(), "v=spf1 ip4:192.0.2.0/27 ip6:2001:db8::/64 -all").verdict())
        .isEqualTo(Verdict.RIGHT);
    assertThat(spf(new ScriptedDns(), "v=spf1 -mx ~a:mail.example.com -all").verdict())
        .isEqualTo(Verdict.WRONG);
    assertThat(spf(new ScriptedDns(), "v=spf1 mx").verdict()).isEqualTo(Verdict.SUGGESTED);
    assertThat(spf(new ScriptedDns(), "v=spf1 mx +all").found())
        .isEqualTo("it lets everybody send");
    assertThat(spf(new ScriptedDns(), "v=spf1 mx include:none.example.net -all").found())
        .isEqualTo("it uses none.example.net, which has no SPF record");
    assertThat(spf(new ScriptedDns(), "v=spf1 mx ipv4:192.0.2.1 -all").found())
        .isEqualTo("has a word that means nothing: ipv4:192.0.2.1");

    var includes = new ScriptedDns().txt("a.example", "v=spf1 redirect=b.example");
    includes.txt("b.example", "v=spf1 mx:example.com -all");
    assertThat(spf(includes, "v=spf1 include:a.example -all").found())
        .isEqualTo("it lets this server send, with 3 lookups");

    // A circle ends, by the number of lookups that receivers make too.
    var circle = new ScriptedDns().txt("a.example", "v=spf1 include:a.example mx:example.com");
    assertThat(spf(circle, "v=spf1 include:a.example -all").verdict()).isEqualTo(Verdict.RIGHT);

    var ten = new StringBuilder("v=spf1 mx");
    for (int i = 0; i < 9; i++) {
      ten.append(" a:mail.example.com");
    }
    assertThat(spf(new ScriptedDns(), ten + " -all").verdict()).isEqualTo(Verdict.RIGHT);
    assertThat(spf(new ScriptedDns(), ten + " a -all").found())
        .isEqualTo("it needs more than 10 lookups");
  }

  @Test
  void aFailureIsNeitherRightNorWrong() {
    var dns = new ScriptedDns();
    for (var name : List.of("_dmarc.example.com", "20261124r._domainkey.example.com")) {
      dns.failed(new Question.Txt(new DnsName(name)));
    }
    dns.failed(new Question.Mx(new DnsName("example.com")));
    var found = check(dns, Domains.of("example.com", Optional.empty()), noPolicy());
    for (var topic : List.of("MX", "DKIM", "DMARC")) {
      assertThat(finding(found, topic).verdict()).isEqualTo(Verdict.UNKNOWN);
    }
  }

  @Test
  void aPolicyThatNamesAnotherServerIsWrong() {
    var dns = new ScriptedDns().txt("_mta-sts.example.com", "v=STSv1; id=1;");
    var domain = Domains.of("example.com", Optional.empty());
    assertThat(finding(check(dns, domain, policy("mail.example.com")), "MTA-STS").verdict())
        .isEqualTo(Verdict.RIGHT);
    assertThat(finding(check(dns, domain, policy("mx.example.net")), "MTA-STS").found())
        .isEqualTo("its policy (enforce) does not name mail.example.com");
    assertThat(finding(check(dns, domain, noPolicy()), "MTA-STS").found())
        .isEqualTo("its policy cannot be had: nobody there");
  }

  /// python3-dkim verifies a message by the key texts as a name server gives them.
  @Tag("interop")
  @Test
  void anotherProgramReadsThePublishedKeys() throws Exception {
    var python = Path.of("/usr/bin/python3");
    assumeTrue(Files.isExecutable(python), "skipped: there is no " + python);
    assumeTrue(run("import dkim, nacl") == 0, "skipped: python3-dkim or python3-nacl is missing");
    var domain = Domains.of("right.test", Optional.empty());
    try (var server = new Nsd(folder).plain("right.test", fragment(domain)).start()) {
      var message = "From: a@right.test\r\nTo: b@example.net\r\nSubject: s\r\n\r\nHello\r\n";
      var signing =
          new DkimSigner(
                  new Domain("right.test"),
                  domain.keys().stream().map(MailDomain.Key::key).toList(),
                  Clock.systemUTC(),
                  Optional.empty())
              .begin();
      signing.write(message.getBytes(ISO_8859_1));
      var fields = ((DkimSigner.Outcome.Signed) signing.finish()).fields();
      Files.writeString(
          folder.resolve("message"), new String(fields, ISO_8859_1) + message, ISO_8859_1);
      for (var key : domain.keys()) {
        var name = key.key().selector() + "._domainkey.right.test";
        var texts =
            (Answer.Found<String>)
                server.unvalidated().ask(new Question.Txt(new DnsName(name)), WITHIN);
        Files.writeString(folder.resolve(name + "."), texts.records().getFirst(), ISO_8859_1);
      }
      var script =
          """
          import dkim, os
          def text(name, timeout=5):
              return open(name.decode() if isinstance(name, bytes) else name, 'rb').read()
          message = open('message', 'rb').read()
          d = dkim.DKIM(message)
          assert d.verify(0, dnsfunc=text), 'first'
          assert d.verify(1, dnsfunc=text), 'second'
          try:
              dkim.DKIM(message.replace(b'Hello', b'Hullo')).verify(0, dnsfunc=text)
              assert False, 'changed'
          except dkim.ValidationError:
              pass
          """;
      assertThat(run(script)).as(Files.readString(folder.resolve("log"))).isZero();
    }
  }

  private int run(String script) throws Exception {
    var process =
        new ProcessBuilder("/usr/bin/python3", "-c", script)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log").toFile())
            .start();
    process.getOutputStream().close();
    try {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ends in a minute").isTrue();
    } finally {
      process.destroyForcibly();
    }
    return process.exitValue();
  }
}
