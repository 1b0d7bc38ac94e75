package longhand.pop3;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.BitSet;
import longhand.store.Account;
import longhand.store.Entry;
import longhand.store.Mailbox;
import longhand.store.MailboxException;
import longhand.store.View;
import org.jspecify.annotations.Nullable;

/// INBOX as it was at log-in: messages keep their numbers while the session lasts (RFC 1939 §5),
/// whatever IMAP and delivery do meanwhile. For one thread.
final class Maildrop implements AutoCloseable {

  /// Messages up to this size are read ahead.
  private static final int AHEAD_OCTETS_MAX = 64 * 1024;

  private final Account account;
  private final View view;
  private final String token;
  private final BitSet deleted = new BitSet();
  private final long octetsAll;
  private long octetsDeleted;
  private byte[] ahead = {};
  private int aheadNumber;

  private Maildrop(Account account, View view, String token) {
    this.account = account;
    this.view = view;
    this.token = token;
    long sum = 0;
    for (int number = 1; number <= view.count(); number++) {
      sum += view.at(number).sizeOctets();
    }
    octetsAll = sum;
  }

  /// Opens the INBOX of an account; takes none of its recent marks.
  static Maildrop open(Account account) throws IOException {
    try {
      return new Maildrop(account, account.view(Mailbox.INBOX, false), account.token());
    } catch (MailboxException e) {
      throw new IOException(e);
    }
  }

  /// How many messages there were at log-in, those since deleted included.
  int last() {
    return view.count();
  }

  /// How many are not marked as deleted.
  int count() {
    return view.count() - deleted.cardinality();
  }

  /// The octets of those that are not.
  long octets() {
    return octetsAll - octetsDeleted;
  }

  /// Whether there is a message of that number, not marked as deleted.
  boolean has(int number) {
    return number >= 1 && number <= view.count() && !deleted.get(number);
  }

  /// The octets of a message, as RFC 1939 §11 counts them.
  int size(int number) {
    return view.at(number).sizeOctets();
  }

  /// The unique-id of a message: the document's token and the message's id, neither of which is
  /// ever used again (RFC 1939 §7).
  String id(int number) {
    return token + "." + view.at(number).id();
  }

  /// The message.
  InputStream read(int number) throws IOException {
    return account.open(view.at(number));
  }

  /// Reads a message, if it is not large, before it is asked for: to be called while the client is
  /// busy with the one before. One message is held at a time. What cannot be read is left for the
  /// time when it is asked for, and told then.
  void readAhead(int number) {
    if (number == aheadNumber || !has(number) || size(number) > AHEAD_OCTETS_MAX) {
      return;
    }
    aheadNumber = 0;
    int size = size(number);
    if (ahead.length < size) {
      ahead = new byte[size];
    }
    try (var message = read(number)) {
      // The end must be seen: only there has all of it passed its check.
      if (message.readNBytes(ahead, 0, size) == size && message.read() < 0) {
        aheadNumber = number;
      }
    } catch (IOException e) {
      System.getLogger(Maildrop.class.getName())
          .log(System.Logger.Level.DEBUG, "message " + number + " not read ahead", e);
    }
  }

  /// The octets of a message that has been read ahead, the first `size` of the array; null for any
  /// other. Valid until `readAhead`.
  byte @Nullable [] held(int number) {
    return number == aheadNumber ? ahead : null;
  }

  /// Marks a message.
  void delete(int number) {
    deleted.set(number);
    octetsDeleted += size(number);
  }

  /// Takes all marks back.
  void reset() {
    deleted.clear();
    octetsDeleted = 0;
  }

  /// Removes the marked messages, all or none, and gives their number.
  int commit() throws IOException {
    var entries = new ArrayList<Entry>(deleted.cardinality());
    deleted.stream().forEach(number -> entries.add(view.at(number)));
    if (!entries.isEmpty()) {
      account.expunge(entries);
    }
    return entries.size();
  }

  @Override
  public void close() {
    view.close();
  }
}
