package longhand.transfer;

import java.time.Instant;
import longhand.store.Marks;

/// What is known of a message beside its octets.
///
/// @param mailbox its name
/// @param saved INTERNALDATE
/// @param sizeOctets on the wire
/// @param from the From field, decoded, for people
/// @param subject the Subject field, decoded, for people
public record MessageFacts(
    String mailbox,
    long uid,
    Instant saved,
    Marks marks,
    long sizeOctets,
    String from,
    String subject) {}
