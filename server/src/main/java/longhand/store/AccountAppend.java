package longhand.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import longhand.mail.Address;
import org.jspecify.annotations.Nullable;

/// What one account adds to a batch of `Store.change`: messages that come, and messages that go.
final class AccountAppend {

  /// The last second of the year 5137: as far as eleven digits go.
  private static final long SAVED_MAX = 99_999_999_999L;

  private final Account account;
  private final List<Insertion> insertions = new ArrayList<>();
  private final List<MailboxState> targets = new ArrayList<>();
  private final List<Entry> removals = new ArrayList<>();
  private long octets;
  private long removed;
  private Underway.@Nullable Pending waiting;

  AccountAppend(Account account) {
    this.account = account;
  }

  /// The account that is delivered to.
  Account account() {
    return account;
  }

  /// Has an entry removed, unless it is gone when its turn comes; before the lock is taken.
  void remove(Entry entry) {
    removals.add(entry);
  }

  /// Takes the writer lock and keeps other programs away, with the entries known if any is to go.
  void begin() throws IOException {
    if (removals.isEmpty()) {
      account.beginChange();
    } else {
      account.beginChangeOfEntries();
    }
  }

  /// Leaves out removals of what is gone already, and numbers the others; with the writer lock.
  void planRemovals() {
    removals.removeIf(entry -> entry.expunged);
    if (!removals.isEmpty()) {
      removed = ++account.modseq;
    }
  }

  /// Checks that the append can be done; with the writer lock, before `plan`.
  void check(Append append) throws MailboxException {
    var target = account.require(append.mailbox());
    Account.checkUids(target.nextUid + 1);
  }

  /// Gives the append its place, id, UID and modseq. From here nothing may fail but the disk.
  Entry plan(Append append, Text text) throws IOException {
    var target = account.mailboxOf(append.mailbox());
    long saved = Math.clamp(append.saved().getEpochSecond(), 0, SAVED_MAX);
    var from =
        AccountEntry.fromLine(
            append.reversePath().address().map(Address::toString).orElse("MAILER-DAEMON"),
            Instant.ofEpochSecond(saved));
    var entry =
        new Entry(
            append.mailbox(),
            account.nextId++,
            target.nextUid++,
            ++account.modseq,
            Math.toIntExact(text.wireOctets()),
            saved,
            Math.toIntExact(text.total()),
            text.crc(),
            text.quoted(),
            append.marks());
    entry.place(
        account.end + octets,
        from.length,
        Ledger.keywordsRoom(append.marks()),
        Ledger.MAILBOX_ROOM);
    var insertion =
        new Insertion(
            entry,
            Account.join(from, account.ledger(entry, entry.marks, entry.modseq, false).format()),
            text,
            text.tail());
    insertions.add(insertion);
    octets += insertion.octets();
    targets.add(target);
    return entry;
  }

  /// What it adds to the document, so far.
  long octets() {
    return octets;
  }

  private void show() {
    for (int i = 0; i < insertions.size(); i++) {
      targets.get(i).add(insertions.get(i).entry());
    }
    account.index.delivered(insertions.size());
    account.removed(removals, removed);
  }

  private void addRemovals(Batch batch) {
    if (!removals.isEmpty()) {
      batch.ledgers(account.name, account.generation(), account.dead(removals, removed));
    }
  }

  /// Adds the entries to a batch by value. With `shared` their one letter is in the batch already.
  void addTo(Batch batch, boolean shared) throws IOException {
    account.addCreate(batch);
    var puts = new ArrayList<Underway.Put>();
    for (var insertion : insertions) {
      var slices = Account.slices(insertion);
      if (shared) {
        var before = ByteBuffer.wrap(Account.join(insertion.head(), insertion.text().prefix()));
        batch.putShared(
            account.name, account.generation(), account.end, before, slices[3].duplicate());
      } else {
        batch.put(account.name, account.generation(), account.end, Account.duplicates(slices));
      }
      puts.add(new Underway.Put(account.end, slices));
      account.end += insertion.octets();
    }
    addRemovals(batch);
    waiting = account.underway.prepare(puts, this::show);
  }

  /// Names the ticket the batch was given.
  void handed(Journal.Ticket ticket) {
    if (waiting != null) {
      waiting.ticket = ticket;
    }
    account.needsCreate = false;
    account.created = true;
  }

  /// Takes back what `addTo` left, when the journal did not take the batch.
  void refused() {
    if (waiting != null) {
      account.underway.withdraw(waiting);
    }
  }

  /// The same as something to be put in place ahead of its batch.
  LargeInsertion large() {
    return new LargeInsertion(account, insertions, octets, this::addRemovals, this::show);
  }
}
