package longhand.queue;

import java.time.Instant;
import java.util.Optional;
import longhand.mail.EnhancedStatus;

/// How far one recipient of a message has come.
///
/// @param state whether it still waits
/// @param attempts tries so far
/// @param next when it is tried again; past for a recipient that was never tried
/// @param delayTold whether its sender knows that it waits
/// @param last what came of the last try; empty before the first
record Progress(State state, int attempts, Instant next, boolean delayTold, Optional<Last> last) {

  /// Where a recipient stands.
  enum State {
    /// To be tried, now or later.
    WAITING,
    /// Another server has taken it.
    DELIVERED,
    /// It will not be tried again.
    FAILED
  }

  /// What came of a try.
  ///
  /// @param status what it means
  /// @param server who said so, as `mx.example.com [192.0.2.1]`; empty when nobody was reached
  /// @param words what was said, in one line
  record Last(Instant at, EnhancedStatus status, String server, String words) {}

  /// Of a recipient that is to be tried from that time on.
  static Progress fresh(Instant next) {
    return new Progress(State.WAITING, 0, next, false, Optional.empty());
  }

  boolean waits() {
    return state == State.WAITING;
  }

  Progress after(State state, Instant next, Last last) {
    return new Progress(state, attempts + 1, next, delayTold, Optional.of(last));
  }

  Progress told() {
    return new Progress(state, attempts, next, true, last);
  }

  Progress at(Instant next) {
    return new Progress(state, attempts, next, delayTold, last);
  }
}
