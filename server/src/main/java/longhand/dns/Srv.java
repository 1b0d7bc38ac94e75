package longhand.dns;

/// An SRV record: where a service of a domain is (RFC 2782).
///
/// @param priority 0 to 65535, less is better
/// @param weight 0 to 65535
/// @param port 0 to 65535
/// @param target the root where the domain has no such service
public record Srv(int priority, int weight, int port, DnsName target) {}
