package longhand.directory;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import longhand.disk.Disk;
import longhand.disk.DiskFile;
import longhand.mail.Address;
import longhand.mail.Domain;
import org.jspecify.annotations.Nullable;

/// The accounts and aliases of one domain: a text file of lines, of which the last one about a
/// local part is in force. Safe for any thread; other processes change it while they hold the
/// directory's lock, and people with an editor at any time.
///
/// **Reading.** An index in memory says where the line in force of each local part is; a look-up
/// reads that line. At most once a second a look-up asks the file's size, time and inode, and
/// indexes it anew when they have changed.
///
/// A wildcard is found by its line too: for each pair of lengths that some wildcard has before and
/// behind its star, the most octets first, the index is asked for the key that such a wildcard
/// would have. So look-ups cost by the number of such pairs, however many wildcards there are.
///
/// **Adding, changing, removing** appends lines: nothing is rewritten, and all lines of one change
/// are there or none. 1. The lines are written to [PendingLines] and forced. 2. They are appended.
/// 3. The file is forced. 4. The pending lines are emptied, and that forced.
///
/// | Crash after | Left behind | At the next start or change |
/// |---|---|---|
/// | 1 | whole pending lines | appended: the change is made |
/// | 2 | those, and any part of them in the file | written again at the same offset |
/// | 3 | those, and the file | written again, nothing changes |
///
/// Pending lines that are not whole were never appended, and are emptied. Where the file is no
/// longer as a crash leaves it, somebody edited it meanwhile: the lines go behind what is there. A
/// write that fails is undone. After a force that fails no change is taken until a restart: what
/// the disk holds is not known. Look-ups go on all the while, without what was not told.
///
/// **Compaction**, once more than half of the lines are not in force any more, writes those in
/// force, the comments, and lines it does not understand into a new file, forces it, and renames.
///
/// The alternatives lost: rewriting the file on each change costs 300 MB at a million accounts; a
/// file an account is a million inodes, and no longer one readable page; appending alone leaves
/// torn lines in place of an account, and half of an import; a checksum in each line is nothing a
/// person can write.
final class DomainFile implements Closeable {

  private static final System.Logger LOG = System.getLogger(DomainFile.class.getName());

  private static final int LINES_WORTH_COMPACTING = 64;
  private static final int CACHED_MAX = 10_000;

  /// Most bytes of lines whose records are kept in memory: large groups are larger than accounts.
  private static final int CACHED_BYTES_MAX = 8 << 20;

  private static final int CHECKED_LINES_MAX = 50_000;
  private static final String REMOVAL = "removed";

  /// A local part with each octet as `%` and two digits, and a star.
  private static final int KEY_OCTETS_MAX = 3 * Address.LOCAL_PART_OCTETS_MAX + 1;

  private static final int REPORTED_MAX = 20;
  private static final long CHECK_NANOS = 1_000_000_000L;

  private final Disk disk;
  private final Domain domain;
  private final Path path;
  private final PendingLines pending;
  private final RandomGenerator random;
  private final LongSupplier nanos;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<String, DirectoryEntry> cached = new HashMap<>();

  private int cachedBytes;
  private final Set<Long> reported = new HashSet<>();

  private @Nullable DiskFile channel;
  private Optional<Disk.Facts> stamp = Optional.empty();
  private LineIndex index;
  private NavigableSet<Shape> shapes = new TreeSet<>();
  private long checkedNanos;
  private boolean checked;

  /// Why no change is taken any more.
  private @Nullable IOException failure;

  /// How many octets of their keys wildcards have before and behind the star. The one with more
  /// octets comes first, of two with as many the one with more before the star: a key that has both
  /// lengths has one wildcard at most, so the order is whole.
  private record Shape(int prefix, int suffix) implements Comparable<Shape> {
    @Override
    public int compareTo(Shape other) {
      int more = Integer.compare(other.prefix + other.suffix, prefix + suffix);
      return more != 0 ? more : Integer.compare(other.prefix, prefix);
    }
  }

  DomainFile(Disk disk, Path folder, Domain domain, RandomGenerator random, LongSupplier nanos) {
    this.disk = disk;
    this.pending = new PendingLines(disk, folder.resolve("." + domain.name() + ".append"));
    this.domain = domain;
    this.path = folder.resolve(domain.name());
    this.random = random;
    this.nanos = nanos;
    this.index = new LineIndex(random.nextLong());
  }

  /// The account or alias of exactly that local part; empty when there is none.
  ///
  /// @throws IOException when the file or the line cannot be read
  Optional<DirectoryEntry> find(String localPart) throws IOException {
    return findKey(AccountLine.key(localPart), false);
  }

