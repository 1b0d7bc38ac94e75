package longhand.auth;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import longhand.mail.Address;

/// SASL as a server speaks it (RFC 4422): PLAIN, LOGIN, SCRAM-SHA-256 and SCRAM-SHA-256-PLUS. The
/// session carries the octets (base64 in SMTP, POP3, IMAP) and asks `step` until it is done:
/// - with an initial response, `step(initial)`;
/// - without one, when `clientFirst`, an empty challenge, and `step` of what the client answers;
/// - without one, when not `clientFirst`, `step` of an empty array, which gives the first
///   challenge.
public final class Sasl {

  /// Longest response, decoded, in octets.
  public static final int RESPONSE_OCTETS_MAX = 9216;

  private Sasl() {}

  /// The mechanisms to announce, strongest first; none in clear unless `plaintextLogin`.
  public static List<String> mechanisms(Context context) {
    if (!context.encrypted() && !context.plaintextLogin()) {
      return List.of();
    }
    return context.bindable()
        ? List.of(Scram.PLUS, Scram.NAME, "PLAIN", "LOGIN")
        : List.of(Scram.NAME, "PLAIN", "LOGIN");
  }

  /// An exchange of that mechanism, named in any letter case; empty when it is unknown or not
  /// allowed in this context.
  public static Optional<Exchange> start(String mechanism, Context context) {
    for (var name : mechanisms(context)) {
      if (name.equalsIgnoreCase(mechanism)) {
        return Optional.of(
            switch (name) {
              case "PLAIN" -> new Plain(context);
              case "LOGIN" -> new Login(context);
              default -> new Scram(context, name.equals(Scram.PLUS));
            });
      }
    }
    return Optional.empty();
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
      java.net.InetAddress peer) {

    /// Whether SCRAM can be bound to the TLS channel.
    boolean bindable() {
      return encrypted && tls.isPresent();
    }
  }

  /// One authentication in progress, for one thread.
  public interface Exchange {

    /// Takes the client's initial or next response; see [Sasl] for how an exchange begins.
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

  static Step step(Authenticator.Verdict verdict) {
    return switch (verdict) {
      case Authenticator.Verdict.Granted(var account) ->
          new Step.Success(account, Optional.empty());
      case Authenticator.Verdict.Denied(var reason) -> new Step.Failure(reason);
    };
  }

  static Step malformed() {
    return new Step.Failure(Reason.MALFORMED);
  }

  /// Strict UTF-8; null when it is not, or too long.
  static @org.jspecify.annotations.Nullable String text(byte[] octets) {
    if (octets.length > RESPONSE_OCTETS_MAX) {
      return null;
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(octets)).toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  /// Whether nobody else is to be acted for: no account may act for another.
  static boolean isSelf(Authenticator authenticator, String authzid, String name) {
    if (authzid.isEmpty() || authzid.equals(name)) {
      return true;
    }
    var account = authenticator.account(authzid);
    return account.isPresent() && account.equals(authenticator.account(name));
  }
}
