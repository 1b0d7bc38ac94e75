package longhand.mtasts;

import java.io.IOException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Set;
import longhand.dns.Dns;
import longhand.dns.DnsName;
import longhand.dns.Reach;
import longhand.http.HttpsClient;
import longhand.wire.Connection;
import longhand.wire.Connector;
import org.jspecify.annotations.Nullable;

/// Fetches policy files: one GET over TLS from `mta-sts.<domain>`, whose certificate must be good
/// for that name (RFC 8461 §3.3). Waits no longer than its deadline, whatever the server does.
public final class StsFetcher {

  private static final String PATH = "/.well-known/mta-sts.txt";

  private final HttpsClient client;
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
    this.client =
        new HttpsClient(
            dns,
            connector,
            new HttpsClient.Settings(
                settings.reach(), settings.authorities(), settings.connect(), settings.deadline()));
    this.settings = settings;
  }

  /// The policy of a domain that announces one.
  public Fetched fetch(DnsName domain) {
    var host = DnsName.parse("mta-sts." + domain);
    if (host.isEmpty()) {
      return failed(StsFailure.Kind.FETCH_ERROR, "the domain is too long to have a policy host");
    }
    var name = host.get();
    try {
      var file = client.ask(name, settings.port(), connection -> get(name, connection));
      return switch (StsPolicy.parse(file)) {
        case StsFile.Valid(var policy) -> new Fetched.Policy(policy);
        case StsFile.Invalid(var reason) -> failed(StsFailure.Kind.POLICY_INVALID, reason);
      };
    } catch (IOException e) {
      return failed(
          isOfCertificate(e) ? StsFailure.Kind.WEBPKI_INVALID : StsFailure.Kind.FETCH_ERROR,
          said(e));
    }
  }

  private static byte[] get(DnsName host, Connection connection) throws IOException {
    connection.write(
        "GET "
            + PATH
            + " HTTP/1.1\r\nHost: "
            + host
            + "\r\nUser-Agent: Longhand\r\nAccept: text/plain\r\nConnection: close\r\n\r\n");
    connection.flush();
    return new HttpReply(connection, StsPolicy.OCTETS_MAX).read();
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

  private static String said(IOException e) {
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }

  private static Fetched failed(StsFailure.Kind kind, String detail) {
    return new Fetched.Failed(new StsFailure(kind, detail));
  }
}
