package longhand.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import longhand.disk.FileSystemDisk;
import longhand.dkim.DkimKeyFolder;
import longhand.dkim.DkimKeys;
import longhand.dkim.DkimResult;
import longhand.dkim.DkimVerifier;
import longhand.dkim.KeyAnswer;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;
import longhand.mail.ForwardPath;
import longhand.mail.Handling;
import longhand.mail.ReversePath;
import longhand.relay.Route;
import longhand.relay.TlsNeed;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A message leaves the queue delivered, given up or expired, and in no other way (invariant I8).
class QueueTest {

  private static final String TEXT = "Subject: hello\r\n\r\nFrom here\r\nto there\r\n";

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

  private String document() throws Exception {
    queue.store.settle();
    return Files.readString(data.resolve("mail/queue.invalid/1"), StandardCharsets.ISO_8859_1);
  }

  @Test
  void aMessageGoesOutAtOnceAsItIs() throws Exception {
    queue.accept(TEXT, "bob@example.net");
    assertThat(queue.queue.size()).isEqualTo(1);
    queue.run();
    assertThat(courier.arrived)
        .containsExactly(
            new TestCourier.Arrived(
                new Address("bob", new Domain("example.net")), "Received: x\r\n" + TEXT));
    assertThat(queue.queue.size()).isZero();
    reopen();
    assertThat(queue.queue.size()).isZero();
    queue.pass(Duration.ofDays(6), Duration.ofHours(1));
    assertThat(courier.arrived).hasSize(1);
  }

  @Test
  void aPersonCanReadWhatWaits() throws Exception {
    courier.answers = _ -> TestCourier.GREYLISTED;
    var id = queue.accept(TEXT, "bob@example.net", "ann@example.net");
    queue.run();
    assertThat(document())
        .contains(
            "Queue-Id: " + id + "\n",
            "Queue-From: <alice@example.com>\nQueue-To: <bob@example.net>\n",
            "Subject: " + id + ": 2 of 2 recipients wait\n",
            "<bob@example.net>; attempts 1; next 2026-11-24T18:0",
            "; 4.7.1; mx [192.0.2.1]; 451 4.7.1 come back later\n");
  }

  @Test
  void recipientsOfOneDestinationShareATransaction() throws Exception {
    var to = new ArrayList<String>();
    for (int i = 0; i < 250; i++) {
      to.add("r" + i + "@example.net");
    }
    queue.accept(TEXT, to.toArray(String[]::new));
    queue.run();
    assertThat(courier.arrived).hasSize(250);
    assertThat(queue.queue.size()).isZero();
    assertThat(courier.opened).isLessThanOrEqualTo(3);
  }

  /// RFC 8689: what may travel with TLS alone, what goes as is published and what goes in any case
  /// share no session, after a restart too.
  @Test
  void eachNeedOfTlsHasSessionsOfItsOwn() throws Exception {
    var required = new Handling(Optional.empty(), Optional.empty(), 0, true);
    queue.accept(TestQueue.SENDER, TEXT, List.of(TestQueue.to("req@example.net")), required);
    queue.accept(
        TestQueue.SENDER,
        TEXT,
        List.of(TestQueue.to("any@example.net")),
        Handling.USUAL.withTlsDisregarded());
    queue.accept(TEXT, "bob@example.net");
    reopen();
    queue.run();
    assertThat(courier.needs).containsExactlyInAnyOrder(TlsNeed.values());
    assertThat(courier.arrivedFor)
        .containsOnly(
            Map.entry("req", TlsNeed.REQUIRED),
            Map.entry("any", TlsNeed.DISREGARDED),
            Map.entry("bob", TlsNeed.AS_PUBLISHED));
    assertThat(required.withTlsDisregarded()).isEqualTo(required);
  }

