package longhand.reporting;

import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;
import longhand.delivery.Delivery;
import longhand.delivery.Destination;
import longhand.delivery.Outcome;
import longhand.disk.Disk;
import longhand.dns.Answer;
import longhand.dns.Dns;
import longhand.dns.DnsName;
import longhand.dns.Question;
import longhand.http.HttpsClient;
import longhand.journey.JourneyId;
import longhand.mail.Address;
import longhand.mail.Envelope;
import longhand.mail.ForwardPath;
import longhand.mail.Handling;
import longhand.mail.ReversePath;
import longhand.queue.LetterSigner;
import longhand.tlsrpt.PolicyResult;
import longhand.tlsrpt.ReportAddress;
import longhand.tlsrpt.ReportFile;
import longhand.tlsrpt.ReportMessage;
import longhand.tlsrpt.ReportRecord;
import longhand.tlsrpt.TlsCounts;
import longhand.tlsrpt.TlsReport;
import org.jspecify.annotations.Nullable;

/// Sends each domain that wants it a report of the day that has ended, once, at a moment of the
/// next four hours (RFC 8460 §4.1), and saves the counts while the day goes on. One thread does all
/// of it, one domain after the other.
///
/// A report is in the queue, or taken by a web server, before that is written down ([SentReports]):
/// a crash between the two sends it once more, with the same report-id. What cannot leave is tried
/// again for about a day. A day's counts are forgotten when all has left or is given up, after
/// three days at the latest.
///
/// The reverse-path is the address in From, since a report is no message that has to have the null
/// one (RFC 5321 §4.5.5), and nobody is told when it cannot be delivered.
public final class TlsReports implements Closeable {

  private static final System.Logger LOG = System.getLogger(TlsReports.class.getName());

  /// Over how long the reports of a day are spread (RFC 8460 §4.1).
  private static final Duration SPREAD = Duration.ofHours(4);

  private static final Duration SAVE = Duration.ofMinutes(5);
  private static final Duration KEPT = Duration.ofDays(3);
  private static final Duration DNS_WITHIN = Duration.ofSeconds(20);
  private static final Duration GRACE = Duration.ofSeconds(2);
  private static final Duration RETRY_FIRST = Duration.ofMinutes(5);
  private static final Duration RETRY_MAX = Duration.ofHours(4);

  /// With the waits between them, 5 minutes and twice as long each time, not quite a day (RFC 8460
  /// §5.4 asks for no more).
  private static final int ATTEMPTS_MAX = 11;

  /// What became of reports so far.
  public static final class Counts {
    /// In our queue, or in an account here.
    public final LongAdder mailed = new LongAdder();

    /// Taken by a web server.
    public final LongAdder posted = new LongAdder();

    /// A try that failed; another follows, or the next count grows.
    public final LongAdder deferred = new LongAdder();

    /// Domains whose report is given up.
    public final LongAdder failed = new LongAdder();

    private Counts() {}
  }

  /// Who reports.
  ///
  /// @param folder where it is kept what has left, one that nothing else is in
  /// @param submitter our name
  /// @param from the sender and the contact, ASCII
  public record Settings(Path folder, DnsName submitter, Address from) {}

  /// A domain's next try.
  ///
  /// @param number of tries before
  private record Attempt(int number, Instant due) {}

  /// A day that has ended, while its reports leave.
  private record Ended(
      Map<String, List<PolicyResult>> results, Map<String, Attempt> pending, SentReports sent) {}

  private final TlsCounts counts;
  private final Disk disk;
  private final Settings settings;
  private final Dns dns;
  private final ReportPost post;
  private final Delivery delivery;
  private final LetterSigner signer;
  private final InstantSource clock;
  private final RandomGenerator random;
  private final Counts became = new Counts();
  private final Map<LocalDate, Ended> days = new TreeMap<>();
  private final CountDownLatch ending = new CountDownLatch(1);
  private @Nullable Thread thread;

  /// @param counts what is reported
  /// @param dns says who wants reports
  /// @param https brings reports to web servers
  /// @param delivery brings mail
  /// @param signer signs with the keys of the domain of `settings.from`
  /// @param random chooses the moment of each report
  /// @throws IOException when the folder cannot be made
  public TlsReports(
      TlsCounts counts,
      Disk disk,
      Settings settings,
      Dns dns,
      HttpsClient https,
      Delivery delivery,
      LetterSigner signer,
      InstantSource clock,
      RandomGenerator random)
      throws IOException {
    this.counts = counts;
    this.disk = disk;
    this.settings = settings;
    this.dns = dns;
    this.post = new ReportPost(https);
    this.delivery = delivery;
    this.signer = signer;
    this.clock = clock;
    this.random = random;
    disk.createFolders(settings.folder());
    var parent = settings.folder().getParent();
    if (parent != null) {
      disk.forceFolder(parent);
    }
  }

