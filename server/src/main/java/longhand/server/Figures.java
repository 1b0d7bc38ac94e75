package longhand.server;

import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.Collector;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import longhand.auth.Authenticator;
import longhand.delivery.Delivery;
import longhand.directory.Directory;
import longhand.imap.ImapServices;
import longhand.journey.Journeys;
import longhand.pop3.MaildropLocks;
import longhand.pop3.Pop3Server;
import longhand.queue.Queue;
import longhand.reporting.TlsReports;
import longhand.smtp.SmtpServer;
import longhand.store.Store;
import longhand.store.StoreCounts;
import longhand.wire.CommandCounts;
import longhand.wire.Listener;

/// Longhand's own figures for Prometheus: each is read from where it is counted at the moment
/// somebody asks. `docs/operations.md` lists them.
final class Figures {

  private static final System.Logger LOG = System.getLogger(Figures.class.getName());

  private final PrometheusRegistry registry = new PrometheusRegistry();

  /// One listener, and the protocol it speaks.
  private record Listening(String protocol, Listener listener) {}

  private final List<Listening> listeners = new ArrayList<>();
  private final List<SmtpServer.Counts> smtp = new ArrayList<>();
  private final List<Pop3Server.Counts> pop3 = new ArrayList<>();
  private final List<ImapServices> imap = new ArrayList<>();

  Figures() {}

  /// Where they are to be asked for.
  PrometheusRegistry registry() {
    return registry;
  }

  /// Counts for this listener. To be called before any figure is asked for, as the next three.
  void add(Config.Protocol protocol, Listener listener) {
    listeners.add(new Listening(Server.name(protocol), listener));
  }

  /// An SMTP or LMTP server's.
  void add(SmtpServer.Counts counts) {
    smtp.add(counts);
  }

  /// A POP3 server's.
  void add(Pop3Server.Counts counts) {
    pop3.add(counts);
  }

  /// An IMAP server's.
  void add(ImapServices services) {
    imap.add(services);
  }

  /// Those of reports about TLS.
  void register(TlsReports.Counts reports) {
    outcomes(
        "longhand_tls_reports_total",
        "Reports about TLS to other domains, by what became of them.",
        Map.of(
            "mailed", reports.mailed,
            "posted", reports.posted,
            "deferred", reports.deferred,
            "failed", reports.failed));
  }

  /// Registers all others.
  void register(
      Store store,
      Directory directory,
      Authenticator authenticator,
      Delivery delivery,
      Queue queue,
      MaildropLocks maildropLocks,
      Journeys journeys) {
    connections();
    GaugeWithCallback.builder()
        .name("longhand_sessions")
        .help("Sessions of people who have logged in, by protocol.")
        .labelNames("protocol")
        .callback(
            gauge -> {
              gauge.call(imap.stream().mapToInt(ImapServices::sessions).sum(), "imap");
              gauge.call(maildropLocks.size(), "pop3");
            })
        .register(registry);
    var logins = authenticator.counts();
    outcomes(
        "longhand_logins_total",
        "Log-ins tried over all protocols, by outcome.",
        Map.of(
            "granted", logins.granted,
            "refused", logins.refused,
            "throttled", logins.throttled,
            "unavailable", logins.unavailable));
    CounterWithCallback.builder()
        .name("longhand_commands_total")
        .help("Commands answered, by protocol and kind.")
        .labelNames("protocol", "command")
        .callback(
            counter -> {
              commands(counter, "smtp", smtp.stream().map(each -> each.commands));
              commands(counter, "pop3", pop3.stream().map(each -> each.commands));
              commands(counter, "imap", imap.stream().map(each -> each.counts().commands));
            })
        .register(registry);
    protocols();
    var deliveries = delivery.counts();
    outcomes(
        "longhand_deliveries_total",
        "Recipients of messages, by what became of them.",
        Map.of(
            "stored", deliveries.stored,
            "queued", deliveries.queued,
            "deferred", deliveries.deferred,
            "refused", deliveries.refused));
    var relayed = queue.counts();
    outcomes(
        "longhand_relay_recipients_total",
        "Recipients of messages for other servers, by what became of a try.",
        Map.of(
            "delivered", relayed.delivered,
            "deferred", relayed.deferred,
            "failed", relayed.failed));
    GaugeWithCallback.builder()
        .name("longhand_queue_messages")
        .help("Messages in the queue, but for those that are held.")
        .callback(gauge -> gauge.call(queue.size()))
        .register(registry);
    counter(
        "longhand_journey_stations_total",
        "Stations of messages' journeys written down.",
        journeys::written);
    counter(
        "longhand_journey_dropped_total",
        "Stations that came too fast or could not be written.",
        journeys::dropped);
    store(store);
    GaugeWithCallback.builder()
        .name("longhand_accounts")
        .help("Accounts in the directory.")
        .callback(
            gauge -> {
              try {
                gauge.call((double) directory.size());
              } catch (IOException e) {
                LOG.log(Level.WARNING, () -> "accounts cannot be counted: " + e.getMessage());
              }
            })
        .register(registry);
  }

  /// Those of all servers of a protocol together.
  private static void commands(
      CounterWithCallback.Callback counter, String protocol, Stream<CommandCounts> counts) {
    var sums = new TreeMap<String, Long>();
    counts.forEach(each -> each.byKind().forEach((kind, n) -> sums.merge(kind, n, Long::sum)));
    sums.forEach((kind, n) -> counter.call((double) n, protocol, kind));
  }

