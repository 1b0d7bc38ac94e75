package longhand.relay;

import longhand.wire.TlsVerification;

/// What TLS a session is to have.
public sealed interface TlsPolicy {

  /// None.
  record Never() implements TlsPolicy {}

  /// Any certificate where STARTTLS is announced, none where not (RFC 7435). A handshake that fails
  /// breaks the session: the caller may come again with `Never`.
  record Opportunistic() implements TlsPolicy {}

  /// STARTTLS and a server verified so; no message without.
  record Required(TlsVerification verification) implements TlsPolicy {}

  /// TLS from the first octet (RFC 8314 §3.3), verified so.
  record Implicit(TlsVerification verification) implements TlsPolicy {}

  /// Whether a session under it knows who the server is.
  default boolean verifies() {
    return switch (this) {
      case Never _, Opportunistic _ -> false;
      case Required(var verification) -> !(verification instanceof TlsVerification.None);
      case Implicit(var verification) -> !(verification instanceof TlsVerification.None);
    };
  }
}
