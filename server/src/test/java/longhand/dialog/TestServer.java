package longhand.dialog;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import longhand.auth.AuthSettings;
import longhand.auth.Authenticator;
import longhand.delivery.Delivery;
import longhand.directory.AccountRecord;
import longhand.directory.Directory;
import longhand.disk.Disk;
import longhand.disk.FileSystemDisk;
import longhand.dkim.DkimKeys;
import longhand.dns.DnsSettings;
import longhand.dns.MailHosts;
import longhand.dns.StubResolver;
import longhand.journey.Journeys;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mtasts.StsAnswer;
import longhand.pop3.MaildropLocks;
import longhand.pop3.Pop3Server;
import longhand.pop3.Pop3Services;
import longhand.queue.NetworkCourier;
import longhand.queue.Queue;
import longhand.relay.Route;
import longhand.relay.Routing;
import longhand.relay.Target;
import longhand.relay.Timeouts;
import longhand.relay.TlsPolicy;
import longhand.sending.SendingRecords;
import longhand.smtp.SmtpServer;
import longhand.smtp.SmtpServices;
import longhand.srs.SenderRewriting;
import longhand.store.Account;
import longhand.store.Mailbox;
import longhand.store.MailboxException;
import longhand.store.Store;
import longhand.store.StoreSettings;
import longhand.wire.Connector;
import longhand.wire.Limits;
import longhand.wire.Listener;
import longhand.wire.Network;
import longhand.wire.Proxies;
import longhand.wire.TlsContext;
import org.junit.jupiter.api.DynamicTest;

/// A whole server in a folder: the domain `example.org` with accounts `ana`, `ben` (password
/// `secret`), `tiny` (a quota of 2,000 octets) and `gone` (inactive), and listeners on free ports
/// of 127.0.0.1, opened when first asked for.
public final class TestServer implements AutoCloseable {

  /// The only domain.
  public static final Domain DOMAIN = new Domain("example.org");

  /// The store.
  public final Store store;

  /// The directory.
  public final Directory directory;

  /// Who logs in.
  public final Authenticator authenticator;

  /// The certificate, self-signed for `mx.example.org`.
  public final TlsContext tls = CERTIFICATE;

  private static final TlsContext CERTIFICATE = certificate();

  /// A port where nobody listens.
  private static final int CLOSED = 1;

  private final Path data;
  private final Limits limits;
  private final NetworkCourier courier;
  private final Journeys journeys;

  /// Messages for others: all are kept where the one way out leads to a closed port.
  public final Queue queue;

  /// What accounts have sent.
  public final SendingRecords sending;

  private final Delivery delivery;
  private final MaildropLocks locks = new MaildropLocks();
  private final Map<String, Listener> listeners = new HashMap<>();

  /// Opens a server with its data under a folder.
  public TestServer(Path data, Limits limits) throws IOException {
    this(data, limits, new FileSystemDisk());
  }

  /// The same on another disk.
  public TestServer(Path data, Limits limits, Disk disk) throws IOException {
    this(data, limits, disk, CLOSED);
  }

  /// The same with another server for all that is not for here.
  ///
  /// @param wayOut its port on 127.0.0.1
  public TestServer(Path data, Limits limits, int wayOut) throws IOException {
    this(data, limits, new FileSystemDisk(), wayOut);
  }

  private TestServer(Path data, Limits limits, Disk disk, int wayOut) throws IOException {
    this.data = data;
    this.limits = limits;
    store = Store.open(data, disk, InstantSource.system(), new Random(7), StoreSettings.DEFAULT);
    directory = Directory.open(data, List.of(DOMAIN));
    authenticator = new Authenticator(directory, new byte[32], PATIENT);
    courier = courier(wayOut);
    journeys =
        new Journeys(
            new FileSystemDisk(),
            data.resolve("journey"),
            Journeys.Settings.of(Duration.ofDays(1), Journeys.Settings.OCTETS_MIN),
            InstantSource.system());
    journeys.start();
    queue =
        new Queue(
            store,
            "mx.example.org",
            courier,
            InstantSource.system(),
            new Random(7),
            Queue.Settings.DEFAULT,
            Thread.ofVirtual()::start,
            journeys);
    delivery =
        new Delivery(
            store,
            directory,
            queue,
            new SenderRewriting(
                DOMAIN,
                directory::isLocal,
                List.of("a secret of these tests"),
                InstantSource.system()),
            journeys);
    sending =
        new SendingRecords(
            new FileSystemDisk(), data.resolve("sending"), limits, InstantSource.system());
    sending.start();
    queue.start(delivery::returnPaths);
    if (directory.size() == 0) {
      var verifiers = authenticator.verifiers("secret");
      for (var name : List.of("ana", "ben", "tiny", "gone")) {
        directory.add(
            new AccountRecord(
                address(name),
                verifiers.password(),
                verifiers.scram(),
                "",
                name.equals("tiny") ? 2000 : 0,
                !name.equals("gone")));
      }
    }
  }

