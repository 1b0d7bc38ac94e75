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
import longhand.directory.Directory;
import longhand.mail.Address;
import longhand.mail.EnhancedStatus;
import longhand.mail.ForwardPath;
import longhand.mail.ReversePath;
import longhand.store.Append;
import longhand.store.Letter;
import longhand.store.Mailbox;
import longhand.store.MailboxException;
import longhand.store.Marks;
import longhand.store.Store;

/// Decides which accounts get a message and commits it to all of them in one batch. Safe for any
/// thread.
public final class Delivery {

  /// What became of recipients so far; the adders only ever grow.
  public static final class Counts {
    /// The message is durable in their accounts.
    public final LongAdder stored = new LongAdder();

    /// It may work later.
    public final LongAdder deferred = new LongAdder();

    /// It will not.
    public final LongAdder refused = new LongAdder();

    private Counts() {}

    private List<Outcome> count(List<Outcome> outcomes) {
      for (var outcome : outcomes) {
        switch (outcome) {
          case Outcome.Stored _ -> stored.increment();
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
  private final Counts counts = new Counts();

  /// Delivers into that store the mail of that directory's accounts.
  public Delivery(Store store, Directory directory) {
    this.store = store;
    this.directory = directory;
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
      return new Destination.Remote();
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

  /// Puts a finished letter into the accounts and returns when it is durable there: one outcome for
  /// each destination, in order. An account that is named twice, as by two sub-addresses, gets the
  /// message once, and both are told the same.
  ///
  /// @param prefix the trace fields of each, which stand before the letter
  /// @param together whether it is all or none (SMTP has one answer for all recipients): then one
  ///   that is not `Stored` means that none is
  public List<Outcome> deliver(
      ReversePath from,
      List<Destination.Local> to,
      Letter letter,
      Instant saved,
      Function<Destination.Local, byte[]> prefix,
      boolean together) {
    var outcomes = new HashMap<Address, Outcome>();
    var batch = new ArrayList<Append>(to.size());
    var seen = new HashSet<Address>();
    for (var destination : to) {
      if (!seen.add(destination.account().address())) {
        continue;
      }
      var trace = prefix.apply(destination);
      var refusal = refusal(destination, letter.sizeOctets() + trace.length);
      if (refusal.isEmpty()) {
        batch.add(
            new Append(
                destination.account(), Mailbox.INBOX, from, saved, Marks.NONE, trace, letter));
      } else if (together) {
        return counts.count(Collections.nCopies(to.size(), refusal.get()));
      } else {
        outcomes.put(destination.account().address(), refusal.get());
      }
    }
    commit(batch, outcomes);
    if (!together
        && batch.size() > 1
        && outcomes.get(batch.getFirst().account().address()) instanceof Outcome.Deferred) {
      // One bad document fails the whole batch: each alone, so that it harms no other.
      for (var append : batch) {
        commit(List.of(append), outcomes);
      }
    }
    var inOrder = new ArrayList<Outcome>(to.size());
    for (var destination : to) {
      inOrder.add(Objects.requireNonNull(outcomes.get(destination.account().address())));
    }
    return counts.count(inOrder);
  }

  /// Why a message does not fit, if it does not.
  private static Optional<Outcome> refusal(Destination.Local to, long octets) {
    if (to.quotaOctets() == 0) {
      return Optional.empty();
    }
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

  /// One batch: all appends are durable, or none is and all are deferred.
  private void commit(List<Append> batch, Map<Address, Outcome> outcomes) {
    if (batch.isEmpty()) {
      return;
    }
    try {
      var entries = store.append(batch);
      for (int i = 0; i < entries.size(); i++) {
        outcomes.put(batch.get(i).account().address(), new Outcome.Stored(entries.get(i).uid()));
      }
    } catch (IOException | MailboxException e) {
      // When unsure, defer: a wrong 4yz costs a retry, a wrong 250 a message.
      LOG.log(
          System.Logger.Level.WARNING,
          () -> "not stored for " + batch.size() + " accounts: " + e.getMessage());
      for (var append : batch) {
        outcomes.put(
            append.account().address(),
            new Outcome.Deferred(SYSTEM_TROUBLE, String.valueOf(e.getMessage())));
      }
    }
  }
}