  private void connections() {
    GaugeWithCallback.builder()
        .name("longhand_connections")
        .help("Connections open, by listener.")
        .labelNames("protocol", "listener")
        .callback(
            gauge ->
                listeners.forEach(
                    each ->
                        gauge.call(
                            each.listener.connections(), each.protocol, each.listener.name())))
        .register(registry);
    perListener(
        "longhand_connections_accepted_total",
        "Connections served.",
        listener -> listener.counts().accepted.sum());
    perListener(
        "longhand_connections_refused_total",
        "Connections refused for a limit.",
        listener -> listener.counts().refused.sum());
    perListener(
        "longhand_connections_overdue_total",
        "Connections closed because the peer did not read or finish a handshake.",
        listener -> listener.counts().overdue.sum());
  }

  private void perListener(String name, String help, ToLongFunction<Listener> value) {
    CounterWithCallback.builder()
        .name(name)
        .help(help)
        .labelNames("protocol", "listener")
        .callback(
            counter ->
                listeners.forEach(
                    each ->
                        counter.call(
                            (double) value.applyAsLong(each.listener),
                            each.protocol,
                            each.listener.name())))
        .register(registry);
  }

  private void outcomes(String name, String help, Map<String, LongAdder> counts) {
    CounterWithCallback.builder()
        .name(name)
        .help(help)
        .labelNames("outcome")
        .callback(
            counter ->
                counts.forEach((outcome, count) -> counter.call((double) count.sum(), outcome)))
        .register(registry);
  }

  private void protocols() {
    counter("longhand_smtp_messages_total", "Messages accepted.", sum(smtp, c -> c.messages.sum()));
    counter("longhand_smtp_octets_total", "Octets of them.", sum(smtp, c -> c.octets.sum()));
    counter(
        "longhand_smtp_messages_refused_total",
        "Messages refused or deferred at their end.",
        sum(smtp, c -> c.refusedMessages.sum()));
    counter(
        "longhand_smtp_recipients_refused_total",
        "Recipients refused or deferred.",
        sum(smtp, c -> c.refusedRecipients.sum()));
    counter("longhand_pop3_logins_total", "Log-ins over POP3.", sum(pop3, c -> c.logins.sum()));
    counter(
        "longhand_pop3_retrieved_total",
        "Messages sent whole over POP3.",
        sum(pop3, c -> c.retrieved.sum()));
    counter(
        "longhand_pop3_deleted_total",
        "Messages removed over POP3.",
        sum(pop3, c -> c.deleted.sum()));
    counter(
        "longhand_imap_logins_total",
        "Log-ins over IMAP.",
        sum(imap, s -> s.counts().logins.sum()));
    counter(
        "longhand_imap_appended_total",
        "Messages put into mailboxes by APPEND.",
        sum(imap, s -> s.counts().appended.sum()));
    counter(
        "longhand_imap_fetched_total",
        "Messages of which something was fetched.",
        sum(imap, s -> s.counts().fetched.sum()));
  }

  private static <T> DoubleSupplier sum(List<T> all, ToLongFunction<T> value) {
    return () -> all.stream().mapToLong(value).sum();
  }

  private void store(Store store) {
    var counts = store.counts();
    counter("longhand_journal_batches_total", "Batches made durable.", counts.batches::sum);
    counter(
        "longhand_journal_written_bytes_total",
        "Written to the journal.",
        counts.journalOctets::sum);
    histogram(
        "longhand_journal_force_seconds",
        "Time of each force of the journal; their number is that of forces.",
        () -> counts.forceNanos,
        1e9);
    histogram(
        "longhand_journal_batches_per_force",
        "Batches that became durable with one force.",
        () -> counts.batchesPerForce,
        1);
    counter(
        "longhand_documents_rewritten_total",
        "Documents written anew, by compaction for the most part.",
        counts.rewrites::sum);
    gauge(
        "longhand_journal_segments", "Files of the journal.", () -> store.now().journalSegments());
    gauge("longhand_accounts_open", "Accounts held in memory.", () -> store.now().accountsOpen());
    gauge(
        "longhand_accounts_unsettled",
        "Accounts of which the journal has what their documents may not have yet.",
        () -> store.now().accountsUnsettled());
    gauge(
        "longhand_ledgers_unsettled",
        "Messages whose changed marks wait to be written in place.",
        () -> store.now().ledgersUnsettled());
  }

  private void counter(String name, String help, DoubleSupplier value) {
    CounterWithCallback.builder()
        .name(name)
        .help(help)
        .callback(counter -> counter.call(value.getAsDouble()))
        .register(registry);
  }

  private void gauge(String name, String help, DoubleSupplier value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .callback(gauge -> gauge.call(value.getAsDouble()))
        .register(registry);
  }

  /// @param unit what a value is divided by
  private void histogram(
      String name, String help, Supplier<StoreCounts.Spread> spread, double unit) {
    Collector collector =
        () -> {
          var now = spread.get();
          var buckets = ClassicHistogramBuckets.builder();
          var counts = now.counts();
          for (int i = 0; i < counts.length; i++) {
            buckets.bucket(
                i < now.bounds().length ? now.bounds()[i] / unit : Double.POSITIVE_INFINITY,
                counts[i]);
          }
          return HistogramSnapshot.builder()
              .name(name)
              .help(help)
              .dataPoint(
                  new HistogramSnapshot.HistogramDataPointSnapshot(
                      buckets.build(), now.sum() / unit, Labels.EMPTY, null, 0))
              .build();
        };
    registry.register(collector);
  }
}
