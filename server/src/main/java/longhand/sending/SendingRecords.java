package longhand.sending;

import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import longhand.disk.Disk;
import longhand.mail.Address;
import longhand.mail.EnhancedStatus;
import longhand.store.Store;
import longhand.wire.Limits;
import org.jspecify.annotations.Nullable;

/// How much each account has sent, to whom, and which addresses it sends nothing to, so that who
/// has stolen a password does little with it, and nobody writes again and again to addresses that
/// do not exist. Safe for any thread.
///
/// What is asked and told is answered from memory; one thread writes it to the accounts' files a
/// moment later. A crash of the process loses what was counted in that moment, a loss of power
/// perhaps some seconds of counts; a suppression that was written is forced. Accounts that were not
/// asked about for longest are only in their files when there are too many.
public final class SendingRecords implements Closeable {

  private static final System.Logger LOG = System.getLogger(SendingRecords.class.getName());

  /// How long what is new waits for the writer, at most.
  private static final Duration WRITING = Duration.ofMillis(250);

  private static final int ACCOUNTS_MAX = 1000;

  /// Addresses of all accounts in memory, each some 150 octets.
  private static final int WEIGHT_MAX = 200_000;

  private static final int KNOWN_MAX = 2000;
  private static final int SUPPRESSED_MAX = 1000;

  private final Disk disk;
  private final Path folder;
  private final Limits limits;
  private final InstantSource clock;
  private final Map<Address, Used> accounts = new ConcurrentHashMap<>();
  private final Set<AccountSending> unwritten = ConcurrentHashMap.newKeySet();
  private final ReentrantLock writing = new ReentrantLock();
  private final CountDownLatch ending = new CountDownLatch(1);
  private boolean failing; // guarded by `writing`
  private @Nullable Thread writer;

  /// An account in memory, and when it was asked about last.
  private static final class Used {
    final AccountSending account;
    volatile long nanos = System.nanoTime();

    Used(AccountSending account) {
      this.account = account;
    }
  }

  /// Reads nothing yet, and writes nothing before `start` or `write`.
  ///
  /// @param folder of all accounts' files; it belongs to this alone
  /// @param limits how much is too much
  public SendingRecords(Disk disk, Path folder, Limits limits, InstantSource clock) {
    this.disk = disk;
    this.folder = folder;
    this.limits = limits;
    this.clock = clock;
  }