  /// RFC 5321 §4.5.4.1.
  @Test
  void whatIsDeferredIsTriedAgainLaterAndLater() throws Exception {
    courier.answers = _ -> TestCourier.GREYLISTED;
    courier.pace =
        new Route.Pace(
            Duration.ofMinutes(5),
            Duration.ofHours(4),
            Duration.ofDays(4),
            Duration.ofDays(5),
            20,
            100);
    queue.accept(TEXT, "bob@example.net");
    var tries = new ArrayList<Duration>();
    queue.run();
    int seen = courier.opened;
    for (int minutes = 1; minutes < 48 * 60; minutes++) {
      queue.now = TestQueue.BEGAN.plus(Duration.ofMinutes(minutes));
      queue.run();
      if (courier.opened > seen) {
        tries.add(Duration.ofMinutes(minutes));
        seen = courier.opened;
      }
      if (minutes % 60 == 0) {
        reopen();
      }
    }
    var gaps = new ArrayList<Long>();
    for (int i = 0; i < tries.size(); i++) {
      gaps.add(tries.get(i).minus(i == 0 ? Duration.ZERO : tries.get(i - 1)).toMinutes());
    }
    long expected = 5;
    for (long gap : gaps) {
      assertThat(gap).as(gaps.toString()).isBetween(expected * 79 / 100, expected * 121 / 100 + 2);
      expected = Math.min(240, expected * 2);
    }
    assertThat(gaps).hasSizeBetween(13, 20);
  }

  @Test
  void whoWasServedIsNotServedAgain() throws Exception {
    courier.answers =
        address ->
            address.localPart().equals("bob") ? TestCourier.GREYLISTED : TestCourier.ACCEPTED;
    queue.accept(TEXT, "ann@example.net", "bob@example.net", "cat@example.org");
    queue.run();
    reopen();
    courier.answers = _ -> TestCourier.ACCEPTED;
    queue.pass(Duration.ofMinutes(10), Duration.ofMinutes(1));
    assertThat(courier.arrived.stream().map(each -> each.to().localPart()))
        .containsExactlyInAnyOrder("ann", "cat", "bob");
    assertThat(queue.queue.size()).isZero();
  }

  @Test
  void whatIsRefusedIsGivenUp() throws Exception {
    courier.answers = _ -> TestCourier.UNKNOWN;
    queue.accept(TEXT, "bob@example.net");
    courier.places.put(
        new Domain("nowhere.example"),
        new Courier.Contact.Nowhere(new EnhancedStatus(5, 1, 10), "takes no mail"));
    queue.accept(TEXT, "bob@nowhere.example");
    queue.run();
    assertThat(queue.queue.size()).isZero();
    assertThat(queue.queue.counts().failed.sum()).isEqualTo(2);
  }

  @Test
  void whatCannotBeDeliveredExpires() throws Exception {
    courier.dead("example.net", true);
    queue.accept(TEXT, "bob@example.net");
    queue.pass(Duration.ofHours(5 * 24 - 1), Duration.ofMinutes(30));
    reopen();
    assertThat(queue.queue.size()).isEqualTo(1);
    queue.pass(Duration.ofHours(3), Duration.ofMinutes(10));
    assertThat(queue.queue.size()).isZero();
    assertThat(queue.queue.counts().failed.sum()).isEqualTo(1);
    assertThat(courier.arrived).isEmpty();
  }

  /// One message tries, the others know.
  @Test
  void aDeadDestinationIsLeftAlone() throws Exception {
    courier.dead("dead.example", true);
    for (int i = 0; i < 50; i++) {
      queue.accept(TEXT, "r" + i + "@dead.example");
    }
    queue.run();
    int opened = courier.opened;
    assertThat(opened).isLessThanOrEqualTo(3);
    queue.accept(TEXT, "late@dead.example");
    queue.accept(TEXT, "ann@example.net");
    queue.run();
    assertThat(courier.opened).isEqualTo(opened + 1);
    assertThat(courier.arrived).hasSize(1);
    courier.dead("dead.example", false);
    queue.pass(Duration.ofMinutes(30), Duration.ofMinutes(1));
    assertThat(courier.arrived).hasSize(52);
    assertThat(queue.queue.size()).isZero();
  }

  @Test
  void sendersTakeTurns() throws Exception {
    courier.dead("example.net", true);
    for (int i = 0; i < 20; i++) {
      queue.accept(TEXT, "many" + i + "@example.net");
    }
    var other = new Address("zoe", new Domain("example.com"));
    queue.accept(other, TEXT, List.of(TestQueue.to("one@example.net")));
    queue.run();
    courier.dead("example.net", false);
    // All are due at once.
    queue.now = queue.now.plus(Duration.ofMinutes(20));
    queue.run();
    assertThat(courier.arrived).hasSize(21);
    assertThat(courier.arrived.subList(0, 3).stream().map(each -> each.to().localPart()))
        .contains("one");
  }

