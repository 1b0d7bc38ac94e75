package longhand.queue;

import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import longhand.dsn.Original;
import longhand.dsn.Told;
import longhand.journey.Journeys;
import longhand.mail.Address;
import longhand.mail.Envelope;
import longhand.queue.WaitingList.Waiting;
import longhand.store.Account;
import longhand.store.Append;
import longhand.store.Entry;
import longhand.store.Flag;
import longhand.store.Letter;
import longhand.store.Mailbox;
import longhand.store.MailboxException;
import longhand.store.Marks;
import longhand.store.Removal;
import longhand.store.Store;
import org.jspecify.annotations.Nullable;

/// Messages for other servers, from when they are accepted until each recipient has its end. Safe
/// for any thread.
///
/// A message is an entry of a document of the store, appended in the batch that also holds its
/// local recipients, so that it is accepted as a whole or not at all. What comes of tries is
/// written down in another entry ([QueueText]) before the next step is taken: a server that took a
/// message is remembered, whatever happens to ours, unless we die between its reply and the next
/// force of the journal. The last recipient's end takes both entries out, in the batch that brings
/// the report to who sent the message.
///
/// In memory is, of a message that waits, when its time comes and where it lies; of one that is
/// being tried, all but its text. When more are due than may be tried at once, they wait as well.
public final class Queue implements Closeable {

  private static final System.Logger LOG = System.getLogger(Queue.class.getName());

  /// How long what could not be written down waits.
  static final long UNRECORDED_NANOS = 5_000_000_000L;

  /// How long a document is left alone that cannot be read.
  private static final Duration UNREADABLE = Duration.ofMinutes(1);

  /// How long the end waits for sessions in the middle of a message.
  private static final Duration GRACE = Duration.ofSeconds(2);

  /// How the queue works.
  ///
  /// @param activeMax messages tried at once, those accepted meanwhile apart
  /// @param idle how long a session waits for another message
  public record Settings(int activeMax, Duration idle) {

    /// What a server uses.
    public static final Settings DEFAULT = new Settings(20_000, Duration.ofSeconds(5));
  }

  private final Store store;
  private final InstantSource clock;
  private final Settings settings;
  private final QueueDocuments documents;
  private final QueueCounts counts = new QueueCounts();
  private final Reports reports;
  private final Recorder recorder;
  private final Relaying relaying;

  private final WaitingList waiting = new WaitingList();
  private final Map<String, QueuedMessage> active = new ConcurrentHashMap<>();
  private volatile Function<Address, List<ReturnPath>> returnPaths = _ -> List.of();
  private volatile LetterSigner signer = LetterSigner.NONE;

  /// Documents whose messages are not in `waiting` yet. The scheduler's alone.
  private final List<QueueDocument> unread = new ArrayList<>();

  private Instant readAgain = Instant.EPOCH;
  private @Nullable Thread scheduler;
  private volatile boolean closing;

  /// Opens the queue of a store; nothing is tried before `start`.
  ///
  /// @param hostname ours, in reports
  /// @param random that a sender cannot guess
  /// @param threads runs what talks to a server
  /// @param journeys where what becomes of messages is noted
  public Queue(
      Store store,
      String hostname,
      Courier courier,
      InstantSource clock,
      RandomGenerator random,
      Settings settings,
      Executor threads,
      Journeys journeys)
      throws IOException {
    this(store, store::change, hostname, courier, clock, random, settings, threads, journeys);
  }

  /// The same, with its batches made durable in another way than the store's.
  Queue(
      Store store,
      Batches batches,
      String hostname,
      Courier courier,
      InstantSource clock,
      RandomGenerator random,
      Settings settings,
      Executor threads,
      Journeys journeys)
      throws IOException {
    this.store = store;
    this.clock = clock;
    this.settings = settings;
    this.documents = new QueueDocuments(store);
    this.reports =
        new Reports(
            store,
            hostname,
            random,
            address -> returnPaths.apply(address),
            letter -> signer.fields(letter));
    var journey = new QueueJourney(journeys);
    var recorder =
        new Recorder(
            store,
            batches,
            courier,
            clock,
            random,
            counts,
            this::notice,
            this::over,
            waiting::wake,
            journey);
    this.recorder = recorder;
    this.relaying =
        new Relaying(courier, clock, random, settings.idle(), threads, recorder, journey);
  }

