package longhand.store;

/// What a mailbox is for (RFC 6154 §2).
public enum Role {
  NONE(""),
  INBOX(""),
  ALL("\\All"),
  ARCHIVE("\\Archive"),
  DRAFTS("\\Drafts"),
  FLAGGED("\\Flagged"),
  JUNK("\\Junk"),
  SENT("\\Sent"),
  TRASH("\\Trash");

  private final String imapName;

  Role(String imapName) {
    this.imapName = imapName;
  }

  /// The special-use attribute, backslash included; empty where there is none.
  public String imapName() {
    return imapName;
  }
}
