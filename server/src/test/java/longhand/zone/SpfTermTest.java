package longhand.zone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.util.List;
import java.util.Optional;
import java.util.Random;
import longhand.Seed;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SpfTermTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "v=spf1",
        "v=spf1 mx -all",
        "V=SPF1  a:b.example/24//64 MX/24 mx//64  ~all ",
        "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ip6:::1 ?all",
        "v=spf1 include:_spf.example.com exists:%{i}.x.example ptr ptr:example.com",
        "v=spf1 redirect=example.com exp=why.example.com unknown=x/y:z"
      })
  void theseAreRecords(String text) {
    assertThat(SpfTerm.isRecord(text)).isTrue();
    assertThat(SpfTerm.read(text)).isInstanceOf(SpfTerm.Terms.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "v=spf1 mx all-",
        "v=spf1 all:example.com",
        "v=spf1 include",
        "v=spf1 include:",
        "v=spf1 exists",
        "v=spf1 ip4:192.0.2.256",
        "v=spf1 ip4:192.0.2.0/33",
        "v=spf1 ip4:2001:db8::1",
        "v=spf1 ip6:192.0.2.1",
        "v=spf1 ip4",
        "v=spf1 a:",
        "v=spf1 mx/33",
        "v=spf1 mx/",
        "v=spf1 mx//",
        "v=spf1 mx//129",
        "v=spf1 mx/9999999999",
        "v=spf1 -",
        "v=spf1 =x",
        "v=spf1 :x",
        "v=spf1 1x=y",
        "v=spf1 ipv4:192.0.2.1 -all",
        "v=spf1 redirect=a redirect=b"
      })
  void theseCannotBeUsed(String text) {
    assertThat(SpfTerm.isRecord(text)).isTrue();
    assertThat(SpfTerm.read(text)).isInstanceOf(SpfTerm.Malformed.class);
  }

  @Test
  void otherTextsAreNone() {
    for (var text : new String[] {"", "v=spf", "v=spf10", "v=spf1;mx", " v=spf1", "spf2.0/pra"}) {
      assertThat(SpfTerm.isRecord(text)).as(text).isFalse();
    }
  }

  @Test
  void wordsAreReadToTheirEnds() {
    var terms = ((SpfTerm.Terms) SpfTerm.read("v=spf1 ~a:b.example/24//64 mx -ALL")).terms();
    assertThat(terms)
        .containsExactly(
            new SpfTerm('~', "a", Optional.of("b.example"), 24, 64),
            new SpfTerm('+', "mx", Optional.empty(), 32, 128),
            new SpfTerm('-', "all", Optional.empty(), 0, 0));
  }

  /// Whatever stands in DNS is read to its end, and nothing is thrown.
  @Test
  void anyTextIsReadOrRefused() {
    long seed = Seed.value();
    var random = new Random(seed);
    var pieces =
        List.of(
            "mx",
            "a",
            "ip4",
            "ip6",
            "include",
            "all",
            "redirect",
            ":",
            "/",
            "//",
            "=",
            " ",
            "-",
            "+",
            "~",
            "192.0.2.1",
            "::1",
            "24",
            "999",
            "%{i}",
            "\u00ff",
            "\0",
            "x.example",
            ";",
            "p",
            "none",
            "rua");
    for (int i = 0; i < 20_000; i++) {
      var text = new StringBuilder();
      for (int n = random.nextInt(12); n > 0; n--) {
        text.append(pieces.get(random.nextInt(pieces.size())));
      }
      assertThatCode(
              () -> {
                var _ = SpfTerm.read("v=spf1 " + text);
                var _ = DmarcRecord.read("v=DMARC1;" + text);
              })
          .as("seed %d: %s", seed, text)
          .doesNotThrowAnyException();
    }
  }

  @Test
  void dmarcNeedsAPolicy() {
    assertThat(DmarcRecord.read("v=DMARC1; p=Reject ; rua = mailto:a@example.com;"))
        .contains(new DmarcRecord("reject", Optional.of("mailto:a@example.com")));
    assertThat(DmarcRecord.read("v=DMARC1;p=none"))
        .contains(new DmarcRecord("none", Optional.empty()));
    for (var text : List.of("v=DMARC1", "v=DMARC1; p=", "v=DMARC1; p", "v=DMARC1; p=no; p=none")) {
      assertThat(DmarcRecord.read(text)).as(text).isEmpty();
    }
    assertThat(DmarcRecord.isRecord("v=DMARC10; p=none")).isFalse();
  }
}
