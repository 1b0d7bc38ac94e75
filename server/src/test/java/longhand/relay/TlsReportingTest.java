package longhand.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import longhand.disk.SimDisk;
import longhand.dns.DnsName;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;
import longhand.mtasts.MxPattern;
import longhand.mtasts.StsFailure;
import longhand.mtasts.StsPolicy;
import longhand.tlsrpt.AppliedPolicy;
import longhand.tlsrpt.PolicyResult;
import longhand.tlsrpt.TlsCounts;
import longhand.wire.Connector;
import longhand.wire.TlsContext;
import longhand.wire.TlsVerification;
import longhand.wire.TlsaRecord;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What sessions with scripted servers count as.
@Timeout(60)
class TlsReportingTest {

  private static final Domain DOMAIN = new Domain("example.net");
  private static final Instant NOW = Instant.parse("2026-11-24T12:00:00Z");
  private static final LocalDate DAY = LocalDate.of(2026, 11, 24);
  private static final String HELLO =
      "S: 220 mx\nC: EHLO me.example\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n";
  private static final String SECURE =
      HELLO + "TLS\nC: EHLO me.example\nS: 250 mx\nC: QUIT\nS: 221 bye\n";

  @TempDir private static Path folder;
  private static TlsContext tls;
  private static TlsContext stranger;
  private static TlsContext expired;
  private static X509Certificate root;
  private static Connector connector;

  private TlsCounts counts;
  private TlsReporting reporting;

  @BeforeAll
  static void begin() throws Exception {
    tls = TlsContext.selfSigned("mx.example.net");
    stranger = TlsContext.selfSigned("mx.example.net");
    connector = new Connector(Duration.ofSeconds(8));
    var generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    var rootKey = generator.generateKeyPair();
    var key = generator.generateKeyPair();
    root = certificate("CN=root", rootKey, rootKey, 10);
    var leaf = certificate("CN=leaf", key, rootKey, -1);
    write("certificate.pem", leaf);
    write("key.pem", new JcaPKCS8Generator(key.getPrivate(), null));
    expired = TlsContext.ofFiles(folder.resolve("certificate.pem"), folder.resolve("key.pem"));
  }

  @AfterAll
  static void end() {
    connector.close();
  }

  @BeforeEach
  void open() throws IOException {
    counts =
        new TlsCounts(
            new SimDisk(),
            TlsCounts.Settings.of(Path.of("/data/tls")),
            Clock.fixed(NOW, ZoneOffset.UTC));
    reporting = new TlsReporting(counts, Set.of(tls.certificate()));
  }

  private static void write(String name, Object object) throws IOException {
    try (var writer = new JcaPEMWriter(Files.newBufferedWriter(folder.resolve(name)))) {
      writer.writeObject(object);
    }
  }

  private static X509Certificate certificate(
      String subject, KeyPair key, KeyPair issuer, int daysLeft) throws Exception {
    var now = Instant.now();
    var builder =
        new JcaX509v3CertificateBuilder(
            new X500Name("CN=root"),
            BigInteger.valueOf(subject.length()),
            Date.from(now.minus(Duration.ofDays(10))),
            Date.from(now.plus(Duration.ofDays(daysLeft))),
            new X500Name(subject),
            key.getPublic());
    builder.addExtension(
        Extension.basicConstraints, true, new BasicConstraints(subject.equals("CN=root")));
    builder.addExtension(
        Extension.subjectAlternativeName,
        false,
        new GeneralNames(new GeneralName(GeneralName.dNSName, "mx.example.net")));
    return new JcaX509CertificateConverter()
        .getCertificate(
            builder.build(
                new JcaContentSignerBuilder("SHA256withECDSA").build(issuer.getPrivate())));
  }

  private static StsPolicy policy(StsPolicy.Mode mode, String mx) {
    return new StsPolicy(mode, List.of(new MxPattern(false, new DnsName(mx))), Duration.ofDays(1));
  }

  private static TlsPolicy pkix(X509Certificate authority) {
    return new TlsPolicy.Required(new TlsVerification.Pkix(Set.of(authority)));
  }

