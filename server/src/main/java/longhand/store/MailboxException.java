package longhand.store;

/// A mailbox cannot be made, renamed, removed or opened as asked. Nothing has changed.
public final class MailboxException extends Exception {

  /// Why, in the terms of RFC 5530.
  public enum Reason {
    NONEXISTENT,
    ALREADYEXISTS,
    CANNOT,
    LIMIT
  }

  private final Reason reason;

  /// With a text for the peer.
  public MailboxException(Reason reason, String text) {
    super(text);
    this.reason = reason;
  }

  /// Why.
  public Reason reason() {
    return reason;
  }
}