  /// A session that waited may have been closed by the server meanwhile.
  @Test
  void aSessionThatBrokeWhileItWaitedIsOpenedAgain() throws Exception {
    queue.accept(TEXT, "first@example.net");
    queue.accept(TEXT, "second@example.net");
    var tries = new HashMap<String, Integer>();
    courier.answers =
        address ->
            address.localPart().equals("second")
                    && tries.merge(address.localPart(), 1, Integer::sum) == 1
                ? TestCourier.CUT
                : TestCourier.ACCEPTED;
    queue.run();
    assertThat(courier.arrived).hasSize(2);
    assertThat(queue.queue.counts().deferred.sum()).isZero();
  }

  @Test
  void whatAPersonTakesOutOfTheDocumentIsGone() throws Exception {
    courier.answers = _ -> TestCourier.GREYLISTED;
    queue.accept(TEXT, "bob@example.net");
    queue.run();
    var text = document();
    queue.close();
    int entry = text.indexOf("From alice");
    int state = text.indexOf("From MAILER-DAEMON", entry);
    Files.writeString(
        data.resolve("mail/queue.invalid/1"),
        text.substring(0, entry) + text.substring(state),
        StandardCharsets.ISO_8859_1);
    queue = new TestQueue(new FileSystemDisk(), data, courier, queue.now, 1000);
    assertThat(queue.queue.size()).isZero();
    courier.answers = _ -> TestCourier.ACCEPTED;
    queue.pass(Duration.ofHours(1), Duration.ofMinutes(1));
    assertThat(courier.arrived).isEmpty();
  }

  /// More than may be tried at once.
  @Test
  void theRestWaitsItsTurn() throws Exception {
    for (int i = 0; i < 350; i++) {
      queue.accept(TEXT, "r" + i + "@example" + i % 7 + ".net");
    }
    for (int i = 0; i < 5; i++) {
      queue.run();
    }
    assertThat(courier.arrived).hasSize(350);
    assertThat(queue.queue.size()).isZero();
    assertThat(document().lines().filter(line -> line.startsWith("Status:"))).isNotEmpty();
  }

  /// RFC 3461 §6.
  @Test
  void whoSentHearsOnceWhatFailed() throws Exception {
    courier.answers =
        address ->
            address.localPart().startsWith("no") ? TestCourier.UNKNOWN : TestCourier.ACCEPTED;
    queue.accept(TEXT, "no1@example.net", "yes@example.net", "no2@example.net");
    queue.run();
    reopen();
    queue.pass(Duration.ofDays(6), Duration.ofHours(1));
    var reports = queue.reports(TestQueue.SENDER);
    assertThat(reports).hasSize(1);
    assertThat(reports.getFirst())
        .startsWith("Return-Path: <>\r\n")
        .contains(
            "To: <alice@example.com>\r\n",
            "Auto-Submitted: auto-replied\r\n",
            "Final-Recipient: rfc822; no1@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n",
            "Final-Recipient: rfc822; no2@example.net\r\n",
            "550 5.1.1 no such user",
            "Subject: hello\r\n")
        .doesNotContain("yes@example.net", "Queue-");
  }

  @Test
  void whoSentHearsOnceOfADelayAndThenOfTheEnd() throws Exception {
    courier.dead("example.net", true);
    queue.accept(TEXT, "bob@example.net");
    queue.pass(Duration.ofHours(3), Duration.ofMinutes(5));
    assertThat(queue.reports(TestQueue.SENDER)).isEmpty();
    queue.pass(Duration.ofHours(2), Duration.ofMinutes(5));
    assertThat(queue.reports(TestQueue.SENDER))
        .singleElement()
        .asString()
        .contains("Action: delayed\r\n", "Will-Retry-Until: Sun, 29 Nov 2026 18:00:00 +0000\r\n");
    reopen();
    queue.pass(Duration.ofHours(100), Duration.ofMinutes(30));
    assertThat(queue.reports(TestQueue.SENDER)).hasSize(1);
    queue.pass(Duration.ofHours(30), Duration.ofMinutes(30));
    assertThat(queue.reports(TestQueue.SENDER)).hasSize(2);
    assertThat(queue.reports(TestQueue.SENDER).getLast())
        .contains("Action: failed\r\nStatus: 4.4.7\r\n");
    assertThat(queue.queue.size()).isZero();
  }

