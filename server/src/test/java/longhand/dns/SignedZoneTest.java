package longhand.dns;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import longhand.mail.Domain;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The stub resolver against a real name server, with a zone that is signed, one that is not, and
/// one that was changed after it was signed.
@Timeout(120)
class SignedZoneTest {

  private static final Duration LONG = Duration.ofSeconds(10);

  @TempDir private Path folder;

  private static String records() {
    var texts = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      texts.append("large IN TXT \"").append(i).append("x".repeat(150)).append("\"\n");
    }
    return """
        @ IN MX 10 mx
        mx IN A 192.0.2.25
        mx IN AAAA 2001:db8::25
        alias IN CNAME mx
        _imaps._tcp IN SRV 1 2 993 mx
        _pop3s._tcp IN SRV 0 0 0 .
        @ IN CAA 128 issue "ca.test; a=b"
        _25._tcp.mx IN TLSA 3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
        """
        + texts;
  }

  private static Question.TlsaOf tlsa(String zone) {
    return new Question.TlsaOf(new DnsName("_25._tcp.mx." + zone));
  }

  private static <T> List<T> records(Answer<T> answer) {
    return answer instanceof Answer.Found<T> found ? found.records() : List.of();
  }

  @Test
  void answersSayWhetherTheyAreSecure() throws Exception {
    try (var server =
        new Nsd(folder)
            .signed("signed.test", records(), text -> text)
            .signed("forged.test", records(), text -> text.replace("192.0.2.25", "192.0.2.66"))
            .plain("plain.test", records())
            .start()) {
      var dns = server.resolver();
      var found = (Answer.Found<Tlsa>) dns.ask(tlsa("signed.test"), LONG);
      assertThat(found.secure()).isTrue();
      assertThat(found.records())
          .containsExactly(
              new Tlsa(
                  3, 1, 1, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"));
      assertThat(found.ttl()).isEqualTo(Duration.ofMinutes(5));

      var alias = (Answer.Found<?>) dns.ask(new Question.A(new DnsName("alias.signed.test")), LONG);
      assertThat(alias.secure()).isTrue();
      assertThat(alias.canonical()).isEqualTo(new DnsName("mx.signed.test"));
      assertThat(dns.ask(new Question.A(new DnsName("no.signed.test")), LONG))
          .isEqualTo(new Answer.NoSuchName<>(true));
      assertThat(dns.ask(new Question.Txt(new DnsName("mx.signed.test")), LONG))
          .isEqualTo(new Answer.NoSuchData<>(true));

      assertThat(((Answer.Found<Tlsa>) dns.ask(tlsa("plain.test"), LONG)).secure()).isFalse();

      assertThat(records(dns.ask(new Question.SrvOf(new DnsName("_imaps._tcp.signed.test")), LONG)))
          .isEqualTo(List.of(new Srv(1, 2, 993, new DnsName("mx.signed.test"))));
      assertThat(records(dns.ask(new Question.SrvOf(new DnsName("_pop3s._tcp.signed.test")), LONG)))
          .isEqualTo(List.of(new Srv(0, 0, 0, DnsName.ROOT)));
      assertThat(records(dns.ask(new Question.CaaOf(new DnsName("signed.test")), LONG)))
          .isEqualTo(List.of(new Caa(128, "issue", "ca.test; a=b")));
      assertThat(records(dns.ask(new Question.Ns(new DnsName("signed.test")), LONG)))
          .isEqualTo(List.of(new DnsName("ns.signed.test")));
      assertThat(records(dns.ask(new Question.Dnskey(new DnsName("signed.test")), LONG)))
          .hasSize(1);
      assertThat(dns.ask(new Question.Dnskey(new DnsName("plain.test")), LONG))
          .isEqualTo(new Answer.NoSuchData<>(false));

      // Changed after it was signed: no answer at all, not an insecure one.
      assertThat(dns.ask(new Question.A(new DnsName("mx.forged.test")), LONG))
          .isInstanceOf(Answer.Failed.class);

      // More than a datagram holds comes over TCP, and is validated all the same.
      var large =
          (Answer.Found<String>) dns.ask(new Question.Txt(new DnsName("large.signed.test")), LONG);
      assertThat(large.records()).hasSize(40);
      assertThat(large.secure()).isTrue();

      var hosts =
          new MailHosts(
              dns, MailHosts.Settings.of(Set.of(), Set.of()), new Random(1), System::nanoTime);
      var targets = (Targets.Found) hosts.find(new Domain("signed.test"), Reach.PUBLIC);
      assertThat(targets.secure()).isTrue();
      assertThat(targets.hosts().getFirst().secure()).isTrue();
      assertThat(targets.hosts().getFirst().addresses()).hasSize(2);
    }
  }
}
