package longhand.delivery;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.Supplier;
import longhand.directory.Directory;
import longhand.journey.Journeys;
import longhand.journey.Station;
import longhand.mail.Address;
import longhand.mail.EnhancedStatus;
import longhand.mail.Envelope;
import longhand.mail.ForwardPath;
import longhand.queue.Queue;
import longhand.queue.ReturnPath;
import longhand.store.Append;
import longhand.store.Entry;
import longhand.store.Letter;
import longhand.store.Mailbox;
import longhand.store.MailboxException;
import longhand.store.Marks;
import longhand.store.Store;

/// Decides which accounts get a message and which recipients other servers are to get it for, and
/// commits it to all accounts and to the queue in one batch. Safe for any thread.
public final class Delivery {

  /// What became of recipients so far; the adders only ever grow.
  public static final class Counts {
    /// The message is durable in their accounts.
    public final LongAdder stored = new LongAdder();

    /// The message is durable in the queue.
    public final LongAdder queued = new LongAdder();

    /// It may work later.
    public final LongAdder deferred = new LongAdder();

    /// It will not.
    public final LongAdder refused = new LongAdder();

    private Counts() {}

    private List<Outcome> count(List<Outcome> outcomes) {
      for (var outcome : outcomes) {
        switch (outcome) {
          case Outcome.Stored _ -> stored.increment();
          case Outcome.Queued _ -> queued.increment();
          case Outcome.Deferred _ -> deferred.increment();
          case Outcome.Refused _ -> refused.increment();
        }
      }
      return outcomes;
    }
  }

  private static final System.Logger LOG = System.getLogger(Delivery.class.getName());
  private static final EnhancedStatus MAILBOX_FULL_NOW = new EnhancedStatus(4, 2, 2);
  private static final EnhancedStatus MAILBOX_FULL_EVER = new EnhancedStatus(5, 2, 2);
  private static final EnhancedStatus SYSTEM_TROUBLE = new EnhancedStatus(4, 3, 0);

  private final Store store;
  private final Directory directory;
  private final Queue queue;
  private final Journeys journeys;
  private final Counts counts = new Counts();

  /// Delivers into that store the mail of that directory's accounts, and into that queue what is
  /// for others; notes where it wrote.
  public Delivery(Store store, Directory directory, Queue queue, Journeys journeys) {
    this.store = store;
    this.directory = directory;
    this.queue = queue;
    this.journeys = journeys;
  }

  /// What became of recipients so far.
  public Counts counts() {
    return counts;
  }

  /// Octets free on the disk that messages go to.
  public long freeOctets() throws IOException {
    return store.freeOctets();
  }

  /// An empty letter, for the message that is about to come.
  public Letter letter() {
    return store.letter();
  }

  /// Where a path leads. Sub-addresses lead to their account, in any letter case.
  ///
  /// @param octets how large the sender says the message is, 0 when it does not say
  public Destination destination(ForwardPath path, long octets) {
    var address = path.address();
    if (!directory.isLocal(address.domain())) {
      return new Destination.Remote(path);
    }
    try {
      var found = directory.find(address);
      if (found.isEmpty()) {
        return new Destination.Unknown();
      }
      var record = found.get();
      if (!record.active()) {
        return new Destination.Inactive();
      }
      var account = store.account(record.address());
      // Reading it now tells one bad document from the others; at the end there is one answer.
      long used = account.usage().octets();
      if (record.quotaOctets() > 0) {
        if (octets > record.quotaOctets()) {
          return new Destination.TooLarge();
        }
        if (used + Math.max(octets, 1) > record.quotaOctets()) {
          return new Destination.Full();
        }
      }
      return new Destination.Local(path, account, record.quotaOctets());
    } catch (IOException e) {
      LOG.log(
          System.Logger.Level.WARNING,
          () -> "no delivery to " + address.canonical() + " now: " + e.getMessage());
      return new Destination.Unavailable(String.valueOf(e.getMessage()));
    }
  }

  /// Where a report to a reverse-path goes; nowhere when nobody has that address.
  public List<ReturnPath> returnPaths(Address address) {
    return switch (destination(ForwardPath.of(address), 0)) {
      case Destination.Local local -> List.of(new ReturnPath.Here(local.account()));
      case Destination.Full _, Destination.TooLarge _ ->
          // A report is worth the space.
          List.of(new ReturnPath.Here(store.account(address)));
      case Destination.Remote(var path) -> List.of(new ReturnPath.Elsewhere(path.address()));
      case Destination.Unknown _, Destination.Inactive _ -> List.of();
      case Destination.Unavailable _ -> List.of(new ReturnPath.Here(store.account(address)));
    };
  }

  /// A message that is whole and was checked.
  ///
  /// @param id what the trace fields and the log call it; unique for ever
  /// @param account who handed it in, when somebody logged in for it
  /// @param envelope its recipients are all that it was accepted for
  /// @param letter finished
  /// @param saved when it was taken
  /// @param trace the fields that stand before it, for the account that is at the end of a path
  /// @param onwardTrace the same for other servers
  public record Accepted(
      String id,
      Optional<Address> account,
      Envelope envelope,
      Letter letter,
      Instant saved,
      Function<ForwardPath, byte[]> trace,
      Supplier<byte[]> onwardTrace) {}

