package longhand.store;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import longhand.disk.Disk;
import longhand.disk.DiskFile;
import longhand.index.AccountIndex;
import longhand.index.Catalogue;
import longhand.mail.Address;
import longhand.mail.Domain;
import org.jspecify.annotations.Nullable;

/// All accounts of one data folder. One process at a time may open it. Safe for any thread.
///
/// Under the folder lie `mail/` (the documents), `journal/`, `spool/` (large letters on their way,
/// emptied at each start) and `longhand.lock`.
public final class Store implements Closeable {

  private static final System.Logger LOG = System.getLogger(Store.class.getName());
  private static final String TOKEN_LETTERS =
      "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
  private static final int FILE_NAME_MAX = 240;

  /// Longest wait for a mail program that holds a document's locks.
  private static final long OUTSIDE_WAIT_NANOS = 5_000_000_000L;

  /// How long what was seen of the disk is believed.
  private static final long LOOK_NANOS = 1_000_000_000L;

  /// An account used since is not closed, however many are open.
  private static final long IDLE_LEAST_NANOS = 2_000_000_000L;

  /// A dot lock older than this was left behind by a program that died.
  private static final long STALE_LOCK_NANOS = 300_000_000_000L;

  private final Path mail;
  private final Path spool;
  private final Disk disk;
  private final InstantSource clock;
  private final RandomGenerator random;
  private final StoreSettings settings;
  private final DiskFile lockFile;
  private final Closeable lock;
  private final Journal journal;
  private final @Nullable Catalogue catalogue;
  private final Map<Address, Account> accounts = new ConcurrentHashMap<>();
  private final Set<Account> watched = ConcurrentHashMap.newKeySet();
  private final AtomicLong letters = new AtomicLong();
  private final @Nullable Thread settler;
  private final @Nullable Thread compactor;
  private volatile long freeOctets = -1;
  private volatile long freeNanos;
  private volatile boolean closing;
  private volatile boolean settlingWanted;

  private Store(
      Path data,
      Disk disk,
      InstantSource clock,
      RandomGenerator random,
      StoreSettings settings,
      DiskFile lockFile,
      Closeable lock)
      throws IOException {
    this.mail = data.resolve("mail");
    this.spool = data.resolve("spool");
    this.disk = disk;
    this.clock = clock;
    this.random = random;
    this.settings = settings;
    this.lockFile = lockFile;
    this.lock = lock;
    disk.createFolders(mail);
    disk.createFolders(spool);
    for (var name : disk.list(spool)) {
      disk.delete(spool.resolve(name));
    }
    this.journal =
        new Journal(
            disk,
            data.resolve("journal"),
            settings.segmentOctets(),
            settings.segmentsMax(),
            !settings.background(),
            this::wantSettling);
    disk.forceFolder(data);
    var replay = new Replay(disk, mail, data.resolve("unapplied"));
    var found = journal.recover(replay);
    replay.finish();
    journal.start(found);
    catalogue = settings.index() ? Catalogue.open(disk, data.resolve("catalogue")) : null;
    settler =
        settings.background()
            ? Thread.ofPlatform().name("longhand-settler").daemon().start(this::settleLoop)
            : null;
    compactor =
        settings.background()
            ? Thread.ofPlatform().name("longhand-compactor").daemon().start(this::compactLoop)
            : null;
  }

  /// Opens the data folder, made when missing, and recovers what a crash left.
  ///
  /// @throws LockedException when another process has it open
  /// @throws IOException when the folder or the journal cannot be read or written
  public static Store open(
      Path data, Disk disk, InstantSource clock, RandomGenerator random, StoreSettings settings)
      throws IOException {
    disk.createFolders(data);
    var file = disk.open(data.resolve("longhand.lock"), Disk.Mode.CREATE);
    boolean open = false;
    try {
      var lock = file.tryLock();
      if (lock == null) {
        throw new LockedException(data);
      }
      var store = new Store(data, disk, clock, random, settings, file, lock);
      open = true;
      return store;
    } finally {
      if (!open) {
        file.close();
      }
    }
  }

  /// Another process has the data folder open.
  public static final class LockedException extends IOException {
    LockedException(Path data) {
      super("another server has " + data + " open (it holds longhand.lock there); stop it first");
    }
  }

  /// The account of a canonical address. Which addresses have one is the directory's to say: the
  /// first append or log-in makes the document. Nothing is read yet.
  ///
  /// @throws IllegalArgumentException when the local part is too long to be a file name
  public Account account(Address address) {
    return accounts.computeIfAbsent(
        address.canonical(),
        canonical -> {
          var name = documentName(canonical);
          return new Account(this, canonical, name, mail.resolve(name));
        });
  }

