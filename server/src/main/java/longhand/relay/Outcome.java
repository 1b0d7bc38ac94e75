package longhand.relay;

import longhand.mail.EnhancedStatus;

/// What became of one recipient at a server.
public sealed interface Outcome {

  /// The server has taken the responsibility.
  record Delivered(Reply reply) implements Outcome {}

  /// The server says that it may work later.
  record Deferred(Reply reply) implements Outcome {}

  /// The server says that it will not work.
  record Refused(Reply reply) implements Outcome {}

  /// The message as it is cannot go to this server, which was not asked: 5.6.3 octets above 127 and
  /// no 8BITMIME, 5.6.7 no SMTPUTF8, 5.3.4 larger than its SIZE, 5.7.30 no REQUIRETLS (RFC 8689
  /// §5), 5.4.7 no DELIVERBY or too little time for it (RFC 2852), 5.6.0 a bare CR or LF. The
  /// caller may convert the message, or give up.
  record Unsendable(EnhancedStatus status, String detail) implements Outcome {}

  /// The session broke. May work later, but the message may have been delivered already when
  /// `perhapsDelivered`: the end of data had been sent, and no reply came.
  ///
  /// @param detail what was seen, for our log and the sender; ours or the peer's words
  record Broken(Step step, boolean perhapsDelivered, String detail) implements Outcome {}
}
