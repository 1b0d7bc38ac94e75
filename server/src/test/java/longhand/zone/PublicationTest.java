package longhand.zone;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import longhand.dns.DnsName;
import org.junit.jupiter.api.Test;

class PublicationTest {

  @Test
  void aTextIsCutIntoStringsAndQuoted() {
    var name = new DnsName("x.example.com");
    assertThat(new ZoneRecord(name, ZoneRecord.Type.TXT, "a\"b\\c;\u00e9").line())
        .isEqualTo("x.example.com. IN TXT \"a\\\"b\\\\c;\\195\\169\"");
    assertThat(new ZoneRecord(name, ZoneRecord.Type.TXT, "x".repeat(255)).line())
        .isEqualTo("x.example.com. IN TXT \"" + "x".repeat(255) + "\"");
    assertThat(new ZoneRecord(name, ZoneRecord.Type.TXT, "x".repeat(256)).line())
        .isEqualTo("x.example.com. IN TXT ( \"" + "x".repeat(255) + "\" \"x\" )");
  }

  @Test
  void everyRecordStandsInTheFragment() throws Exception {
    var lines =
        new Publication(Domains.of("example.com", Optional.of(Domains.certificate()))).fragment();
    assertThat(lines)
        .contains(
            "example.com. IN MX 10 mail.example.com.",
            "mail.example.com. IN A 192.0.2.25",
            "mail.example.com. IN AAAA 2001:db8:0:0:0:0:0:25",
            "example.com. IN TXT \"v=spf1 mx -all\"",
            "mail.example.com. IN TXT \"v=spf1 a -all\"",
            "_dmarc.example.com. IN TXT"
                + " \"v=DMARC1; p=none; rua=mailto:postmaster@example.com\"",
            "_smtp._tls.example.com. IN TXT \"v=TLSRPTv1; rua=mailto:postmaster@example.com\"",
            "_submissions._tcp.example.com. IN SRV 0 1 465 mail.example.com.",
            "_submission._tcp.example.com. IN SRV 10 1 587 mail.example.com.",
            "_imaps._tcp.example.com. IN SRV 0 1 993 mail.example.com.",
            "; 25.2.0.192.in-addr.arpa. IN PTR mail.example.com.",
            "; mail.example.com. IN CAA 0 issue \"letsencrypt.org\"")
        .anyMatch(line -> line.startsWith("20261124r._domainkey.example.com. IN TXT ( \"v=DKIM1"))
        .anyMatch(line -> line.startsWith("20261124e._domainkey.example.com. IN TXT \"v=DKIM1"))
        .anyMatch(line -> line.startsWith("; _25._tcp.mail.example.com. IN TLSA 3 1 1 "))
        .anyMatch(line -> line.startsWith("; _mta-sts.example.com. IN TXT \"v=STSv1; id="));
    // What is not for everybody is a comment; nothing else is left unsaid.
    assertThat(lines)
        .allMatch(line -> line.isEmpty() || line.startsWith(";") || line.contains(" IN "));
  }

  @Test
  void aHostThatIsTheDomainHasOneSpfRecord() {
    var domain = Domains.of("example.com", Optional.empty());
    var same =
        new MailDomain(
            domain.domain(),
            domain.domain(),
            domain.addresses(),
            domain.services(),
            domain.keys(),
            domain.certificate());
    assertThat(new Publication(same).fragment().stream().filter(line -> line.contains("v=spf1")))
        .containsExactly("example.com. IN TXT \"v=spf1 mx -all\"");
  }

  @Test
  void withoutAddressesTheyAreLeftToFillIn() {
    var domain = Domains.of("example.com", Optional.empty());
    var behindNat =
        new MailDomain(
            domain.domain(),
            domain.host(),
            java.util.List.of(),
            domain.services(),
            java.util.List.of(),
            domain.certificate());
    assertThat(new Publication(behindNat).fragment())
        .contains("; mail.example.com. IN A ...", "; mail.example.com.")
        .noneMatch(line -> line.contains("_domainkey") || line.contains("TLSA"));
  }
}
