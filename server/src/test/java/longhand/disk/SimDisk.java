package longhand.disk;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

/// A disk in memory that forgets, tears and reorders what was not forced, as a real one may when
/// the power fails, and that can fail its n-th call. For one thread.
///
/// After a crash every write since the last force of its file is kept, lost or torn, each by
/// itself: any beginning of it, or any of its sectors of 512 octets. The length of a grown file is
/// kept or lost apart from its data, and a hole left so holds zeros, garbage, or what once was in
/// another file. Names made, renamed and removed since the last force of their folder are kept or
/// lost each by itself. Octets that were not being written are not harmed, and a force is honest.
@NullMarked
public final class SimDisk implements Disk {

  private static final int SECTOR = 512;

  /// The power has failed: nothing works any more.
  public static final class PowerLoss extends RuntimeException {
    PowerLoss() {
      super("power lost", null, false, false);
    }
  }

  /// What a call is, for tests that fail or leave out calls.
  public enum Call {
    READ,
    WRITE,
    FORCE,
    TRUNCATE,
    RENAME,
    DELETE,
    FOLDER,
    FORCE_FOLDER,
    OPEN
  }

  /// Thrown by a fate: only so many octets of a write are written before it fails.
  public static final class ShortWrite extends IOException {
    private final int octets;

    /// @param octets at most these are written, and not all
    public ShortWrite(int octets) {
      super("No space left on device, after " + octets + " octets");
      this.octets = octets;
    }
  }

  /// Decides about a call before it is done.
  public interface Fate {
    /// Throws to fail it; false to leave it out, as if the disk lied.
    boolean comes(Call call, Path path, int number) throws IOException;

    /// Whether a forcing call is done only after the next changing one, so that the two have
    /// changed places.
    default boolean late(Call call, Path path) {
      return false;
    }
  }

  private record Change(long offset, byte @Nullable [] octets, long length) {}

  private static final class Node {
    final int number;
    byte[] durable = new byte[0];
    byte[] content = new byte[0];
    List<Change> changes = new ArrayList<>();
    long modified;
    boolean locked;

    /// Whether `content` shows what a failed force lost.
    boolean forgetful;

    Node(int number) {
      this.number = number;
    }
  }

  private record NameChange(
      Path folder, @Nullable Path removed, @Nullable Path made, @Nullable Node node) {}

  private final Map<Path, Node> names = new TreeMap<>();
  private final Map<Path, Node> durableNames = new TreeMap<>();
  private final Set<Path> folders = new HashSet<>();
  private final Set<Path> durableFolders = new HashSet<>();
  private final List<NameChange> nameChanges = new ArrayList<>();
  private int nodes;
  private int calls;
  private int crashAt = -1;
  private boolean dead;
  private @Nullable Fate fate;
  private @Nullable Runnable late;

  /// The power fails at the n-th changing call from now, in its middle.
  public void crashAt(int call) {
    crashAt = calls + call;
  }

  /// Asks this of every call from now on.
  public void fate(@Nullable Fate fate) {
    this.fate = fate;
  }

  /// Changing calls so far.
  public int calls() {
    return calls;
  }

  /// Whether the power has failed.
  public boolean dead() {
    return dead;
  }

  private boolean call(Call call, Path path) throws IOException {
    if (dead) {
      throw new PowerLoss();
    }
    if (call != Call.READ && call != Call.OPEN) {
      if (++calls == crashAt) {
        dead = true;
      }
    }
    return fate == null || fate.comes(call, path, calls);
  }

  private void end() {
    if (dead) {
      throw new PowerLoss();
    }
    var waiting = late;
    late = null;
    if (waiting != null) {
      waiting.run();
    }
  }

  /// Does what a forcing call does, now or after the next changing call.
  private void force(Call call, Path path, Runnable forcing) {
    if (dead) {
      throw new PowerLoss();
    }
    if (fate != null && fate.late(call, path)) {
      end();
      late = forcing;
    } else {
      forcing.run();
      end();
    }
  }

  /// What is on the disk when the power is back.
  public SimDisk afterCrash(Random random) {
    var after = new SimDisk();
    after.nodes = nodes;
    after.folders.addAll(durableFolders);
    for (var folder : folders) {
      if (!durableFolders.contains(folder) && random.nextBoolean()) {
        after.folders.add(folder);
      }
    }
    var images = new TreeMap<Integer, Node>();
    var result = new TreeMap<>(durableNames);
    for (var change : nameChanges) {
      if (!random.nextBoolean()) {
        continue;
      }
      if (change.removed != null) {
        result.remove(change.removed);
      }
      if (change.made != null) {
        result.put(change.made, Objects.requireNonNull(change.node));
      }
    }
    for (var name : result.entrySet()) {
      if (!after.exists(name.getKey().getParent()) && !isRoot(name.getKey().getParent())) {
        continue;
      }
      var node = name.getValue();
      var image = images.get(node.number);
      if (image == null) {
        image = new Node(node.number);
        image.durable = image(node, random);
        image.content = image.durable;
        images.put(node.number, image);
      }
      after.names.put(name.getKey(), image);
      after.durableNames.put(name.getKey(), image);
    }
    after.durableFolders.addAll(after.folders);
    return after;
  }

