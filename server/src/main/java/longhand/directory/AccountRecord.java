package longhand.directory;

import longhand.auth.ScramVerifier;
import longhand.mail.Address;

/// One account as the directory knows it.
///
/// @param address canonical
/// @param password the Argon2id hash in its PHC string form
/// @param name display name, may be empty
/// @param quotaOctets most octets of messages, 0 for no limit
/// @param active whether it may log in and receive
public record AccountRecord(
    Address address,
    String password,
    ScramVerifier scram,
    String name,
    long quotaOctets,
    boolean active) {}
