package longhand.relay;

/// What TLS the sender of a message wants (RFC 8689).
public enum TlsNeed {
  /// What the recipient's domain publishes, and where it publishes nothing what can be had.
  AS_PUBLISHED,
  /// REQUIRETLS: only servers that are named securely and that prove who they are.
  REQUIRED,
  /// `TLS-Required: No` in the header: the message is to arrive, whatever the domain publishes.
  DISREGARDED
}
