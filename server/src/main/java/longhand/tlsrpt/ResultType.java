package longhand.tlsrpt;

import java.util.Locale;

/// Why a session had not the TLS that it was to have (RFC 8460 §4.3).
public enum ResultType {
  /// The server does not offer or not take up STARTTLS.
  STARTTLS_NOT_SUPPORTED,
  /// The certificate is for another name.
  CERTIFICATE_HOST_MISMATCH,
  /// The certificate is out of date.
  CERTIFICATE_EXPIRED,
  /// Nobody whom we trust vouches for the certificate.
  CERTIFICATE_NOT_TRUSTED,
  /// Anything else, as a handshake that fails.
  VALIDATION_FAILURE,
  /// The certificate is none that the TLSA records name.
  TLSA_INVALID,
  /// The records cannot be had, or DNSSEC does not vouch for them where it is to.
  DNSSEC_INVALID,
  /// DANE is demanded, and the server has no TLSA records.
  DANE_REQUIRED,
  /// The policy of MTA-STS is not to be had.
  STS_POLICY_FETCH_ERROR,
  /// It is no policy.
  STS_POLICY_INVALID,
  /// The certificate of the server that has it is not good.
  STS_WEBPKI_INVALID;

  /// Its word in a report.
  public String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
