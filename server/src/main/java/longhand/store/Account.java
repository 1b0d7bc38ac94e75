package longhand.store;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import longhand.disk.Disk;
import longhand.mail.Address;
import longhand.message.Summary;
import org.jspecify.annotations.Nullable;

/// One account: a document, its mailboxes and messages. Safe for any thread. When a method that
/// changes something returns, the change is durable and every session can see it; when it throws
/// `IOException` nothing has changed that was promised.
///
/// Three locks, taken in this order. `writer` is held by whoever decides what comes next: offsets,
/// ids, UIDs, modseqs; appends give it back before they wait for the journal, so that many share
/// one force, and all else holds it until durable. `apply` orders what is written into the
/// document. `state` guards what sessions see, is held for moments, and never over a read or write
/// of a file.
public final class Account {

  /// How marks are changed.
  public enum Change {
    REPLACE,
    ADD,
    REMOVE
  }

  /// Where a message came from and where it is now.
  public record Copied(Entry source, Entry target) {}

  /// How much the account holds.
  ///
  /// @param octets on the wire, all mailboxes
  public record Usage(long octets, long messages) {}

  /// Octets of ledgers in one batch: bounded, so that no change is too large for the journal.
  private static final int LEDGERS_OCTETS_MAX = 4 << 20;

  /// What a ledger takes in a batch, keywords apart, at the most.
  private static final int LEDGER_OCTETS_MAX = 400;

  /// Messages longer than this are put in place ahead of their batch.
  private static final int BY_VALUE_MAX = 1 << 20;

  private static final int MAILBOXES_MAX = 10_000;

  final ReentrantLock writer = new ReentrantLock();
  final ReentrantLock apply = new ReentrantLock();
  final ReentrantLock state = new ReentrantLock();

  final Store store;
  final Address address;
  final String name;
  final Path path;

  // Guarded by `writer`.
  boolean created;
  boolean needsCreate;

  /// Whether the document holds, behind what was read, something that is not ours.
  boolean foreign;

  Instant made = Instant.EPOCH;
  int room;
  byte[] tableText = new byte[0];

  /// What a document begins with, while there is none.
  byte[] createOctets = new byte[0];

  long end;
  long nextId;
  long modseq;
  int nextMailbox;

  /// Whether the table and the numbers are known: enough to deliver.
  volatile boolean loaded;

  /// Whether the entries are known too.
  volatile boolean full;

  private final AtomicInteger retained = new AtomicInteger();
  private volatile long usedNanos;
  volatile String token = "";
  volatile @Nullable Document document;

  // Guarded by `apply`.
  boolean folderDirty;
  Disk.@Nullable Facts facts;
  long lookedNanos;

  // Guarded by `state`.
  final TreeMap<Integer, MailboxState> mailboxes = new TreeMap<>();
  final TreeSet<String> subscriptions = new TreeSet<>();
  final Unsettled unsettled = new Unsettled();
  long dirtySince = Long.MAX_VALUE;
  long holdSince = Long.MAX_VALUE;
  long deadOctets;
  long deadSinceSeconds = Long.MAX_VALUE;
  private final Set<View> toTell = new LinkedHashSet<>();
  private final CopyOnWriteArrayList<View> watching = new CopyOnWriteArrayList<>();

  private final AccountReader reader = new AccountReader(this);
  private final Takeover takeover = new Takeover(this);
  final IndexCache index = new IndexCache(this);
  final Underway underway = new Underway(this);
  final DocumentLock documentLock = new DocumentLock(this);
  final Settling settling = new Settling(this);
  final Compaction compaction = new Compaction(this);

  Account(Store store, Address address, String name, Path path) {
    this.store = store;
    this.address = address;
    this.name = name;
    this.path = path;
  }

  /// Whose it is, canonical.
  public Address address() {
    return address;
  }

  /// The document's random token: with a message's id it names the message forever (POP3 UIDL,
  /// EMAILID).
  public String token() throws IOException {
    begin();
    try {
      create();
      return token;
    } finally {
      writer.unlock();
    }
  }

  /// The mailboxes there are, by name, INBOX first.
  public List<Mailbox> mailboxes() throws IOException {
    load();
    lookOutside();
    var all = new ArrayList<Mailbox>();
    state.lock();
    try {
      for (var mailbox : mailboxes.values()) {
        all.add(mailbox.snapshot());
      }
    } finally {
      state.unlock();
    }
    all.sort(
        Comparator.comparing((Mailbox mailbox) -> mailbox.number() != Mailbox.INBOX)
            .thenComparing(Mailbox::name));
    return all;
  }

  /// The mailbox of a name (exact, but INBOX in any letter case).
  public Optional<Mailbox> mailbox(String name) throws IOException {
    load();
    lookOutside();
    state.lock();
    try {
      var found = find(name);
      return found == null ? Optional.empty() : Optional.of(found.snapshot());
    } finally {
      state.unlock();
    }
  }

  private @Nullable MailboxState find(String name) {
    if (name.equalsIgnoreCase("INBOX")) {
      return mailboxes.get(Mailbox.INBOX);
    }
    for (var mailbox : mailboxes.values()) {
      if (mailbox.name.equals(name)) {
        return mailbox;
      }
    }
    return null;
  }

