package longhand.tlsrpt;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import longhand.Seed;
import longhand.disk.SimDisk;
import org.junit.jupiter.api.Test;

class TlsCountsTest {

  private static final Path FOLDER = Path.of("/data/tls");
  private static final LocalDate DAY = LocalDate.of(2026, 11, 24);

  private SimDisk disk = new SimDisk();
  private Instant now = Instant.parse("2026-11-24T12:00:00Z");

  private final Clock clock =
      new Clock() {
        @Override
        public ZoneOffset getZone() {
          return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
          return this;
        }

        @Override
        public Instant instant() {
          return now;
        }
      };

  private TlsCounts open() throws IOException {
    return new TlsCounts(disk, TlsCounts.Settings.of(FOLDER), clock);
  }

  private static AppliedPolicy policy(String domain) {
    return new AppliedPolicy(AppliedPolicy.NONE, List.of(), domain, List.of());
  }

  private static FailureDetail detail(String host) {
    return FailureDetail.of(ResultType.STARTTLS_NOT_SUPPORTED, "", host, "192.0.2.1", "");
  }

  private static PolicyResult only(TlsCounts counts, LocalDate day, String domain)
      throws IOException {
    var results = counts.of(day).getOrDefault(domain, List.of());
    assertThat(results).hasSize(1);
    return results.getFirst();
  }

  @Test
  void sessionsAreCountedByDomainAndPolicy() throws IOException {
    var counts = open();
    var sts = new AppliedPolicy(AppliedPolicy.STS, List.of("mode: none"), "a.example", List.of());
    counts.success(policy("a.example"));
    counts.success(policy("a.example"));
    counts.failure(policy("a.example"), detail("mx1.example"));
    counts.failure(policy("a.example"), detail("mx1.example"));
    counts.failure(policy("a.example"), detail("mx2.example"));
    counts.success(sts);
    counts.success(policy("b.example"));
    var of = counts.of(DAY);
    assertThat(of).containsOnlyKeys("a.example", "b.example");
    assertThat(of.get("a.example"))
        .containsExactly(
            new PolicyResult(
                policy("a.example"),
                2,
                3,
                List.of(
                    new PolicyResult.Counted(detail("mx1.example"), 2),
                    new PolicyResult.Counted(detail("mx2.example"), 1))),
            new PolicyResult(sts, 1, 0, List.of()));
  }

  @Test
  void whatWasSavedSurvivesARestart() throws IOException {
    var counts = open();
    counts.failure(policy("a.example"), detail("mx1.example"));
    counts.save();
    var again = open();
    again.failure(policy("a.example"), detail("mx1.example"));
    again.success(policy("a.example"));
    assertThat(only(again, DAY, "a.example"))
        .isEqualTo(
            new PolicyResult(
                policy("a.example"),
                1,
                2,
                List.of(new PolicyResult.Counted(detail("mx1.example"), 2))));
  }

  @Test
  void aDayThatEndsIsKeptUntilItIsForgotten() throws IOException {
    var counts = open();
    counts.success(policy("a.example"));
    assertThat(counts.endedDays()).isEmpty();
    now = now.plus(Duration.ofDays(1));
    counts.success(policy("b.example"));
    assertThat(counts.endedDays()).containsExactly(DAY);
    assertThat(counts.of(DAY)).containsOnlyKeys("a.example");
    assertThat(counts.of(DAY.plusDays(1))).containsOnlyKeys("b.example");
    counts.save();
    var again = open();
    assertThat(again.endedDays()).containsExactly(DAY);
    again.forget(DAY);
    assertThat(again.endedDays()).isEmpty();
    assertThat(again.of(DAY)).isEmpty();
  }

  @Test
  void aClockThatGoesBackGoesOnWithThatDay() throws IOException {
    var counts = open();
    counts.success(policy("a.example"));
    now = now.plus(Duration.ofDays(400));
    counts.success(policy("a.example"));
    now = now.minus(Duration.ofDays(400));
    counts.success(policy("a.example"));
    assertThat(only(counts, DAY, "a.example").successes()).isEqualTo(2);
  }

