package longhand.mtasts;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SSLSocket;
import longhand.Seed;
import longhand.dns.DnsName;
import longhand.dns.Reach;
import longhand.dns.ScriptedDns;
import longhand.wire.Connector;
import longhand.wire.TlsContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The GET against HTTPS servers, good and hostile.
@Timeout(60)
class StsFetcherTest {

  private static final String POLICY =
      "version: STSv1\r\nmode: enforce\r\nmx: mx.example\r\nmax_age: 60\r\n";
  private static final DnsName DOMAIN = new DnsName("example.com");

  private static TlsContext tls;
  private static TlsContext other;
  private static Connector connector;

  @BeforeAll
  static void begin() throws IOException {
    tls = TlsContext.selfSigned("mta-sts.example.com");
    other = TlsContext.selfSigned("example.com");
    connector = new Connector(Duration.ofSeconds(5));
  }

  @AfterAll
  static void end() {
    connector.close();
  }

  /// Reads a request and says what it was told to, to one client after the other.
  private static final class Server implements AutoCloseable {
    private final ServerSocket socket = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
    final BlockingQueue<String> requests = new LinkedBlockingQueue<>();
    final BlockingQueue<String> names = new LinkedBlockingQueue<>();

    Server(TlsContext context, byte[] reply, boolean drips) throws IOException {
      Thread.ofVirtual()
          .start(
              () -> {
                while (!socket.isClosed()) {
                  try (var raw = socket.accept();
                      var secure =
                          (SSLSocket)
                              context.get().getSocketFactory().createSocket(raw, null, 0, true)) {
                    secure.setUseClientMode(false);
                    secure.setSoTimeout(5000);
                    secure.startHandshake();
                    names.add(
                        ((ExtendedSSLSession) secure.getSession())
                            .getRequestedServerNames()
                            .toString());
                    var request = new StringBuilder();
                    while (request.indexOf("\r\n\r\n") < 0) {
                      int octet = secure.getInputStream().read();
                      if (octet < 0) {
                        throw new IOException("gone");
                      }
                      request.append((char) octet);
                    }
                    requests.add(request.toString());
                    if (drips) {
                      for (byte each : reply) {
                        secure.getOutputStream().write(each);
                        secure.getOutputStream().flush();
                        Thread.sleep(20);
                      }
                    } else {
                      secure.getOutputStream().write(reply);
                    }
                  } catch (IOException | InterruptedException e) {
                    // The client did not trust us, or had enough.
                  }
                }
              });
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  private static Fetched fetch(Server server, Reach reach, Duration deadline, String... addresses) {
    var settings =
        new StsFetcher.Settings(
            server.socket.getLocalPort(),
            reach,
            Set.of(tls.certificate()),
            Duration.ofSeconds(2),
            deadline);
    var dns = new ScriptedDns().host("mta-sts.example.com", addresses);
    return new StsFetcher(dns, connector, settings).fetch(DOMAIN);
  }

  private static Fetched fetch(byte[] reply) throws IOException {
    try (var server = new Server(tls, reply, false)) {
      return fetch(server, Reach.PRIVATE_TOO, Duration.ofSeconds(10), "127.0.0.1");
    }
  }

  private static Fetched fetch(String reply) throws IOException {
    return fetch(reply.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static String ok(String fields, String body) {
    return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" + fields + "\r\n" + body;
  }

  private static String length(String body) {
    return "Content-Length: " + body.length() + "\r\n";
  }

  private static void failed(Fetched fetched, StsFailure.Kind kind, String detail) {
    assertThat(fetched).isInstanceOf(Fetched.Failed.class);
    var failure = ((Fetched.Failed) fetched).failure();
    assertThat(failure.kind()).as(failure.detail()).isEqualTo(kind);
    assertThat(failure.detail()).contains(detail);
  }

  @Test
  void aPolicyIsFetched() throws Exception {
    try (var server =
        new Server(tls, ok(length(POLICY), POLICY).getBytes(StandardCharsets.US_ASCII), false)) {
      // Nobody listens at the first address.
      var fetched =
          fetch(server, Reach.PRIVATE_TOO, Duration.ofSeconds(10), "127.0.0.9", "127.0.0.1");
      assertThat(fetched)
          .isEqualTo(
              new Fetched.Policy(
                  ((StsFile.Valid) StsPolicy.parse(POLICY.getBytes(StandardCharsets.US_ASCII)))
                      .policy()));
      assertThat(server.requests.poll(5, TimeUnit.SECONDS))
          .startsWith("GET /.well-known/mta-sts.txt HTTP/1.1\r\n")
          .contains("\r\nHost: mta-sts.example.com\r\n");
      assertThat(server.names.poll(5, TimeUnit.SECONDS)).contains("mta-sts.example.com");
    }
  }

  @Test
  void itsLengthIsToldInAnyOneWay() throws IOException {
    for (var reply :
        List.of(
            ok(length(POLICY), POLICY)
                .replace("HTTP/1.1", "HTTP/1.0")
                .replace("plain", "PLAIN; charset=utf-8"),
            ok("Transfer-Encoding: chunked\r\n", "5;x=y\r\nversi\r\n")
                + Integer.toHexString(POLICY.length() - 5)
                + "\r\n"
                + POLICY.substring(5)
                + "\r\n0\r\nTrailer: x\r\n\r\n")) {
      assertThat(fetch(reply)).as(reply).isInstanceOf(Fetched.Policy.class);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "junk\r\n",
        "HTTP/1.1 301 Moved\r\nLocation: https://mta-sts.example.com/\r\n\r\n",
        "HTTP/1.1 2000 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Type: text/plain\r\n\r\nx",
        "HTTP/1.1 200 OK\nContent-Type: text/plain\n\nx",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n folded: x\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: -1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9999999999999\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 65537\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: gzip\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff\r\nx",
      })
  void othersAreNone(String reply) throws IOException {
    failed(fetch(reply), StsFailure.Kind.FETCH_ERROR, "");
  }

  @Test
  void aPolicyThatIsNoneIsSaidSo() throws IOException {
    failed(
        fetch(ok(length("<html>"), "<html>")),
        StsFailure.Kind.POLICY_INVALID,
        "line 1 is no field");
  }

  @Test
  void nothingGrowsBeyondItsBound() throws IOException {
    var much = "x".repeat(1 << 20);
    failed(fetch(ok(length(much), much)), StsFailure.Kind.FETCH_ERROR, "more than 65536 octets");
    failed(fetch(ok("X: " + much + "\r\n", "")), StsFailure.Kind.FETCH_ERROR, "more than 8192");
    failed(fetch(ok("X: x\r\n".repeat(200), "")), StsFailure.Kind.FETCH_ERROR, "100 header");
    failed(
        fetch(ok("Transfer-Encoding: chunked\r\n", "8000\r\n" + much)),
        StsFailure.Kind.FETCH_ERROR,
        "more than 8192 octets");
    failed(
        fetch(
            ok(
                "Transfer-Encoding: chunked\r\n",
                ("8000\r\n" + "x".repeat(0x8000) + "\r\n").repeat(9))),
        StsFailure.Kind.FETCH_ERROR,
        "more than 65536 octets");
  }

  @Test
  void aServerThatDripsIsLeft() throws IOException {
    byte[] reply =
        ok("X: " + "x".repeat(4000) + "\r\n", POLICY).getBytes(StandardCharsets.US_ASCII);
    try (var server = new Server(tls, reply, true)) {
      long began = System.nanoTime();
      failed(
          fetch(server, Reach.PRIVATE_TOO, Duration.ofSeconds(1), "127.0.0.1", "127.0.0.1"),
          StsFailure.Kind.FETCH_ERROR,
          "");
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(10));
    }
  }

  @Test
  void aReplyWithoutALengthIsNone() throws IOException {
    // The JDK takes the end of a connection that somebody cut for the end of what was sent.
    failed(fetch(ok("", POLICY)), StsFailure.Kind.FETCH_ERROR, "no length");
  }

  @Test
  void aServerOfAnotherNameIsNotBelieved() throws IOException {
    byte[] reply = ok("", POLICY).getBytes(StandardCharsets.US_ASCII);
    try (var server = new Server(other, reply, false)) {
      failed(
          fetch(server, Reach.PRIVATE_TOO, Duration.ofSeconds(10), "127.0.0.1"),
          StsFailure.Kind.WEBPKI_INVALID,
          "");
      assertThat(server.requests).isEmpty();
    }
  }

  @Test
  void addressesGoThroughTheReach() throws IOException {
    try (var server = new Server(tls, new byte[0], false)) {
      failed(
          fetch(server, Reach.PUBLIC, Duration.ofSeconds(10), "127.0.0.1", "10.0.0.1"),
          StsFailure.Kind.FETCH_ERROR,
          "has no address to ask");
      failed(
          fetch(server, Reach.PUBLIC, Duration.ofSeconds(10)),
          StsFailure.Kind.FETCH_ERROR,
          "has no address to ask");
    }
  }

  @Test
  void damagedRepliesGiveValues() throws IOException {
    long seed = Seed.value();
    var random = new Random(seed);
    var replies = new ArrayList<byte[]>();
    for (int i = 0; i < 60; i++) {
      var text =
          i % 2 == 0
              ? ok(length(POLICY), POLICY)
              : ok(
                  "Transfer-Encoding: chunked\r\n",
                  Integer.toHexString(POLICY.length()) + "\r\n" + POLICY + "\r\n0\r\n\r\n");
      byte[] reply = text.getBytes(StandardCharsets.US_ASCII);
      for (int n = random.nextInt(3); n >= 0; n--) {
        reply[random.nextInt(reply.length)] = (byte) random.nextInt();
      }
      replies.add(reply);
    }
    for (var reply : replies) {
      assertThat(fetch(reply)).as("seed %d", seed).isNotNull();
    }
  }
}
