package longhand.mtasts;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import longhand.disk.Disk;
import longhand.dns.DnsName;

/// Policies that were fetched, a text file each under the domain's name: when, under which id, and
/// the policy. Safe for any thread; the folder belongs to one that writes alone, and any number may
/// read it.
///
///     fetched: 1763870400
///     id: 20261124
///     version: STSv1
///     mode: enforce
///     mx: *.example.com
///     max_age: 604800
///
/// A file is written under another name (`~` before it, which no domain has), forced, and renamed:
/// a crash leaves the old policy or the new one. A file that is not as above, cut short by hand or
/// by a disk, counts for nothing. When there are too many, the one that ends first goes.
final class StsCache {

  private static final System.Logger LOG = System.getLogger(StsCache.class.getName());

  /// Room for the longest policy that is taken.
  private static final int FILE_OCTETS_MAX = 2 * StsPolicy.OCTETS_MAX + 256;

  private static final String UNFINISHED = "~";

  private final Disk disk;
  private final Path folder;
  private final int policiesMax;
  private final boolean reading;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<DnsName, Instant> ends = new HashMap<>();

  /// A policy that was fetched.
  ///
  /// @param fetched when, whole seconds
  record Kept(StsPolicy policy, String id, Instant fetched) {

    Instant end() {
      return fetched.plus(policy.maxAge());
    }

    /// Whether it is in force. When the clock went back to before it was fetched, nobody knows how
    /// old it is: it is in force until the clock has come to its end.
    boolean inForce(Instant now) {
      return now.isBefore(end());
    }
  }

  /// Reads what is there; `IOException` when the folder cannot be read, or not be made.
  ///
  /// @param reading whether nothing is to be changed in the folder, nor it be made
  StsCache(Disk disk, Path folder, int policiesMax, boolean reading) throws IOException {
    this.disk = disk;
    this.folder = folder;
    this.policiesMax = policiesMax;
    this.reading = reading;
    if (!reading) {
      make();
    }
    for (var file : disk.list(folder)) {
      var domain = DnsName.parse(file).filter(name -> name.text().equals(file));
      var kept = domain.flatMap(this::read);
      if (kept.isPresent()) {
        ends.put(domain.get(), kept.get().end());
      } else if (file.startsWith(UNFINISHED) && !reading) {
        disk.delete(folder.resolve(file));
      }
    }
  }

  private void make() throws IOException {
    disk.createFolders(folder);
    var parent = folder.getParent();
    if (parent != null) {
      disk.forceFolder(parent);
    }
  }

  /// The policy that was fetched for a domain last, if it is still in force.
  Optional<Kept> get(DnsName domain, Instant now) {
    lock.lock();
    try {
      return ends.containsKey(domain)
          ? read(domain).filter(kept -> kept.inForce(now))
          : Optional.empty();
    } finally {
      lock.unlock();
    }
  }

  /// Keeps a policy in place of the one there was. What cannot be written is logged: the next start
  /// will not know it. Does nothing when the folder is only read.
  void put(DnsName domain, Kept kept) {
    if (reading) {
      return;
    }
    lock.lock();
    try {
      ends.put(domain, kept.end());
      while (ends.size() > policiesMax) {
        remove(
            ends.entrySet().stream()
                .min(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElseThrow());
      }
      if (ends.containsKey(domain)) {
        write(domain, kept);
      }
    } catch (IOException e) {
      LOG.log(
          System.Logger.Level.WARNING,
          () -> "the MTA-STS policy of " + domain + " cannot be kept: " + e.getMessage());
    } finally {
      lock.unlock();
    }
  }

  private void remove(DnsName domain) throws IOException {
    ends.remove(domain);
    disk.delete(folder.resolve(domain.text()));
  }

  private void write(DnsName domain, Kept kept) throws IOException {
    var text =
        "fetched: "
            + kept.fetched().getEpochSecond()
            + "\nid: "
            + kept.id()
            + "\n"
            + String.join("\n", kept.policy().lines())
            + "\n";
    var unfinished = folder.resolve(UNFINISHED + domain);
    try (var file = disk.open(unfinished, Disk.Mode.REPLACE)) {
      file.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)), 0);
      file.force(false);
    }
    disk.rename(unfinished, folder.resolve(domain.text()));
    disk.forceFolder(folder);
  }

  private Optional<Kept> read(DnsName domain) {
    try (var file = disk.open(folder.resolve(domain.text()), Disk.Mode.READ)) {
      if (file.size() > FILE_OCTETS_MAX) {
        return Optional.empty();
      }
      var octets = ByteBuffer.allocate((int) file.size());
      file.read(octets, 0);
      return parse(new String(octets.array(), 0, octets.position(), StandardCharsets.US_ASCII));
    } catch (IOException e) {
      LOG.log(
          System.Logger.Level.WARNING,
          () -> "the MTA-STS policy kept for " + domain + " cannot be read: " + e.getMessage());
      return Optional.empty();
    }
  }

  private static Optional<Kept> parse(String text) {
    int first = text.indexOf('\n');
    int second = text.indexOf('\n', first + 1);
    if (second < 0
        || !text.endsWith("\n")
        || !text.startsWith("fetched: ")
        || !text.startsWith("id: ", first + 1)) {
      return Optional.empty();
    }
    try {
      long fetched = Long.parseLong(text.substring("fetched: ".length(), first));
      var record = new StsRecord(text.substring(first + 1 + "id: ".length(), second));
      var file = StsPolicy.parse(text.substring(second + 1).getBytes(StandardCharsets.US_ASCII));
      return file instanceof StsFile.Valid(var policy)
          ? Optional.of(new Kept(policy, record.id(), Instant.ofEpochSecond(fetched)))
          : Optional.empty();
    } catch (RuntimeException e) {
      return Optional.empty(); // no number, no id, or no time that a clock can show
    }
  }

  /// For how long a policy that was fetched then has been kept; negative after the clock went back.
  static Duration age(Kept kept, Instant now) {
    return Duration.between(kept.fetched(), now);
  }
}
