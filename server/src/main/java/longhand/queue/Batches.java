package longhand.queue;

import java.io.IOException;
import java.util.List;
import longhand.store.Append;
import longhand.store.Entry;
import longhand.store.MailboxException;
import longhand.store.Removal;

/// What makes the queue's batches durable, all or nothing: the store's `change`. Safe for any
/// thread.
@FunctionalInterface
interface Batches {

  /// Returns once the batch is durable: one entry for each append, in order. A removal of what is
  /// gone already does nothing.
  List<Entry> change(List<Append> appends, List<Removal> removals)
      throws IOException, MailboxException;
}
