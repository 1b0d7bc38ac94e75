package longhand.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import longhand.disk.Disk;
import longhand.disk.DiskFile;

/// How an account comes to know its document: the table and the numbers first, of which the
/// catalogue spares the reading of all else, then the entries. Called with the account's writer
/// lock.
final class AccountReader {

  /// As much as most account entries take.
  private static final int HEAD_OCTETS = 4096;

  /// In the year 2096.
  private static final long MADE_MAX = 4_000_000_000L;

  private final Account account;

  /// Entries just read whose marks another program has changed.
  private final List<Entry> touched = new ArrayList<>();

  AccountReader(Account account) {
    this.account = account;
  }

  /// An account without a document: it is made by the first batch.
  void begin() {
    account.made = timeMade(account.store.clock().instant());
    account.token = account.store.newToken();
    account.nextId = 1;
    account.modseq = 0;
    account.nextMailbox = 1;
    long validity = account.made.getEpochSecond();
    account.state.lock();
    try {
      account.mailboxes.clear();
      account.subscriptions.clear();
      addFresh("INBOX", Role.INBOX, validity);
      addFresh("Archive", Role.ARCHIVE, validity);
      addFresh("Drafts", Role.DRAFTS, validity);
      addFresh("Junk", Role.JUNK, validity);
      addFresh("Sent", Role.SENT, validity);
      addFresh("Trash", Role.TRASH, validity);
      account.full = true;
      account.index.forgetRows();
    } finally {
      account.state.unlock();
    }
    var table =
        new AccountEntry.Table(
            account.address, 0, 1, account.nextMailbox, account.rows(), List.of());
    account.room = AccountEntry.roomFor(table, 0);
    var entry = new AccountEntry(account.token, 1, account.made, account.room, table);
    var text = entry.formatText();
    var whole = entry.format();
    if (text == null || whole == null) {
      throw new IllegalStateException("a fresh table does not fit");
    }
    account.tableText = text;
    account.end = whole.length;
    account.createOctets = whole;
    account.created = false;
    account.needsCreate = true;
  }

  /// When an account is made, by a clock that may be wrong: UIDVALIDITY counts up from there and
  /// has 32 bits.
  static Instant timeMade(Instant now) {
    return Instant.ofEpochSecond(Math.clamp(now.getEpochSecond(), 1, MADE_MAX));
  }

  private void addFresh(String name, Role role, long validity) {
    int number = account.nextMailbox++;
    account.mailboxes.put(
        number, new MailboxState(new AccountEntry.Row(number, name, role, validity, 1, 1, true)));
  }

  /// Reads the document: the account entry, and, when the catalogue does not know the document as
  /// it is, the head of every entry.
  void read() throws IOException {
    var file = account.store.disk().open(account.path, Disk.Mode.WRITE);
    boolean done = false;
    try {
      var seen = account.store.disk().facts(account.path).orElseThrow();
      long size = file.size();
      var head = new byte[(int) Math.min(size, HEAD_OCTETS)];
      file.read(ByteBuffer.wrap(head), 0);
      var line = Ledger.parseLine(head, AccountEntry.textOffset() - Ledger.LINE, head.length);
      if (line != null && line.length() + AccountEntry.textOffset() > head.length) {
        head = new byte[(int) Math.min(size, line.length() + AccountEntry.textOffset() + 1)];
        file.read(ByteBuffer.wrap(head), 0);
      }
      var entry = AccountEntry.parse(head, head.length, account.address);
      account.state.lock();
      try {
        readTable(entry);
        account.full = !account.index.read(entry, seen);
        if (account.full) {
          readEntries(file, size);
        }
      } finally {
        account.state.unlock();
      }
      account.facts = seen;
      account.lookedNanos = System.nanoTime();
      account.document = new Document(file, entry.generation());
      account.created = true;
      account.needsCreate = false;
      done = true;
    } finally {
      if (!done) {
        file.close();
      }
    }
  }

  private void readTable(AccountEntry entry) throws IOException {
    account.token = entry.token();
    account.made = entry.made();
    account.room = entry.room();
    account.nextId = entry.table().id();
    account.modseq = entry.table().modseq();
    account.nextMailbox = entry.table().mailbox();
    account.mailboxes.clear();
    account.subscriptions.clear();
    account.subscriptions.addAll(entry.table().subscriptions());
    for (var row : entry.table().rows()) {
      account.mailboxes.put(row.number(), new MailboxState(row));
    }
    if (!account.mailboxes.containsKey(Mailbox.INBOX)) {
      throw new DamagedException(account.name + ": the account entry names no INBOX");
    }
    account.tableText = Objects.requireNonNullElse(entry.formatText(), new byte[0]);
    account.deadOctets = 0;
    account.deadSinceSeconds = Long.MAX_VALUE;
    account.unsettled.clear();
    account.index.forgetRows();
  }

