package longhand.dns;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import longhand.Seed;
import longhand.dns.DnsSettings.Validation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;

/// The stub resolver against servers that answer well, badly, or not at all.
@Timeout(60)
class StubResolverTest {

  private static final Duration LONG = Duration.ofSeconds(10);
  private static final Question.Mx MX = new Question.Mx(new DnsName("a.example"));
  private static final Question.A ADDRESS = new Question.A(new DnsName("a.example"));
  private static final String SOA = "example. 900 IN SOA ns.example. p.example. 1 2 3 4 600";

  private static DnsSettings settings(Validation validation, InetSocketAddress... servers) {
    return new DnsSettings(
        List.of(servers),
        Duration.ofMillis(500),
        2,
        Duration.ofSeconds(5),
        4,
        64,
        100,
        20_000,
        Duration.ofSeconds(5),
        Duration.ofHours(1),
        Duration.ofMinutes(5),
        Duration.ofSeconds(1),
        validation);
  }

  private static StubResolver resolver(FakeNameServer... servers) {
    var addresses = new ArrayList<InetSocketAddress>();
    for (var each : servers) {
      addresses.add(each.address());
    }
    return new StubResolver(
        settings(new Validation.None(), addresses.toArray(InetSocketAddress[]::new)),
        Clock.systemUTC());
  }

  private static FakeNameServer answering(int rcode, String... records) throws IOException {
    return new FakeNameServer(
        query -> List.of(FakeNameServer.reply(query, rcode, records).toWire()));
  }

