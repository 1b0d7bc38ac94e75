package longhand.reporting;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocket;
import longhand.Seed;
import longhand.delivery.Delivery;
import longhand.directory.Directory;
import longhand.directory.HostedDomains;
import longhand.disk.FileSystemDisk;
import longhand.dkim.DkimKeyFolder;
import longhand.dkim.DkimKeys;
import longhand.dkim.DkimResult;
import longhand.dkim.DkimVerifier;
import longhand.dkim.KeyAnswer;
import longhand.dns.DnsName;
import longhand.dns.MailHosts;
import longhand.dns.Question;
import longhand.dns.Reach;
import longhand.dns.ScriptedDns;
import longhand.http.HttpsClient;
import longhand.journey.Journeys;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mtasts.StsAnswer;
import longhand.queue.NetworkCourier;
import longhand.queue.Queue;
import longhand.relay.Route;
import longhand.relay.Routing;
import longhand.relay.Timeouts;
import longhand.srs.SenderRewriting;
import longhand.store.Mailbox;
import longhand.store.Store;
import longhand.store.StoreSettings;
import longhand.tlsrpt.AppliedPolicy;
import longhand.tlsrpt.FailureDetail;
import longhand.tlsrpt.ReadReport;
import longhand.tlsrpt.ReportFile;
import longhand.tlsrpt.ResultType;
import longhand.tlsrpt.TlsCounts;
import longhand.tlsrpt.TlsReport;
import longhand.wire.Connector;
import longhand.wire.TlsContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A day's turn on a clock that goes as the test says, with a real store, queue and web server.
@Timeout(60)
class TlsReportsTest {

  private static final Domain OURS = new Domain("example.org");
  private static final LocalDate DAY = LocalDate.of(2026, 11, 24);
  private static final Instant MIDNIGHT = Instant.parse("2026-11-25T00:00:00Z");
  private static final String NET = "_smtp._tls.example.net";

  private static TlsContext tls;

  /// Goes as it is told.
  private static final class Told extends Clock {
    private Instant now = Instant.parse("2026-11-24T12:00:00Z");

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }

  @TempDir Path data;
  private final Told clock = new Told();
  private final ScriptedDns dns = new ScriptedDns();
  private final Random random = new Random(Seed.value());
  private final List<Runnable> tries = new ArrayList<>();
  private Store store;
  private Directory directory;
  private NetworkCourier courier;
  private Queue queue;
  private Delivery delivery;
  private Connector connector;
  private TlsCounts counts;
  private TlsReports reports;

  @BeforeAll
  static void certificate() throws IOException {
    tls = TlsContext.selfSigned("reports.example.net");
  }

  @BeforeEach
  void open() throws IOException {
    var disk = new FileSystemDisk();
    connector = new Connector(Duration.ofSeconds(5));
    store = Store.open(data, disk, clock, new Random(1), StoreSettings.DEFAULT);
    directory = Directory.open(data, new HostedDomains(List.of(OURS), Map.of(), Set.of()));
    var journeys =
        new Journeys(
            disk,
            data.resolve("journey"),
            Journeys.Settings.of(Duration.ofDays(1), Journeys.Settings.OCTETS_MIN),
            clock);
    var hosts =
        new MailHosts(
            dns, MailHosts.Settings.of(Set.of(), Set.of()), new Random(1), System::nanoTime);
    courier =
        new NetworkCourier(
            new Connector(Duration.ofSeconds(5)),
            "mx.example.org",
            Timeouts.DEFAULT,
            Route.Pace.DEFAULT,
            Map.of(),
            hosts,
            new Routing(dns, hosts, _ -> StsAnswer.NONE, Routing.Settings.DEFAULT),
            Optional.empty());
    // What is in the queue stays there until the test is over.
    queue =
        new Queue(
            store,
            "mx.example.org",
            courier,
            clock,
            new Random(1),
            Queue.Settings.DEFAULT,
            tries::add,
            journeys);
    delivery =
        new Delivery(
            store,
            directory,
            queue,
            new SenderRewriting(OURS, directory::isLocal, List.of("a secret of this test"), clock),
            journeys);
    counts = freshCounts();
    reports = freshReports(counts, Reach.PRIVATE_TOO);
  }

