package longhand.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;

/// Entries of one account that are put in place ahead of their batch, since they are too large for
/// the journal (`docs/document-format.md`, "Large messages"). Its steps are taken in the order in
/// which they stand here, by `Store.commitLarge`, with the account's writer lock held.
///
/// @param insertions none in an account that the batch only changes otherwise
/// @param octets they take in the document
/// @param also adds to the batch what else it does to the account
/// @param effect shows it all to sessions
record LargeInsertion(
    Account account,
    List<Insertion> insertions,
    long octets,
    Consumer<Batch> also,
    Runnable effect) {

  /// Makes the document if there is none, and waits until all that was handed in is in it, so that
  /// what follows is at its end.
  void prepare() throws IOException {
    account.create();
    account.underway.drain();
  }

  /// Adds to a batch that octets will be put at the end of the document.
  void addIntent(Batch batch) {
    account.state.lock();
    try {
      account.holdSince = Math.min(account.holdSince, account.store.journal().assigned() + 1);
    } finally {
      account.state.unlock();
    }
    if (!insertions.isEmpty()) {
      batch.intent(account.name, account.generation(), account.end, octets);
    }
  }

  /// Writes large entries into the document and forces it.
  void writeAhead() throws IOException {
    if (insertions.isEmpty()) {
      return;
    }
    account.apply.lock();
    try {
      var file = account.opened().file;
      long at = account.end;
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
        if (account.folderDirty) {
          // The journal will not hold these octets, so the file's name must not be lost either.
          account.store.forceFolders(account.path);
          account.folderDirty = false;
        }
      } catch (IOException e) {
        account.store.journal().fail(e);
        throw e;
      }
    } finally {
      account.apply.unlock();
    }
  }

  /// Adds to a batch that they are there, and what else it does.
  void addReference(Batch batch) {
    if (!insertions.isEmpty()) {
      batch.reference(account.name, account.generation(), account.end, octets);
    }
    also.accept(batch);
  }

  /// Shows large entries, whose batch is durable: nothing that fails now makes that untrue.
  void show() {
    account.apply.lock();
    try {
      account.end += octets;
      account.state.lock();
      try {
        account.dirtySince = Math.min(account.dirtySince, account.holdSince);
        effect.run();
      } finally {
        account.state.unlock();
      }
      account.rememberIfPossible();
    } finally {
      account.apply.unlock();
      release();
    }
    account.tell();
  }

  /// Cuts off what `writeAhead` wrote, since its batch was never handed to the journal.
  void cut() {
    if (insertions.isEmpty()) {
      release();
      return;
    }
    account.apply.lock();
    try {
      // Forced, since the intent is held no longer: a checkpoint could pass it, and a loss of power
      // after that bring the octets back.
      account.opened().file.truncate(account.end);
      account.opened().file.force(true);
      account.rememberIfPossible();
    } catch (IOException e) {
      // The intent is in the journal: the next start cuts. Until then nothing more may be put
      // behind it.
      account.store.journal().fail(e);
    } finally {
      account.apply.unlock();
      release();
    }
  }

  private void release() {
    account.state.lock();
    try {
      account.holdSince = Long.MAX_VALUE;
    } finally {
      account.state.unlock();
    }
  }
}
