package longhand.queue;

import java.io.Closeable;
import java.util.List;
import java.util.Optional;
import longhand.dsn.Action;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;
import longhand.relay.Outcome;
import longhand.relay.Outgoing;
import longhand.relay.Route;
import longhand.relay.TlsNeed;

/// What the queue has of the network: routes, and sessions at their ends. The seam where a
/// simulation puts other servers. Safe for any thread.
public interface Courier {

  /// How mail for a domain leaves.
  Route route(Domain domain);

  /// Tries to open a session with one of a route's servers; takes as long as their timeouts let it.
  ///
  /// @param need what TLS the senders of the messages want that it is for
  Contact open(Route route, TlsNeed need);

  /// What came of it.
  sealed interface Contact {

    /// A session.
    record Reached(Session session) implements Contact {}

    /// None now.
    ///
    /// @param server who was tried last; empty when nobody could be
    record Unreachable(EnhancedStatus status, String server, String words) implements Contact {}

    /// None ever: the domain takes no mail, or there is none.
    record Nowhere(EnhancedStatus status, String words) implements Contact {}
  }

  /// A session with a server; for one thread.
  interface Session extends Closeable {

    /// Who it is, as `mx.example.com [192.0.2.1]`.
    String server();

    /// Version and cipher of its TLS; empty when it is in clear.
    Optional<String> tls();

    /// What is to be reported to a sender who wants to hear of success, when the server has taken a
    /// message; nothing where the server reports itself (RFC 3461 §5.2.1).
    Optional<Action> taken();

    /// Whether the server keeps the time by which a message is to be delivered (RFC 2852), or has
    /// delivered what it takes.
    boolean deliversBy();

    /// Whether another message may follow.
    boolean usable();

    /// Takes a message to the recipients of its envelope; outcomes in their order.
    List<Outcome> send(Outgoing mail);

    /// Says goodbye.
    @Override
    void close();
  }
}
