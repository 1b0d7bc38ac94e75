/// SMTP as a server: reception from other servers, submission by users, LMTP. Commands are parsed
/// apart from sockets; a session is straight-line code on a thread of its own. Uses wire for
/// octets, auth for SASL, delivery for everything behind the last dot. Start reading at
/// [longhand.smtp.SmtpServer], then [longhand.smtp.SmtpSession].
@NullMarked
package longhand.smtp;

import org.jspecify.annotations.NullMarked;
