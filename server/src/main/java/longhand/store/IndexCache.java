package longhand.store;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.TreeMap;
import longhand.disk.Disk;
import longhand.index.AccountIndex;
import longhand.message.Summary;
import org.jspecify.annotations.Nullable;

/// What an account does with its index file: takes its entries from it when it fits the document,
/// writes it when the document rests, keeps summaries of messages in it.
final class IndexCache {

  private final Account account;

  IndexCache(Account account) {
    this.account = account;
  }

  /// Takes the entries from the index, when that was made of the document as it is; whether it was.
  boolean read(AccountEntry entry, Disk.Facts seen) {
    var index = account.store.openIndex(account.path);
    if (index == null) {
      return false;
    }
    boolean whole = false;
    try (index) {
      var octets = index.head();
      var head = octets == null || octets.length == 0 ? null : IndexRows.unpack(octets);
      if (head == null
          || !head.token().equals(account.token)
          || head.generation() != entry.generation()
          || !head.facts().equals(seen)
          || !head.mailboxes().keySet().equals(account.mailboxes.keySet())) {
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
        account.mailboxOf(one.mailbox).add(one);
      }
      for (var mailbox : head.mailboxes().entrySet()) {
        var state = account.mailboxOf(mailbox.getKey());
        state.nextUid = mailbox.getValue();
        state.floor = state.nextUid;
        state.highestModseq = head.modseq();
      }
      account.end = head.end();
      account.nextId = head.nextId();
      account.modseq = head.modseq();
      indexedModseq = account.modseq;
      account.deadOctets = head.deadOctets();
      if (account.deadOctets > 0) {
        account.deadSinceSeconds = account.store.clock().instant().getEpochSecond();
      }
      account.foreign = false;
      whole = true;
      return true;
    } catch (IOException | RuntimeException e) {
      System.getLogger(Account.class.getName())
          .log(
              System.Logger.Level.WARNING,
              account.name + ": the index is damaged; reading the document",
              e);
      return false;
    } finally {
      if (!whole) {
        for (var mailbox : account.mailboxes.values()) {
          mailbox.clear();
        }
      }
    }
  }

  /// Writes the index of the document as it is, everything being settled. With the writer lock.
  void write() {
    var seen = account.facts;
    var doc = account.document;
    if (seen == null || doc == null || indexedModseq == account.modseq || account.hasPending()) {
      return;
    }
    var index = open();
    if (index == null) {
      return;
    }
    var parts = new ArrayList<byte[]>();
    byte[] head;
    account.state.lock();
    try {
      if (!account.unsettled.isEmpty()) {
        return;
      }
      var entries = new ArrayList<Entry>();
      var numbers = new TreeMap<Integer, Long>();
      for (var mailbox : account.mailboxes.values()) {
        entries.addAll(Arrays.asList(mailbox.entries).subList(0, mailbox.count));
        numbers.put(mailbox.number, mailbox.nextUid);
      }
      head =
          IndexRows.pack(
              new IndexRows.Head(
                  account.token,
                  doc.generation,
                  seen,
                  account.end,
                  account.nextId,
                  account.modseq,
                  account.deadOctets,
                  entries.size(),
                  numbers));
      for (int from = 0; from < entries.size(); from += IndexRows.PART) {
        parts.add(
            IndexRows.pack(entries.subList(from, Math.min(entries.size(), from + IndexRows.PART))));
      }
    } finally {
      account.state.unlock();
    }
    synchronized (indexLock) {
      index.write(head, parts);
    }
    indexedModseq = account.modseq;
  }

  private final Object indexLock = new Object();
  private @Nullable AccountIndex index;
  long indexedModseq = -1;

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