  /// Names that are subscribed to, whether or not such a mailbox exists (RFC 3501 §6.3.6).
  public List<String> subscriptions() throws IOException {
    load();
    state.lock();
    try {
      var names = new TreeSet<>(subscriptions);
      for (var mailbox : mailboxes.values()) {
        if (mailbox.subscribed) {
          names.add(mailbox.name);
        }
      }
      return List.copyOf(names);
    } finally {
      state.unlock();
    }
  }

  /// Makes a mailbox. `MailboxException` when the name is taken, too long, too deep, or there are
  /// too many.
  public Mailbox create(String name, Role role) throws IOException, MailboxException {
    beginChange();
    try {
      create();
      MailboxName.check(name);
      if (find(name) != null) {
        throw new MailboxException(
            MailboxException.Reason.ALREADYEXISTS, "A mailbox of that name exists.");
      }
      if (mailboxes.size() >= MAILBOXES_MAX) {
        throw new MailboxException(
            MailboxException.Reason.LIMIT, "There are " + MAILBOXES_MAX + " mailboxes already.");
      }
      // Grows with each mailbox, whatever the clock does: a mailbox that is made again, perhaps
      // after
      // the greatest of the others was deleted, never gets what it had (RFC 3501 §2.3.1.1).
      long validity = made.getEpochSecond() + nextMailbox;
      for (var other : mailboxes.values()) {
        validity = Math.max(validity, other.validity + 1);
      }
      boolean subscribed = subscriptions.contains(name);
      var row = new AccountEntry.Row(nextMailbox, name, role, validity, 1, 1, subscribed);
      var rows = rows();
      rows.add(row);
      var left = new TreeSet<>(subscriptions);
      left.remove(name);
      var made = new MailboxState(row);
      made.highestModseq = modseq + 1;
      commitTable(
          rows,
          left,
          modseq + 1,
          nextMailbox + 1,
          () -> {
            mailboxes.put(made.number, made);
            subscriptions.remove(name);
          });
      return made.snapshot();
    } finally {
      endChange();
    }
  }

  /// Gives mailboxes other names, all or none.
  public void rename(Map<Integer, String> names) throws IOException, MailboxException {
    beginChange();
    try {
      create();
      var taken = new TreeSet<String>();
      var rows = new ArrayList<AccountEntry.Row>();
      for (var row : rows()) {
        var to = names.getOrDefault(row.number(), row.name());
        MailboxName.check(to);
        if (row.number() == Mailbox.INBOX ? !to.equals("INBOX") : to.equalsIgnoreCase("INBOX")) {
          throw new MailboxException(
              MailboxException.Reason.CANNOT, "INBOX keeps its name, and no other gets it.");
        }
        if (!taken.add(to)) {
          throw new MailboxException(
              MailboxException.Reason.ALREADYEXISTS, "A mailbox of that name exists.");
        }
        rows.add(
            new AccountEntry.Row(
                row.number(),
                to,
                row.role(),
                row.validity(),
                row.next(),
                row.recent(),
                row.subscribed()));
      }
      for (int number : names.keySet()) {
        require(number);
      }
      commitTable(
          rows,
          subscriptions,
          modseq + 1,
          nextMailbox,
          () -> names.forEach((number, to) -> mailboxOf(number).name = to));
    } finally {
      endChange();
    }
  }

  /// Removes a mailbox and its messages. INBOX stays: `MailboxException`.
  public void delete(int number) throws IOException, MailboxException {
    beginChangeOfEntries();
    try {
      create();
      var mailbox = require(number);
      if (number == Mailbox.INBOX) {
        throw new MailboxException(MailboxException.Reason.CANNOT, "INBOX cannot be removed.");
      }
      var rows = rows();
      rows.removeIf(row -> row.number() == number);
      var kept = new TreeSet<>(subscriptions);
      if (mailbox.subscribed) {
        kept.add(mailbox.name);
      }
      // Entries of a mailbox that the table does not name are dead, so this alone removes them all.
      var entries = List.of(Arrays.copyOf(mailbox.entries, mailbox.count));
      long now = modseq + 1;
      commitTable(
          rows,
          kept,
          now,
          nextMailbox,
          () -> {
            mailboxes.remove(number);
            subscriptions.addAll(kept);
            mailbox.gone = true;
            for (var entry : entries) {
              entry.modseq = now;
              entry.expunged = true;
              died(entry);
            }
            mailbox.removeExpunged();
          });
      writeDead(entries);
    } finally {
      endChange();
    }
  }

  /// Marks entries dead in the text as well, for mbox readers; nothing depends on it.
  private void writeDead(List<Entry> entries) throws IOException {
    for (int from = 0; from < entries.size(); ) {
      var some = entries.subList(from, upTo(entries, from));
      from += some.size();
      var ledgers = new PackedLedgers();
      for (var entry : some) {
        ledgers.add(ledger(entry, entry.marks, entry.modseq, true), entry.ledgerOffset());
      }
      underway.commit(batch(ledgers), List.of(), () -> some.forEach(unsettled::add));
    }
  }

  /// Where a batch of ledgers that begins with entry `from` has to end.
  private int upTo(List<Entry> entries, int from) {
    int most = Math.min(LEDGERS_OCTETS_MAX, store.journal().batchMax() / 2);
    int octets = 0;
    int to = from;
    while (to < entries.size()) {
      octets += LEDGER_OCTETS_MAX + entries.get(to).keywordsRoom;
      if (octets > most && to > from) {
        break;
      }
      to++;
    }
    return to;
  }

