package longhand.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PasswordHashTest {

  @Test
  void theLibraryComputesTheVectorOfRfc9106() {
    // RFC 9106 §5.3
    var parameters =
        new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
            .withVersion(Argon2Parameters.ARGON2_VERSION_13)
            .withMemoryAsKB(32)
            .withIterations(3)
            .withParallelism(4)
            .withSalt(HexFormat.of().parseHex("02".repeat(16)))
            .withSecret(HexFormat.of().parseHex("03".repeat(8)))
            .withAdditional(HexFormat.of().parseHex("04".repeat(12)))
            .build();
    var generator = new Argon2BytesGenerator();
    generator.init(parameters);
    var tag = new byte[32];
    generator.generateBytes(HexFormat.of().parseHex("01".repeat(32)), tag);
    assertThat(HexFormat.of().formatHex(tag))
        .isEqualTo("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
  }

  @Test
  void textAndBack() {
    var hash = PasswordHash.of("one", 64, 1, new byte[16]);
    var text = hash.toText();
    assertThat(text).startsWith("$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$");
    var read = PasswordHash.parse(text).orElseThrow();
    assertThat(read.toText()).isEqualTo(text);
    assertThat(read.matches("one")).isTrue();
    assertThat(read.matches("two")).isFalse();
    assertThat(read.toString()).doesNotContain("AAAA");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "$",
        "$argon2id$v=19$m=",
        "$argon2i$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=16$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$",
        "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
        "$argon2id$v=19$m=9999999,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=-1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=1,p=99$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=1,p=1$!!!!$AAAAAAAAAAAAAAAAAAAAAA",
        ",t=,p=$$",
        "$argon2id$v=19$m=64,p=1,t=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
      })
  void otherTextIsNone(String text) {
    assertThat(PasswordHash.parse(text)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "SCRAM-SHA-256$",
        "SCRAM-SHA-256$4096:AAAAAAAAAAA=$x",
        "SCRAM-SHA-256$1:AAAAAAAAAAA=$AAAA:AAAA",
        "SCRAM-SHA-256$99999999:AAAAAAAAAAA=$AAAA:AAAA",
        "SCRAM-SHA-1$4096:AAAAAAAAAAA=$AAAA:AAAA",
      })
  void otherTextIsNoScramVerifier(String text) {
    assertThat(ScramVerifier.parse(text)).isEmpty();
  }

  @Test
  void scramTextAndBack() {
    var verifier = ScramVerifier.of("one", new byte[16], 4096);
    assertThat(ScramVerifier.parse(verifier.toText()).orElseThrow().toText())
        .isEqualTo(verifier.toText());
  }
}