  /// What it did so far.
  public QueueCounts counts() {
    return counts;
  }

  /// Tells of addresses that mail came back from; to be called before `start`.
  public void tell(BadAddresses badAddresses) {
    recorder.tell(badAddresses);
  }

  /// Has reports signed; to be called before `start`.
  public void sign(LetterSigner signer) {
    this.signer = signer;
  }

  /// Begins to read what waits since the last time, and to try what is due.
  ///
  /// @param returnPaths where a reverse-path leads; nowhere when the list is empty
  public void start(Function<Address, List<ReturnPath>> returnPaths) {
    returning(returnPaths);
    scheduler = Thread.ofVirtual().name("queue").start(this::schedule);
  }

  void returning(Function<Address, List<ReturnPath>> returnPaths) {
    this.returnPaths = returnPaths;
  }

  // Accepting.

  /// A message about to be accepted. Its append belongs into the batch of the local recipients;
  /// then `entered` or `refused` is owed.
  public final class Admission {
    private final QueueDocument document;
    private final QueueText.Arrival arrival;
    private final Append append;

    private Admission(QueueDocument document, QueueText.Arrival arrival, Append append) {
      this.document = document;
      this.arrival = arrival;
      this.append = append;
    }

    /// By which the log and people know it.
    public String id() {
      return arrival.id();
    }

    /// Who it is from and for.
    public Envelope envelope() {
      return arrival.envelope();
    }

    /// What is to be committed.
    public Append append() {
      return append;
    }

    /// It is durable, as that entry: the first try begins.
    public void entered(Entry entry) {
      counts.accepted.increment();
      var now = clock.instant();
      var release = QueuedMessage.release(arrival);
      if (closing || release.isAfter(now) || active.size() >= settings.activeMax()) {
        document.account().release();
        waiting.add(Waiting.of(document, entry, null, release));
        return;
      }
      var fresh = Progress.fresh(release);
      var message =
          new QueuedMessage(
              document,
              entry,
              arrival,
              Collections.nCopies(arrival.envelope().to().size(), fresh),
              null);
      active.put(arrival.id(), message);
      relaying.dispatch(message, now);
    }

    /// It did not come about.
    public void refused() {
      document.account().release();
      document.messages.decrementAndGet();
    }
  }

  /// Prepares a finished letter for the queue.
  ///
  /// @param id what its trace calls it, base 36, unique for ever
  /// @param account who handed it in, when somebody logged in for it
  /// @param envelope with the recipients that are to be reached through other servers, one at least
  /// @param prefix the trace fields, which stand before the letter
  public Admission admit(
      String id,
      Optional<Address> account,
      Envelope envelope,
      Letter letter,
      byte[] prefix,
      Instant now) {
    var document = documents.forAnother();
    document.account().retain();
    var fields = QueueText.arrival(id, now, account, envelope);
    var arrival = new QueueText.Arrival(id, now, account, envelope, fields.length);
    var before = new byte[fields.length + prefix.length];
    System.arraycopy(fields, 0, before, 0, fields.length);
    System.arraycopy(prefix, 0, before, fields.length, prefix.length);
    return new Admission(
        document,
        arrival,
        new Append(
            document.account(), Mailbox.INBOX, envelope.from(), now, Marks.NONE, before, letter));
  }

