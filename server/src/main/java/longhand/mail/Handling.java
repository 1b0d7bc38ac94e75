package longhand.mail;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// What a sender asks of the servers on the way beyond delivery, as MAIL said it, and in one thing
/// the header. Spans of time are still spans: whoever takes the message counts them from the moment
/// it was taken.
///
/// @param release until when the message is held back (RFC 4865)
/// @param by until when it is of use (RFC 2852)
/// @param priority -9 to 9; 0 is that of a message of which nothing was said (RFC 6710 §3)
/// @param requireTls whether it may travel under verified TLS only, to its end (RFC 8689)
/// @param disregardTls whether it is to arrive whatever a domain publishes of TLS, as its header
///   says (`TLS-Required: No`, RFC 8689 §5); never with `requireTls`, which wins
public record Handling(
    Optional<Release> release,
    Optional<DeliverBy> by,
    int priority,
    boolean requireTls,
    boolean disregardTls) {

  /// Nothing was asked for; what nearly all messages have.
  public static final Handling USUAL = new Handling(Optional.empty(), Optional.empty(), 0, false);

  public Handling {
    if (priority < -9 || priority > 9) {
      throw new IllegalArgumentException("priority " + priority);
    }
    if (requireTls && disregardTls) {
      throw new IllegalArgumentException("TLS both demanded and disregarded");
    }
  }

  /// Of a message whose header says nothing of TLS.
  public Handling(
      Optional<Release> release, Optional<DeliverBy> by, int priority, boolean requireTls) {
    this(release, by, priority, requireTls, false);
  }

  /// The same, of use until another time.
  public Handling withBy(Optional<DeliverBy> by) {
    return new Handling(release, by, priority, requireTls, disregardTls);
  }

  /// The same for a message whose header says `TLS-Required: No`: RFC 8689 §5 has REQUIRETLS win.
  public Handling withTlsDisregarded() {
    return requireTls ? this : new Handling(release, by, priority, false, true);
  }

  /// Until when a message is held back.
  public sealed interface Release {

    /// The moment, for a message that was taken at `taken`; never before that.
    default Instant at(Instant taken) {
      return switch (this) {
        case For(var span) -> taken.plus(span);
        case Until(var moment) -> moment.isBefore(taken) ? taken : moment;
      };
    }

    /// HOLDFOR: one second or more.
    record For(Duration span) implements Release {}

    /// HOLDUNTIL.
    record Until(Instant moment) implements Release {}
  }

  /// The BY parameter (RFC 2852 §4).
  ///
  /// @param seconds from the moment the message was taken; zero or less, for `NOTIFY` alone, when
  ///   the time is over already
  /// @param mode what is to be done when it is over
  /// @param trace whether each server on the way is to tell the sender that it relayed the message
  public record DeliverBy(int seconds, Mode mode, boolean trace) {

    /// What happens to a message that could not be delivered in time.
    public enum Mode {
      /// `N`: its sender is told that it is late; it goes on.
      NOTIFY,
      /// `R`: it goes back.
      RETURN
    }

    /// Most seconds, in either direction, that the parameter has digits for.
    private static final int SECONDS_MAX = 999_999_999;

    public DeliverBy {
      if (seconds <= 0 && mode == Mode.RETURN) {
        throw new IllegalArgumentException("return after " + seconds + " s");
      }
    }

    /// The moment when the time is over, for a message that was taken at `taken`.
    public Instant deadline(Instant taken) {
      return taken.plusSeconds(seconds);
    }

    /// What is left of it at `now`, for whoever takes the message next (RFC 2852 §4.1.4); empty
    /// when less than a second is and the message is to go back.
    ///
    /// @param taken when the message was taken
    public Optional<DeliverBy> left(Instant taken, Instant now) {
      long left =
          Math.clamp(Duration.between(now, deadline(taken)).toSeconds(), -SECONDS_MAX, SECONDS_MAX);
      return left <= 0 && mode == Mode.RETURN
          ? Optional.empty()
          : Optional.of(new DeliverBy((int) left, mode, trace));
    }
  }
}
