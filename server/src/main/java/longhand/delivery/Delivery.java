package longhand.delivery;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import longhand.directory.Directory;
import longhand.directory.Hosting;
import longhand.dsn.Action;
import longhand.dsn.Told;
import longhand.journey.Journeys;
import longhand.journey.Station;
import longhand.mail.Address;
import longhand.mail.EnhancedStatus;
import longhand.mail.Envelope;
import longhand.mail.ForwardPath;
import longhand.mail.ReversePath;
import longhand.queue.Notice;
import longhand.queue.Queue;
import longhand.queue.ReturnPath;
import longhand.srs.Returned;
import longhand.srs.SenderRewriting;
import longhand.store.Account;
import longhand.store.Append;
import longhand.store.Entry;
import longhand.store.Letter;
import longhand.store.Mailbox;
import longhand.store.MailboxException;
import longhand.store.Marks;
import longhand.store.Spool;
import longhand.store.Store;

/// Decides which accounts get a message and which recipients other servers are to get it for, and
/// commits it to all accounts and to the queue in one batch, with what its sender is to hear at
/// once. Safe for any thread.
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
  private static final EnhancedStatus FULL_NOW = new EnhancedStatus(4, 2, 2);
  private static final EnhancedStatus FULL_EVER = new EnhancedStatus(5, 2, 2);
  private static final EnhancedStatus FULL_MEMBER = new EnhancedStatus(5, 2, 2);
  private static final EnhancedStatus SYSTEM_TROUBLE = new EnhancedStatus(4, 3, 0);
  private static final EnhancedStatus NOT_OURS = new EnhancedStatus(5, 1, 1);
  private static final EnhancedStatus DELIVERED = new EnhancedStatus(2, 1, 5);
  private static final String MAILBOX_FULL = "Mailbox full";

  private final Store store;
  private final Directory directory;
  private final Queue queue;
  private final SenderRewriting rewriting;
  private final Journeys journeys;
  private final Counts counts = new Counts();

  /// Delivers into that store the mail of that directory's accounts, and into that queue what is
  /// for others; notes where it wrote.
  ///
  /// @param rewriting the reverse-paths of what is forwarded
  public Delivery(
      Store store, Directory directory, Queue queue, SenderRewriting rewriting, Journeys journeys) {
    this.store = store;
    this.directory = directory;
    this.queue = queue;
    this.rewriting = rewriting;
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

  /// An empty place for octets that are to become such a message.
  public Spool spool() {
    return store.spool();
  }

  /// Where a path leads: by aliases, groups and accounts that forward, to accounts and to addresses
  /// of other servers. Sub-addresses lead to their account, in any letter case.
  ///
  /// @param octets how large the sender says the message is, 0 when it does not say
  public Destination destination(ForwardPath path, long octets) {
    try {
      if (directory.hosting(path.address().domain()) instanceof Hosting.Foreign) {
        return new Destination.Remote(path);
      }
      return switch (rewriting.reverse(path.address())) {
        case Returned.Valid(var address) ->
            // A report for somebody whose mail we forwarded.
            new Destination.Found(
                path,
                true,
                List.of(),
                List.of(new Destination.Onward(ForwardPath.of(address), Leaf.Returning.KEPT)),
                Expansion.Due.NOTHING);
        case Returned.Refused(var reason) -> new Destination.Refused(NOT_OURS, reason);
        case Returned.Other _ ->
            switch (Expansion.of(directory, path)) {
              case Expansion.Nowhere nowhere ->
                  new Destination.Refused(
                      nowhere.reason().kind().status(), words(nowhere.reason().kind()));
              case Expansion.Expanded expanded -> found(path, expanded, octets);
            };
      };
    } catch (IOException e) {
      LOG.log(
          System.Logger.Level.WARNING,
          () -> "no delivery to " + path.address() + " now: " + e.getMessage());
      return new Destination.Unavailable(String.valueOf(e.getMessage()));
    }
  }

  /// What a client hears; who the members of a group are is none of its business.
  private static String words(Problem.Kind kind) {
    return switch (kind) {
      case LOOP, TOO_DEEP -> "The address leads back to itself";
      case UNKNOWN -> "No such user here";
      case INACTIVE -> "This account takes no mail";
      case EMPTY -> "The group has no members";
      case TOO_MANY -> "The group has too many members";
    };
  }

  private Destination found(ForwardPath path, Expansion.Expanded expanded, long octets)
      throws IOException {
    var here = new ArrayList<Destination.Here>(expanded.leaves().size());
    var onward = new ArrayList<Destination.Onward>();
    for (var leaf : expanded.leaves()) {
      switch (leaf) {
        case Leaf.Local local -> {
          var account = store.account(local.account().address());
          here.add(new Destination.Here(local.path(), account, local.account().quotaOctets()));
        }
        case Leaf.Remote remote ->
            onward.add(new Destination.Onward(remote.path(), remote.returning()));
      }
    }
    if (here.size() == 1 && onward.isEmpty()) {
      // Reading it now tells one bad document from the others; at the end there is one answer.
      var only = here.getFirst();
      long used = only.account().usage().octets();
      if (only.quotaOctets() > 0) {
        if (octets > only.quotaOctets()) {
          return new Destination.Refused(FULL_EVER, "Message larger than the mailbox");
        }
        if (used + Math.max(octets, 1) > only.quotaOctets()) {
          return new Destination.Refused(FULL_NOW, MAILBOX_FULL);
        }
      }
    }
    return new Destination.Found(path, true, here, onward, expanded.due());
  }

  /// Where a report to a reverse-path goes; nowhere when nobody has that address. That an account
  /// is full keeps no report out.
  public List<ReturnPath> returnPaths(Address address) {
    try {
      if (directory.hosting(address.domain()) instanceof Hosting.Foreign) {
        return List.of(new ReturnPath.Elsewhere(address));
      }
      if (rewriting.reverse(address) instanceof Returned.Valid(var original)) {
        return List.of(new ReturnPath.Elsewhere(original));
      }
      if (!(Expansion.of(directory, ForwardPath.of(address)) instanceof Expansion.Expanded found)) {
        return List.of();
      }
      var paths = new ArrayList<ReturnPath>();
      for (var leaf : found.leaves()) {
        paths.add(
            switch (leaf) {
              case Leaf.Local local ->
                  new ReturnPath.Here(store.account(local.account().address()));
              case Leaf.Remote remote -> new ReturnPath.Elsewhere(remote.path().address());
            });
      }
      return paths;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /// A message that is whole and was checked.
  ///
  /// @param id what the trace fields and the log call it; unique for ever
  /// @param account who handed it in, when somebody logged in for it
  /// @param envelope its recipients are all that it was accepted for
  /// @param letter finished
  /// @param saved when it was taken
  /// @param trace the fields that stand before it, for the account that is at the end of a path
  /// @param onwardTrace the same for other servers; with the address of ours that led there
  public record Accepted(
      String id,
      Optional<Address> account,
      Envelope envelope,
      Letter letter,
      Instant saved,
      Function<ForwardPath, byte[]> trace,
      Function<Optional<Address>, byte[]> onwardTrace) {}

  /// Puts a message into the accounts and the queue, and returns when it is durable there: one
  /// outcome for each destination, in order. An account that several lead to gets the message once.
  ///
  /// @param together whether it is all or none (SMTP has one answer for all recipients): then one
  ///   that is neither `Stored` nor `Queued` means that none is
  public List<Outcome> deliver(Accepted message, List<Destination.Found> to, boolean together) {
    var outcomes = new LinkedHashMap<Destination.Found, Outcome>();
    var batch = new ArrayList<Destination.Found>(to.size());
    for (var destination : to) {
      var refusal = refusal(destination, message);
      if (refusal.isPresent() && together) {
        return counts.count(Collections.nCopies(to.size(), refusal.get()));
      }
      if (refusal.isPresent()) {
        outcomes.put(destination, refusal.get());
      } else {
        batch.add(destination);
      }
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
    return counts.count(to.stream().map(outcomes::get).toList());
  }

  /// Why a message does not fit the one account that a destination leads to, if it does not.
  private static Optional<Outcome> refusal(Destination.Found to, Accepted message) {
    return to.here().size() == 1 && to.onward().isEmpty()
        ? refusal(to.here().getFirst(), message)
        : Optional.empty();
  }

  private static Optional<Outcome> refusal(Destination.Here to, Accepted message) {
    if (to.quotaOctets() == 0) {
      return Optional.empty();
    }
    long octets = message.letter().sizeOctets() + message.trace().apply(to.path()).length;
    if (octets > to.quotaOctets()) {
      return Optional.of(
          new Outcome.Refused(FULL_EVER, octets + " octets, quota " + to.quotaOctets()));
    }
    try {
      long used = to.account().usage().octets();
      return used + octets > to.quotaOctets()
          ? Optional.of(
              new Outcome.Deferred(
                  FULL_NOW, used + " + " + octets + " octets, quota " + to.quotaOctets()))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.of(new Outcome.Deferred(SYSTEM_TROUBLE, String.valueOf(e.getMessage())));
    }
  }

  /// One batch: all of it is durable, or nothing is and all are deferred.
  private void commit(
      Accepted message, List<Destination.Found> to, Map<Destination.Found, Outcome> outcomes) {
    if (to.isEmpty()) {
      return;
    }
    var admissions = new ArrayList<Queue.Admission>();
    int entered = 0;
    try {
      var here = new LinkedHashMap<Account, Destination.Here>();
      var told = new ArrayList<Told>();
      for (var destination : to) {
        collect(message, destination, here, told);
      }
      var appends = new ArrayList<Append>(here.size() + 1);
      here.values().forEach(each -> appends.add(append(message, each)));
      int stored = appends.size();
      admit(message, to, admissions);
      admissions.forEach(admission -> appends.add(admission.append()));
      try (var notice = notice(message, told)) {
        appends.addAll(notice.appends());
        var entries = store.append(appends);
        note(message, List.copyOf(here.keySet()), admissions, entries);
        for (; entered < admissions.size(); entered++) {
          admissions.get(entered).entered(entries.get(stored + entered));
        }
        notice.entered(entries.subList(stored + admissions.size(), entries.size()));
        var uids = new LinkedHashMap<Account, Long>();
        int next = 0;
        for (var account : here.keySet()) {
          uids.put(account, entries.get(next++).uid());
        }
        for (var destination : to) {
          outcomes.put(destination, outcome(destination, uids));
        }
      }
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
      for (; entered < admissions.size(); entered++) {
        admissions.get(entered).refused();
      }
    }
  }

  private static Outcome outcome(Destination.Found destination, Map<Account, Long> uids) {
    for (var each : destination.here()) {
      var uid = uids.get(each.account());
      if (uid != null) {
        return new Outcome.Stored(uid);
      }
    }
    return new Outcome.Queued();
  }

  /// The accounts of a destination, and what its sender hears of them at once: of success where
  /// that was asked for, and of members of a group for whom the message does not fit.
  private static void collect(
      Accepted message,
      Destination.Found destination,
      Map<Account, Destination.Here> here,
      List<Told> told) {
    boolean group = destination.here().size() + destination.onward().size() > 1;
    for (var each : destination.here()) {
      if (group && refusal(each, message).isPresent()) {
        tell(message, each.path(), Action.FAILED, FULL_MEMBER, Optional.of(MAILBOX_FULL), told);
      } else if (here.putIfAbsent(each.account(), each) == null) {
        tell(message, each.path(), Action.DELIVERED, DELIVERED, Optional.empty(), told);
      }
    }
    switch (destination.due()) {
      case NOTHING -> {}
      case EXPANDED ->
          tell(message, destination.path(), Action.EXPANDED, DELIVERED, Optional.empty(), told);
      case DELIVERED ->
          tell(message, destination.path(), Action.DELIVERED, DELIVERED, Optional.empty(), told);
    }
  }

  private static void tell(
      Accepted message,
      ForwardPath path,
      Action action,
      EnhancedStatus status,
      Optional<String> words,
      List<Told> told) {
    if (action.isWanted(message.envelope().from(), path)) {
      told.add(
          new Told(
              path,
              action,
              status,
              Optional.empty(),
              words,
              Optional.of(message.saved()),
              Optional.empty(),
              Optional.of(message.id())));
    }
  }

  private Notice notice(Accepted message, List<Told> told) throws IOException {
    return queue.notice(
        message.id(),
        message.envelope(),
        message.saved(),
        message.letter()::open,
        told,
        message.saved());
  }

  /// What the queue takes: all that keeps its reverse-path and goes straight out as one message,
  /// and one for each address of ours that leads out and each reverse-path it then has.
  private void admit(
      Accepted message, List<Destination.Found> to, List<Queue.Admission> admissions) {
    record Group(Optional<Address> by, Leaf.Returning returning) {}
    var groups = new LinkedHashMap<Group, Map<Address, ForwardPath>>();
    for (var destination : to) {
      var by =
          destination.ours()
              ? Optional.of(destination.path().address())
              : Optional.<Address>empty();
      for (var onward : destination.onward()) {
        groups
            .computeIfAbsent(new Group(by, onward.returning()), _ -> new LinkedHashMap<>())
            .putIfAbsent(onward.path().address(), onward.path());
      }
    }
    int part = 0;
    for (var group : groups.entrySet()) {
      var from = message.envelope().from();
      var envelope =
          message
              .envelope()
              .withFrom(
                  switch (group.getKey().returning()) {
                    case KEPT -> from;
                    case REWRITTEN -> rewriting.forward(from);
                    case NULL -> ReversePath.NULL;
                  })
              .withTo(List.copyOf(group.getValue().values()));
      admissions.add(
          queue.admit(
              part == 0 ? message.id() : message.id() + "-" + part,
              message.account(),
              envelope,
              message.letter(),
              message.onwardTrace().apply(group.getKey().by()),
              message.saved()));
      part++;
    }
  }

  /// The stations of a batch.
  private void note(
      Accepted message, List<Account> here, List<Queue.Admission> admissions, List<Entry> entries) {
    if (!journeys.isOn()) {
      return;
    }
    int next = 0;
    for (var account : here) {
      journeys.note(
          message.id(),
          Station.Kind.STORED,
          account.address().quoted(),
          "has it in INBOX, written to disk",
          "document "
              + Store.documentName(account.address())
              + ", UID "
              + entries.get(next++).uid());
    }
    for (var admission : admissions) {
      for (var path : admission.envelope().to()) {
        journeys.note(
            message.id(),
            Station.Kind.QUEUED,
            path.address().quoted(),
            "gets it through other servers: it waits in the queue, written to disk",
            "queue id " + admission.id() + ", from " + admission.envelope().from());
      }
    }
  }

  private static Append append(Accepted message, Destination.Here to) {
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