  /// Begins to write what is new, soon after it is known.
  public void start() {
    writer =
        Thread.ofVirtual()
            .name("sending records")
            .start(
                () -> {
                  try {
                    while (!ending.await(WRITING.toMillis(), TimeUnit.MILLISECONDS)) {
                      write();
                    }
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                });
  }

  // How much.

  /// A message that an account is about to send; for one thread.
  public final class Draft {
    private final Address account;
    private final Set<Address> to = new LinkedHashSet<>();
    private int fresh;

    private Draft(Address account) {
      this.account = account;
    }

    /// Why the account may not send the message to one more recipient now: a sentence that says
    /// what the limit is and when it ends.
    public Optional<String> refusal(Address next) {
      var now = clock.instant();
      var sending = of(account);
      boolean more = !to.contains(next.canonical());
      int recipients = to.size() + (more ? 1 : 0);
      int unknown = fresh + (more && !sending.knows(next.canonical()) ? 1 : 0);
      var hour = sending.hour(now);
      var reached =
          reached(
              hour,
              recipients,
              unknown,
              limits.accountMessagesHourMax(),
              limits.accountRecipientsHourMax(),
              limits.accountNewRecipientsHourMax());
      if (reached.isPresent()) {
        return Optional.of(sentence(reached.get(), "an hour", AccountSending.hourEnd(hour)));
      }
      var day = sending.day(now);
      return reached(
              day,
              recipients,
              unknown,
              limits.accountMessagesDayMax(),
              limits.accountRecipientsDayMax(),
              limits.accountNewRecipientsDayMax())
          .map(limit -> sentence(limit, "a day", AccountSending.dayEnd(day)));
    }

    private static Optional<String> reached(
        Window window,
        int recipients,
        int unknown,
        int messagesMax,
        int recipientsMax,
        int newRecipientsMax) {
      if (window.messages() >= messagesMax) {
        return Optional.of(messagesMax + " messages");
      }
      if (window.recipients() + recipients > recipientsMax) {
        return Optional.of("to " + recipientsMax + " recipients");
      }
      return window.fresh() + unknown > newRecipientsMax
          ? Optional.of("to " + newRecipientsMax + " new recipients")
          : Optional.empty();
    }

    private static String sentence(String limit, String span, Instant end) {
      return "This account may send %s in %s; more after %s"
          .formatted(limit, span, end.plusMillis(999).truncatedTo(ChronoUnit.SECONDS));
    }

    /// The message is to go there too.
    public void add(Address recipient) {
      var canonical = recipient.canonical();
      if (to.add(canonical) && !of(account).knows(canonical)) {
        fresh++;
      }
    }

    /// The account has sent it.
    public void sent() {
      var sending = of(account);
      while (!sending.sent(to, clock.instant())) {
        sending = of(account);
      }
      unwritten.add(sending);
    }
  }

  /// A message of an account that has logged in.
  public Draft draft(Address account) {
    return new Draft(account.canonical());
  }

  // Where not to.

  /// Whether an account sends nothing to an address now, and why.
  public Optional<Suppression> suppression(Address account, Address address) {
    return of(account).suppression(address, clock.instant());
  }

  /// All that an account sends nothing to now, the oldest first.
  public List<Suppression> suppressions(Address account) {
    return of(account).suppressions(clock.instant());
  }

  /// Mail of an account came back for good: when the status says that the address is bad, the
  /// account sends nothing there for a while. Empty when nothing follows.
  public Optional<Suppression> bounced(
      Address account, Address address, EnhancedStatus status, String words) {
    return limits.accountSuppressionDays() > 0 && Suppression.isCalledForBy(status)
        ? Optional.of(suppress(account, address, limits.accountSuppressionDays(), status, words))
        : Optional.empty();
  }

  /// An account sends nothing to an address for so many days from now.
  public Suppression suppress(
      Address account, Address address, int days, EnhancedStatus status, String words) {
    var now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
    var suppression = new Suppression(address, now, now.plus(Duration.ofDays(days)), status, words);
    var sending = of(account);
    while (!sending.suppress(suppression)) {
      sending = of(account);
    }
    unwritten.add(sending);
    return suppression;
  }

  /// An account may send to an address again; false when it was never suppressed.
  public boolean allow(Address account, Address address) {
    var sending = of(account);
    var was = sending.allow(address);
    while (was.isEmpty()) {
      sending = of(account);
      was = sending.allow(address);
    }
    unwritten.add(sending);
    return was.get();
  }

  // In memory and on the disk.

  private AccountSending of(Address account) {
    var canonical = account.canonical();
    while (true) {
      var used = accounts.get(canonical);
      if (used == null) {
        makeRoom();
        used = accounts.computeIfAbsent(canonical, this::unread);
      }
      used.nanos = System.nanoTime();
      if (used.account.use()) {
        return used.account;
      }
      accounts.remove(canonical, used);
    }
  }

  private Used unread(Address account) {
    return new Used(
        new AccountSending(
            account,
            new SendingFile(disk, folder.resolve(Store.documentName(account))),
            KNOWN_MAX,
            SUPPRESSED_MAX));
  }

  int inMemory() {
    return accounts.size();
  }

  /// Leaves to their files those that were not asked about for longest.
  private void makeRoom() {
    long weight = 0;
    for (var each : accounts.values()) {
      weight += each.account.weight();
    }
    if (weight < WEIGHT_MAX && accounts.size() < ACCOUNTS_MAX) {
      return;
    }
    var now = System.nanoTime();
    record Idle(Used used, long nanos) {}
    var idle =
        accounts.values().stream()
            .map(each -> new Idle(each, now - each.nanos))
            .sorted(Comparator.comparingLong(Idle::nanos).reversed())
            .toList();
    int left = idle.size();
    for (var each : idle) {
      if (weight < WEIGHT_MAX * 3L / 4 && left < ACCOUNTS_MAX * 3 / 4) {
        return;
      }
      if (each.used.account.forget()) {
        accounts.remove(each.used.account.account(), each.used);
        weight -= each.used.account.weight();
        left--;
      }
    }
  }

  /// Writes what is new; false when some of it could not be written, which is logged once and tried
  /// again the next time.
  public boolean write() {
    writing.lock();
    try {
      boolean good = true;
      for (var each : List.copyOf(unwritten)) {
        unwritten.remove(each);
        var lines = each.take(clock.instant());
        if (lines.isEmpty()) {
          continue;
        }
        boolean done = false;
        try {
          if (lines.get().whole()) {
            each.file().replace(lines.get().lines());
          } else {
            each.file().append(lines.get().lines(), lines.get().force());
          }
          done = true;
        } catch (IOException e) {
          if (!failing) {
            LOG.log(Level.WARNING, () -> each.file() + " cannot be written for now: " + e);
          }
        } finally {
          each.written(done);
          if (!done) {
            unwritten.add(each);
            good = false;
          }
        }
      }
      failing = !good;
      return good;
    } finally {
      writing.unlock();
    }
  }

  /// Writes what is new, and nothing more after that.
  @Override
  public void close() {
    ending.countDown();
    var thread = writer;
    if (thread != null) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    write();
  }
}
