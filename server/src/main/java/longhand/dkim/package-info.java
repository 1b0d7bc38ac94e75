/// DKIM: signatures of domains over messages, made and checked (RFC 6376, RFC 8301, RFC 8463), and
/// the keys on disk. A message passes once, as octets in the form of the wire, and is never held:
/// only its header is, within a bound. Knows no DNS: who asks gives a function that looks up a
/// key's text. Uses `mail`, `message` and `disk`. Start reading at [longhand.dkim.DkimSigner] and
/// [longhand.dkim.DkimVerifier]; what both share is `MessagePass`, `BodyHash` and
/// `Canonicalization`. A running server begins at [longhand.dkim.DkimKeys].
@NullMarked
package longhand.dkim;

import org.jspecify.annotations.NullMarked;
