package longhand.mtasts;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import longhand.disk.Disk;
import longhand.dns.Answer;
import longhand.dns.Dns;
import longhand.dns.DnsName;
import longhand.dns.Question;

/// The MTA-STS policies of other domains (RFC 8461 §5.1). Safe for many threads.
/// - A policy is fetched when its record has an id that we have no policy of, and once a day.
/// - One that was fetched stays in force for as long as it says, whatever happens to the record and
///   the file meanwhile: who can make those vanish must not turn it off.
/// - After a fetch that failed the same id is left alone for some minutes. The same policy is
///   fetched once for all that want it at the time.
public final class StsPolicies {

  private static final int FAILURES_MAX = 1000;

  /// How policies are kept and fetched.
  ///
  /// @param folder where they are kept, one that nothing else is in
  /// @param policiesMax how many
  /// @param refresh after what time one is fetched again though its id is the same
  /// @param retry how long one is left alone that could not be fetched
  /// @param fetchesMax how many are fetched at once; for more than that there is just now none new
  /// @param deadline how long a lookup waits for another's fetch
  /// @param reading whether the folder belongs to another process and is only read: what is fetched
  ///   is told and not kept
  public record Settings(
      Path folder,
      int policiesMax,
      Duration refresh,
      Duration retry,
      int fetchesMax,
      Duration deadline,
      boolean reading) {

    /// The usual bounds.
    public static Settings of(Path folder) {
      return new Settings(
          folder,
          10_000,
          Duration.ofDays(1),
          Duration.ofMinutes(5),
          20,
          Duration.ofMinutes(1),
          false);
    }

    /// The same for a folder that is only read.
    public Settings onlyReading() {
      return new Settings(folder, policiesMax, refresh, retry, fetchesMax, deadline, true);
    }
  }

  private record Failure(String id, StsFailure failure, Instant at) {}

  private final Dns dns;
  private final Function<DnsName, Fetched> fetcher;
  private final StsCache cache;
  private final Settings settings;
  private final Clock clock;
  private final Semaphore fetches;
  private final ConcurrentHashMap<DnsName, CompletableFuture<StsAnswer>> underWay =
      new ConcurrentHashMap<>();

  /// Guarded by itself.
  private final Map<DnsName, Failure> failures =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<DnsName, Failure> eldest) {
          return size() > FAILURES_MAX;
        }
      };

  /// With the policies that are kept in the folder; `IOException` when it cannot be read, or not be
  /// made for writing.
  ///
  /// @param fetcher [StsFetcher#fetch]
  public StsPolicies(
      Dns dns, Function<DnsName, Fetched> fetcher, Disk disk, Settings settings, Clock clock)
      throws IOException {
    this.dns = dns;
    this.fetcher = fetcher;
    this.cache = new StsCache(disk, settings.folder(), settings.policiesMax(), settings.reading());
    this.settings = settings;
    this.clock = clock;
    this.fetches = new Semaphore(settings.fetchesMax());
  }

  /// The policy of a domain, the one in a recipient's address; those of the domains above it do not
  /// count (RFC 8461 §3.4). May fetch it, and takes as long as that does.
  public StsAnswer find(DnsName domain) {
    var now = clock.instant();
    var kept = cache.get(domain, now);
    var record = StsRecord.nameOf(domain).map(this::texts).flatMap(StsRecord::among);
    if (record.isEmpty()) {
      return answer(kept, Optional.empty());
    }
    var id = record.get().id();
    if (kept.isPresent() && kept.get().id().equals(id)) {
      var age = StsCache.age(kept.get(), now);
      if (!age.isNegative() && age.compareTo(settings.refresh()) < 0) {
        return answer(kept, Optional.empty());
      }
    }
    var failure = recentFailure(domain, id, now);
    return failure.isPresent() ? answer(kept, failure) : fetchedOnce(domain, id, kept);
  }

  private List<String> texts(DnsName name) {
    return switch (dns.ask(new Question.Txt(name), settings.deadline())) {
      case Answer.Found<String> found -> found.records();
      case Answer.NoSuchName<String> _, Answer.NoSuchData<String> _, Answer.Failed<String> _ ->
          List.of();
    };
  }

  private StsAnswer fetchedOnce(DnsName domain, String id, Optional<StsCache.Kept> kept) {
    var mine = new CompletableFuture<StsAnswer>();
    var other = underWay.putIfAbsent(domain, mine);
    if (other == null) {
      var answer = busy(kept);
      try {
        answer = fetched(domain, id, kept);
      } finally {
        underWay.remove(domain, mine);
        mine.complete(answer);
      }
      return answer;
    }
    try {
      return other.get(settings.deadline().toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return busy(kept);
    } catch (TimeoutException e) {
      return busy(kept);
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  private StsAnswer fetched(DnsName domain, String id, Optional<StsCache.Kept> kept) {
    if (!fetches.tryAcquire()) {
      return busy(kept);
    }
    try {
      return switch (fetcher.apply(domain)) {
        case Fetched.Policy(var policy) -> {
          var now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
          cache.put(domain, new StsCache.Kept(policy, id, now));
          yield new StsAnswer(Optional.of(policy), Optional.empty());
        }
        case Fetched.Failed(var failure) -> {
          synchronized (failures) {
            failures.remove(domain);
            failures.put(domain, new Failure(id, failure, clock.instant()));
          }
          yield answer(kept, Optional.of(failure));
        }
      };
    } finally {
      fetches.release();
    }
  }

  private Optional<StsFailure> recentFailure(DnsName domain, String id, Instant now) {
    synchronized (failures) {
      return Optional.ofNullable(failures.get(domain))
          .filter(
              last ->
                  last.id.equals(id)
                      && !now.isBefore(last.at)
                      && now.isBefore(last.at.plus(settings.retry())))
          .map(Failure::failure);
    }
  }

  private static StsAnswer busy(Optional<StsCache.Kept> kept) {
    return answer(
        kept,
        Optional.of(
            new StsFailure(StsFailure.Kind.FETCH_ERROR, "too many policies are being fetched")));
  }

  private static StsAnswer answer(Optional<StsCache.Kept> kept, Optional<StsFailure> failure) {
    return new StsAnswer(kept.map(StsCache.Kept::policy), failure);
  }
}