  private static void fails(StubResolver resolver, Question<?> question) {
    long begin = System.nanoTime();
    var answer = resolver.ask(question, LONG);
    assertThat(answer).isInstanceOf(Answer.Failed.class);
    assertThat(((Answer.Failed<?>) answer).sentence()).matches("Looking up [ -~]+\\.");
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(8));
  }

  @Test
  void recordsAreFoundAndKept() throws IOException {
    try (var server =
        answering(Rcode.NOERROR, "a.example. 60 IN MX 10 M.example.", "a.example. 30 IN MX 5 n.")) {
      var dns = resolver(server);
      var found = (Answer.Found<MailExchange>) dns.ask(MX, LONG);
      assertThat(found.records())
          .containsExactlyInAnyOrder(
              new MailExchange(10, new DnsName("m.example")),
              new MailExchange(5, new DnsName("n")));
      assertThat(found.ttl()).isLessThanOrEqualTo(Duration.ofSeconds(30)).isPositive();
      assertThat(found.secure()).isFalse();
      dns.ask(MX, LONG);
      assertThat(server.queries).hasValue(1);
    }
  }

  @Test
  void aNullMxIsTheRoot() throws IOException {
    try (var server = answering(Rcode.NOERROR, "a.example. 60 IN MX 0 .")) {
      assertThat(((Answer.Found<MailExchange>) resolver(server).ask(MX, LONG)).records())
          .containsExactly(new MailExchange(0, DnsName.ROOT));
    }
  }

  @Test
  void negativeAnswersAreKeptAsTheSoaSays() throws IOException {
    var time = new Instant[] {Instant.EPOCH};
    var clock =
        new Clock() {
          @Override
          public ZoneOffset getZone() {
            return ZoneOffset.UTC;
          }

          @Override
          public Clock withZone(java.time.ZoneId zone) {
            return this;
          }

          @Override
          public Instant instant() {
            return time[0];
          }
        };
    try (var server = answering(Rcode.NXDOMAIN, SOA.replace("600", "100"))) {
      var dns = new StubResolver(settings(new Validation.None(), server.address()), clock);
      assertThat(dns.ask(ADDRESS, LONG)).isEqualTo(new Answer.NoSuchName<>(false));
      time[0] = Instant.ofEpochSecond(99);
      assertThat(dns.ask(ADDRESS, LONG)).isEqualTo(new Answer.NoSuchName<>(false));
      assertThat(server.queries).hasValue(1);
      time[0] = Instant.ofEpochSecond(100);
      dns.ask(ADDRESS, LONG);
      assertThat(server.queries).hasValue(2);
    }
    try (var server = answering(Rcode.NOERROR)) {
      var dns = resolver(server);
      assertThat(dns.ask(ADDRESS, LONG)).isEqualTo(new Answer.NoSuchData<>(false));
      dns.ask(ADDRESS, LONG);
      assertThat(server.queries).hasValue(2);
    }
  }

  @Test
  void anAliasIsAskedAnew() throws IOException {
    try (var server =
        new FakeNameServer(
            query ->
                List.of(
                    FakeNameServer.reply(
                            query,
                            Rcode.NOERROR,
                            "a.example. 60 IN CNAME b.example.",
                            "b.example. 60 IN A 192.0.2."
                                + (query.getQuestion().getName().toString().startsWith("b")
                                    ? "1"
                                    : "66"))
                        .toWire()))) {
      var found = (Answer.Found<?>) resolver(server).ask(ADDRESS, LONG);
      assertThat(found.records()).hasToString("[/192.0.2.1]");
      assertThat(found.canonical()).isEqualTo(new DnsName("b.example"));
    }
  }

  @Test
  void aliasesThatTurnInCirclesEnd() throws IOException {
    try (var server =
        answering(
            Rcode.NOERROR,
            "a.example. 60 IN CNAME b.example.",
            "b.example. 60 IN CNAME a.example.")) {
      fails(resolver(server), ADDRESS);
      assertThat(server.queries).hasValue(2);
    }
  }

  @Test
  void truncatedIsAskedAgainOverTcp() throws IOException {
    var records = new String[1000];
    for (int i = 0; i < 1000; i++) {
      records[i] = "a.example. 60 IN MX " + i + " h" + i + ".example.";
    }
    try (var server =
        new FakeNameServer(
            query -> {
              var reply = FakeNameServer.reply(query, Rcode.NOERROR);
              reply.getHeader().setFlag(Flags.TC);
              return List.of(reply.toWire());
            },
            (query, socket) -> {
              byte[] reply = FakeNameServer.reply(query, Rcode.NOERROR, records).toWire();
              byte[] length = {(byte) (reply.length >> 8), (byte) reply.length};
              socket.getOutputStream().write(length);
              socket.getOutputStream().write(reply);
              socket.setSoTimeout(2000);
              var _ = socket.getInputStream().read();
            })) {
      var dns = resolver(server);
      assertThat(((Answer.Found<MailExchange>) dns.ask(MX, LONG)).records()).hasSize(1000);
    }
  }

  @Test
  void slowDripEnds() throws IOException {
    try (var server =
        new FakeNameServer(
            query -> {
              var reply = FakeNameServer.reply(query, Rcode.NOERROR);
              reply.getHeader().setFlag(Flags.TC);
              return List.of(reply.toWire());
            },
            (query, socket) -> {
              for (int i = 0; i < 40; i++) {
                socket.getOutputStream().write(i == 0 ? 1 : 0);
                socket.getOutputStream().flush();
                Thread.sleep(50);
              }
            })) {
      fails(resolver(server), MX);
    }
  }

  @Test
  void silenceEndsAndTheNextServerIsAsked() throws IOException {
    try (var silent = new FakeNameServer(_ -> List.of());
        var refusing = answering(Rcode.REFUSED);
        var lost = answering(Rcode.SERVFAIL);
        var good = answering(Rcode.NOERROR, "a.example. 60 IN A 192.0.2.1")) {
      fails(resolver(silent), ADDRESS);
      fails(resolver(silent, refusing, lost), MX);
      assertThat(resolver(silent, refusing, lost, good).ask(ADDRESS, LONG))
          .isInstanceOf(Answer.Found.class);
      var begin = System.nanoTime();
      assertThat(resolver(silent).ask(ADDRESS, Duration.ofMillis(50)))
          .isInstanceOf(Answer.Failed.class);
      assertThat(System.nanoTime() - begin).isLessThan(TimeUnit.SECONDS.toNanos(3));
    }
  }

  @Test
  void validationThatGetsNoKeysEndsInTime() throws IOException {
    var anchor = new Validation.Own(List.of("a.example. IN DS 1 13 2 " + "00".repeat(32)));
    try (var silent = new FakeNameServer(_ -> List.of());
        var keyless =
            new FakeNameServer(
                query ->
                    query.getQuestion().getType() == org.xbill.DNS.Type.DNSKEY
                        ? List.of()
                        : List.of(
                            FakeNameServer.reply(
                                    query, Rcode.NOERROR, "a.example. 60 IN A 192.0.2.1")
                                .toWire()))) {
      for (var server : List.of(silent, keyless)) {
        var dns = new StubResolver(settings(anchor, server.address()), Clock.systemUTC());
        long begin = System.nanoTime();
        assertThat(dns.ask(ADDRESS, Duration.ofMillis(50))).isInstanceOf(Answer.Failed.class);
        assertThat(System.nanoTime() - begin).isLessThan(TimeUnit.SECONDS.toNanos(2));
        assertThat(dns.ask(ADDRESS, LONG)).isInstanceOf(Answer.Failed.class);
        assertThat(System.nanoTime() - begin).isLessThan(TimeUnit.SECONDS.toNanos(10));
      }
    }
  }

  @Test
  void answersToOtherQuestionsAreNone() throws IOException {
    var good = "a.example. 60 IN A 192.0.2.66";
    try (var wrongId =
            new FakeNameServer(
                query -> {
                  var reply = FakeNameServer.reply(query, Rcode.NOERROR, good);
                  reply.getHeader().setID(query.getHeader().getID() ^ 1);
                  return List.of(reply.toWire());
                });
        var wrongQuestion =
            new FakeNameServer(
                query -> {
                  var other = new Message(query.getHeader().getID());
                  other.addRecord(
                      org.xbill.DNS.Record.fromString(
                          new org.xbill.DNS.Name("b.example."),
                          1,
                          1,
                          60,
                          "192.0.2.1",
                          org.xbill.DNS.Name.root),
                      0);
                  return List.of(FakeNameServer.reply(other, Rcode.NOERROR, good).toWire());
                });
        var query = new FakeNameServer(q -> List.of(q.toWire()));
        var noise = new FakeNameServer(_ -> List.of(new byte[] {1, 2, 3}));
        var oversized = new FakeNameServer(_ -> List.of(new byte[60_000]));
        var otherName = answering(Rcode.NOERROR, "b.example. 60 IN A 192.0.2.66")) {
      fails(resolver(wrongId), ADDRESS);
      fails(resolver(wrongQuestion), ADDRESS);
      fails(resolver(query), ADDRESS);
      fails(resolver(noise), ADDRESS);
      fails(resolver(oversized), ADDRESS);
      assertThat(resolver(otherName).ask(ADDRESS, LONG)).isEqualTo(new Answer.NoSuchData<>(false));
    }
  }

  @Test
  void damagedAnswersGiveValuesAndNothingElse() throws IOException {
    long seed = Seed.value();
    var random = new Random(seed);
    try (var server =
        new FakeNameServer(
            query -> {
              byte[] reply =
                  FakeNameServer.reply(
                          query,
                          Rcode.NOERROR,
                          query.getQuestion().getName() + " 60 IN CNAME b.example.",
                          query.getQuestion().getName() + " 60 IN MX 10 b.example.",
                          query.getQuestion().getName() + " 60 IN TXT \"v=spf1 -all\"",
                          SOA)
                      .toWire();
              for (int i = 0; i < 3; i++) {
                reply[2 + random.nextInt(reply.length - 2)] = (byte) random.nextInt();
              }
              return List.of(reply);
            })) {
      var dns = resolver(server);
      for (int i = 0; i < 300; i++) {
        var name = new DnsName("n" + i + ".example");
        assertThat(
                (Object)
                    (i % 2 == 0
                        ? dns.ask(new Question.Mx(name), LONG)
                        : dns.ask(new Question.Txt(name), LONG)))
            .as("seed %d", seed)
            .isNotNull();
      }
    }
  }

  @Test
  void oneQueryForManyWhoAskTheSame() throws Exception {
    var mayAnswer = new CountDownLatch(1);
    try (var server =
            new FakeNameServer(
                query -> {
                  try {
                    mayAnswer.await(5, TimeUnit.SECONDS);
                  } catch (InterruptedException e) {
                    throw new IOException(e);
                  }
                  return List.of(
                      FakeNameServer.reply(query, Rcode.NOERROR, "a.example. 60 IN A 192.0.2.1")
                          .toWire());
                });
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var dns = resolver(server);
      Callable<Answer<?>> ask = () -> dns.ask(ADDRESS, LONG);
      var asked = new ArrayList<Future<Answer<?>>>();
      for (int i = 0; i < 1000; i++) {
        asked.add(threads.submit(ask));
      }
      mayAnswer.countDown();
      for (var each : asked) {
        assertThat(each.get(10, TimeUnit.SECONDS)).isInstanceOf(Answer.Found.class);
      }
      assertThat(server.queries).hasValueLessThanOrEqualTo(2);
    }
  }

  @Test
  void theCacheIsBounded() {
    var cache = new AnswerCache(Clock.systemUTC(), 100, 20_000);
    for (int i = 0; i < 1000; i++) {
      cache.put(
          new Question.A(new DnsName("n" + i)),
          new KeptStep<>(new Step.Nothing<>(true, false), LONG, i % 10 * 100L));
      assertThat(cache.size()).isLessThanOrEqualTo(100);
      assertThat(cache.octets()).isLessThanOrEqualTo(20_000);
    }
    assertThat(cache.size()).isGreaterThan(10);
    assertThat(cache.get(new Question.A(new DnsName("n999")))).isPresent();
    assertThat(cache.get(new Question.A(new DnsName("n0")))).isEmpty();
  }

  @Test
  void theWordOfServersCountsOnlyWhereItIsTrusted() throws IOException {
    try (var server =
        new FakeNameServer(
            query -> {
              var reply = FakeNameServer.reply(query, Rcode.NOERROR, "a.example. 9 IN A 192.0.2.1");
              reply.getHeader().setFlag(Flags.AD);
              return List.of(reply.toWire());
            })) {
      assertThat(((Answer.Found<?>) resolver(server).ask(ADDRESS, LONG)).secure()).isFalse();
      var trusting =
          new StubResolver(
              settings(new Validation.ByServers(), server.address()), Clock.systemUTC());
      assertThat(((Answer.Found<?>) trusting.ask(ADDRESS, LONG)).secure()).isTrue();
    }
  }
}
