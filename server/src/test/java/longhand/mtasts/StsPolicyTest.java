package longhand.mtasts;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import longhand.Seed;
import longhand.dns.DnsName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StsPolicyTest {

  private static final String GOOD =
      "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmax_age: 604800\n";

  private static StsFile parse(String text) {
    return StsPolicy.parse(text.getBytes(StandardCharsets.UTF_8));
  }

  private static StsPolicy good(String text) {
    assertThat(parse(text)).isInstanceOf(StsFile.Valid.class);
    return ((StsFile.Valid) parse(text)).policy();
  }

  @Test
  void aPolicyIsRead() {
    var policy = good(GOOD);
    assertThat(policy.mode()).isEqualTo(StsPolicy.Mode.ENFORCE);
    assertThat(policy.mx()).hasToString("[mail.example.com, *.example.net]");
    assertThat(policy.maxAge()).isEqualTo(Duration.ofDays(7));
    assertThat(good(GOOD.replace("\n", "\r\n"))).isEqualTo(policy);
    assertThat(good(GOOD.replace("\n", " \t\r\n") + "\n\r\n")).isEqualTo(policy);
    assertThat(good(GOOD.substring(0, GOOD.length() - 1))).isEqualTo(policy);
    assertThat(good(GOOD.replace(": ", ":"))).isEqualTo(policy);
    assertThat(good(GOOD.replace("mail.example", "MAIL.Example"))).isEqualTo(policy);
  }

  @Test
  void theFirstOfAFieldCountsAndOthersDoNot() {
    var more = GOOD + "mode: none\nversion: STSv9\nmax_age: x\nnew: \u00fc: b c\n";
    assertThat(good(more)).isEqualTo(good(GOOD));
  }

  @Test
  void anAgeHasABound() {
    assertThat(good(GOOD.replace("604800", "9999999999")).maxAge()).isEqualTo(StsPolicy.AGE_MAX);
    assertThat(good(GOOD.replace("604800", "0")).maxAge()).isZero();
  }

  @Test
  void noPolicyNeedsNoServer() {
    assertThat(good("version: STSv1\nmode: none\nmax_age: 60").mx()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "<html>",
        "version: STSv1\nmode: enforce\nmax_age: 60\n",
        "version: STSv2\nmode: none\nmax_age: 60\n",
        "mode: none\nmax_age: 60\n",
        "version: STSv1\nmax_age: 60\n",
        "version: STSv1\nmode: Enforce\nmx: a.b\nmax_age: 60\n",
        "version: STSv1\nmode: none\n",
        "version: STSv1\nmode: none\nmax_age: -1\n",
        "version: STSv1\nmode: none\nmax_age: 12345678901\n",
        "version: STSv1\nmode: none\nmax_age: 1 2\n",
        "version: STSv1\nmode: none\nmax_age:\n",
        "version: STSv1\nmode: none\nmax_age: \u0663\n",
        "version: STSv1\nmode: none\nmax_age: 60\nnonsense\n",
        "version: STSv1\nmode: none\nmax_age: 60\n x: folded\n",
        "version: STSv1\nmode: none\nmax_age: 60\nx: a\u0000b\n",
        "version: STSv1\nmode: none\nmax_age: 60\nx: a\rb: c\n",
        "version: STSv1\nmode: enforce\nmx: *\nmax_age: 60\n",
        "version: STSv1\nmode: enforce\nmx: .\nmax_age: 60\n",
        "version: STSv1\nmode: enforce\nmx: *.\nmax_age: 60\n",
        "version: STSv1\nmode: enforce\nmx: *.*.example\nmax_age: 60\n",
        "version: STSv1\nmode: enforce\nmx: a.*.example\nmax_age: 60\n",
        "version: STSv1\nmode: enforce\nmx: a..example\nmax_age: 60\n",
        "version: STSv1\nmode: enforce\nmx: b\u00fccher.example\nmax_age: 60\n",
        "version: STSv1\nmode: enforce\nmx: a.example b.example\nmax_age: 60\n",
      })
  void othersAreNone(String text) {
    assertThat(parse(text)).isInstanceOf(StsFile.Invalid.class);
  }

  @Test
  void boundsHold() {
    assertThat(parse(GOOD + "mx: a.example\n".repeat(StsPolicy.MX_MAX)))
        .isEqualTo(new StsFile.Invalid("more than 500 mail servers"));
    assertThat(parse(GOOD + "x: " + "y".repeat(StsPolicy.OCTETS_MAX)))
        .isEqualTo(new StsFile.Invalid("more than 65536 octets"));
    byte[] noUtf8 = (GOOD + "x: y").getBytes(StandardCharsets.ISO_8859_1);
    noUtf8[noUtf8.length - 1] = (byte) 0xc3;
    assertThat(StsPolicy.parse(noUtf8)).isEqualTo(new StsFile.Invalid("not UTF-8"));
  }

  @ParameterizedTest
  @CsvSource({
    "mail.example.com, mail.example.com, true",
    "mail.example.com, a.mail.example.com, false",
    "mail.example.com, mail.example.co, false",
    "*.example.com, mail.example.com, true",
    "*.example.com, example.com, false",
    "*.example.com, a.mail.example.com, false",
    "*.example.com, mail.example.org, false",
    "*.example.com, mailexample.com, false",
    "*.com, com, false",
    "*.com, example.com, true",
  })
  void serversMatch(String pattern, String host, boolean matches) {
    var policy = good(GOOD.replace("mail.example.com", pattern).replace("*.example.net", pattern));
    assertThat(policy.matches(new DnsName(host))).isEqualTo(matches);
  }

  @Test
  void whatIsWrittenIsRead() {
    long seed = Seed.value();
    var random = new Random(seed);
    for (int i = 0; i < 2000; i++) {
      var mx = new ArrayList<MxPattern>();
      for (int n = 1 + random.nextInt(5); n > 0; n--) {
        mx.add(
            new MxPattern(
                random.nextBoolean(), new DnsName("h" + random.nextInt(99) + ".example")));
      }
      var mode = StsPolicy.Mode.values()[random.nextInt(3)];
      var policy =
          new StsPolicy(
              mode,
              mode == StsPolicy.Mode.NONE && random.nextBoolean() ? List.of() : mx,
              Duration.ofSeconds(random.nextInt((int) StsPolicy.AGE_MAX.toSeconds() + 1)));
      assertThat(parse(policy.text())).as("seed %d", seed).isEqualTo(new StsFile.Valid(policy));
    }
  }

  @Test
  void damagedFilesGiveValues() {
    long seed = Seed.value();
    var random = new Random(seed);
    for (int i = 0; i < 20_000; i++) {
      byte[] file = GOOD.getBytes(StandardCharsets.US_ASCII);
      for (int n = random.nextInt(4); n >= 0; n--) {
        file[random.nextInt(file.length)] =
            (byte)
                (random.nextBoolean() ? "\r\n: \t*.".charAt(random.nextInt(7)) : random.nextInt());
      }
      byte[] cut = java.util.Arrays.copyOf(file, random.nextInt(file.length + 1));
      if (StsPolicy.parse(cut) instanceof StsFile.Valid(var policy)) {
        assertThat(parse(policy.text())).as("seed %d", seed).isEqualTo(new StsFile.Valid(policy));
      }
    }
  }
}
