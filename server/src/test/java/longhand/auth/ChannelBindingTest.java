package longhand.auth;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import longhand.wire.TlsContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// SCRAM-SHA-256-PLUS over real TLS sessions.
class ChannelBindingTest {

  private final SaslTest.Accounts accounts = new SaslTest.Accounts();
  private final Authenticator authenticator =
      new Authenticator(accounts, new byte[32], AuthSettings.forTests());
  private SSLContext serverContext = uninitialised();
  private X509Certificate certificate;
  private final List<AutoCloseable> open = new java.util.ArrayList<>();

  @SuppressWarnings("NullAway.Init") // set before each test
  ChannelBindingTest() {}

  private static SSLContext uninitialised() {
    try {
      return SSLContext.getInstance("TLS");
    } catch (java.security.GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  @BeforeEach
  void certificate() throws Exception {
    var tls = TlsContext.selfSigned("mx.example.com");
    serverContext = tls.get();
    certificate = tls.certificate();
    SaslTest.put(authenticator, accounts, "jbob", "one");
  }

  @AfterEach
  void close() throws Exception {
    for (var each : open) {
      each.close();
    }
  }

  private record Pair(SSLSocket server, SSLSocket client) {}

  private Pair connect(String protocol) throws Exception {
    var trusting = SSLContext.getInstance("TLS");
    trusting.init(null, new TrustManager[] {new Anybody()}, null);
    try (var listener =
            (SSLServerSocket)
                serverContext
                    .getServerSocketFactory()
                    .createServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Callable<SSLSocket> accept =
          () -> {
            var socket = (SSLSocket) listener.accept();
            socket.startHandshake();
            return socket;
          };
      var accepted = threads.submit(accept);
      var client =
          (SSLSocket)
              trusting
                  .getSocketFactory()
                  .createSocket(InetAddress.getLoopbackAddress(), listener.getLocalPort());
      open.add(client);
      client.setEnabledProtocols(new String[] {protocol});
      client.startHandshake();
      var server = accepted.get();
      open.add(server);
      return new Pair(server, client);
    }
  }

  private Sasl.Exchange exchange(SSLSocket server, String mechanism) {
    var context =
        new Sasl.Context(
            authenticator,
            true,
            false,
            Optional.of(server.getSession()),
            InetAddress.getLoopbackAddress());
    assertThat(Sasl.mechanisms(context)).first().isEqualTo("SCRAM-SHA-256-PLUS");
    return Sasl.start(mechanism, context).orElseThrow();
  }

  private static byte[] exported(SSLSocket socket) throws Exception {
    return ((ExtendedSSLSession) socket.getSession())
        .exportKeyingMaterialData("EXPORTER-Channel-Binding", new byte[0], 32);
  }

  private byte[] endPoint() throws Exception {
    return java.security.MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded());
  }

  @Test
  void boundToTheExporterOfTls13() throws Exception {
    var pair = connect("TLSv1.3");
    var step =
        SaslTest.scram(
            exchange(pair.server, "SCRAM-SHA-256-PLUS"),
            "jbob",
            "one",
            "p=tls-exporter,,",
            exported(pair.client));
    assertThat(step).isInstanceOf(Sasl.Step.Success.class);
  }

  @Test
  void boundToTheCertificate() throws Exception {
    for (var protocol : List.of("TLSv1.2", "TLSv1.3")) {
      var pair = connect(protocol);
      var step =
          SaslTest.scram(
              exchange(pair.server, "SCRAM-SHA-256-PLUS"),
              "jbob",
              "one",
              "p=tls-server-end-point,,",
              endPoint());
      assertThat(step).as(protocol).isInstanceOf(Sasl.Step.Success.class);
    }
  }

  @Test
  void aManInTheMiddleHasAnotherBinding() throws Exception {
    var near = connect("TLSv1.3");
    var far = connect("TLSv1.3");
    var failure = new Sasl.Step.Failure(Sasl.Reason.CREDENTIALS);
    assertThat(
            SaslTest.scram(
                exchange(near.server, "SCRAM-SHA-256-PLUS"),
                "jbob",
                "one",
                "p=tls-exporter,,",
                exported(far.client)))
        .isEqualTo(failure);
    assertThat(
            SaslTest.scram(
                exchange(near.server, "SCRAM-SHA-256-PLUS"),
                "jbob",
                "one",
                "p=tls-server-end-point,,",
                new byte[32]))
        .isEqualTo(failure);
  }

  @Test
  void aClientThatWasToldWeCannotBindIsWarned() throws Exception {
    var pair = connect("TLSv1.3");
    assertThat(exchange(pair.server, "SCRAM-SHA-256").step("y,,n=jbob,r=abc".getBytes(UTF_8)))
        .isEqualTo(new Sasl.Step.Failure(Sasl.Reason.CREDENTIALS));
    assertThat(
            SaslTest.scram(
                exchange(pair.server, "SCRAM-SHA-256"), "jbob", "one", "n,,", new byte[0]))
        .isInstanceOf(Sasl.Step.Success.class);
  }

  @Test
  void typesThatCannotBeHadFail() throws Exception {
    var old = connect("TLSv1.2");
    for (var type : List.of("tls-exporter", "tls-unique", "", "x")) {
      assertThat(
              exchange(old.server, "SCRAM-SHA-256-PLUS")
                  .step(("p=" + type + ",,n=jbob,r=abc").getBytes(UTF_8)))
          .as(type)
          .isInstanceOf(Sasl.Step.Failure.class);
    }
    assertThat(exchange(old.server, "SCRAM-SHA-256-PLUS").step("n,,n=jbob,r=abc".getBytes(UTF_8)))
        .isInstanceOf(Sasl.Step.Failure.class);
  }

  private static final class Anybody implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