  private Batch batch(PackedLedgers ledgers) {
    var batch = new Batch();
    batch.ledgers(name, generation(), ledgers);
    return batch;
  }

  /// Subscribes to a name, or no longer.
  public void subscribe(String name, boolean subscribed) throws IOException, MailboxException {
    beginChange();
    try {
      create();
      MailboxName.check(name);
      var mailbox = find(name);
      var rows = new ArrayList<AccountEntry.Row>();
      for (var row : rows()) {
        rows.add(
            mailbox != null && row.number() == mailbox.number
                ? new AccountEntry.Row(
                    row.number(),
                    row.name(),
                    row.role(),
                    row.validity(),
                    row.next(),
                    row.recent(),
                    subscribed)
                : row);
      }
      var names = new TreeSet<>(subscriptions);
      if (mailbox == null && subscribed) {
        if (names.size() >= MAILBOXES_MAX) {
          throw new MailboxException(
              MailboxException.Reason.LIMIT, "There are " + MAILBOXES_MAX + " subscriptions.");
        }
        names.add(name);
      } else {
        names.remove(name);
      }
      commitTable(
          rows,
          names,
          modseq,
          nextMailbox,
          () -> {
            subscriptions.clear();
            subscriptions.addAll(names);
            if (mailbox != null) {
              mailbox.subscribed = subscribed;
            }
          });
    } finally {
      endChange();
    }
  }

  /// Opens a mailbox for a session. With `readWrite` the session takes the recent messages.
  public View view(int mailbox, boolean readWrite) throws IOException, MailboxException {
    begin();
    try {
      create();
      fill();
    } finally {
      writer.unlock();
    }
    lookOutside();
    state.lock();
    try {
      return new View(this, require(mailbox), readWrite);
    } finally {
      state.unlock();
    }
  }

  MailboxState require(int number) throws MailboxException {
    var mailbox = mailboxes.get(number);
    if (mailbox == null) {
      throw new MailboxException(
          MailboxException.Reason.NONEXISTENT, "There is no such mailbox any more.");
    }
    return mailbox;
  }

  MailboxState mailboxOf(int number) {
    var mailbox = mailboxes.get(number);
    if (mailbox == null) {
      throw new IllegalStateException("mailbox " + number + " is gone");
    }
    return mailbox;
  }

  /// Entries whose marks were changed.
  ///
  /// @param modseq the number of that change, which none of them had before
  public record Marked(List<Entry> entries, long modseq) {}

  /// Changes marks. Entries expunged meanwhile are passed over, and those that bear these marks
  /// already are not changed.
  public Marked mark(Collection<Entry> entries, Change change, Marks marks) throws IOException {
    beginChangeOfEntries();
    try {
      var changed = new ArrayList<Entry>();
      var wanted = new ArrayList<Marks>();
      long now = modseq + 1;
      for (var entry : entries) {
        if (entry.expunged) {
          continue;
        }
        var before = entry.marks;
        var after =
            switch (change) {
              case REPLACE -> marks;
              case ADD -> before.plus(marks);
              case REMOVE -> before.minus(marks);
            };
        if (!after.equals(before)) {
          changed.add(entry);
          wanted.add(after);
        }
      }
      if (!changed.isEmpty()) {
        modseq = now;
      }
      Journal.Ticket last = null;
      for (int from = 0; from < changed.size(); ) {
        int to = upTo(changed, from);
        last = handInMarks(changed.subList(from, to), wanted.subList(from, to), now);
        from = to;
      }
      underway.awaitAndShow(last);
      return new Marked(changed, now);
    } finally {
      endChange();
      tell();
    }
  }

  /// Gives entries other marks, with that modseq.
  void remark(List<Entry> changed, List<Marks> wanted, long now) throws IOException {
    underway.awaitAndShow(handInMarks(changed, wanted, now));
  }

  private Journal.@Nullable Ticket handInMarks(List<Entry> changed, List<Marks> wanted, long now)
      throws IOException {
    var ledgers = new PackedLedgers();
    var narrow = new BitSet();
    for (int i = 0; i < changed.size(); i++) {
      var entry = changed.get(i);
      if (Ledger.fits(wanted.get(i), entry.keywordsRoom)) {
        ledgers.add(ledger(entry, wanted.get(i), now, false), entry.ledgerOffset());
      } else {
        narrow.set(i);
      }
    }
    Journal.Ticket last = null;
    if (ledgers.length() > 0) {
      last =
          underway.handIn(
              batch(ledgers),
              List.of(),
              () -> {
                for (int i = 0; i < changed.size(); i++) {
                  if (!narrow.get(i)) {
                    mailboxOf(changed.get(i).mailbox).remark(changed.get(i), wanted.get(i), now);
                    unsettled.add(changed.get(i));
                  }
                }
              });
    }
    for (int i = narrow.nextSetBit(0); i >= 0; i = narrow.nextSetBit(i + 1)) {
      appendAnew(changed.get(i), wanted.get(i), now);
    }
    return last;
  }

