package longhand.directory;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import longhand.mail.Address;
import longhand.mail.Domain;
import org.jspecify.annotations.Nullable;

/// The accounts of one domain: a text file of lines, of which the last one about an account is in
/// force. Safe for any thread; other processes change it while they hold the directory's lock, and
/// people with an editor at any time.
///
/// **Reading.** An index in memory says where the line in force of each account is; a look-up reads
/// that line. At most once a second a look-up asks the file's size, time and inode, and indexes it
/// anew when they have changed.
///
/// **Adding, changing, removing** appends a line and forces the file: nothing is rewritten. A crash
/// leaves the line whole, or not at all, or cut: a cut line is reported and answers for its account
/// with an error (never with an older line) until it is mended; the next append begins with a line
/// end of its own.
///
/// **Compaction**, once more than half of the lines are of no account any more, writes those in
/// force, the comments, and lines it does not understand into a new file, forces it, and renames.
///
/// The alternatives lost: rewriting the file on each change costs 300 MB at a million accounts; a
/// file an account is a million inodes, and no longer one readable page.
final class DomainFile implements Closeable {

  private static final System.Logger LOG = System.getLogger(DomainFile.class.getName());

  private static final int LINES_WORTH_COMPACTING = 64;
  private static final int CACHED_MAX = 10_000;
  private static final int CHECKED_LINES_MAX = 50_000;
  private static final String REMOVAL = " removed";
  private static final int REPORTED_MAX = 20;
  private static final long CHECK_NANOS = 1_000_000_000L;

  /// What tells one state of a file from another.
  private record Stamp(long size, long modifiedNanos, @Nullable Object inode) {}

  private final Domain domain;
  private final Path path;
  private final RandomGenerator random;
  private final LongSupplier nanos;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<String, AccountRecord> cached = new HashMap<>();

  private final Set<Long> reported = new HashSet<>();

  private @Nullable FileChannel channel;
  private @Nullable Stamp stamp;
  private LineIndex index;
  private long checkedNanos;
  private boolean checked;

  DomainFile(Path folder, Domain domain, RandomGenerator random, LongSupplier nanos) {
    this.domain = domain;
    this.path = folder.resolve(domain.name());
    this.random = random;
    this.nanos = nanos;
    this.index = new LineIndex(random.nextLong());
  }

  /// The account of exactly that local part; empty when there is none.
  ///
  /// @throws IOException when the file or the account's line cannot be read
  Optional<AccountRecord> find(String localPart) throws IOException {
    return find(localPart, false);
  }

  /// As `find`, but asks the file `now` whether it has changed.
  Optional<AccountRecord> find(String localPart, boolean now) throws IOException {
    var key = AccountLine.key(localPart);
    lock.lock();
    try {
      check(now);
      var known = cached.get(key);
      if (known != null) {
        return Optional.of(known);
      }
      for (int attempt = 0; attempt < 3; attempt++) {
        long offset = index.get(index.hash(key));
        if (offset < 0) {
          return Optional.empty();
        }
        var line = new LineReader(channelOf(), offset, AccountLine.BYTES_MAX + 2);
        if (!line.next() || !isOf(line, key)) {
          load(); // edited in place a moment ago, or two keys of one hash
          continue;
        }
        AccountRecord found;
        try {
          found = AccountLine.parse(line.bytes(), domain);
        } catch (AccountLine.BadLineException e) {
          report(lineNumber(offset), offset, e);
          throw new IOException("the line of an account in " + path + " cannot be read", e);
        }
        if (cached.size() >= CACHED_MAX) {
          cached.clear();
        }
        cached.put(key, found);
        return Optional.of(found);
      }
      throw new IOException(path + " changes while it is read");
    } finally {
      lock.unlock();
    }
  }

  private FileChannel channelOf() throws IOException {
    if (channel == null) {
      throw new NoSuchFileException(path.toString());
    }
    return channel;
  }

