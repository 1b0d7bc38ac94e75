package longhand.delivery;

import longhand.mail.EnhancedStatus;

/// What became of one recipient. `detail` is for our log and is never sent to the peer.
public sealed interface Outcome {

  /// On disk and synced: the sender may forget the message.
  record Stored(long uid) implements Outcome {}

  /// On disk and synced, for another server: the sender may forget the message.
  record Queued() implements Outcome {}

  /// May work later: 4yz to the peer.
  record Deferred(EnhancedStatus status, String detail) implements Outcome {}

  /// Will not work: 5yz to the peer.
  record Refused(EnhancedStatus status, String detail) implements Outcome {}
}
