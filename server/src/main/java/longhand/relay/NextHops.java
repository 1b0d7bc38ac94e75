package longhand.relay;

import java.util.List;
import java.util.Optional;
import longhand.mail.EnhancedStatus;
import longhand.mtasts.StsFailure;

/// Where mail for a domain goes next, and under what TLS; or why nowhere.
public sealed interface NextHops {

  /// Servers to try one after the other until one of them has answered for the message.
  ///
  /// @param hops at least one; each address of each host
  /// @param stsFailure why a policy that the domain announces is not known (RFC 8460 reports it)
  /// @param passedOver hosts that are not among them, and why
  record Found(List<Hop> hops, Optional<StsFailure> stsFailure, List<PassedOver> passedOver)
      implements NextHops {

    public Found {
      hops = List.copyOf(hops);
      passedOver = List.copyOf(passedOver);
      if (hops.isEmpty()) {
        throw new IllegalArgumentException("found without a hop");
      }
    }
  }

  /// The message cannot go there, now or later.
  ///
  /// @param status of kind 5
  /// @param sentence why, for the sender; printable ASCII
  record Bounce(EnhancedStatus status, String sentence) implements NextHops {}

  /// The message may go there later.
  ///
  /// @param status of kind 4
  /// @param sentence why, for the sender; printable ASCII
  record Defer(
      EnhancedStatus status,
      String sentence,
      Optional<StsFailure> stsFailure,
      List<PassedOver> passedOver)
      implements NextHops {

    public Defer {
      passedOver = List.copyOf(passedOver);
    }
  }

  /// One address of one host.
  ///
  /// @param target where it is and what TLS it must have
  /// @param host its name in the MX record, an address literal's text without
  /// @param published what its domain says of it
  record Hop(Target target, String host, Published published) {}

  /// A host that is not tried.
  record PassedOver(String host, Reason reason, String sentence) {

    /// Why not.
    public enum Reason {
      /// Its TLSA records cannot be looked up, so nobody knows what it must have (RFC 7672 §2.1.2).
      TLSA_UNKNOWN,
      /// An enforced policy does not name it (RFC 8461 §5).
      NOT_IN_POLICY,
      /// The message wants a server that is named securely, and it is not (RFC 8689 §4.2.1).
      NOT_NAMED_SECURELY
    }
  }
}
