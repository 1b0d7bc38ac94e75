package longhand.dkim;

import longhand.mail.Domain;

/// What a signature says of itself; true only if it passes.
///
/// @param domain who signs, `d=`
/// @param selector which of its keys, `s=`, lower case
/// @param identity on whose behalf, `i=`: an address or `@` and a domain, as the peer wrote it and
///   decoded: it may hold any octet, one a char
/// @param algorithm the name of `a=`, one that RFC 6376 or RFC 8463 knows, lower case
/// @param signatureStart the first eight letters of `b=`, which tell signatures apart (RFC 6008)
public record DkimClaim(
    Domain domain, String selector, String identity, String algorithm, String signatureStart) {}