  private static Path folderOf(Path path) {
    return Objects.requireNonNull(path.getParent());
  }

  private static boolean isRoot(@Nullable Path path) {
    return path == null || path.getNameCount() == 0;
  }

  private static byte[] image(Node node, Random random) {
    var image = node.durable;
    int mood = node.changes.isEmpty() ? 0 : random.nextInt(4);
    for (var change : node.changes) {
      int fate = mood == 0 ? 0 : mood == 1 ? 1 : random.nextInt(4);
      if (change.octets == null) {
        if (fate != 0) {
          image = Arrays.copyOf(image, (int) change.length);
        }
        continue;
      }
      if (fate == 0) {
        continue;
      }
      int end = (int) change.offset + change.octets.length;
      if (end > image.length) {
        int before = image.length;
        int grown = fate == 2 ? before + random.nextInt(end - before + 1) : end;
        image = Arrays.copyOf(image, grown);
        if (fate != 1) {
          fill(image, before, random);
        }
      }
      if (fate == 1) {
        System.arraycopy(change.octets, 0, image, (int) change.offset, change.octets.length);
      } else if (random.nextBoolean()) {
        int kept = random.nextInt(change.octets.length + 1);
        int fits = Math.min(kept, image.length - (int) change.offset);
        if (fits > 0) {
          System.arraycopy(change.octets, 0, image, (int) change.offset, fits);
        }
      } else {
        sectors(change.octets, (int) change.offset, image, random);
      }
    }
    return image;
  }

  /// What a file holds where it grew and nothing was written: zeros or garbage.
  private static void fill(byte[] image, int from, Random random) {
    boolean garbage = random.nextBoolean();
    for (int i = from; i < image.length && garbage; i++) {
      image[i] = (byte) random.nextInt();
    }
  }

  /// Keeps some of the sectors of a write.
  private static void sectors(byte[] octets, int offset, byte[] image, Random random) {
    boolean sector = random.nextBoolean();
    for (int i = 0; i < octets.length; i++) {
      int at = offset + i;
      if (at % SECTOR == 0) {
        sector = random.nextBoolean();
      }
      if (at < image.length && sector) {
        image[at] = octets[i];
      }
    }
  }

  private Node node(Path path) throws IOException {
    var node = names.get(path);
    if (node == null) {
      throw new NoSuchFileException(path.toString());
    }
    return node;
  }

  @Override
  public DiskFile open(Path path, Mode mode) throws IOException {
    call(Call.OPEN, path);
    var node = names.get(path);
    if (node == null) {
      if (mode == Mode.READ || mode == Mode.WRITE || !folders.contains(path.getParent())) {
        throw new NoSuchFileException(path.toString());
      }
      boolean done = call(Call.WRITE, path);
      node = new Node(++nodes);
      node.modified = calls;
      names.put(path, node);
      if (done) {
        nameChanges.add(new NameChange(folderOf(path), null, path, node));
      }
      end();
    }
    var file = new File(path, node);
    if (mode == Mode.REPLACE && node.content.length > 0) {
      file.truncate(0);
    }
    return file;
  }

  @Override
  public Optional<Facts> facts(Path path) throws IOException {
    call(Call.READ, path);
    var node = names.get(path);
    return node == null
        ? Optional.empty()
        : Optional.of(new Facts(node.content.length, node.modified, Integer.toString(node.number)));
  }

  @Override
  public boolean exists(@Nullable Path path) {
    return path != null && (names.containsKey(path) || folders.contains(path));
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    boolean done = call(Call.RENAME, from);
    var node = node(from);
    if (done) {
      names.remove(from);
      names.put(to, node);
      nameChanges.add(new NameChange(folderOf(to), from, to, node));
    }
    end();
  }

  @Override
  public void delete(Path path) throws IOException {
    boolean done = call(Call.DELETE, path);
    if (done && names.remove(path) != null) {
      nameChanges.add(new NameChange(folderOf(path), path, null, null));
    }
    end();
  }

  @Override
  public void createFolders(Path path) throws IOException {
    if (folders.contains(path)) {
      return;
    }
    call(Call.FOLDER, path);
    for (var folder = path;
        folder != null && folder.getNameCount() > 0;
        folder = folder.getParent()) {
      folders.add(folder);
    }
    end();
  }

  @Override
  public void forceFolder(Path path) throws IOException {
    boolean done = call(Call.FORCE_FOLDER, path);
    force(Call.FORCE_FOLDER, path, done ? () -> forceNames(path) : () -> {});
  }

