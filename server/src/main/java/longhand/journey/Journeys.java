package longhand.journey;

import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import longhand.disk.Disk;
import longhand.disk.DiskFile;
import org.jspecify.annotations.Nullable;

/// Writes stations down. Safe for any thread.
///
/// Who notes a station hands over a small record and goes on: there is no lock, no wait and no
/// force. One thread writes what has gathered in a moment into the latest [Segment]; a crash loses
/// that, or what the system had not written yet, and may leave a torn line, which readers pass
/// over. A segment ends when it is large, when the day ends (UTC) and when the server does: an old
/// one is never written to. The oldest go when they are too old or when space is needed. When
/// stations come faster than they can be written, those beyond the bound are dropped and counted: a
/// journey is never worth a delivery.
public final class Journeys implements Closeable {

  private static final System.Logger LOG = System.getLogger(Journeys.class.getName());

  /// How much may be kept.
  ///
  /// @param keep for how long; zero for nothing at all
  /// @param octetsMax what all files take, at least [#OCTETS_MIN]
  /// @param waitingMax stations that wait to be written
  public record Settings(Duration keep, long octetsMax, int waitingMax) {

    /// The least that all files may take.
    public static final long OCTETS_MIN = 1 << 20;

    public Settings {
      if (octetsMax < OCTETS_MIN || waitingMax < 1) {
        throw new IllegalArgumentException(octetsMax + " octets, " + waitingMax + " stations");
      }
    }

    /// Those of a configuration.
    public static Settings of(Duration keep, long octetsMax) {
      return new Settings(keep, octetsMax, 65_536);
    }

    /// What one segment takes: small enough that the bound is kept by the piece.
    long segmentOctets() {
      return Math.clamp(octetsMax / 8, 1 << 16, 1 << 24);
    }
  }

  private static final Duration GATHERING = Duration.ofMillis(20);
  private static final Duration TIDYING = Duration.ofMinutes(10);
  private static final Duration ENDING = Duration.ofSeconds(2);
  private static final Duration COMPLAINT = Duration.ofMinutes(1);

  /// A batch ends beyond it: then, whatever the last line is, it fits into the smallest bound.
  private static final int BATCH_CHARS = 1 << 15;

  private final Disk disk;
  private final Path folder;
  private final Settings settings;
  private final InstantSource clock;
  private final LongAdder written = new LongAdder();
  private final LongAdder dropped = new LongAdder();
  private final ConcurrentLinkedQueue<Station> waiting = new ConcurrentLinkedQueue<>();
  private final AtomicInteger count = new AtomicInteger();
  private volatile @Nullable Thread writer;
  private volatile boolean idle;
  private volatile boolean closing;

  // What follows is the writer's alone.
  private final StationLine lines = new StationLine();
  private final StringBuilder text = new StringBuilder(2 * BATCH_CHARS);
  private long[] hashes = new long[1024];
  private int hashCount;
  private String id = "";
  private int batch;
  private final ArrayDeque<Segment> segments = new ArrayDeque<>();
  private @Nullable Writing latest;
  private Instant complained = Instant.MIN;
  private long droppedBefore;

  /// A segment that is being written.
  private static final class Writing {
    final Segment segment;
    final DiskFile file;
    final Filter filter;
    long octets;

    Writing(Segment segment, DiskFile file, Filter filter) {
      this.segment = segment;
      this.file = file;
      this.filter = filter;
    }
  }

  /// Nothing is written before `start`.
  ///
  /// @param folder of the segments; made when there is none
  public Journeys(Disk disk, Path folder, Settings settings, InstantSource clock) {
    this.disk = disk;
    this.folder = folder;
    this.settings = settings;
    this.clock = clock;
  }

  /// Begins to write; segments that are too old, all of them when nothing is kept, go now.
  public void start() throws IOException {
    load();
    if (isOn()) {
      writer = Thread.ofPlatform().daemon().name("journey").start(this::run);
    }
  }

  /// Takes up what there is.
  void load() throws IOException {
    if (isOn()) {
      disk.createFolders(folder);
    }
    segments.addAll(Segment.all(disk, folder));
    tidy(0);
  }

  /// Whether stations are kept at all; when not, none needs to be made.
  public boolean isOn() {
    return !settings.keep.isZero();
  }

  /// Hands a station over, which is one of this moment; [Station] says what the rest means.
  public void note(String id, Station.Kind kind, String subject, String words, String value) {
    if (isOn()) {
      note(new Station(clock.instant(), id, kind, subject, words, value));
    }
  }

  void note(Station station) {
    int before = count.getAndIncrement();
    if (before >= settings.waitingMax) {
      count.decrementAndGet();
      dropped.increment();
      return;
    }
    waiting.add(station);
    // While the writer gathers or writes, it needs no call, which would cost more than the rest.
    if (idle) {
      LockSupport.unpark(writer);
    }
  }

  /// Stations written so far.
  public long written() {
    return written.sum();
  }

  /// Stations that came too fast or could not be written.
  public long dropped() {
    return dropped.sum();
  }

