package longhand.store;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.zip.CRC32C;
import longhand.disk.Disk;
import longhand.disk.DiskFile;
import org.jspecify.annotations.Nullable;

/// The journal: batches become durable here first, many with one force (`docs/document-format.md`,
/// "The journal").
///
/// Threads hand in batches and wait; one platform thread, the committer, writes all that wait and
/// forces once. A virtual thread in a force would hold its carrier, and a force for each would cost
/// ten times as much. Lost alternatives: a force for each document (seven times slower than this
/// with 64 writers), an embedded engine's log (half as fast, and its native calls stop all virtual
/// threads).
///
/// After a write or force that failed nothing is accepted any more: what the disk holds is not
/// known.
final class Journal implements Closeable {

  private static final int SEGMENT_MAGIC = 0x4c4e4701;
  private static final int BATCH_MAGIC = 0x4c4e4702;
  private static final int SEGMENT_HEADER = 16;
  private static final int BATCH_HEADER = 24;
  private static final int SLOT = 512;

  /// Most octets written before a force, unless one batch alone has more.
  private static final int GROUP_MAX = 4 << 20;

  /// How far sequence numbers jump after recovery: further than any leftover can be.
  private static final long JUMP = 1L << 32;

  /// One batch handed in.
  static final class Ticket {
    private final Batch batch;
    private final Thread owner = Thread.currentThread();
    private volatile boolean done;
    private volatile @Nullable IOException failure;

    private Ticket(Batch batch) {
      this.batch = batch;
    }

    /// Whether it is durable.
    boolean durable() {
      return done && failure == null;
    }

    boolean failed() {
      return done && failure != null;
    }
  }

  private static final class Segment {
    final DiskFile file;
    long last;
    int used;

    Segment(DiskFile file) {
      this.file = file;
    }
  }

  final StoreCounts counts = new StoreCounts();
  private final Disk disk;
  private final Path folder;
  private final int segmentOctets;
  private final int segmentsMax;
  private final boolean inline;
  private final Runnable wantsSettling;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition waiting = lock.newCondition();
  private final Condition freed = lock.newCondition();
  private ArrayDeque<Ticket> queue = new ArrayDeque<>();
  private final ArrayDeque<Segment> free = new ArrayDeque<>();
  private final ArrayDeque<Segment> full = new ArrayDeque<>();
  private @Nullable Segment current;
  private final DiskFile checkpointFile;
  private int segments;
  private long checkpointNumber;
  private volatile long assigned;
  private volatile @Nullable IOException failure;
  private volatile boolean closing;
  private @Nullable Thread committer;
  private ByteBuffer group = ByteBuffer.allocateDirect(256 * 1024);

  /// What recovery finds.
  ///
  /// @param settledBelow batches below were already in forced documents
  /// @param last the sequence number of the last whole batch
  record Found(long settledBelow, long last) {}

  /// @param inline whether the waiting thread itself commits, for simulations on one thread
  /// @param wantsSettling called when segments run short
  Journal(
      Disk disk,
      Path folder,
      int segmentOctets,
      int segmentsMax,
      boolean inline,
      Runnable wantsSettling)
      throws IOException {
    this.disk = disk;
    this.folder = folder;
    this.segmentOctets = segmentOctets;
    this.segmentsMax = segmentsMax;
    this.inline = inline;
    this.wantsSettling = wantsSettling;
    disk.createFolders(folder);
    this.checkpointFile = disk.open(folder.resolve("checkpoint"), Disk.Mode.CREATE);
  }

