package longhand.relay;

/// How far a session with a server has come.
public enum Step {
  /// Connecting.
  CONNECT,
  /// Waiting for its first reply.
  GREETING,
  /// EHLO, HELO or LHLO.
  HELLO,
  /// STARTTLS, its handshake, or the handshake a session begins with.
  TLS,
  /// Logging in.
  AUTH,
  /// Forgetting a transaction that came to nothing.
  RESET,
  /// MAIL.
  MAIL,
  /// RCPT.
  RECIPIENT,
  /// DATA.
  DATA,
  /// Sending the message.
  CONTENT,
  /// Waiting for the reply to the whole message.
  END_OF_DATA
}