  /// Puts a message into the accounts and the queue, and returns when it is durable there: one
  /// outcome for each destination, in order. An account that is named twice, as by two
  /// sub-addresses, gets the message once, and both are told the same.
  ///
  /// @param to where its recipients lead: each `Local` or `Remote`
  /// @param together whether it is all or none (SMTP has one answer for all recipients): then one
  ///   that is not `Stored` means that none is
  public List<Outcome> deliver(Accepted message, List<Destination> to, boolean together) {
    var outcomes = new HashMap<Destination, Outcome>();
    var batch = new ArrayList<Destination>(to.size());
    var seen = new HashMap<Address, Destination>();
    var remote = new HashSet<Destination>();
    for (var destination : to) {
      if (destination instanceof Destination.Remote && !remote.add(destination)) {
        continue;
      }
      if (destination instanceof Destination.Local local) {
        if (seen.putIfAbsent(local.account().address(), local) != null) {
          continue;
        }
        var refusal = refusal(local, message);
        if (refusal.isPresent()) {
          if (together) {
            return counts.count(Collections.nCopies(to.size(), refusal.get()));
          }
          outcomes.put(local, refusal.get());
          continue;
        }
      }
      batch.add(destination);
    }
    commit(message, batch, outcomes);
    if (!together
        && batch.size() > 1
        && outcomes.get(batch.getFirst()) instanceof Outcome.Deferred) {
      // One bad document fails the whole batch: each alone, so that it harms no other.
      for (var destination : batch) {
        commit(message, List.of(destination), outcomes);
      }
    }
    var inOrder = new ArrayList<Outcome>(to.size());
    for (var destination : to) {
      var first =
          destination instanceof Destination.Local local
              ? seen.getOrDefault(local.account().address(), local)
              : destination;
      inOrder.add(Objects.requireNonNull(outcomes.get(first)));
    }
    return counts.count(inOrder);
  }

  /// Why a message does not fit, if it does not.
  private static Optional<Outcome> refusal(Destination.Local to, Accepted message) {
    if (to.quotaOctets() == 0) {
      return Optional.empty();
    }
    long octets = message.letter().sizeOctets() + message.trace().apply(to.path()).length;
    if (octets > to.quotaOctets()) {
      return Optional.of(
          new Outcome.Refused(MAILBOX_FULL_EVER, octets + " octets, quota " + to.quotaOctets()));
    }
    try {
      long used = to.account().usage().octets();
      return used + octets > to.quotaOctets()
          ? Optional.of(
              new Outcome.Deferred(
                  MAILBOX_FULL_NOW, used + " + " + octets + " octets, quota " + to.quotaOctets()))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.of(new Outcome.Deferred(SYSTEM_TROUBLE, String.valueOf(e.getMessage())));
    }
  }

  /// One batch: all of it is durable, or nothing is and all are deferred.
  private void commit(Accepted message, List<Destination> to, Map<Destination, Outcome> outcomes) {
    if (to.isEmpty()) {
      return;
    }
    var appends = new ArrayList<Append>(to.size());
    Queue.Admission admission = null;
    boolean entered = false;
    try {
      var onward = new ArrayList<ForwardPath>();
      for (var destination : to) {
        switch (destination) {
          case Destination.Local local -> appends.add(append(message, local));
          case Destination.Remote(var path) -> onward.add(path);
          default -> throw new IllegalArgumentException("no destination: " + destination);
        }
      }
      if (!onward.isEmpty()) {
        admission =
            queue.admit(
                message.id(),
                message.account(),
                message.envelope().withTo(onward),
                message.letter(),
                message.onwardTrace().get(),
                message.saved());
        appends.add(admission.append());
      }
      var entries = store.append(appends);
      if (admission != null) {
        entered = true;
        admission.entered(entries.getLast());
      }
      int next = 0;
      for (var destination : to) {
        outcomes.put(
            destination,
            destination instanceof Destination.Local
                ? new Outcome.Stored(entries.get(next++).uid())
                : new Outcome.Queued());
      }
      note(message, to, entries);
    } catch (IOException | MailboxException e) {
      // When unsure, defer: a wrong 4yz costs a retry, a wrong 250 a message.
      LOG.log(
          System.Logger.Level.WARNING,
          () -> "not stored for " + to.size() + " recipients: " + e.getMessage());
      for (var destination : to) {
        outcomes.put(
            destination, new Outcome.Deferred(SYSTEM_TROUBLE, String.valueOf(e.getMessage())));
      }
    } finally {
      if (admission != null && !entered) {
        admission.refused();
      }
    }
  }

  /// The stations of a batch: its entries are those of the accounts, then the one of the queue.
  private void note(Accepted message, List<Destination> to, List<Entry> entries) {
    if (!journeys.isOn()) {
      return;
    }
    int next = 0;
    for (var destination : to) {
      if (destination instanceof Destination.Local local) {
        var account = local.account().address();
        journeys.note(
            message.id(),
            Station.Kind.STORED,
            account.quoted(),
            "has it in INBOX, written to disk",
            "document " + Store.documentName(account) + ", UID " + entries.get(next++).uid());
      } else if (destination instanceof Destination.Remote(var path)) {
        journeys.note(
            message.id(),
            Station.Kind.QUEUED,
            path.address().quoted(),
            "gets it through other servers: it waits in the queue, written to disk",
            "UID " + entries.getLast().uid());
      }
    }
  }

  private static Append append(Accepted message, Destination.Local to) {
    return new Append(
        to.account(),
        Mailbox.INBOX,
        message.envelope().from(),
        message.saved(),
        Marks.NONE,
        message.trace().apply(to.path()),
        message.letter());
  }
}