  /// Where the document of an address lies, under the data folder's `mail`.
  public static String documentName(Address address) {
    var local = encode(address.localPart().toLowerCase(Locale.ROOT));
    if (local.endsWith(".index")
        || local.endsWith(".lock")
        || local.endsWith(".rewrite")
        || local.endsWith(".incoming")) {
      int dot = local.lastIndexOf('.');
      local = local.substring(0, dot) + "%2E" + local.substring(dot + 1);
    }
    if (local.length() > FILE_NAME_MAX) {
      throw new IllegalArgumentException(
          "a local part that takes " + local.length() + " octets as a file name");
    }
    return encode(address.domain().name()) + "/" + local;
  }

  private static String encode(String text) {
    var name = new StringBuilder();
    for (byte octet : text.getBytes(StandardCharsets.UTF_8)) {
      boolean plain =
          (octet >= 'a' && octet <= 'z')
              || (octet >= '0' && octet <= '9')
              || octet == '_'
              || octet == '+'
              || octet == '-'
              || (octet == '.' && !name.isEmpty());
      if (plain) {
        name.append((char) octet);
      } else {
        name.append(String.format(Locale.ROOT, "%%%02X", octet & 0xff));
      }
    }
    return name.toString();
  }

  /// The addresses that have a document, sorted.
  public List<Address> documents() throws IOException {
    var addresses = new ArrayList<Address>();
    for (var domain : disk.list(mail)) {
      for (var local : disk.list(mail.resolve(domain))) {
        if (local.endsWith(".index")
            || local.endsWith(".lock")
            || local.endsWith(".rewrite")
            || local.endsWith(".incoming")) {
          continue;
        }
        try {
          var address = new Address(decode(local), new Domain(decode(domain)));
          if (documentName(address).equals(domain + "/" + local)) {
            addresses.add(address);
          }
        } catch (IllegalArgumentException e) {
          LOG.log(System.Logger.Level.DEBUG, domain + "/" + local + " is no document of ours", e);
        }
      }
    }
    return addresses;
  }

  private static String decode(String name) {
    var octets = new ByteArrayOutputStream();
    for (int i = 0; i < name.length(); i++) {
      if (name.charAt(i) == '%' && i + 3 <= name.length()) {
        octets.write(Integer.parseInt(name, i + 1, i + 3, 16));
        i += 2;
      } else {
        octets.write(name.charAt(i));
      }
    }
    return octets.toString(StandardCharsets.UTF_8);
  }

  /// Makes all but the document of an account anew: its index, and an account entry that is lost or
  /// damaged. Sessions that have a mailbox of it open find it gone. Gives what was done, a line
  /// each.
  ///
  /// @throws IOException when the document cannot be read or written
  public List<String> rebuild(Address address) throws IOException {
    var account = account(address);
    var name = documentName(address);
    var done = new ArrayList<String>();
    account.writer.lock();
    try {
      journal.check();
      account.forget();
      if (!disk.exists(account.path)) {
        return List.of("there is no document");
      }
      disk.delete(account.path.resolveSibling(account.path.getFileName() + ".index"));
      if (catalogue != null) {
        catalogue.remove(name);
      }
      done.addAll(
          new Rebuild(
                  disk,
                  account.path,
                  mail.resolveSibling("damaged").resolve(name),
                  account.address(),
                  clock.instant(),
                  newToken())
              .repair());
      account.load();
      account.rest();
      done.add(account.usage().messages() + " messages");
    } finally {
      account.writer.unlock();
    }
    return done;
  }

  /// What this store did so far.
  public StoreCounts counts() {
    return journal.counts;
  }

  /// What there is at the moment. Goes through all accounts that were ever used, so once in a while
  /// is enough.
  public StoreCounts.Now now() {
    int open = 0;
    int dirty = 0;
    long ledgers = 0;
    for (var account : accounts.values()) {
      open += account.isOpen() ? 1 : 0;
      dirty += account.dirty() ? 1 : 0;
      ledgers += account.ledgersUnsettled();
    }
    return new StoreCounts.Now(journal.segments(), open, dirty, ledgers);
  }

  /// An empty letter, to be written and finished.
  public Letter letter() {
    return new Letter(spool());
  }

  /// An empty place for octets that are not yet what documents hold.
  public Spool spool() {
    return new Spool(disk, spool.resolve(Long.toString(letters.incrementAndGet())));
  }

