package longhand.wire;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.jspecify.annotations.Nullable;

/// Turns a [TlsVerification] into what the JDK wants for a handshake as a client.
///
/// Each connection has an `SSLContext` of its own: a session that was begun under a laxer demand is
/// never resumed under a stricter one.
final class PeerTrust {

  private PeerTrust() {}

  /// A client's end of TLS over a connected socket, not shaken hands yet.
  static SSLSocket socket(Socket raw, String host, TlsVerification verification)
      throws IOException {
    var name = host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
    try {
      var context = SSLContext.getInstance("TLS");
      context.init(null, managers(verification), null);
      var socket =
          (SSLSocket) context.getSocketFactory().createSocket(raw, name, raw.getPort(), true);
      socket.setUseClientMode(true);
      var parameters = TlsContext.parameters(socket);
      if (isDomain(name)) {
        parameters.setServerNames(List.of(new SNIHostName(name)));
      }
      if (verification instanceof TlsVerification.Pkix) {
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
      }
      socket.setSSLParameters(parameters);
      return socket;
    } catch (GeneralSecurityException e) {
      throw new IOException("TLS cannot be set up: " + e.getMessage(), e);
    }
  }

  /// Why the certificate of a session that is under way would not have been taken under another
  /// demand; empty when it would.
  static Optional<CertificateException> judge(
      SSLSession session, String host, TlsVerification.Pkix demand) throws IOException {
    try {
      var chain =
          Arrays.stream(session.getPeerCertificates())
              .filter(X509Certificate.class::isInstance)
              .toArray(X509Certificate[]::new);
      for (var manager : managers(demand)) {
        if (manager instanceof X509TrustManager trust) {
          trust.checkServerTrusted(chain, "UNKNOWN");
        }
      }
      return isNamed(chain[0], host)
          ? Optional.empty()
          : Optional.of(
              new CertificateException("No subject alternative DNS name matching " + host));
    } catch (CertificateException e) {
      return Optional.of(e);
    } catch (GeneralSecurityException e) {
      throw new IOException("TLS cannot be set up: " + e.getMessage(), e);
    }
  }

  /// Whether the chain a server sent is one that the records name, at that time (RFC 7671 §5).
  ///
  /// Usage 3 looks at the server's certificate alone: neither its names nor its dates count (RFC
  /// 7672 §3.1.1). Usage 2 wants a valid path to the anchor, which is in the chain or in the record
  /// itself, and a name. Names are those of subjectAltName only.
  static boolean accepts(TlsVerification.Dane dane, List<X509Certificate> chain, Instant now) {
    if (chain.isEmpty()) {
      return false;
    }
    var leaf = chain.getFirst();
    for (var record : dane.records()) {
      if (record.usage() == TlsaRecord.END_ENTITY && record.matches(leaf)) {
        return true;
      }
    }
    if (dane.names().stream().noneMatch(name -> isNamed(leaf, name))) {
      return false;
    }
    for (var record : dane.records()) {
      if (record.usage() == TlsaRecord.TRUST_ANCHOR
          && record.usable()
          && isAnchored(record, chain, now)) {
        return true;
      }
    }
    return false;
  }

  private static boolean isAnchored(TlsaRecord record, List<X509Certificate> chain, Instant now) {
    for (int length = 1; length <= chain.size(); length++) {
      var path = chain.subList(0, length);
      var anchor =
          length < chain.size() && record.matches(chain.get(length))
              ? new TrustAnchor(chain.get(length), null)
              : record.matching() == 0 ? anchor(record, path.getLast()) : null;
      if (anchor != null && isValid(path, anchor, now)) {
        return true;
      }
    }
    return false;
  }

  /// The anchor that a record holds in full: a certificate, or the key of whoever issued `last`.
  private static @Nullable TrustAnchor anchor(TlsaRecord record, X509Certificate last) {
    try {
      return record.selector() == 0
          ? new TrustAnchor(
              (X509Certificate)
                  CertificateFactory.getInstance("X.509")
                      .generateCertificate(new ByteArrayInputStream(record.data())),
              null)
          : new TrustAnchor(
              last.getIssuerX500Principal(),
              new JcaPEMKeyConverter()
                  .getPublicKey(SubjectPublicKeyInfo.getInstance(record.data())),
              null);
    } catch (GeneralSecurityException | IOException | RuntimeException e) {
      return null; // no certificate and no key: the record names nothing
    }
  }

  private static boolean isValid(List<X509Certificate> path, TrustAnchor anchor, Instant now) {
    try {
      var parameters = new PKIXParameters(Set.of(anchor));
      parameters.setRevocationEnabled(false);
      parameters.setDate(Date.from(now));
      CertPathValidator.getInstance("PKIX")
          .validate(CertificateFactory.getInstance("X.509").generateCertPath(path), parameters);
      return true;
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  /// Whether a certificate is for a host; `*` stands for the whole first label (RFC 6125 §6.4.3).
  private static boolean isNamed(X509Certificate certificate, String host) {
    var wanted = host.toLowerCase(Locale.ROOT);
    int dot = wanted.indexOf('.');
    var wildcard = dot > 0 ? "*" + wanted.substring(dot) : wanted;
    try {
      var names = certificate.getSubjectAlternativeNames();
      return names != null
          && names.stream()
              .filter(name -> Integer.valueOf(2).equals(name.getFirst())) // dNSName
              .map(name -> String.valueOf(name.get(1)).toLowerCase(Locale.ROOT))
              .anyMatch(name -> name.equals(wanted) || name.equals(wildcard));
    } catch (CertificateException e) {
      return false;
    }
  }

  /// Whether a host has a name: literals are never sent to a server (RFC 6066 §3).
  private static boolean isDomain(String host) {
    var last = host.substring(host.lastIndexOf('.') + 1);
    return host.indexOf(':') < 0
        && host.indexOf('[') < 0
        && !last.isEmpty()
        && !Character.isDigit(last.charAt(0));
  }

  private static TrustManager[] managers(TlsVerification verification)
      throws GeneralSecurityException, IOException {
    return switch (verification) {
      case TlsVerification.None _ -> new TrustManager[] {new Judge(null)};
      case TlsVerification.Dane dane -> new TrustManager[] {new Judge(dane)};
      case TlsVerification.Pkix(var authorities) -> {
        var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(authorities.isEmpty() ? null : store(authorities));
        yield factory.getTrustManagers();
      }
    };
  }

  private static KeyStore store(Set<X509Certificate> authorities)
      throws GeneralSecurityException, IOException {
    var store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    for (var authority : authorities) {
      store.setCertificateEntry("authority " + store.size(), authority);
    }
    return store;
  }

  /// Takes any certificate, or what the TLSA records name.
  private static final class Judge extends X509ExtendedTrustManager {

    private final TlsVerification.@Nullable Dane dane;

    Judge(TlsVerification.@Nullable Dane dane) {
      this.dane = dane;
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String kind)
        throws CertificateException {
      if (dane != null && !accepts(dane, List.of(chain), Instant.now())) {
        throw new CertificateException("the certificate is none that the TLSA records name");
      }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String kind, Socket socket)
        throws CertificateException {
      checkServerTrusted(chain, kind);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String kind, SSLEngine engine)
        throws CertificateException {
      checkServerTrusted(chain, kind);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String kind)
        throws CertificateException {
      throw new CertificateException("we are the client here");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String kind, Socket socket)
        throws CertificateException {
      checkClientTrusted(chain, kind);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String kind, SSLEngine engine)
        throws CertificateException {
      checkClientTrusted(chain, kind);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
