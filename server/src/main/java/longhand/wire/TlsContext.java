package longhand.wire;

import java.io.IOException;
import java.io.StringReader;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/// The server's certificate and key as an [SSLContext], read from PEM files and read again when
/// they change, or made by ourselves. Safe for any thread.
///
/// Keys may be RSA or EC, in PKCS#8 or in the older forms (`RSA PRIVATE KEY`, `EC PRIVATE KEY`); a
/// key under a passphrase is refused. When changed files do not fit together, as in the middle of a
/// renewal, the old certificate stays in use and the log says why.
public final class TlsContext implements Supplier<SSLContext> {

  private static final System.Logger LOG = System.getLogger(TlsContext.class.getName());
  private static final char[] NO_PASSWORD = new char[0];
  private static final Set<String> SUITES =
      Set.of(
          "TLS_AES_128_GCM_SHA256",
          "TLS_AES_256_GCM_SHA384",
          "TLS_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

  static {
    // A peer cannot make us repeat the costly handshake (TLS 1.2). Read once by the JDK, when its
    // first handshake begins.
    System.setProperty("jdk.tls.rejectClientInitiatedRenegotiation", "true");
  }

  private record Stamp(FileTime certificate, long certificateSize, FileTime key, long keySize) {}

  private record Loaded(SSLContext context, X509Certificate certificate) {}

  private final Path certificateFile;
  private final Path keyFile;
  private final boolean reloading;
  private volatile Loaded loaded;
  private volatile long lookedNanos;
  private Stamp stamp;

  private TlsContext(
      Path certificateFile, Path keyFile, boolean reloading, Loaded loaded, Stamp stamp) {
    this.certificateFile = certificateFile;
    this.keyFile = keyFile;
    this.reloading = reloading;
    this.loaded = loaded;
    this.stamp = stamp;
    this.lookedNanos = System.nanoTime();
  }

  /// From a file with the certificate chain, ours first, and one with the key (they may be the same
  /// file). `IOException` names the file and what is wrong with it.
  public static TlsContext ofFiles(Path certificate, Path key) throws IOException {
    var stamp = stamp(certificate, key);
    return new TlsContext(certificate, key, true, load(certificate, key), stamp);
  }

  /// A certificate of our own making, in memory only: each start has another.
  public static TlsContext selfSigned(String hostname) throws IOException {
    try {
      var made = make(hostname);
      var nowhere = Path.of("");
      var never = new Stamp(FileTime.fromMillis(0), 0, FileTime.fromMillis(0), 0);
      return new TlsContext(
          nowhere,
          nowhere,
          false,
          new Loaded(context(List.of(made.certificate), made.key), made.certificate),
          never);
    } catch (GeneralSecurityException e) {
      throw new IOException("cannot make a certificate", e);
    }
  }

  /// A certificate of our own making that is kept in a folder (`self-signed.pem`,
  /// `self-signed.key`, readable by its owner only) and used again while it is valid for another
  /// month.
  public static TlsContext selfSigned(String hostname, Path folder) throws IOException {
    var certificate = folder.resolve("self-signed.pem");
    var key = folder.resolve("self-signed.key");
    if (Files.exists(certificate) && Files.exists(key)) {
      var kept = ofFiles(certificate, key);
      var month = Instant.now().plus(Duration.ofDays(30));
      if (kept.certificate().getNotAfter().toInstant().isAfter(month) && names(kept, hostname)) {
        return kept;
      }
    }
    try {
      Files.createDirectories(folder);
      var made = make(hostname);
      // PKCS#8 names the curve, as the older form may not.
      write(key, new JcaPKCS8Generator(made.key, null));
      write(certificate, made.certificate);
    } catch (GeneralSecurityException e) {
      throw new IOException("cannot make a certificate", e);
    }
    return ofFiles(certificate, key);
  }

  /// The context for the next handshake. Looks at most once a second whether the files changed.
  @Override
  public SSLContext get() {
    if (reloading && System.nanoTime() - lookedNanos > 1_000_000_000L) {
      reload();
    }
    return loaded.context;
  }

  /// The certificate in use.
  public X509Certificate certificate() {
    get();
    return loaded.certificate;
  }

  /// TLS 1.2 and 1.3 and their suites with forward secrecy and AEAD, ours first.
  static SSLParameters parameters(SSLSocket socket) {
    var parameters = socket.getSSLParameters();
    parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
    parameters.setCipherSuites(
        Arrays.stream(socket.getSupportedCipherSuites())
            .filter(SUITES::contains)
            .toArray(String[]::new));
    parameters.setUseCipherSuitesOrder(true);
    return parameters;
  }

  private synchronized void reload() {
    if (System.nanoTime() - lookedNanos <= 1_000_000_000L) {
      return;
    }
    lookedNanos = System.nanoTime();
    try {
      var now = stamp(certificateFile, keyFile);
      if (!now.equals(stamp)) {
        loaded = load(certificateFile, keyFile);
        stamp = now;
        LOG.log(System.Logger.Level.INFO, () -> "certificate read again from " + certificateFile);
      }
    } catch (IOException e) {
      LOG.log(
          System.Logger.Level.WARNING, () -> "the old certificate stays in use: " + e.getMessage());
    }
  }

  private static Stamp stamp(Path certificate, Path key) throws IOException {
    return new Stamp(
        Files.getLastModifiedTime(certificate),
        Files.size(certificate),
        Files.getLastModifiedTime(key),
        Files.size(key));
  }

  private static Loaded load(Path certificateFile, Path keyFile) throws IOException {
    var certificates = certificates(certificateFile);
    try {
      return new Loaded(context(certificates, key(keyFile)), certificates.getFirst());
    } catch (GeneralSecurityException e) {
      throw new IOException(
          certificateFile + " and " + keyFile + " do not fit together: " + e.getMessage(), e);
    }
  }

  private static List<X509Certificate> certificates(Path file) throws IOException {
    var certificates = new ArrayList<X509Certificate>();
    var converter = new JcaX509CertificateConverter();
    for (var object : pem(file)) {
      if (object instanceof X509CertificateHolder holder) {
        try {
          certificates.add(converter.getCertificate(holder));
        } catch (GeneralSecurityException e) {
          throw new IOException(file + ": a certificate that cannot be read", e);
        }
      }
    }
    if (certificates.isEmpty()) {
      throw new IOException(file + ": no certificate found, expected BEGIN CERTIFICATE");
    }
    return certificates;
  }

  private static PrivateKey key(Path file) throws IOException {
    var converter = new JcaPEMKeyConverter();
    for (var object : pem(file)) {
      if (object instanceof PrivateKeyInfo info) {
        return converter.getPrivateKey(info);
      }
      if (object instanceof PEMKeyPair pair) {
        // An EC key in the older form may come without its public half.
        return converter.getPrivateKey(pair.getPrivateKeyInfo());
      }
    }
    throw new IOException(file + ": no key without passphrase found, expected BEGIN PRIVATE KEY");
  }

  private static List<Object> pem(Path file) throws IOException {
    var objects = new ArrayList<Object>();
    try (var parser =
        new PEMParser(new StringReader(Files.readString(file, StandardCharsets.ISO_8859_1)))) {
      for (var object = parser.readObject(); object != null; object = parser.readObject()) {
        objects.add(object);
      }
    } catch (IOException | RuntimeException e) {
      throw new IOException(file + ": not readable as PEM: " + e.getMessage(), e);
    }
    return objects;
  }

  private static SSLContext context(List<X509Certificate> chain, PrivateKey key)
      throws GeneralSecurityException {
    var store = KeyStore.getInstance("PKCS12");
    try {
      store.load(null, NO_PASSWORD);
    } catch (IOException e) {
      throw new GeneralSecurityException(e);
    }
    if (!matches(chain.getFirst(), key)) {
      throw new GeneralSecurityException("the key is not the certificate's");
    }
    store.setKeyEntry("server", key, NO_PASSWORD, chain.toArray(X509Certificate[]::new));
    var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(store, NO_PASSWORD);
    var context = SSLContext.getInstance("TLS");
    // No trust managers: we ask no client for a certificate, and the JDK's own would read its list
    // of
    // authorities at the start.
    context.init(keys.getKeyManagers(), new TrustManager[0], null);
    return context;
  }

  private static boolean matches(X509Certificate certificate, PrivateKey key)
      throws GeneralSecurityException {
    var algorithm = key.getAlgorithm().startsWith("EC") ? "SHA256withECDSA" : "SHA256withRSA";
    var probe = new byte[] {1, 2, 3};
    try {
      var signature = java.security.Signature.getInstance(algorithm);
      signature.initSign(key);
      signature.update(probe);
      var signed = signature.sign();
      signature.initVerify(certificate.getPublicKey());
      signature.update(probe);
      return signature.verify(signed);
    } catch (java.security.InvalidKeyException e) {
      return false;
    }
  }

  private record Made(X509Certificate certificate, PrivateKey key) {}

  private static Made make(String hostname) throws GeneralSecurityException, IOException {
    var generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    var pair = generator.generateKeyPair();
    var now = Instant.now();
    var name = new X500NameBuilder(BCStyle.INSTANCE).addRDN(BCStyle.CN, hostname).build();
    var builder =
        new JcaX509v3CertificateBuilder(
            name,
            new BigInteger(120, new SecureRandom()).setBit(120),
            Date.from(now.minus(Duration.ofHours(1))),
            Date.from(now.plus(Duration.ofDays(397))),
            name,
            pair.getPublic());
    var names =
        new GeneralNames(
            new GeneralName[] {
              new GeneralName(GeneralName.dNSName, hostname),
              new GeneralName(GeneralName.dNSName, "localhost"),
              new GeneralName(GeneralName.iPAddress, "127.0.0.1"),
              new GeneralName(GeneralName.iPAddress, "::1")
            });
    builder.addExtension(Extension.subjectAlternativeName, false, names);
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
    try {
      var signer = new JcaContentSignerBuilder("SHA256withECDSA").build(pair.getPrivate());
      var certificate = new JcaX509CertificateConverter().getCertificate(builder.build(signer));
      return new Made(certificate, pair.getPrivate());
    } catch (OperatorCreationException e) {
      throw new GeneralSecurityException(e);
    }
  }

  private static boolean names(TlsContext kept, String hostname) throws IOException {
    try {
      var names = kept.certificate().getSubjectAlternativeNames();
      return names != null && names.stream().anyMatch(name -> hostname.equals(name.get(1)));
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  private static void write(Path file, Object object) throws IOException {
    Files.deleteIfExists(file);
    Files.createFile(file);
    if (file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      Files.setPosixFilePermissions(
          file,
          Set.of(
              java.nio.file.attribute.PosixFilePermission.OWNER_READ,
              java.nio.file.attribute.PosixFilePermission.OWNER_WRITE));
    }
    try (var writer = new JcaPEMWriter(Files.newBufferedWriter(file))) {
      writer.writeObject(object);
    }
  }
}
