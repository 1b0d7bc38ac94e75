package longhand.mtasts;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import longhand.dns.Answer;
import longhand.dns.Dns;
import longhand.dns.DnsName;
import longhand.dns.Question;
import longhand.dns.Reach;
import longhand.wire.Connector;
import longhand.wire.TlsVerification;
import org.jspecify.annotations.Nullable;

/// Fetches policy files: one GET over TLS from `mta-sts.<domain>`, whose certificate must be good
/// for that name (RFC 8461 §3.3). Waits no longer than its deadline, whatever the server does.
///
/// A client of our own, because addresses come from [Dns] and go through [Reach], and nothing
/// beyond this one request is wanted: no redirections, cookies, proxies, or caches.
public final class StsFetcher {

  private static final int ADDRESSES_MAX = 4;
  private static final String PATH = "/.well-known/mta-sts.txt";

  private final Dns dns;
  private final Connector connector;
  private final Settings settings;

  /// How files are fetched.
  ///
  /// @param port of HTTPS
  /// @param reach which addresses may be asked
  /// @param authorities who may vouch for a server; none stands for those that the JDK trusts
  /// @param connect how long one address may take to be connected to
  /// @param deadline how long all of it may take
  public record Settings(
      int port,
      Reach reach,
      Set<X509Certificate> authorities,
      Duration connect,
      Duration deadline) {

    /// The usual ones (RFC 8461 §3.3: a minute).
    public static final Settings DEFAULT =
        new Settings(443, Reach.PUBLIC, Set.of(), Duration.ofSeconds(15), Duration.ofMinutes(1));

    public Settings {
      authorities = Set.copyOf(authorities);
    }

    /// The same, but for which addresses may be asked.
    public Settings within(Reach reach) {
      return new Settings(port, reach, authorities, connect, deadline);
    }
  }

  /// @param connector makes the connections, and closes those whose server does not read
  public StsFetcher(Dns dns, Connector connector, Settings settings) {
    this.dns = dns;
    this.connector = connector;
    this.settings = settings;
  }

  /// The policy of a domain that announces one.
  public Fetched fetch(DnsName domain) {
    long until = System.nanoTime() + settings.deadline().toNanos();
    var host = DnsName.parse("mta-sts." + domain);
    if (host.isEmpty()) {
      return failed(StsFailure.Kind.FETCH_ERROR, "the domain is too long to have a policy host");
    }
    var addresses = addresses(host.get(), until);
    if (addresses.isEmpty()) {
      return failed(StsFailure.Kind.FETCH_ERROR, host.get() + " has no address to ask");
    }
    @Nullable IOException failure = null;
    for (var address : addresses) {
      try {
        return switch (StsPolicy.parse(get(host.get(), address, until))) {
          case StsFile.Valid(var policy) -> new Fetched.Policy(policy);
          case StsFile.Invalid(var reason) -> failed(StsFailure.Kind.POLICY_INVALID, reason);
        };
      } catch (IOException e) {
        failure = e;
      }
    }
    return failed(
        isOfCertificate(failure) ? StsFailure.Kind.WEBPKI_INVALID : StsFailure.Kind.FETCH_ERROR,
        said(failure));
  }

  private byte[] get(DnsName host, InetAddress address, long until) throws IOException {
    var connect = lesser(settings.connect(), left(until));
    try (var connection =
        connector.connect(
            new InetSocketAddress(address, settings.port()), Optional.empty(), connect)) {
      var deadline = left(until);
      connection.deadline(deadline);
      connection.timeout(deadline);
      connection.startTls(host.text(), new TlsVerification.Pkix(settings.authorities()));
      connection.write(
          "GET "
              + PATH
              + " HTTP/1.1\r\nHost: "
              + host
              + "\r\nUser-Agent: Longhand\r\nAccept: text/plain\r\nConnection: close\r\n\r\n");
      connection.flush();
      return new HttpReply(connection, StsPolicy.OCTETS_MAX).read();
    }
  }

  /// By turns of IPv6 and IPv4, so that a broken family costs one attempt and not all.
  private List<InetAddress> addresses(DnsName host, long until) {
    var six = asked(new Question.Aaaa(host), until);
    var four = asked(new Question.A(host), until);
    var order = new ArrayList<InetAddress>();
    for (int i = 0; i < Math.max(six.size(), four.size()) && order.size() < ADDRESSES_MAX; i++) {
      if (i < six.size()) {
        order.add(six.get(i));
      }
      if (i < four.size()) {
        order.add(four.get(i));
      }
    }
    return order;
  }

  private <T extends InetAddress> List<T> asked(Question<T> question, long until) {
    long nanos = Math.max(0, until - System.nanoTime());
    return switch (dns.ask(question, Duration.ofNanos(nanos))) {
      case Answer.Found<T> found ->
          found.records().stream().filter(settings.reach()::allows).toList();
      case Answer.NoSuchName<T> _, Answer.NoSuchData<T> _, Answer.Failed<T> _ -> List.of();
    };
  }

  private static Duration left(long until) throws SocketTimeoutException {
    long millis = (until - System.nanoTime()) / 1_000_000;
    if (millis <= 0) {
      throw new SocketTimeoutException("no policy in time");
    }
    return Duration.ofMillis(millis);
  }

  private static Duration lesser(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }

  private static boolean isOfCertificate(@Nullable Throwable failure) {
    var cause = failure;
    for (int depth = 0; cause != null && depth < 10; depth++) {
      if (cause instanceof CertificateException) {
        return true;
      }
      cause = cause.getCause();
    }
    return false;
  }

  private static String said(@Nullable IOException e) {
    return e == null ? "" : e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }

  private static Fetched failed(StsFailure.Kind kind, String detail) {
    return new Fetched.Failed(new StsFailure(kind, detail));
  }
}
