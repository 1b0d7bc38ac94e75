package longhand.store;

import java.io.IOException;
import java.io.InputStream;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import longhand.mail.Address;

/// One account: a document, its mailboxes and messages. Safe for any thread. When a method that
/// changes something returns, the change is durable and every session can see it; when it throws
/// `IOException` nothing has changed.
public final class Account {

  Account() {}

  /// Whose it is, canonical.
  public Address address() {
    throw new UnsupportedOperationException();
  }

  /// The document's random token: with a message's id it names the message forever (POP3 UIDL,
  /// EMAILID).
  public String token() throws IOException {
    throw new UnsupportedOperationException();
  }

  /// The mailboxes there are, by name, INBOX first.
  public List<Mailbox> mailboxes() throws IOException {
    throw new UnsupportedOperationException();
  }

  /// The mailbox of a name (exact, but INBOX in any letter case).
  public Optional<Mailbox> mailbox(String name) throws IOException {
    throw new UnsupportedOperationException();
  }

  /// Names that are subscribed to, whether or not such a mailbox exists (RFC 3501 §6.3.6).
  public List<String> subscriptions() throws IOException {
    throw new UnsupportedOperationException();
  }

  /// Makes a mailbox. `MailboxException` when the name is taken, too long, too deep, or there are
  /// too many.
  public Mailbox create(String name, Role role) throws IOException, MailboxException {
    throw new UnsupportedOperationException();
  }

  /// Gives mailboxes other names, all or none.
  public void rename(Map<Integer, String> names) throws IOException, MailboxException {
    throw new UnsupportedOperationException();
  }

  /// Removes a mailbox and its messages. INBOX stays: `MailboxException`.
  public void delete(int mailbox) throws IOException, MailboxException {
    throw new UnsupportedOperationException();
  }

  /// Subscribes to a name, or no longer.
  public void subscribe(String name, boolean subscribed) throws IOException, MailboxException {
    throw new UnsupportedOperationException();
  }

  /// Opens a mailbox for a session. With `readWrite` the session takes the recent messages.
  public View view(int mailbox, boolean readWrite) throws IOException, MailboxException {
    throw new UnsupportedOperationException();
  }

  /// How marks are changed.
  public enum Change {
    REPLACE,
    ADD,
    REMOVE
  }

  /// Changes marks. Entries expunged meanwhile are passed over. Gives those whose marks are
  /// different now, with their new modseq.
  public List<Entry> mark(Collection<Entry> entries, Change change, Marks marks)
      throws IOException {
    throw new UnsupportedOperationException();
  }

  /// Expunges entries, whatever their marks; those already gone are passed over. Gives those it
  /// removed.
  public List<Entry> expunge(Collection<Entry> entries) throws IOException {
    throw new UnsupportedOperationException();
  }

  /// Copies entries to a mailbox, all or none, marks and dates kept; a pair of UIDs each. Entries
  /// gone meanwhile are passed over.
  public List<Copied> copy(Collection<Entry> entries, int mailbox)
      throws IOException, MailboxException {
    throw new UnsupportedOperationException();
  }

  /// Moves entries to a mailbox, ids, marks and dates kept (RFC 6851).
  public List<Copied> move(Collection<Entry> entries, int mailbox)
      throws IOException, MailboxException {
    throw new UnsupportedOperationException();
  }

  /// Where a message came from and where it is now.
  public record Copied(Entry source, Entry target) {}

  /// The message, octet for octet as it was accepted, lines ended by CRLF. Works for an expunged
  /// entry until compaction has removed it; then, or when the document is damaged there,
  /// `IOException`.
  public InputStream open(Entry entry) throws IOException {
    throw new UnsupportedOperationException();
  }

  /// How much the account holds.
  ///
  /// @param octets on the wire, all mailboxes
  public record Usage(long octets, long messages) {}

  /// How much there is, for quotas. Costs little even when nobody has the account open.
  public Usage usage() throws IOException {
    throw new UnsupportedOperationException();
  }
}
