package longhand.relay;

import java.time.Duration;

/// How long a client waits for a server (RFC 5321 §4.5.3.2). A reply must be whole within its time.
///
/// @param connect for the connection
/// @param greeting for the first reply
/// @param command for the reply to a command that has no time of its own: EHLO, STARTTLS, AUTH,
///   RSET
/// @param handshake for TLS
/// @param mail for the reply to MAIL
/// @param recipient for the reply to RCPT
/// @param dataInitiation for the reply to DATA
/// @param dataTermination for the reply to the end of data, or to BDAT
/// @param quit for the reply to QUIT, on which nothing depends
/// @param session from the connection or the last MAIL to the end of data, however many replies
///   come, each in time
public record Timeouts(
    Duration connect,
    Duration greeting,
    Duration command,
    Duration handshake,
    Duration mail,
    Duration recipient,
    Duration dataInitiation,
    Duration dataTermination,
    Duration quit,
    Duration session) {

  /// How long a block of data may wait to be taken: what a [longhand.wire.Connector] for this
  /// package is made with (RFC 5321 §4.5.3.2.5).
  public static final Duration DATA_BLOCK = Duration.ofMinutes(3);

  /// Those of RFC 5321.
  public static final Timeouts DEFAULT =
      new Timeouts(
          Duration.ofSeconds(30),
          Duration.ofMinutes(5),
          Duration.ofMinutes(5),
          Duration.ofMinutes(1),
          Duration.ofMinutes(5),
          Duration.ofMinutes(5),
          Duration.ofMinutes(2),
          Duration.ofMinutes(10),
          Duration.ofSeconds(10),
          Duration.ofHours(2));
}
