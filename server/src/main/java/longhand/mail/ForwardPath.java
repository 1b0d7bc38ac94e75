package longhand.mail;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/// The argument of RCPT: one address the message is for, and what its sender wants to hear of it
/// (RFC 3461 §4).
///
/// @param address as the client wrote it; a source route before it is dropped (RFC 5321 §3.3)
/// @param reports when a DSN is wanted; empty when the client did not say, `NEVER` stands alone
/// @param originalRecipient the value of ORCPT, still in xtext
public record ForwardPath(
    Address address, Set<Notify> reports, Optional<String> originalRecipient) {

  /// When a DSN is wanted (RFC 3461 §4.1).
  public enum Notify {
    NEVER,
    SUCCESS,
    FAILURE,
    DELAY
  }

  public ForwardPath {
    reports = reports.isEmpty() ? Set.of() : Set.copyOf(EnumSet.copyOf(reports));
    if (reports.contains(Notify.NEVER) && reports.size() > 1) {
      throw new IllegalArgumentException("NEVER together with others");
    }
  }

  /// The path to an address, nothing said about DSNs.
  public static ForwardPath of(Address address) {
    return new ForwardPath(address, Set.of(), Optional.empty());
  }
}
