package longhand.mtasts;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import longhand.Seed;
import longhand.disk.Disk;
import longhand.disk.SimDisk;
import longhand.dns.DnsName;
import longhand.dns.Question;
import longhand.dns.ScriptedDns;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class StsPoliciesTest {

  private static final Path FOLDER = Path.of("/data/mta-sts");
  private static final DnsName DOMAIN = new DnsName("example.com");
  private static final StsFailure FAILURE =
      new StsFailure(StsFailure.Kind.FETCH_ERROR, "HTTP status 500");

  private final ScriptedDns dns = new ScriptedDns();
  private SimDisk disk = new SimDisk();
  private Instant now = Instant.parse("2026-11-24T12:00:00Z");
  private final List<DnsName> fetched = new ArrayList<>();
  private Fetched next = new Fetched.Failed(FAILURE);

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

  private static StsPolicy policy(StsPolicy.Mode mode, String mx, Duration age) {
    return new StsPolicy(mode, List.of(new MxPattern(false, new DnsName(mx))), age);
  }

  private static StsPolicy enforce(String mx) {
    return policy(StsPolicy.Mode.ENFORCE, mx, Duration.ofDays(7));
  }

  private StsPolicies open(int policiesMax) throws IOException {
    return open(settings(policiesMax));
  }

  private static StsPolicies.Settings settings(int policiesMax) {
    return new StsPolicies.Settings(
        FOLDER,
        policiesMax,
        Duration.ofDays(1),
        Duration.ofMinutes(5),
        2,
        Duration.ofSeconds(20),
        false);
  }

  private StsPolicies open(StsPolicies.Settings settings) throws IOException {
    Function<DnsName, Fetched> fetcher =
        domain -> {
          fetched.add(domain);
          return next;
        };
    return new StsPolicies(dns, fetcher, disk, settings, clock);
  }

  private void announce(String id) {
    dns.txt("_mta-sts.example.com", "v=STSv1; id=" + id);
  }

  private static StsAnswer in(StsPolicy policy) {
    return new StsAnswer(Optional.of(policy), Optional.empty());
  }

  private static StsAnswer in(StsPolicy policy, StsFailure failure) {
    return new StsAnswer(Optional.of(policy), Optional.of(failure));
  }

  @Test
  void withoutARecordNothingIsFetched() throws IOException {
    next = new Fetched.Policy(enforce("mx.example"));
    var policies = open(10);
    assertThat(policies.find(DOMAIN)).isEqualTo(StsAnswer.NONE);
    dns.failed(new Question.Txt(new DnsName("_mta-sts.example.com")));
    assertThat(policies.find(DOMAIN)).isEqualTo(StsAnswer.NONE);
    announce("not-an-id");
    assertThat(policies.find(DOMAIN)).isEqualTo(StsAnswer.NONE);
    assertThat(fetched).isEmpty();
  }

  @Test
  void aPolicyIsFetchedOnceAndAgainWhenItsIdChanges() throws IOException {
    announce("1");
    next = new Fetched.Policy(enforce("one.example"));
    var policies = open(10);
    assertThat(policies.find(DOMAIN)).isEqualTo(in(enforce("one.example")));
    assertThat(policies.find(DOMAIN)).isEqualTo(in(enforce("one.example")));
    assertThat(fetched).hasSize(1);
    announce("2");
    next = new Fetched.Policy(enforce("two.example"));
    assertThat(policies.find(DOMAIN)).isEqualTo(in(enforce("two.example")));
    assertThat(fetched).hasSize(2);
  }

  @Test
  void itIsFetchedAgainAfterADayAndNeverUsedBeyondItsAge() throws IOException {
    announce("1");
    next = new Fetched.Policy(enforce("one.example"));
    var policies = open(10);
    policies.find(DOMAIN);
    now = now.plus(Duration.ofHours(25));
    policies.find(DOMAIN);
    assertThat(fetched).hasSize(2);
    now = now.plus(Duration.ofDays(7)).minusSeconds(1);
    next = new Fetched.Failed(FAILURE);
    assertThat(policies.find(DOMAIN)).isEqualTo(in(enforce("one.example"), FAILURE));
    now = now.plusSeconds(1);
    assertThat(policies.find(DOMAIN))
        .isEqualTo(new StsAnswer(Optional.empty(), Optional.of(FAILURE)));
  }

  @Test
  void anAgeThatTheClockDoesNotTellIsNotTrusted() throws IOException {
    announce("1");
    next = new Fetched.Policy(enforce("one.example"));
    var policies = open(10);
    policies.find(DOMAIN);
    now = now.minus(Duration.ofDays(365));
    policies.find(DOMAIN);
    assertThat(fetched).hasSize(2);
  }

  @Test
  void whoMakesTheRecordOrTheFileVanishDoesNotTurnItOff() throws IOException {
    announce("1");
    next = new Fetched.Policy(enforce("one.example"));
    var policies = open(10);
    policies.find(DOMAIN);
    dns.txt("_mta-sts.example.com");
    assertThat(policies.find(DOMAIN)).isEqualTo(in(enforce("one.example")));
    dns.failed(new Question.Txt(new DnsName("_mta-sts.example.com")));
    assertThat(policies.find(DOMAIN)).isEqualTo(in(enforce("one.example")));
    announce("2");
    next = new Fetched.Failed(FAILURE);
    assertThat(policies.find(DOMAIN)).isEqualTo(in(enforce("one.example"), FAILURE));
  }

  @Test
  void aFailureIsRemembered() throws IOException {
    announce("1");
    var policies = open(10);
    var failed = new StsAnswer(Optional.empty(), Optional.of(FAILURE));
    assertThat(policies.find(DOMAIN)).isEqualTo(failed);
    now = now.plusSeconds(299);
    assertThat(policies.find(DOMAIN)).isEqualTo(failed);
    assertThat(fetched).hasSize(1);
    announce("2");
    assertThat(policies.find(DOMAIN)).isEqualTo(failed);
    assertThat(fetched).hasSize(2);
    now = now.plusSeconds(300);
    next = new Fetched.Policy(enforce("one.example"));
    assertThat(policies.find(DOMAIN)).isEqualTo(in(enforce("one.example")));
  }

  @Test
  void modeNoneEndsAPolicy() throws IOException {
    announce("1");
    next = new Fetched.Policy(enforce("one.example"));
    var policies = open(10);
    policies.find(DOMAIN);
    announce("2");
    next = new Fetched.Policy(policy(StsPolicy.Mode.NONE, "one.example", Duration.ofDays(1)));
    assertThat(policies.find(DOMAIN)).isEqualTo(StsAnswer.NONE);
    assertThat(policies.find(DOMAIN)).isEqualTo(StsAnswer.NONE);
    assertThat(fetched).hasSize(2);
  }

  @Test
  void policiesSurviveARestart() throws IOException {
    announce("1");
    next = new Fetched.Policy(enforce("one.example"));
    open(10).find(DOMAIN);
    dns.txt("_mta-sts.example.com");
    assertThat(open(10).find(DOMAIN)).isEqualTo(in(enforce("one.example")));
    now = now.plus(Duration.ofDays(7));
    assertThat(open(10).find(DOMAIN)).isEqualTo(StsAnswer.NONE);
  }

  @Test
  void whoOnlyReadsChangesNothing() throws IOException {
    announce("1");
    next = new Fetched.Policy(enforce("one.example"));
    var reader = settings(10).onlyReading();
    assertThat(open(reader).find(DOMAIN)).isEqualTo(in(enforce("one.example")));
    assertThat(disk.exists(FOLDER)).isFalse();
    open(10).find(DOMAIN);
    assertThat(fetched).hasSize(2);
    // What another process is in the middle of writing.
    try (var unfinished = disk.open(FOLDER.resolve("~other.example"), Disk.Mode.CREATE)) {
      unfinished.force(false);
    }
    assertThat(open(reader).find(DOMAIN)).isEqualTo(in(enforce("one.example")));
    assertThat(fetched).hasSize(2);
    announce("2");
    next = new Fetched.Policy(enforce("two.example"));
    assertThat(open(reader).find(DOMAIN)).isEqualTo(in(enforce("two.example")));
    assertThat(disk.list(FOLDER)).containsExactly("example.com", "~other.example");
    dns.txt("_mta-sts.example.com");
    assertThat(open(reader).find(DOMAIN)).isEqualTo(in(enforce("one.example")));
  }

  @Test
  void aCrashLeavesTheOldPolicyOrTheNew() throws IOException {
    long seed = Seed.value();
    // Of its own for each crash, but not from seeds in a row, whose first numbers are alike.
    var random = new Random(seed);
    for (int crash = 1; crash < 40; crash++) {
      disk = new SimDisk();
      announce("1");
      next = new Fetched.Policy(enforce("one.example"));
      open(10).find(DOMAIN);
      announce("2");
      next = new Fetched.Policy(enforce("two.example"));
      var policies = open(10);
      disk.crashAt(disk.calls() + crash);
      try {
        policies.find(DOMAIN);
      } catch (SimDisk.PowerLoss e) {
        // as it was asked
      }
      disk = disk.afterCrash(new Random(random.nextLong()));
      dns.txt("_mta-sts.example.com");
      assertThat(open(10).find(DOMAIN))
          .as("crash at %d, seed %d", crash, seed)
          .isIn(in(enforce("one.example")), in(enforce("two.example")));
      assertThat(disk.list(FOLDER)).containsExactly("example.com");
    }
  }

  @Test
  void whatIsDamagedCountsForNothing() throws IOException {
    announce("1");
    next = new Fetched.Policy(enforce("one.example"));
    open(10).find(DOMAIN);
    dns.txt("_mta-sts.example.com");
    var path = FOLDER.resolve("example.com");
    byte[] file;
    try (var read = disk.open(path, Disk.Mode.READ)) {
      var octets = ByteBuffer.allocate((int) read.size());
      read.read(octets, 0);
      file = octets.array();
    }
    assertThat(new String(file, StandardCharsets.US_ASCII))
        .isEqualTo(
            """
            fetched: 1795521600
            id: 1
            version: STSv1
            mode: enforce
            mx: one.example
            max_age: 604800
            """);
    for (int length = 0; length < file.length; length++) {
      try (var cut = disk.open(path, Disk.Mode.REPLACE)) {
        cut.write(ByteBuffer.wrap(file, 0, length), 0);
      }
      assertThat(open(10).find(DOMAIN)).as("cut at %d", length).isEqualTo(StsAnswer.NONE);
    }
  }

  @Test
  void aDiskThatFailsTakesNothingFromTheMailUnderWay() throws IOException {
    announce("1");
    next = new Fetched.Policy(enforce("one.example"));
    var policies = open(10);
    disk.fate(
        (call, path, number) -> {
          throw new IOException("no luck");
        });
    assertThat(policies.find(DOMAIN)).isEqualTo(in(enforce("one.example")));
  }

  @Test
  void theOneThatEndsFirstGoes() throws IOException {
    var policies = open(3);
    for (int i = 0; i < 5; i++) {
      dns.txt("_mta-sts.d" + i + ".example", "v=STSv1; id=1");
      next =
          new Fetched.Policy(
              policy(StsPolicy.Mode.ENFORCE, "mx.example", Duration.ofDays(i == 1 ? 30 : 7 + i)));
      policies.find(new DnsName("d" + i + ".example"));
    }
    assertThat(disk.list(FOLDER)).containsExactly("d1.example", "d3.example", "d4.example");
  }

  @Test
  void oneFetchForManyAndNoMoreThanAllowed() throws Exception {
    var mayEnd = new CountDownLatch(1);
    var running = new AtomicInteger();
    var most = new AtomicInteger();
    for (int i = 0; i < 10; i++) {
      dns.txt("_mta-sts.d" + i + ".example", "v=STSv1; id=1");
    }
    Function<DnsName, Fetched> fetcher =
        _ -> {
          most.accumulateAndGet(running.incrementAndGet(), Math::max);
          try {
            mayEnd.await(20, TimeUnit.SECONDS);
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
          running.decrementAndGet();
          return new Fetched.Policy(enforce("mx.example"));
        };
    var settings =
        new StsPolicies.Settings(
            FOLDER,
            100,
            Duration.ofDays(1),
            Duration.ofMinutes(5),
            2,
            Duration.ofSeconds(20),
            false);
    dns.whenAsked = () -> {};
    longhand.dns.Dns locked =
        new longhand.dns.Dns() {
          @Override
          public synchronized <T> longhand.dns.Answer<T> ask(
              Question<T> question, Duration within) {
            return dns.ask(question, within);
          }
        };
    var policies = new StsPolicies(locked, fetcher, disk, settings, clock);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var same = new ArrayList<Future<StsAnswer>>();
      for (int i = 0; i < 50; i++) {
        same.add(threads.submit(() -> policies.find(new DnsName("d0.example"))));
      }
      org.awaitility.Awaitility.await().until(() -> running.get() == 1);
      var second = threads.submit(() -> policies.find(new DnsName("d1.example")));
      org.awaitility.Awaitility.await().until(() -> running.get() == 2);
      // Two are being fetched, so a third is answered at once.
      assertThat(policies.find(new DnsName("d2.example")).failure()).isPresent();
      mayEnd.countDown();
      for (var each : same) {
        assertThat(each.get(20, TimeUnit.SECONDS)).isEqualTo(in(enforce("mx.example")));
      }
      assertThat(second.get(20, TimeUnit.SECONDS)).isEqualTo(in(enforce("mx.example")));
    }
    assertThat(most).hasValue(2);
  }
}