  /// Puts an entry whose keywords have outgrown their room at the end with a wider ledger; the old
  /// one dies.
  private void appendAnew(Entry entry, Marks marks, long now) throws IOException {
    var from = fromLine(entry);
    int keywordsRoom = Ledger.keywordsRoom(marks);
    var ledger =
        new Ledger(
            token,
            entry.id,
            entry.uid,
            now,
            entry.savedSeconds,
            entry.length,
            entry.sizeOctets,
            entry.crc,
            Ledger.State.LIVE,
            entry.quoted,
            marks,
            true,
            entry.mailbox,
            mailboxOf(entry.mailbox).name,
            keywordsRoom,
            Ledger.MAILBOX_ROOM);
    var text = Text.of(opened().file, entry);
    var head = join(from, ledger.format());
    // A place for the old copy, so that it can be marked dead without the entry itself.
    var old = entry.twin(entry.mailbox, entry.id, entry.uid, entry.modseq, entry.marks);
    old.place(entry.offset, entry.fromLength, entry.keywordsRoom, entry.mailboxRoom);
    var insertion = new Insertion(entry, head, text, text.tail());
    long offset = end;
    var dead = new PackedLedgers();
    dead.add(ledger(entry, entry.marks, now, true), old.ledgerOffset());
    insert(
        List.of(insertion),
        batch -> batch.ledgers(name, generation(), dead),
        () -> {
          unsettled.remove(entry);
          entry.place(offset, from.length, keywordsRoom, Ledger.MAILBOX_ROOM);
          mailboxOf(entry.mailbox).remark(entry, marks, now);
          old.modseq = now;
          old.expunged = true;
          unsettled.add(old);
          died(old);
        });
  }

  /// The From line of an entry as it stands in the document.
  private byte[] fromLine(Entry entry) throws IOException {
    var from = new byte[entry.fromLength];
    if (opened().file.read(ByteBuffer.wrap(from), entry.offset) < from.length) {
      throw new DamagedException(name + " ends within entry " + entry.id);
    }
    return from;
  }

  /// Expunges entries, whatever their marks; those already gone are passed over. Gives those it
  /// removed.
  public List<Entry> expunge(Collection<Entry> entries) throws IOException {
    beginChangeOfEntries();
    try {
      var removed = new ArrayList<Entry>();
      for (var entry : entries) {
        if (!entry.expunged) {
          removed.add(entry);
        }
      }
      Journal.Ticket last = null;
      for (int from = 0; from < removed.size(); ) {
        var some = removed.subList(from, upTo(removed, from));
        from += some.size();
        long now = ++modseq;
        last = underway.handIn(batch(dead(some, now)), List.of(), () -> removed(some, now));
      }
      underway.awaitAndShow(last);
      return removed;
    } finally {
      endChange();
      tell();
    }
  }

  /// The ledgers that mark entries dead.
  PackedLedgers dead(List<Entry> entries, long now) {
    var ledgers = new PackedLedgers();
    for (var entry : entries) {
      ledgers.add(ledger(entry, entry.marks, now, true), entry.ledgerOffset());
    }
    return ledgers;
  }

  /// Takes entries out of sight whose dead ledgers are durable. Called under the state lock.
  void removed(List<Entry> entries, long now) {
    var touched = new TreeSet<Integer>();
    for (var entry : entries) {
      touched.add(entry.mailbox);
      entry.modseq = now;
      entry.expunged = true;
      unsettled.add(entry);
      died(entry);
    }
    for (int mailbox : touched) {
      mailboxOf(mailbox).removeExpunged();
    }
  }

  private void died(Entry entry) {
    deadOctets += entry.headAndTextLength();
    deadSinceSeconds = Math.min(deadSinceSeconds, store.clock().instant().getEpochSecond());
  }

  /// Copies entries to a mailbox, all or none, marks and dates kept; a pair of UIDs each. Entries
  /// gone meanwhile are passed over.
  public List<Copied> copy(Collection<Entry> entries, int mailbox)
      throws IOException, MailboxException {
    beginChangeOfEntries();
    try {
      create();
      var target = require(mailbox);
      var doc = opened();
      var insertions = new ArrayList<Insertion>();
      var copied = new ArrayList<Copied>();
      long now = modseq + 1;
      long id = nextId;
      long uid = target.nextUid;
      long at = end;
      for (var entry : entries) {
        if (entry.expunged) {
          continue;
        }
        var from = fromLine(entry);
        var text = Text.of(doc.file, entry);
        var twin = entry.twin(mailbox, id++, uid++, now, entry.marks);
        twin.place(at, from.length, Ledger.keywordsRoom(entry.marks), Ledger.MAILBOX_ROOM);
        var insertion =
            new Insertion(
                twin, join(from, ledger(twin, twin.marks, now, false).format()), text, text.tail());
        at += insertion.octets();
        insertions.add(insertion);
        copied.add(new Copied(entry, twin));
      }
      checkUids(uid);
      if (insertions.isEmpty()) {
        return List.of();
      }
      modseq = now;
      nextId = id;
      target.nextUid = uid;
      insert(insertions, batch -> {}, () -> insertions.forEach(i -> target.add(i.entry())));
      return copied;
    } finally {
      endChange();
      tell();
    }
  }