  /// Counts lines up to an offset, once for each line reported.
  private long lineNumber(long offset) throws IOException {
    if (reported.size() >= REPORTED_MAX || reported.contains(offset)) {
      return 0;
    }
    var lines = new LineReader(channelOf(), 0);
    while (lines.next() && lines.offset() < offset) {
      // only counting
    }
    return lines.number();
  }

  /// How many accounts there are.
  int size() throws IOException {
    lock.lock();
    try {
      check(false);
      return index.live();
    } finally {
      lock.unlock();
    }
  }

  /// Adds or replaces accounts: all lines in one write and one force. The caller holds the
  /// directory's lock.
  void put(List<AccountRecord> accounts) throws IOException {
    append(accounts.stream().map(AccountLine::format).toList());
  }

  /// Removes an account; false when there was none. The caller holds the directory's lock.
  boolean remove(Address address) throws IOException {
    lock.lock();
    try {
      check(true);
      if (index.get(index.hash(AccountLine.key(address.localPart()))) < 0) {
        return false;
      }
      append(List.of(AccountLine.removal(address)));
      return true;
    } finally {
      lock.unlock();
    }
  }

  /// Gives each account in force, in the order of the file. Lines that cannot be read are passed
  /// over and reported in the log.
  void forEach(Consumer<AccountRecord> consumer) throws IOException {
    lock.lock();
    try {
      check(true);
      var file = channel;
      if (file == null) {
        return;
      }
      var lines = new LineReader(file, 0);
      while (lines.next()) {
        if (isOfAnAccount(lines) && index.get(hash(lines)) == lines.offset()) {
          try {
            consumer.accept(AccountLine.parse(lines.bytes(), domain));
          } catch (AccountLine.BadLineException e) {
            report(lines.number(), lines.offset(), e);
          }
        }
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() throws IOException {
    lock.lock();
    try {
      if (channel != null) {
        channel.close();
        channel = null;
      }
      stamp = null;
      checked = false;
    } finally {
      lock.unlock();
    }
  }

  private void append(List<String> lines) throws IOException {
    lock.lock();
    try {
      check(true);
      if (channel == null) {
        create();
        load();
      }
      var file = channelOf();
      long end = file.size();
      var text = new StringBuilder();
      if (end > 0) {
        var last = ByteBuffer.allocate(1);
        file.read(last, end - 1);
        if (last.get(0) != '\n') {
          text.append('\n');
        }
      }
      for (var line : lines) {
        text.append(line).append('\n');
      }
      var bytes = ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8));
      long at = end;
      while (bytes.hasRemaining()) {
        at += file.write(bytes, at);
      }
      file.force(true);
      indexFrom(file, end, false);
      cached.clear();
      stamp = stamp();
      if (index.waste() > index.live() && index.waste() >= LINES_WORTH_COMPACTING) {
        compact(file);
      }
    } finally {
      lock.unlock();
    }
  }

  private void create() throws IOException {
    var header =
        "# Accounts of "
            + domain
            + ". The last line about an account is in force; docs/accounts.md tells the form.\n";
    write(path, header.getBytes(StandardCharsets.UTF_8));
    forceFolder();
  }

  private void compact(FileChannel file) throws IOException {
    var next = path.resolveSibling("." + domain + ".new");
    try (var target =
        FileChannel.open(
            next,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ownerOnly(next);
      var out = new ByteArrayOutputStream();
      var lines = new LineReader(file, 0);
      while (lines.next()) {
        if (lines.cut()) {
          LOG.log(
              Level.WARNING, "{0} is not compacted: line {1} is too long", path, lines.number());
          return;
        }
        if (!isOfAnAccount(lines) || index.get(hash(lines)) == lines.offset()) {
          out.writeBytes(lines.bytes());
          out.write('\n');
        }
        if (out.size() > 1 << 20) {
          writeAll(target, out);
        }
      }
      writeAll(target, out);
      target.force(true);
    }
    Files.move(next, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    forceFolder();
    load();
  }

  private static void writeAll(FileChannel target, ByteArrayOutputStream out) throws IOException {
    var bytes = ByteBuffer.wrap(out.toByteArray());
    while (bytes.hasRemaining()) {
      target.write(bytes);
    }
    out.reset();
  }

  private static void write(Path file, byte[] bytes) throws IOException {
    try (var target = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      ownerOnly(file);
      var buffer = ByteBuffer.wrap(bytes);
      while (buffer.hasRemaining()) {
        target.write(buffer);
      }
      target.force(true);
    }
  }

  /// Readable by its owner only, who is the folder's: root may add accounts to a server that runs
  /// as another user.
  static void ownerOnly(Path file) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    var owner = Files.getOwner(file.toAbsolutePath().getParent());
    if (!owner.equals(Files.getOwner(file))) {
      Files.setOwner(file, owner);
    }
  }

  private void forceFolder() throws IOException {
    try (var folder = FileChannel.open(path.getParent(), StandardOpenOption.READ)) {
      folder.force(true);
    }
  }

  /// Indexes the file anew if it has changed; asks at most once a second, or `now`.
  private void check(boolean now) throws IOException {
    if (checked && !now && nanos.getAsLong() - checkedNanos < CHECK_NANOS) {
      return;
    }
    checkedNanos = nanos.getAsLong();
    var present = stamp();
    if (!checked || (present == null ? stamp != null : !present.equals(stamp))) {
      load();
    }
    checked = true;
  }

  private @Nullable Stamp stamp() throws IOException {
    try {
      var attributes = Files.readAttributes(path, BasicFileAttributes.class);
      return new Stamp(
          attributes.size(),
          attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS),
          attributes.fileKey());
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  private void load() throws IOException {
    if (channel != null) {
      channel.close();
      channel = null;
    }
    cached.clear();
    reported.clear();
    index = new LineIndex(random.nextLong());
    stamp = stamp();
    if (stamp == null) {
      return;
    }
    var file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
    channel = file;
    indexFrom(file, 0, true);
  }

  /// Takes the lines from that offset on into the index. With `check`, those of a file that isn't
  /// huge are read in full, and those that are not of the form reported; in a huge one that happens
  /// when they are looked up.
  private void indexFrom(FileChannel file, long offset, boolean check) throws IOException {
    var lines = new LineReader(file, offset);
    while (lines.next()) {
      if (!isOfAnAccount(lines)) {
        continue;
      }
      boolean removal = isRemoval(lines);
      index.put(hash(lines), lines.offset(), removal);
      if (check && !removal && lines.number() <= CHECKED_LINES_MAX) {
        try {
          AccountLine.parse(lines.bytes(), domain);
        } catch (AccountLine.BadLineException e) {
          report(lines.number(), lines.offset(), e);
        }
      }
    }
  }

  /// Whether it is about an account, well or badly: no comment, not empty.
  private static boolean isOfAnAccount(LineReader line) {
    int first = lower(line.at(0));
    return first == '%' || AccountLine.isPlain(first);
  }

  private long hash(LineReader line) {
    long hash = index.start();
    for (int i = 0; line.at(i) > ' '; i++) {
      hash = LineIndex.more(hash, lower(line.at(i)));
    }
    return hash;
  }

  private static boolean isRemoval(LineReader line) {
    int i = 0;
    while (line.at(i) > ' ') {
      i++;
    }
    for (int k = 0; k < REMOVAL.length(); k++) {
      if (line.at(i + k) != REMOVAL.charAt(k)) {
        return false;
      }
    }
    return line.at(i + REMOVAL.length()) < 0;
  }

  private static int lower(int octet) {
    return octet >= 'A' && octet <= 'Z' ? octet + 32 : octet;
  }

  private static boolean isOf(LineReader line, String key) {
    for (int i = 0; i < key.length(); i++) {
      if (lower(line.at(i)) != key.charAt(i)) {
        return false;
      }
    }
    return line.at(key.length()) <= ' ';
  }

  private void report(long number, long offset, AccountLine.BadLineException bad) {
    if (reported.size() < REPORTED_MAX && reported.add(offset)) {
      LOG.log(Level.ERROR, "{0}:{1}: {2}", path, Long.toString(number), bad.getMessage());
    }
  }
}
