package longhand.delivery;

import longhand.directory.AccountRecord;
import longhand.mail.Address;
import longhand.mail.ForwardPath;

/// One end of an address: an account here, or an address of another server.
public sealed interface Leaf {

  /// What becomes of the sender's wishes about reports, NOTIFY and ORCPT (RFC 3461 §5.2.7). A
  /// leaf's path already says it; this is why.
  enum Reports {
    /// Both go along: there is one way from the address to here (RFC 3461 §5.2.7.2), or this is the
    /// copy that the account itself keeps (§5.2.7.3 b).
    ASKED,

    /// Here by way of a group: both go along but for SUCCESS, which the group itself answers (RFC
    /// 3461 §5.2.7.3 c). When SUCCESS was all that was asked for, NEVER.
    NOT_OF_SUCCESS,

    /// None go along, and NEVER is said: the way here is confidential, or the one that was written
    /// to keeps a copy and nothing that happens here is the sender's business (RFC 3461 §5.2.7.3 b,
    /// §5.2.7.4).
    NONE
  }

  /// What stands in MAIL when the message goes on.
  enum Returning {
    /// The reverse-path it came with.
    KEPT,

    /// One of ours that leads back to it, so that SPF passes.
    REWRITTEN,

    /// `<>`: a report would name a member of a confidential alias to the sender.
    NULL
  }

  /// Whom the message is for, NOTIFY and ORCPT as they are to be from here on.
  ForwardPath path();

  /// Why they are so.
  Reports reports();

  /// How the message came here.
  Trail trail();

  /// An account here.
  ///
  /// @param path with the address of RCPT, however many aliases are between
  /// @param reached the address by which the account was reached, which may have a sub-address
  record Local(
      AccountRecord account, ForwardPath path, Address reached, Reports reports, Trail trail)
      implements Leaf {}

  /// An address of another server, or of a domain that we are a backup for.
  ///
  /// @param path with that address
  record Remote(ForwardPath path, Returning returning, Reports reports, Trail trail)
      implements Leaf {}
}
