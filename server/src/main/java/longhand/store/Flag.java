package longhand.store;

/// System flags of a message (RFC 3501 §2.3.2). `\Recent` is a view's own and not among them.
public enum Flag {
  SEEN("\\Seen"),
  ANSWERED("\\Answered"),
  FLAGGED("\\Flagged"),
  DELETED("\\Deleted"),
  DRAFT("\\Draft");

  private final String imapName;

  Flag(String imapName) {
    this.imapName = imapName;
  }

  /// The name in IMAP, backslash included.
  public String imapName() {
    return imapName;
  }
}