  /// Octets free on the disk, as of the last second.
  public long freeOctets() throws IOException {
    long now = System.nanoTime();
    if (freeOctets < 0 || now - freeNanos > LOOK_NANOS) {
      freeOctets = disk.freeOctets(mail);
      freeNanos = now;
    }
    return freeOctets;
  }

  /// Puts messages into mailboxes, all or none, and returns once they are durable and visible: one
  /// entry for each append, in order.
  public List<Entry> append(List<Append> appends) throws IOException, MailboxException {
    return change(appends, List.of());
  }

  /// Puts messages into mailboxes and takes others out, all or none of it, and returns once that is
  /// durable and visible: one entry for each append, in order. A removal of what is gone already
  /// does nothing.
  public List<Entry> change(List<Append> appends, List<Removal> removals)
      throws IOException, MailboxException {
    var deliveries = new LinkedHashMap<Account, AccountAppend>();
    for (var append : appends) {
      deliveries.computeIfAbsent(append.account(), AccountAppend::new);
    }
    for (var removal : removals) {
      deliveries.computeIfAbsent(removal.account(), AccountAppend::new).remove(removal.entry());
    }
    var locked = new ArrayList<Account>();
    var entries = new ArrayList<Entry>();
    Journal.Ticket ticket;
    try {
      // In the order of addresses, so that two changes of the same accounts cannot wait for each
      // other.
      var ordered = new ArrayList<>(deliveries.values());
      ordered.sort(Comparator.comparing(delivery -> delivery.account().address().toString()));
      for (var delivery : ordered) {
        delivery.begin();
        locked.add(delivery.account());
      }
      for (var append : appends) {
        delivery(deliveries, append).check(append);
      }
      var texts = texts(appends);
      for (int i = 0; i < appends.size(); i++) {
        var append = appends.get(i);
        entries.add(delivery(deliveries, append).plan(append, texts.get(i)));
      }
      deliveries.values().forEach(AccountAppend::planRemovals);
      long octets = 0;
      boolean spooled = false;
      byte[] shared = shared(appends);
      for (var append : appends) {
        spooled |= append.letter().file() != null;
      }
      for (var delivery : deliveries.values()) {
        octets += delivery.octets();
      }
      if (shared != null) {
        octets -= (long) (appends.size() - 1) * appends.getFirst().letter().storedLength();
      }
      if (spooled || octets > journal.batchMax() / 2) {
        commitLarge(deliveries.values().stream().map(AccountAppend::large).toList());
        return entries;
      }
      var batch = new Batch();
      if (shared != null) {
        batch.share(
            ByteBuffer.wrap(shared, 0, (int) appends.getFirst().letter().storedLength()).slice());
      }
      boolean handed = false;
      try {
        for (var delivery : deliveries.values()) {
          delivery.addTo(batch, shared != null);
        }
        ticket = journal.enqueue(batch);
        for (var delivery : deliveries.values()) {
          delivery.handed(ticket);
        }
        handed = true;
      } finally {
        if (!handed) {
          deliveries.values().forEach(AccountAppend::refused);
        }
      }
    } finally {
      locked.forEach(Account::endChange);
    }
    journal.await(ticket);
    deliveries.keySet().forEach(account -> account.underway.apply());
    return entries;
  }

  private static AccountAppend delivery(Map<Account, AccountAppend> deliveries, Append append) {
    return Objects.requireNonNull(deliveries.get(append.account()));
  }

  /// The stored form of each append's prefix, joined with its letter.
  private static List<Text> texts(List<Append> appends) throws IOException {
    var texts = new ArrayList<Text>();
    for (var append : appends) {
      var letter = append.letter();
      var prefix = new Prefix(append.prefix());
      boolean quoted = letter.quoted() || prefix.form.quoted();
      long wire = letter.sizeOctets() + prefix.form.wireOctets();
      var file = letter.file();
      texts.add(
          new Text(
              prefix.octets.toByteArray(),
              file == null ? letter.memory() : null,
              file,
              0,
              letter.storedLength(),
              quoted,
              wire));
    }
    return texts;
  }

  static final class Prefix {
    final ByteArrayOutputStream octets = new ByteArrayOutputStream();
    final StoredForm form =
        new StoredForm() {
          @Override
          void put(byte[] from, int offset, int length) {
            octets.write(from, offset, length);
          }

          @Override
          void put(int octet) {
            octets.write(octet);
          }
        };

