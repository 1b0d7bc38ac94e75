/// What the DNS of a domain has to say so that its mail arrives and is believed: the records, as
/// lines of a zone file, and how they compare with what DNS says now. Uses `dns`, `dkim`, `mtasts`,
/// `tlsrpt` and `wire`. Start reading at [longhand.zone.MailDomain], then
/// [longhand.zone.Publication] and [longhand.zone.ZoneCheck].
@NullMarked
package longhand.zone;

import org.jspecify.annotations.NullMarked;
