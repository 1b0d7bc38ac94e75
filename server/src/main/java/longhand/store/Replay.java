package longhand.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import longhand.disk.Disk;
import longhand.disk.DiskFile;
import org.jspecify.annotations.Nullable;

/// Puts what the journal holds into the documents, after a start (`docs/document-format.md`, "Order
/// of writes"). Every write is at an absolute offset, so that doing it twice is doing it once; a
/// crash in the middle is mended by the next start.
final class Replay implements Batch.Reader {

  private static final System.Logger LOG = System.getLogger(Replay.class.getName());

  private static final class Target {
    final Path path;
    @Nullable DiskFile file;
    long generation;
    long intentOffset = -1;
    long intentEnd;
    long end;

    /// Whether another program has changed the document since the batches were written.
    boolean foreign;

    Target(Path path) {
      this.path = path;
    }
  }

  private final Disk disk;
  private final Path mail;
  private final Path unapplied;
  private final Map<String, Target> targets = new HashMap<>();

  /// @param mail the folder under which documents lie
  /// @param unapplied where text is kept that has no document to go to
  Replay(Disk disk, Path mail, Path unapplied) {
    this.disk = disk;
    this.mail = mail;
    this.unapplied = unapplied;
  }

  private Target target(String document) throws IOException {
    var known = targets.get(document);
    if (known != null) {
      return known;
    }
    var target = new Target(mail.resolve(document));
    if (disk.exists(target.path)) {
      target.file = disk.open(target.path, Disk.Mode.WRITE);
      target.generation = generation(target.file);
    }
    targets.put(document, target);
    return target;
  }

  /// The generation of a document; 0 when it does not begin as one.
  private static long generation(DiskFile file) throws IOException {
    var head = ByteBuffer.allocate(AccountEntry.textOffset());
    int n = file.read(head, 0);
    var line = n < head.capacity() ? null : Ledger.parseLine(head.array(), n - Ledger.LINE, n);
    return line == null || line.state() != Ledger.State.ACCOUNT ? 0 : line.uid();
  }

  @Override
  public void create(String document, ByteBuffer octets) throws IOException {
    var target = target(document);
    if (target.generation > 1) {
      return;
    }
    if (target.file == null) {
      disk.createFolders(Objects.requireNonNull(target.path.getParent()));
      target.file = disk.open(target.path, Disk.Mode.CREATE);
    }
    target.file.write(octets, 0);
    target.generation = 1;
  }

  @Override
  public void put(String document, long generation, long offset, List<ByteBuffer> slices)
      throws IOException {
    var target = target(document);
    if (target.file == null || target.generation == 0) {
      keep(document, offset, slices);
      return;
    }
    if (target.generation != generation) {
      return;
    }
    if (!target.foreign && !fits(target.file, offset, slices)) {
      target.foreign = true;
      LOG.log(
          System.Logger.Level.WARNING,
          "{0} was changed by another program before this start; what the journal has for it is"
              + " taken in anew",
          document);
    }
    if (target.foreign) {
      rescue(target, slices);
      return;
    }
    long at = offset;
    for (var slice : slices) {
      int octets = slice.remaining();
      target.file.write(slice, at);
      at += octets;
    }
    target.end = Math.max(target.end, at);
  }

  /// Octets that all versions of a ledger share: the field's name, the token, the id.
  private static final int LEDGER_NAME = 12 + Ledger.TOKEN_LENGTH + 1 + 10;

  private static final byte[] FROM = Ledger.ascii("From ");

  /// Whether a write belongs where it would go: a ledger over a ledger of the same entry, a text at
  /// the end of another entry and over nothing but itself. Torn writes of our own pass, what people
  /// did does not.
  private static boolean fits(DiskFile file, long offset, List<ByteBuffer> slices)
      throws IOException {
    var head = head(slices);
    if (Ledger.literal(head, 0, head.length, Ledger.LONGHAND)) {
      var there = new byte[LEDGER_NAME];
      return file.read(ByteBuffer.wrap(there), offset) == there.length
          && Arrays.equals(there, 0, LEDGER_NAME, head, 0, LEDGER_NAME);
    }
    if (!Ledger.literal(head, 0, head.length, FROM)) {
      return true;
    }
    var before = new byte[1];
    if (file.read(ByteBuffer.wrap(before), offset - 1) < 1 || before[0] != '\n') {
      return false;
    }
    var there = new byte[head.length];
    int n = file.read(ByteBuffer.wrap(there), offset);
    if (n < FROM.length || !Ledger.literal(there, 0, n, FROM)) {
      return true;
    }
    int line = 0;
    while (line < n && there[line] != '\n') {
      line++;
    }
    int ours = 0;
    while (ours < head.length && head[ours] != '\n') {
      ours++;
    }
    // A From line of somebody else's is followed by something else than a ledger of this document.
    int named = Ledger.LONGHAND.length + Ledger.TOKEN_LENGTH;
    return line + 1 + named > n
        || ours + 1 + named > head.length
        || Arrays.equals(there, line + 1, line + 1 + named, head, ours + 1, ours + 1 + named)
        || !text(there, Math.max(0, Arrays.mismatch(there, head)), n);
  }

