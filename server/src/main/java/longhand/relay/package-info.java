/// The client side of SMTP and LMTP: takes a message to another server and says what became of each
/// recipient; and finds which servers those are and what TLS they must have. What happens after an
/// outcome is for others to say. Uses `mail`, `wire`, `auth`, `dns`, `mtasts` and `tlsrpt`. Start
/// at [longhand.relay.SmtpClient] and [longhand.relay.Routing].
@NullMarked
package longhand.relay;

import org.jspecify.annotations.NullMarked;
