package longhand.store;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import longhand.mail.Address;

/// All accounts of one data folder. One process at a time may open it. Safe for any thread.
public final class Store implements Closeable {

  Store() {}

  /// The account of a canonical address. Which addresses have one is the directory's to say: the
  /// first append or log-in makes the document. `IOException` when the document is damaged or
  /// locked away.
  public Account account(Address address) throws IOException {
    throw new UnsupportedOperationException();
  }

  /// An empty letter, to be written and finished.
  public Letter letter() {
    throw new UnsupportedOperationException();
  }

  /// Puts messages into mailboxes, all or none, and returns once they are durable and visible: one
  /// entry for each append, in order.
  public List<Entry> append(List<Append> appends) throws IOException, MailboxException {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() throws IOException {}
}
