package longhand.pop3;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import longhand.mail.Address;

/// Which accounts have a POP3 session now: one each (RFC 1939 §4). All POP3 listeners of a server
/// share it; IMAP and delivery go on meanwhile, since a session has its own view of the messages.
public final class MaildropLocks {

  private final Set<Address> taken = ConcurrentHashMap.newKeySet();

  /// Nothing locked.
  public MaildropLocks() {}

  /// Takes the lock of an account; false when another session has it.
  boolean acquire(Address account) {
    return taken.add(account);
  }

  /// Accounts that have a session.
  public int size() {
    return taken.size();
  }

  /// Gives the lock back.
  void release(Address account) {
    taken.remove(account);
  }
}
