package longhand.journey;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import longhand.disk.Disk;

/// One file of stations, as `2026-11-24T192544.123.txt`: it holds those from the time in its name
/// to the one in the next file's. When it is ended, a [Filter] beside it says what is not in it.
///
/// @param began the time of its name
record Segment(Path folder, Instant began) {

  private static final String SUFFIX = ".txt";
  private static final DateTimeFormatter NAME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HHmmss.SSS", Locale.ROOT);

  /// All that a folder has, the oldest first.
  static List<Segment> all(Disk disk, Path folder) throws IOException {
    var segments = new ArrayList<Segment>();
    for (var name : disk.list(folder)) {
      if (name.endsWith(SUFFIX)) {
        try {
          var began = LocalDateTime.parse(name.substring(0, name.length() - SUFFIX.length()), NAME);
          segments.add(new Segment(folder, began.toInstant(ZoneOffset.UTC)));
        } catch (DateTimeParseException _) {
          // Not one of ours.
        }
      }
    }
    return segments;
  }

  private String name() {
    return NAME.format(LocalDateTime.ofInstant(began, ZoneOffset.UTC));
  }

  Path file() {
    return folder.resolve(name() + SUFFIX);
  }

  Path filter() {
    return folder.resolve(name() + ".filter");
  }

  /// What both take.
  long octets(Disk disk) throws IOException {
    return size(disk, file()) + size(disk, filter());
  }

  private static long size(Disk disk, Path file) throws IOException {
    return disk.facts(file).map(Disk.Facts::size).orElse(0L);
  }

  /// The filter first: a file without one is only slower to search.
  void delete(Disk disk) throws IOException {
    disk.delete(filter());
    disk.delete(file());
  }
}
