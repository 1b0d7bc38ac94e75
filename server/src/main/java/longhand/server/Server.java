package longhand.server;

import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import longhand.auth.Authenticator;
import longhand.delivery.Delivery;
import longhand.directory.Directory;
import longhand.disk.FileSystemDisk;
import longhand.dkim.DkimKeys;
import longhand.dns.Dns;
import longhand.dns.DnsName;
import longhand.dns.StubResolver;
import longhand.http.HttpsClient;
import longhand.imap.ImapServer;
import longhand.imap.ImapServices;
import longhand.journey.Journeys;
import longhand.mail.Domain;
import longhand.pop3.MaildropLocks;
import longhand.pop3.Pop3Server;
import longhand.pop3.Pop3Services;
import longhand.queue.LetterSigner;
import longhand.queue.NetworkCourier;
import longhand.queue.Queue;
import longhand.relay.Timeouts;
import longhand.reporting.TlsReports;
import longhand.sending.SendingRecords;
import longhand.sending.Suppression;
import longhand.smtp.SmtpServer;
import longhand.smtp.SmtpServices;
import longhand.store.Store;
import longhand.store.StoreSettings;
import longhand.tlsrpt.TlsCounts;
import longhand.wire.Connector;
import longhand.wire.ControlSocket;
import longhand.wire.Listener;
import longhand.wire.TlsContext;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The parts of one running server, put together. In this order they start, and in the opposite one
/// they end: the store, which takes the lock on the data folder; the accounts; the certificate; the
/// listeners; the control socket; the metrics.
public final class Server implements Closeable {

  private static final JsonMapper JSON = new JsonMapper();

  private static final System.Logger LOG = System.getLogger(Server.class.getName());

  /// How long sessions may take to end.
  private static final Duration GRACE = Duration.ofMillis(600);

  private static final int SECRET_OCTETS = 32;

  private final Config config;
  private final Journeys journeys;
  private final Store store;
  private final Directory directory;
  private final Authenticator authenticator;
  private final TlsContext tls;
  private final Connector connector = new Connector(Timeouts.DATA_BLOCK);
  private final Dns dns;
  private final Optional<TlsCounts> tlsCounts;
  private final NetworkCourier courier;
  private final Queue queue;
  private final Delivery delivery;
  private final DkimKeys signatures;
  private final SendingRecords sending;
  private final Optional<TlsReports> tlsReports;
  private final MaildropLocks maildropLocks = new MaildropLocks();
  private final Figures figures = new Figures();
  private final List<Listener> listeners = new ArrayList<>();
  private @Nullable ControlSocket control;
  private @Nullable MetricsListener metrics;
  private boolean closed;

  private Server(Config config, Store store, Directory directory) throws IOException {
    this.config = config;
    this.journeys =
        new Journeys(
            new FileSystemDisk(),
            journeyFolder(config),
            config.journey().settings(),
            Clock.systemUTC());
    this.store = store;
    this.directory = directory;
    this.authenticator =
        new Authenticator(directory, secret(config.data()), config.auth().settings());
    this.tls = tls(config);
    this.dns = new StubResolver(config.dns().settings(), Clock.systemUTC());
    this.tlsCounts = tlsCounts(config);
    this.courier = Outbound.sending(config, dns, connector, tlsCounts).courier();
    this.queue =
        new Queue(
            store,
            config.hostname(),
            courier,
            Clock.systemUTC(),
            new SecureRandom(),
            Queue.Settings.DEFAULT,
            Thread.ofVirtual().name("relay ", 1)::start,
            journeys);
    this.sending = sendingRecords(config);
    this.signatures = new DkimKeys(config.data(), new FileSystemDisk(), Clock.systemUTC());
    this.delivery =
        new Delivery(
            store, directory, queue, RewritingSecrets.rewriting(config, directory), journeys);
    this.tlsReports = tlsReports();
  }

