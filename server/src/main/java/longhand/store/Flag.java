package longhand.store;

/// System flags of a message (RFC 3501 §2.3.2). `\Recent` is a view's own and not among them.
public enum Flag {
  SEEN("\\Seen", 1),
  ANSWERED("\\Answered", 2),
  FLAGGED("\\Flagged", 4),
  DELETED("\\Deleted", 8),
  DRAFT("\\Draft", 16);

  private final String imapName;

  /// Its place in a set of flags.
  final int bit;

  Flag(String imapName, int bit) {
    this.imapName = imapName;
    this.bit = bit;
  }

  /// The name in IMAP, backslash included.
  public String imapName() {
    return imapName;
  }
}
