package longhand.queue;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.store.Account;
import longhand.store.DamagedException;
import longhand.store.Entry;
import longhand.store.Flag;
import longhand.store.Store;
import longhand.store.View;
import org.jspecify.annotations.Nullable;

/// One of the documents that hold the queue: there are as many as it takes to keep each small, so
/// that taking a message out of one stays cheap and its entries need not all be in memory.
final class QueueDocument {

  /// Nobody's domain: RFC 6761 §6.4 keeps `invalid` from ever being one. The documents lie in the
  /// folder of that name, so every tool that knows documents knows these.
  static final Domain DOMAIN = new Domain("queue.invalid");

  private static final System.Logger LOG = System.getLogger(QueueDocument.class.getName());

  private final Account account;
  private final long uidNext;

  /// Messages in it and on their way into it.
  final AtomicInteger messages = new AtomicInteger();

  private QueueDocument(Account account, long uidNext) {
    this.account = account;
    this.uidNext = uidNext;
  }

  /// One that there is.
  static QueueDocument open(Store store, int number) throws IOException {
    var account = account(store, number);
    return new QueueDocument(account, account.mailbox("INBOX").orElseThrow().uidNext());
  }

  /// One that there is not yet.
  static QueueDocument fresh(Store store, int number) {
    return new QueueDocument(account(store, number), 1);
  }

  private static Account account(Store store, int number) {
    return store.account(new Address(Integer.toString(number), DOMAIN));
  }

  /// What came before this UID was there when the queue was opened.
  long uidNext() {
    return uidNext;
  }

  Account account() {
    return account;
  }

  /// A message in it.
  ///
  /// @param stateEntry the entry that says what became of it, once anything did
  /// @param state what that says
  record Held(Entry entry, @Nullable Entry stateEntry, QueueText.@Nullable State state) {

    /// Whether somebody has stopped it.
    boolean isHeld() {
      return entry.marks().has(Flag.FLAGGED);
    }

    /// The UID of its state; 0 when there is none.
    int stateUid() {
      return stateEntry == null ? 0 : (int) stateEntry.uid();
    }
  }

  /// What is in it at a moment.
  ///
  /// @param orphans entries that say what became of messages that are gone
  record Contents(List<Held> messages, List<Entry> orphans) {}

  /// Looks through the entries of a view, those below a UID. What makes no sense of what became of
  /// a message is logged: then it is as if it had never been tried.
  ///
  /// @throws IOException when the document cannot be read, perhaps only now
  Contents contents(View view, long belowUid) throws IOException {
    record Known(Entry entry, QueueText.State state) {}
    var states = new HashMap<Long, Known>();
    var orphans = new ArrayList<Entry>();
    int end = belowUid == Long.MAX_VALUE ? view.count() + 1 : view.sequenceNotBelow(belowUid);
    int messages = 0;
    for (int i = 1; i < end; i++) {
      var entry = view.at(i);
      if (!isState(entry)) {
        messages++;
        continue;
      }
      var state = readState(entry);
      if (state == null || view.sequenceOf(state.uid()) == 0) {
        orphans.add(entry);
      } else {
        states.put(state.uid(), new Known(entry, state));
      }
    }
    var held = new ArrayList<Held>(messages);
    for (int i = 1; i < end; i++) {
      var entry = view.at(i);
      if (!isState(entry)) {
        var known = states.get(entry.uid());
        held.add(
            known == null
                ? new Held(entry, null, null)
                : new Held(entry, known.entry, known.state));
      }
    }
    return new Contents(held, orphans);
  }

  private static boolean isState(Entry entry) {
    return entry.marks().has(Flag.SEEN);
  }

  private QueueText.@Nullable State readState(Entry entry) throws IOException {
    try (var in = account.open(entry)) {
      return QueueText.readState(in);
    } catch (QueueText.MalformedException | DamagedException e) {
      LOG.log(
          Level.WARNING,
          () ->
              account.address()
                  + ": what became of a message cannot be read, so it is tried as if never before: "
                  + e.getMessage());
      return null;
    }
  }
}
