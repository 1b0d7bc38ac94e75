package longhand.tlsrpt;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import longhand.disk.Disk;

/// How many sessions with other servers had the TLS they were to have, by the day (UTC) and by what
/// they were judged by. Safe for any thread; the folder belongs to it alone.
///
/// The day that goes on is in memory, bounded, and on the disk as it was when `save` was called
/// last: a crash loses what was counted since. Days that have ended are files alone, until they are
/// forgotten. A file is a report of all domains, `2026-11-24.json`, written under another name,
/// forced and renamed.
public final class TlsCounts {

  private static final System.Logger LOG = System.getLogger(TlsCounts.class.getName());

  private static final String UNFINISHED = "~";
  private static final String SUFFIX = ".json";

  /// What is counted at most.
  ///
  /// @param folder where days are kept, one that nothing else is in
  /// @param policiesMax different policies a day; sessions under further ones are not counted
  /// @param detailsMax different failures of one policy; further ones are in the sum only
  /// @param octetsMax what all of it may take in memory, about; beyond it as with `policiesMax` and
  ///   `detailsMax`
  /// @param daysMax how many ended days are kept, the latest
  public record Settings(
      Path folder, int policiesMax, int detailsMax, long octetsMax, int daysMax) {

    /// The usual bounds.
    public static Settings of(Path folder) {
      return new Settings(folder, 10_000, 50, 8L << 20, 7);
    }
  }

  private static final class Counts {
    long successes;
    long failures;
    final Map<FailureDetail, Long> details = new LinkedHashMap<>();
  }

  private final Disk disk;
  private final Settings settings;
  private final Clock clock;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<AppliedPolicy, Counts> counts = new LinkedHashMap<>();
  private LocalDate day;
  private long octets;

  /// Goes on where the file of today ends; `IOException` when the folder cannot be made or read.
  public TlsCounts(Disk disk, Settings settings, Clock clock) throws IOException {
    this.disk = disk;
    this.settings = settings;
    this.clock = clock;
    disk.createFolders(settings.folder());
    var parent = settings.folder().getParent();
    if (parent != null) {
      disk.forceFolder(parent);
    }
    day = today();
    load();
  }

  /// A session had the TLS it was to have.
  public void success(AppliedPolicy policy) {
    lock.lock();
    try {
      var counted = counts(policy);
      if (counted.isPresent()) {
        counted.get().successes++;
      }
    } finally {
      lock.unlock();
    }
  }

  /// A session had not, or could not begin for that.
  public void failure(AppliedPolicy policy, FailureDetail detail) {
    lock.lock();
    try {
      var counted = counts(policy);
      if (counted.isPresent()) {
        counted.get().failures++;
        add(counted.get(), detail, 1);
      }
    } finally {
      lock.unlock();
    }
  }

  /// Makes durable what was counted.
  public void save() throws IOException {
    lock.lock();
    try {
      turn();
      write();
    } finally {
      lock.unlock();
    }
  }

  /// The days that have ended and are not forgotten, the oldest first.
  public List<LocalDate> endedDays() throws IOException {
    lock.lock();
    try {
      turn();
      return days().stream().filter(each -> each.isBefore(day)).toList();
    } finally {
      lock.unlock();
    }
  }

  /// What a day has come to, by the recipients' domains; nothing when nobody knows.
  public Map<String, List<PolicyResult>> of(LocalDate which) throws IOException {
    lock.lock();
    try {
      turn();
      var byDomain = new TreeMap<String, List<PolicyResult>>();
      for (var result : which.equals(day) ? results() : read(which)) {
        byDomain.computeIfAbsent(result.policy().domain(), _ -> new ArrayList<>()).add(result);
      }
      return byDomain;
    } finally {
      lock.unlock();
    }
  }

  /// A day has been reported.
  public void forget(LocalDate which) throws IOException {
    disk.delete(file(which));
  }

  private Optional<Counts> counts(AppliedPolicy policy) {
    turn();
    var known = counts.get(policy);
    if (known == null && counts.size() < settings.policiesMax() && fits(policy.octets())) {
      known = new Counts();
      counts.put(policy, known);
    }
    return Optional.ofNullable(known);
  }

