package longhand.imap;

import java.io.IOException;
import java.net.InetAddress;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import longhand.auth.Authenticator;
import longhand.directory.Directory;
import longhand.mail.Address;
import longhand.store.Store;
import longhand.wire.CommandCounts;
import longhand.wire.Limits;

/// What all sessions of one listener share. Safe for any thread.
public final class ImapServices {

  private final Store store;
  private final Directory directory;
  private final Authenticator authenticator;
  private final Optional<Supplier<SSLContext>> tls;
  private final Limits limits;
  private final boolean plaintextLogin;

  /// Searches that read messages take turns: they hold processors and cause page faults.
  private final Semaphore searches =
      new Semaphore(Math.max(2, Runtime.getRuntime().availableProcessors()));

  private final Counts counts = new Counts();
  private final ConcurrentHashMap<Visitor, Integer> sessions = new ConcurrentHashMap<>();

  /// What sessions need.
  ///
  /// @param tls for STARTTLS or implicit TLS, when there is TLS; asked for each handshake
  /// @param plaintextLogin whether passwords may cross in clear
  public ImapServices(
      Store store,
      Directory directory,
      Authenticator authenticator,
      Optional<Supplier<SSLContext>> tls,
      Limits limits,
      boolean plaintextLogin) {
    this.store = store;
    this.directory = directory;
    this.authenticator = authenticator;
    this.tls = tls;
    this.limits = limits;
    this.plaintextLogin = plaintextLogin;
  }

  /// What happened so far; the adders only ever grow.
  public static final class Counts {
    /// Log-ins that succeeded.
    public final LongAdder logins = new LongAdder();

    /// Commands answered, by kind.
    public final CommandCounts commands = new CommandCounts();

    /// Messages appended.
    public final LongAdder appended = new LongAdder();

    /// Messages of which something was fetched.
    public final LongAdder fetched = new LongAdder();

    Counts() {}
  }

  /// What happened so far.
  public Counts counts() {
    return counts;
  }

  Store store() {
    return store;
  }

  Authenticator authenticator() {
    return authenticator;
  }

  Optional<Supplier<SSLContext>> tls() {
    return tls;
  }

  Limits limits() {
    return limits;
  }

  boolean plaintextLogin() {
    return plaintextLogin;
  }

  Semaphore searches() {
    return searches;
  }

  /// Whether an account can take so many octets more (RFC 5530 OVERQUOTA).
  boolean hasRoom(Address account, long octets) throws IOException {
    var record = directory.account(account);
    if (record.isEmpty() || record.get().quotaOctets() == 0) {
      return true;
    }
    return store.account(account).usage().octets() + octets <= record.get().quotaOctets();
  }

  /// One account from one address.
  record Visitor(Address account, InetAddress peer) {}

  /// Counts a session in, unless there are too many of its kind.
  boolean enter(Visitor visitor) {
    int now = sessions.merge(visitor, 1, Integer::sum);
    if (now > limits.imapSessionsPerAccountMax()) {
      leave(visitor);
      return false;
    }
    return true;
  }

  /// Sessions of people who have logged in.
  public int sessions() {
    return sessions.values().stream().mapToInt(Integer::intValue).sum();
  }

  /// Counts it out again.
  void leave(Visitor visitor) {
    sessions.computeIfPresent(visitor, (_, n) -> n == 1 ? null : n - 1);
  }
}