  private void run() {
    while (!closing) {
      idle = true;
      if (count.get() == 0) {
        LockSupport.parkNanos(this, TIDYING.toNanos());
      }
      idle = false;
      gather();
      try {
        step();
      } catch (RuntimeException e) {
        LOG.log(Level.ERROR, "journeys", e);
      }
    }
    step();
    end();
  }

  private void gather() {
    long until = System.nanoTime() + GATHERING.toNanos();
    for (long left = GATHERING.toNanos(); left > 0 && !closing; left = until - System.nanoTime()) {
      LockSupport.parkNanos(this, left);
    }
  }

  /// Writes what waits, and removes what is too old.
  void step() {
    for (var station = waiting.poll(); station != null; station = waiting.poll()) {
      lines.write(station, text);
      // Most stations of a message come one after the other.
      if (!station.id().equals(id)) {
        id = station.id();
        key(id);
      }
      if (!station.subject().isEmpty()) {
        key(station.subject());
      }
      batch++;
      if (text.length() >= BATCH_CHARS) {
        flush();
      }
    }
    flush();
    try {
      if (latest != null && !day(latest.segment.began()).equals(day(clock.instant()))) {
        end();
      }
      tidy(0);
    } catch (IOException e) {
      complain("old journeys cannot be removed: " + e.getMessage());
    }
    long droppedNow = dropped.sum();
    if (droppedNow > droppedBefore
        && complain(droppedNow + " stations of journeys were dropped since the start")) {
      droppedBefore = droppedNow;
    }
  }

  private void key(String key) {
    if (hashCount == hashes.length) {
      hashes = Arrays.copyOf(hashes, 2 * hashCount);
    }
    hashes[hashCount++] = Filter.hash(key);
  }

  private void flush() {
    if (batch == 0) {
      return;
    }
    count.addAndGet(-batch);
    try {
      var octets = text.toString().getBytes(StandardCharsets.UTF_8);
      var into = writing(octets.length);
      for (int i = 0; i < hashCount; i++) {
        into.filter.add(hashes[i]);
      }
      into.file.write(ByteBuffer.wrap(octets), into.octets);
      into.octets += octets.length;
      written.add(batch);
    } catch (IOException e) {
      dropped.add(batch);
      complain("journeys cannot be written: " + e.getMessage());
      // What became of that write is not known: the next goes into another file.
      end();
    } finally {
      text.setLength(0);
      hashCount = 0;
      id = "";
      batch = 0;
    }
  }

  /// The segment that so many octets more go into.
  private Writing writing(int octets) throws IOException {
    var now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
    var known = latest;
    if (known != null
        && known.octets + octets <= settings.segmentOctets()
        && day(known.segment.began()).equals(day(now))) {
      return known;
    }
    end();
    long room = Math.max(octets, settings.segmentOctets());
    tidy(room + Filter.octets(settings.segmentOctets()));
    var last = segments.peekLast();
    var segment =
        new Segment(
            folder, last == null || now.isAfter(last.began()) ? now : last.began().plusMillis(1));
    var fresh =
        new Writing(
            segment,
            disk.open(segment.file(), Disk.Mode.REPLACE),
            Filter.of(settings.segmentOctets()));
    segments.add(segment);
    latest = fresh;
    return fresh;
  }

  private static LocalDate day(Instant at) {
    return LocalDate.ofInstant(at, ZoneOffset.UTC);
  }

  /// Ends the latest segment, if one is open.
  private void end() {
    var known = latest;
    if (known == null) {
      return;
    }
    latest = null;
    try (var _ = known.file) {
      known.filter.write(disk, known.segment.filter());
    } catch (IOException e) {
      complain("a journey file cannot be ended: " + e.getMessage());
    }
  }

  /// Removes segments that are too old, and more of the oldest until so many octets are free within
  /// the bound; not the one that is being written.
  private void tidy(long octets) throws IOException {
    long total = 0;
    if (octets > 0) {
      for (var each : segments) {
        total += each.octets(disk);
      }
    }
    var before = clock.instant().minus(settings.keep);
    while (!segments.isEmpty()) {
      var oldest = segments.getFirst();
      if (latest != null && latest.segment.equals(oldest)) {
        return;
      }
      // All it holds is older than the next one's beginning; or than the next day's, where there is
      // no next one.
      var end =
          segments.size() > 1
              ? segments.stream().skip(1).findFirst().orElseThrow().began()
              : day(oldest.began()).plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant();
      if (isOn() && end.isAfter(before) && total + octets <= settings.octetsMax) {
        return;
      }
      total -= octets > 0 ? oldest.octets(disk) : 0;
      oldest.delete(disk);
      segments.removeFirst();
    }
  }

  /// Says so in the log, at most once a minute; whether it did.
  private boolean complain(String what) {
    var now = clock.instant();
    if (complained.plus(COMPLAINT).isAfter(now)) {
      return false;
    }
    complained = now;
    LOG.log(Level.WARNING, what);
    return true;
  }

  /// Writes what waits, and no more.
  @Override
  public void close() {
    closing = true;
    var thread = writer;
    if (thread == null) {
      return;
    }
    LockSupport.unpark(thread);
    try {
      thread.join(ENDING);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