  /// The alias of exactly that name.
  Optional<DirectoryEntry> find(AliasName name) throws IOException {
    return findKey(name.key(), false);
  }

  /// As `find`, but asks the file now whether it has changed.
  Optional<DirectoryEntry> findNow(String key) throws IOException {
    return findKey(key, true);
  }

  private Optional<DirectoryEntry> findKey(String key, boolean now) throws IOException {
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
        if (line.next() && line.cut() && kind(line) == LineIndex.Kind.ALIAS) {
          line = new LineReader(channelOf(), offset, AliasLine.BYTES_MAX + 2);
          line.next();
        }
        if (line.number() == 0 || !isOf(line, key)) {
          load(); // edited in place a moment ago, or two keys of one hash
          continue;
        }
        DirectoryEntry found;
        try {
          found = AccountLine.entry(line.bytes(), domain);
        } catch (AccountLine.BadLineException e) {
          report(lineNumber(offset), offset, e);
          throw new IOException("the line of " + key + " in " + path + " cannot be read", e);
        }
        int bytes = line.bytes().length;
        if (cached.size() >= CACHED_MAX || cachedBytes + bytes > CACHED_BYTES_MAX) {
          forget();
        }
        cached.put(key, found);
        cachedBytes += bytes;
        return Optional.of(found);
      }
      throw new IOException(path + " changes while it is read");
    } finally {
      lock.unlock();
    }
  }

  /// The alias of the most specific wildcard that matches a local part; empty when none does.
  Optional<DirectoryEntry> wildcard(String localPart) throws IOException {
    lock.lock();
    try {
      check(false);
      if (shapes.isEmpty()) {
        return Optional.empty();
      }
      var key = AccountLine.key(localPart);
      // A load in the middle makes another set, so this one does not change.
      for (var shape : shapes) {
        int suffix = key.length() - shape.suffix;
        if (shape.prefix > suffix || isInEscape(key, shape.prefix) || isInEscape(key, suffix)) {
          continue;
        }
        if (index.get(index.hash(key, shape.prefix, suffix)) >= 0) {
          var found = findKey(key.substring(0, shape.prefix) + "*" + key.substring(suffix), false);
          if (found.isPresent()) {
            return found;
          }
        }
      }
      return Optional.empty();
    } finally {
      lock.unlock();
    }
  }

  /// Whether a place is inside `%` and two digits: no octet ends there.
  private static boolean isInEscape(String key, int at) {
    return at < key.length()
        && ((at >= 1 && key.charAt(at - 1) == '%') || (at >= 2 && key.charAt(at - 2) == '%'));
  }

  private void forget() {
    cached.clear();
    cachedBytes = 0;
  }

  private DiskFile channelOf() throws IOException {
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

  /// Asks the file now whether it has changed.
  void refresh() throws IOException {
    lock.lock();
    try {
      check(true);
    } finally {
      lock.unlock();
    }
  }

  /// How many accounts there are.
  int size() throws IOException {
    lock.lock();
    try {
      check(false);
      return index.accounts();
    } finally {
      lock.unlock();
    }
  }

  /// Adds or replaces accounts and aliases: all lines in one write and one force. The caller holds
  /// the directory's lock and has called `recover`.
  ///
  /// @throws IllegalArgumentException when a line is longer than can be read
  void put(List<? extends DirectoryEntry> entries) throws IOException {
    var lines = entries.stream().map(DirectoryEntry::toLine).toList();
    for (int i = 0; i < lines.size(); i++) {
      int most =
          switch (entries.get(i)) {
            case AccountRecord _ -> AccountLine.BYTES_MAX;
            case AliasRecord _ -> AliasLine.BYTES_MAX;
          };
      int bytes = lines.get(i).getBytes(StandardCharsets.UTF_8).length;
      if (bytes > most) {
        throw new IllegalArgumentException(
            "a line of "
                + bytes
                + " bytes, at most "
                + most
                + "; put some of the targets into an alias of their own");
      }
    }
    append(lines);
  }

  /// Removes what a key is of; false when it is of nothing, or of something else. The caller holds
  /// the directory's lock and has called `recover`.
  boolean remove(String key, LineIndex.Kind kind) throws IOException {
    lock.lock();
    try {
      check(true);
      if (index.kind(index.hash(key)) != kind) {
        return false;
      }
      append(List.of(AccountLine.removal(key)));
      return true;
    } finally {
      lock.unlock();
    }
  }

  /// Gives each account and alias in force, in the order of the file. Lines that cannot be read are
  /// passed over and reported in the log.
  void forEach(Consumer<DirectoryEntry> consumer) throws IOException {
    lock.lock();
    try {
      check(true);
      var file = channel;
      if (file == null) {
        return;
      }
      var lines = new LineReader(file, 0);
      while (lines.next()) {
        if (isOfAnEntry(lines) && index.get(hash(lines)) == lines.offset()) {
          try {
            consumer.accept(AccountLine.entry(lines.bytes(), domain));
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
      stamp = Optional.empty();
      checked = false;
    } finally {
      lock.unlock();
    }
  }

  /// Whether a change was cut short, and `recover` has work.
  boolean interrupted() throws IOException {
    return pending.any();
  }

  /// Ends a change that was cut short, before another is made. The caller holds the directory's
  /// lock.
  ///
  /// @throws IOException also when no change is taken any more
  void recover() throws IOException {
    lock.lock();
    try {
      var failed = failure;
      if (failed != null) {
        throw new IOException(
            path + " is changed no more until a restart: " + failed.getMessage(), failed);
      }
      if (!pending.any()) {
        return;
      }
      var lines = pending.read();
      if (lines != null) {
        if (!disk.exists(path)) {
          create();
        }
        try (var file = disk.open(path, Disk.Mode.WRITE)) {
          long at = file.size();
          if (lines.continues(file)) {
            at = lines.offset();
          } else {
            LOG.log(
                Level.WARNING,
                "{0} was edited after a change was cut short; the change is made at its end",
                path);
          }
          var text = new String(lines.text(), StandardCharsets.UTF_8);
          put(
              file,
              at,
              (endsLine(file, at) ? "" : "\n")
                  + (text.startsWith("\n") ? text.substring(1) : text));
          file.force(true);
        }
      }
      pending.clear();
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
      var text = new StringBuilder(endsLine(file, end) ? "" : "\n");
      for (var line : lines) {
        text.append(line).append('\n');
      }
      commit(file, end, text.toString());
      indexFrom(file, end, Long.MAX_VALUE, false);
      forget();
      stamp = disk.facts(path);
      if (index.waste() > index.live() && index.waste() >= LINES_WORTH_COMPACTING) {
        compact(file);
      }
    } finally {
      lock.unlock();
    }
  }

  /// Makes a change durable, or leaves none.
  private void commit(DiskFile file, long end, String text) throws IOException {
    try {
      pending.write(PendingLines.of(file, end, text));
    } catch (IOException e) {
      try {
        pending.clear();
      } catch (IOException f) {
        e.addSuppressed(f);
        failure = e;
      }
      throw e;
    }
    try {
      put(file, end, text);
    } catch (IOException e) {
      undo(file, end, e);
      throw e;
    }
    try {
      file.force(true);
      pending.clear();
    } catch (IOException e) {
      failure = e;
      throw e;
    }
  }

  private void undo(DiskFile file, long end, IOException reason) {
    try {
      file.truncate(end);
      file.force(true);
      pending.clear();
    } catch (IOException e) {
      reason.addSuppressed(e);
      failure = reason;
    }
  }

  private static boolean endsLine(DiskFile file, long end) throws IOException {
    var last = ByteBuffer.allocate(1);
    return end == 0 || file.read(last, end - 1) < 1 || last.get(0) == '\n';
  }

  private static void put(DiskFile file, long at, String text) throws IOException {
    file.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), at);
  }

  private void create() throws IOException {
    var next = next();
    try (var file = disk.open(next, Disk.Mode.REPLACE)) {
      put(
          file,
          0,
          "# Accounts of "
              + domain
              + ". The last line about an account is in force; docs/accounts.md tells the form.\n");
      file.force(true);
    }
    disk.rename(next, path);
    forceFolder();
  }

  private Path next() {
    return path.resolveSibling("." + domain + ".new");
  }

  /// The change that led here is made, so a failure is told in the log alone.
  private void compact(DiskFile file) {
    var next = next();
    try {
      if (!compact(file, next)) {
        return;
      }
      disk.rename(next, path);
    } catch (IOException e) {
      LOG.log(Level.WARNING, path + " is not compacted", e);
      return;
    }
    try {
      forceFolder();
      load();
    } catch (IOException e) {
      // Lines put into a file whose name may be lost would be lost with it.
      failure = e;
      checked = false;
      LOG.log(Level.ERROR, path + " was compacted, but is changed no more until a restart", e);
    }
  }

  private boolean compact(DiskFile file, Path next) throws IOException {
    try (var target = disk.open(next, Disk.Mode.REPLACE)) {
      var out = new ByteArrayOutputStream();
      long at = 0;
      var lines = new LineReader(file, 0);
      while (lines.next()) {
        if (lines.cut()) {
          LOG.log(
              Level.WARNING, "{0} is not compacted: line {1} is too long", path, lines.number());
          return false;
        }
        if (!isOfAnEntry(lines) || index.get(hash(lines)) == lines.offset()) {
          out.writeBytes(lines.bytes());
          out.write('\n');
        }
        if (out.size() > 1 << 20) {
          target.write(ByteBuffer.wrap(out.toByteArray()), at);
          at += out.size();
          out.reset();
        }
      }
      target.write(ByteBuffer.wrap(out.toByteArray()), at);
      target.force(true);
      return true;
    }
  }

  private void forceFolder() throws IOException {
    disk.forceFolder(Objects.requireNonNull(path.getParent()));
  }

  /// Indexes the file anew if it has changed; asks at most once a second, or `now`.
  private void check(boolean now) throws IOException {
    if (checked && !now && nanos.getAsLong() - checkedNanos < CHECK_NANOS) {
      return;
    }
    checkedNanos = nanos.getAsLong();
    if (!checked || !disk.facts(path).equals(stamp)) {
      checked = false;
      load();
    }
    checked = true;
  }

  private void load() throws IOException {
    if (channel != null) {
      channel.close();
      channel = null;
    }
    forget();
    reported.clear();
    index = new LineIndex(random.nextLong());
    shapes = new TreeSet<>();
    stamp = disk.facts(path);
    if (stamp.isEmpty()) {
      return;
    }
    var file = disk.open(path, Disk.Mode.WRITE);
    channel = file;
    var lines = pending.read();
    if (lines == null) {
      indexFrom(file, 0, Long.MAX_VALUE, true);
    } else {
      indexFrom(file, 0, lines.offset(), true);
      stamp = Optional.empty(); // to be read again when the change is made
    }
  }

  /// Takes the lines from one offset to before another into the index. With `check`, those of a
  /// file that isn't huge are read in full, and those that are not of the form reported; in a huge
  /// one that happens when they are looked up.
  private void indexFrom(DiskFile file, long offset, long end, boolean check) throws IOException {
    var lines = new LineReader(file, offset);
    while (lines.next() && lines.offset() < end) {
      if (!isOfAnEntry(lines)) {
        continue;
      }
      var kind = kind(lines);
      index.put(hash(lines), lines.offset(), kind);
      if (kind == LineIndex.Kind.ALIAS) {
        shape(lines);
      }
      if (check && kind != LineIndex.Kind.REMOVAL && lines.number() <= CHECKED_LINES_MAX) {
        try {
          AccountLine.entry(lines.bytes(), domain);
        } catch (AccountLine.BadLineException e) {
          report(lines.number(), lines.offset(), e);
        }
      }
    }
  }

  /// Remembers the shape of a wildcard. One that is removed leaves its shape, which costs look-ups
  /// a glance until the file is read anew.
  private void shape(LineReader line) {
    int star = -1;
    int end = 0;
    for (; line.at(end) > ' '; end++) {
      if (line.at(end) == '*' && star < 0) {
        star = end;
      }
      if (end > KEY_OCTETS_MAX) {
        return; // longer than any local part
      }
    }
    if (star >= 0) {
      shapes.add(new Shape(star, end - star - 1));
    }
  }

  /// Whether it is about an account or an alias, well or badly: no comment, not empty.
  private static boolean isOfAnEntry(LineReader line) {
    int first = lower(line.at(0));
    return first == '%' || first == '*' || AccountLine.isPlain(first);
  }

  private long hash(LineReader line) {
    long hash = index.start();
    for (int i = 0; line.at(i) > ' '; i++) {
      hash = LineIndex.more(hash, lower(line.at(i)));
    }
    return hash;
  }

  /// What the second word makes of the first.
  private static LineIndex.Kind kind(LineReader line) {
    int i = 0;
    while (line.at(i) > ' ') {
      i++;
    }
    while (line.at(i) == ' ') {
      i++;
    }
    if (isWord(line, i, REMOVAL) && line.at(i + REMOVAL.length()) < 0) {
      return LineIndex.Kind.REMOVAL;
    }
    return isWord(line, i, AliasLine.WORD) ? LineIndex.Kind.ALIAS : LineIndex.Kind.ACCOUNT;
  }

  private static boolean isWord(LineReader line, int at, String word) {
    for (int k = 0; k < word.length(); k++) {
      if (line.at(at + k) != word.charAt(k)) {
        return false;
      }
    }
    int after = line.at(at + word.length());
    return after < 0 || after == ' ';
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
