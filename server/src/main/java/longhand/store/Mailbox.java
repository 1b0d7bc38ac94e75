package longhand.store;

/// A mailbox as it is at one moment.
///
/// @param number what the document knows it by, stable under renames; 1 is INBOX
/// @param name levels joined by `/`, Unicode; INBOX is `INBOX`
/// @param role what it is for
/// @param uidValidity RFC 3501 §2.3.1.1, 1 to 2^32-1
/// @param uidNext the least UID the next message can get
/// @param subscribed whether LSUB shows it
/// @param messages how many there are
/// @param unseen how many lack `\Seen`
/// @param deleted how many bear `\Deleted`
/// @param recent how many no read-write session has been told of
/// @param octets the sum of their sizes on the wire
/// @param highestModseq of its messages and expunges
public record Mailbox(
    int number,
    String name,
    Role role,
    long uidValidity,
    long uidNext,
    boolean subscribed,
    int messages,
    int unseen,
    int deleted,
    int recent,
    long octets,
    long highestModseq) {

  /// The number of INBOX in every account.
  public static final int INBOX = 1;
}
