package longhand.queue;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import longhand.disk.SimDisk;
import longhand.dsn.Action;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;
import longhand.queue.QueueHistory.Fault;
import longhand.queue.QueueHistory.Mistake;
import longhand.queue.QueueHistory.Trouble;
import longhand.relay.Outcome;
import longhand.relay.Outgoing;
import longhand.relay.Route;
import longhand.relay.TlsNeed;
import longhand.store.Append;
import longhand.store.Entry;
import longhand.store.Flag;
import longhand.store.Removal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Proof that the judge of [QueueLedger] bites: with any step left out that keeps invariant I8, or
/// taken in another order, it must see what is then lost, told twice or sent twice.
class QueueMutationTest {

  /// Fixed: whether a mistake is seen must not depend on luck.
  private static final long SEED = 7000;

  private static final int HISTORIES = 12;

  @TempDir private Path folder;

  private enum When {
    UNDISTURBED,
    POWER_LOST,
    FORCE_FAILED
  }

  /// Goes on until the judge sees what it should.
  private void seen(Mistake mistake, When when, String as) throws Exception {
    var others = new ArrayList<String>();
    for (long seed = SEED; seed < SEED + HISTORIES; seed++) {
      int calls = QueueHistory.run(folder, seed, Trouble.NONE, Mistake.NONE).calls();
      int stride = when == When.UNDISTURBED ? calls : Math.max(1, calls / 20);
      for (int at = stride; at <= calls; at += stride) {
        var trouble =
            switch (when) {
              case UNDISTURBED -> Trouble.NONE;
              case POWER_LOST -> Trouble.powerLost(at);
              case FORCE_FAILED -> new Trouble(Fault.ERRORS, at, 30, 0);
            };
        try {
          QueueHistory.run(folder, seed, trouble, mistake);
        } catch (AssertionError e) {
          if (String.valueOf(e.getMessage()).contains(as)) {
            return;
          }
          others.add(e.getMessage());
        }
      }
    }
    fail("not seen; but: " + others);
  }

  private static boolean isState(Append append) {
    return append.marks().has(Flag.SEEN);
  }

  private static boolean isHere(Append append) {
    return !append.account().address().domain().equals(QueueDocument.DOMAIN);
  }

  @Test
  void whatTriesCameToIsNotWrittenDown() throws Exception {
    UnaryOperator<Batches> forgets =
        batches ->
            (appends, removals) -> {
              var entries = batches.change(appends, removals);
              for (int i = 0; i < appends.size(); i++) {
                if (isState(appends.get(i))) {
                  var state = new Removal(appends.get(i).account(), entries.get(i));
                  batches.change(List.of(), List.of(state));
                }
              }
              return entries;
            };
    seen(Mistake.ofBatches(forgets), When.UNDISTURBED, "was sent its message again");
  }

  @Test
  void theEndIsNotWrittenDown() throws Exception {
    UnaryOperator<Batches> keeps = batches -> (appends, _) -> batches.change(appends, List.of());
    seen(Mistake.ofBatches(keeps), When.UNDISTURBED, "has come to its end and still waits");
  }

  @Test
  void noReport() throws Exception {
    UnaryOperator<Batches> silent =
        batches ->
            (appends, removals) ->
                batches.change(
                    appends.stream().filter(append -> !isHere(append)).toList(), removals);
    seen(Mistake.ofBatches(silent), When.UNDISTURBED, "did not arrive, and nobody was told");
  }

  @Test
  void theReportComesInABatchAfterTheRemoval() throws Exception {
    UnaryOperator<Batches> late =
        batches ->
            (appends, removals) -> {
              var entries = new ArrayList<Entry>();
              var states = appends.stream().filter(QueueMutationTest::isState).toList();
              entries.addAll(batches.change(states, removals));
              if (states.size() < appends.size()) {
                entries.addAll(
                    batches.change(
                        appends.stream().filter(append -> !isState(append)).toList(), List.of()));
              }
              return entries;
            };
    seen(Mistake.ofBatches(late), When.POWER_LOST, "nobody was told");
  }

