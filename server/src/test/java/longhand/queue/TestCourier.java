package longhand.queue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import longhand.dsn.Action;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;
import longhand.mail.Envelope;
import longhand.relay.Outcome;
import longhand.relay.Outgoing;
import longhand.relay.Reply;
import longhand.relay.Route;
import longhand.relay.Step;
import longhand.relay.TlsNeed;

/// Other servers as a test wants them: what each address answers, and what arrived there.
final class TestCourier implements Courier {

  /// A message as it arrived.
  record Arrived(Address to, String text) {}

  static final Outcome ACCEPTED = new Outcome.Delivered(reply(250, "2.0.0 fine"));
  static final Outcome GREYLISTED = new Outcome.Deferred(reply(451, "4.7.1 come back later"));
  static final Outcome UNKNOWN = new Outcome.Refused(reply(550, "5.1.1 no such user"));
  static final Outcome LOST = new Outcome.Broken(Step.END_OF_DATA, true, "closed");
  static final Outcome CUT = new Outcome.Broken(Step.MAIL, false, "closed");

  private static final Contact DEAD =
      new Contact.Unreachable(new EnhancedStatus(4, 4, 1), "mx [192.0.2.1]", "refused");

  final List<Arrived> arrived = new ArrayList<>();

  /// The envelope of each transaction, whatever came of it.
  final List<Envelope> sent = new ArrayList<>();

  /// What TLS each session was opened for, and each message came in.
  final List<TlsNeed> needs = new ArrayList<>();

  final Map<String, TlsNeed> arrivedFor = new HashMap<>();

  /// Whether servers keep the time of BY.
  boolean deliversBy;

  final Map<Domain, Contact> places = new HashMap<>();
  Function<Address, Outcome> answers = _ -> ACCEPTED;
  Route.Pace pace = Route.Pace.DEFAULT;
  int opened;

  /// Whether we are still there to send anything.
  BooleanSupplier alive = () -> true;

  static Reply reply(int code, String text) {
    int kind = code / 100;
    return new Reply(
        code,
        Optional.of(new EnhancedStatus(kind, text.charAt(2) - '0', text.charAt(4) - '0')),
        List.of(text));
  }

  void dead(String domain, boolean dead) {
    if (dead) {
      places.put(new Domain(domain), DEAD);
    } else {
      places.remove(new Domain(domain));
    }
  }

  @Override
  public Route route(Domain domain) {
    return new Route(domain.name(), new Route.Via.Exchangers(domain), pace);
  }

  @Override
  public Contact open(Route route, TlsNeed need) {
    opened++;
    needs.add(need);
    var place = places.get(((Route.Via.Exchangers) route.via()).domain());
    return place != null ? place : new Contact.Reached(new TestSession(need));
  }

  private final class TestSession implements Session {
    private final TlsNeed need;
    private boolean usable = true;

    TestSession(TlsNeed need) {
      this.need = need;
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
      return deliversBy;
    }

    @Override
    public boolean usable() {
      return usable;
    }

    @Override
    public List<Outcome> send(Outgoing mail) {
      if (!alive.getAsBoolean()) {
        usable = false;
        return mail.envelope().to().stream().map(_ -> CUT).toList();
      }
      sent.add(mail.envelope());
      mail.envelope().to().forEach(to -> arrivedFor.put(to.address().localPart(), need));
      String text;
      try (var in = mail.source().open()) {
        text = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
      } catch (IOException e) {
        return mail.envelope().to().stream()
            .map(_ -> (Outcome) new Outcome.Broken(Step.CONTENT, false, "" + e.getMessage()))
            .toList();
      }
      if (text.length() != mail.sizeOctets()) {
        throw new AssertionError(text.length() + " octets, told " + mail.sizeOctets());
      }
      var outcomes = new ArrayList<Outcome>();
      for (var path : mail.envelope().to()) {
        var outcome = answers.apply(path.address());
        if (outcome instanceof Outcome.Delivered || outcome.equals(LOST)) {
          arrived.add(new Arrived(path.address(), text));
        }
        usable &= !(outcome instanceof Outcome.Broken);
        outcomes.add(outcome);
      }
      return outcomes;
    }

    @Override
    public void close() {
      usable = false;
    }
  }
}