  /// Writes a report (RFC 3461 §6), for the batch that makes true what it tells. There is none when
  /// `told` is empty, or the reverse-path leads nowhere.
  ///
  /// @param id of the message that it is about
  /// @param arrived when that came
  /// @param told each wanted by the sender
  public Notice notice(
      String id,
      Envelope envelope,
      Instant arrived,
      Original.Source original,
      List<Told> told,
      Instant now)
      throws IOException {
    if (told.isEmpty()) {
      return Notice.NONE;
    }
    var report = reports.prepare(id, envelope, arrived, original, told, now);
    if (report.isEmpty()) {
      return Notice.NONE;
    }
    var elsewhere =
        report
            .get()
            .elsewhere()
            .map(
                to ->
                    admit(
                        report.get().id(),
                        Optional.empty(),
                        to,
                        report.get().letter(),
                        report.get().signature(),
                        now));
    return Notice.of(report.get(), elsewhere);
  }

  // When.

  private void schedule() {
    try {
      load();
      while (!closing) {
        waiting.await(stepNanos());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// A fault of ours in one message is no reason to try none of the others ever again.
  private long stepNanos() {
    try {
      return step();
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, "the queue goes on after a fault in it", e);
      return UNRECORDED_NANOS;
    }
  }

  /// Reads what waits in the documents. One that cannot be read is left for later, and said so.
  void load() {
    unread.addAll(documents.all());
    readAgain = clock.instant();
    loadUnread(readAgain);
  }

  private void loadUnread(Instant now) {
    if (unread.isEmpty() || now.isBefore(readAgain)) {
      return;
    }
    readAgain = now.plus(UNREADABLE);
    for (var documents = unread.iterator(); documents.hasNext() && !closing; ) {
      var document = documents.next();
      try {
        load(document);
        documents.remove();
      } catch (IOException | MailboxException e) {
        LOG.log(
            Level.ERROR,
            () ->
                document.account().address()
                    + " cannot be read; its messages wait until it can: "
                    + e.getMessage());
      }
    }
  }

  private void load(QueueDocument document) throws IOException, MailboxException {
    if (document.uidNext() == 1) {
      return;
    }
    var account = document.account();
    var now = clock.instant();
    QueueDocument.Contents contents;
    try (var view = account.view(Mailbox.INBOX, false)) {
      contents = document.contents(view, document.uidNext());
    }
    for (var held : contents.messages()) {
      document.messages.incrementAndGet();
      if (!held.isHeld()) {
        var due = held.state() == null ? now : due(held.state());
        waiting.add(Waiting.of(document, held.entry(), held.stateEntry(), due));
      }
    }
    if (!contents.orphans().isEmpty()) {
      store.change(
          List.of(),
          contents.orphans().stream().map(entry -> new Removal(account, entry)).toList());
    }
  }

  private static Instant due(QueueText.State state) {
    return state.waiting().stream()
        .map(numbered -> numbered.progress().next())
        .min(Comparator.naturalOrder())
        .orElse(Instant.EPOCH);
  }

  /// Takes up what is due, and gives the time until it should be called again, in nanoseconds.
  long step() {
    boolean recorded = recorder.recordAgain();
    var now = clock.instant();
    loadUnread(now);
    while (!closing && active.size() < settings.activeMax()) {
      var next = waiting.pollDue(now);
      if (next == null) {
        break;
      }
      takeUp(next, now);
    }
    relaying.sweep(now);
    if (!recorded) {
      return UNRECORDED_NANOS;
    }
    long millis = waiting.untilNext(now).toMillis() + 1;
    return TimeUnit.MILLISECONDS.toNanos(Math.clamp(millis, 10, 60_000));
  }

  private void takeUp(Waiting next, Instant now) {
    var account = next.document().account();
    account.retain();
    boolean taken = false;
    try (var view = account.view(Mailbox.INBOX, false)) {
      int sequence = view.sequenceOf(Integer.toUnsignedLong(next.uid()));
      int state = view.sequenceOf(Integer.toUnsignedLong(next.stateUid()));
      if ((sequence == 0 || (state == 0 && next.stateUid() != 0)) && !account.isCaughtUp()) {
        // What is known of it waits in the journal: without that it would be tried for those, too,
        // who have it.
        throw new IOException("what was written last of a message cannot be seen yet");
      }
      if (sequence == 0) {
        // Somebody has taken it out of the document.
        next.document().messages.decrementAndGet();
        return;
      }
      var entry = view.at(sequence);
      if (entry.marks().has(Flag.FLAGGED)) {
        return;
      }
      var message = QueuedMessage.read(next.document(), entry, state == 0 ? null : view.at(state));
      if (next.anyway()) {
        message.recipients.replaceAll(progress -> progress.at(Instant.EPOCH));
      }
      active.put(message.arrival().id(), message);
      taken = true;
      relaying.dispatch(message, now);
    } catch (QueueText.MalformedException e) {
      LOG.log(
          Level.ERROR,
          () ->
              account.address()
                  + ", message "
                  + next.uid()
                  + " is held, since its envelope cannot be read: "
                  + e.getMessage());
    } catch (IOException | MailboxException e) {
      LOG.log(Level.WARNING, () -> account.address() + ": " + e.getMessage());
      waiting.add(next.at(now.plus(UNREADABLE)));
    } finally {
      if (!taken) {
        account.release();
      }
    }
  }

  // For people.

  /// Tells of each message there is; a document whose messages cannot be read is passed over.
  public void list(Consumer<QueueEntry> told) {
    for (var document : documents.all()) {
      var account = document.account();
      account.retain();
      try (var view = account.view(Mailbox.INBOX, false)) {
        for (var held : document.contents(view, Long.MAX_VALUE).messages()) {
          entry(document, held).ifPresent(told);
        }
      } catch (IOException | MailboxException e) {
        LOG.log(Level.WARNING, () -> account.address() + ": " + e.getMessage());
      } finally {
        account.release();
      }
    }
  }

  private Optional<QueueEntry> entry(QueueDocument document, QueueDocument.Held held) {
    try {
      var message = QueuedMessage.read(document, held.entry(), held.stateEntry());
      var state =
          held.isHeld()
              ? QueueEntry.State.HELD
              : active.containsKey(message.arrival().id())
                  ? QueueEntry.State.ACTIVE
                  : QueueEntry.State.WAITING;
      return Optional.of(QueueEntry.of(message, state));
    } catch (IOException e) {
      // It has come to its end meanwhile, or cannot be read, which was logged when it was tried.
      LOG.log(Level.DEBUG, () -> "not listed: " + e);
      return Optional.empty();
    }
  }

  /// What is done with a message at somebody's word.
  public enum Order {
    /// It is not tried until it is released.
    HOLD,
    /// It is no longer held, and tried.
    RELEASE,
    /// It is tried now.
    RETRY,
    /// It is given up, and its sender hears so.
    RETURN,
    /// It is taken out, and nobody hears of it.
    REMOVE
  }

  /// Carries out an order; gives the ids of the messages it was done with. The others are not
  /// there, or are being tried just now: then it can only be asked again.
  public Set<String> order(Collection<String> ids, Order order) throws IOException {
    var wanted = new HashSet<>(ids);
    var done = new HashSet<String>();
    if (order == Order.RELEASE || order == Order.RETRY) {
      relaying.forgetFailures();
    }
    for (var document : documents.all()) {
      var account = document.account();
      account.retain();
      try (var view = account.view(Mailbox.INBOX, false)) {
        var here = new LinkedHashMap<String, QueueDocument.Held>();
        for (var held : document.contents(view, Long.MAX_VALUE).messages()) {
          id(account, held.entry()).filter(wanted::contains).ifPresent(id -> here.put(id, held));
        }
        if (!here.isEmpty()) {
          done.addAll(order(document, here, order));
        }
      } catch (MailboxException e) {
        throw new IOException(e);
      } finally {
        account.release();
      }
    }
    return done;
  }

  private static Optional<String> id(Account account, Entry entry) {
    try (var in = account.open(entry)) {
      return Optional.of(QueueText.readArrival(in).id());
    } catch (IOException e) {
      // Gone meanwhile, or not readable, which was said when it was tried.
      LOG.log(Level.DEBUG, () -> "not looked at: " + e);
      return Optional.empty();
    }
  }

  /// Carries out an order with messages of one document, and gives the ids of those it reached.
  private Set<String> order(
      QueueDocument document, Map<String, QueueDocument.Held> some, Order order)
      throws IOException {
    var uids = new HashSet<Integer>();
    some.values().forEach(held -> uids.add((int) held.entry().uid()));
    var waited = waiting.remove(document, uids);
    some.values().removeIf(held -> !held.isHeld() && !waited.containsKey((int) held.entry().uid()));
    var now = clock.instant();
    var left = new LinkedHashMap<>(some);
    try {
      switch (order) {
        case HOLD -> {
          mark(document, some.values(), Account.Change.ADD);
          left.clear();
        }
        case RELEASE, RETRY -> {
          var held = some.values().stream().filter(QueueDocument.Held::isHeld).toList();
          mark(document, held, Account.Change.REMOVE);
          left.clear();
          some.values().forEach(each -> waiting.add(again(document, each, waited).anywayAt(now)));
        }
        case RETURN, REMOVE -> {
          for (var each : some.entrySet()) {
            var held = each.getValue();
            if (again(document, held, waited).stateUid() != held.stateUid()) {
              throw new IOException(
                  document.account().address() + " cannot be written now; try again later");
            }
            var message = QueuedMessage.read(document, held.entry(), held.stateEntry());
            recorder.giveUp(message, order == Order.RETURN);
            document.messages.decrementAndGet();
            left.remove(each.getKey());
          }
        }
      }
    } finally {
      // What was not reached waits on.
      for (var held : left.values()) {
        var before = waited.get((int) held.entry().uid());
        if (before != null) {
          waiting.add(before);
        }
      }
    }
    return some.keySet();
  }

  /// As it waited; what was held did not, and has not changed since.
  private static Waiting again(
      QueueDocument document, QueueDocument.Held held, Map<Integer, Waiting> waited) {
    return waited.getOrDefault(
        (int) held.entry().uid(),
        Waiting.of(document, held.entry(), held.stateEntry(), Instant.EPOCH));
  }

  private static void mark(
      QueueDocument document, Collection<QueueDocument.Held> some, Account.Change change)
      throws IOException {
    if (!some.isEmpty()) {
      var entries = some.stream().map(QueueDocument.Held::entry).toList();
      document.account().mark(entries, change, Marks.of(Flag.FLAGGED));
    }
  }

  /// All jobs of a message have ended: it waits again, or is gone.
  private void over(QueuedMessage message) {
    Instant due;
    message.recording.lock();
    try {
      due =
          message.recipients.stream()
              .filter(Progress::waits)
              .map(Progress::next)
              .min(Comparator.naturalOrder())
              .orElse(Instant.MAX);
    } finally {
      message.recording.unlock();
    }
    active.remove(message.arrival().id());
    var document = message.document();
    if (message.gone) {
      document.messages.decrementAndGet();
    } else {
      waiting.add(Waiting.of(document, message.entry(), message.state, due));
    }
    document.account().release();
    if (active.size() == settings.activeMax() - 1) {
      waiting.wake();
    }
  }

  /// How many messages there are: being tried, and waiting.
  public int size() {
    return waiting.size() + active.size();
  }

  /// Tries nothing more. Sessions in the middle of a message are waited for, for a moment; what
  /// they do not tell in time is tried again after the next start.
  @Override
  public void close() {
    closing = true;
    waiting.wake();
    try {
      var thread = scheduler;
      if (thread != null) {
        thread.join(GRACE);
      }
      relaying.close(GRACE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
