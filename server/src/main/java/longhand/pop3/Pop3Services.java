package longhand.pop3;

import java.util.Optional;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import longhand.auth.Authenticator;
import longhand.store.Store;
import longhand.wire.Limits;

/// What POP3 sessions of one listener share.
///
/// @param tls for STLS or implicit TLS, when there is TLS
/// @param implicitTls whether a session begins with the handshake
/// @param plaintextLogin whether passwords may cross in clear
/// @param locks the same for all POP3 listeners of the server
public record Pop3Services(
    Store store,
    Authenticator authenticator,
    Optional<Supplier<SSLContext>> tls,
    boolean implicitTls,
    boolean plaintextLogin,
    Limits limits,
    MaildropLocks locks) {

  public Pop3Services {
    if (implicitTls && tls.isEmpty()) {
      throw new IllegalArgumentException("implicit TLS without a certificate");
    }
  }
}