  /// Most octets that tell text from garbage.
  private static final int TELLING = 256;

  /// Whether somebody wrote what stands there, rather than that a torn write left it: no control
  /// characters. A few octets of garbage may look like text, these many do not.
  private static boolean text(byte[] octets, int from, int end) {
    for (int i = from; i < Math.min(end, from + TELLING); i++) {
      int octet = octets[i] & 0xff;
      if (octet == 0x7f || (octet < ' ' && octet != '\n' && octet != '\r' && octet != '\t')) {
        return false;
      }
    }
    return true;
  }

  private static byte[] head(List<ByteBuffer> slices) {
    var head = ByteBuffer.allocate(2048);
    for (var slice : slices) {
      var some = slice.duplicate();
      some.limit(some.position() + Math.min(some.remaining(), head.remaining()));
      head.put(some);
    }
    return Arrays.copyOf(head.array(), head.position());
  }

  /// Puts an acknowledged text aside, to be taken in when the account is opened, unless the
  /// document has it.
  private void rescue(Target target, List<ByteBuffer> slices) throws IOException {
    var head = head(slices);
    int line = 0;
    while (line < head.length && head[line] != '\n') {
      line++;
    }
    if (!Ledger.literal(head, 0, head.length, FROM) || line + 1 + LEDGER_NAME > head.length) {
      return;
    }
    var name = Arrays.copyOfRange(head, line + 1, line + 1 + LEDGER_NAME);
    if (target.file != null && contains(target.file, name)) {
      return;
    }
    var aside = target.path.resolveSibling(target.path.getFileName() + ".incoming");
    try (var file = disk.open(aside, Disk.Mode.CREATE)) {
      if (contains(file, name)) {
        return;
      }
      long at = file.size();
      for (var slice : slices) {
        int octets = slice.remaining();
        file.write(slice.duplicate(), at);
        at += octets;
      }
      file.force(true);
    }
    disk.forceFolder(Objects.requireNonNull(target.path.getParent()));
  }

  private static boolean contains(DiskFile file, byte[] word) throws IOException {
    var window = new byte[1 << 16];
    long size = file.size();
    for (long at = 0; at < size; at += window.length - word.length) {
      int n = file.read(ByteBuffer.wrap(window), at);
      for (int i = 0; i + word.length <= n; i++) {
        if (window[i] == 'X' && Ledger.literal(window, i, n, word)) {
          return true;
        }
      }
    }
    return false;
  }

  /// Saves text of a document that is gone or does not begin as one: it was acknowledged, so it is
  /// not thrown away because something else was lost.
  private void keep(String document, long offset, List<ByteBuffer> slices) throws IOException {
    disk.createFolders(unapplied);
    var path = unapplied.resolve(document.replace('/', '@') + "." + offset);
    try (var file = disk.open(path, Disk.Mode.REPLACE)) {
      long at = 0;
      for (var slice : slices) {
        int octets = slice.remaining();
        file.write(slice, at);
        at += octets;
      }
      file.force(true);
    }
    disk.forceFolder(unapplied);
    LOG.log(
        System.Logger.Level.ERROR,
        "{0} is gone or damaged; octets for it at {1} are kept in {2}",
        document,
        Long.toString(offset),
        path);
  }

  @Override
  public void reference(String document, long generation, long offset, long octets)
      throws IOException {
    var target = target(document);
    if (target.generation == generation) {
      target.end = Math.max(target.end, offset + octets);
    }
  }

  @Override
  public void intent(String document, long generation, long offset, long octets)
      throws IOException {
    var target = target(document);
    if (target.generation == generation) {
      target.intentOffset = offset;
      target.intentEnd = offset + octets;
      target.end = Math.max(target.end, offset);
    }
  }

  /// Cuts what only an intent announced, and makes all documents durable.
  void finish() throws IOException {
    var folders = new TreeSet<Path>();
    for (var target : targets.values()) {
      var file = target.file;
      if (file == null) {
        continue;
      }
      long size = file.size();
      if (target.intentOffset >= 0
          && size > target.end
          && size <= Math.max(target.end, target.intentEnd)) {
        file.truncate(target.end);
      }
      file.force(true);
      file.close();
      folders.add(Objects.requireNonNull(target.path.getParent()));
    }
    for (var folder : folders) {
      disk.forceFolder(folder);
    }
    if (!folders.isEmpty()) {
      disk.forceFolder(mail);
    }
  }
}