  static void checkUids(long next) throws MailboxException {
    if (next > 0xffff_fffeL) {
      throw new MailboxException(
          MailboxException.Reason.LIMIT, "The mailbox has given out all its UIDs.");
    }
  }

  /// Moves entries to a mailbox, ids, marks and dates kept (RFC 6851).
  public List<Copied> move(Collection<Entry> entries, int mailbox)
      throws IOException, MailboxException {
    beginChangeOfEntries();
    try {
      create();
      var target = require(mailbox);
      var moved = new ArrayList<Copied>();
      var live = new ArrayList<Entry>();
      for (var entry : entries) {
        if (!entry.expunged) {
          live.add(entry);
        }
      }
      checkUids(target.nextUid + live.size());
      Journal.Ticket last = null;
      for (int from = 0; from < live.size(); ) {
        int to = upTo(live, from);
        last = handInMove(live.subList(from, to), target, moved);
        from = to;
      }
      underway.awaitAndShow(last);
      return moved;
    } finally {
      endChange();
      tell();
    }
  }

  private Journal.Ticket handInMove(List<Entry> entries, MailboxState target, List<Copied> moved)
      throws IOException {
    long now = ++modseq;
    var batch = new Batch();
    var puts = new ArrayList<Underway.Put>();
    var sources = new TreeSet<Integer>();
    for (var entry : entries) {
      sources.add(entry.mailbox);
    }
    // The text will no longer hold the old UIDs, so the table must. First, since it may move
    // everything.
    for (int source : sources) {
      var mailbox = mailboxOf(source);
      mailbox.floor = Math.max(mailbox.floor, mailbox.nextUid);
    }
    putTable(batch, puts, rows(), subscriptions, modseq, nextMailbox);
    var pairs = new ArrayList<Copied>();
    var ledgers = new PackedLedgers();
    for (var entry : entries) {
      var twin = entry.twin(target.number, entry.id, target.nextUid++, now, entry.marks);
      twin.place(entry.offset, entry.fromLength, entry.keywordsRoom, entry.mailboxRoom);
      ledgers.add(ledger(twin, twin.marks, now, false), twin.ledgerOffset());
      pairs.add(new Copied(entry, twin));
    }
    batch.ledgers(name, generation(), ledgers);
    moved.addAll(pairs);
    return underway.handIn(
        batch,
        puts,
        () -> {
          for (var pair : pairs) {
            unsettled.remove(pair.source());
            pair.source().modseq = now;
            pair.source().expunged = true;
            target.add(pair.target());
            unsettled.add(pair.target());
          }
          for (int source : sources) {
            mailboxOf(source).removeExpunged();
          }
        });
  }

  /// The message, octet for octet as it was accepted, lines ended by CRLF. Works for an expunged
  /// entry until compaction has removed it; then, or when the document is damaged there,
  /// `IOException`.
  public InputStream open(Entry entry) throws IOException {
    for (int attempt = 0; attempt < 3; attempt++) {
      load();
      var doc = document;
      if (doc == null) {
        // A rewrite is putting a new document in place, or the account is being closed.
        writer.lock();
        try {
          load();
          doc = opened();
        } finally {
          writer.unlock();
        }
      }
      long offset = entry.offset;
      long ledger = entry.ledgerOffset();
      int head = (int) (entry.textOffset() - ledger);
      if (!doc.retain()) {
        continue;
      }
      if (entry.offset != offset || !doc.equals(document)) {
        doc.close();
        continue;
      }
      var first = new byte[(int) Math.min(32 * 1024, (long) head + entry.length)];
      int n = doc.file.read(ByteBuffer.wrap(first), ledger);
      var line = Ledger.parseLine(first, 0, n);
      if (n == first.length
          && line != null
          && line.id() == entry.id
          && line.token().equals(token)) {
        return new WireForm(
            doc.file, ledger + n, first, head, entry.length, entry.quoted, entry.crc, doc);
      }
      doc.close();
      lookOutside(true);
      if (entry.expunged && entry.offset == offset) {
        throw new IOException("message " + entry.id + " has been expunged");
      }
    }
    throw new DamagedException(
        name + ": entry " + entry.id + " is not where it was, at octet " + entry.offset);
  }

  /// How much there is, for quotas.
  public Usage usage() throws IOException {
    load();
    state.lock();
    try {
      long octets = 0;
      long messages = 0;
      for (var mailbox : mailboxes.values()) {
        octets += mailbox.octets;
        messages += mailbox.count;
      }
      return new Usage(octets, messages);
    } finally {
      state.unlock();
    }
  }

  /// What IMAP and others ask of a message's header and structure, from the index or, the first
  /// time, from the text. Reading the text of a large message for it is bounded in memory.
  public Summary summary(Entry entry) throws IOException {
    load();
    return index.summary(entry);
  }

  // What follows is for the store.

  /// Takes the writer lock, with the document read and as we left it.
  void begin() throws IOException {
    writer.lock();
    boolean ready = false;
    try {
      store.journal().check();
      load();
      lookOutside(false);
      ready = true;
    } finally {
      if (!ready) {
        writer.unlock();
      }
    }
  }

  /// Begins a change: takes the writer lock and keeps other programs away, with the document as we
  /// left it. To be ended by `endChange`.
  void beginChange() throws IOException {
    begin();
    boolean ready = false;
    try {
      hold();
      ready = true;
    } finally {
      if (!ready) {
        writer.unlock();
      }
    }
  }