  private void add(Counts counted, FailureDetail detail, long sessions) {
    if (counted.details.containsKey(detail)
        || (counted.details.size() < settings.detailsMax() && fits(detail.octets()))) {
      counted.details.merge(detail, sessions, Long::sum);
    }
  }

  private boolean fits(long more) {
    if (octets + more > settings.octetsMax()) {
      return false;
    }
    octets += more;
    return true;
  }

  private LocalDate today() {
    return LocalDate.ofInstant(clock.instant(), ZoneOffset.UTC);
  }

  /// Ends the day when it has ended; also when the clock went back to another.
  private void turn() {
    var now = today();
    if (now.equals(day)) {
      return;
    }
    try {
      write();
      // By their number: a clock that jumps ahead and back must not take what is not reported yet.
      var days = days();
      for (var old : days.subList(0, Math.max(0, days.size() - settings.daysMax()))) {
        disk.delete(file(old));
      }
    } catch (IOException e) {
      LOG.log(
          System.Logger.Level.WARNING,
          "the counts of TLS sessions of " + day + " are lost: " + e.getMessage());
    }
    counts.clear();
    octets = 0;
    day = now;
    load();
  }

  private List<LocalDate> days() throws IOException {
    var days = new ArrayList<LocalDate>();
    for (var name : disk.list(settings.folder())) {
      if (name.endsWith(SUFFIX) && !name.startsWith(UNFINISHED)) {
        try {
          days.add(LocalDate.parse(name.substring(0, name.length() - SUFFIX.length())));
        } catch (DateTimeException e) {
          // Somebody else's file.
        }
      }
    }
    return days;
  }

  private Path file(LocalDate which) {
    return settings.folder().resolve(which + SUFFIX);
  }

  private List<PolicyResult> results() {
    var results = new ArrayList<PolicyResult>();
    counts.forEach(
        (policy, counted) -> {
          var details = new ArrayList<PolicyResult.Counted>();
          counted.details.forEach(
              (detail, sessions) -> details.add(new PolicyResult.Counted(detail, sessions)));
          results.add(new PolicyResult(policy, counted.successes, counted.failures, details));
        });
    return results;
  }

  private void load() {
    for (var result : read(day)) {
      var counted = new Counts();
      counted.successes = result.successes();
      counted.failures = result.failures();
      if (counts.size() < settings.policiesMax() && fits(result.policy().octets())) {
        counts.put(result.policy(), counted);
        result.details().forEach(each -> add(counted, each.detail(), each.sessions()));
      }
    }
  }

  private List<PolicyResult> read(LocalDate which) {
    try (var file = disk.open(file(which), Disk.Mode.READ)) {
      if (file.size() > ReportJson.OWN_OCTETS_MAX) {
        throw new MalformedReport("a file of " + file.size() + " octets");
      }
      var json = ByteBuffer.allocate((int) file.size());
      file.read(json, 0);
      return ReportJson.read(json.array(), ReportJson.OWN_OCTETS_MAX).policies();
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException | MalformedReport e) {
      LOG.log(
          System.Logger.Level.WARNING,
          "the counts of TLS sessions of " + which + " cannot be read: " + e.getMessage());
      return List.of();
    }
  }

  private void write() throws IOException {
    if (counts.isEmpty()) {
      return;
    }
    var begin = day.atStartOfDay(ZoneOffset.UTC).toInstant();
    var end = day.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant().minusSeconds(1);
    byte[] json = ReportJson.write(new TlsReport("", begin, end, "", day.toString(), results()));
    var unfinished = settings.folder().resolve(UNFINISHED + day + SUFFIX);
    try (var file = disk.open(unfinished, Disk.Mode.REPLACE)) {
      file.write(ByteBuffer.wrap(json), 0);
      file.force(false);
    }
    disk.rename(unfinished, file(day));
    disk.forceFolder(settings.folder());
  }
}
