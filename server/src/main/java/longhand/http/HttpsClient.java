package longhand.http;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
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
import longhand.wire.Connection;
import longhand.wire.Connector;
import longhand.wire.TlsVerification;
import org.jspecify.annotations.Nullable;

/// Connects to hosts that strangers name, over TLS and with a certificate that is good for the
/// name. Waits no longer than its deadline, whatever the server does. Safe for any thread.
///
/// A client of our own, because addresses come from [Dns] and go through [Reach], and nothing
/// beyond one request is wanted: no redirections, cookies, proxies, or caches.
public final class HttpsClient {

  private static final int ADDRESSES_MAX = 4;

  private final Dns dns;
  private final Connector connector;
  private final Settings settings;

  /// How servers are reached.
  ///
  /// @param reach which addresses may be asked
  /// @param authorities who may vouch for a server; none stands for those that the JDK trusts
  /// @param connect how long one address may take to be connected to
  /// @param deadline how long all of it may take
  public record Settings(
      Reach reach, Set<X509Certificate> authorities, Duration connect, Duration deadline) {

    public Settings {
      authorities = Set.copyOf(authorities);
    }
  }

  /// What is said on a connection, and read from it.
  @FunctionalInterface
  public interface Exchange<T> {
    /// Says and reads it; for one thread.
    ///
    /// @throws IOException when the server does not answer as it is to; another address is tried
    T with(Connection connection) throws IOException;
  }

  /// @param connector makes the connections, and closes those whose server does not read
  public HttpsClient(Dns dns, Connector connector, Settings settings) {
    this.dns = dns;
    this.connector = connector;
    this.settings = settings;
  }

  /// What came of it at the first address of a host where it could be done.
  ///
  /// @throws IOException the last failure, when there is no such address
  public <T> T ask(DnsName host, int port, Exchange<T> exchange) throws IOException {
    long until = System.nanoTime() + settings.deadline().toNanos();
    @Nullable IOException failure = null;
    for (var address : addresses(host, until)) {
      try {
        return ask(host, new InetSocketAddress(address, port), until, exchange);
      } catch (IOException e) {
        failure = e;
      }
    }
    throw failure == null ? new IOException(host + " has no address to ask") : failure;
  }

  private <T> T ask(DnsName host, InetSocketAddress address, long until, Exchange<T> exchange)
      throws IOException {
    var connect = lesser(settings.connect(), left(until));
    try (var connection = connector.connect(address, Optional.empty(), connect)) {
      var deadline = left(until);
      connection.deadline(deadline);
      connection.timeout(deadline);
      connection.startTls(host.text(), new TlsVerification.Pkix(settings.authorities()));
      return exchange.with(connection);
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
      throw new SocketTimeoutException("no answer in time");
    }
    return Duration.ofMillis(millis);
  }

  private static Duration lesser(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }
}
