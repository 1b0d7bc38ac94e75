/// What this server tells the servers it sends to: each day's reports about TLS (RFC 8460), by mail
/// or by POST. Uses `tlsrpt`, `delivery`, `queue`, `http` and what is below them. Start reading at
/// [longhand.reporting.TlsReports].
@NullMarked
package longhand.reporting;

import org.jspecify.annotations.NullMarked;
