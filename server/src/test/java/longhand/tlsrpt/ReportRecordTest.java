package longhand.tlsrpt;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.util.List;
import java.util.Random;
import longhand.Seed;
import longhand.dns.DnsName;
import longhand.mail.Address;
import longhand.mail.Domain;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReportRecordTest {

  private static final ReportAddress MAIL =
      new ReportAddress.Mail(new Address("reports", new Domain("example.com")));
  private static final ReportAddress WEB =
      new ReportAddress.Web(URI.create("https://reporting.example.com/v1/tlsrpt?a=b"));

  private static List<ReportAddress> addresses(String text) {
    return ReportRecord.among(List.of(text)).orElseThrow().addresses();
  }

  @Test
  void addressesAreRead() {
    assertThat(addresses("v=TLSRPTv1;rua=mailto:reports@example.com")).containsExactly(MAIL);
    assertThat(
            addresses(
                "v=TLSRPTv1; x=y; rua=mailto:reports@EXAMPLE.com , "
                    + "https://reporting.example.com/v1/tlsrpt?a=b;"))
        .containsExactly(MAIL, WEB);
    assertThat(addresses("v=TLSRPTv1; rua=mailto:re%70orts@example.com?subject=x"))
        .containsExactly(MAIL);
    assertThat(ReportRecord.nameOf(new DnsName("a.example")))
        .contains(new DnsName("_smtp._tls.a.example"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "mailto:",
        "mailto:@example.com",
        "mailto:a@",
        "mailto:a",
        "mailto:a@b@example.com",
        "mailto:a%0d%0ab@example.com",
        "mailto:a%@example.com",
        "mailto:a%4@example.com",
        "mailto:a%c3@example.com",
        "mailto:a%C2%85b@example.com",
        "mailto:a b@example.com",
        "mailto:a@[127.0.0.1]",
        "mailto:a@example..com",
        "http://example.com/",
        "https:",
        "https:///path",
        "https://user@example.com/",
        "https://[::1]/",
        "https://example.com/a b",
        "ftp://example.com/",
        ",",
      })
  void othersAreNone(String rua) {
    assertThat(addresses("v=TLSRPTv1; rua=" + rua)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "v=TLSRPTv1",
        "v=TLSRPTv1;",
        "v=TLSRPTv1; rua=",
        "v=TLSRPTv1; x=mailto:a@example.com",
        "v=TLSRPTv2; rua=mailto:a@example.com",
      })
  void noRecord(String text) {
    assertThat(ReportRecord.among(List.of(text))).isEmpty();
  }

  @Test
  void twoRecordsAreNoneAndAddressesAreFew() {
    var one = "v=TLSRPTv1;rua=mailto:reports@example.com";
    assertThat(ReportRecord.among(List.of(one, one))).isEmpty();
    var many = new StringBuilder("v=TLSRPTv1; rua=");
    for (int i = 0; i < 1000; i++) {
      many.append("mailto:r").append(i / 2).append("@example.com,");
    }
    assertThat(addresses(many.toString())).hasSize(5).doesNotHaveDuplicates();
  }

  @Test
  void anythingGivesValues() {
    long seed = Seed.value();
    var random = new Random(seed);
    var alphabet = "mailto:https//@.%0aZ, ;=?[]\u00ff\u0001";
    for (int i = 0; i < 20_000; i++) {
      var text = new StringBuilder("v=TLSRPTv1; rua=");
      text.append(random.nextBoolean() ? "mailto:" : random.nextBoolean() ? "https://" : "");
      for (int n = random.nextInt(30); n > 0; n--) {
        text.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      assertThat(ReportRecord.among(List.of(text.toString()))).as("seed %d", seed).isNotNull();
    }
  }
}
