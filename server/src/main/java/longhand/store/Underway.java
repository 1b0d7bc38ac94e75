package longhand.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.locks.LockSupport;
import longhand.disk.Disk;
import org.jspecify.annotations.Nullable;

/// What an account has handed to the journal and not yet brought into its document, in order: each
/// batch is put in place, and shown to sessions, once it is durable and all before it have been.
/// Other programs are kept away from the document until it is empty.
final class Underway {

  /// Octets to put at an offset once the batch that says so is durable.
  record Put(long offset, ByteBuffer... slices) {}

  /// A batch handed in and not yet seen in the document.
  static final class Pending {
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

  private final Account account;
  private final ConcurrentLinkedDeque<Pending> pending = new ConcurrentLinkedDeque<>();

  Underway(Account account) {
    this.account = account;
  }

  /// Whether all is in the document.
  boolean isEmpty() {
    return pending.isEmpty();
  }

  /// A number not above that of the first batch that is not in the document; the greatest there is
  /// when all are.
  long bound() {
    var head = pending.peek();
    return head == null ? Long.MAX_VALUE : head.bound;
  }

  /// Commits a batch of this account alone, with the writer lock held, and makes it visible.
  void commit(Batch batch, List<Put> puts, Runnable effect) throws IOException {
    awaitAndShow(handIn(batch, puts, effect));
  }

  /// Hands in a batch of this account alone, with the writer lock held; `awaitAndShow` makes it
  /// visible. Several may be under way: they become durable, and visible, in order.
  Journal.Ticket handIn(Batch batch, List<Put> puts, Runnable effect) throws IOException {
    var waiting = prepare(puts, effect);
    hand(waiting, batch);
    return Objects.requireNonNull(waiting.ticket);
  }

  /// Waits until what this thread handed in last is durable, and makes it visible with all before
  /// it.
  void awaitAndShow(Journal.@Nullable Ticket last) throws IOException {
    if (last != null) {
      account.store.journal().await(last);
      apply();
    }
  }

  Pending prepare(List<Put> puts, Runnable effect) {
    var waiting = new Pending(account.store.journal().assigned() + 1, puts, effect);
    if (account.needsCreate) {
      waiting.create = account.createOctets;
    }
    account.documentLock.holdAlso();
    pending.add(waiting);
    return waiting;
  }

  void hand(Pending waiting, Batch batch) throws IOException {
    boolean taken = false;
    try {
      waiting.ticket = account.store.journal().enqueue(batch);
      account.needsCreate = false;
      account.created = true;
      taken = true;
    } finally {
      if (!taken) {
        withdraw(waiting);
      }
    }
  }

  /// Takes back what the journal did not take.
  void withdraw(Pending waiting) {
    if (pending.remove(waiting)) {
      account.documentLock.letGo();
    }
  }

  /// Waits until all that was handed in is in the document, so that what follows is at its end.
  void drain() throws IOException {
    while (!pending.isEmpty()) {
      account.store.journal().check();
      apply();
      var head = pending.peek();
      if (head != null && head.ticket != null && head.ticket.durable()) {
        throw new IOException(
            account.name + " cannot be written now; what was accepted waits in the journal");
      }
      if (head != null) {
        account.store.journal().commitInline();
        LockSupport.parkNanos(50_000);
      }
    }
  }

  /// Brings into the document and into sight what has become durable, in order. A document that
  /// cannot be written keeps it waiting: the journal has it, so it is not lost.
  void apply() {
    account.apply.lock();
    try {
      int applied = 0;
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
                  account.name
                      + ": accepted text waits in the journal, the document cannot be written",
                  e);
          break;
        }
        account.state.lock();
        try {
          account.dirtySince = Math.min(account.dirtySince, head.bound);
          head.effect.run();
        } finally {
          account.state.unlock();
        }
        pending.poll();
        applied++;
      }
      if (applied > 0) {
        account.rememberIfPossible();
      }
      for (; applied > 0; applied--) {
        account.documentLock.letGo();
      }
    } finally {
      account.apply.unlock();
    }
    account.tell();
  }

  void write(Pending head) throws IOException {
    if (head.create != null && account.document == null) {
      var folder = Objects.requireNonNull(account.path.getParent());
      account.store.disk().createFolders(folder);
      var file = account.store.disk().open(account.path, Disk.Mode.REPLACE);
      boolean done = false;
      try {
        file.write(ByteBuffer.wrap(head.create), 0);
        done = true;
      } finally {
        if (!done) {
          file.close();
        }
      }
      account.document = new Document(file, 1);
      account.folderDirty = true;
    }
    if (head.puts.isEmpty()) {
      return;
    }
    var file = account.opened().file;
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