  private TlsCounts freshCounts() throws IOException {
    return new TlsCounts(
        new FileSystemDisk(), TlsCounts.Settings.of(data.resolve("tls/counts")), clock);
  }

  /// As after a crash: counts and reports know what is on the disk.
  private void reopen(Reach reach) throws IOException {
    counts = freshCounts();
    reports = freshReports(counts, reach);
  }

  private void reopen() throws IOException {
    reopen(Reach.PRIVATE_TOO);
  }

  private TlsReports freshReports(TlsCounts counts, Reach reach) throws IOException {
    var disk = new FileSystemDisk();
    var keys = new DkimKeys(data, disk, Clock.systemUTC());
    return new TlsReports(
        counts,
        disk,
        new TlsReports.Settings(
            data.resolve("tls/sent"),
            new DnsName("mx.example.org"),
            new Address("postmaster", OURS)),
        dns,
        new HttpsClient(
            dns,
            connector,
            new HttpsClient.Settings(
                reach, Set.of(tls.certificate()), Duration.ofSeconds(2), Duration.ofSeconds(10))),
        delivery,
        letter -> {
          try (var in = letter.open()) {
            return keys.fields(OURS, in);
          }
        },
        clock,
        random);
  }

  @AfterEach
  void close() throws IOException {
    // Nobody takes mail in this DNS; a try that has not ended would be waited for.
    List.copyOf(tries).forEach(Runnable::run);
    queue.close();
    courier.close();
    connector.close();
    directory.close();
    store.close();
  }

  private void count(String domain) {
    var policy = new AppliedPolicy(AppliedPolicy.NONE, List.of(), domain, List.of());
    counts.success(policy);
    counts.failure(
        policy,
        FailureDetail.of(
            ResultType.STARTTLS_NOT_SUPPORTED, "192.0.2.1", "mx." + domain, "192.0.2.2", ""));
  }

  /// Steps on from midnight until that time has gone by.
  private void pass(Duration time) throws IOException {
    var end = clock.now.plus(time);
    for (int steps = 0; clock.now.isBefore(end); steps++) {
      assertThat(steps).isLessThan(10_000);
      var next = reports.step();
      assertThat(next).isAfter(clock.now);
      clock.now = next.isBefore(end) ? next : end;
    }
    var _ = reports.step();
  }

  private void midnight() throws IOException {
    counts.save();
    clock.now = MIDNIGHT;
  }

  /// The messages in the queue, as they would be sent.
  private List<String> queued() throws Exception {
    var texts = new ArrayList<String>();
    var account = store.account(new Address("1", new Domain("queue.invalid")));
    try (var view = account.view(Mailbox.INBOX, false)) {
      for (int i = 1; i <= view.count(); i++) {
        try (var in = account.open(view.at(i))) {
          texts.add(new String(in.readAllBytes(), StandardCharsets.ISO_8859_1));
        }
      }
    }
    return texts;
  }

  @Test
  void aReportLeavesOnceWithinFourHoursOfItsDay() throws Exception {
    dns.txt(NET, "v=TLSRPTv1; rua=mailto:tls@example.net");
    count("example.net");
    pass(Duration.ofHours(2));
    midnight();
    var due = reports.step();
    assertThat(queued()).isEmpty();
    assertThat(due).isAfter(MIDNIGHT);
    pass(Duration.ofHours(4));
    assertThat(queued()).hasSize(1);
    assertThat(reports.counts().mailed.sum()).isEqualTo(1);
    assertThat(queued().getFirst())
        .contains(
            "Queue-From: <postmaster@example.org>",
            "Queue-To: <tls@example.net> NOTIFY=NEVER",
            "\r\nFrom: <postmaster@example.org>\r\nTo: <tls@example.net>\r\n",
            "\r\nTLS-Report-Domain: example.net\r\nTLS-Report-Submitter: mx.example.org\r\n",
            "\r\nTLS-Required: No\r\n",
            "multipart/report; report-type=\"tlsrpt\"");
    assertThat(counts.endedDays()).isEmpty();
    assertThat(new FileSystemDisk().list(data.resolve("tls/sent"))).isEmpty();
    reopen();
    pass(Duration.ofDays(5));
    assertThat(queued()).hasSize(1);
  }

