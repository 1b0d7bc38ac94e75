package longhand.dns;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import longhand.dns.DnsSettings.Validation;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Record;
import org.xbill.DNS.Resolver;
import org.xbill.DNS.dnssec.ValidatingResolver;

/// The real DNS: a stub resolver (RFC 1034 §5.3.1) with a cache, over UDP, and TCP where UDP was
/// too small.
///
/// Whoever asks waits on a virtual thread of its own; no other thread waits with it. The same
/// question asked by many at once goes out once. A query under way ends by its own deadline even
/// when nobody waits any more, and its answer is kept. One question goes out for each alias, so
/// that every step is checked and kept by itself.
public final class StubResolver implements Dns {

  private static final Executor VIRTUAL = task -> Thread.ofVirtual().start(task);

  private final DnsSettings settings;
  private final AnswerCache cache;
  private final ReplyReader reader;
  private final Resolver upstream;
  private final Semaphore lookups;
  private final ConcurrentHashMap<Question<?>, CompletableFuture<Step<?>>> underWay =
      new ConcurrentHashMap<>();

  /// A resolver with an empty cache; nothing is asked yet.
  ///
  /// @param clock for the age of answers and of signatures
  /// @throws IllegalArgumentException when the trust anchors are no DS or DNSKEY records
  public StubResolver(DnsSettings settings, Clock clock) {
    this.settings = settings;
    cache = new AnswerCache(clock, settings.cacheEntriesMax(), settings.cacheOctetsMax());
    reader = new ReplyReader(settings);
    lookups = new Semaphore(settings.lookupsMax());
    var servers =
        new ServersInTurn(settings.servers(), settings.rounds(), settings.attemptTimeout());
    upstream =
        switch (settings.validation()) {
          case Validation.None _ -> servers;
          case Validation.ByServers _ -> servers;
          case Validation.Own own -> validating(servers, own, clock);
        };
  }

  private static Resolver validating(Resolver servers, Validation.Own own, Clock clock) {
    var validator = new ValidatingResolver(servers, clock);
    var anchors = String.join("\n", own.trustAnchors()) + "\n";
    try {
      validator.loadTrustAnchors(
          new ByteArrayInputStream(anchors.getBytes(StandardCharsets.US_ASCII)));
    } catch (IOException e) {
      throw new IllegalArgumentException("trust anchors: " + e.getMessage(), e);
    }
    if (validator.getTrustAnchors().items().isEmpty()) {
      throw new IllegalArgumentException("no trust anchor among " + own.trustAnchors().size());
    }
    return validator;
  }

  @Override
  public <T> Answer<T> ask(Question<T> question, Duration within) {
    var limit = within.compareTo(settings.deadline()) < 0 ? within : settings.deadline();
    long deadline = System.nanoTime() + limit.toNanos();
    var asked = question;
    var ttl = settings.ttlGreatest();
    boolean secure = true;
    for (int aliases = 0; aliases <= settings.aliasesMax(); aliases++) {
      switch (step(asked, deadline)) {
        case Step.Records<T> found -> {
          return new Answer.Found<>(
              found.records(), lesser(ttl, found.ttl()), secure && found.secure(), asked.name());
        }
        case Step.Nothing<T>(var nameExists, var sure) -> {
          return nameExists
              ? new Answer.NoSuchData<>(secure && sure)
              : new Answer.NoSuchName<>(secure && sure);
        }
        case Step.Failed<T>(var sentence) -> {
          return new Answer.Failed<>("Looking up " + asked.name() + ": " + sentence + ".");
        }
        case Step.Alias<T> alias -> {
          ttl = lesser(ttl, alias.ttl());
          secure &= alias.secure();
          asked = at(asked, alias.target());
        }
      }
    }
    return new Answer.Failed<>(
        "Looking up "
            + question.name()
            + ": more than "
            + settings.aliasesMax()
            + " aliases follow each other.");
  }

  private static Duration lesser(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }

  @SuppressWarnings("unchecked")
  private static <T> Question<T> at(Question<T> question, DnsName name) {
    return (Question<T>)
        switch (question) {
          case Question.Mx _ -> new Question.Mx(name);
          case Question.A _ -> new Question.A(name);
          case Question.Aaaa _ -> new Question.Aaaa(name);
          case Question.Txt _ -> new Question.Txt(name);
          case Question.TlsaOf _ -> new Question.TlsaOf(name);
          case Question.Ptr _ -> new Question.Ptr(name);
          case Question.Cname _ -> new Question.Cname(name);
          case Question.SrvOf _ -> new Question.SrvOf(name);
          case Question.CaaOf _ -> new Question.CaaOf(name);
          case Question.Ns _ -> new Question.Ns(name);
          case Question.Dnskey _ -> new Question.Dnskey(name);
          case Question.Ds _ -> new Question.Ds(name);
        };
  }

  /// One reply to one question, from the cache, from a query under way, or from a new one.
  @SuppressWarnings("unchecked")
  private <T> Step<T> step(Question<T> question, long deadline) {
    var kept = cache.get(question);
    if (kept.isPresent()) {
      return (Step<T>) kept.get();
    }
    var mine = new CompletableFuture<Step<?>>();
    var other = underWay.putIfAbsent(question, mine);
    try {
      if (other == null && !begin(question, mine, deadline)) {
        return new Step.Failed<>("too many lookups are under way");
      }
      long left = Math.max(0, deadline - System.nanoTime());
      return (Step<T>) (other == null ? mine : other).get(left, TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Step.Failed<>("the lookup was given up");
    } catch (TimeoutException e) {
      return new Step.Failed<>("no answer came in time");
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  /// Sends a query whose end fills the cache and then `mine`, whoever still waits for it.
  private boolean begin(Question<?> question, CompletableFuture<Step<?>> mine, long deadline)
      throws InterruptedException {
    boolean mayBegin = false;
    try {
      mayBegin =
          lookups.tryAcquire(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
    } finally {
      if (!mayBegin) {
        underWay.remove(question, mine);
        mine.complete(new Step.Failed<>("too many lookups are under way"));
      }
    }
    if (mayBegin) {
      var _ =
          send(question)
              .handle(
                  (@Nullable Message reply, @Nullable Throwable failure) -> {
                    end(question, mine, reply);
                    return failure;
                  });
    }
    return mayBegin;
  }

  private CompletableFuture<Message> send(Question<?> question) {
    try {
      var query =
          Message.newQuery(
              Record.newRecord(
                  ReplyReader.name(question.name()), ReplyReader.type(question), DClass.IN));
      if (settings.validation() instanceof Validation.ByServers) {
        // RFC 6840 §5.7: the AD bit in a query asks for it in the reply.
        query.getHeader().setFlag(Flags.AD);
      }
      return upstream
          .sendAsync(query, VIRTUAL)
          .toCompletableFuture()
          .orTimeout(settings.deadline().toMillis(), TimeUnit.MILLISECONDS);
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private void end(Question<?> question, CompletableFuture<Step<?>> mine, @Nullable Message reply) {
    KeptStep<?> kept = reader.failed("the name servers gave no answer that can be used");
    try {
      if (reply != null) {
        kept = reader.read(question, reply);
      }
    } catch (RuntimeException e) {
      // A record that the library takes but cannot give is an unusable answer, like any other.
      kept = reader.failed("the name servers gave no answer that can be read");
    } finally {
      cache.put(question, kept);
      underWay.remove(question, mine);
      lookups.release();
      mine.complete(kept.step());
    }
  }
}