  /// Reads all whole batches not settled yet, in order. To be called once, before `start`.
  ///
  /// Those that can be read need not be on the disk: after a force that failed, reads go on showing
  /// what it lost. So all are written and forced once more before any is acted on; else a loss of
  /// power in the middle of recovery would leave a batch done in part, and gone.
  Found recover(Batch.Reader reader) throws IOException {
    long settledBelow = readCheckpoint();
    var found = new ArrayList<Segment>();
    for (var name : disk.list(folder)) {
      if (!name.endsWith(".journal")) {
        continue;
      }
      var path = folder.resolve(name);
      var segment = new Segment(disk.open(path, Disk.Mode.WRITE));
      segments = Math.max(segments, Integer.parseInt(name, 0, name.length() - 8, 10));
      if (segment.file.size() < segmentOctets) {
        segment.file.close();
        disk.delete(path);
        continue;
      }
      segment.last = readSegmentHeader(segment);
      found.add(segment);
    }
    found.sort(Comparator.comparingLong(segment -> segment.last));
    long expected = -1;
    var unsettled = new ArrayList<Segment>();
    for (var segment : found) {
      long first = segment.last;
      if (first >= 0 && (expected < 0 || first == expected)) {
        // Only to see how far it goes.
        var extent = scan(segment, first, Long.MAX_VALUE, reader);
        long next = extent.next;
        if (next > settledBelow) {
          writeAgain(segment, extent.octets);
          unsettled.add(segment);
        }
        expected = next > settledBelow || expected >= 0 ? next : -1;
      }
      free.add(segment);
    }
    for (var segment : unsettled) {
      scan(segment, segment.last, settledBelow, reader);
    }
    return new Found(settledBelow, Math.max(expected, settledBelow) - 1);
  }

  /// How far whole batches go in a segment.
  ///
  /// @param next the number after the last one
  /// @param octets until its end
  private record Extent(long next, int octets) {}

  /// Puts the same octets in the same place, which harms nothing that is there for certain.
  private void writeAgain(Segment segment, int octets) throws IOException {
    var buffer = ByteBuffer.allocate(Math.min(octets, 1 << 20));
    for (int at = 0; at < octets; at += buffer.limit()) {
      buffer.clear().limit(Math.min(buffer.capacity(), octets - at));
      segment.file.read(buffer, at);
      segment.file.write(buffer.flip(), at);
    }
    segment.file.force(true);
  }

  /// Reads a segment from its first batch.
  private Extent scan(Segment segment, long first, long settledBelow, Batch.Reader reader)
      throws IOException {
    long next = first;
    int at = SEGMENT_HEADER;
    var header = ByteBuffer.allocate(BATCH_HEADER);
    while (at + BATCH_HEADER <= segmentOctets) {
      header.clear();
      if (segment.file.read(header, at) < BATCH_HEADER) {
        break;
      }
      header.flip();
      int magic = header.getInt();
      int length = header.getInt();
      long sequence = header.getLong();
      int contentCrc = header.getInt();
      int headerCrc = header.getInt();
      if (magic != BATCH_MAGIC
          || sequence != next
          || headerCrc != crc(header.array(), BATCH_HEADER - 4)
          || length < 0
          || length > segmentOctets - at - BATCH_HEADER) {
        break;
      }
      var content = ByteBuffer.allocate(length);
      if (segment.file.read(content, at + BATCH_HEADER) < length
          || crc(content.array(), length) != contentCrc) {
        break;
      }
      if (sequence >= settledBelow) {
        Batch.read(content.flip(), reader);
      }
      next++;
      at += BATCH_HEADER + length;
    }
    return new Extent(next, at);
  }

  private static int crc(byte[] octets, int length) {
    var crc = new CRC32C();
    crc.update(octets, 0, length);
    return (int) crc.getValue();
  }

  private long readSegmentHeader(Segment segment) throws IOException {
    var header = ByteBuffer.allocate(SEGMENT_HEADER);
    if (segment.file.read(header, 0) < SEGMENT_HEADER) {
      return -1;
    }
    header.flip();
    return header.getInt() == SEGMENT_MAGIC
            && header.getInt(12) == crc(header.array(), SEGMENT_HEADER - 4)
        ? header.getLong(4)
        : -1;
  }

  private long readCheckpoint() throws IOException {
    long settledBelow = 0;
    for (int slot = 0; slot < 2; slot++) {
      var content = ByteBuffer.allocate(20);
      if (checkpointFile.read(content, (long) slot * SLOT) == 20
          && content.getInt(16) == crc(content.array(), 16)
          && content.getLong(0) > checkpointNumber) {
        checkpointNumber = content.getLong(0);
        settledBelow = content.getLong(8);
      }
    }
    return settledBelow;
  }

  /// Begins to take batches, all that `recover` read being settled now.
  void start(Found found) throws IOException {
    assigned = found.last + JUMP;
    checkpoint(assigned + 1);
    disk.forceFolder(folder);
    for (int i = free.size(); i < 2; i++) {
      addSegment();
    }
    if (!inline) {
      committer = Thread.ofPlatform().name("longhand-committer").daemon().start(this::commitLoop);
    }
  }