  @Test
  void theReportIsSignedByTheDomainItComesFrom() throws Exception {
    var folder = new DkimKeyFolder(data, OURS, new FileSystemDisk());
    assertThat(folder.create(clock.now)).isTrue();
    dns.txt(NET, "v=TLSRPTv1; rua=mailto:tls@example.net");
    count("example.net");
    midnight();
    pass(Duration.ofHours(4));
    var text = queued().getFirst();
    var message = text.substring(text.indexOf("DKIM-Signature: "));
    var published = new HashMap<String, KeyAnswer>();
    for (var held : folder.keys()) {
      published.put(
          held.key().selector() + "._domainkey.example.org",
          new KeyAnswer.Found(List.of(held.key().publicText())));
    }
    var verification = new DkimVerifier(published::get, Clock.systemUTC()).begin();
    var octets = message.getBytes(StandardCharsets.ISO_8859_1);
    verification.write(octets, 0, octets.length);
    assertThat(verification.finish().results())
        .hasSize(2)
        .allMatch(result -> result instanceof DkimResult.Pass);
  }

  /// The day stays until all has left; what has left is remembered over a restart meanwhile.
  @Test
  void whatHasLeftDoesNotLeaveAgain() throws Exception {
    dns.txt(NET, "v=TLSRPTv1; rua=mailto:tls@example.net");
    var other = new Question.Txt(new DnsName("_smtp._tls.example.com"));
    dns.failed(other);
    count("example.net");
    count("example.com");
    midnight();
    pass(Duration.ofHours(5));
    assertThat(queued()).hasSize(1);
    assertThat(reports.counts().deferred.sum()).isPositive();
    assertThat(counts.endedDays()).containsExactly(DAY);
    assertThat(Files.readString(data.resolve("tls/sent/2026-11-24")))
        .endsWith("Z example.net mailto:tls@example.net\n");
    reopen();
    pass(Duration.ofHours(1));
    assertThat(queued()).hasSize(1);
    dns.txt("_smtp._tls.example.com", "v=TLSRPTv1; rua=mailto:tls@example.com");
    pass(Duration.ofHours(6));
    assertThat(queued()).hasSize(2);
    assertThat(queued().getLast()).contains("TLS-Report-Domain: example.com\r\n");
    assertThat(counts.endedDays()).isEmpty();
    assertThat(new FileSystemDisk().list(data.resolve("tls/sent"))).isEmpty();
  }

  @Test
  void whatCannotBeToldIsGivenUp() throws Exception {
    dns.failed(new Question.Txt(new DnsName(NET)));
    count("example.net");
    midnight();
    pass(Duration.ofDays(2));
    assertThat(reports.counts().failed.sum()).isEqualTo(1);
    assertThat(counts.endedDays()).isEmpty();
    dns.txt(NET, "v=TLSRPTv1; rua=mailto:tls@example.net");
    pass(Duration.ofDays(1));
    assertThat(queued()).isEmpty();
  }

  /// A server that was off for long does not send what nobody waits for any more.
  @Test
  void whatIsOldIsForgotten() throws Exception {
    dns.txt(NET, "v=TLSRPTv1; rua=mailto:tls@example.net");
    count("example.net");
    midnight();
    clock.now = MIDNIGHT.plus(Duration.ofDays(3));
    reopen();
    pass(Duration.ofHours(5));
    assertThat(queued()).isEmpty();
    assertThat(reports.counts().failed.sum()).isEqualTo(1);
    assertThat(counts.endedDays()).isEmpty();
  }

  @Test
  void whoPublishesNothingGetsNothing() throws Exception {
    dns.txt("_smtp._tls.example.com", "v=TLSRPTv1; rua=ftp://example.com/");
    count("example.net");
    count("example.com");
    midnight();
    pass(Duration.ofHours(5));
    assertThat(queued()).isEmpty();
    assertThat(counts.endedDays()).isEmpty();
    assertThat(reports.counts().deferred.sum() + reports.counts().failed.sum()).isZero();
  }

  /// Reads POSTs, and answers each with the next status.
  private static final class WebServer implements AutoCloseable {
    private final ServerSocket socket = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
    final BlockingQueue<String> heads = new LinkedBlockingQueue<>();
    final BlockingQueue<byte[]> bodies = new LinkedBlockingQueue<>();

