package longhand.relay;

import java.net.InetAddress;
import java.time.Duration;
import java.util.Optional;
import longhand.mail.Domain;

/// How mail for a domain leaves.
///
/// @param name what messages are grouped by: those of one name share sessions
/// @param via where to
/// @param pace how often, and how much at once
public record Route(String name, Via via, Pace pace) {

  /// Where mail goes.
  public sealed interface Via {

    /// The servers that DNS names for a domain (RFC 5321 §5).
    record Exchangers(Domain domain) implements Via {}

    /// One server, by its name or address.
    ///
    /// @param host a name, or an address without brackets
    /// @param source the address of ours to come from
    record Host(
        String host,
        int port,
        Target.Protocol protocol,
        TlsPolicy tls,
        Optional<Target.Login> login,
        Optional<InetAddress> source)
        implements Via {}
  }

  /// How often a message is tried, and how much is done at once.
  ///
  /// @param retryFirst between the first two tries; each wait is twice the one before
  /// @param retryMax the longest wait
  /// @param delayNotice after how long the sender is told that the message still waits
  /// @param expiry after how long it is given up
  /// @param sessionsMax most sessions at once
  /// @param recipientsMax most recipients of one transaction
  public record Pace(
      Duration retryFirst,
      Duration retryMax,
      Duration delayNotice,
      Duration expiry,
      int sessionsMax,
      int recipientsMax) {

    /// What RFC 5321 §4.5.4.1 asks for, and Internet servers bear.
    public static final Pace DEFAULT =
        new Pace(
            Duration.ofMinutes(5),
            Duration.ofHours(4),
            Duration.ofHours(4),
            Duration.ofDays(5),
            20,
            100);
  }
}
