package longhand.dns;

import java.time.Duration;

/// A step, and what the cache needs to know of it.
///
/// @param ttl how long it may be kept, zero for not at all
/// @param octets its size on the wire, about
record KeptStep<T>(Step<T> step, Duration ttl, long octets) {}
