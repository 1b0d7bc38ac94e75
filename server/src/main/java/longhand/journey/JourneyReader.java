package longhand.journey;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import longhand.disk.Disk;

/// Finds journeys in the files, whether somebody writes them at that time or not. Reads segments a
/// few at a time, the newest first, on all processors.
public final class JourneyReader {

  /// Ids that are looked up in filters; more of them are in every segment anyway.
  private static final int FILTERED_MAX = 64;

  private final Disk disk;
  private final Path folder;

  /// @param folder the one that [Journeys] writes to
  public JourneyReader(Disk disk, Path folder) {
    this.disk = disk;
    this.folder = folder;
  }

  /// Since when there are journeys; empty when there are none.
  public Optional<Instant> begin() throws IOException {
    return Segment.all(disk, folder).stream().findFirst().map(Segment::began);
  }

  /// The journeys in which something wanted was seen since a time, each with all its stations in
  /// order, the journeys by when they began; the latest, when there are more than so many.
  public List<List<Station>> find(Wanted wanted, Instant since, int most) throws IOException {
    var segments = Segment.all(disk, folder);
    var ids = ids(segments, wanted, since, most);
    if (ids.isEmpty()) {
      return List.of();
    }
    var journeys = new ArrayList<>(stations(segments, ids).values());
    journeys.sort((a, b) -> a.getFirst().at().compareTo(b.getFirst().at()));
    return journeys.size() > most
        ? journeys.subList(journeys.size() - most, journeys.size())
        : journeys;
  }

  private Set<String> ids(List<Segment> segments, Wanted wanted, Instant since, int most)
      throws IOException {
    var time = StationLine.time(since).getBytes(StandardCharsets.UTF_8);
    Set<String> ids = ConcurrentHashMap.newKeySet();
    int together = 2 * Runtime.getRuntime().availableProcessors();
    int end = segments.size();
    while (end > 0 && ids.size() < most) {
      int begin = Math.max(0, end - together);
      inParallel(
          segments.subList(begin, end),
          segment -> {
            if (mayHave(segment, Set.of(wanted.hash()))) {
              new SegmentReader(segment)
                  .read(
                      disk,
                      line -> {
                        if (wanted.isSeenIn(line) && !line.isBefore(time)) {
                          ids.add(line.id());
                        }
                      });
            }
          });
      if (begin < segments.size() && isBefore(segments.get(begin), since)) {
        break;
      }
      end = begin;
    }
    return ids;
  }

  /// Whether all segments before it are older than that.
  private static boolean isBefore(Segment segment, Instant since) {
    return segment.began().isBefore(since);
  }

  private Map<String, List<Station>> stations(List<Segment> segments, Set<String> ids)
      throws IOException {
    var hashes = new TreeSet<Long>();
    if (ids.size() <= FILTERED_MAX) {
      ids.forEach(id -> hashes.add(Filter.hash(id)));
    }
    Map<Instant, List<Station>> found = Collections.synchronizedMap(new TreeMap<>());
    inParallel(
        segments,
        segment -> {
          if (hashes.isEmpty() || mayHave(segment, hashes)) {
            var here = new ArrayList<Station>();
            new SegmentReader(segment)
                .read(
                    disk,
                    line -> {
                      if (ids.contains(line.id())) {
                        line.station().ifPresent(here::add);
                      }
                    });
            found.put(segment.began(), here);
          }
        });
    var byId = new LinkedHashMap<String, List<Station>>();
    for (var here : found.values()) {
      for (var station : here) {
        byId.computeIfAbsent(station.id(), _ -> new ArrayList<>()).add(station);
      }
    }
    return byId;
  }

  private boolean mayHave(Segment segment, Set<Long> hashes) throws IOException {
    var filter = Filter.read(disk, segment.filter());
    return filter.isEmpty() || hashes.stream().anyMatch(filter.get()::mayHave);
  }

  private interface Work {
    void on(Segment segment) throws IOException;
  }

  private static void inParallel(List<Segment> segments, Work work) throws IOException {
    try {
      segments.parallelStream()
          .forEach(
              segment -> {
                try {
                  work.on(segment);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    } catch (UncheckedIOException e) {
      throw new IOException(e.getMessage(), e.getCause());
    }
  }

  /// Follows what is written, from the stations since a time on; with something wanted that is
  /// found further back, from there. Without a time or something wanted, from now on.
  public Following follow(Optional<Wanted> wanted, Optional<Instant> since) throws IOException {
    return new Following(wanted, since);
  }

  /// Goes along with the writer; for one thread.
  public final class Following {

    /// Journeys of which it is not known yet whether they are wanted.
    private static final int UNDECIDED_MAX = 4_096;

    private final Optional<Wanted> wanted;
    private final byte[] since;
    private final Set<String> known = new HashSet<>();
    private final Map<String, List<Station>> undecided =
        new LinkedHashMap<>() {
          @Override
          protected boolean removeEldestEntry(Map.Entry<String, List<Station>> eldest) {
            return size() > UNDECIDED_MAX;
          }
        };
    private Optional<SegmentReader> reader = Optional.empty();

    private Following(Optional<Wanted> wanted, Optional<Instant> since) throws IOException {
      this.wanted = wanted;
      this.since = StationLine.time(since.orElse(Instant.EPOCH)).getBytes(StandardCharsets.UTF_8);
      var segments = Segment.all(disk, folder);
      if (segments.isEmpty()) {
        return;
      }
      int from = segments.size() - 1;
      if (since.isPresent()) {
        while (from > 0 && segments.get(from).began().isAfter(since.get())) {
          from--;
        }
      } else if (wanted.isPresent()) {
        from = 0;
        var hashes = Set.of(wanted.get().hash());
        while (from < segments.size() - 1 && !mayHave(segments.get(from), hashes)) {
          from++;
        }
        // Its first stations may lie before the one that names it.
        from = Math.max(0, from - 1);
      }
      var first = new SegmentReader(segments.get(from));
      if (since.isEmpty() && wanted.isEmpty()) {
        first.toEnd(disk);
      }
      reader = Optional.of(first);
    }

    /// What has been written since the last time, as far as it is wanted.
    public List<Station> next() throws IOException {
      var stations = new ArrayList<Station>();
      while (true) {
        // Asked before reading: once there is a later segment, nothing more comes into this one.
        var later =
            Segment.all(disk, folder).stream()
                .filter(
                    each ->
                        reader.isEmpty() || each.began().isAfter(reader.get().segment().began()))
                .findFirst();
        if (reader.isPresent()) {
          reader.get().read(disk, line -> take(line, stations));
        }
        if (later.isEmpty()) {
          return stations;
        }
        reader = Optional.of(new SegmentReader(later.get()));
      }
    }

    private void take(Line line, List<Station> into) {
      var station = line.station();
      if (station.isEmpty() || line.isBefore(since)) {
        return;
      }
      var id = station.get().id();
      if (wanted.isEmpty() || known.contains(id)) {
        into.add(station.get());
      } else if (wanted.get().isSeenIn(line)) {
        known.add(id);
        var before = undecided.remove(id);
        if (before != null) {
          into.addAll(before);
        }
        into.add(station.get());
      } else {
        undecided.computeIfAbsent(id, _ -> new ArrayList<>()).add(station.get());
      }
    }
  }
}
