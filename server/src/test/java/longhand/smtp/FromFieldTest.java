package longhand.smtp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FromFieldTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "ana@example.org|ana@example.org",
        "Ana <ana@Example.org>|ana@example.org",
        "\"Ana, B <x@y>\" <ana@example.org>|ana@example.org",
        "(c (n) \\) x) Ana (y) <ana@example.org> (z)|ana@example.org",
        "<\"a b\"@example.org>|\"a b\"@example.org",
        "=?utf-8?q?A?= <ana@b\u00fccher.example>|ana@xn--bcher-kva.example",
        "ana @ example.org|ana@example.org"
      })
  void oneAddress(String value, String expected) {
    assertThat(FromField.address(value).orElseThrow().quoted()).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "ana", "@", "ana@", "@example.org", "a@b.c, d@e.f", "<a@b.c> <d@e.f>", "<a@b.c>x@y.z",
        "group: a@b.c;", "\"a@b.c", "(a@b.c", "<a@b.c", "a@b.c>", "a@b@c d<", "<>", "a\0b@c.d",
        "<a>b>@c"
      })
  void anythingElseIsNone(String value) {
    assertThat(FromField.address(value)).isEmpty();
  }
}
