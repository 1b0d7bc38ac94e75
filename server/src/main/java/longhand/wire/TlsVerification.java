package longhand.wire;

import java.io.IOException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLSession;

/// What a client wants to know of the server at the other end of TLS.
public sealed interface TlsVerification {

  /// Nothing: any certificate will do. Keeps out those who only listen (RFC 7435).
  record None() implements TlsVerification {}

  /// That a certificate authority vouches for the server's name (RFC 5280, RFC 6125).
  ///
  /// @param authorities who may vouch; none stands for those that the JDK trusts
  record Pkix(Set<X509Certificate> authorities) implements TlsVerification {

    public Pkix {
      authorities = Set.copyOf(authorities);
    }

    /// Whether it would have been met by a session that began without it: why not, or empty. For a
    /// policy on trial.
    ///
    /// @param host what the server's certificate is to say
    /// @throws IOException when nobody can tell: the server showed no certificate
    public Optional<CertificateException> unmetBy(SSLSession session, String host)
        throws IOException {
      return PeerTrust.judge(session, host, this);
    }
  }

  /// That the certificate is the one DNSSEC says (RFC 7672 §3). At least one record must be usable:
  /// what to do without is the caller's to decide.
  ///
  /// @param records the TLSA records of the server; those that are not usable count for nothing
  /// @param names what a certificate under a trust anchor (usage 2) may be called
  record Dane(List<TlsaRecord> records, Set<String> names) implements TlsVerification {

    public Dane {
      records = List.copyOf(records);
      names = Set.copyOf(names);
      if (records.stream().noneMatch(TlsaRecord::usable)) {
        throw new IllegalArgumentException("no usable TLSA record");
      }
    }
  }
}
