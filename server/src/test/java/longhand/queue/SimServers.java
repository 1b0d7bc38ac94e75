package longhand.queue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import longhand.dsn.Action;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;
import longhand.relay.Outcome;
import longhand.relay.Outgoing;
import longhand.relay.Route;
import longhand.relay.Step;
import longhand.relay.TlsNeed;

/// Other servers and their names, as bad as they are: they refuse connections, hang, go away at
/// every step of a session and after the last dot, answer nonsense, put some recipients off and
/// refuse others; names are not found now, or never. What they do to a recipient is the same at the
/// same try, whatever became of us in between. They remember what they took.
final class SimServers implements Courier {

  static final Domain DEAD = new Domain("dead.example");
  static final Domain UNNAMED = new Domain("none.example");
  static final Domain NAME_SERVERS_FAIL = new Domain("dns.example");

  /// Where a sender lives: its servers take what they are offered, and their last reply may be
  /// lost.
  static final Domain AWAY = new Domain("away.example");

  /// Tries that may go wrong; what follows them goes well.
  private static final int BAD_TRIES = 4;

  private static final List<Step> BEFORE_THE_END =
      List.of(Step.MAIL, Step.RECIPIENT, Step.DATA, Step.CONTENT);
  private static final List<Step> OPENING =
      List.of(Step.CONNECT, Step.GREETING, Step.HELLO, Step.TLS);

  /// A message that a server took for a recipient.
  ///
  /// @param answered whether its reply reached us
  record Arrival(Address to, String text, boolean answered) {}

  final List<Arrival> arrivals = new ArrayList<>();

  /// Those a server refused for good.
  final Set<Address> refused = new HashSet<>();

  /// Whether a message could not be sent because our disk did not give it.
  boolean unread;

  private final long seed;
  private final Map<Address, Integer> transactions = new HashMap<>();
  private final Map<Address, Integer> tries = new HashMap<>();
  private int opened;
  private boolean deadIsDead = true;

  /// Whether we are still there to send anything.
  BooleanSupplier alive = () -> true;

  /// Told how long somebody let us wait.
  Consumer<Duration> hangs = _ -> {};

  SimServers(long seed) {
    this.seed = seed;
  }

  void dead(boolean dead) {
    deadIsDead = dead;
  }

  private Random chance(Object of, int attempt) {
    return new Random((seed + of.hashCode()) * 0x9e3779b97f4a7c15L + attempt);
  }

  @Override
  public Route route(Domain domain) {
    return new Route(domain.name(), new Route.Via.Exchangers(domain), Route.Pace.DEFAULT);
  }

  @Override
  public Contact open(Route route, TlsNeed need) {
    var domain = ((Route.Via.Exchangers) route.via()).domain();
    var chance = chance(domain.name(), ++opened);
    if (domain.equals(UNNAMED)) {
      return new Contact.Nowhere(new EnhancedStatus(5, 1, 2), "no such domain");
    }
    if (domain.equals(NAME_SERVERS_FAIL) && chance.nextInt(3) > 0) {
      return new Contact.Unreachable(new EnhancedStatus(4, 4, 3), "", "DNS does not answer");
    }
    if (domain.equals(DEAD) && deadIsDead) {
      if (chance.nextBoolean()) {
        hangs.accept(Duration.ofMinutes(5));
      }
      var step = OPENING.get(chance.nextInt(OPENING.size()));
      return new Contact.Unreachable(
          new EnhancedStatus(4, 4, step == Step.CONNECT ? 1 : 2), "mx [192.0.2.1]", "" + step);
    }
    return new Contact.Reached(new SimSession(domain));
  }

  private final class SimSession implements Session {
    private final Domain domain;
    private boolean usable = true;

    SimSession(Domain domain) {
      this.domain = domain;
    }

    @Override
    public String server() {
      return "mx [192.0.2.1]";
    }

    @Override
    public Optional<String> tls() {
      return Optional.empty();
    }

    @Override
    public Optional<Action> taken() {
      return Optional.of(Action.RELAYED);
    }

    @Override
    public boolean deliversBy() {
      return true;
    }

    @Override
    public boolean usable() {
      return usable;
    }

    @Override
    public List<Outcome> send(Outgoing mail) {
      var first = mail.envelope().to().getFirst().address();
      int attempt = transactions.merge(first, 1, Integer::sum);
      var chance = chance("of all " + first, attempt);
      int what = attempt > BAD_TRIES ? 9 : chance.nextInt(10);
      if (!alive.getAsBoolean()) {
        return broken(mail, Step.MAIL, false);
      }
      if (domain.equals(AWAY)) {
        // A report that was put off might come to its end, of which nobody hears.
        what = what == 0 ? 1 : 9;
      }
      if (what == 2) {
        if (chance.nextBoolean()) {
          hangs.accept(Duration.ofMinutes(5));
        }
        return broken(mail, BEFORE_THE_END.get(chance.nextInt(BEFORE_THE_END.size())), false);
      }
      String text;
      try (var in = mail.source().open()) {
        text = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
      } catch (IOException e) {
        unread = true;
        return broken(mail, Step.CONTENT, false);
      }
      if (text.length() != mail.sizeOctets()) {
        throw new AssertionError(text.length() + " octets, told " + mail.sizeOctets());
      }
      if (what < 2) {
        // The last dot was sent: gone, silent, or not understood, having taken the message or not.
        if (what == 1) {
          mail.envelope()
              .to()
              .forEach(path -> arrivals.add(new Arrival(path.address(), text, false)));
        }
        if (chance.nextBoolean()) {
          hangs.accept(Duration.ofMinutes(10));
        }
        return broken(mail, Step.END_OF_DATA, true);
      }
      var outcomes = new ArrayList<Outcome>();
      for (var path : mail.envelope().to()) {
        outcomes.add(domain.equals(AWAY) ? take(path.address(), text) : one(path.address(), text));
      }
      return outcomes;
    }

    private List<Outcome> broken(Outgoing mail, Step step, boolean perhaps) {
      usable = false;
      Outcome broken = new Outcome.Broken(step, perhaps, "closed, or nonsense");
      return mail.envelope().to().stream().map(_ -> broken).toList();
    }

    private Outcome one(Address to, String text) {
      int attempt = tries.merge(to, 1, Integer::sum);
      return switch (attempt > BAD_TRIES ? 9 : chance(to, attempt).nextInt(10)) {
        case 0, 1 -> TestCourier.GREYLISTED;
        case 2 -> {
          refused.add(to);
          yield TestCourier.UNKNOWN;
        }
        default -> take(to, text);
      };
    }

    private Outcome take(Address to, String text) {
      arrivals.add(new Arrival(to, text, true));
      return TestCourier.ACCEPTED;
    }

    @Override
    public void close() {
      usable = false;
    }
  }
}
