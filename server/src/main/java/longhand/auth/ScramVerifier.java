package longhand.auth;

/// What a server keeps to verify SCRAM-SHA-256 (RFC 5802 §3): not the password, nor enough to log
/// in with. The arrays are not copied and not to be changed.
public record ScramVerifier(byte[] salt, int iterations, byte[] storedKey, byte[] serverKey) {}
