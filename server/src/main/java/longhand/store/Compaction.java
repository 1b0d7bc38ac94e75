package longhand.store;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/// Writes a document anew without its dead entries, and with as much room for its table as that
/// needs (`docs/document-format.md`, "Rewrite").
///
/// The bulk is copied while the account is at work: what a session or a delivery waits for is the
/// end alone, when what came meanwhile is copied behind, and the heads of entries that were changed
/// or died meanwhile are copied again. Those that died stay, dead, until the next time.
final class Compaction {

  private final Account account;
  private final AtomicBoolean underWay = new AtomicBoolean();

  Compaction(Account account) {
    this.account = account;
  }

  /// The account entry for a new generation.
  record Head(byte[] whole, byte[] text, int room) {}

  /// The account entry as it is now, for a new generation.
  ///
  /// @param least room it has at least
  Head head(long generation, int least) {
    var table =
        new AccountEntry.Table(
            account.address,
            account.modseq,
            account.nextId,
            account.nextMailbox,
            account.rows(),
            List.copyOf(account.subscriptions));
    int room = AccountEntry.roomFor(table, least);
    var entry = new AccountEntry(account.token, generation, account.made, room, table);
    var text = entry.formatText();
    var whole = entry.format();
    if (text == null || whole == null) {
      throw new IllegalStateException("the table does not fit the room made for it");
    }
    return new Head(whole, text, room);
  }

  /// Puts a new document with only live entries in the place of this one. Called with the writer
  /// lock.
  ///
  /// @param newRoom least room for the account entry
  void rewrite(int newRoom) throws IOException {
    account.fill();
    account.hold();
    try (var copying = begin(newRoom, Rewriter.SUFFIX)) {
      copying.copy();
      if (!copying.finish()) {
        throw new IOException(account.name + " was changed while it was rewritten");
      }
    } finally {
      account.documentLock.letGo();
    }
  }

  /// Takes dead entries out of the text, when they are a quarter of it or have been there for long.
  /// The thread that settles must not call it: it waits for the writer lock.
  void compact(long olderThanSeconds) throws IOException {
    boolean wanted;
    account.state.lock();
    try {
      wanted =
          account.loaded
              && account.document != null
              && account.deadOctets > 0
              && (account.deadOctets > account.end / 4
                  || account.deadSinceSeconds <= olderThanSeconds);
    } finally {
      account.state.unlock();
    }
    if (!wanted) {
      return;
    }
    // Most of what waits to be settled is settled before anybody is made to wait.
    account.store.settleOne(account);
    try (var copying = start()) {
      if (copying != null) {
        copying.copy();
        end(copying);
      }
    }
  }

  /// Begins a compaction with the writer lock for a moment; null when one is under way.
  @Nullable Copying start() throws IOException {
    if (!underWay.compareAndSet(false, true)) {
      return null;
    }
    boolean begun = false;
    try {
      account.begin();
      try {
        account.fill();
        account.hold();
        try {
          var copying = begin(0, Rewriter.SUFFIX_MEANWHILE);
          begun = true;
          return copying;
        } finally {
          account.documentLock.letGo();
        }
      } finally {
        account.writer.unlock();
      }
    } finally {
      if (!begun) {
        underWay.set(false);
      }
    }
  }

  /// Ends it with the writer lock.
  void end(Copying copying) throws IOException {
    account.begin();
    try {
      account.hold();
      try {
        if (!copying.finish() && account.full && account.document != null) {
          System.getLogger(Compaction.class.getName())
              .log(
                  System.Logger.Level.DEBUG,
                  "{0} has changed too much while it was compacted",
                  account.name);
        }
      } finally {
        account.documentLock.letGo();
      }
    } finally {
      account.writer.unlock();
    }
  }

  private Copying begin(int newRoom, String suffix) throws IOException {
    account.underway.drain();
    account.settling.settleAll();
    var doc = account.opened();
    if (!doc.retain()) {
      throw new IOException(account.name + " is being closed");
    }
    boolean begun = false;
    try {
      var copying = new Copying(doc, Math.max(account.room, newRoom), suffix);
      begun = true;
      return copying;
    } finally {
      if (!begun) {
        doc.close();
      }
    }
  }

  private List<Entry> visible() {
    var all = new ArrayList<Entry>();
    for (var mailbox : account.mailboxes.values()) {
      all.addAll(mailbox.visible());
    }
    all.sort(Comparator.comparingLong(entry -> entry.offset));
    return all;
  }

  /// A document half copied. Made with the writer lock, and finished with it; in between the
  /// account goes on.
  final class Copying implements Closeable {
    private final Document doc;
    private final long generation;
    private final long mark = account.end;
    private final long modseq = account.modseq;
    private final int headOctets;
    private final int room;
    private final long[] offsets;
    private final int[] heads;
    private final long[] lengths;
    private final long[] copies;
    private final Rewriter rewriter;
    private final boolean meanwhile;
    private boolean taken;

