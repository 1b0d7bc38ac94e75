package longhand.relay;

/// What became of a try to open a session with a server. All but `Ready` have closed it.
public sealed interface Opening {

  /// It waits for transactions.
  record Ready(SmtpClient client) implements Opening {}

  /// It answered 4yz or 5yz where it had to agree.
  record Rejected(Step step, Reply reply) implements Opening {}

  /// It does not offer what is demanded: TLS, or a way to log in.
  record Lacking(Step step, String detail) implements Opening {}

  /// The session broke: may work later.
  record Broken(Step step, String detail) implements Opening {}
}
