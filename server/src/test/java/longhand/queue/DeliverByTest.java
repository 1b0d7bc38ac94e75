package longhand.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import longhand.disk.FileSystemDisk;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.ForwardPath;
import longhand.mail.Handling;
import longhand.mail.Handling.DeliverBy;
import longhand.mail.Handling.DeliverBy.Mode;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What is to be delivered by a time is, or its sender hears of it at that time (RFC 2852).
class DeliverByTest {

  private static final String TEXT = "Subject: lunch\r\n\r\nAt noon.\r\n";
  private static final Duration SECOND = Duration.ofSeconds(1);

  @TempDir Path data;
  private final TestCourier courier = new TestCourier();
  private TestQueue queue;

  @BeforeEach
  void open() throws Exception {
    queue = new TestQueue(new FileSystemDisk(), data, courier, TestQueue.BEGAN, 0);
  }

  @AfterEach
  void close() throws Exception {
    queue.close();
  }

  private void reopen() throws Exception {
    var now = queue.now;
    queue.close();
    queue = new TestQueue(new FileSystemDisk(), data, courier, now, 1000);
  }

  private void accept(int seconds, Mode mode, boolean trace, ForwardPath.Notify... notify)
      throws Exception {
    var to =
        new ForwardPath(
            new Address("bob", new Domain("example.net")), Set.of(notify), Optional.empty());
    queue.accept(
        TestQueue.SENDER,
        TEXT,
        List.of(to),
        Handling.USUAL.withBy(Optional.of(new DeliverBy(seconds, mode, trace))));
  }

  private List<String> reports() throws Exception {
    return queue.reports(TestQueue.SENDER);
  }

  private static void assertOverdue(List<String> reports, String date) {
    assertThat(reports)
        .singleElement()
        .asString()
        .contains(
            "Arrival-Date: Tue, 24 Nov 2026 18:00:00 +0000\r\nDeliver-By-Date: " + date + "\r\n",
            "Action: failed\r\nStatus: 5.4.7\r\n",
            "The time for delivering it was over.");
  }

  @Test
  void secondsAreCountedFromWhenItWasTaken() throws Exception {
    courier.deliversBy = true;
    courier.answers = _ -> TestCourier.GREYLISTED;
    accept(2000, Mode.RETURN, true);
    queue.pass(Duration.ofSeconds(400), SECOND);
    reopen();
    courier.answers = _ -> TestCourier.ACCEPTED;
    int tries = courier.sent.size();
    while (courier.sent.size() == tries && queue.now.isBefore(TestQueue.BEGAN.plusSeconds(2000))) {
      queue.pass(SECOND, SECOND);
    }
    assertThat(courier.sent.getFirst().handling().by())
        .contains(new DeliverBy(2000, Mode.RETURN, true));
    var last = courier.sent.getLast().handling().by().orElseThrow();
    assertThat(last.seconds())
        .isEqualTo(2000 - Duration.between(TestQueue.BEGAN, queue.now).toSeconds());
    assertThat(courier.arrived).hasSize(1);
    assertThat(queue.queue.size()).isZero();
  }

  /// At its time, not at the next try; and not when it can still be tried.
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatIsToComeBackComesBackInTime(boolean dead) throws Exception {
    courier.deliversBy = true;
    courier.dead("example.net", dead);
    courier.answers = _ -> TestCourier.GREYLISTED;
    accept(3600, Mode.RETURN, false);
    queue.pass(Duration.ofMinutes(30), SECOND);
    reopen();
    queue.pass(Duration.ofSeconds(1799), SECOND);
    assertThat(reports()).isEmpty();
    assertThat(queue.queue.size()).isEqualTo(1);
    queue.pass(SECOND, SECOND);
    assertOverdue(reports(), "Tue, 24 Nov 2026 19:00:00 +0000");
    assertThat(queue.queue.size()).isZero();
    queue.pass(Duration.ofDays(6), Duration.ofHours(1));
    assertThat(reports()).hasSize(1);
  }

  /// A message that finds its destination left alone was never tried, and comes back all the same.
  @Test
  void whatWasNeverTriedComesBack() throws Exception {
    courier.deliversBy = true;
    courier.dead("example.net", true);
    queue.accept(TEXT, "ann@example.net");
    queue.run();
    int opened = courier.opened;
    accept(60, Mode.RETURN, false);
    queue.pass(Duration.ofSeconds(59), SECOND);
    assertThat(reports()).isEmpty();
    queue.pass(SECOND, SECOND);
    assertOverdue(reports(), "Tue, 24 Nov 2026 18:01:00 +0000");
    assertThat(courier.opened).isEqualTo(opened);
  }

  @Test
  void whatIsLateAfterARestartIsNotSent() throws Exception {
    courier.deliversBy = true;
    accept(60, Mode.RETURN, false);
    queue.now = queue.now.plusSeconds(60);
    reopen();
    queue.run();
    assertThat(courier.sent).isEmpty();
    assertOverdue(reports(), "Tue, 24 Nov 2026 18:01:00 +0000");
  }

