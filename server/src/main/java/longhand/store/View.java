package longhand.store;

import java.io.Closeable;
import java.io.IOException;

/// A selected mailbox as one session sees it: sequence numbers change only when the session is told
/// (RFC 3501 §7.4.1). For one thread at a time, but `onChange`'s callback comes from others.
public final class View implements Closeable {

  View() {}

  /// The account it belongs to.
  public Account account() {
    throw new UnsupportedOperationException();
  }

  /// The mailbox now; `messages` may be ahead of `count`. Null when it has been deleted.
  public @org.jspecify.annotations.Nullable Mailbox mailbox() {
    throw new UnsupportedOperationException();
  }

  /// How many messages the session knows of.
  public int count() {
    throw new UnsupportedOperationException();
  }

  /// The message of a sequence number, 1 to `count`. It may have been expunged by another session.
  public Entry at(int sequence) {
    throw new UnsupportedOperationException();
  }

  /// The sequence number of a UID, or 0 when the session knows no such message.
  public int sequenceOf(long uid) {
    throw new UnsupportedOperationException();
  }

  /// The least sequence number whose UID is not below `uid`; `count + 1` when all are below.
  public int sequenceNotBelow(long uid) {
    throw new UnsupportedOperationException();
  }

  /// Whether the message is recent in this session (RFC 3501 §2.3.2).
  public boolean recent(Entry entry) {
    throw new UnsupportedOperationException();
  }

  /// Tells what has changed since last told, and makes it this view's state. Without `expunges`
  /// (FETCH, STORE, SEARCH by sequence: RFC 3501 §7.4.1) expunges wait for another time.
  public Changes sync(boolean expunges) throws IOException {
    throw new UnsupportedOperationException();
  }

  /// Calls `listener` soon after each change, from another thread, until the view closes or another
  /// listener takes its place. It must be short and must not block.
  public void onChange(Runnable listener) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}
}