  /// One session, and what is counted then.
  private PolicyResult counted(
      String script, TlsContext server, String host, TlsPolicy policy, Published published)
      throws Exception {
    var results = new ArrayList<TlsResult>();
    try (var peer = new ScriptedServer(script, server)) {
      var target =
          new Target(
              peer.address(),
              host,
              Target.Protocol.SMTP,
              policy,
              Optional.empty(),
              Optional.of(InetAddress.ofLiteral("127.0.0.1")));
      var hop = new NextHops.Hop(target, host, published);
      var opening =
          SmtpClient.open(connector, target, "me.example", SmtpClientTest.PATIENT, results::add);
      if (opening instanceof Opening.Ready(var client)) {
        client.quit();
      }
      assertThat(results).hasSize(1);
      reporting.tried(DOMAIN, hop, results.getFirst());
    }
    return only();
  }

  private PolicyResult only() throws IOException {
    var of = counts.of(DAY).getOrDefault("example.net", List.of());
    assertThat(of).hasSize(1);
    return of.getFirst();
  }

  private static String word(PolicyResult result) {
    assertThat(result.failures()).isEqualTo(1);
    assertThat(result.successes()).isZero();
    var detail = result.details().getFirst().detail();
    assertThat(detail.receivingIp()).isEqualTo("127.0.0.1");
    assertThat(detail.sendingIp()).isEqualTo("127.0.0.1");
    assertThat(detail.reason()).matches("[ -~]*");
    return detail.resultType();
  }

  @Test
  void aSessionUnderNoPolicy() throws Exception {
    var result =
        counted(
            SECURE, tls, "mx.example.net", new TlsPolicy.Opportunistic(), new Published.Nothing());
    assertThat(result.successes()).isEqualTo(1);
    assertThat(result.policy().type()).isEqualTo(AppliedPolicy.NONE);
  }

  @Test
  void noStartTls() throws Exception {
    assertThat(
            word(
                counted(
                    "S: 220 mx\nC: EHLO me.example\nS: 250 mx\nC: QUIT\nS: 221 bye\n",
                    tls,
                    "mx.example.net",
                    new TlsPolicy.Opportunistic(),
                    new Published.Nothing())))
        .isEqualTo("starttls-not-supported");
  }

  @Test
  void aNoToStartTls() throws Exception {
    assertThat(
            word(
                counted(
                    HELLO.replace("220 go", "454 not now") + "C: QUIT\nS: 221 bye\n",
                    tls,
                    "mx.example.net",
                    pkix(tls.certificate()),
                    new Published.Sts(policy(StsPolicy.Mode.ENFORCE, "mx.example.net")))))
        .isEqualTo("starttls-not-supported");
  }

  @Test
  void aHandshakeThatEnds() throws Exception {
    assertThat(
            word(
                counted(
                    HELLO,
                    tls,
                    "mx.example.net",
                    new TlsPolicy.Opportunistic(),
                    new Published.Nothing())))
        .isEqualTo("validation-failure");
  }

  @Test
  void anEnforcedPolicy() throws Exception {
    var published = new Published.Sts(policy(StsPolicy.Mode.ENFORCE, "mx.example.net"));
    var result = counted(SECURE, tls, "mx.example.net", pkix(tls.certificate()), published);
    assertThat(result.successes()).isEqualTo(1);
    assertThat(result.policy())
        .isEqualTo(
            new AppliedPolicy(
                AppliedPolicy.STS,
                List.of("version: STSv1", "mode: enforce", "mx: mx.example.net", "max_age: 86400"),
                "example.net",
                List.of("mx.example.net")));
  }

  @Test
  void aCertificateNobodyVouchesFor() throws Exception {
    var published = new Published.Sts(policy(StsPolicy.Mode.ENFORCE, "mx.example.net"));
    assertThat(word(counted(HELLO + "TLS\n", stranger, "mx.example.net", pkix(root), published)))
        .isEqualTo("certificate-not-trusted");
  }