  @Test
  void theReportComesInABatchBeforeTheRemoval() throws Exception {
    UnaryOperator<Batches> early =
        batches ->
            (appends, removals) -> {
              var states = appends.stream().filter(QueueMutationTest::isState).toList();
              var others = new ArrayList<Entry>();
              if (states.size() < appends.size()) {
                others.addAll(
                    batches.change(
                        appends.stream().filter(append -> !isState(append)).toList(), List.of()));
              }
              var entries = new ArrayList<>(batches.change(states, removals));
              entries.addAll(others);
              return entries;
            };
    seen(Mistake.ofBatches(early), When.POWER_LOST, "was told 2 times");
  }

  @Test
  void aBatchThatFailedIsTakenAsWritten() throws Exception {
    UnaryOperator<Batches> careless =
        batches ->
            (appends, removals) -> {
              try {
                return batches.change(appends, removals);
              } catch (IOException e) {
                if (appends.isEmpty()) {
                  return List.of();
                }
                throw e;
              }
            };
    seen(Mistake.ofBatches(careless), When.FORCE_FAILED, "has come to its end and still waits");
  }

  @Test
  void recipientsHereHaveABatchOfTheirOwn() throws Exception {
    seen(
        new Mistake(UnaryOperator.identity(), UnaryOperator.identity(), true, null),
        When.POWER_LOST,
        "was not accepted and is there for");
  }

  @Test
  void aReplyThatNeverCameIsTakenAsConsent() throws Exception {
    seen(
        Mistake.ofCourier(
            courier ->
                new Misunderstood(
                    courier,
                    outcome ->
                        outcome instanceof Outcome.Broken(_, boolean perhaps, _) && perhaps
                            ? TestCourier.ACCEPTED
                            : outcome)),
        When.UNDISTURBED,
        "nobody was told");
  }

  @Test
  void notNowIsTakenAsConsent() throws Exception {
    seen(
        Mistake.ofCourier(
            courier ->
                new Misunderstood(
                    courier,
                    outcome ->
                        outcome instanceof Outcome.Deferred ? TestCourier.ACCEPTED : outcome)),
        When.UNDISTURBED,
        "did not arrive, and nobody was told");
  }

  @Test
  void namesThatAreNotFoundNowAreTakenAsNone() throws Exception {
    seen(
        Mistake.ofCourier(
            courier ->
                new Misunderstood(courier, UnaryOperator.identity()) {
                  @Override
                  public Contact open(Route route, TlsNeed need) {
                    var contact = super.open(route, need);
                    return contact instanceof Contact.Unreachable(_, var server, var words)
                            && server.isEmpty()
                        ? new Contact.Nowhere(new EnhancedStatus(5, 1, 2), words)
                        : contact;
                  }
                }),
        When.UNDISTURBED,
        "was given up without a reason");
  }

  @Test
  void theDiskDoesNotForce() throws Exception {
    SimDisk.Fate lies = (call, _, _) -> call != SimDisk.Call.FORCE;
    var mistake = new Mistake(UnaryOperator.identity(), UnaryOperator.identity(), false, lies);
    seen(mistake, When.POWER_LOST, "did not arrive, and nobody was told");
  }

  /// A courier that tells something else than what servers said.
  private static class Misunderstood implements Courier {
    private final Courier courier;
    private final UnaryOperator<Outcome> hears;

    Misunderstood(Courier courier, UnaryOperator<Outcome> hears) {
      this.courier = courier;
      this.hears = hears;
    }

    @Override
    public Route route(Domain domain) {
      return courier.route(domain);
    }

    @Override
    public Contact open(Route route, TlsNeed need) {
      var contact = courier.open(route, need);
      return contact instanceof Contact.Reached(var session)
          ? new Contact.Reached(new Hearing(session, hears))
          : contact;
    }
  }

  private record Hearing(Courier.Session session, UnaryOperator<Outcome> hears)
      implements Courier.Session {
    @Override
    public String server() {
      return session.server();
    }

    @Override
    public Optional<String> tls() {
      return session.tls();
    }

    @Override
    public Optional<Action> taken() {
      return session.taken();
    }

    @Override
    public boolean deliversBy() {
      return session.deliversBy();
    }

    @Override
    public boolean usable() {
      return session.usable();
    }

    @Override
    public List<Outcome> send(Outgoing mail) {
      return session.send(mail).stream().map(hears).toList();
    }

    @Override
    public void close() {
      session.close();
    }
  }
}