  /// Makes one more segment, forced: a commit then never needs space or a new file length. It gets
  /// its name when it is zeros for certain: a file that grew without its octets may hold those of
  /// an old segment.
  private void addSegment() throws IOException {
    var path = folder.resolve(String.format(Locale.ROOT, "%08d.journal", ++segments));
    var unready = path.resolveSibling("segment.new");
    var file = disk.open(unready, Disk.Mode.REPLACE);
    var zeros = ByteBuffer.allocate(Math.min(segmentOctets, 1 << 20));
    for (long at = 0; at < segmentOctets; at += zeros.capacity()) {
      zeros.clear().limit((int) Math.min(zeros.capacity(), segmentOctets - at));
      file.write(zeros, at);
    }
    file.force(true);
    disk.rename(unready, path);
    disk.forceFolder(folder);
    lock.lock();
    try {
      free.add(new Segment(file));
      freed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// The greatest number given to a batch so far: a batch handed in later gets a greater one.
  long assigned() {
    return assigned;
  }

  /// Files there are.
  int segments() {
    lock.lock();
    try {
      return free.size() + full.size() + (current == null ? 0 : 1);
    } finally {
      lock.unlock();
    }
  }

  /// Most octets a batch may hold.
  int batchMax() {
    return segmentOctets / 2;
  }

  /// Hands in a batch. The order of calls is the order of the journal.
  Ticket enqueue(Batch batch) throws IOException {
    if (batch.length() > batchMax()) {
      throw new IllegalArgumentException("batch of " + batch.length() + " octets");
    }
    var ticket = new Ticket(batch);
    lock.lock();
    try {
      check();
      queue.add(ticket);
      waiting.signal();
    } finally {
      lock.unlock();
    }
    return ticket;
  }

  /// Throws when the journal has failed.
  void check() throws IOException {
    var failed = failure;
    if (failed != null) {
      throw new IOException(
          "the journal failed; restart to recover: " + failed.getMessage(), failed);
    }
    checkOpen();
  }

  /// Throws when it is closed.
  void checkOpen() throws IOException {
    if (closing) {
      throw new IOException("the store is closed");
    }
  }

  /// Waits until a batch handed in by this thread is durable.
  void await(Ticket ticket) throws IOException {
    if (inline) {
      commit();
    }
    while (!ticket.done) {
      LockSupport.park(this);
    }
    var failed = ticket.failure;
    if (failed != null) {
      throw new IOException("not durable: " + failed.getMessage(), failed);
    }
  }

  /// Commits what waits, where the calling thread does so.
  void commitInline() {
    if (inline) {
      commit();
    }
  }

  private void commitLoop() {
    while (true) {
      lock.lock();
      try {
        while (queue.isEmpty() && !closing) {
          waiting.awaitUninterruptibly();
        }
        if (queue.isEmpty()) {
          return;
        }
      } finally {
        lock.unlock();
      }
      commit();
    }
  }

  /// Makes durable all batches that wait.
  private void commit() {
    ArrayDeque<Ticket> tickets;
    lock.lock();
    try {
      tickets = queue;
      queue = new ArrayDeque<>();
    } finally {
      lock.unlock();
    }
    var written = new ArrayList<Ticket>();
    try {
      while (!tickets.isEmpty()) {
        writeGroup(tickets, written);
        for (var ticket : written) {
          finish(ticket, null);
        }
        written.clear();
      }
    } catch (IOException | RuntimeException e) {
      var failed = e instanceof IOException io ? io : new IOException(e);
      failure = failed;
      System.getLogger(Journal.class.getName())
          .log(
              System.Logger.Level.ERROR,
              "the journal failed: nothing is accepted until a restart recovers from it",
              e);
      written.addAll(tickets);
      lock.lock();
      try {
        written.addAll(queue);
        queue.clear();
      } finally {
        lock.unlock();
      }
      for (var ticket : written) {
        finish(ticket, failed);
      }
    }
  }

  private static void finish(Ticket ticket, @Nullable IOException failed) {
    ticket.failure = failed;
    ticket.done = true;
    LockSupport.unpark(ticket.owner);
  }

  /// Writes and forces as many batches as fit the current segment.
  private void writeGroup(ArrayDeque<Ticket> tickets, List<Ticket> written) throws IOException {
    if (failure != null) {
      throw failure;
    }
    var segment = current;
    int first = BATCH_HEADER + tickets.getFirst().batch.length();
    if (segment == null || segment.used + first > segmentOctets) {
      segment = nextSegment();
    }
    int room = segmentOctets - segment.used;
    int octets = 0;
    int count = 0;
    for (var ticket : tickets) {
      int needed = BATCH_HEADER + ticket.batch.length();
      if (octets + needed > room || (count > 0 && octets + needed > GROUP_MAX)) {
        break;
      }
      octets += needed;
      count++;
    }
    int header = segment.used == SEGMENT_HEADER ? SEGMENT_HEADER : 0;
    if (group.capacity() < octets + header) {
      group = ByteBuffer.allocateDirect(Integer.highestOneBit(octets + header) * 2);
    }
    group.clear();
    if (header > 0) {
      group.put(segmentHeader(assigned + 1));
    }
    for (int i = 0; i < count; i++) {
      var ticket = tickets.removeFirst();
      written.add(ticket);
      long sequence = assigned + 1;
      group.put(batchHeader(ticket.batch, sequence));
      assigned = sequence;
      ticket.batch.copyTo(group);
    }
    segment.last = assigned;
    segment.file.write(group.flip(), segment.used - header);
    long began = System.nanoTime();
    segment.file.force(false);
    counts.forceNanos.add(System.nanoTime() - began);
    counts.batchesPerForce.add(count);
    counts.batches.add(count);
    counts.journalOctets.add(octets + header);
    segment.used += octets;
  }

  private static byte[] segmentHeader(long first) {
    var header = ByteBuffer.allocate(SEGMENT_HEADER).putInt(SEGMENT_MAGIC).putLong(first);
    return header.putInt(crc(header.array(), SEGMENT_HEADER - 4)).array();
  }

  private static byte[] batchHeader(Batch batch, long sequence) {
    var header = ByteBuffer.allocate(BATCH_HEADER).putInt(BATCH_MAGIC).putInt(batch.length());
    header.putLong(sequence).putInt(batch.crc());
    return header.putInt(crc(header.array(), BATCH_HEADER - 4)).array();
  }

  private Segment nextSegment() throws IOException {
    boolean add = false;
    lock.lock();
    try {
      if (current != null) {
        full.add(current);
        current = null;
      }
      if (free.isEmpty()) {
        add = segments < segmentsMax;
      }
    } finally {
      lock.unlock();
    }
    if (add) {
      addSegment();
    }
    wantsSettling.run();
    lock.lock();
    try {
      while (free.isEmpty()) {
        if (inline) {
          throw new IOException("the journal is full");
        }
        freed.awaitUninterruptibly();
        if (failure != null) {
          throw failure;
        }
      }
      var segment = free.removeFirst();
      segment.used = SEGMENT_HEADER;
      current = segment;
      return segment;
    } finally {
      lock.unlock();
    }
  }

  /// Says that all batches below a number are in forced documents: their segments can be used
  /// again.
  void checkpoint(long settledBelow) throws IOException {
    var content = ByteBuffer.allocate(20).putLong(++checkpointNumber).putLong(settledBelow);
    content.putInt(crc(content.array(), 16)).flip();
    try {
      checkpointFile.write(content, (checkpointNumber & 1) * SLOT);
      checkpointFile.force(false);
    } catch (IOException e) {
      fail(e);
      throw e;
    }
    lock.lock();
    try {
      while (!full.isEmpty() && full.getFirst().last < settledBelow) {
        free.add(full.removeFirst());
      }
      freed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Takes nothing more, because a document could not be forced.
  void fail(IOException reason) {
    lock.lock();
    try {
      if (failure == null) {
        failure = reason;
      }
      freed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() throws IOException {
    lock.lock();
    try {
      closing = true;
      waiting.signalAll();
    } finally {
      lock.unlock();
    }
    if (committer != null) {
      boolean interrupted = false;
      while (committer.isAlive()) {
        try {
          committer.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
    checkpointFile.close();
    for (var segment : free) {
      segment.file.close();
    }
    for (var segment : full) {
      segment.file.close();
    }
    if (current != null) {
      current.file.close();
    }
  }
}
