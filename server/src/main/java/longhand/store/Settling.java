package longhand.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/// Brings an account's document up to date with what the journal holds for it, and forces it, so
/// that the journal may let go (`docs/document-format.md`, "Order of writes").
final class Settling {

  private final Account account;

  Settling(Account account) {
    this.account = account;
  }

  /// Brings the document up to date and forces it. Called by one thread at a time.
  void settle() throws IOException {
    account.underway.apply();
    if (account.document == null) {
      return;
    }
    if (!holdUnlessBusy()) {
      // Another program has changed the document, and the account is at work; the next round has
      // it.
      return;
    }
    try {
      settleAll();
    } finally {
      account.documentLock.letGo();
    }
    long before;
    boolean folder;
    Document doc;
    account.apply.lock();
    try {
      account.state.lock();
      try {
        if (!account.unsettled.isEmpty()) {
          // Something came between; the next round has it.
          return;
        }
        before = account.dirtySince;
        account.dirtySince = Long.MAX_VALUE;
      } finally {
        account.state.unlock();
      }
      folder = account.folderDirty;
      account.folderDirty = false;
      doc = account.opened();
      if (!doc.retain()) {
        return;
      }
    } finally {
      account.apply.unlock();
    }
    boolean forced = false;
    try {
      doc.file.force(true);
      if (folder) {
        account.store.forceFolders(account.path);
      }
      forced = true;
    } catch (IOException e) {
      throw new Store.ForceException(account.path, e);
    } finally {
      doc.close();
      if (!forced) {
        account.state.lock();
        try {
          account.dirtySince = Math.min(account.dirtySince, before);
        } finally {
          account.state.unlock();
        }
      }
    }
  }

  /// Holds the document, what another program did taken in if nobody has the writer lock: whoever
  /// settles must not wait for it, since those who have it may wait for room in the journal.
  private boolean holdUnlessBusy() throws IOException {
    if (account.documentLock.tryHold()) {
      return true;
    }
    if (!account.writer.tryLock()) {
      return false;
    }
    try {
      account.lookOutside(true);
    } finally {
      account.writer.unlock();
    }
    return account.documentLock.tryHold();
  }

  /// Writes in place all that waits, others getting a turn now and then. Called with the document
  /// held.
  void settleAll() throws IOException {
    while (settleSome(1000)) {
      Thread.onSpinWait();
    }
  }

  /// Writes in place what waits, at most `most` ledgers; whether more wait. Called with the
  /// document held.
  private boolean settleSome(int most) throws IOException {
    account.apply.lock();
    try {
      List<Entry> some;
      account.state.lock();
      try {
        some = account.unsettled.first(most);
      } finally {
        account.state.unlock();
      }
      if (some.isEmpty()) {
        return false;
      }
      var file = account.opened().file;
      try {
        for (var entry : some) {
          byte[] octets;
          account.state.lock();
          try {
            octets = account.ledger(entry, entry.marks, entry.modseq, entry.expunged).format();
          } finally {
            account.state.unlock();
          }
          file.write(ByteBuffer.wrap(octets), entry.ledgerOffset());
        }
      } finally {
        account.rememberIfPossible();
      }
      account.state.lock();
      try {
        account.unsettled.settled(some);
        return !account.unsettled.isEmpty();
      } finally {
        account.state.unlock();
      }
    } finally {
      account.apply.unlock();
    }
  }
}