  /// RFC 3461 §5.2.1.
  @Test
  void whoAskedForSuccessHearsThatItWasRelayed() throws Exception {
    var to =
        new ForwardPath(
            new Address("bob", new Domain("example.net")),
            Set.of(ForwardPath.Notify.SUCCESS),
            Optional.empty());
    queue.accept(TestQueue.SENDER, TEXT, List.of(to));
    queue.run();
    assertThat(queue.reports(TestQueue.SENDER))
        .singleElement()
        .asString()
        .contains("Action: relayed\r\n");
  }

  @Test
  void whoWantsToHearNothingHearsNothing() throws Exception {
    courier.answers = _ -> TestCourier.UNKNOWN;
    var to =
        new ForwardPath(
            new Address("bob", new Domain("example.net")),
            Set.of(ForwardPath.Notify.NEVER),
            Optional.empty());
    queue.accept(TestQueue.SENDER, TEXT, List.of(to));
    queue.run();
    assertThat(queue.reports(TestQueue.SENDER)).isEmpty();
    assertThat(queue.queue.size()).isZero();
  }

  /// What leaves in our own name is signed by the domain of the host, and verifies at the other
  /// end.
  @Test
  void aReportForSomebodyElsewhereIsSigned() throws Exception {
    var folder = new DkimKeyFolder(data, new Domain("example.com"), new FileSystemDisk());
    assertThat(folder.create(TestQueue.BEGAN)).isTrue();
    var keys = new DkimKeys(data, new FileSystemDisk(), Clock.systemUTC());
    var signing = keys.signing(new Domain("mx.example.com")).orElseThrow();
    assertThat(keys.signing(new Domain("mx.example.net"))).isEmpty();
    queue.queue.sign(letter -> keys.fields(signing, letter.open()));
    courier.answers =
        to -> to.localPart().equals("gone") ? TestCourier.UNKNOWN : TestCourier.ACCEPTED;
    queue.accept(
        new Address("eve", new Domain("example.org")),
        TEXT,
        List.of(TestQueue.to("gone@example.net")));
    queue.run();
    assertThat(courier.arrived).hasSize(1);
    var report = courier.arrived.getFirst().text();
    assertThat(report).startsWith("DKIM-Signature: ").contains("From: Mail Delivery System");
    var published = new HashMap<String, KeyAnswer>();
    for (var held : folder.keys()) {
      published.put(
          held.key().selector() + "._domainkey.example.com",
          new KeyAnswer.Found(List.of(held.key().publicText())));
    }
    var verification = new DkimVerifier(published::get, Clock.systemUTC()).begin();
    var octets = report.getBytes(StandardCharsets.ISO_8859_1);
    verification.write(octets, 0, octets.length);
    assertThat(verification.finish().results())
        .hasSize(2)
        .allMatch(result -> result instanceof DkimResult.Pass);
  }

  /// A report for somebody elsewhere takes the queue as well, and nobody is told when it fails. RFC
  /// 5321 §6.1.
  @Test
  void aReportIsNeverReported() throws Exception {
    courier.answers =
        address -> address.localPart().equals("bob") ? TestCourier.UNKNOWN : TestCourier.ACCEPTED;
    var joe = new Address("joe", new Domain("example.org"));
    queue.accept(joe, TEXT, List.of(TestQueue.to("bob@example.net")));
    queue.run();
    assertThat(courier.arrived).hasSize(1);
    assertThat(courier.arrived.getFirst().to()).isEqualTo(joe);
    assertThat(courier.arrived.getFirst().text()).contains("Action: failed");
    courier.answers = _ -> TestCourier.UNKNOWN;
    queue.accept(joe, TEXT, List.of(TestQueue.to("bob@example.net")));
    queue.run();
    assertThat(queue.queue.size()).isZero();
    assertThat(courier.arrived).hasSize(1);
    assertThat(queue.queue.counts().failed.sum()).isEqualTo(3);
  }

