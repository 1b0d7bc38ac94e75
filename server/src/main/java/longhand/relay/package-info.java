/// The client side of SMTP and LMTP: takes a message to another server and says what became of each
/// recipient. Where that server is, what TLS it must have and what happens after an outcome is for
/// others to say. Uses `mail`, `wire` and `auth`. Start reading at [longhand.relay.SmtpClient].
@NullMarked
package longhand.relay;

import org.jspecify.annotations.NullMarked;
