package longhand.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
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
    long at = offset;
    for (var slice : slices) {
      int octets = slice.remaining();
      target.file.write(slice, at);
      at += octets;
    }
    target.end = Math.max(target.end, at);
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
