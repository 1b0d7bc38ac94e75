package longhand.store;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import longhand.disk.Disk;
import longhand.index.AccountIndex;
import longhand.message.Summary;
import org.jspecify.annotations.Nullable;

/// What an account does with the caches beside its document: takes from the catalogue what
/// deliveries must know and from its index file the entries, when they fit the document, writes
/// both when the document rests, and keeps summaries of messages.
///
/// Rows may lag: a document that only grew since they were written is read from their end on. So an
/// account that gets mail all day and is opened once has its rows written once.
final class IndexCache {

  /// Entries behind the rows with which an account is closed; with more its rows are written anew.
  private static final int LATE_MAX = 1000;

  private final Account account;
  private final Object indexLock = new Object();
  private @Nullable AccountIndex index;

  // Guarded by the account's writer lock, but `late`, which is its state lock's.
  private long indexedEnd;
  private long indexedModseq = -1;
  private int late;
  private @Nullable CatalogueEntry noted;

  IndexCache(Account account) {
    this.account = account;
  }

  /// The rows are of no more use.
  void forgetRows() {
    indexedEnd = 0;
    indexedModseq = -1;
    late = 0;
  }

  /// Messages were delivered.
  void delivered(int messages) {
    late += messages;
  }

  /// Takes the state of the account from the catalogue, all but its entries, when that was noted of
  /// the document as it is; whether it was. Called with the state lock and the table read.
  boolean read(AccountEntry entry, Disk.Facts seen) {
    var catalogue = account.store.catalogue();
    var octets = catalogue == null ? null : catalogue.get(account.name);
    if (octets == null) {
      return false;
    }
    CatalogueEntry known;
    try {
      known = CatalogueEntry.unpack(octets);
    } catch (IOException e) {
      return false;
    }
    if (known == null
        || !known.token().equals(account.token)
        || known.generation() != entry.generation()
        || !known.facts().equals(seen)
        || !known.mailboxes().keySet().equals(account.mailboxes.keySet())) {
      return false;
    }
    known.mailboxes().forEach((number, counts) -> account.mailboxOf(number).know(counts));
    account.end = known.end();
    account.nextId = known.nextId();
    account.modseq = known.modseq();
    account.deadOctets = known.deadOctets();
    account.deadSinceSeconds = known.deadSinceSeconds();
    account.foreign = false;
    indexedEnd = known.indexedEnd();
    indexedModseq = known.indexedModseq();
    late = known.late();
    noted = known;
    return true;
  }

  /// Takes entries from the rows, when they are those the catalogue spoke of. Gives the place in
  /// the document from which on entries are to be read there; -1 when there are no rows to be used,
  /// and none was taken.
  long rows(long generation, Map<Integer, List<Entry>> live) {
    var rows = indexedModseq < 0 ? null : open();
    if (rows == null) {
      return -1;
    }
    try {
      var octets = rows.head();
      var head = octets == null || octets.length == 0 ? null : IndexRows.unpack(octets);
      if (head == null
          || !head.token().equals(account.token)
          || head.generation() != generation
          || head.end() != indexedEnd
          || head.modseq() != indexedModseq) {
        return -1;
      }
      var entries = new ArrayList<Entry>(head.entries());
      for (int part = 0; entries.size() < head.entries(); part++) {
        var packed = rows.rows(part);
        if (packed == null) {
          return -1;
        }
        entries.addAll(IndexRows.unpackEntries(packed));
      }
      for (var one : entries) {
        live.computeIfAbsent(one.mailbox, _ -> new ArrayList<>()).add(one);
      }
      return indexedEnd;
    } catch (IOException | RuntimeException e) {
      System.getLogger(Account.class.getName())
          .log(
              System.Logger.Level.WARNING,
              account.name + ": the index is damaged; reading the document",
              e);
      live.clear();
      return -1;
    }
  }

  /// Writes what is known of the document as it is, everything being settled: the rows if they are
  /// of no more use, and the catalogue. With the writer lock.
  void write() {
    var doc = account.document;
    if (doc == null || !account.underway.isEmpty()) {
      return;
    }
    if (account.full && (isStale() || late > LATE_MAX)) {
      writeRows(doc.generation);
    }
    note();
  }

  /// Whether more than deliveries has happened since the rows were written.
  private boolean isStale() {
    return indexedModseq < 0 || account.modseq - indexedModseq != late;
  }

  private void writeRows(long generation) {
    var index = open();
    if (index == null) {
      return;
    }
    var parts = new ArrayList<byte[]>();
    int count;
    account.state.lock();
    try {
      if (!account.unsettled.isEmpty()) {
        return;
      }
      var entries = new ArrayList<Entry>();
      for (var mailbox : account.mailboxes.values()) {
        entries.addAll(mailbox.visible());
      }
      count = entries.size();
      for (int from = 0; from < count; from += IndexRows.PART) {
        parts.add(IndexRows.pack(entries.subList(from, Math.min(count, from + IndexRows.PART))));
      }
      late = 0;
    } finally {
      account.state.unlock();
    }
    indexedEnd = account.end;
    indexedModseq = account.modseq;
    var head = new IndexRows.Head(account.token, generation, indexedEnd, indexedModseq, count);
    synchronized (indexLock) {
      index.write(IndexRows.pack(head), parts);
    }
  }

  /// Writes into the catalogue what is known of the document as it is, everything being settled.
  /// Nothing happens while rows would have to be written first. With the writer lock.
  void note() {
    var catalogue = account.store.catalogue();
    var seen = account.facts;
    var doc = account.document;
    if (catalogue == null
        || seen == null
        || doc == null
        || !account.underway.isEmpty()
        || (account.full && isStale())) {
      return;
    }
    CatalogueEntry entry;
    account.state.lock();
    try {
      if (!account.unsettled.isEmpty()) {
        return;
      }
      var mailboxes = new TreeMap<Integer, CatalogueEntry.Counts>();
      account.mailboxes.forEach((number, mailbox) -> mailboxes.put(number, mailbox.counts()));
      entry =
          new CatalogueEntry(
              account.token,
              doc.generation,
              seen,
              account.end,
              account.nextId,
              account.modseq,
              account.deadOctets,
              account.deadSinceSeconds,
              indexedEnd,
              indexedModseq,
              late,
              mailboxes);
    } finally {
      account.state.unlock();
    }
    if (!entry.equals(noted)) {
      catalogue.put(account.name, entry.pack());
      noted = entry;
    }
  }

  private @Nullable AccountIndex open() {
    synchronized (indexLock) {
      if (index == null) {
        index = account.store.openIndex(account.path);
      }
      return index;
    }
  }

  void close() {
    synchronized (indexLock) {
      if (index != null) {
        index.close();
        index = null;
      }
    }
  }

  /// What IMAP and others ask of a message's header and structure, from the index or, the first
  /// time, from the text. Reading the text of a large message for it is bounded in memory.
  Summary summary(Entry entry) throws IOException {
    account.load();
    var kept = open();
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
    try (var in = account.open(entry)) {
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
}