  private List<QueueEntry> entries() {
    var entries = new ArrayList<QueueEntry>();
    queue.queue.list(entries::add);
    return entries;
  }

  @Test
  void peopleSeeWhatWaitsAndWhy() throws Exception {
    courier.answers =
        address ->
            address.localPart().equals("bob") ? TestCourier.GREYLISTED : TestCourier.ACCEPTED;
    var id = queue.accept(TEXT, "ann@example.net", "bob@example.net");
    queue.run();
    var entry = entries().getFirst();
    assertThat(entry.id()).isEqualTo(id);
    assertThat(entry.state()).isEqualTo(QueueEntry.State.WAITING);
    assertThat(entry.octets()).isEqualTo(TEXT.length() + "Received: x\r\n".length());
    assertThat(entry.waiting())
        .singleElement()
        .satisfies(
            each -> {
              assertThat(each.address().localPart()).isEqualTo("bob");
              assertThat(each.attempts()).isEqualTo(1);
              assertThat(each.last().orElseThrow().words()).isEqualTo("451 4.7.1 come back later");
            });
  }

  @Test
  void whatIsHeldIsNotTriedUntilItIsReleased() throws Exception {
    courier.answers = _ -> TestCourier.GREYLISTED;
    var id = queue.accept(TEXT, "bob@example.net");
    queue.run();
    assertThat(queue.queue.order(List.of(id, "none"), Queue.Order.HOLD)).containsExactly(id);
    courier.answers = _ -> TestCourier.ACCEPTED;
    queue.pass(Duration.ofHours(1), Duration.ofMinutes(5));
    reopen();
    queue.pass(Duration.ofHours(1), Duration.ofMinutes(5));
    assertThat(courier.arrived).isEmpty();
    assertThat(entries().getFirst().state()).isEqualTo(QueueEntry.State.HELD);
    assertThat(queue.queue.order(List.of(id), Queue.Order.RELEASE)).containsExactly(id);
    queue.run();
    assertThat(courier.arrived).hasSize(1);
    assertThat(entries()).isEmpty();
  }

  @Test
  void whatIsToBeTriedNowIsTriedNow() throws Exception {
    courier.dead("example.net", true);
    var id = queue.accept(TEXT, "bob@example.net");
    queue.run();
    courier.dead("example.net", false);
    queue.run();
    assertThat(courier.arrived).isEmpty();
    assertThat(queue.queue.order(List.of(id), Queue.Order.RETRY)).containsExactly(id);
    queue.run();
    assertThat(courier.arrived).hasSize(1);
    queue.pass(Duration.ofHours(1), Duration.ofMinutes(1));
    assertThat(courier.arrived).hasSize(1);
  }

  @Test
  void whatIsTakenOutComesBackOrNot() throws Exception {
    courier.answers = _ -> TestCourier.GREYLISTED;
    var silent = queue.accept(TEXT, "bob@example.net");
    var told = queue.accept(TEXT, "bob@example.net");
    queue.run();
    queue.queue.order(List.of(silent), Queue.Order.REMOVE);
    assertThat(queue.reports(TestQueue.SENDER)).isEmpty();
    queue.queue.order(List.of(told), Queue.Order.RETURN);
    assertThat(queue.reports(TestQueue.SENDER)).hasSize(1);
    courier.answers = _ -> TestCourier.ACCEPTED;
    reopen();
    queue.pass(Duration.ofHours(1), Duration.ofMinutes(5));
    assertThat(courier.arrived).isEmpty();
    assertThat(queue.queue.size()).isZero();
  }

  /// The sender's account cannot be looked up, so what became of the message cannot be told yet.
  @Test
  void aReportWaitsForTheDirectory() throws Exception {
    courier.answers = _ -> TestCourier.UNKNOWN;
    queue.queue.returning(
        _ -> {
          throw new UncheckedIOException(new IOException("no directory"));
        });
    queue.accept(TEXT, "bob@example.net");
    queue.run();
    queue.pass(Duration.ofMinutes(1), Duration.ofSeconds(5));
    assertThat(queue.queue.size()).isEqualTo(1);
    queue.queue.returning(address -> List.of(new ReturnPath.Here(queue.store.account(address))));
    queue.run();
    assertThat(queue.reports(TestQueue.SENDER)).singleElement().asString().contains("5.1.1");
    assertThat(queue.queue.size()).isZero();
  }