  /// The same, with the entries known.
  void beginChangeOfEntries() throws IOException {
    begin();
    boolean ready = false;
    try {
      fill();
      hold();
      ready = true;
    } finally {
      if (!ready) {
        writer.unlock();
      }
    }
  }

  /// Ends what `beginChange` began. What was handed in and is not in the document yet keeps other
  /// programs away further.
  void endChange() {
    documentLock.letGo();
    writer.unlock();
  }

  /// Keeps other programs away, with what they did taken in. Called with the writer lock.
  void hold() throws IOException {
    for (int attempt = 0; !documentLock.tryHold(); attempt++) {
      if (attempt == HOLD_ATTEMPTS) {
        throw new IOException(name + " is changed by another program again and again");
      }
      lookOutside(true);
    }
  }

  /// Knows at least what deliveries must: the table, and how much there is.
  void load() throws IOException {
    usedNanos = System.nanoTime();
    if (loaded) {
      return;
    }
    writer.lock();
    try {
      if (!loaded) {
        store.journal().checkOpen();
        if (store.disk().facts(path).isPresent()) {
          reader.read();
        } else {
          reader.begin();
        }
        loaded = true;
        if (foreign) {
          foreign = false;
          takeover.reconcile(store.disk().facts(path).orElse(null));
        } else {
          takeover.importIncoming();
        }
        reader.settleTouched();
      }
    } finally {
      writer.unlock();
    }
  }

  /// Knows the entries too.
  void fill() throws IOException {
    load();
    if (full) {
      return;
    }
    writer.lock();
    try {
      load();
      if (full) {
        return;
      }
      underway.drain();
      if (reader.readEntries()) {
        reader.settleTouched();
      } else {
        // The catalogue was wrong, or the text is damaged: the document itself is asked.
        readAnew();
      }
    } finally {
      writer.unlock();
    }
  }

  /// Puts a document written anew in the place of this one. Called with the writer lock, other
  /// programs kept away and nothing pending.
  ///
  /// @param head its account entry
  /// @param places gives entries their new places; run when the new document is there, with the
  ///   state lock
  void replace(Rewriter rewriter, long generation, Compaction.Head head, Runnable places)
      throws IOException {
    boolean done = false;
    Closeable lock;
    try {
      // Nobody knows the new file yet, so nobody can have its lock.
      lock = rewriter.file().tryLock();
      rewriter.force();
      rewriter.takePlace();
      store.journal().counts.rewrites.increment();
      done = true;
    } catch (Store.ForceException e) {
      done = true;
      store.journal().fail(e);
      throw e;
    } finally {
      if (!done) {
        rewriter.discard();
      }
    }
    apply.lock();
    try {
      var before = document;
      document = null;
      state.lock();
      try {
        deadOctets = 0;
        deadSinceSeconds = Long.MAX_VALUE;
        dirtySince = Long.MAX_VALUE;
        folderDirty = false;
        places.run();
      } finally {
        state.unlock();
      }
      end = rewriter.end();
      room = head.room();
      tableText = head.text();
      index.forgetRows();
      document = new Document(rewriter.file(), generation);
      documentLock.handOver(lock);
      if (before != null) {
        before.close();
      }
      remember();
    } finally {
      apply.unlock();
    }
  }

  /// Reads the document from its beginning, whatever the catalogue says. Called with the writer
  /// lock, nothing pending or unsettled, and no view.
  private void readAnew() throws IOException {
    var catalogue = store.catalogue();
    if (catalogue != null) {
      catalogue.remove(name);
    }
    apply.lock();
    try {
      loaded = false;
      var doc = document;
      document = null;
      if (doc != null) {
        doc.close();
      }
    } finally {
      apply.unlock();
    }
    load();
  }

  /// How often what another program did is taken in before a change is refused.
  private static final int HOLD_ATTEMPTS = 5;

  /// Makes the document, if there is none yet. Called with the writer lock.
  void create() throws IOException {
    if (created || !needsCreate) {
      return;
    }
    var batch = new Batch();
    addCreate(batch);
    underway.commit(batch, List.of(), () -> {});
  }

  /// Adds the creation of the document to its first batch.
  void addCreate(Batch batch) {
    if (needsCreate) {
      batch.create(name, createOctets);
    }
  }

  Document opened() throws IOException {
    var doc = document;
    if (doc == null) {
      throw new IOException(name + " is not open");
    }
    return doc;
  }

  long generation() {
    var doc = document;
    return doc == null ? 1 : doc.generation;
  }

  List<AccountEntry.Row> rows() {
    var rows = new ArrayList<AccountEntry.Row>();
    for (var mailbox : mailboxes.values()) {
      rows.add(mailbox.row());
    }
    return rows;
  }

