package longhand.delivery;

import longhand.mail.EnhancedStatus;

/// Something in the way of an address. `words` are for the log and for people who look after the
/// server; senders get the status alone, for members are none of their business.
///
/// @param trail how mail came here
public record Problem(Kind kind, Trail trail, String words) {

  /// What it is, and what a sender hears if nothing is left of the address (RFC 3463).
  public enum Kind {
    /// The address leads back to where it came from.
    LOOP,

    /// Nothing has that address.
    UNKNOWN,

    /// The account takes no mail at present.
    INACTIVE,

    /// A group without members.
    EMPTY,

    /// More targets than [Expansion#TARGETS_MAX].
    TOO_MANY,

    /// More steps than [Expansion#DEPTH_MAX].
    TOO_DEEP;

    /// The status of an address of which nothing else is left.
    public EnhancedStatus status() {
      return switch (this) {
        case LOOP, TOO_DEEP -> new EnhancedStatus(5, 4, 6);
        case UNKNOWN -> new EnhancedStatus(5, 1, 1);
        case INACTIVE -> new EnhancedStatus(5, 2, 1);
        case EMPTY, TOO_MANY -> new EnhancedStatus(5, 2, 4);
      };
    }
  }
}
