package longhand.dns;

/// A CAA record: who may issue certificates for a domain (RFC 8659 §4).
///
/// @param flags 0 to 255
/// @param tag `issue`, `issuewild`, `iodef` or another, in lower case
/// @param value one char for each octet
public record Caa(int flags, String tag, String value) {}