  /// Starts everything, or nothing.
  ///
  /// @throws CommandException when a port or the data folder cannot be had; the text says which
  static Server start(Config config) throws IOException, CommandException {
    long began = System.nanoTime();
    makeDataFolder(config);
    var store = openStore(config);
    Server server = null;
    boolean started = false;
    try {
      server = new Server(config, store, directory(config));
      server.open();
      started = true;
    } finally {
      if (!started) {
        if (server != null) {
          server.close();
        } else {
          store.close();
        }
      }
    }
    long millis = (System.nanoTime() - began) / 1_000_000;
    LOG.log(
        Level.INFO,
        () ->
            "Longhand %s is ready after %d ms: %d listeners, data in %s"
                .formatted(Main.Version.text(), millis, config.listener().size(), config.data()));
    return server;
  }

  /// Where commands reach the server of that data folder.
  static Path controlSocket(Config config) {
    return config.data().resolve("control.sock");
  }

  /// Where the journeys of messages are written down.
  static Path journeyFolder(Config config) {
    return config.data().resolve("journey");
  }

  /// What the accounts of that data folder have sent, and where they send nothing.
  static SendingRecords sendingRecords(Config config) {
    return new SendingRecords(
        new FileSystemDisk(), config.data().resolve("sending"), config.limits(), Clock.systemUTC());
  }

  /// The accounts of that data folder.
  static Directory directory(Config config) throws IOException {
    return Directory.open(config.data(), config.hosted());
  }

  /// Makes the data folder, for its owner only.
  static void makeDataFolder(Config config) throws IOException, CommandException {
    try {
      if (!Files.isDirectory(config.data())) {
        Files.createDirectories(
            config.data(),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      }
    } catch (IOException e) {
      throw new CommandException(
          ExitCode.CANNOT_CREATE, "cannot make the data folder " + config.data() + ": " + e);
    }
  }

  /// `smtp`, `imap` and so on.
  static String name(Config.Protocol protocol) {
    return protocol.name().toLowerCase(Locale.ROOT);
  }

  /// The listeners' addresses, with the ports they got, in the order of the configuration.
  List<InetSocketAddress> addresses() {
    return listeners.stream().map(Listener::address).toList();
  }

  /// Where metrics are served, if they are.
  Optional<InetSocketAddress> metricsAddress() {
    return Optional.ofNullable(metrics).map(MetricsListener::address);
  }

  /// Waits until the process is told to end (SIGTERM, SIGINT), ends everything in good order, and
  /// the process with 0.
  void runUntilTold() throws InterruptedException {
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform()
                .name("ending")
                .unstarted(
                    () -> {
                      int code = ExitCode.OK;
                      try {
                        close();
                      } catch (IOException | RuntimeException e) {
                        LOG.log(Level.ERROR, "ending", e);
                        code = ExitCode.IO;
                      }
                      Runtime.getRuntime().halt(code);
                    }));
    new CountDownLatch(1).await();
  }