  /// It waited for a session that others had, and less than a second is left.
  @Test
  void whatIsLateWhenItsTurnComesIsNotSent() throws Exception {
    courier.deliversBy = true;
    accept(60, Mode.RETURN, false);
    queue.now = queue.now.plusMillis(59_500);
    queue.run();
    assertThat(courier.sent).isEmpty();
    assertOverdue(reports(), "Tue, 24 Nov 2026 18:01:00 +0000");
    assertThat(queue.queue.size()).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whoIsToBeToldIsToldOnceAndItGoesOn(boolean dead) throws Exception {
    courier.deliversBy = true;
    courier.dead("example.net", dead);
    courier.answers = _ -> TestCourier.GREYLISTED;
    accept(1800, Mode.NOTIFY, false);
    queue.pass(Duration.ofSeconds(1799), SECOND);
    assertThat(reports()).isEmpty();
    queue.pass(SECOND, SECOND);
    assertThat(reports())
        .singleElement()
        .asString()
        .contains(
            "Deliver-By-Date: Tue, 24 Nov 2026 18:30:00 +0000\r\n",
            "Action: delayed\r\n",
            "Will-Retry-Until: Sun, 29 Nov 2026 18:00:00 +0000\r\n");
    reopen();
    queue.pass(Duration.ofHours(10), Duration.ofMinutes(5));
    assertThat(reports()).hasSize(1);
    courier.dead("example.net", false);
    courier.answers = _ -> TestCourier.ACCEPTED;
    queue.pass(Duration.ofHours(6), Duration.ofMinutes(5));
    assertThat(courier.arrived).hasSize(1);
    assertThat(courier.sent.getLast().handling().by().orElseThrow().seconds()).isNegative();
    assertThat(reports()).hasSize(1);
  }

  /// The sender's own time stands in the place of ours.
  @Test
  void aLaterTimeIsWaitedFor() throws Exception {
    courier.dead("example.net", true);
    accept(36_000, Mode.NOTIFY, false);
    queue.pass(Duration.ofSeconds(35_990), Duration.ofSeconds(10));
    assertThat(reports()).isEmpty();
    queue.pass(Duration.ofSeconds(10), SECOND);
    assertThat(reports()).singleElement().asString().contains("Action: delayed\r\n");
  }

  @ParameterizedTest
  @CsvSource({"NEVER", "FAILURE"})
  void whoWantsNoReportOfDelaysGetsNone(ForwardPath.Notify notify) throws Exception {
    courier.dead("example.net", true);
    accept(60, Mode.NOTIFY, false, notify);
    queue.pass(Duration.ofHours(10), Duration.ofMinutes(1));
    assertThat(reports()).isEmpty();
  }

  /// Whoever handed it on late has told of that (`BY` of zero or less): ours comes at our time.
  @Test
  void whatCameLateIsNotToldAgain() throws Exception {
    courier.dead("example.net", true);
    accept(-5, Mode.NOTIFY, false);
    queue.pass(Duration.ofHours(3), Duration.ofMinutes(5));
    assertThat(reports()).isEmpty();
    queue.pass(Duration.ofHours(2), Duration.ofMinutes(5));
    assertThat(reports()).hasSize(1);
  }

  /// RFC 2852 §4.1.4: told unless NEVER, whatever else NOTIFY says; and told once.
  @ParameterizedTest
  @CsvSource({
    // server, mode, trace, NOTIFY, reports
    "false, NOTIFY, false, , 1",
    "false, NOTIFY, true, , 1",
    "false, NOTIFY, false, FAILURE, 1",
    "false, NOTIFY, true, SUCCESS, 1",
    "false, NOTIFY, true, NEVER, 0",
    "true, NOTIFY, false, , 0",
    "true, NOTIFY, true, , 1",
    "true, RETURN, false, , 0",
    "true, RETURN, true, , 1",
    "true, RETURN, true, DELAY, 1",
    "true, RETURN, true, NEVER, 0",
  })
  void stepsOfTheWayAreTold(
      boolean deliversBy,
      Mode mode,
      boolean trace,
      ForwardPath.@Nullable Notify notify,
      int reports)
      throws Exception {
    courier.deliversBy = deliversBy;
    var wanted = notify == null ? new ForwardPath.Notify[0] : new ForwardPath.Notify[] {notify};
    accept(60, mode, trace, wanted);
    queue.run();
    assertThat(courier.arrived).hasSize(1);
    assertThat(reports()).hasSize(reports);
    if (reports > 0) {
      assertThat(reports().getFirst())
          .contains("Action: relayed\r\n", "You asked for delivery by Tue, 24 Nov 2026");
    }
    assertThat(queue.queue.size()).isZero();
  }
}
