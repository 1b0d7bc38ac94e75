/// MTA-STS (RFC 8461): what TLS a domain says its mail servers have. Policies are found, fetched
/// over HTTPS, and kept in the data folder for as long as they say; our own are written. Uses
/// `mail`, `dns`, `wire`, `http` and `disk`. Start reading at [longhand.mtasts.StsPolicies].
@NullMarked
package longhand.mtasts;

import org.jspecify.annotations.NullMarked;
