package longhand.bench;

import java.util.concurrent.TimeUnit;

/// How much is measured.
///
/// @param warmSeconds how long every server does the same work before it is measured, so that what
///   is compiled, cached or grown in its first seconds is so
/// @param smtpOne messages over one connection
/// @param smtpMany messages over ten, and over fifty connections
/// @param appends messages appended
/// @param popMessages messages in the maildrop
/// @param mailbox messages in the large mailbox
/// @param idle idle connections
/// @param growth the largest mailbox that is delivered into
record Scale(
    int warmSeconds,
    int smtpOne,
    int smtpMany,
    int appends,
    int popMessages,
    int mailbox,
    int idle,
    int growth) {

  static final Scale FULL = new Scale(8, 1000, 4000, 4000, 1000, 100_000, 5000, 100_000);
  static final Scale QUICK = new Scale(2, 300, 1000, 1000, 1000, 10_000, 500, 10_000);

  /// Longhand gets so many times the messages of its peers over SMTP and APPEND, or the load would
  /// be over before it can be timed.
  static final int LONGHAND_FACTOR = 5;

  /// The time until which a server is to be warmed up that begins now, in nanoseconds of the
  /// system's clock.
  long warmUntil() {
    return System.nanoTime() + TimeUnit.SECONDS.toNanos(warmSeconds);
  }

  /// Messages for that server where peers get so many.
  static int messages(MailServer server, int peers) {
    return switch (server) {
      case LonghandServer _ -> peers * LONGHAND_FACTOR;
      case PostfixDovecot _ -> peers;
    };
  }
}
