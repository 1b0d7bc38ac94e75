/// IMAP (RFC 3501 and the extensions that CAPABILITY names): mail programs read and keep mail where
/// it is. Uses the store, authentication and message structure; knows no other protocol. Start
/// reading at [longhand.imap.ImapSession]; `ImapParser` turns octets into the values of `Command`.
@NullMarked
package longhand.imap;

import org.jspecify.annotations.NullMarked;
