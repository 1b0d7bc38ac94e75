package longhand.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ScreenTest {

  @Test
  void aBarWithRateAndTimeLeft() {
    assertThat(Screen.text("imported", new Told.Progress(25_000_000, 100_000_000, 500), 10, true))
        .isEqualTo(
            "[######..................]  25 %  500 messages imported, 25.0 of 100.0 MB,"
                + " 50 messages/s, 2.5 MB/s, 0:30 left");
    assertThat(Screen.text("imported", new Told.Progress(100, 100, 1), 200, true))
        .startsWith("[########################] 100 %  1 messages")
        .endsWith(", 0:00 left");
  }

  @Test
  void withoutATerminalThereIsNoBar() {
    assertThat(Screen.text("exported", new Told.Progress(1_000_000, 8_000_000, 5), 65, false))
        .isEqualTo(" 13 %  5 messages exported, 1.0 of 8.0 MB, 0 messages/s, 0.0 MB/s, 7:35 left");
  }

  @Test
  void whatIsNotKnownIsNotGuessed() {
    assertThat(Screen.text("checked", new Told.Progress(2_000_000, 0, 7), 1, true))
        .isEqualTo("7 messages checked, 2.0 of ? MB, 7 messages/s, 2.0 MB/s");
    // Nothing done yet, or more than there was said to be.
    assertThat(Screen.text("checked", new Told.Progress(0, 100, 0), 1, true))
        .startsWith("[........................]   0 %")
        .doesNotContain("left");
    assertThat(Screen.text("checked", new Told.Progress(300, 100, 3), 200, true))
        .startsWith("[########################] 100 %")
        .doesNotContain("-");
  }
}
