package longhand.queue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import longhand.store.MailboxException;
import longhand.store.Removal;
import org.jspecify.annotations.Nullable;

/// Takes messages out of the queue that have come to their end, many in one batch: while one batch
/// is being forced, those that come to their end meanwhile gather for the next. Safe for any
/// thread.
final class Removals {

  /// Messages of one batch.
  private static final int TOGETHER_MAX = 500;

  private final Batches batches;
  private final ConcurrentLinkedQueue<Waiting> waiting = new ConcurrentLinkedQueue<>();
  private final ReentrantLock removing = new ReentrantLock();

  Removals(Batches batches) {
    this.batches = batches;
  }

  /// One message's, and what came of it; guarded by `removing`.
  private static final class Waiting {
    private final List<Removal> removals;
    private boolean done;
    private @Nullable IOException failure;

    Waiting(List<Removal> removals) {
      this.removals = removals;
    }
  }

  /// Returns when the entries of a message are out of their document for good.
  void remove(List<Removal> removals) throws IOException {
    var mine = new Waiting(removals);
    waiting.add(mine);
    removing.lock();
    try {
      while (!mine.done) {
        removeSome();
      }
    } finally {
      removing.unlock();
    }
    if (mine.failure != null) {
      throw mine.failure;
    }
  }

  private void removeSome() {
    var some = new ArrayList<Waiting>();
    var all = new ArrayList<Removal>();
    for (var next = waiting.poll(); next != null; next = waiting.poll()) {
      some.add(next);
      all.addAll(next.removals);
      if (some.size() == TOGETHER_MAX) {
        break;
      }
    }
    IOException failure = null;
    try {
      batches.change(List.of(), all);
    } catch (IOException e) {
      failure = e;
    } catch (MailboxException e) {
      throw new IllegalStateException("a removal that names no mailbox", e);
    }
    for (var each : some) {
      each.done = true;
      each.failure = failure;
    }
  }
}