  /// A fault of ours, twice: once while results are written, once when that is tried again.
  @Test
  void theQueueOutlivesAFaultInIt() throws Exception {
    courier.answers = _ -> TestCourier.UNKNOWN;
    var calls = new AtomicInteger();
    queue.queue.start(
        address -> {
          if (calls.incrementAndGet() <= 2) {
            throw new IllegalStateException("a fault, as this test wants it");
          }
          return List.of(new ReturnPath.Here(queue.store.account(address)));
        });
    queue.accept(TEXT, "bob@example.net");
    assertThatThrownBy(() -> queue.tasks.poll().run()).isInstanceOf(IllegalStateException.class);
    for (int i = 0; queue.queue.size() > 0 && i < 300; i++) {
      Thread.sleep(100);
    }
    assertThat(queue.queue.size()).isZero();
    assertThat(queue.reports(TestQueue.SENDER)).hasSize(1);
  }

  /// Of many, those that an order names, and those it leaves waiting.
  @Test
  void anOrderForManyLeavesTheOthers() throws Exception {
    courier.answers = _ -> TestCourier.GREYLISTED;
    var ids = new ArrayList<String>();
    for (int i = 0; i < 20; i++) {
      ids.add(queue.accept(TEXT, "bob" + i + "@example.net"));
    }
    queue.run();
    var some = ids.subList(5, 10);
    assertThat(queue.queue.order(some, Queue.Order.HOLD)).containsExactlyInAnyOrderElementsOf(some);
    assertThat(queue.queue.order(some.subList(0, 2), Queue.Order.REMOVE)).hasSize(2);
    courier.answers = _ -> TestCourier.ACCEPTED;
    queue.pass(Duration.ofHours(1), Duration.ofMinutes(5));
    assertThat(courier.arrived).hasSize(15);
    assertThat(entries()).hasSize(3).allMatch(each -> each.state() == QueueEntry.State.HELD);
    assertThat(queue.queue.order(ids, Queue.Order.RELEASE))
        .containsExactlyInAnyOrderElementsOf(some.subList(2, 5));
    queue.run();
    assertThat(courier.arrived).hasSize(18);
    assertThat(entries()).isEmpty();
  }

  /// Who hears of bad addresses: the account that sent there itself, once that is written down.
  @Test
  void addressesThatDoNotExistAreTold() throws Exception {
    var told = new ArrayList<String>();
    queue.queue.tell(
        (account, recipient, status, words) -> {
          told.add(account + " " + recipient + " " + status + " " + words);
          return Optional.of(TestQueue.BEGAN);
        });
    courier.answers =
        address ->
            switch (address.localPart()) {
              case "gone" -> TestCourier.UNKNOWN;
              case "later" -> TestCourier.GREYLISTED;
              default -> TestCourier.ACCEPTED;
            };
    courier.places.put(
        new Domain("none.example"),
        new Courier.Contact.Nowhere(new EnhancedStatus(5, 1, 2), "no such domain"));
    queue.accept(TEXT, "gone@example.net", "later@example.net", "bob@example.net");
    queue.accept(TEXT, "bob@none.example");
    var gone = List.of(TestQueue.to("gone@example.net"));
    queue.accept(
        ReversePath.of(TestQueue.SENDER),
        "Delivered-To: list@example.com\r\n",
        TEXT,
        gone,
        Handling.USUAL);
    queue.accept(ReversePath.NULL, "Received: x\r\n", TEXT, gone, Handling.USUAL);
    queue.pass(Duration.ofDays(6), Duration.ofHours(1));
    assertThat(queue.queue.size()).isZero();
    assertThat(told)
        .containsExactly(
            "alice@example.com gone@example.net 5.1.1 550 5.1.1 no such user",
            "alice@example.com bob@none.example 5.1.2 no such domain");
  }
}
