/// Reports about TLS between mail servers (RFC 8460): what became of our sessions is counted, each
/// domain that wants it gets a report of its day, and reports of others are read. Sending is for
/// others. Uses `mail`, `dns` and `disk`; with `server` the only one that knows Jackson. Start
/// reading at [longhand.tlsrpt.TlsCounts] and [longhand.tlsrpt.TlsReport].
@NullMarked
package longhand.tlsrpt;

import org.jspecify.annotations.NullMarked;
