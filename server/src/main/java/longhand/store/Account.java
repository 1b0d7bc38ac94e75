package longhand.store;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import longhand.disk.Disk;
import longhand.index.AccountIndex;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.ReversePath;
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

  /// Ledgers in one batch: bounded, so that no change is too large for the journal.
  private static final int CHANGES_MAX = 4000;

  /// Messages longer than this are put in place ahead of their batch.
  private static final int BY_VALUE_MAX = 1 << 20;

  /// The last second of the year 5137: as far as eleven digits go.
  private static final long SAVED_MAX = 99_999_999_999L;

  private static final int MAILBOXES_MAX = 10_000;
  private static final int NAME_OCTETS_MAX = 255;
  private static final int LEVELS_MAX = 16;

  /// Octets to put at an offset once the batch that says so is durable.
  private record Put(long offset, ByteBuffer... slices) {}

  /// A batch handed in and not yet seen in the document.
  private static final class Pending {
    final long bound;
    final List<Put> puts;
    final Runnable effect;
    byte @Nullable [] create;
    volatile Journal.@Nullable Ticket ticket;

    Pending(long bound, List<Put> puts, Runnable effect) {
      this.bound = bound;
      this.puts = puts;
      this.effect = effect;
    }
  }

  final ReentrantLock writer = new ReentrantLock();
  final ReentrantLock apply = new ReentrantLock();
  final ReentrantLock state = new ReentrantLock();

  private final Store store;
  private final Address address;
  private final String name;
  private final Path path;

  // Guarded by `writer`.
  private boolean created;
  private boolean needsCreate;

  /// Whether the document holds, behind what was read, something that is not ours.
  private boolean foreign;

  private Instant made = Instant.EPOCH;
  private int room;
  private byte[] tableText = new byte[0];
  private long end;
  private long nextId;
  private long modseq;
  private int nextMailbox;

  private volatile boolean loaded;
  private volatile long usedNanos;
  private volatile String token = "";
  private volatile @Nullable Document document;

  // Guarded by `apply`.
  private final ConcurrentLinkedDeque<Pending> pending = new ConcurrentLinkedDeque<>();
  private boolean folderDirty;
  private Disk.@Nullable Facts facts;
  private long lookedNanos;

  // Guarded by `state`.
  private final TreeMap<Integer, MailboxState> mailboxes = new TreeMap<>();
  private final TreeSet<String> subscriptions = new TreeSet<>();
  private Set<Entry> unsettled = new LinkedHashSet<>();
  private long dirtySince = Long.MAX_VALUE;
  private long holdSince = Long.MAX_VALUE;
  private long deadOctets;
  private long deadSinceSeconds = Long.MAX_VALUE;
  private final Set<View> toTell = new LinkedHashSet<>();
  private final CopyOnWriteArrayList<View> watching = new CopyOnWriteArrayList<>();

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
    begin();
    try {
      create();
      checkName(name);
      if (find(name) != null) {
        throw new MailboxException(
            MailboxException.Reason.ALREADYEXISTS, "A mailbox of that name exists.");
      }
      if (mailboxes.size() >= MAILBOXES_MAX) {
        throw new MailboxException(
            MailboxException.Reason.LIMIT, "There are " + MAILBOXES_MAX + " mailboxes already.");
      }
      long validity = store.clock().instant().getEpochSecond();
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
      writer.unlock();
    }
  }

  private static void checkName(String name) throws MailboxException {
    int levels = 1;
    int octets = 0;
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (Character.isISOControl(c) || (Character.isSurrogate(c) && !paired(name, i))) {
        throw new MailboxException(
            MailboxException.Reason.CANNOT, "A mailbox name holds no control characters.");
      }
      octets += c < 0x80 ? 1 : c < 0x800 ? 2 : Character.isSurrogate(c) ? 2 : 3;
      if (c == '/') {
        levels++;
        if (i == 0 || i == name.length() - 1 || name.charAt(i - 1) == '/') {
          throw new MailboxException(
              MailboxException.Reason.CANNOT, "A level of a mailbox name is not empty.");
        }
        octets = 0;
      }
      if (octets > NAME_OCTETS_MAX) {
        throw new MailboxException(
            MailboxException.Reason.LIMIT,
            "A level of a mailbox name has at most " + NAME_OCTETS_MAX + " octets.");
      }
    }
    if (name.isEmpty() || levels > LEVELS_MAX) {
      throw new MailboxException(
          MailboxException.Reason.CANNOT, "A mailbox name has 1 to " + LEVELS_MAX + " levels.");
    }
  }

  private static boolean paired(String name, int at) {
    return Character.isHighSurrogate(name.charAt(at))
        ? at + 1 < name.length() && Character.isLowSurrogate(name.charAt(at + 1))
        : at > 0 && Character.isHighSurrogate(name.charAt(at - 1));
  }

  /// Gives mailboxes other names, all or none.
  public void rename(Map<Integer, String> names) throws IOException, MailboxException {
    begin();
    try {
      create();
      var taken = new TreeSet<String>();
      var rows = new ArrayList<AccountEntry.Row>();
      for (var row : rows()) {
        var to = names.getOrDefault(row.number(), row.name());
        checkName(to);
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
      writer.unlock();
    }
  }

  /// Removes a mailbox and its messages. INBOX stays: `MailboxException`.
  public void delete(int number) throws IOException, MailboxException {
    begin();
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
      var entries = Arrays.copyOf(mailbox.entries, mailbox.count);
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
      writer.unlock();
    }
  }

  /// Marks entries dead in the text as well, for mbox readers; nothing depends on it.
  private void writeDead(Entry[] entries) throws IOException {
    for (int from = 0; from < entries.length; from += CHANGES_MAX) {
      var batch = new Batch();
      var some = Arrays.asList(entries).subList(from, Math.min(entries.length, from + CHANGES_MAX));
      for (var entry : some) {
        putLedger(batch, ledger(entry, entry.marks, entry.modseq, true), entry);
      }
      commit(batch, List.of(), () -> unsettled.addAll(some));
    }
  }

  /// Subscribes to a name, or no longer.
  public void subscribe(String name, boolean subscribed) throws IOException, MailboxException {
    begin();
    try {
      create();
      checkName(name);
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
      writer.unlock();
    }
  }

  /// Opens a mailbox for a session. With `readWrite` the session takes the recent messages.
  public View view(int mailbox, boolean readWrite) throws IOException, MailboxException {
    begin();
    try {
      create();
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

  private MailboxState require(int number) throws MailboxException {
    var mailbox = mailboxes.get(number);
    if (mailbox == null) {
      throw new MailboxException(
          MailboxException.Reason.NONEXISTENT, "There is no such mailbox any more.");
    }
    return mailbox;
  }

  private MailboxState mailboxOf(int number) {
    var mailbox = mailboxes.get(number);
    if (mailbox == null) {
      throw new IllegalStateException("mailbox " + number + " is gone");
    }
    return mailbox;
  }

  /// Changes marks. Entries expunged meanwhile are passed over. Gives those whose marks are
  /// different now, with their new modseq.
  public List<Entry> mark(Collection<Entry> entries, Change change, Marks marks)
      throws IOException {
    begin();
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
      for (int from = 0; from < changed.size(); from += CHANGES_MAX) {
        int to = Math.min(changed.size(), from + CHANGES_MAX);
        remark(changed.subList(from, to), wanted.subList(from, to), now);
      }
      return changed;
    } finally {
      writer.unlock();
      tell();
    }
  }

  private void remark(List<Entry> changed, List<Marks> wanted, long now) throws IOException {
    var batch = new Batch();
    var narrow = new ArrayList<Integer>();
    for (int i = 0; i < changed.size(); i++) {
      var entry = changed.get(i);
      if (Ledger.fits(wanted.get(i), entry.keywordsRoom)) {
        putLedger(batch, ledger(entry, wanted.get(i), now, false), entry);
      } else {
        narrow.add(i);
      }
    }
    if (batch.length() > 0) {
      commit(
          batch,
          List.of(),
          () -> {
            for (int i = 0; i < changed.size(); i++) {
              if (!narrow.contains(i)) {
                mailboxOf(changed.get(i).mailbox).remark(changed.get(i), wanted.get(i), now);
                unsettled.add(changed.get(i));
              }
            }
          });
    }
    for (int i : narrow) {
      appendAnew(changed.get(i), wanted.get(i), now);
    }
  }

  /// Puts an entry whose keywords have outgrown their room at the end with a wider ledger; the old
  /// one dies.
  private void appendAnew(Entry entry, Marks marks, long now) throws IOException {
    var doc = opened();
    var from = new byte[entry.fromLength];
    if (doc.file.read(ByteBuffer.wrap(from), entry.offset) < from.length) {
      throw new DamagedException(name + " ends within entry " + entry.id);
    }
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
    var text =
        new Text(
            new byte[0],
            null,
            doc.file,
            entry.textOffset(),
            entry.length,
            entry.quoted,
            entry.sizeOctets);
    var head = join(from, ledger.format());
    // A place for the old copy, so that it can be marked dead without the entry itself.
    var old = copyPlace(entry);
    var insertion = new Insertion(entry, head, text, text.tail());
    long offset = end;
    var dead = ledger(entry, entry.marks, now, true);
    insert(
        List.of(insertion),
        batch -> putLedger(batch, dead, old),
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

  private static Entry copyPlace(Entry entry) {
    var copy =
        new Entry(
            entry.mailbox,
            entry.id,
            entry.uid,
            entry.modseq,
            entry.sizeOctets,
            entry.savedSeconds,
            entry.length,
            entry.crc,
            entry.quoted,
            entry.marks);
    copy.place(entry.offset, entry.fromLength, entry.keywordsRoom, entry.mailboxRoom);
    return copy;
  }

  /// Expunges entries, whatever their marks; those already gone are passed over. Gives those it
  /// removed.
  public List<Entry> expunge(Collection<Entry> entries) throws IOException {
    begin();
    try {
      var removed = new ArrayList<Entry>();
      var touched = new TreeSet<Integer>();
      for (var entry : entries) {
        if (!entry.expunged) {
          removed.add(entry);
          touched.add(entry.mailbox);
        }
      }
      for (int from = 0; from < removed.size(); from += CHANGES_MAX) {
        var some = removed.subList(from, Math.min(removed.size(), from + CHANGES_MAX));
        long now = ++modseq;
        var batch = new Batch();
        for (var entry : some) {
          putLedger(batch, ledger(entry, entry.marks, now, true), entry);
        }
        commit(
            batch,
            List.of(),
            () -> {
              for (var entry : some) {
                entry.modseq = now;
                entry.expunged = true;
                unsettled.add(entry);
                died(entry);
              }
              for (int mailbox : touched) {
                mailboxOf(mailbox).removeExpunged();
              }
            });
      }
      return removed;
    } finally {
      writer.unlock();
      tell();
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
    begin();
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
        var from = new byte[entry.fromLength];
        if (doc.file.read(ByteBuffer.wrap(from), entry.offset) < from.length) {
          throw new DamagedException(name + " ends within entry " + entry.id);
        }
        var text =
            new Text(
                new byte[0],
                null,
                doc.file,
                entry.textOffset(),
                entry.length,
                entry.quoted,
                entry.sizeOctets);
        var twin =
            new Entry(
                mailbox,
                id++,
                uid++,
                now,
                entry.sizeOctets,
                entry.savedSeconds,
                entry.length,
                entry.crc,
                entry.quoted,
                entry.marks);
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
      writer.unlock();
      tell();
    }
  }

  private static void checkUids(long next) throws MailboxException {
    if (next > 0xffff_fffeL) {
      throw new MailboxException(
          MailboxException.Reason.LIMIT, "The mailbox has given out all its UIDs.");
    }
  }

  /// Moves entries to a mailbox, ids, marks and dates kept (RFC 6851).
  public List<Copied> move(Collection<Entry> entries, int mailbox)
      throws IOException, MailboxException {
    begin();
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
      for (int from = 0; from < live.size(); from += CHANGES_MAX) {
        moveSome(live.subList(from, Math.min(live.size(), from + CHANGES_MAX)), target, moved);
      }
      return moved;
    } finally {
      writer.unlock();
      tell();
    }
  }

  private void moveSome(List<Entry> entries, MailboxState target, List<Copied> moved)
      throws IOException {
    long now = ++modseq;
    var batch = new Batch();
    var puts = new ArrayList<Put>();
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
    for (var entry : entries) {
      var twin =
          new Entry(
              target.number,
              entry.id,
              target.nextUid++,
              now,
              entry.sizeOctets,
              entry.savedSeconds,
              entry.length,
              entry.crc,
              entry.quoted,
              entry.marks);
      twin.place(entry.offset, entry.fromLength, entry.keywordsRoom, entry.mailboxRoom);
      putLedger(batch, ledger(twin, twin.marks, now, false), twin);
      pairs.add(new Copied(entry, twin));
    }
    commit(
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
    moved.addAll(pairs);
  }

  /// The message, octet for octet as it was accepted, lines ended by CRLF. Works for an expunged
  /// entry until compaction has removed it; then, or when the document is damaged there,
  /// `IOException`.
  public InputStream open(Entry entry) throws IOException {
    load();
    for (int attempt = 0; attempt < 3; attempt++) {
      var doc = document;
      if (doc == null) {
        // A rewrite is putting a new document in place.
        LockSupport.parkNanos(1_000_000);
        attempt--;
        continue;
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

  private void load() throws IOException {
    usedNanos = System.nanoTime();
    if (loaded) {
      return;
    }
    writer.lock();
    try {
      if (!loaded) {
        if (store.disk().facts(path).isPresent()) {
          read();
        } else {
          fresh();
        }
        loaded = true;
        if (foreign) {
          foreign = false;
          reconcile(store.disk().facts(path).orElse(null));
        }
      }
    } finally {
      writer.unlock();
    }
  }

  /// An account without a document: it is made by the first batch.
  private void fresh() {
    made = store.clock().instant();
    token = store.newToken();
    nextId = 1;
    modseq = 0;
    nextMailbox = 1;
    long validity = made.getEpochSecond();
    state.lock();
    try {
      mailboxes.clear();
      subscriptions.clear();
      addFresh("INBOX", Role.INBOX, validity);
      addFresh("Archive", Role.ARCHIVE, validity);
      addFresh("Drafts", Role.DRAFTS, validity);
      addFresh("Junk", Role.JUNK, validity);
      addFresh("Sent", Role.SENT, validity);
      addFresh("Trash", Role.TRASH, validity);
    } finally {
      state.unlock();
    }
    var table = new AccountEntry.Table(address, 0, 1, nextMailbox, rows(), List.of());
    room = AccountEntry.roomFor(table, 0);
    var entry = new AccountEntry(token, 1, made, room, table);
    var text = entry.formatText();
    var whole = entry.format();
    if (text == null || whole == null) {
      throw new IllegalStateException("a fresh table does not fit");
    }
    tableText = text;
    end = whole.length;
    createOctets = whole;
    created = false;
    needsCreate = true;
  }

  private byte[] createOctets = new byte[0];

  private void addFresh(String name, Role role, long validity) {
    mailboxes.put(
        nextMailbox,
        new MailboxState(new AccountEntry.Row(nextMailbox, name, role, validity, 1, 1, true)));
    nextMailbox++;
  }

  /// Reads the document: the account entry, and the head of every entry.
  private void read() throws IOException {
    var file = store.disk().open(path, Disk.Mode.WRITE);
    boolean done = false;
    try {
      var seen = store.disk().facts(path).orElseThrow();
      long size = file.size();
      var head = new byte[(int) Math.min(size, 1 << 16)];
      file.read(ByteBuffer.wrap(head), 0);
      var line = Ledger.parseLine(head, AccountEntry.textOffset() - Ledger.LINE, head.length);
      if (line != null && line.length() + AccountEntry.textOffset() > head.length) {
        head = new byte[(int) Math.min(size, line.length() + AccountEntry.textOffset() + 1)];
        file.read(ByteBuffer.wrap(head), 0);
      }
      var entry = AccountEntry.parse(head, head.length, address);
      state.lock();
      try {
        readTable(entry);
        if (!readIndex(entry, seen)) {
          readEntries(file, size);
        }
      } finally {
        state.unlock();
      }
      facts = seen;
      document = new Document(file, entry.generation());
      created = true;
      needsCreate = false;
      done = true;
    } finally {
      if (!done) {
        file.close();
      }
    }
  }

  private void readTable(AccountEntry entry) throws IOException {
    token = entry.token();
    made = entry.made();
    room = entry.room();
    nextId = entry.table().id();
    modseq = entry.table().modseq();
    nextMailbox = entry.table().mailbox();
    mailboxes.clear();
    subscriptions.clear();
    subscriptions.addAll(entry.table().subscriptions());
    for (var row : entry.table().rows()) {
      mailboxes.put(row.number(), new MailboxState(row));
    }
    if (!mailboxes.containsKey(Mailbox.INBOX)) {
      throw new DamagedException(name + ": the account entry names no INBOX");
    }
    tableText = java.util.Objects.requireNonNullElse(entry.formatText(), new byte[0]);
    deadOctets = 0;
    deadSinceSeconds = Long.MAX_VALUE;
    unsettled = new LinkedHashSet<>();
    indexedModseq = -1;
  }

  /// Takes the entries from the index, when that was made of the document as it is; whether it was.
  private boolean readIndex(AccountEntry entry, Disk.Facts seen) {
    var index = store.openIndex(path);
    if (index == null) {
      return false;
    }
    boolean whole = false;
    try (index) {
      var octets = index.head();
      var head = octets == null || octets.length == 0 ? null : IndexRows.unpack(octets);
      if (head == null
          || !head.token().equals(token)
          || head.generation() != entry.generation()
          || !head.facts().equals(seen)
          || !head.mailboxes().keySet().equals(mailboxes.keySet())) {
        return false;
      }
      var entries = new ArrayList<Entry>(head.entries());
      for (int part = 0; entries.size() < head.entries(); part++) {
        var rows = index.rows(part);
        if (rows == null) {
          return false;
        }
        entries.addAll(IndexRows.unpackEntries(rows));
      }
      for (var one : entries) {
        mailboxOf(one.mailbox).add(one);
      }
      for (var mailbox : head.mailboxes().entrySet()) {
        var state = mailboxOf(mailbox.getKey());
        state.nextUid = mailbox.getValue();
        state.floor = state.nextUid;
        state.highestModseq = head.modseq();
      }
      end = head.end();
      nextId = head.nextId();
      modseq = head.modseq();
      indexedModseq = modseq;
      deadOctets = head.deadOctets();
      if (deadOctets > 0) {
        deadSinceSeconds = store.clock().instant().getEpochSecond();
      }
      foreign = false;
      whole = true;
      return true;
    } catch (IOException | RuntimeException e) {
      System.getLogger(Account.class.getName())
          .log(
              System.Logger.Level.WARNING,
              name + ": the index is damaged; reading the document",
              e);
      return false;
    } finally {
      if (!whole) {
        for (var mailbox : mailboxes.values()) {
          mailbox.clear();
        }
      }
    }
  }

  /// Writes the index of the document as it is, everything being settled. With the writer lock.
  private void writeIndex() {
    var seen = facts;
    var doc = document;
    if (seen == null || doc == null || indexedModseq == modseq || !pending.isEmpty()) {
      return;
    }
    var index = openIndex();
    if (index == null) {
      return;
    }
    var parts = new ArrayList<byte[]>();
    byte[] head;
    state.lock();
    try {
      if (!unsettled.isEmpty()) {
        return;
      }
      var entries = new ArrayList<Entry>();
      var numbers = new TreeMap<Integer, Long>();
      for (var mailbox : mailboxes.values()) {
        entries.addAll(Arrays.asList(mailbox.entries).subList(0, mailbox.count));
        numbers.put(mailbox.number, mailbox.nextUid);
      }
      head =
          IndexRows.pack(
              new IndexRows.Head(
                  token,
                  doc.generation,
                  seen,
                  end,
                  nextId,
                  modseq,
                  deadOctets,
                  entries.size(),
                  numbers));
      for (int from = 0; from < entries.size(); from += IndexRows.PART) {
        parts.add(
            IndexRows.pack(entries.subList(from, Math.min(entries.size(), from + IndexRows.PART))));
      }
    } finally {
      state.unlock();
    }
    synchronized (indexLock) {
      index.write(head, parts);
    }
    indexedModseq = modseq;
  }

  private final Object indexLock = new Object();
  private @Nullable AccountIndex index;
  private long indexedModseq = -1;

  private @Nullable AccountIndex openIndex() {
    synchronized (indexLock) {
      if (index == null) {
        index = store.openIndex(path);
      }
      return index;
    }
  }

  private void closeIndex() {
    synchronized (indexLock) {
      if (index != null) {
        index.close();
        index = null;
      }
    }
  }

  /// What IMAP and others ask of a message's header and structure, from the index or, the first
  /// time, from the text. Reading the text of a large message for it is bounded in memory.
  public Summary summary(Entry entry) throws IOException {
    load();
    var kept = openIndex();
    if (kept != null) {
      byte[] octets;
      synchronized (indexLock) {
        octets = kept.summary(summaryKey(entry));
      }
      if (octets != null) {
        try {
          return Summary.fromBytes(octets);
        } catch (IllegalArgumentException e) {
          // Of another version of this program: made anew below.
        }
      }
    }
    Summary made;
    try (var in = open(entry)) {
      made = Summary.of(in);
    }
    if (kept != null) {
      var octets = made.toBytes();
      synchronized (indexLock) {
        kept.putSummary(summaryKey(entry), octets);
      }
    }
    return made;
  }

  /// The id alone would do, were an index never put beside another document.
  private static long summaryKey(Entry entry) {
    return entry.id << 32 | (entry.crc & 0xffffffffL);
  }

  /// Goes through the document for its entries.
  private void readEntries(longhand.disk.DiskFile file, long size) throws IOException {
    var live = new LinkedHashMap<Integer, List<Entry>>();
    var scan = new DocumentScan(file, AccountEntry.textOffset() + room + 1L, size, token);
    for (var found = scan.next(); found != null; found = scan.next()) {
      take(found, live);
    }
    end = scan.position();
    foreign = scan.position() < size;
    if (foreign) {
      takeOursBehind(new Outside(file, size, token), scan.position(), live);
    }
    for (var mailbox : mailboxes.values()) {
      var entries = live.getOrDefault(mailbox.number, List.of());
      var sorted = new ArrayList<>(entries);
      sorted.sort(Comparator.comparingLong(Entry::uid));
      sorted.forEach(mailbox::add);
      // Dead entries hold the UIDs that were given out, while they last. What left a mailbox by a
      // move is
      // not to be seen in it any more, so its greatest modseq may have been any up to the
      // account's.
      mailbox.floor = mailbox.nextUid;
      mailbox.highestModseq = modseq;
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
    nextId = Math.max(nextId, ledger.id() + 1);
    modseq = Math.max(modseq, ledger.modseq());
    var mailbox = mailboxes.get(ledger.mailbox());
    if (mailbox != null) {
      mailbox.nextUid = Math.max(mailbox.nextUid, ledger.uid() + 1);
    }
    if (ledger.state() == Ledger.State.DEAD || mailbox == null) {
      deadOctets += found.end() - found.offset();
      deadSinceSeconds = Math.min(deadSinceSeconds, store.clock().instant().getEpochSecond());
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
  }

  /// Makes the document, if there is none yet. Called with the writer lock.
  private void create() throws IOException {
    if (created || !needsCreate) {
      return;
    }
    var batch = new Batch();
    addCreate(batch);
    commit(batch, List.of(), () -> {});
  }

  /// Adds the creation of the document to its first batch.
  private void addCreate(Batch batch) {
    if (needsCreate) {
      batch.create(name, createOctets);
    }
  }

  private Document opened() throws IOException {
    var doc = document;
    if (doc == null) {
      throw new IOException(name + " is not open");
    }
    return doc;
  }

  private long generation() {
    var doc = document;
    return doc == null ? 1 : doc.generation;
  }

  private List<AccountEntry.Row> rows() {
    var rows = new ArrayList<AccountEntry.Row>();
    for (var mailbox : mailboxes.values()) {
      rows.add(mailbox.row());
    }
    return rows;
  }

  private static byte[] join(byte[] a, byte[] b) {
    var joined = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, joined, a.length, b.length);
    return joined;
  }

  private Ledger ledger(Entry entry, Marks marks, long modseq, boolean dead) {
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

  private void putLedger(Batch batch, Ledger ledger, Entry place) {
    batch.put(name, generation(), place.ledgerOffset(), ByteBuffer.wrap(ledger.format()));
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
    var puts = new ArrayList<Put>();
    putTable(batch, puts, rows, subscriptions, modseq, nextMailbox);
    this.modseq = modseq;
    this.nextMailbox = nextMailbox;
    if (batch.length() > 0) {
      commit(batch, puts, effect);
    }
    tell();
  }

  /// Adds to a batch what is different in the table.
  private void putTable(
      Batch batch,
      List<Put> puts,
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
      rewrite(AccountEntry.roomFor(table, room * 2));
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
    puts.add(new Put(offset, change));
    tableText = text;
  }

  /// Commits a batch of this account alone, with the writer lock held, and makes it visible.
  private void commit(Batch batch, List<Put> puts, Runnable effect) throws IOException {
    var waiting = prepare(puts, effect);
    hand(waiting, batch);
    store.journal().await(java.util.Objects.requireNonNull(waiting.ticket));
    applyDurable();
  }

  private Pending prepare(List<Put> puts, Runnable effect) {
    var waiting = new Pending(store.journal().assigned() + 1, puts, effect);
    if (needsCreate) {
      waiting.create = createOctets;
    }
    pending.add(waiting);
    return waiting;
  }

  private void hand(Pending waiting, Batch batch) throws IOException {
    boolean taken = false;
    try {
      waiting.ticket = store.journal().enqueue(batch);
      needsCreate = false;
      created = true;
      taken = true;
    } finally {
      if (!taken) {
        pending.remove(waiting);
      }
    }
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
      var puts = new ArrayList<Put>();
      for (var insertion : insertions) {
        var slices = slices(insertion);
        batch.put(name, generation(), end, duplicates(slices));
        puts.add(new Put(end, slices));
        end += insertion.octets();
      }
      more.accept(batch);
      commit(batch, puts, effect);
      return;
    }
    var work = new Large(this, insertions, octets, effect);
    store.commitLarge(List.of(work), more);
  }

  private static ByteBuffer[] duplicates(ByteBuffer[] slices) {
    var copies = new ByteBuffer[slices.length];
    for (int i = 0; i < slices.length; i++) {
      copies[i] = slices[i].duplicate();
    }
    return copies;
  }

  /// The octets of an insertion, those of a file read into memory.
  private static ByteBuffer[] slices(Insertion insertion) throws IOException {
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

  /// Entries of one account that are put in place ahead of their batch.
  record Large(Account account, List<Insertion> insertions, long octets, Runnable effect) {}

  /// What one account adds to a batch of `Store.append`.
  final class Delivery {
    private final List<Insertion> insertions = new ArrayList<>();
    private final List<MailboxState> targets = new ArrayList<>();
    private @Nullable Pending waiting;

    /// The account that is delivered to.
    Account account() {
      return Account.this;
    }

    /// Checks that the append can be done; with the writer lock, before `plan`.
    void check(Append append) throws MailboxException {
      var target = require(append.mailbox());
      checkUids(target.nextUid + 1);
    }

    /// Gives the append its place, id, UID and modseq. From here nothing may fail but the disk.
    Entry plan(Append append, Text text) throws IOException {
      var target = mailboxOf(append.mailbox());
      var from =
          AccountEntry.fromLine(
              append.reversePath().address().map(Address::toString).orElse("MAILER-DAEMON"),
              append.saved());
      var entry =
          new Entry(
              append.mailbox(),
              nextId++,
              target.nextUid++,
              ++modseq,
              Math.toIntExact(text.wireOctets()),
              Math.clamp(append.saved().getEpochSecond(), 0, SAVED_MAX),
              Math.toIntExact(text.total()),
              text.crc(),
              text.quoted(),
              append.marks());
      entry.place(planned(), from.length, Ledger.keywordsRoom(append.marks()), Ledger.MAILBOX_ROOM);
      insertions.add(
          new Insertion(
              entry,
              join(from, ledger(entry, entry.marks, entry.modseq, false).format()),
              text,
              text.tail()));
      targets.add(target);
      return entry;
    }

    private long planned() {
      long at = end;
      for (var insertion : insertions) {
        at += insertion.octets();
      }
      return at;
    }

    long octets() {
      return planned() - end;
    }

    private void show() {
      for (int i = 0; i < insertions.size(); i++) {
        targets.get(i).add(insertions.get(i).entry());
      }
    }

    /// Adds the entries to a batch by value. With `shared` their one letter is in the batch
    /// already.
    void addTo(Batch batch, boolean shared) throws IOException {
      addCreate(batch);
      var puts = new ArrayList<Put>();
      for (var insertion : insertions) {
        var slices = slices(insertion);
        if (shared) {
          var before = ByteBuffer.wrap(join(insertion.head(), insertion.text().prefix()));
          batch.putShared(name, generation(), end, before, slices[3].duplicate());
        } else {
          batch.put(name, generation(), end, duplicates(slices));
        }
        puts.add(new Put(end, slices));
        end += insertion.octets();
      }
      waiting = prepare(puts, this::show);
    }

    /// Names the ticket the batch was given.
    void handed(Journal.Ticket ticket) {
      if (waiting != null) {
        waiting.ticket = ticket;
      }
      needsCreate = false;
      created = true;
    }

    /// Takes back what `addTo` left, when the journal did not take the batch.
    void refused() {
      if (waiting != null) {
        pending.remove(waiting);
      }
    }

    /// The same as something to be put in place ahead of its batch.
    Large large() {
      return new Large(Account.this, insertions, octets(), this::show);
    }
  }

  // Large insertions, steps taken by `Store.commitLarge` with the writer lock held.

  void makeDocument() throws IOException {
    create();
  }

  void addIntent(Batch batch, long octets) {
    state.lock();
    try {
      holdSince = Math.min(holdSince, store.journal().assigned() + 1);
    } finally {
      state.unlock();
    }
    batch.intent(name, generation(), end, octets);
  }

  /// Waits until all that was handed in is in the document, so that what follows is at its end.
  void drain() throws IOException {
    while (!pending.isEmpty()) {
      store.journal().check();
      applyDurable();
      var head = pending.peek();
      if (head != null && head.ticket != null && head.ticket.durable()) {
        throw new IOException(
            name + " cannot be written now; what was accepted waits in the journal");
      }
      if (head != null) {
        store.journal().commitInline();
        LockSupport.parkNanos(50_000);
      }
    }
  }

  /// Writes large entries into the document and forces it.
  void writeAhead(List<Insertion> insertions) throws IOException {
    apply.lock();
    try (var _ = outsideLock()) {
      var file = opened().file;
      long at = end;
      for (var insertion : insertions) {
        var text = insertion.text();
        file.write(ByteBuffer.wrap(insertion.head()), at);
        at += insertion.head().length;
        file.write(ByteBuffer.wrap(text.prefix()), at);
        at += text.prefix().length;
        if (text.memory() != null) {
          file.write(ByteBuffer.wrap(text.memory(), 0, (int) text.length()), at);
        } else if (text.file() != null) {
          text.file().copyTo(text.position(), text.length(), file, at);
        }
        at += text.length();
        file.write(ByteBuffer.wrap(insertion.tail()), at);
        at += insertion.tail().length;
      }
      try {
        file.force(true);
        if (folderDirty) {
          // The journal will not hold these octets, so the file's name must not be lost either.
          store.forceFolders(path);
          folderDirty = false;
        }
      } catch (IOException e) {
        store.journal().fail(e);
        throw e;
      }
    } finally {
      apply.unlock();
    }
  }

  /// Cuts off what `writeAhead` wrote, since its batch did not come about.
  void cutAhead() {
    apply.lock();
    try {
      opened().file.truncate(end);
      remember();
    } catch (IOException e) {
      // The intent is in the journal: the next start cuts. Until then nothing more may be put
      // behind it.
      store.journal().fail(e);
    } finally {
      apply.unlock();
      release();
    }
  }

  void addReference(Batch batch, long octets) {
    batch.reference(name, generation(), end, octets);
  }

  /// Shows large entries, whose batch is durable.
  void showLarge(Large work) throws IOException {
    apply.lock();
    try {
      end += work.octets;
      state.lock();
      try {
        dirtySince = Math.min(dirtySince, holdSince);
        work.effect.run();
      } finally {
        state.unlock();
      }
      remember();
    } finally {
      apply.unlock();
      release();
    }
    tell();
  }

  private void release() {
    state.lock();
    try {
      holdSince = Long.MAX_VALUE;
    } finally {
      state.unlock();
    }
  }

  /// Brings into the document and into sight what has become durable, in order. A document that
  /// cannot be written keeps it waiting: the journal has it, so it is not lost.
  void applyDurable() {
    apply.lock();
    try {
      boolean any = false;
      for (var head = pending.peek(); head != null; head = pending.peek()) {
        var ticket = head.ticket;
        if (ticket == null || !ticket.durable()) {
          break;
        }
        try {
          write(head);
        } catch (IOException e) {
          System.getLogger(Account.class.getName())
              .log(
                  System.Logger.Level.ERROR,
                  name + ": accepted text waits in the journal, the document cannot be written",
                  e);
          break;
        }
        state.lock();
        try {
          dirtySince = Math.min(dirtySince, head.bound);
          head.effect.run();
        } finally {
          state.unlock();
        }
        pending.poll();
        any = true;
      }
      if (any) {
        try {
          remember();
        } catch (IOException e) {
          // Without facts the next look takes the document for changed and reads it again.
          facts = null;
        }
      }
    } finally {
      apply.unlock();
    }
    tell();
  }

  private void write(Pending head) throws IOException {
    if (head.create != null && document == null) {
      var folder = java.util.Objects.requireNonNull(path.getParent());
      store.disk().createFolders(folder);
      var file = store.disk().open(path, Disk.Mode.REPLACE);
      boolean done = false;
      try {
        file.write(ByteBuffer.wrap(head.create), 0);
        done = true;
      } finally {
        if (!done) {
          file.close();
        }
      }
      document = new Document(file, 1);
      folderDirty = true;
    }
    if (head.puts.isEmpty()) {
      return;
    }
    try (var _ = outsideLock()) {
      var file = opened().file;
      for (var put : head.puts) {
        int octets = 0;
        for (var slice : put.slices) {
          octets += slice.remaining();
        }
        var whole = ByteBuffer.allocate(octets);
        for (var slice : put.slices) {
          whole.put(slice.duplicate());
        }
        file.write(whole.flip(), put.offset);
      }
    }
  }

  /// The locks mail programs take; waits for those who hold them.
  private Closeable outsideLock() throws IOException {
    var doc = document;
    return doc == null ? () -> {} : store.outsideLock(path, doc.file);
  }

  private void remember() throws IOException {
    facts = store.disk().facts(path).orElse(null);
    lookedNanos = System.nanoTime();
  }

  /// Looks whether another program has changed the document, at most once a second, and if so takes
  /// the changes in.
  void lookOutside() throws IOException {
    lookOutside(false);
  }

  private void lookOutside(boolean now) throws IOException {
    long nanos = System.nanoTime();
    if (!loaded || (!now && nanos - lookedNanos < store.lookNanos())) {
      return;
    }
    writer.lock();
    try {
      if (!pending.isEmpty() || document == null) {
        return;
      }
      lookedNanos = nanos;
      var seen = store.disk().facts(path).orElse(null);
      if (java.util.Objects.equals(seen, facts)) {
        return;
      }
      reconcile(seen);
    } finally {
      writer.unlock();
    }
    tell();
  }

  // Changes from outside.

  /// Takes in what another program did to the document. Called with the writer lock and nothing
  /// pending.
  private void reconcile(Disk.@Nullable Facts seen) throws IOException {
    if (seen == null) {
      throw new DamagedException(name + " is gone; put it back, or restart to begin anew");
    }
    var file = store.disk().open(path, Disk.Mode.WRITE);
    boolean kept = false;
    try (var _ = store.outsideLock(path, file)) {
      kept = takeOver(file, file.size());
    } finally {
      if (!kept) {
        file.close();
      }
    }
    importIncoming();
  }

  /// Takes over the document in `file`, which differs from what we know; whether the file is in use
  /// now.
  private boolean takeOver(longhand.disk.DiskFile file, long size) throws IOException {
    var reader = new Outside(file, size, token);
    long start = AccountEntry.textOffset() + room + 1L;
    var probe = new byte[6];
    boolean regular =
        start == size
            || (start < size
                && file.read(ByteBuffer.wrap(probe), start - 1) == 6
                && probe[0] == '\n'
                && Ledger.literal(probe, 1, 6, FROM_WORD));
    var live = new HashMap<Long, Entry>();
    for (var mailbox : mailboxes.values()) {
      for (int i = 0; i < mailbox.count; i++) {
        live.put(mailbox.entries[i].id, mailbox.entries[i]);
      }
    }
    var taken = new Taken(regular);
    for (var item : reader.read(regular ? start : firstEntry(reader, file))) {
      switch (item) {
        case Outside.Item.Ours(var found) -> takeOurs(found, live, taken, file);
        case Outside.Item.Moved moved -> {
          var entry = live.remove(moved.ledger().id());
          taken.layoutHolds = false;
          if (entry != null && entry.crc == moved.ledger().crc()) {
            taken.keeps.add(
                new Keep(entry, moved.fromLine(), moved.text(), 0, moved.marks(), moved.mailbox()));
          } else {
            taken.incoming.add(
                new Outside.Item.New(0, "MAILER-DAEMON", 0, moved.text(), moved.marks()));
          }
        }
        case Outside.Item.New message -> {
          taken.firstNew = Math.min(taken.firstNew, message.offset());
          taken.incoming.add(message);
        }
      }
    }
    taken.layoutHolds &= live.isEmpty();
    saveIncoming(taken.incoming);
    var doc = document;
    if (taken.layoutHolds && taken.firstNew >= end && doc != null && sameFile(file, doc)) {
      if (size > end) {
        file.truncate(end);
        file.force(true);
      }
      remember();
      for (var keep : taken.keeps) {
        if (!keep.marks.equals(keep.entry.marks)) {
          modseq++;
          remark(List.of(keep.entry), List.of(keep.marks), modseq);
        }
      }
      return false;
    }
    rewriteFrom(file, taken.keeps, live.values());
    return false;
  }

  private static final byte[] FROM_WORD = Ledger.ascii("From ");

  /// Whether a file just opened is the one in use, unchanged in length up to where we left it.
  private boolean sameFile(longhand.disk.DiskFile file, Document doc) throws IOException {
    var known = facts;
    var now = store.disk().facts(path).orElse(null);
    return known != null
        && now != null
        && known.key().equals(now.key())
        && file.size() >= end
        && doc.file.size() == file.size();
  }

  /// Where the first message behind the account entry is, when the account entry has been changed.
  private static long firstEntry(Outside reader, longhand.disk.DiskFile file) throws IOException {
    var head = new byte[AccountEntry.textOffset()];
    int n = file.read(ByteBuffer.wrap(head), 0);
    var line =
        n < head.length ? null : Ledger.parseLine(head, head.length - Ledger.LINE, head.length);
    return line != null && line.state() == Ledger.State.ACCOUNT ? reader.nextMessage(0) : 0;
  }

  /// What another program left of the entries.
  private static final class Taken {
    boolean layoutHolds;
    long firstNew = Long.MAX_VALUE;
    final List<Keep> keeps = new ArrayList<>();
    final List<Outside.Item.New> incoming = new ArrayList<>();

    Taken(boolean layoutHolds) {
      this.layoutHolds = layoutHolds;
    }
  }

  /// An entry that is still there.
  ///
  /// @param text when it had to be put together anew; else it lies in the file at `textOffset`
  private record Keep(
      Entry entry,
      byte[] fromLine,
      byte @Nullable [] text,
      long textOffset,
      Marks marks,
      int mailbox) {}

  private void takeOurs(
      DocumentScan.Found found, Map<Long, Entry> live, Taken taken, longhand.disk.DiskFile file)
      throws IOException {
    var ledger = found.ledger();
    if (ledger.state() == Ledger.State.DEAD) {
      return;
    }
    var entry = live.get(ledger.id());
    var fromLine = new byte[found.fromLength()];
    long text = found.offset() + found.fromLength() + ledger.octets();
    if (entry == null || entry.crc != ledger.crc() || entry.length != ledger.length()) {
      // A message that was expunged, or altered under its old ledger, has come back: it is a new
      // one.
      taken.layoutHolds = false;
      try (var in =
          new WireForm(
              file,
              text,
              new byte[0],
              0,
              (int) ledger.length(),
              ledger.quoted(),
              ledger.crc(),
              () -> {})) {
        taken.incoming.add(
            new Outside.Item.New(
                found.offset(),
                "MAILER-DAEMON",
                found.ledger().saved(),
                in.readAllBytes(),
                ledger.marks()));
      } catch (DamagedException e) {
        var raw = new byte[(int) ledger.length()];
        file.read(ByteBuffer.wrap(raw), text);
        taken.incoming.add(
            new Outside.Item.New(
                found.offset(), "MAILER-DAEMON", found.ledger().saved(), raw, ledger.marks()));
      }
      return;
    }
    live.remove(ledger.id());
    file.read(ByteBuffer.wrap(fromLine), found.offset());
    taken.layoutHolds &= found.offset() == entry.offset;
    boolean ours = found.marksIntact() && ledger.modseq() <= entry.modseq;
    taken.keeps.add(
        new Keep(
            entry,
            fromLine,
            null,
            text,
            ours ? entry.marks : ledger.marks(),
            found.marksIntact() ? entry.mailbox : ledger.mailbox()));
  }

  /// Writes the document anew from what another program left, and shows the difference.
  private void rewriteFrom(longhand.disk.DiskFile file, List<Keep> keeps, Collection<Entry> missing)
      throws IOException {
    long now = ++modseq;
    for (var mailbox : mailboxes.values()) {
      mailbox.floor = Math.max(mailbox.floor, mailbox.nextUid);
    }
    record Place(Entry entry, Entry twin, Marks marks, long offset, int from, int room) {}
    var places = new ArrayList<Place>();
    long generation = generation() + 1;
    var rewriter = new Rewriter(store.disk(), path);
    boolean done = false;
    try {
      // Twins of entries put into another mailbox get their UIDs first: the table must know of
      // them.
      var twins = new HashMap<Entry, Entry>();
      for (var keep : keeps) {
        var target = mailboxes.get(keep.mailbox);
        if (target != null && keep.mailbox != keep.entry.mailbox) {
          var old = keep.entry;
          twins.put(
              old,
              new Entry(
                  keep.mailbox,
                  old.id,
                  target.nextUid++,
                  now,
                  old.sizeOctets,
                  old.savedSeconds,
                  old.length,
                  old.crc,
                  old.quoted,
                  keep.marks));
        }
      }
      rewriter.add(accountEntry(generation));
      for (var keep : keeps) {
        var old = keep.entry;
        var twin = twins.getOrDefault(old, old);
        boolean changed = !keep.marks.equals(old.marks) || !twin.equals(old);
        int keywordsRoom = Ledger.keywordsRoom(keep.marks);
        places.add(
            new Place(old, twin, keep.marks, rewriter.end(), keep.fromLine.length, keywordsRoom));
        rewriter.add(keep.fromLine);
        rewriter.add(
            new Ledger(
                    token,
                    twin.id,
                    twin.uid,
                    changed ? now : old.modseq,
                    old.savedSeconds,
                    old.length,
                    old.sizeOctets,
                    old.crc,
                    Ledger.State.LIVE,
                    old.quoted,
                    keep.marks,
                    true,
                    twin.mailbox,
                    mailboxOf(twin.mailbox).name,
                    keywordsRoom,
                    Ledger.MAILBOX_ROOM)
                .format());
        int last;
        if (keep.text != null) {
          rewriter.add(keep.text);
          last = keep.text.length == 0 ? 0 : keep.text[keep.text.length - 1];
        } else {
          rewriter.copy(file, keep.textOffset, old.length);
          var one = new byte[1];
          if (old.length > 0) {
            file.read(ByteBuffer.wrap(one), keep.textOffset + old.length - 1);
          }
          last = one[0];
        }
        rewriter.add(last == '\n' ? new byte[] {'\n'} : new byte[] {'\n', '\n'});
      }
      rewriter.force();
      rewriter.takePlace();
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
        unsettled = new LinkedHashSet<>();
        deadOctets = 0;
        deadSinceSeconds = Long.MAX_VALUE;
        dirtySince = Long.MAX_VALUE;
        for (var place : places) {
          place.twin.place(place.offset, place.from, place.room, Ledger.MAILBOX_ROOM);
          if (!place.twin.equals(place.entry)) {
            place.entry.modseq = now;
            place.entry.expunged = true;
            mailboxOf(place.twin.mailbox).add(place.twin);
          } else if (!place.marks.equals(place.entry.marks)) {
            mailboxOf(place.entry.mailbox).remark(place.entry, place.marks, now);
          }
        }
        for (var entry : missing) {
          entry.modseq = now;
          entry.expunged = true;
        }
        for (var mailbox : mailboxes.values()) {
          mailbox.removeExpunged();
        }
      } finally {
        state.unlock();
      }
      end = rewriter.end();
      document = new Document(rewriter.file(), generation);
      if (before != null) {
        before.close();
      }
      remember();
    } finally {
      apply.unlock();
    }
  }

  /// The account entry as it is now, for a new generation.
  private byte[] accountEntry(long generation) {
    var table =
        new AccountEntry.Table(
            address, modseq, nextId, nextMailbox, rows(), List.copyOf(subscriptions));
    room = AccountEntry.roomFor(table, room);
    var entry = new AccountEntry(token, generation, made, room, table);
    var text = entry.formatText();
    var whole = entry.format();
    if (text == null || whole == null) {
      throw new IllegalStateException("the table does not fit the room made for it");
    }
    tableText = text;
    return whole;
  }

  private Path incoming() {
    return path.resolveSibling(path.getFileName() + ".incoming");
  }

  /// Puts messages from outside aside, durably, before the document loses them.
  private void saveIncoming(List<Outside.Item.New> messages) throws IOException {
    if (messages.isEmpty()) {
      return;
    }
    try (var file = store.disk().open(incoming(), Disk.Mode.CREATE)) {
      long at = file.size();
      for (var message : messages) {
        var form = new Store.Prefix(message.wire());
        var out = new java.io.ByteArrayOutputStream();
        out.writeBytes(
            AccountEntry.fromLine(message.sender(), Instant.ofEpochSecond(message.savedSeconds())));
        out.writeBytes(Ledger.ascii("Status: " + (message.marks().has(Flag.SEEN) ? "RO" : "O")));
        out.writeBytes(Ledger.ascii("\nX-Status: "));
        for (var flag : message.marks().flags()) {
          out.write("?AFDT".charAt(Integer.numberOfTrailingZeros(flag.bit)));
        }
        out.writeBytes(
            Ledger.ascii("\nX-Keywords: " + String.join(" ", message.marks().keywords()) + "\n"));
        var text = form.octets.toByteArray();
        out.writeBytes(text);
        boolean ends = text.length > 0 && text[text.length - 1] == '\n';
        out.writeBytes(Ledger.ascii(ends ? "\n" : "\n\n"));
        var octets = out.toByteArray();
        file.write(ByteBuffer.wrap(octets), at);
        at += octets.length;
      }
      file.force(true);
    }
    store.disk().forceFolder(java.util.Objects.requireNonNull(path.getParent()));
  }

  /// Takes messages put aside into INBOX.
  private void importIncoming() throws IOException {
    if (!store.disk().exists(incoming())) {
      return;
    }
    try (var file = store.disk().open(incoming(), Disk.Mode.READ)) {
      for (var item : new Outside(file, file.size(), "").read(0)) {
        if (item instanceof Outside.Item.New message) {
          importOne(message);
        }
      }
    }
    store.disk().delete(incoming());
  }

  private void importOne(Outside.Item.New message) throws IOException {
    try (var letter = store.letter()) {
      letter.write(message.wire(), 0, message.wire().length);
      letter.finish();
      store.append(
          List.of(
              new Append(
                  this,
                  Mailbox.INBOX,
                  sender(message.sender()),
                  message.savedSeconds() == 0
                      ? store.clock().instant()
                      : Instant.ofEpochSecond(message.savedSeconds()),
                  message.marks(),
                  new byte[0],
                  letter)));
    } catch (MailboxException e) {
      throw new IOException(e);
    }
  }

  private static ReversePath sender(String text) {
    int at = text.lastIndexOf('@');
    if (at < 1 || at == text.length() - 1 || text.length() - at > Domain.OCTETS_MAX) {
      return ReversePath.NULL;
    }
    return ReversePath.of(
        new Address(
            text.substring(0, at), new Domain(text.substring(at + 1).toLowerCase(Locale.ROOT))));
  }

  // Rewriting.

  /// Puts a new document with only live entries in the place of this one. Called with the writer
  /// lock.
  ///
  /// @param newRoom least room for the account entry
  private void rewrite(int newRoom) throws IOException {
    drain();
    while (settleSome(1000)) {
      Thread.onSpinWait();
    }
    var doc = opened();
    room = Math.max(room, newRoom);
    for (var mailbox : mailboxes.values()) {
      mailbox.floor = Math.max(mailbox.floor, mailbox.nextUid);
    }
    var live = new ArrayList<Entry>();
    for (var mailbox : mailboxes.values()) {
      live.addAll(Arrays.asList(mailbox.entries).subList(0, mailbox.count));
    }
    live.sort(Comparator.comparingLong(entry -> entry.offset));
    var offsets = new long[live.size()];
    long generation = doc.generation + 1;
    var rewriter = new Rewriter(store.disk(), path);
    boolean done = false;
    try (var _ = outsideLock()) {
      rewriter.add(accountEntry(generation));
      int i = 0;
      while (i < live.size()) {
        // A run of entries that lie one behind the other is copied at once.
        long from = live.get(i).offset;
        long to = from;
        while (i < live.size()) {
          var entry = live.get(i);
          long textEnd = entry.offset + entry.headAndTextLength();
          if (entry.offset != to) {
            break;
          }
          offsets[i++] = rewriter.end() + entry.offset - from;
          var last = new byte[1];
          if (entry.length > 0) {
            doc.file.read(ByteBuffer.wrap(last), textEnd - 1);
          }
          to = textEnd + (last[0] == '\n' ? 1 : 2);
        }
        rewriter.copy(doc.file, from, to - from);
      }
      rewriter.force();
      if (!java.util.Objects.equals(store.disk().facts(path).orElse(null), facts)) {
        throw new IOException(name + " was changed by another program while it was rewritten");
      }
      rewriter.takePlace();
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
      document = null;
      state.lock();
      try {
        for (int i = 0; i < offsets.length; i++) {
          live.get(i).offset = offsets[i];
        }
        deadOctets = 0;
        deadSinceSeconds = Long.MAX_VALUE;
        dirtySince = Long.MAX_VALUE;
        folderDirty = false;
      } finally {
        state.unlock();
      }
      end = rewriter.end();
      document = new Document(rewriter.file(), generation);
      doc.close();
      remember();
    } finally {
      apply.unlock();
    }
  }

  /// Takes dead entries out of the text, when they are a quarter of it or have been there for long.
  void compact(long olderThanSeconds) throws IOException {
    boolean wanted;
    state.lock();
    try {
      wanted =
          loaded
              && document != null
              && deadOctets > 0
              && (deadOctets > end / 4 || deadSinceSeconds <= olderThanSeconds);
    } finally {
      state.unlock();
    }
    if (!wanted) {
      return;
    }
    begin();
    try {
      rewrite(0);
    } finally {
      writer.unlock();
    }
  }

  // Settling.

  /// Writes in place what waits, at most `most` ledgers; whether more wait.
  private boolean settleSome(int most) throws IOException {
    apply.lock();
    try {
      var some = new ArrayList<Entry>();
      state.lock();
      try {
        var iterator = unsettled.iterator();
        while (iterator.hasNext() && some.size() < most) {
          some.add(iterator.next());
        }
      } finally {
        state.unlock();
      }
      if (some.isEmpty()) {
        return false;
      }
      try (var _ = outsideLock()) {
        var file = opened().file;
        for (var entry : some) {
          byte[] octets;
          state.lock();
          try {
            octets = ledger(entry, entry.marks, entry.modseq, entry.expunged).format();
          } finally {
            state.unlock();
          }
          file.write(ByteBuffer.wrap(octets), entry.ledgerOffset());
        }
      }
      remember();
      state.lock();
      try {
        for (var entry : some) {
          unsettled.remove(entry);
        }
        return !unsettled.isEmpty();
      } finally {
        state.unlock();
      }
    } finally {
      apply.unlock();
    }
  }

  /// Whether something waits to be settled.
  boolean dirty() {
    state.lock();
    try {
      return dirtySince != Long.MAX_VALUE || !pending.isEmpty();
    } finally {
      state.unlock();
    }
  }

  /// The least number of a batch of this account that is not yet in a forced document.
  long unsettledSince() {
    state.lock();
    try {
      long since = Math.min(dirtySince, holdSince);
      var head = pending.peek();
      return head == null ? since : Math.min(since, head.bound);
    } finally {
      state.unlock();
    }
  }

  /// Brings the document up to date and forces it. Called by one thread at a time.
  void settle() throws IOException {
    applyDurable();
    if (document == null) {
      return;
    }
    while (settleSome(1000)) {
      Thread.onSpinWait();
    }
    long before;
    boolean folder;
    Document doc;
    apply.lock();
    try {
      state.lock();
      try {
        if (!unsettled.isEmpty()) {
          // Something came between; the next round has it.
          return;
        }
        before = dirtySince;
        dirtySince = Long.MAX_VALUE;
      } finally {
        state.unlock();
      }
      folder = folderDirty;
      folderDirty = false;
      doc = opened();
      if (!doc.retain()) {
        return;
      }
    } finally {
      apply.unlock();
    }
    boolean forced = false;
    try {
      doc.file.force(true);
      if (folder) {
        store.forceFolders(path);
      }
      forced = true;
    } catch (IOException e) {
      throw new Store.ForceException(path, e);
    } finally {
      doc.close();
      if (!forced) {
        state.lock();
        try {
          dirtySince = Math.min(dirtySince, before);
        } finally {
          state.unlock();
        }
      }
    }
  }

  /// Closes the document of an account that nobody has used for a while; whether it did.
  boolean closeIfIdle(long nanos) throws IOException {
    if (!loaded || System.nanoTime() - usedNanos < nanos || dirty() || !writer.tryLock()) {
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
        writeIndex();
      }
      closeIndex();
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
  private void tell() {
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
