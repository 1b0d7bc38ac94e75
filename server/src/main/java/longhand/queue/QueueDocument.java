package longhand.queue;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.store.Account;
import longhand.store.Store;

/// One of the documents that hold the queue: there are as many as it takes to keep each small, so
/// that taking a message out of one stays cheap and its entries need not all be in memory.
final class QueueDocument {

  /// Nobody's domain: RFC 6761 §6.4 keeps `invalid` from ever being one. The documents lie in the
  /// folder of that name, so every tool that knows documents knows these.
  static final Domain DOMAIN = new Domain("queue.invalid");

  private final Account account;
  private final long uidNext;

  /// Messages in it and on their way into it.
  final AtomicInteger messages = new AtomicInteger();

  private QueueDocument(Account account, long uidNext) {
    this.account = account;
    this.uidNext = uidNext;
  }

  /// One that there is.
  static QueueDocument open(Store store, int number) throws IOException {
    var account = account(store, number);
    return new QueueDocument(account, account.mailbox("INBOX").orElseThrow().uidNext());
  }

  /// One that there is not yet.
  static QueueDocument fresh(Store store, int number) {
    return new QueueDocument(account(store, number), 1);
  }

  private static Account account(Store store, int number) {
    return store.account(new Address(Integer.toString(number), DOMAIN));
  }

  /// What came before this UID was there when the queue was opened.
  long uidNext() {
    return uidNext;
  }

  Account account() {
    return account;
  }
}