  /// Reads the entries of a document whose table and numbers are known: rows of the index as far as
  /// they go, the rest from the text; whether they are all there. Called with the writer lock and
  /// nothing under way.
  boolean readEntries() throws IOException {
    var doc = account.opened();
    var live = new LinkedHashMap<Integer, List<Entry>>();
    long from = account.index.rows(doc.generation, live);
    if (from < 0) {
      account.index.forgetRows();
      account.deadOctets = 0;
      from = entriesStart();
    }
    var scan = new DocumentScan(doc.file, from, account.end, account.token);
    for (var found = scan.next(); found != null; found = scan.next()) {
      take(found, live);
    }
    if (scan.position() != account.end) {
      return false;
    }
    account.state.lock();
    try {
      fill(live);
      account.full = true;
    } finally {
      account.state.unlock();
    }
    return true;
  }

  /// Goes through the document for its entries.
  private void readEntries(DiskFile file, long size) throws IOException {
    var live = new LinkedHashMap<Integer, List<Entry>>();
    var scan = new DocumentScan(file, entriesStart(), size, account.token);
    for (var found = scan.next(); found != null; found = scan.next()) {
      take(found, live);
    }
    account.end = scan.position();
    account.foreign = scan.position() < size;
    if (account.foreign) {
      takeOursBehind(new Outside(file, size, account.token), scan.position(), live);
    }
    fill(live);
    for (var mailbox : account.mailboxes.values()) {
      // Dead entries hold the UIDs that were given out, while they last. What left a mailbox by a
      // move is
      // not to be seen in it any more, so its greatest modseq may have been any up to the
      // account's.
      mailbox.floor = mailbox.nextUid;
      mailbox.highestModseq = account.modseq;
    }
  }

  /// Takes what is still ours in a document that another program has changed while it was not open:
  /// there is no memory of it to compare with, so a ledger line that is right is believed.
  /// Reconciling follows.
  private void takeOursBehind(Outside outside, long from, Map<Integer, List<Entry>> live)
      throws IOException {
    var seen = new HashSet<Long>();
    live.values().forEach(entries -> entries.forEach(entry -> seen.add(entry.id)));
    for (var item : outside.read(from)) {
      switch (item) {
        case Outside.Item.Ours(var found) -> {
          if (found.ledger().state() == Ledger.State.DEAD || seen.add(found.ledger().id())) {
            take(found, live);
          }
        }
        case Outside.Item.Moved moved -> {
          if (seen.add(moved.ledger().id())) {
            take(moved.found(), live);
          }
        }
        case Outside.Item.New _ -> {}
      }
    }
  }

  private void take(DocumentScan.Found found, Map<Integer, List<Entry>> live) {
    var ledger = found.ledger();
    account.nextId = Math.max(account.nextId, ledger.id() + 1);
    account.modseq = Math.max(account.modseq, ledger.modseq());
    var mailbox = account.mailboxes.get(ledger.mailbox());
    if (mailbox != null) {
      mailbox.nextUid = Math.max(mailbox.nextUid, ledger.uid() + 1);
    }
    if (ledger.state() == Ledger.State.DEAD || mailbox == null) {
      account.deadOctets += found.end() - found.offset();
      account.deadSinceSeconds =
          Math.min(account.deadSinceSeconds, account.store.clock().instant().getEpochSecond());
      return;
    }
    var entry =
        new Entry(
            ledger.mailbox(),
            ledger.id(),
            ledger.uid(),
            ledger.modseq(),
            (int) ledger.size(),
            found.ledger().saved(),
            (int) ledger.length(),
            ledger.crc(),
            ledger.quoted(),
            ledger.marks());
    entry.place(found.offset(), found.fromLength(), ledger.keywordsRoom(), ledger.mailboxRoom());
    live.computeIfAbsent(ledger.mailbox(), _ -> new ArrayList<>()).add(entry);
    if (!found.marksIntact()) {
      touched.add(entry);
    }
  }

  private void fill(Map<Integer, List<Entry>> live) {
    for (var mailbox : account.mailboxes.values()) {
      mailbox.fill(live.getOrDefault(mailbox.number, new ArrayList<>()));
    }
  }

  /// Writes the ledgers of entries whose marks another program changed while the document was not
  /// open: that is a change, with a modseq of its own.
  void settleTouched() throws IOException {
    if (touched.isEmpty()) {
      return;
    }
    var some = List.copyOf(touched);
    touched.clear();
    account.hold();
    try {
      account.modseq++;
      account.remark(some, some.stream().map(Entry::marks).toList(), account.modseq);
    } finally {
      account.documentLock.letGo();
    }
  }

  private long entriesStart() {
    return AccountEntry.textOffset() + account.room + 1L;
  }
}