  @Test
  void oldDaysGo() throws IOException {
    var counts = open();
    for (int i = 0; i < 20; i++) {
      counts.success(policy("a.example"));
      now = now.plus(Duration.ofDays(1));
    }
    assertThat(counts.endedDays()).hasSize(7).endsWith(DAY.plusDays(19));
  }

  @Test
  void memoryAndFileAreBounded() throws IOException {
    var counts = new TlsCounts(disk, new TlsCounts.Settings(FOLDER, 10, 5, 1 << 20, 7), clock);
    for (int i = 0; i < 100; i++) {
      counts.success(policy("d" + i + ".example"));
      counts.failure(policy("d0.example"), detail("mx" + i + ".example"));
    }
    assertThat(counts.of(DAY)).hasSize(10);
    var first = only(counts, DAY, "d0.example");
    assertThat(first.failures()).isEqualTo(100);
    assertThat(first.details()).hasSize(5);

    // By their size too.
    var small = new TlsCounts(new SimDisk(), new TlsCounts.Settings(FOLDER, 9, 9, 2500, 7), clock);
    for (int i = 0; i < 9; i++) {
      var large =
          new AppliedPolicy(AppliedPolicy.STS, List.of("x".repeat(900)), "d" + i, List.of());
      small.failure(large, detail("mx"));
    }
    assertThat(small.of(DAY)).hasSize(1);
  }

  @Test
  void theGreatestDayIsReadAgain() throws IOException {
    var counts = open();
    for (int i = 0; i < 10_000; i++) {
      var policy =
          new AppliedPolicy(
              AppliedPolicy.TLSA, List.of("3 1 1 " + "\u00e9\"".repeat(200)), "d" + i, List.of());
      counts.failure(policy, detail("mx"));
      counts.failure(policy, detail("mx2"));
    }
    var before = counts.of(DAY);
    assertThat(before).hasSizeGreaterThan(5000);
    counts.save();
    assertThat(open().of(DAY)).isEqualTo(before);
  }

  @Test
  void aCrashLeavesWhatWasSavedBeforeOrNow() throws IOException {
    long seed = Seed.value();
    var random = new Random(seed);
    for (int crash = 1; crash < 40; crash++) {
      disk = new SimDisk();
      now = Instant.parse("2026-11-24T12:00:00Z");
      var counts = open();
      counts.success(policy("a.example"));
      counts.save();
      counts.success(policy("a.example"));
      disk.crashAt(disk.calls() + crash);
      try {
        counts.save();
      } catch (SimDisk.PowerLoss e) {
        // as it was asked
      }
      disk = disk.afterCrash(new Random(random.nextLong()));
      assertThat(only(open(), DAY, "a.example").successes())
          .as("crash at %d, seed %d", crash, seed)
          .isIn(1L, 2L);
    }
  }

  @Test
  void aFileThatIsDamagedCountsForNothing() throws IOException {
    var counts = open();
    counts.success(policy("a.example"));
    counts.save();
    try (var file = disk.open(FOLDER.resolve(DAY + ".json"), longhand.disk.Disk.Mode.WRITE)) {
      file.truncate(file.size() / 2);
    }
    var again = open();
    assertThat(again.of(DAY)).isEmpty();
    again.success(policy("a.example"));
    again.save();
    assertThat(only(open(), DAY, "a.example").successes()).isEqualTo(1);
  }

  @Test
  void aDiskThatFailsStopsNoCounting() throws IOException {
    var counts = open();
    counts.success(policy("a.example"));
    disk.fate(
        (call, path, number) -> {
          throw new IOException("no luck");
        });
    now = now.plus(Duration.ofDays(1));
    counts.success(policy("b.example"));
    disk.fate(null);
    assertThat(counts.of(DAY.plusDays(1))).containsOnlyKeys("b.example");
  }

  @Test
  void manyThreadsCountEachSession() throws Exception {
    var counts = open();
    var done = new ArrayList<Future<?>>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int t = 0; t < 20; t++) {
        done.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < 500; i++) {
                    counts.success(policy("a.example"));
                  }
                }));
      }
      for (var each : done) {
        each.get(30, TimeUnit.SECONDS);
      }
    }
    assertThat(only(counts, DAY, "a.example").successes()).isEqualTo(10_000);
  }
}
