package longhand.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LimitsTest {

  @Test
  void everyLimitIsDescribedAndItsDefaultIsInRange() {
    for (var component : Limits.class.getRecordComponents()) {
      var limit = component.getAnnotation(Limits.Limit.class);
      assertThat(limit).as(component.getName()).isNotNull();
      assertThat(limit.says()).isNotBlank();
    }
    assertThat(Limits.DEFAULT.smtpRecipientsMax()).isEqualTo(1000);
    assertThat(Limits.DEFAULT.smtpSessionMax()).isEqualTo(Duration.ofMinutes(30));
    assertThat(Limits.DEFAULT.loopbackUnbounded()).isFalse();
  }

  @Test
  void someChanged() {
    var limits = Limits.of(Map.of("smtpRecipientsMax", 200L, "outputTimeout", Duration.ZERO));
    assertThat(limits.smtpRecipientsMax()).isEqualTo(200);
    assertThat(limits.outputTimeout()).isZero();
    assertThat(limits.with("loopbackUnbounded", true).smtpRecipientsMax()).isEqualTo(200);
  }

  @Test
  void wrongOnesAreNamed() {
    assertThatThrownBy(() -> Limits.of(Map.of("smtpRecipients", 1)))
        .hasMessageContaining("smtpRecipients");
    assertThatThrownBy(() -> Limits.of(Map.of("smtpRecipientsMax", 99)))
        .hasMessage("smtpRecipientsMax is 99, expected 100 to 2147483647");
    assertThatThrownBy(() -> Limits.of(Map.of("smtpRecipientsMax", 1L << 40)))
        .hasMessageContaining("smtpRecipientsMax");
    assertThatThrownBy(() -> Limits.of(Map.of("outputTimeout", 5)))
        .hasMessageContaining("Duration");
    assertThatThrownBy(() -> Limits.of(Map.of("outputTimeout", Duration.ofDays(2))))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
