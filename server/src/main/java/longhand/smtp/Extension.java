package longhand.smtp;

/// An extension of SMTP that adds a parameter to MAIL and asks something of the server that takes
/// the message. Where EHLO does not announce one, its parameter is as unknown as any other.
enum Extension {
  /// HOLDFOR and HOLDUNTIL (RFC 4865), for submission only.
  FUTURERELEASE,
  /// BY (RFC 2852).
  DELIVERBY,
  /// MT-PRIORITY (RFC 6710).
  MT_PRIORITY,
  /// REQUIRETLS (RFC 8689), announced under TLS only.
  REQUIRETLS,
  /// BODY=BINARYMIME (RFC 3030 §3).
  BINARYMIME
}
