package longhand.sending;

import java.time.Duration;
import java.time.Instant;

/// What was sent since a moment.
///
/// @param began when the first message of it was sent
/// @param fresh recipients who had never been written to before
record Window(Instant began, int messages, int recipients, int fresh) {

  static final Window NEVER = new Window(Instant.EPOCH, 0, 0, 0);

  /// This one, or an empty one that begins now when this one is over; also when the clock went back
  /// to before it.
  Window at(Instant now, Duration span) {
    return now.isBefore(began) || !now.isBefore(began.plus(span)) ? new Window(now, 0, 0, 0) : this;
  }

  Window with(int moreRecipients, int moreFresh) {
    return new Window(began, messages + 1, recipients + moreRecipients, fresh + moreFresh);
  }
}