  private void forceNames(Path path) {
    nameChanges.removeIf(
        change -> {
          if (!path.equals(change.folder)) {
            return false;
          }
          if (change.removed != null) {
            durableNames.remove(change.removed);
          }
          if (change.made != null) {
            durableNames.put(change.made, Objects.requireNonNull(change.node));
          }
          return true;
        });
    if (isRoot(path.getParent())) {
      durableFolders.add(path);
    }
    for (var folder : folders) {
      if (path.equals(folder.getParent())) {
        durableFolders.add(folder);
      }
    }
  }

  @Override
  public List<String> list(Path path) throws IOException {
    call(Call.READ, path);
    var list = new TreeSet<String>();
    for (var name : names.keySet()) {
      if (path.equals(name.getParent())) {
        list.add(name.getFileName().toString());
      }
    }
    for (var folder : folders) {
      if (path.equals(folder.getParent())) {
        list.add(folder.getFileName().toString());
      }
    }
    return List.copyOf(list);
  }

  @Override
  public long freeOctets(Path path) {
    return Long.MAX_VALUE;
  }

  /// Loses what was not forced of a file, while reads go on showing it: what a failed force leaves.
  public void forget(Path path) {
    var node = names.get(path);
    if (node != null) {
      node.changes.clear();
      node.forgetful = true;
    }
  }

  /// The octets of a file as programs see it now.
  public byte[] content(Path path) throws IOException {
    return node(path).content.clone();
  }

  /// Changes a file as another program would, durably at once.
  public void change(Path path, byte[] content) throws IOException {
    var node = node(path);
    node.content = content.clone();
    node.durable = node.content;
    node.changes.clear();
    node.forgetful = false;
    node.modified = ++calls;
  }

  private final class File implements DiskFile {
    private final Path path;
    private final Node node;
    private boolean holdsLock;

    File(Path path, Node node) {
      this.path = path;
      this.node = node;
    }

    @Override
    public int read(ByteBuffer target, long position) throws IOException {
      call(Call.READ, path);
      if (position >= node.content.length) {
        return -1;
      }
      int n = (int) Math.min(target.remaining(), node.content.length - position);
      target.put(node.content, (int) position, n);
      return n;
    }

    @Override
    public void write(ByteBuffer source, long position) throws IOException {
      var octets = new byte[source.remaining()];
      source.get(octets);
      if (octets.length == 0) {
        return;
      }
      try {
        if (call(Call.WRITE, path)) {
          change(octets, position);
        }
      } catch (ShortWrite e) {
        change(Arrays.copyOf(octets, Math.min(e.octets, octets.length - 1)), position);
        throw e;
      }
      end();
    }

    private void change(byte[] octets, long position) {
      put(octets, position);
      node.changes.add(new Change(position, octets, 0));
    }

    private void put(byte[] octets, long position) {
      int needed = (int) position + octets.length;
      // The array may be the durable image as well: always a copy.
      node.content = Arrays.copyOf(node.content, Math.max(needed, node.content.length));
      System.arraycopy(octets, 0, node.content, (int) position, octets.length);
      node.modified = calls;
    }

    @Override
    public void copyTo(long position, long length, DiskFile target, long targetPosition)
        throws IOException {
      var octets = new byte[(int) length];
      var buffer = ByteBuffer.wrap(octets);
      if (length > 0 && read(buffer, position) < length) {
        throw new IOException("file ends early");
      }
      target.write(ByteBuffer.wrap(octets), targetPosition);
    }

    @Override
    public long size() throws IOException {
      call(Call.READ, path);
      return node.content.length;
    }

    @Override
    public void truncate(long size) throws IOException {
      if (size >= node.content.length) {
        return;
      }
      if (call(Call.TRUNCATE, path)) {
        node.content = Arrays.copyOf(node.content, (int) size);
        node.changes.add(new Change(0, null, size));
        node.modified = calls;
      }
      end();
    }

    @Override
    public void force(boolean times) throws IOException {
      boolean done = call(Call.FORCE, path);
      SimDisk.this.force(Call.FORCE, path, done ? this::forceContent : () -> {});
    }

    private void forceContent() {
      node.durable = node.forgetful ? written() : node.content;
      node.changes.clear();
    }

    /// What is on the disk after a force that succeeds behind one that failed: what was lost then
    /// is not written again, though reads show it.
    private byte[] written() {
      var octets = node.durable;
      for (var change : node.changes) {
        if (change.octets == null) {
          octets = Arrays.copyOf(octets, (int) change.length);
          continue;
        }
        int end = (int) change.offset + change.octets.length;
        octets = Arrays.copyOf(octets, Math.max(end, octets.length));
        System.arraycopy(change.octets, 0, octets, (int) change.offset, change.octets.length);
      }
      return octets;
    }

    @Override
    public @Nullable Closeable tryLock() throws IOException {
      call(Call.READ, path);
      if (node.locked) {
        return null;
      }
      node.locked = true;
      holdsLock = true;
      return this::unlock;
    }

    private void unlock() {
      if (holdsLock) {
        holdsLock = false;
        node.locked = false;
      }
    }

    @Override
    public void close() {
      unlock();
    }
  }
}