  @Override
  public void close() throws IOException {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    LOG.log(Level.INFO, "ending");
    try (var _ = journeys;
        var _ = sending;
        var _ = store;
        var _ = directory) {
      if (metrics != null) {
        metrics.close();
      }
      if (control != null) {
        control.close();
      }
      var ending = new ArrayList<Thread>();
      for (var listener : listeners) {
        ending.add(Thread.ofVirtual().start(() -> end(listener)));
      }
      for (var thread : ending) {
        thread.join();
      }
      queue.close();
      courier.close();
      tlsReports.ifPresent(TlsReports::close);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void end(Listener listener) {
    try {
      listener.close(GRACE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  static Store openStore(Config config) throws IOException, CommandException {
    try {
      return Store.open(
          config.data(),
          new FileSystemDisk(),
          Clock.systemUTC(),
          new SecureRandom(),
          StoreSettings.DEFAULT.withOpenOctetsMax(config.limits().accountsMemoryOctetsMax()));
    } catch (Store.LockedException e) {
      throw new CommandException(ExitCode.UNAVAILABLE, String.valueOf(e.getMessage()));
    }
  }

  /// Where the TLS of each day's sessions with other servers is counted.
  private static Optional<TlsCounts> tlsCounts(Config config) throws IOException {
    return config.tlsReports().enabled() && DnsName.parse(config.hostname()).isPresent()
        ? Optional.of(
            new TlsCounts(
                new FileSystemDisk(),
                TlsCounts.Settings.of(config.data().resolve("tls-reports/counts")),
                Clock.systemUTC()))
        : Optional.empty();
  }

  private Optional<TlsReports> tlsReports() throws IOException {
    if (tlsCounts.isEmpty()) {
      return Optional.empty();
    }
    var from = config.tlsReportsFrom();
    return Optional.of(
        new TlsReports(
            tlsCounts.get(),
            new FileSystemDisk(),
            new TlsReports.Settings(
                config.data().resolve("tls-reports/sent"), new DnsName(config.hostname()), from),
            dns,
            new HttpsClient(
                dns,
                connector,
                new HttpsClient.Settings(
                    config.dns().reach(), Set.of(), Duration.ofSeconds(15), Duration.ofMinutes(1))),
            delivery,
            signer(from.domain()),
            Clock.systemUTC(),
            new SecureRandom()));
  }

  private void open() throws IOException, CommandException {
    journeys.start();
    sending.start();
    queue.tell(
        (account, recipient, status, words) ->
            sending.bounced(account, recipient, status, words).map(Suppression::until));
    queue.sign(signer(new Domain(config.hostname())));
    queue.start(delivery::returnPaths);
    tlsReports.ifPresent(TlsReports::start);
    for (var each : config.listener()) {
      try {
        var listener = open(each);
        listeners.add(listener);
        figures.add(each.protocol(), listener);
      } catch (BindException e) {
        throw cannotListen(each.label(), e);
      }
    }
    try {
      control = ControlSocket.open(controlSocket(config), this::control);
    } catch (IOException e) {
      // Commands then write the accounts' files themselves, which is as safe.
      LOG.log(Level.WARNING, () -> "commands cannot reach this server: " + e.getMessage());
    }
    if (config.metrics().address().isPresent()) {
      var address = config.metrics().address().get();
      tlsReports.ifPresent(reports -> figures.register(reports.counts()));
      figures.register(store, directory, authenticator, delivery, queue, maildropLocks, journeys);
      try {
        metrics = MetricsListener.open(Listener.address(address), figures.registry());
      } catch (BindException e) {
        throw cannotListen("metrics " + address, e);
      }
    }
  }

  /// Signs what is from an address of that domain, as long as there are keys to do it with.
  private LetterSigner signer(Domain domain) {
    return letter -> {
      var signing = signatures.signing(domain);
      if (signing.isEmpty()) {
        return new byte[0];
      }
      try (var message = letter.open()) {
        return signatures.fields(signing.get(), message);
      }
    };
  }

  /// Answers a command: the tools' are known by name, the others are about accounts. Answers a line
  /// of the control socket, which is read once, whoever it is for.
  private String control(String line, Consumer<String> told) {
    JsonNode request;
    try {
      request = JSON.readTree(line);
    } catch (JacksonException e) {
      return JSON.createObjectNode().put("error", "not JSON").toString();
    }
    Consumer<Told> lines = each -> told.accept(each.toLine());
    return switch (request.path("command").asString("")) {
      case "queue" -> new QueueWork(queue).answer(request, lines);
      case "suppression" -> new SuppressionWork(sending).answer(request, lines);
      case "check", "rebuild", "read", "import" ->
          new DocumentWork(config.data(), store, directory).answer(request, lines);
      default -> AccountChanges.answer(directory, request);
    };
  }

  private static CommandException cannotListen(String label, BindException e) {
    var why = String.valueOf(e.getMessage());
    if (why.contains("in use")) {
      return new CommandException(
          ExitCode.UNAVAILABLE,
          "cannot listen for "
              + label
              + ": another program uses that port; stop it, or change the address");
    }
    if (why.contains("ermission")) {
      return new CommandException(
          ExitCode.NO_PERMISSION,
          "cannot listen for "
              + label
              + ": ports below 1024 need root or CAP_NET_BIND_SERVICE (docs/operations.md)");
    }
    return new CommandException(ExitCode.UNAVAILABLE, "cannot listen for " + label + ": " + why);
  }

  private Listener open(Config.ListenerConfig listener) throws IOException {
    var address = Listener.address(listener.address());
    var label = listener.label();
    boolean implicit = listener.tls() == Config.TlsMode.IMPLICIT;
    boolean clear = listener.plaintextLogin();
    Optional<Supplier<SSLContext>> context =
        listener.tls() == Config.TlsMode.NONE ? Optional.empty() : Optional.of(tls);
    return switch (listener.protocol()) {
      case SMTP -> smtp(listener, address, SmtpServices.Mode.RECEPTION, context);
      case SUBMISSION -> smtp(listener, address, SmtpServices.Mode.SUBMISSION, context);
      case LMTP -> smtp(listener, address, SmtpServices.Mode.LMTP, context);
      case POP3 -> {
        var server =
            Pop3Server.of(
                new Pop3Services(
                    store,
                    authenticator,
                    context,
                    implicit,
                    clear,
                    config.limits(),
                    maildropLocks));
        figures.add(server.counts());
        yield Pop3Server.open(label, address, server, listener.proxies());
      }
      case IMAP -> {
        var services =
            new ImapServices(store, directory, authenticator, context, config.limits(), clear);
        figures.add(services);
        yield ImapServer.open(label, address, services, implicit, listener.proxies());
      }
    };
  }

  private Listener smtp(
      Config.ListenerConfig listener,
      InetSocketAddress address,
      SmtpServices.Mode mode,
      Optional<Supplier<SSLContext>> context)
      throws IOException {
    var server =
        SmtpServer.of(
            new SmtpServices(
                mode,
                config.hostname(),
                new Domain(config.domain().getFirst().name()),
                delivery,
                directory,
                authenticator,
                context,
                listener.tls() == Config.TlsMode.IMPLICIT,
                listener.plaintextLogin(),
                config.limits(),
                Clock.systemUTC(),
                sending,
                signatures,
                journeys));
    figures.add(server.counts());
    return SmtpServer.open(listener.label(), address, server, listener.proxies());
  }

  private static TlsContext tls(Config config) throws IOException {
    var certificate = config.tls().certificate();
    var key = config.tls().key();
    if (certificate.isPresent() && key.isPresent()) {
      return TlsContext.ofFiles(certificate.get(), key.get());
    }
    LOG.log(
        Level.INFO,
        "no certificate is configured: a self-signed one is used, which mail programs warn of");
    return TlsContext.selfSigned(config.hostname(), config.data());
  }

  /// What makes the salts of unknown users: made once, kept for as long as the data folder.
  private static byte[] secret(Path data) throws IOException {
    var file = data.resolve("secret");
    if (Files.exists(file)) {
      try {
        var secret = HexFormat.of().parseHex(Files.readString(file).strip());
        if (secret.length >= SECRET_OCTETS) {
          return secret;
        }
      } catch (IllegalArgumentException e) {
        // not hexadecimal: answered below
      }
      throw new IOException(
          file + " holds no secret of 64 hexadecimal digits; remove it, and another is made");
    }
    var secret = new byte[SECRET_OCTETS];
    new SecureRandom().nextBytes(secret);
    var fresh = data.resolve("secret.new");
    Files.deleteIfExists(fresh);
    Files.createFile(
        fresh, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(fresh, HexFormat.of().formatHex(secret) + "\n");
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    return secret;
  }
}
