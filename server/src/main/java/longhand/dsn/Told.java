package longhand.dsn;

import java.time.Instant;
import java.util.Optional;
import longhand.mail.EnhancedStatus;
import longhand.mail.ForwardPath;

/// What a report tells of one recipient.
///
/// @param recipient as MAIL's sender named it
/// @param status why (RFC 3463)
/// @param remoteMta the name of the other server, where one was reached
/// @param words what the other server answered, as it wrote it (`550 5.1.1 No such user`), or what
///   kept us from it in our own words
/// @param lastAttempt when it was tried last
/// @param willRetryUntil for how long it is still tried; of `DELAYED` only
/// @param logId by which our log knows it
public record Told(
    ForwardPath recipient,
    Action action,
    EnhancedStatus status,
    Optional<String> remoteMta,
    Optional<String> words,
    Optional<Instant> lastAttempt,
    Optional<Instant> willRetryUntil,
    Optional<String> logId) {

  /// Most characters of another server's words that are passed on.
  public static final int WORDS_MAX = 2_000;

  public Told {
    if (action != Action.DELAYED && willRetryUntil.isPresent()) {
      throw new IllegalArgumentException(action + " is not tried again");
    }
    remoteMta = remoteMta.map(name -> Text.line(name, 255));
    words = words.map(text -> Text.line(text, WORDS_MAX));
    logId = logId.map(text -> Text.line(text, 255));
  }
}