    Prefix(byte[] wire) throws IOException {
      form.write(wire, 0, wire.length);
      form.end();
    }
  }

  /// The octets of the one small letter that goes to several accounts; null when that is not so.
  private static byte @Nullable [] shared(List<Append> appends) {
    if (appends.size() < 2 || appends.getFirst().letter().file() != null) {
      return null;
    }
    var letter = appends.getFirst().letter();
    for (var append : appends) {
      if (append.letter() != letter) {
        return null;
      }
    }
    return letter.memory();
  }

  /// Puts large entries in place, forces them, then commits them by reference, with what else the
  /// batch does. Called with the writer locks of the accounts held.
  void commitLarge(List<LargeInsertion> work) throws IOException {
    for (var large : work) {
      large.prepare();
    }
    boolean handed = false;
    try {
      var intents = new Batch();
      for (var large : work) {
        large.addIntent(intents);
      }
      journal.await(journal.enqueue(intents));
      for (var large : work) {
        large.writeAhead();
      }
      var batch = new Batch();
      for (var large : work) {
        large.addReference(batch);
      }
      var ticket = journal.enqueue(batch);
      handed = true;
      // When this fails, the batch may be in the journal or not, and the next start will see which:
      // what it names must be there then.
      journal.await(ticket);
      for (var large : work) {
        large.show();
      }
    } finally {
      if (!handed) {
        work.forEach(LargeInsertion::cut);
      }
    }
  }

  // For accounts.

  Disk disk() {
    return disk;
  }

  InstantSource clock() {
    return clock;
  }

  Journal journal() {
    return journal;
  }

  /// How often an account looks whether its document was changed by another program.
  long lookNanos() {
    return settings.background() ? LOOK_NANOS : 0;
  }

  String newToken() {
    var token = new StringBuilder();
    for (int i = 0; i < Ledger.TOKEN_LENGTH; i++) {
      token.append(TOKEN_LETTERS.charAt(random.nextInt(TOKEN_LETTERS.length())));
    }
    return token.toString();
  }

  /// What is known of documents nobody has open, for the check; null where none is kept.
  public @Nullable Catalogue catalogue() {
    return catalogue;
  }

  /// The index beside a document; null where none is kept.
  @Nullable AccountIndex openIndex(Path path) {
    return settings.index()
        ? AccountIndex.open(disk, path.resolveSibling(path.getFileName() + ".index"))
        : null;
  }

  void watch(Account account, boolean on) {
    if (on) {
      watched.add(account);
    } else {
      watched.remove(account);
    }
  }

  /// Takes the locks that mail programs take on a document, waiting a while for one that has them.
  Closeable outsideLock(Path path, DiskFile file) throws IOException {
    var dotLock = path.resolveSibling(path.getFileName() + ".lock");
    long start = System.nanoTime();
    while (true) {
      if (!disk.exists(dotLock) || stale(dotLock)) {
        var taken = file.tryLock();
        if (taken != null) {
          return taken;
        }
      }
      if (System.nanoTime() - start > OUTSIDE_WAIT_NANOS) {
        throw new IOException(path + " is locked by another program");
      }
      LockSupport.parkNanos(5_000_000);
    }
  }

  private boolean stale(Path dotLock) throws IOException {
    var facts = disk.facts(dotLock);
    if (facts.isEmpty()) {
      return true;
    }
    var now = clock.instant();
    long nanos = now.getEpochSecond() * 1_000_000_000L + now.getNano();
    if (nanos - facts.get().modifiedNanos() < STALE_LOCK_NANOS) {
      return false;
    }
    disk.delete(dotLock);
    return true;
  }

  /// Makes durable that a document exists.
  void forceFolders(Path path) throws IOException {
    disk.forceFolder(Objects.requireNonNull(path.getParent()));
    disk.forceFolder(mail);
  }

  // Settling.

  private void wantSettling() {
    settlingWanted = true;
    if (settler != null) {
      LockSupport.unpark(settler);
    }
  }

  private void settleLoop() {
    long last = System.nanoTime();
    while (!closing) {
      LockSupport.parkNanos(500_000_000);
      lookOutside();
      long now = System.nanoTime();
      if (!settlingWanted && now - last < settings.settleAfter().toNanos()) {
        continue;
      }
      last = now;
      settlingWanted = false;
      try {
        settle();
        closeIdle();
      } catch (IOException | RuntimeException e) {
        LOG.log(System.Logger.Level.ERROR, "settling failed", e);
      }
    }
  }