  static byte[] join(byte[] a, byte[] b) {
    var joined = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, joined, a.length, b.length);
    return joined;
  }

  Ledger ledger(Entry entry, Marks marks, long modseq, boolean dead) {
    var mailbox = mailboxes.get(entry.mailbox);
    return new Ledger(
        token,
        entry.id,
        entry.uid,
        modseq,
        entry.savedSeconds,
        entry.length,
        entry.sizeOctets,
        entry.crc,
        dead ? Ledger.State.DEAD : Ledger.State.LIVE,
        entry.quoted,
        marks,
        mailbox != null && entry.uid < mailbox.firstRecent,
        entry.mailbox,
        mailbox == null ? "" : mailbox.name,
        entry.keywordsRoom,
        entry.mailboxRoom);
  }

  /// Commits a change of the table alone.
  private void commitTable(
      List<AccountEntry.Row> rows,
      Collection<String> subscriptions,
      long modseq,
      int nextMailbox,
      Runnable effect)
      throws IOException {
    var batch = new Batch();
    var puts = new ArrayList<Underway.Put>();
    putTable(batch, puts, rows, subscriptions, modseq, nextMailbox);
    this.modseq = modseq;
    this.nextMailbox = nextMailbox;
    if (batch.length() > 0) {
      underway.commit(batch, puts, effect);
    }
    tell();
  }

  /// Adds to a batch what is different in the table.
  private void putTable(
      Batch batch,
      List<Underway.Put> puts,
      List<AccountEntry.Row> rows,
      Collection<String> subscriptions,
      long modseq,
      int nextMailbox)
      throws IOException {
    var table =
        new AccountEntry.Table(
            address, modseq, nextId, nextMailbox, rows, List.copyOf(subscriptions));
    var text = new AccountEntry(token, generation(), made, room, table).formatText();
    if (text == null) {
      compaction.rewrite(AccountEntry.roomFor(table, room * 2));
      text = new AccountEntry(token, generation(), made, room, table).formatText();
      if (text == null) {
        throw new IllegalStateException("the table does not fit the room made for it");
      }
    }
    int first = Arrays.mismatch(tableText, text);
    if (first < 0) {
      return;
    }
    int last = text.length;
    while (last > first && tableText[last - 1] == text[last - 1]) {
      last--;
    }
    var change = ByteBuffer.wrap(text, first, last - first).slice();
    long offset = AccountEntry.textOffset() + (long) first;
    batch.put(name, generation(), offset, change);
    puts.add(new Underway.Put(offset, change));
    tableText = text;
  }

  /// Puts entries at the end of the document, small ones by value, large ones ahead of their batch.
  /// Called with the writer lock, by operations of this account alone. The entries' places are set
  /// already.
  private void insert(List<Insertion> insertions, Consumer<Batch> more, Runnable effect)
      throws IOException {
    long octets = 0;
    for (var insertion : insertions) {
      octets += insertion.octets();
    }
    if (octets <= Math.min(BY_VALUE_MAX, store.journal().batchMax() / 2)) {
      var batch = new Batch();
      var puts = new ArrayList<Underway.Put>();
      for (var insertion : insertions) {
        var slices = slices(insertion);
        batch.put(name, generation(), end, duplicates(slices));
        puts.add(new Underway.Put(end, slices));
        end += insertion.octets();
      }
      more.accept(batch);
      underway.commit(batch, puts, effect);
      return;
    }
    store.commitLarge(List.of(new LargeInsertion(this, insertions, octets, more, effect)));
  }

  static ByteBuffer[] duplicates(ByteBuffer[] slices) {
    var copies = new ByteBuffer[slices.length];
    for (int i = 0; i < slices.length; i++) {
      copies[i] = slices[i].duplicate();
    }
    return copies;
  }

  /// The octets of an insertion, those of a file read into memory.
  static ByteBuffer[] slices(Insertion insertion) throws IOException {
    var text = insertion.text();
    ByteBuffer body;
    if (text.memory() != null) {
      body = ByteBuffer.wrap(text.memory(), 0, (int) text.length()).slice();
    } else {
      body = ByteBuffer.allocate((int) text.length());
      if (text.file() != null && text.length() > 0) {
        text.file().read(body, text.position());
        if (body.hasRemaining()) {
          throw new DamagedException("a text of " + text.length() + " octets ends early");
        }
      }
      body.flip();
    }
    return new ByteBuffer[] {
      ByteBuffer.wrap(insertion.head()),
      ByteBuffer.wrap(text.prefix()),
      body,
      ByteBuffer.wrap(insertion.tail())
    };
  }

  /// Whether all that was committed can be seen: not while the document cannot be written and
  /// changes wait in the journal, nor for the moment in which one is on its way.
  public boolean isCaughtUp() {
    return underway.isEmpty();
  }

  void remember() throws IOException {
    facts = store.disk().facts(path).orElse(null);
    lookedNanos = System.nanoTime();
  }

  /// Remembers the document as we leave it, before other programs are let in.
  void rememberIfPossible() {
    try {
      remember();
    } catch (IOException e) {
      // Without facts the next look takes the document for changed and reads it again.
      facts = null;
    }
  }

  /// Looks whether another program has changed the document, at most once a second, and if so takes
  /// the changes in.
  void lookOutside() throws IOException {
    lookOutside(false);
  }

  /// The same for a thread that must not wait for the writer lock.
  void lookOutsideUnlessBusy() throws IOException {
    if (writer.tryLock()) {
      try {
        lookOutside(false);
      } finally {
        writer.unlock();
      }
    }
  }

  void lookOutside(boolean now) throws IOException {
    long nanos = System.nanoTime();
    if (!loaded || (!now && nanos - lookedNanos < store.lookNanos())) {
      return;
    }
    writer.lock();
    try {
      if (!underway.isEmpty() || document == null || holdSince != Long.MAX_VALUE) {
        // What is behind the last entry may be ours: of a batch on its way, or one that a journal
        // which has failed may hold or not.
        return;
      }
      lookedNanos = nanos;
      var seen = store.disk().facts(path).orElse(null);
      if (Objects.equals(seen, facts)) {
        return;
      }
      if (full) {
        takeover.reconcile(seen);
      } else {
        readAnew();
      }
    } finally {
      writer.unlock();
    }
    tell();
  }

  /// Whether something waits to be settled.
  boolean dirty() {
    state.lock();
    try {
      return dirtySince != Long.MAX_VALUE || !underway.isEmpty();
    } finally {
      state.unlock();
    }
  }

  /// Entries whose changed marks wait to be written in place.
  int ledgersUnsettled() {
    state.lock();
    try {
      return unsettled.size();
    } finally {
      state.unlock();
    }
  }

  /// The least number of a batch of this account that is not yet in a forced document.
  long unsettledSince() {
    state.lock();
    try {
      return Math.min(Math.min(dirtySince, holdSince), underway.bound());
    } finally {
      state.unlock();
    }
  }

  /// What an open account takes of memory, and each of its entries, about.
  private static final int OPEN_OCTETS = 8 << 10;

  private static final int ENTRY_OCTETS = 96;

  /// Memory it takes, about.
  long memoryOctets() {
    if (!loaded) {
      return 0;
    }
    long octets = OPEN_OCTETS;
    state.lock();
    try {
      for (var mailbox : mailboxes.values()) {
        octets += (long) mailbox.visible().size() * ENTRY_OCTETS;
      }
    } finally {
      state.unlock();
    }
    return octets;
  }

  boolean isOpen() {
    return loaded;
  }

  /// Writes into the catalogue what is settled, if nobody is changing the account just now.
  void note() {
    if (loaded && writer.tryLock()) {
      try {
        if (loaded) {
          index.note();
        }
      } finally {
        writer.unlock();
      }
    }
  }

  /// When it was last used, by `System.nanoTime`.
  long usedNanos() {
    return usedNanos;
  }

  /// Brings all into the document, forced, and the index up to date and closed. Called with the
  /// writer lock, so nothing new comes.
  void rest() throws IOException {
    underway.drain();
    for (int i = 0; dirty() && i < 100; i++) {
      store.settleOne(this);
    }
    if (dirty()) {
      throw new IOException(name + " does not come to rest; its document cannot be written");
    }
    index.write();
    index.close();
  }

  /// Forgets all that is known of the document, which is settled first: the next use reads it.
  /// Views find their mailboxes gone. Called with the writer lock.
  void forget() throws IOException {
    if (!loaded) {
      return;
    }
    underway.drain();
    if (document != null) {
      lookOutside(true);
      rest();
    } else {
      index.close();
    }
    state.lock();
    try {
      for (var mailbox : mailboxes.values()) {
        mailbox.gone = true;
        mailbox.visible().forEach(entry -> entry.expunged = true);
        mailbox.views.forEach(View::removed);
      }
    } finally {
      state.unlock();
    }
    loaded = false;
    var doc = document;
    if (doc != null) {
      document = null;
      doc.close();
    }
    tell();
  }

  /// The greatest id given out so far, 0 when none was.
  public long lastId() throws IOException {
    begin();
    try {
      return nextId - 1;
    } finally {
      writer.unlock();
    }
  }

  /// Keeps the account open, and so its entries the same objects, until as many `release`.
  public void retain() {
    retained.incrementAndGet();
  }

  /// Ends what `retain` began.
  public void release() {
    retained.decrementAndGet();
  }

  /// Closes the document of an account that nobody has used for a while; whether it did.
  boolean closeIfIdle(long nanos) throws IOException {
    if (!loaded
        || retained.get() > 0
        || System.nanoTime() - usedNanos < nanos
        || dirty()
        || !writer.tryLock()) {
      return false;
    }
    try {
      state.lock();
      try {
        for (var mailbox : mailboxes.values()) {
          if (!mailbox.views.isEmpty()) {
            return false;
          }
        }
      } finally {
        state.unlock();
      }
      if (dirty()) {
        return false;
      }
      close();
      return true;
    } finally {
      writer.unlock();
    }
  }

  /// Writes the index and closes the document; all is settled.
  void close() throws IOException {
    writer.lock();
    try {
      if (loaded) {
        index.write();
      }
      index.close();
      loaded = false;
      var doc = document;
      if (doc != null) {
        document = null;
        doc.close();
      }
    } finally {
      writer.unlock();
    }
  }

  // Telling sessions.

  /// Called under the state lock.
  void changed(View view) {
    toTell.add(view);
  }

  void watch(View view, boolean on) {
    if (on) {
      watching.addIfAbsent(view);
    } else {
      watching.remove(view);
    }
    store.watch(this, !watching.isEmpty());
  }

  /// Calls the listeners of views that something changed for.
  void tell() {
    List<View> views;
    state.lock();
    try {
      if (toTell.isEmpty()) {
        return;
      }
      views = List.copyOf(toTell);
      toTell.clear();
    } finally {
      state.unlock();
    }
    views.forEach(View::tell);
  }
}
