package longhand.auth;

import java.util.List;
import java.util.Optional;
import longhand.mail.Address;

/// SASL as a server speaks it (RFC 4422): PLAIN, LOGIN, SCRAM-SHA-256 and SCRAM-SHA-256-PLUS. The
/// session carries the octets (base64 in SMTP, POP3, IMAP) and asks `step` until it is done.
public final class Sasl {

  private Sasl() {}

  /// The mechanisms to announce, strongest first; none in clear unless `plaintextLogin`.
  public static List<String> mechanisms(Context context) {
    throw new UnsupportedOperationException();
  }

  /// An exchange of that mechanism; empty when it is unknown or not allowed in this context.
  public static Optional<Exchange> start(String mechanism, Context context) {
    throw new UnsupportedOperationException();
  }

  /// What an exchange is about: who verifies, and what the connection is like.
  ///
  /// @param encrypted whether TLS protects the connection
  /// @param plaintextLogin whether passwords may cross in clear
  /// @param tls the session for channel bindings, when encrypted
  /// @param peer the peer's address, for rates and delays of failures
  public record Context(
      Authenticator authenticator,
      boolean encrypted,
      boolean plaintextLogin,
      Optional<javax.net.ssl.SSLSession> tls,
      java.net.InetAddress peer) {}

  /// One authentication in progress, for one thread.
  public interface Exchange {

    /// Takes the client's initial response (empty array when it sent none: a mechanism where the
    /// client goes first then answers with an empty challenge, see `start` of each protocol) or
    /// next response.
    Step step(byte[] response);

    /// Whether the client speaks first, so that without an initial response an empty challenge is
    /// due.
    boolean clientFirst();
  }

  /// What follows a client's response.
  public sealed interface Step {
    /// Send this challenge and read the next response.
    record Challenge(byte[] data) implements Step {}

    /// Authenticated. `data` is additional data of the server, to be sent as a last challenge that
    /// the client answers with an empty response (SMTP, IMAP, POP3 have no field for it in their
    /// success).
    record Success(Address account, Optional<byte[]> data) implements Step {}

    /// Not authenticated: wrong password, unknown account, disabled account look the same.
    record Failure(Reason reason) implements Step {}
  }

  /// Why an exchange failed, as far as a peer may know.
  public enum Reason {
    /// Wrong credentials, or nothing to say.
    CREDENTIALS,
    /// The response is not of the mechanism's form.
    MALFORMED,
    /// Too many failures from this peer; later may do.
    THROTTLED,
    /// The verifier could not be read; later may do.
    TEMPORARY
  }
}
