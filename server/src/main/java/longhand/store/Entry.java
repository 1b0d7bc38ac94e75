package longhand.store;

import java.time.Instant;

/// One message in one mailbox of an account. What can change (marks, modseq, being expunged) is
/// read as it is now; the rest stays. A move makes a new entry. Safe for any thread.
public final class Entry {

  final int mailbox;
  final long id;
  final long uid;
  final int sizeOctets;
  final long savedSeconds;

  /// Octets of the text as stored, and their CRC-32C.
  final int length;

  final int crc;
  final boolean quoted;

  volatile Marks marks;
  volatile long modseq;
  volatile boolean expunged;

  /// Whether it is one of the account's [Unsettled]; theirs to change.
  boolean unsettled;

  // Where it lies. Written under the account's apply lock, read through `Account.open`.
  volatile long offset;
  short fromLength;
  short keywordsRoom;
  short mailboxRoom;

  Entry(
      int mailbox,
      long id,
      long uid,
      long modseq,
      int sizeOctets,
      long savedSeconds,
      int length,
      int crc,
      boolean quoted,
      Marks marks) {
    this.mailbox = mailbox;
    this.id = id;
    this.uid = uid;
    this.modseq = modseq;
    this.sizeOctets = sizeOctets;
    this.savedSeconds = savedSeconds;
    this.length = length;
    this.crc = crc;
    this.quoted = quoted;
    this.marks = marks;
  }

  /// The same message as another entry, at no place yet.
  Entry twin(int mailbox, long id, long uid, long modseq, Marks marks) {
    return new Entry(
        mailbox, id, uid, modseq, sizeOctets, savedSeconds, length, crc, quoted, marks);
  }

  /// The number of the mailbox it lies in.
  public int mailbox() {
    return mailbox;
  }

  /// What the account knows the message by: never reused, kept by moves (RFC 8474 EMAILID).
  public long id() {
    return id;
  }

  /// Its UID in the mailbox.
  public long uid() {
    return uid;
  }

  /// RFC822.SIZE: octets on the wire, lines ended by CRLF.
  public int sizeOctets() {
    return sizeOctets;
  }

  /// INTERNALDATE: when it was saved, to the second.
  public Instant saved() {
    return Instant.ofEpochSecond(savedSeconds);
  }

  /// Its flags and keywords now.
  public Marks marks() {
    return marks;
  }

  /// The number of its latest change.
  public long modseq() {
    return modseq;
  }

  /// Whether it is gone from its mailbox.
  public boolean expunged() {
    return expunged;
  }

  void place(long offset, int fromLength, int keywordsRoom, int mailboxRoom) {
    this.fromLength = (short) fromLength;
    this.keywordsRoom = (short) keywordsRoom;
    this.mailboxRoom = (short) mailboxRoom;
    this.offset = offset;
  }

  long ledgerOffset() {
    return offset + fromLength;
  }

  long textOffset() {
    return offset + fromLength + Ledger.octets(keywordsRoom, mailboxRoom);
  }

  /// Octets from the `From ` line to the end of the text; what ends the entry (one LF or two)
  /// follows.
  long headAndTextLength() {
    return textOffset() - offset + length;
  }
}
