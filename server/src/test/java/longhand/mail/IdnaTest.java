package longhand.mail;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IdnaTest {

  @ParameterizedTest
  @CsvSource({
    "example.org,example.org",
    "B\u00dcCHER.example,xn--bcher-kva.example",
    "fa\u00df.de,xn--fa-hia.de",
    "\u4e2d\u56fd.\u4e2d\u56fd,xn--fiqs8s.xn--fiqs8s",
    "\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444,xn--e1afmkfd.xn--p1ai",
    "\u4ed6\u4eec\u4e3a\u4ec0\u4e48\u4e0d\u8bf4\u4e2d\u6587.x,xn--ihqwcrb4cv8a8dqg056pqjye.x",
    "u\u0308.example,xn--tda.example"
  })
  void knownNames(String name, String ascii) {
    assertThat(Idna.toAscii(name)).contains(ascii);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a..b",
        "",
        ".",
        "\u00e9-.x",
        "-\u00e9.x",
        "a\u200db.x",
        "\u2603.x",
        "\u00bd.x",
        "\uff41.x",
        "\u0301a.x",
        "a_\u00e9.x",
        "\u00e9\u3002x"
      })
  void namesThatCannotBe(String name) {
    assertThat(Idna.toAscii(name)).isEmpty();
  }
}
