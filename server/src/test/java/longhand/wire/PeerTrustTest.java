package longhand.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Set;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Which chains TLSA records name (RFC 6698, RFC 7671, RFC 7672).
class PeerTrustTest {

  private static final Instant NOW = Instant.parse("2026-11-24T00:00:00Z");
  private static final String HOST = "mx.example.net";

  private static X509Certificate root;
  private static X509Certificate between;
  private static X509Certificate leaf;
  private static X509Certificate stranger;

  @BeforeAll
  static void make() throws Exception {
    var generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    var rootKey = generator.generateKeyPair();
    var betweenKey = generator.generateKeyPair();
    var leafKey = generator.generateKeyPair();
    root = certificate("CN=root", rootKey, "CN=root", rootKey, "");
    between = certificate("CN=between", betweenKey, "CN=root", rootKey, "");
    leaf = certificate("CN=leaf", leafKey, "CN=between", betweenKey, HOST);
    // The same issuer's name, another key.
    var strangerKey = generator.generateKeyPair();
    stranger = certificate("CN=between", strangerKey, "CN=between", strangerKey, "");
  }

  private static X509Certificate certificate(
      String subject, KeyPair key, String issuer, KeyPair issuerKey, String host) throws Exception {
    var builder =
        new JcaX509v3CertificateBuilder(
            new X500Name(issuer),
            BigInteger.valueOf(subject.hashCode() & 0xffff),
            Date.from(NOW.minus(Duration.ofDays(10))),
            Date.from(NOW.plus(Duration.ofDays(10))),
            new X500Name(subject),
            key.getPublic());
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(host.isEmpty()));
    if (!host.isEmpty()) {
      builder.addExtension(
          Extension.subjectAlternativeName,
          false,
          new GeneralNames(
              new GeneralName[] {
                new GeneralName(GeneralName.dNSName, host),
                new GeneralName(GeneralName.dNSName, "*.wild.example")
              }));
    }
    return new JcaX509CertificateConverter()
        .getCertificate(
            builder.build(
                new JcaContentSignerBuilder("SHA256withECDSA").build(issuerKey.getPrivate())));
  }

  private static TlsaRecord record(int usage, int selector, int matching, X509Certificate of)
      throws Exception {
    byte[] octets = selector == 0 ? of.getEncoded() : of.getPublicKey().getEncoded();
    return new TlsaRecord(
        usage,
        selector,
        matching,
        switch (matching) {
          case 1 -> MessageDigest.getInstance("SHA-256").digest(octets);
          case 2 -> MessageDigest.getInstance("SHA-512").digest(octets);
          default -> octets;
        });
  }

  private static boolean accepts(
      TlsaRecord record, String name, Instant when, X509Certificate... chain) {
    return PeerTrust.accepts(
        new TlsVerification.Dane(List.of(record), Set.of(name)), List.of(chain), when);
  }

  @Test
  void theServersOwnCertificateNeedsNoNameAndNoDate() throws Exception {
    var late = NOW.plus(Duration.ofDays(100));
    for (int selector = 0; selector <= 1; selector++) {
      for (int matching = 0; matching <= 2; matching++) {
        var record = record(3, selector, matching, leaf);
        assertThat(accepts(record, "other.example", late, leaf)).isTrue();
        assertThat(accepts(record, HOST, NOW, stranger, leaf)).as("not the first").isFalse();
        assertThat(accepts(record(3, selector, matching, between), HOST, NOW, leaf, between))
            .isFalse();
      }
    }
  }

  @Test
  void aTrustAnchorNeedsAPathANameAndADate() throws Exception {
    for (int selector = 0; selector <= 1; selector++) {
      for (int matching = 0; matching <= 2; matching++) {
        for (var anchor : List.of(root, between)) {
          var record = record(2, selector, matching, anchor);
          assertThat(accepts(record, HOST, NOW, leaf, between, root)).as("" + record).isTrue();
          assertThat(accepts(record, "a.wild.example", NOW, leaf, between, root)).isTrue();
          for (var other : List.of("other.example", "wild.example", "a.b.wild.example", "")) {
            assertThat(accepts(record, other, NOW, leaf, between, root)).as(other).isFalse();
          }
          assertThat(accepts(record, HOST, NOW.plus(Duration.ofDays(11)), leaf, between, root))
              .as("too late")
              .isFalse();
          // An anchor that the record holds in full needs nothing of the chain.
          assertThat(accepts(record, HOST, NOW, leaf, stranger, anchor))
              .as("no path")
              .isEqualTo(matching == 0 && anchor.equals(between));
        }
        assertThat(accepts(record(2, selector, matching, stranger), HOST, NOW, leaf, stranger))
            .as("the anchor has not signed it")
            .isFalse();
        assertThat(accepts(record(2, selector, matching, leaf), HOST, NOW, leaf, between, root))
            .as("a server's certificate is no anchor")
            .isFalse();
      }
    }
  }

  @Test
  void anAnchorMayBeInTheRecordAlone() throws Exception {
    for (int selector = 0; selector <= 1; selector++) {
      assertThat(accepts(record(2, selector, 0, root), HOST, NOW, leaf, between)).isTrue();
      assertThat(accepts(record(2, selector, 1, root), HOST, NOW, leaf, between)).isFalse();
      var garbage = new TlsaRecord(2, selector, 0, new byte[] {1, 2, 3});
      assertThat(accepts(garbage, HOST, NOW, leaf, between)).isFalse();
    }
  }

  @Test
  void whatMailServersCannotUseMatchesNothing() throws Exception {
    for (int usage : new int[] {0, 1, 4, 255}) {
      var record = record(usage, 0, 0, leaf);
      assertThat(record.usable()).isFalse();
      assertThat(record.matches(leaf)).isFalse();
      assertThatThrownBy(() -> new TlsVerification.Dane(List.of(record), Set.of()))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(new TlsaRecord(3, 2, 0, leaf.getEncoded()).usable()).isFalse();
    assertThat(new TlsaRecord(3, 0, 3, leaf.getEncoded()).usable()).isFalse();
    assertThat(new TlsaRecord(3, 0, 1, new byte[31]).usable()).isFalse();
    assertThat(new TlsaRecord(3, 0, 2, new byte[32]).usable()).isFalse();
    assertThat(new TlsaRecord(3, 0, 0, new byte[0]).usable()).isFalse();
    assertThatThrownBy(() -> new TlsaRecord(256, 0, 0, new byte[1]))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
