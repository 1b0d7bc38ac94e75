package longhand.mtasts;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import longhand.Seed;
import longhand.dns.DnsName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StsRecordTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "v=STSv1; id=20160831085700Z;",
        "v=STSv1;id=20160831085700Z",
        "v=STSv1 ;\tid=20160831085700Z ; ",
        "v=STSv1; x=1; id=20160831085700Z; id=other; y.z-_=a:b",
      })
  void recordsAreRead(String text) {
    assertThat(StsRecord.among(List.of(text))).contains(new StsRecord("20160831085700Z"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "v=STSv1",
        "v=STSv1;",
        "v=STSv1; id",
        "v=STSv1; id=",
        "v=STSv1; id=a b",
        "v=STSv1; id=a-b",
        "v=STSv1; id=123456789012345678901234567890123",
        "v=STSv1; id=1;; x=2",
        "v=STSv1; id=1; =2",
        "v=STSv1; id=1; x=a=b",
        "v=STSv1; id=1; x=",
        "v=STSv1; id=1; x=a\u0001",
        "v=STSv1; ID=1",
        "v=stsv1; id=1",
        "v=STSv2; id=1",
        "v=STSv11; id=1",
        " v=STSv1; id=1",
        "id=1; v=STSv1",
      })
  void othersAreNone(String text) {
    assertThat(StsRecord.among(List.of(text))).isEmpty();
  }

  @Test
  void oneAmongOtherTextsCountsButNotTwo() {
    assertThat(StsRecord.among(List.of("v=spf1 -all", "v=STSv1; id=1", "v=STSv1x; id=2")))
        .contains(new StsRecord("1"));
    assertThat(StsRecord.among(List.of("v=STSv1; id=1", "v=STSv1; id=1"))).isEmpty();
  }

  @Test
  void textsOfAnyKindGiveValues() {
    long seed = Seed.value();
    var random = new Random(seed);
    var alphabet = "v=STSv1; id=aZ0\t \u0000\u00ff.;;==";
    for (int i = 0; i < 20_000; i++) {
      var text = new StringBuilder(random.nextBoolean() ? "v=STSv1;" : "");
      for (int n = random.nextInt(20); n > 0; n--) {
        text.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      var read = StsRecord.among(List.of(text.toString()));
      // What is written from a record that was read is that record.
      assertThat(read.flatMap(record -> StsRecord.among(List.of(record.text()))))
          .as("seed %d", seed)
          .isEqualTo(read);
    }
  }

  @Test
  void aPolicyOfOursHasItsOwnId() {
    var policy =
        new StsPolicy(
            StsPolicy.Mode.ENFORCE,
            List.of(new MxPattern(false, new DnsName("mx.example"))),
            Duration.ofDays(7));
    var other = new StsPolicy(StsPolicy.Mode.TESTING, policy.mx(), policy.maxAge());
    assertThat(StsRecord.of(policy)).isEqualTo(StsRecord.of(policy));
    assertThat(StsRecord.of(policy)).isNotEqualTo(StsRecord.of(other));
    assertThat(StsRecord.nameOf(new DnsName("a.example")))
        .isEqualTo(Optional.of(new DnsName("_mta-sts.a.example")));
    var longest = ("a".repeat(63) + ".").repeat(3) + "b".repeat(60);
    assertThat(StsRecord.nameOf(new DnsName(longest))).isEmpty();
  }
}
