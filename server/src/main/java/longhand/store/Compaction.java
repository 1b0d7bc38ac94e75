package longhand.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/// Writes a document anew without its dead entries, and with as much room for its table as that
/// needs (`docs/document-format.md`, "Rewrite").
final class Compaction {

  private final Account account;

  Compaction(Account account) {
    this.account = account;
  }

  /// The account entry as it is now, for a new generation.
  byte[] accountEntry(long generation) {
    var table =
        new AccountEntry.Table(
            account.address,
            account.modseq,
            account.nextId,
            account.nextMailbox,
            account.rows(),
            List.copyOf(account.subscriptions));
    account.room = AccountEntry.roomFor(table, account.room);
    var entry = new AccountEntry(account.token, generation, account.made, account.room, table);
    var text = entry.formatText();
    var whole = entry.format();
    if (text == null || whole == null) {
      throw new IllegalStateException("the table does not fit the room made for it");
    }
    account.tableText = text;
    return whole;
  }

  /// Puts a new document with only live entries in the place of this one. Called with the writer
  /// lock.
  ///
  /// @param newRoom least room for the account entry
  void rewrite(int newRoom) throws IOException {
    account.drain();
    while (account.settleSome(1000)) {
      Thread.onSpinWait();
    }
    var doc = account.opened();
    account.room = Math.max(account.room, newRoom);
    for (var mailbox : account.mailboxes.values()) {
      mailbox.floor = Math.max(mailbox.floor, mailbox.nextUid);
    }
    var live = new ArrayList<Entry>();
    for (var mailbox : account.mailboxes.values()) {
      live.addAll(Arrays.asList(mailbox.entries).subList(0, mailbox.count));
    }
    live.sort(Comparator.comparingLong(entry -> entry.offset));
    var offsets = new long[live.size()];
    long generation = doc.generation + 1;
    var rewriter = new Rewriter(account.store.disk(), account.path);
    boolean done = false;
    try (var _ = account.outsideLock()) {
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
      if (!Objects.equals(account.store.disk().facts(account.path).orElse(null), account.facts)) {
        throw new IOException(
            account.name + " was changed by another program while it was rewritten");
      }
      rewriter.takePlace();
      account.store.journal().counts.rewrites.increment();
      done = true;
    } catch (Store.ForceException e) {
      done = true;
      account.store.journal().fail(e);
      throw e;
    } finally {
      if (!done) {
        rewriter.discard();
      }
    }
    account.apply.lock();
    try {
      account.document = null;
      account.state.lock();
      try {
        for (int i = 0; i < offsets.length; i++) {
          live.get(i).offset = offsets[i];
        }
        account.deadOctets = 0;
        account.deadSinceSeconds = Long.MAX_VALUE;
        account.dirtySince = Long.MAX_VALUE;
        account.folderDirty = false;
      } finally {
        account.state.unlock();
      }
      account.end = rewriter.end();
      account.document = new Document(rewriter.file(), generation);
      doc.close();
      account.remember();
    } finally {
      account.apply.unlock();
    }
  }

  /// Takes dead entries out of the text, when they are a quarter of it or have been there for long.
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
    account.begin();
    try {
      rewrite(0);
    } finally {
      account.writer.unlock();
    }
  }
}
