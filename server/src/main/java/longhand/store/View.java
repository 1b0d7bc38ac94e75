package longhand.store;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A selected mailbox as one session sees it: sequence numbers change only when the session is told
/// (RFC 3501 §7.4.1). For one thread at a time, but `onChange`'s callback comes from others.
public final class View implements Closeable {

  private final Account account;
  private final MailboxState mailbox;
  private final boolean readWrite;
  private Entry[] entries;
  private int count;
  private final long recentFrom;

  // Under the account's state lock: what has happened since the last sync.
  private boolean added;
  private boolean removed;
  private List<Entry> marked = new ArrayList<>();
  private @Nullable Runnable listener;
  private boolean told;

  /// Called under the account's state lock.
  View(Account account, MailboxState mailbox, boolean readWrite) {
    this.account = account;
    this.mailbox = mailbox;
    this.readWrite = readWrite;
    this.entries = mailbox.entries;
    this.count = mailbox.count;
    this.recentFrom = mailbox.firstRecent;
    takeRecent();
    mailbox.views.add(this);
  }

  private void takeRecent() {
    if (readWrite && count > 0) {
      mailbox.firstRecent = Math.max(mailbox.firstRecent, entries[count - 1].uid + 1);
    }
  }

  /// The account it belongs to.
  public Account account() {
    return account;
  }

  /// The mailbox now; `messages` may be ahead of `count`. Null when it has been deleted.
  public @Nullable Mailbox mailbox() {
    account.state.lock();
    try {
      return mailbox.gone ? null : mailbox.snapshot();
    } finally {
      account.state.unlock();
    }
  }

  /// How many messages the session knows of.
  public int count() {
    return count;
  }

  /// The message of a sequence number, 1 to `count`. It may have been expunged by another session.
  public Entry at(int sequence) {
    if (sequence < 1 || sequence > count) {
      throw new IndexOutOfBoundsException("sequence number " + sequence + " of " + count);
    }
    return entries[sequence - 1];
  }

  /// The sequence number of a UID, or 0 when the session knows no such message.
  public int sequenceOf(long uid) {
    int index = MailboxState.notBelow(entries, count, uid);
    return index < count && entries[index].uid == uid ? index + 1 : 0;
  }

  /// The least sequence number whose UID is not below `uid`; `count + 1` when all are below.
  public int sequenceNotBelow(long uid) {
    return MailboxState.notBelow(entries, count, uid) + 1;
  }

  /// Whether the message is recent in this session (RFC 3501 §2.3.2).
  public boolean recent(Entry entry) {
    return entry.uid >= recentFrom;
  }

  private int recentCount() {
    return count - MailboxState.notBelow(entries, count, recentFrom);
  }

  /// Tells what has changed since last told, and makes it this view's state. Without `expunges`
  /// (FETCH, STORE, SEARCH by sequence: RFC 3501 §7.4.1) expunges wait for another time.
  public Changes sync(boolean expunges) throws IOException {
    account.lookOutside();
    account.state.lock();
    try {
      told = false;
      if (!added && !(removed && expunges) && marked.isEmpty()) {
        return Changes.NONE;
      }
      List<Integer> gone = removed && expunges ? gone() : List.of();
      boolean grown;
      if (removed && !expunges) {
        grown = added && addBehind();
      } else {
        int before = count - gone.size();
        entries = mailbox.entries;
        count = mailbox.count;
        grown = count > before;
        removed = false;
      }
      added = false;
      if (grown) {
        // Whether another session was told first of what came now is not known, so it counts as
        // recent
        // here too, as RFC 3501 §2.3.2 wants then.
        takeRecent();
      }
      var changed = takeMarked();
      return new Changes(gone, grown ? count : -1, grown ? recentCount() : -1, changed);
    } finally {
      account.state.unlock();
    }
  }

  private List<Integer> gone() {
    var gone = new ArrayList<Integer>();
    for (int i = 0; i < count; i++) {
      if (entries[i].expunged) {
        gone.add(i + 1 - gone.size());
      }
    }
    return gone;
  }

  /// Takes in what is new and keeps what was expunged, since the session has not been told of that.
  private boolean addBehind() {
    long last = count == 0 ? 0 : entries[count - 1].uid;
    int from = mailbox.notBelow(last + 1);
    if (from == mailbox.count) {
      return false;
    }
    int more = mailbox.count - from;
    var joined = Arrays.copyOf(entries, count + more);
    System.arraycopy(mailbox.entries, from, joined, count, more);
    entries = joined;
    count += more;
    return true;
  }

  /// Calls `listener` soon after each change, from another thread, until the view closes or another
  /// listener takes its place. It must be short and must not block. After a call, the next comes
  /// only once `sync` has been called.
  public void onChange(@Nullable Runnable listener) {
    boolean now;
    account.state.lock();
    try {
      this.listener = listener;
      told = false;
      now = listener != null && (added || removed || !marked.isEmpty());
    } finally {
      account.state.unlock();
    }
    account.watch(this, listener != null);
    if (now) {
      tell();
    }
  }

  void added() {
    added = true;
    account.changed(this);
  }

  void removed() {
    removed = true;
    account.changed(this);
  }

  void marked(Entry entry) {
    if (marked.size() > 2 * count + 100) {
      // One that nobody asks for news does not remember each of a thousand changes of a message.
      marked = once(marked);
    }
    marked.add(entry);
    account.changed(this);
  }

  /// Those marked since the last time, each once, in the order of UIDs, expunged ones left out.
  private List<Entry> takeMarked() {
    if (marked.isEmpty()) {
      return List.of();
    }
    var changed = once(marked);
    changed.removeIf(entry -> entry.expunged);
    marked = new ArrayList<>();
    return changed;
  }

  private static List<Entry> once(List<Entry> entries) {
    entries.sort(Comparator.comparingLong(Entry::uid));
    var each = new ArrayList<Entry>(entries.size());
    Entry last = null;
    for (var entry : entries) {
      if (entry != last) {
        each.add(entry);
      }
      last = entry;
    }
    return each;
  }

  /// Calls the listener, outside the state lock.
  void tell() {
    Runnable call;
    account.state.lock();
    try {
      call = told ? null : listener;
      told = listener != null;
    } finally {
      account.state.unlock();
    }
    if (call != null) {
      call.run();
    }
  }

  @Override
  public void close() {
    account.watch(this, false);
    account.state.lock();
    try {
      listener = null;
      mailbox.views.remove(this);
    } finally {
      account.state.unlock();
    }
  }
}
