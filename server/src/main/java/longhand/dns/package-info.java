/// DNS: the seam through which relaying asks for names, a stub resolver behind it, and the hosts
/// that take mail for a domain. What the world answers is a value, failures too. Uses `mail`; the
/// only package that knows dnsjava. Start reading at [longhand.dns.Dns], then
/// [longhand.dns.MailHosts].
@NullMarked
package longhand.dns;

import org.jspecify.annotations.NullMarked;
