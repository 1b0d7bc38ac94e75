package longhand.smtp;

import java.time.Clock;
import java.util.Optional;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import longhand.auth.Authenticator;
import longhand.delivery.Delivery;
import longhand.directory.Directory;
import longhand.dkim.DkimKeys;
import longhand.journey.Journeys;
import longhand.mail.Domain;
import longhand.sending.SendingRecords;
import longhand.wire.Limits;

/// What SMTP sessions of one listener share.
///
/// @param mode what kind of clients come
/// @param hostname our name in greetings and Received fields
/// @param postmasterDomain what `RCPT TO:<Postmaster>` means (RFC 5321 §4.5.1): one of ours
/// @param tls for STARTTLS or implicit TLS, when there is TLS
/// @param implicitTls whether a session begins with the handshake
/// @param plaintextLogin whether passwords may cross in clear
/// @param sending how much each of our users has sent, and to whom
/// @param signatures the keys of our domains, for what our users send to other servers
/// @param journeys where what happens to messages is noted
public record SmtpServices(
    Mode mode,
    String hostname,
    Domain postmasterDomain,
    Delivery delivery,
    Directory directory,
    Authenticator authenticator,
    Optional<Supplier<SSLContext>> tls,
    boolean implicitTls,
    boolean plaintextLogin,
    Limits limits,
    Clock clock,
    SendingRecords sending,
    DkimKeys signatures,
    Journeys journeys) {

  /// What kind of clients come to a listener.
  public enum Mode {
    /// Other servers, with mail for our users; nobody logs in.
    RECEPTION,
    /// Our users (RFC 6409), who must log in.
    SUBMISSION,
    /// Another mail server of this site (RFC 2033).
    LMTP
  }

  public SmtpServices {
    if (implicitTls && tls.isEmpty()) {
      throw new IllegalArgumentException("implicit TLS without a certificate");
    }
  }
}
