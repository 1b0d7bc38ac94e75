package longhand.imap;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import longhand.store.Account;
import longhand.store.Mailbox;
import longhand.store.Role;
import longhand.wire.Limits;
import org.jspecify.annotations.Nullable;

/// LIST, LSUB and what STATUS writes (RFC 3501 §6.3.8 to §6.3.10, RFC 5258, RFC 5819, RFC 6154).
///
/// All names an account has are gathered with what is known of each: mailboxes, names that are only
/// subscribed to, and levels that exist because something lies below them. A pattern chooses among
/// them.
final class MailboxList {

  private static final Comparator<String> INBOX_FIRST =
      Comparator.comparing((String name) -> !name.equals("INBOX"))
          .thenComparing(Comparator.naturalOrder());

  private final Account account;
  private final Response out;
  private final Limits limits;

  /// What is known of a name.
  private static final class Name {
    @Nullable Mailbox mailbox;
    boolean subscribed;

    /// Whether a mailbox lies below it.
    boolean children;

    /// Whether a name that is subscribed to lies below it.
    boolean subscribedBelow;

    /// Whether a mailbox with a special use lies below it.
    boolean specialBelow;
  }

  MailboxList(Account account, Response out, Limits limits) {
    this.account = account;
    this.out = out;
    this.limits = limits;
  }

  private Map<String, Name> names() throws IOException {
    var names = new TreeMap<String, Name>(INBOX_FIRST);
    for (var mailbox : account.mailboxes()) {
      names.computeIfAbsent(mailbox.name(), _ -> new Name()).mailbox = mailbox;
    }
    for (var subscription : account.subscriptions()) {
      names.computeIfAbsent(subscription, _ -> new Name()).subscribed = true;
    }
    for (var entry : List.copyOf(names.entrySet())) {
      var name = entry.getKey();
      var known = entry.getValue();
      for (int i = name.lastIndexOf('/'); i > 0; i = name.lastIndexOf('/', i - 1)) {
        var above = names.computeIfAbsent(name.substring(0, i), _ -> new Name());
        above.children |= known.mailbox != null;
        above.subscribedBelow |= known.subscribed;
        above.specialBelow |= isSpecial(known);
      }
    }
    return names;
  }

  private static boolean isSpecial(Name name) {
    return name.mailbox != null && !name.mailbox.role().imapName().isEmpty();
  }

  /// Answers LIST, all but the tagged response.
  void list(Command.ListMailboxes command) throws IOException {
    if (command.root()) {
      out.line("* LIST (\\Noselect) \"/\" \"\"");
      return;
    }
    var options = command.options();
    boolean subscribed = options.contains(Command.ListOption.SELECT_SUBSCRIBED);
    boolean special = options.contains(Command.ListOption.SELECT_SPECIAL_USE);
    boolean recursive = options.contains(Command.ListOption.SELECT_RECURSIVEMATCH);
    boolean tellSubscribed = subscribed || options.contains(Command.ListOption.RETURN_SUBSCRIBED);
    var patterns = new ArrayList<ListPattern>();
    for (var pattern : command.patterns()) {
      patterns.add(new ListPattern(pattern));
    }
    for (var entry : names().entrySet()) {
      var name = entry.getValue();
      if (patterns.stream().noneMatch(pattern -> pattern.matches(entry.getKey()))) {
        continue;
      }
      boolean chosen =
          (!subscribed || name.subscribed)
              && (!special || isSpecial(name))
              && (subscribed || name.mailbox != null || name.children);
      boolean below =
          recursive && (!subscribed || name.subscribedBelow) && (!special || name.specialBelow);
      if (!chosen && !below) {
        continue;
      }
      out.text("* LIST (");
      attributes(name, tellSubscribed);
      out.text(") \"/\" ").mailbox(entry.getKey());
      if (below) {
        out.text(" (\"CHILDINFO\" (");
        out.text(subscribed ? "\"SUBSCRIBED\"" : "\"SPECIAL-USE\"").text("))");
      }
      out.end();
      if (name.mailbox != null && options.contains(Command.ListOption.RETURN_STATUS)) {
        status(out, name.mailbox, command.status(), limits);
      }
    }
  }

  private void attributes(Name name, boolean tellSubscribed) throws ConnectionLost {
    if (name.mailbox == null) {
      out.text(name.children ? "\\Noselect " : "\\NonExistent ");
    }
    out.text(name.children ? "\\HasChildren" : "\\HasNoChildren");
    if (tellSubscribed && name.subscribed) {
      out.text(" \\Subscribed");
    }
    var role = name.mailbox == null ? Role.NONE : name.mailbox.role();
    if (!role.imapName().isEmpty()) {
      out.octet(' ').text(role.imapName());
    }
  }

  /// Answers LSUB, all but the tagged response. A level above a name that is subscribed to, itself
  /// not, shows as `\Noselect` when the pattern ends in `%` (RFC 3501 §6.3.9).
  void lsub(Command.Lsub command) throws IOException {
    if (command.root()) {
      out.line("* LSUB (\\Noselect) \"/\" \"\"");
      return;
    }
    var pattern = new ListPattern(command.pattern());
    boolean levels = command.pattern().endsWith("%");
    for (var entry : names().entrySet()) {
      var name = entry.getValue();
      boolean level = levels && name.subscribedBelow;
      if ((name.subscribed || level) && pattern.matches(entry.getKey())) {
        out.text(name.subscribed ? "* LSUB () \"/\" " : "* LSUB (\\Noselect) \"/\" ");
        out.mailbox(entry.getKey()).end();
      }
    }
  }

  /// Writes the STATUS response of a mailbox.
  static void status(Response out, Mailbox mailbox, Set<Command.StatusItem> items, Limits limits)
      throws ConnectionLost {
    out.text("* STATUS ").mailbox(mailbox.name()).text(" (");
    var separator = "";
    for (var item : items) {
      out.text(separator).text(item.name()).octet(' ');
      out.number(
          switch (item) {
            case MESSAGES -> mailbox.messages();
            case RECENT -> mailbox.recent();
            case UIDNEXT -> mailbox.uidNext();
            case UIDVALIDITY -> mailbox.uidValidity();
            case UNSEEN -> mailbox.unseen();
            case SIZE -> mailbox.octets();
            case APPENDLIMIT -> limits.messageOctetsMax();
          });
      separator = " ";
    }
    out.line(")");
  }
}
