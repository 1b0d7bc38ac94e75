package longhand.store;

import java.io.Closeable;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Keeps other programs away from an account's document, by the locks that mail programs take, from
/// when a change is decided until it is in the document. In between nobody may move what our
/// offsets point at: a batch is durable before its octets are in place, and a ledger is settled
/// later still.
///
/// Whoever holds first finds out whether another program has been there since we last looked.
/// Guarded by the account's apply lock, which its methods take.
final class DocumentLock {

  private final Account account;
  private int holders;
  private @Nullable Closeable lock;

  DocumentLock(Account account) {
    this.account = account;
  }

  /// Holds the document, unless another program has changed it since we last looked; whether it is
  /// held. Once for each `letGo`. A document that does not exist yet needs no lock.
  ///
  /// @throws IOException when another program does not let go of it
  boolean tryHold() throws IOException {
    account.apply.lock();
    try {
      var doc = account.document;
      if (holders == 0 && doc != null) {
        var taken = account.store.outsideLock(account.path, doc.file);
        boolean same = false;
        try {
          same =
              Objects.equals(account.store.disk().facts(account.path).orElse(null), account.facts);
        } finally {
          if (!same) {
            taken.close();
          }
        }
        if (!same) {
          return false;
        }
        lock = taken;
      }
      holders++;
      return true;
    } finally {
      account.apply.unlock();
    }
  }

  /// One more who holds what is held already.
  void holdAlso() {
    account.apply.lock();
    try {
      holders++;
    } finally {
      account.apply.unlock();
    }
  }

  /// Gives it back; other programs may come when all have.
  void letGo() {
    account.apply.lock();
    try {
      if (--holders == 0) {
        release();
      }
    } finally {
      account.apply.unlock();
    }
  }

  /// A new document has taken the place of the one that is held. Called with the apply lock.
  ///
  /// @param taken the lock of the new one
  void handOver(@Nullable Closeable taken) throws IOException {
    if (holders > 0) {
      release();
      lock = taken;
    } else if (taken != null) {
      taken.close();
    }
  }

  private void release() {
    var held = lock;
    lock = null;
    if (held != null) {
      try {
        held.close();
      } catch (IOException e) {
        // The document is closed, and the lock went with it.
        System.getLogger(DocumentLock.class.getName())
            .log(System.Logger.Level.DEBUG, account.name + " was not unlocked", e);
      }
    }
  }
}