  @Test
  void aCertificateOfAnotherName() throws Exception {
    var published = new Published.Sts(policy(StsPolicy.Mode.ENFORCE, "other.example"));
    assertThat(
            word(
                counted(HELLO + "TLS\n", tls, "other.example", pkix(tls.certificate()), published)))
        .isEqualTo("certificate-host-mismatch");
  }

  @Test
  void aCertificateOutOfDate() throws Exception {
    var published = new Published.Sts(policy(StsPolicy.Mode.ENFORCE, "mx.example.net"));
    assertThat(word(counted(HELLO + "TLS\n", expired, "mx.example.net", pkix(root), published)))
        .isEqualTo("certificate-expired");
  }

  @Test
  void aCertificateTheTlsaRecordsDoNotName() throws Exception {
    var records = List.of(new TlsaRecord(3, 1, 1, new byte[32]));
    var result =
        counted(
            HELLO + "TLS\n",
            tls,
            "mx.example.net",
            new TlsPolicy.Required(new TlsVerification.Dane(records, Set.of("mx.example.net"))),
            new Published.Dane(records));
    assertThat(word(result)).isEqualTo("tlsa-invalid");
    assertThat(result.policy().strings()).containsExactly("3 1 1 " + "0".repeat(64));
    assertThat(result.policy().mxHosts()).containsExactly("mx.example.net");
  }

  @Test
  void aPolicyOnTrialIsJudgedThoughNotEnforced() throws Exception {
    var published = new Published.Sts(policy(StsPolicy.Mode.TESTING, "mx.example.net"));
    assertThat(
            counted(SECURE, tls, "mx.example.net", new TlsPolicy.Opportunistic(), published)
                .successes())
        .isEqualTo(1);
    open();
    assertThat(
            word(
                counted(
                    SECURE, stranger, "mx.example.net", new TlsPolicy.Opportunistic(), published)))
        .isEqualTo("certificate-not-trusted");
    open();
    var other = new Published.Sts(policy(StsPolicy.Mode.TESTING, "other.example"));
    assertThat(word(counted(SECURE, tls, "other.example", new TlsPolicy.Opportunistic(), other)))
        .isEqualTo("certificate-host-mismatch");
    open();
    assertThat(word(counted(SECURE, tls, "mx.example.net", new TlsPolicy.Opportunistic(), other)))
        .isEqualTo("validation-failure");
  }

  @Test
  void whatASearchMet() throws IOException {
    var passedOver =
        List.of(
            new NextHops.PassedOver(
                "a.example", NextHops.PassedOver.Reason.TLSA_UNKNOWN, "No answer."),
            new NextHops.PassedOver(
                "b.example", NextHops.PassedOver.Reason.NOT_IN_POLICY, "Not named."),
            new NextHops.PassedOver(
                "c.example", NextHops.PassedOver.Reason.NOT_NAMED_SECURELY, "Not sure."));
    for (var kind : StsFailure.Kind.values()) {
      reporting.searched(
          DOMAIN,
          new NextHops.Defer(
              new EnhancedStatus(4, 7, 5),
              "Later.",
              Optional.of(new StsFailure(kind, "seen")),
              passedOver));
    }
    reporting.searched(DOMAIN, new NextHops.Bounce(new EnhancedStatus(5, 1, 2), "None."));
    var words = new ArrayList<String>();
    for (var result : counts.of(DAY).getOrDefault("example.net", List.of())) {
      for (var each : result.details()) {
        words.add(
            result.policy().type() + " " + each.detail().resultType() + " " + each.sessions());
      }
    }
    assertThat(words)
        .containsExactlyInAnyOrder(
            "sts sts-policy-fetch-error 1",
            "sts sts-webpki-invalid 1",
            "sts sts-policy-invalid 1",
            "tlsa dnssec-invalid 3",
            "sts validation-failure 3");
  }

  @Test
  void addressLiteralsAreNotCounted() throws IOException {
    var target =
        Target.of(
            new java.net.InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 25), "[127.0.0.1]");
    reporting.tried(
        new Domain("[127.0.0.1]"),
        new NextHops.Hop(target, "[127.0.0.1]", new Published.Nothing()),
        new TlsResult.NotOffered());
    assertThat(counts.of(DAY)).isEmpty();
  }
}
