package longhand.imap;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import longhand.store.Account;
import longhand.store.Entry;
import longhand.store.Mailbox;
import longhand.store.MailboxException;
import longhand.store.Role;

/// CREATE and RENAME: what a name may look like, and what happens to the levels above and below it
/// (RFC 3501 §6.3.3, §6.3.5).
final class MailboxNames {

  private final Account account;

  MailboxNames(Account account) {
    this.account = account;
  }

  /// Makes a mailbox and the levels above it that are not there. A delimiter at the end says that
  /// there will be mailboxes below, which is no matter here.
  void create(String name) throws IOException, MailboxException {
    var wanted = name.endsWith("/") ? name.substring(0, name.length() - 1) : name;
    check(wanted);
    if (account.mailbox(wanted).isPresent()) {
      throw new MailboxException(
          MailboxException.Reason.ALREADYEXISTS, "there is a mailbox of that name");
    }
    createAbove(wanted);
    account.create(wanted, Role.NONE);
  }

  private void createAbove(String name) throws IOException, MailboxException {
    for (int i = name.indexOf('/'); i > 0; i = name.indexOf('/', i + 1)) {
      var above = name.substring(0, i);
      if (account.mailbox(above).isEmpty()) {
        account.create(above, Role.NONE);
      }
    }
  }

  private static void check(String name) throws MailboxException {
    boolean levelEmpty = true;
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (c < ' ' || (c >= 0x7f && c < 0xa0) || c == '*' || c == '%') {
        throw new MailboxException(
            MailboxException.Reason.CANNOT, "a character that mailbox names do not have here");
      }
      if (c == '/' && levelEmpty) {
        break;
      }
      levelEmpty = c == '/';
    }
    if (levelEmpty) {
      throw new MailboxException(MailboxException.Reason.CANNOT, "a level without a name");
    }
  }

  /// Gives a mailbox and all below it another name. INBOX gives its messages to the new mailbox and
  /// stays, empty.
  void rename(String from, String to) throws IOException, MailboxException {
    check(to);
    var mailbox = account.mailbox(from);
    var names = new HashMap<Integer, String>();
    for (var other : account.mailboxes()) {
      if (other.name().startsWith(from + "/")) {
        names.put(other.number(), to + other.name().substring(from.length()));
      }
    }
    if (mailbox.isEmpty() && names.isEmpty()) {
      throw new MailboxException(MailboxException.Reason.NONEXISTENT, "there is no such mailbox");
    }
    if (account.mailbox(to).isPresent()) {
      throw new MailboxException(
          MailboxException.Reason.ALREADYEXISTS, "there is a mailbox of that name");
    }
    if (mailbox.isPresent() && mailbox.get().number() == Mailbox.INBOX) {
      create(to);
      moveInbox(to);
      return;
    }
    if (to.startsWith(from + "/")) {
      throw new MailboxException(MailboxException.Reason.CANNOT, "a name below itself");
    }
    mailbox.ifPresent(one -> names.put(one.number(), to));
    createAbove(to);
    account.rename(Map.copyOf(names));
  }

  private void moveInbox(String to) throws IOException, MailboxException {
    var target = account.mailbox(to);
    if (target.isEmpty()) {
      throw new MailboxException(MailboxException.Reason.NONEXISTENT, "it has gone again");
    }
    try (var view = account.view(Mailbox.INBOX, false)) {
      var entries = new java.util.ArrayList<Entry>(view.count());
      for (int i = 1; i <= view.count(); i++) {
        entries.add(view.at(i));
      }
      if (!entries.isEmpty()) {
        account.move(entries, target.get().number());
      }
    }
  }
}
