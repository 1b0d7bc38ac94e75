package longhand.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.interfaces.ECPrivateKey;
import java.time.Instant;
import java.util.Date;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaMiscPEMGenerator;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.util.io.pem.PemObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TlsContextTest {

  @TempDir Path folder;

  private static String pem(Object object) throws IOException {
    var text = new StringWriter();
    try (var writer = new JcaPEMWriter(text)) {
      writer.writeObject(object);
    }
    return text.toString();
  }

  private static KeyPair pair(String algorithm) throws Exception {
    var generator = KeyPairGenerator.getInstance(algorithm);
    generator.initialize(algorithm.equals("RSA") ? 2048 : 256);
    return generator.generateKeyPair();
  }

  /// As `openssl ec` writes it (RFC 5915), without the public half.
  private static PemObject older(ECPrivateKey key) throws IOException {
    return new PemObject(
        "EC PRIVATE KEY",
        new org.bouncycastle.asn1.sec.ECPrivateKey(256, key.getS(), SECObjectIdentifiers.secp256r1)
            .getEncoded());
  }

  @SuppressWarnings("JavaUtilDate")
  private static String certificate(KeyPair pair, String algorithm) throws Exception {
    var name = new X500Name("CN=mx.example.org");
    var now = Instant.now();
    return pem(
        new JcaX509v3CertificateBuilder(
                name,
                java.math.BigInteger.valueOf(now.toEpochMilli()),
                Date.from(now),
                Date.from(now.plusSeconds(86_400)),
                name,
                pair.getPublic())
            .build(
                new JcaContentSignerBuilder(
                        algorithm.equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA")
                    .build(pair.getPrivate())));
  }

  @ParameterizedTest
  @CsvSource({"RSA,true", "RSA,false", "EC,true", "EC,false"})
  void keysInTheirForms(String algorithm, boolean pkcs8) throws Exception {
    var pair = pair(algorithm);
    var certificate = folder.resolve("chain.pem");
    var key = folder.resolve("key.pem");
    Files.writeString(certificate, "some text before\n" + certificate(pair, algorithm));
    Files.writeString(
        key,
        pem(
            pkcs8
                ? new JcaPKCS8Generator(pair.getPrivate(), null)
                : algorithm.equals("RSA")
                    ? new JcaMiscPEMGenerator(pair.getPrivate())
                    : older((ECPrivateKey) pair.getPrivate())));
    var context = TlsContext.ofFiles(certificate, key);
    assertThat(context.certificate().getPublicKey()).isEqualTo(pair.getPublic());
    assertThat(context.get()).isNotNull();
  }

  @Test
  void filesThatDoNotFitAreNamed() throws Exception {
    var certificate = folder.resolve("chain.pem");
    var key = folder.resolve("key.pem");
    assertThatThrownBy(() -> TlsContext.ofFiles(certificate, key)).isInstanceOf(IOException.class);
    Files.writeString(certificate, certificate(pair("EC"), "EC"));
    Files.writeString(key, "nothing here\n");
    assertThatThrownBy(() -> TlsContext.ofFiles(certificate, key))
        .hasMessageContaining("key.pem")
        .hasMessageContaining("no key");
    assertThatThrownBy(() -> TlsContext.ofFiles(key, key)).hasMessageContaining("no certificate");
    Files.writeString(key, pem(new JcaPKCS8Generator(pair("EC").getPrivate(), null)));
    assertThatThrownBy(() -> TlsContext.ofFiles(certificate, key))
        .hasMessageContaining("do not fit together");
    Files.writeString(key, "-----BEGIN PRIVATE KEY-----\n!!!\n-----END PRIVATE KEY-----\n");
    assertThatThrownBy(() -> TlsContext.ofFiles(certificate, key)).hasMessageContaining("key.pem");
  }

  @Test
  void changedFilesAreReadAgainAndBadOnesAreNot() throws Exception {
    var certificate = folder.resolve("chain.pem");
    var key = folder.resolve("key.pem");
    var first = pair("EC");
    Files.writeString(certificate, certificate(first, "EC"));
    Files.writeString(key, pem(new JcaPKCS8Generator(first.getPrivate(), null)));
    var context = TlsContext.ofFiles(certificate, key);
    var before = context.get();
    var second = pair("EC");
    Files.writeString(certificate, certificate(second, "EC"));
    Files.setLastModifiedTime(certificate, FileTime.from(Instant.now().plusSeconds(5)));
    Thread.sleep(1100);
    assertThat(context.get()).isSameAs(before);
    Files.writeString(key, pem(new JcaPKCS8Generator(second.getPrivate(), null)));
    Thread.sleep(1100);
    assertThat(context.get()).isNotSameAs(before);
    assertThat(context.certificate().getPublicKey()).isEqualTo(second.getPublic());
  }

  @Test
  void ourOwnIsKept() throws Exception {
    var one = TlsContext.selfSigned("mx.example.org", folder);
    var two = TlsContext.selfSigned("mx.example.org", folder);
    assertThat(two.certificate()).isEqualTo(one.certificate());
    assertThat(TlsContext.selfSigned("other.example.org", folder).certificate())
        .isNotEqualTo(one.certificate());
    assertThat(Files.getPosixFilePermissions(folder.resolve("self-signed.key")))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
  }
}
