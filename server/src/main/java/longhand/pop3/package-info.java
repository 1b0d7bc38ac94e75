/// POP3 as a server (RFC 1939 and its extensions): the messages of INBOX, numbered as they were at
/// log-in, downloaded and, at QUIT, removed. Uses wire for octets, auth for SASL, the store for
/// messages. Start reading at [longhand.pop3.Pop3Server], then [longhand.pop3.Pop3Session].
@NullMarked
package longhand.pop3;

import org.jspecify.annotations.NullMarked;