  private static NetworkCourier courier(int port) {
    var nowhere =
        new Route.Via.Host(
            "127.0.0.1",
            port,
            Target.Protocol.SMTP,
            new TlsPolicy.Never(),
            Optional.empty(),
            Optional.empty());
    var dns =
        new StubResolver(
            DnsSettings.of(
                List.of(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 1)),
                new DnsSettings.Validation.None()),
            Clock.systemUTC());
    var hosts =
        new MailHosts(
            dns, MailHosts.Settings.of(Set.of(), Set.of()), new Random(7), System::nanoTime);
    return new NetworkCourier(
        new Connector(Duration.ofSeconds(1)),
        "mx.example.org",
        Timeouts.DEFAULT,
        Route.Pace.DEFAULT,
        Map.of("*", new Route("nowhere", nowhere, Route.Pace.DEFAULT)),
        hosts,
        new Routing(dns, hosts, _ -> StsAnswer.NONE, Routing.Settings.DEFAULT),
        Optional.empty());
  }

  private static TlsContext certificate() {
    try {
      return TlsContext.selfSigned("mx.example.org");
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /// Cheap hashes, and no end of failures: many scripts log in wrongly on one server.
  private static final AuthSettings PATIENT =
      new AuthSettings(
          1_000_000, Duration.ofMinutes(10), Duration.ZERO, Duration.ZERO, 100, 2, 64, 1, 4096);

  /// An address of the domain.
  public static Address address(String localPart) {
    return new Address(localPart, DOMAIN);
  }

  /// A listener: `smtp`, `smtps`, `submission`, `submission-plain` (passwords in clear),
  /// `submissions`, `lmtp`, `lmtps`, `pop3`, `pop3-plain`, `pop3s`; those with `s` begin with TLS.
  /// `proxied-smtp` and so on take our word for whom we speak for.
  public Listener listener(String listed) throws IOException {
    var known = listeners.get(listed);
    if (known != null) {
      return known;
    }
    boolean proxied = listed.startsWith("proxied-");
    var name = proxied ? listed.substring(8) : listed;
    var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    boolean implicit = name.endsWith("s");
    boolean plain = name.endsWith("-plain");
    var opened =
        name.startsWith("pop3")
            ? Pop3Server.open(
                name,
                address,
                Pop3Server.of(
                    new Pop3Services(
                        store, authenticator, Optional.of(tls), implicit, plain, limits, locks)))
            : SmtpServer.open(
                name,
                address,
                SmtpServer.of(
                    new SmtpServices(
                        name.startsWith("lmtp")
                            ? SmtpServices.Mode.LMTP
                            : name.startsWith("submission")
                                ? SmtpServices.Mode.SUBMISSION
                                : SmtpServices.Mode.RECEPTION,
                        "mx.example.org",
                        DOMAIN,
                        delivery,
                        directory,
                        authenticator,
                        Optional.of(tls),
                        implicit,
                        plain,
                        limits,
                        Clock.systemUTC(),
                        sending,
                        new DkimKeys(data, new FileSystemDisk(), Clock.systemUTC()),
                        journeys)),
                proxied
                    ? new Proxies(false, List.of(Network.of("127.0.0.0/8").orElseThrow()))
                    : Proxies.NONE);
    listeners.put(listed, opened);
    return opened;
  }

  /// A connection to a listener; TLS is taken up where it begins with it.
  public Socket connect(String listener) throws IOException {
    var socket = new Socket();
    socket.connect(listener(listener).address());
    socket.setSoTimeout(8_000);
    socket.setTcpNoDelay(true);
    if (!listener.endsWith("s")) {
      return socket;
    }
    var secure =
        (javax.net.ssl.SSLSocket)
            clientTls().getSocketFactory().createSocket(socket, null, 0, true);
    secure.startHandshake();
    return secure;
  }

  /// The scripts under `dialogs/<folder>`: each as it stands, cut at every octet, pipelined, and
  /// all that again over TLS where the script is not about it.
  public List<DynamicTest> tests(String folder) {
    var tests = new ArrayList<DynamicTest>();
    for (var dialog : Dialog.all(folder)) {
      boolean whole = dialog.value("pace").filter("whole"::equals).isPresent();
      for (var pace : whole ? List.of(Dialog.Pace.WHOLE) : List.of(Dialog.Pace.values())) {
        var listener = dialog.value("listener").orElseThrow();
        var base =
            listener.endsWith("-plain") ? listener.substring(0, listener.length() - 6) : listener;
        tests.add(test(dialog, pace, listener));
        if (!dialog.startsTls() && dialog.value("tls").isEmpty()) {
          tests.add(test(dialog, pace, base + "s"));
        }
      }
    }
    return tests;
  }

  private DynamicTest test(Dialog dialog, Dialog.Pace pace, String listener) {
    return DynamicTest.dynamicTest(
        dialog + " " + pace + " " + listener,
        () -> {
          try (var socket = connect(listener)) {
            dialog.play(socket, pace, clientTls());
          }
        });
  }

  /// What a client trusts: our certificate.
  public SSLContext clientTls() {
    try {
      var trusted = KeyStore.getInstance("PKCS12");
      trusted.load(null, null);
      trusted.setCertificateEntry("server", tls.certificate());
      var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      var context = SSLContext.getInstance("TLS");
      context.init(null, trust.getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /// The account of a local part.
  public Account account(String localPart) {
    return store.account(address(localPart));
  }

  /// The messages in the INBOX of a local part, as they go over the wire.
  public List<String> inbox(String localPart) throws IOException, MailboxException {
    var account = account(localPart);
    try (var view = account.view(Mailbox.INBOX, false)) {
      var messages = new ArrayList<String>();
      for (int i = 1; i <= view.count(); i++) {
        try (InputStream in = account.open(view.at(i))) {
          messages.add(new String(in.readAllBytes(), StandardCharsets.ISO_8859_1));
        }
      }
      return messages;
    }
  }

  @Override
  public void close() throws IOException {
    listeners.values().forEach(Listener::close);
    queue.close();
    courier.close();
    sending.close();
    store.close();
    directory.close();
    journeys.close();
  }
}
