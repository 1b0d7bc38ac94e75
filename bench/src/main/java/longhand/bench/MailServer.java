package longhand.bench;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;

/// A mail server under measurement: started with a fresh data folder, stopped, started again. Its
/// accounts are `user0@bench.test` to `user99@bench.test` with the password `bench`. Used by one
/// thread at a time.
sealed interface MailServer extends Closeable permits LonghandServer, PostfixDovecot {

  /// The domain of all accounts.
  String DOMAIN = "bench.test";

  /// A domain whose mail goes on to the sink.
  String RELAYED = "relay.test";

  /// How many accounts there are.
  int ACCOUNTS = 100;

  /// The password of all accounts.
  String PASSWORD = "bench";

  /// The address of the account with that number.
  static String address(int account) {
    return "user" + account % ACCOUNTS + "@" + DOMAIN;
  }

  /// What its column is called.
  String name();

  /// Starts it; it serves all its ports when this returns.
  ///
  /// @return milliseconds from the start of the process to the first greeting
  double start() throws IOException, InterruptedException;

  /// Stops it in good order; its data stays.
  void stop() throws IOException, InterruptedException;

  /// Removes every index, cache and list that it could make anew; only while stopped.
  void dropIndexes() throws IOException;

  /// Port of reception on 127.0.0.1.
  int smtpPort();

  /// Port of IMAP on 127.0.0.1, passwords in clear.
  int imapPort();

  /// Port of POP3 on 127.0.0.1, passwords in clear.
  int pop3Port();

  /// Port on 127.0.0.1 that mail for `RELAYED` is brought to; nobody is there unless a measure
  /// starts a [Sink].
  int sinkPort();

  /// Processes that the server consists of, with all that descend from them.
  Set<Long> roots();

  /// Where it keeps all it has; removed by `close`.
  Path folder();

  /// Stops it if it runs, and removes its data.
  @Override
  void close() throws IOException;
}
