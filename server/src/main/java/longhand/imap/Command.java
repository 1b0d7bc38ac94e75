package longhand.imap;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import longhand.store.Account;
import longhand.store.Marks;

/// One IMAP command, parsed and checked (RFC 3501 §6). Mailbox names are decoded, and INBOX is
/// `INBOX` however it was written.
///
/// What does not parse is a command too: `Malformed` carries what is owed to the peer.
sealed interface Command {

  record Capability() implements Command {}

  record Noop() implements Command {}

  record Logout() implements Command {}

  record StartTls() implements Command {}

  record Login(String name, String password) implements Command {}

  /// AUTHENTICATE.
  ///
  /// @param initial the initial response (RFC 4959), still in base64
  record Authenticate(String mechanism, Optional<byte[]> initial) implements Command {}

  record Id() implements Command {}

  record Namespace() implements Command {}

  record Enable() implements Command {}

  record Select(String mailbox, boolean readWrite) implements Command {}

  record Create(String mailbox) implements Command {}

  record Delete(String mailbox) implements Command {}

  record Rename(String from, String to) implements Command {}

  record Subscribe(String mailbox, boolean subscribed) implements Command {}

  /// LIST, with the options of RFC 5258, RFC 6154 and RFC 5819.
  ///
  /// @param patterns reference and pattern joined, decoded
  /// @param root whether the one pattern was empty: the hierarchy delimiter is asked for
  /// @param status empty unless STATUS is to be returned
  record ListMailboxes(
      Set<ListOption> options, List<String> patterns, boolean root, Set<StatusItem> status)
      implements Command {}

  record Lsub(String pattern, boolean root) implements Command {}

  record Status(String mailbox, Set<StatusItem> items) implements Command {}

  /// APPEND up to the mailbox name; flags, date and literals follow in the parser.
  record Append(String mailbox) implements Command {}

  record Check() implements Command {}

  record Close() implements Command {}

  record Unselect() implements Command {}

  record Expunge() implements Command {}

  record UidExpunge(SequenceSet uids) implements Command {}

  /// SEARCH, its program in postfix order.
  ///
  /// @param charset whether we know the charset
  record Search(boolean uid, boolean charset, List<SearchKey> program) implements Command {}

  record Fetch(boolean uid, SequenceSet set, List<FetchItem> items) implements Command {}

  record Mark(boolean uid, SequenceSet set, Account.Change change, boolean silent, Marks marks)
      implements Command {}

  record Copy(boolean uid, SequenceSet set, String mailbox) implements Command {}

  record Move(boolean uid, SequenceSet set, String mailbox) implements Command {}

  record Idle() implements Command {}

  /// No command of ours.
  ///
  /// @param text what was wrong
  /// @param close whether the peer's further octets can no longer be told apart
  record Malformed(String text, boolean close) implements Command {}

  /// What STATUS tells (RFC 3501 §6.3.10, RFC 8438, RFC 7889).
  enum StatusItem {
    MESSAGES,
    RECENT,
    UIDNEXT,
    UIDVALIDITY,
    UNSEEN,
    SIZE,
    APPENDLIMIT
  }

  /// Selection and return options of LIST.
  enum ListOption {
    SELECT_SUBSCRIBED,
    SELECT_REMOTE,
    SELECT_RECURSIVEMATCH,
    SELECT_SPECIAL_USE,
    RETURN_SUBSCRIBED,
    RETURN_CHILDREN,
    RETURN_SPECIAL_USE,
    RETURN_STATUS
  }
}