  /// What became of reports so far.
  public Counts counts() {
    return became;
  }

  /// Begins to save and to send.
  public void start() {
    thread = Thread.ofVirtual().name("tls reports").start(this::run);
  }

  private void run() {
    try {
      boolean over = false;
      while (!over) {
        save();
        long wait = Math.clamp(untilNextMillis(), 1, SAVE.toMillis());
        over = ending.await(wait, TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void save() {
    try {
      counts.save();
    } catch (IOException e) {
      LOG.log(Level.WARNING, () -> "the counts of TLS sessions are not saved: " + e.getMessage());
    }
  }

  /// What fails in one step is no reason to take no other.
  private long untilNextMillis() {
    try {
      return Duration.between(clock.instant(), step()).toMillis();
    } catch (IOException | RuntimeException e) {
      LOG.log(Level.ERROR, "reports about TLS go on later", e);
      return SAVE.toMillis();
    }
  }

  /// Sends what is due, and gives when the next may be.
  Instant step() throws IOException {
    var now = clock.instant();
    var ended = counts.endedDays();
    days.keySet().retainAll(ended);
    forgetSent(ended);
    var next = now.plus(SAVE);
    for (var day : ended) {
      var open = days.get(day);
      if (open == null) {
        open = open(day);
        days.put(day, open);
      }
      if (!now.isBefore(end(day).plus(KEPT))) {
        giveUp(day, open);
      }
      for (var domain : List.copyOf(open.pending.keySet())) {
        var attempt = open.pending.get(domain);
        if (isEnding()) {
          return next;
        }
        if (attempt != null && !attempt.due.isAfter(now)) {
          attempt(day, open, domain, attempt);
        }
      }
      for (var attempt : open.pending.values()) {
        next = attempt.due.isBefore(next) ? attempt.due : next;
      }
      if (open.pending.isEmpty()) {
        counts.forget(day);
        disk.delete(file(day));
        days.remove(day);
      }
    }
    return next;
  }

  private boolean isEnding() {
    return ending.getCount() == 0;
  }

  private static Instant end(LocalDate day) {
    return day.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant();
  }

  private Path file(LocalDate day) {
    return settings.folder().resolve(day.toString());
  }

  private Ended open(LocalDate day) throws IOException {
    var pending = new LinkedHashMap<String, Attempt>();
    var results = counts.of(day);
    for (var domain : results.keySet()) {
      var after = Duration.ofSeconds(1 + random.nextLong(SPREAD.toSeconds()));
      pending.put(domain, new Attempt(0, end(day).plus(after)));
    }
    return new Ended(results, pending, new SentReports(disk, settings.folder(), day.toString()));
  }

  /// What a crash left of days whose counts were forgotten.
  private void forgetSent(List<LocalDate> ended) throws IOException {
    for (var name : disk.list(settings.folder())) {
      try {
        if (!ended.contains(LocalDate.parse(name))) {
          disk.delete(settings.folder().resolve(name));
        }
      } catch (DateTimeException e) {
        // Somebody else's file.
      }
    }
  }

  private void giveUp(LocalDate day, Ended open) {
    if (!open.pending.isEmpty()) {
      became.failed.add(open.pending.size());
      LOG.log(
          Level.INFO, () -> open.pending.size() + " reports about TLS on " + day + " are given up");
      open.pending.clear();
    }
  }

  private void attempt(LocalDate day, Ended open, String domain, Attempt attempt)
      throws IOException {
    var now = clock.instant();
    var wait = RETRY_FIRST.multipliedBy(1L << Math.min(attempt.number, 10));
    // Before the try, so that a fault of ours in one domain holds up no other.
    open.pending.put(
        domain,
        new Attempt(
            attempt.number + 1, now.plus(wait.compareTo(RETRY_MAX) < 0 ? wait : RETRY_MAX)));
    if (bring(day, open, domain)) {
      open.pending.remove(domain);
    } else if (attempt.number + 1 >= ATTEMPTS_MAX) {
      open.pending.remove(domain);
      became.failed.increment();
      LOG.log(Level.INFO, () -> domain + ": the report about TLS on " + day + " is given up");
    } else {
      became.deferred.increment();
    }
  }

  /// Whether the report is with all who are to have it, or nobody is.
  private boolean bring(LocalDate day, Ended open, String domain) throws IOException {
    var name = DnsName.parse(domain);
    var place = name.flatMap(ReportRecord::nameOf);
    if (name.isEmpty() || place.isEmpty()) {
      return true;
    }
    return switch (dns.ask(new Question.Txt(place.get()), DNS_WITHIN)) {
      case Answer.Failed<String> _ -> false;
      case Answer.NoSuchName<String> _, Answer.NoSuchData<String> _ -> true;
      case Answer.Found<String> found -> {
        var addresses =
            ReportRecord.among(found.records()).map(ReportRecord::addresses).orElse(List.of());
        yield addresses.isEmpty()
            || bring(open, name.get(), addresses, report(day, name.get(), open));
      }
    };
  }

  private TlsReport report(LocalDate day, DnsName domain, Ended open) {
    return TlsReport.of(
        day,
        domain,
        settings.submitter(),
        settings.from().domain().name(),
        settings.from().quoted(),
        open.results.getOrDefault(domain.text(), List.of()));
  }

  private boolean bring(Ended open, DnsName domain, List<ReportAddress> addresses, TlsReport report)
      throws IOException {
    boolean all = true;
    for (var address : addresses) {
      var text = text(address);
      if (open.sent.has(domain.text(), text) || open.sent.full() || isEnding()) {
        continue;
      }
      boolean gone =
          switch (address) {
            case ReportAddress.Mail(var to) -> mail(report, domain, to);
            case ReportAddress.Web(var uri) -> {
              try {
                post.send(uri, ReportFile.write(report));
                became.posted.increment();
                gone(domain, text);
                yield true;
              } catch (IOException e) {
                LOG.log(Level.INFO, () -> notNow(domain, text, e.getMessage()));
                yield false;
              }
            }
          };
      if (gone) {
        open.sent.add(clock.instant(), domain.text(), text);
      }
      all &= gone;
    }
    return all && !isEnding();
  }

  private static String text(ReportAddress address) {
    return switch (address) {
      case ReportAddress.Mail(var to) -> "mailto:" + to.quoted();
      case ReportAddress.Web(var uri) -> uri.toASCIIString();
    };
  }

  private static void gone(DnsName domain, String address) {
    LOG.log(Level.INFO, () -> domain + ": a report about TLS has gone to " + address);
  }

  private static String notNow(DnsName domain, String address, @Nullable String why) {
    return domain + ": the report about TLS does not go to " + address + " now: " + why;
  }

  private boolean mail(TlsReport report, DnsName domain, Address to) {
    if (to.localPart().chars().anyMatch(c -> c >= 0x80)) {
      return true; // without EAI there is no way to write to it
    }
    var now = clock.instant();
    var from = settings.from();
    var message = ReportMessage.of(report, domain, settings.submitter(), from, to, now);
    var path = new ForwardPath(to, Set.of(ForwardPath.Notify.NEVER), Optional.empty());
    var words = "mailto:" + to;
    return switch (delivery.destination(path, message.length)) {
      case Destination.Found found -> mail(message, found, words, domain, now);
      case Destination.Remote _ -> mail(message, Destination.Found.relay(path), words, domain, now);
      case Destination.Refused(_, var why) -> {
        LOG.log(Level.INFO, () -> domain + ": no report to " + words + ": " + why);
        yield true;
      }
      case Destination.Unavailable(var why) -> {
        LOG.log(Level.WARNING, () -> notNow(domain, words, why));
        yield false;
      }
    };
  }

  private boolean mail(
      byte[] message, Destination.Found found, String words, DnsName domain, Instant now) {
    var from = ReversePath.of(settings.from());
    var trace =
        ("Return-Path: <" + settings.from().quoted() + ">\r\n").getBytes(StandardCharsets.US_ASCII);
    try (var letter = delivery.letter()) {
      letter.write(message, 0, message.length);
      letter.finish();
      var signature = signer.fields(letter);
      var envelope =
          new Envelope(
              from,
              List.of(found.path()),
              Envelope.Body.SEVEN_BIT,
              false,
              Optional.empty(),
              Optional.empty(),
              Handling.USUAL.withTlsDisregarded());
      var accepted =
          new Delivery.Accepted(
              JourneyId.next(),
              Optional.empty(),
              envelope,
              letter,
              now,
              _ -> trace,
              _ -> signature);
      return switch (delivery.deliver(accepted, List.of(found), true).getFirst()) {
        case Outcome.Stored _, Outcome.Queued _ -> {
          became.mailed.increment();
          gone(domain, words);
          yield true;
        }
        case Outcome.Refused(_, var why) -> {
          LOG.log(Level.INFO, () -> domain + ": no report to " + words + ": " + why);
          yield true;
        }
        case Outcome.Deferred(_, var why) -> {
          LOG.log(Level.WARNING, () -> notNow(domain, words, why));
          yield false;
        }
      };
    } catch (IOException e) {
      LOG.log(Level.WARNING, () -> notNow(domain, words, e.getMessage()));
      return false;
    }
  }

  /// Sends nothing more, and saves what was counted. A report that is just leaving is waited for,
  /// for a moment.
  @Override
  public void close() {
    ending.countDown();
    try {
      if (thread != null) {
        thread.join(GRACE);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    save();
  }
}
