package longhand.queue;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import longhand.store.Store;

/// The documents of the queue, and which of them takes the next message. Safe for any thread.
final class QueueDocuments {

  private static final System.Logger LOG = System.getLogger(QueueDocuments.class.getName());

  /// Messages a document takes before another one is used.
  private static final int MESSAGES_MAX = 4096;

  private final Store store;
  private final List<QueueDocument> all = new ArrayList<>();
  private int current;
  private int last;

  /// Those that are there.
  QueueDocuments(Store store) throws IOException {
    this.store = store;
    for (var address : store.documents()) {
      if (!address.domain().equals(QueueDocument.DOMAIN)) {
        continue;
      }
      try {
        int number = Integer.parseInt(address.localPart());
        all.add(QueueDocument.open(store, number));
        last = Math.max(last, number);
      } catch (NumberFormatException e) {
        LOG.log(
            Level.WARNING, () -> address + " lies among the queue's documents and is none of them");
      } catch (IOException e) {
        // One that cannot be read keeps none of the others from being tried.
        LOG.log(
            Level.ERROR,
            () ->
                address + ": the messages in it wait, since it cannot be read: " + e.getMessage());
        last = Math.max(last, Integer.parseInt(address.localPart()));
      }
    }
    if (all.isEmpty()) {
      all.add(QueueDocument.fresh(store, ++last));
    }
  }

  /// All of them.
  synchronized List<QueueDocument> all() {
    return List.copyOf(all);
  }

  /// One for another message, which is counted in it.
  synchronized QueueDocument forAnother() {
    if (all.get(current).messages.get() >= MESSAGES_MAX) {
      current = withRoom();
    }
    var document = all.get(current);
    document.messages.incrementAndGet();
    return document;
  }

  private int withRoom() {
    for (int i = 0; i < all.size(); i++) {
      if (all.get(i).messages.get() < MESSAGES_MAX / 2) {
        return i;
      }
    }
    all.add(QueueDocument.fresh(store, ++last));
    return all.size() - 1;
  }
}