    private Copying(Document doc, int least, String suffix) throws IOException {
      this.meanwhile = suffix.equals(Rewriter.SUFFIX_MEANWHILE);
      this.doc = doc;
      this.generation = doc.generation + 1;
      var head = head(generation, least);
      this.headOctets = head.whole.length;
      this.room = head.room;
      var live = visible();
      int count = live.size();
      this.offsets = new long[count];
      this.heads = new int[count];
      this.lengths = new long[count];
      this.copies = new long[count];
      for (int i = 0; i < count; i++) {
        var entry = live.get(i);
        offsets[i] = entry.offset;
        heads[i] = (int) (entry.textOffset() - entry.offset);
        lengths[i] = entry.headAndTextLength();
      }
      this.rewriter = new Rewriter(account.store.disk(), account.path, suffix);
    }

    /// Copies what was live at the beginning. Without any lock.
    void copy() throws IOException {
      rewriter.leave(headOctets);
      for (int i = 0; i < offsets.length; ) {
        i = copyRun(offsets, lengths, copies, i);
      }
      rewriter.force();
    }

    /// Copies a run of entries that lie one behind the other at once; which is the first behind it.
    private int copyRun(long[] from, long[] octets, long[] to, int first) throws IOException {
      long start = from[first];
      long end = start;
      var last = ByteBuffer.allocate(1);
      int i = first;
      while (i < from.length && from[i] == end) {
        to[i] = rewriter.end() + from[i] - start;
        // What ends an entry is one LF behind a text that ends with one, else two.
        doc.file.read(last.clear(), from[i] + octets[i] - 1);
        end = from[i] + octets[i] + (last.get(0) == '\n' ? 1 : 2);
        i++;
      }
      rewriter.copy(doc.file, start, end - start);
      return i;
    }

    /// Copies what came meanwhile, and puts the new document in the place of the old one; whether
    /// it did: not when the old one has been replaced by another, or the table has outgrown its
    /// room. With the writer lock and other programs kept away.
    boolean finish() throws IOException {
      account.underway.drain();
      account.settling.settleAll();
      if (account.document != doc) {
        return false;
      }
      for (var mailbox : account.mailboxes.values()) {
        mailbox.floor = Math.max(mailbox.floor, mailbox.nextUid);
      }
      var head = head(generation, room);
      if (head.whole.length != headOctets) {
        return false;
      }
      var live = visible();
      var places = new long[live.size()];
      long died = 0;
      int at = 0;
      int old = 0;
      for (; at < live.size() && live.get(at).offset < mark; at++) {
        var entry = live.get(at);
        for (; offsets[old] < entry.offset; old++) {
          died += diedMeanwhile(old);
        }
        places[at] = copies[old];
        if (entry.modseq > modseq) {
          copyHead(old);
        }
        old++;
      }
      for (; old < offsets.length; old++) {
        died += diedMeanwhile(old);
      }
      copyLate(live, places, at);
      rewriter.replace(0, head.whole);
      var now = account.store.disk().facts(account.path).orElse(null);
      if (!Objects.equals(now, account.facts)) {
        // A program that takes no lock was there; what it did is taken in first.
        return false;
      }
      long dead = died;
      taken = true;
      account.replace(
          rewriter,
          generation,
          head,
          () -> {
            for (int i = 0; i < places.length; i++) {
              live.get(i).offset = places[i];
            }
            account.deadOctets = dead;
            if (dead > 0) {
              account.deadSinceSeconds = account.store.clock().instant().getEpochSecond();
            }
          });
      return true;
    }

    private long diedMeanwhile(int old) throws IOException {
      copyHead(old);
      return lengths[old];
    }

    /// Copies the From line and the ledger again, which is as long as it was.
    private void copyHead(int old) throws IOException {
      doc.file.copyTo(offsets[old], heads[old], rewriter.file(), copies[old]);
    }

    /// Copies entries that came since the beginning.
    private void copyLate(List<Entry> live, long[] places, int first) throws IOException {
      var from = new long[live.size()];
      var octets = new long[live.size()];
      for (int i = first; i < from.length; i++) {
        from[i] = live.get(i).offset;
        octets[i] = live.get(i).headAndTextLength();
      }
      for (int i = first; i < from.length; ) {
        i = copyRun(from, octets, places, i);
      }
    }

    /// Gives up what was copied, unless it has become the document.
    @Override
    public void close() throws IOException {
      if (!taken) {
        rewriter.discard();
      }
      if (meanwhile) {
        underWay.set(false);
      }
      doc.close();
    }
  }
}