    WebServer(String... statuses) throws IOException {
      Thread.ofVirtual()
          .start(
              () -> {
                for (var status : statuses) {
                  try (var raw = socket.accept();
                      var secure =
                          (SSLSocket)
                              tls.get().getSocketFactory().createSocket(raw, null, 0, true)) {
                    secure.setUseClientMode(false);
                    secure.setSoTimeout(5000);
                    var in = secure.getInputStream();
                    var head = head(in);
                    int begin = head.indexOf("Content-Length: ") + "Content-Length: ".length();
                    int length =
                        Integer.parseInt(head.substring(begin, head.indexOf("\r\n", begin)));
                    bodies.add(in.readNBytes(length));
                    heads.add(head);
                    secure
                        .getOutputStream()
                        .write((status + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
                  } catch (IOException e) {
                    // The client did not trust us, or the test is over.
                  }
                }
              });
    }

    private static String head(InputStream in) throws IOException {
      var head = new StringBuilder();
      while (head.indexOf("\r\n\r\n") < 0) {
        int octet = in.read();
        if (octet < 0) {
          throw new IOException("gone");
        }
        head.append((char) octet);
      }
      return head.toString();
    }

    int port() {
      return ((InetSocketAddress) socket.getLocalSocketAddress()).getPort();
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  @Test
  void aReportIsPostedUntilItIsTaken() throws Exception {
    try (var server = new WebServer("HTTP/1.1 503 later", "HTTP/1.1 302 there", "HTTP/1.1 201")) {
      dns.host("reports.example.net", "127.0.0.1");
      dns.txt(
          NET, "v=TLSRPTv1; rua=https://reports.example.net:" + server.port() + "/v1/tls?of=us");
      count("example.net");
      midnight();
      pass(Duration.ofHours(6));
      assertThat(server.heads).hasSize(3);
      assertThat(server.heads.poll(5, TimeUnit.SECONDS))
          .startsWith("POST /v1/tls?of=us HTTP/1.1\r\nHost: reports.example.net:" + server.port())
          .contains("\r\nContent-Type: application/tlsrpt+gzip\r\n");
      var read = ReportFile.read(server.bodies.take());
      assertThat(read).isInstanceOf(ReadReport.Valid.class);
      TlsReport report = ((ReadReport.Valid) read).report();
      assertThat(report.id()).isEqualTo("2026-11-24.example.net@mx.example.org");
      assertThat(report.contact()).isEqualTo("postmaster@example.org");
      assertThat(report.policies().getFirst().successes()).isEqualTo(1);
      assertThat(report.policies().getFirst().failures()).isEqualTo(1);
      assertThat(reports.counts().deferred.sum()).isEqualTo(2);
      assertThat(reports.counts().posted.sum()).isEqualTo(1);
      assertThat(counts.endedDays()).isEmpty();
    }
  }

  /// A stranger's DNS leads nobody into the network around this machine.
  @Test
  void nothingIsPostedToAPrivateAddress() throws Exception {
    try (var server = new WebServer("HTTP/1.1 200")) {
      dns.host("reports.example.net", "127.0.0.1");
      dns.txt(NET, "v=TLSRPTv1; rua=https://reports.example.net:" + server.port() + "/");
      reopen(Reach.PUBLIC);
      count("example.net");
      midnight();
      pass(Duration.ofDays(2));
      assertThat(server.heads).isEmpty();
      assertThat(reports.counts().posted.sum()).isZero();
      assertThat(reports.counts().failed.sum()).isEqualTo(1);
    }
  }

  /// What a crash tore off the last line has not left, and is written over.
  @Test
  void aTornLineIsWrittenOver() throws Exception {
    var file = data.resolve("sent");
    var first = "2026-11-25T01:00:00Z a.example mailto:x@a.example\n";
    Files.writeString(file, first + "2026-11-25T01:00:00Z b.example m");
    var sent = new SentReports(new FileSystemDisk(), data, "sent");
    assertThat(sent.has("a.example", "mailto:x@a.example")).isTrue();
    assertThat(sent.has("b.example", "m")).isFalse();
    sent.add(MIDNIGHT, "c.example", "https://c.example/");
    assertThat(Files.readString(file))
        .isEqualTo(first + "2026-11-25T00:00:00Z c.example https://c.example/\n");
    assertThat(
            new SentReports(new FileSystemDisk(), data, "sent")
                .has("c.example", "https://c.example/"))
        .isTrue();
  }
}