  /// A thread of its own, since it waits for writers, and copies for as long as a disk takes.
  private void compactLoop() {
    while (!closing) {
      LockSupport.parkNanos(settings.settleAfter().toNanos());
      if (!closing) {
        compact();
      }
    }
  }

  private void lookOutside() {
    for (var account : watched) {
      try {
        account.lookOutsideUnlessBusy();
      } catch (IOException | RuntimeException e) {
        LOG.log(System.Logger.Level.WARNING, account.address() + ": not read again", e);
      }
    }
  }

  /// Brings all documents up to date, forces them, and lets the journal use its segments again. A
  /// failed force ends the store's work: nothing more is acknowledged.
  public synchronized void settle() throws IOException {
    journal.check();
    long next = journal.assigned() + 1;
    for (var account : accounts.values()) {
      if (account.dirty()) {
        settle(account);
        account.note();
      }
    }
    if (catalogue != null) {
      catalogue.commit();
    }
    for (var account : accounts.values()) {
      next = Math.min(next, account.unsettledSince());
    }
    journal.checkpoint(next);
  }

  /// Takes dead entries out of the documents that have many or old ones.
  public void compact() {
    long before = clock.instant().minus(settings.compactAfter()).getEpochSecond();
    for (var account : accounts.values()) {
      try {
        account.compaction.compact(before);
      } catch (IOException | RuntimeException e) {
        LOG.log(System.Logger.Level.WARNING, account.address() + " was not compacted", e);
      }
    }
  }

  /// Closes accounts that nobody has used for a while, and while too many are open, or those open
  /// take too much memory, those that have rested longest.
  void closeIdle() throws IOException {
    // As of now: accounts are used while they are sorted.
    record Open(Account account, long usedNanos, long octets) {}
    var open = new ArrayList<Open>();
    long octets = 0;
    for (var account : accounts.values()) {
      if (account.isOpen() && !account.closeIfIdle(settings.idleAfter().toNanos())) {
        var one = new Open(account, account.usedNanos(), account.memoryOctets());
        open.add(one);
        octets += one.octets;
      }
    }
    int count = open.size();
    if (count <= settings.openMax() && octets <= settings.openOctetsMax()) {
      return;
    }
    open.sort(Comparator.comparingLong(Open::usedNanos));
    for (var one : open) {
      if (count <= settings.openMax() && octets <= settings.openOctetsMax()) {
        return;
      }
      if (one.account.closeIfIdle(IDLE_LEAST_NANOS)) {
        count--;
        octets -= one.octets;
      }
    }
  }

  /// What is done while an account rests.
  public interface Quiet {
    /// Does it.
    void run() throws IOException;
  }

  /// Does something while nothing of an account changes and all of it is in its document, forced;
  /// its index is written and closed. Deliveries and commands of that account wait meanwhile, so it
  /// should be short. An account without a document: the action runs all the same.
  ///
  /// @throws IOException when the document cannot be read or settled
  public void quietly(Address address, Quiet action) throws IOException {
    var account = account(address);
    account.begin();
    try {
      account.rest();
      action.run();
    } finally {
      account.writer.unlock();
    }
  }

  /// Settles one account whose writer lock is held.
  synchronized void settleOne(Account account) throws IOException {
    journal.check();
    try {
      account.settling.settle();
    } catch (ForceException e) {
      journal.fail(e);
      throw e;
    }
  }

  private void settle(Account account) throws IOException {
    try {
      account.settling.settle();
    } catch (ForceException e) {
      journal.fail(e);
      throw e;
    } catch (IOException e) {
      // One document that cannot be written keeps its segments; the others go on.
      LOG.log(System.Logger.Level.ERROR, account.address() + " could not be settled", e);
    }
  }

  /// A force failed: what the disk holds is not known.
  static final class ForceException extends IOException {
    ForceException(Path path, IOException cause) {
      super(path + " could not be forced: " + cause.getMessage(), cause);
    }
  }

  @Override
  public void close() throws IOException {
    closing = true;
    end(compactor);
    end(settler);
    try {
      settle();
    } catch (IOException e) {
      LOG.log(
          System.Logger.Level.ERROR, "not settled; the next start recovers from the journal", e);
    }
    for (var account : accounts.values()) {
      account.close();
    }
    if (catalogue != null) {
      catalogue.close();
    }
    journal.close();
    lock.close();
    lockFile.close();
  }

  private static void end(@Nullable Thread thread) {
    boolean interrupted = false;
    while (thread != null && thread.isAlive()) {
      LockSupport.unpark(thread);
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
