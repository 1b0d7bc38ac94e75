package longhand.server;

import longhand.dns.Targets;
import longhand.relay.NextHops;
import longhand.relay.Route;

/// Where mail for a domain of others goes from here, as far as it can be told without sending any.
sealed interface Onward {

  /// What becomes of a message that is sent there now.
  enum Fate {
    /// It goes to a server.
    GOES,
    /// It waits in the queue and is tried again.
    WAITS,
    /// It goes back to its sender.
    RETURNS
  }

  /// To the server that a route of the configuration names.
  ///
  /// @param name of the route
  /// @param via that server
  /// @param hosts its addresses
  record ByRoute(String name, Route.Via.Host via, Targets hosts) implements Onward {}

  /// To the servers that DNS names.
  ///
  /// @param targets with preferences, and whether DNSSEC vouches for them
  /// @param hops the same servers under the TLS that is demanded
  record ByDns(Targets targets, NextHops hops) implements Onward {}

  /// It could not be found out in time.
  record Late(String sentence) implements Onward {}

  /// What becomes of a message.
  default Fate fate() {
    return switch (this) {
      // A route that leads nowhere is a mistake in the configuration, which costs no messages.
      case ByRoute(_, _, var hosts) -> hosts instanceof Targets.Found ? Fate.GOES : Fate.WAITS;
      case ByDns(_, var hops) ->
          switch (hops) {
            case NextHops.Found _ -> Fate.GOES;
            case NextHops.Defer _ -> Fate.WAITS;
            case NextHops.Bounce _ -> Fate.RETURNS;
          };
      case Late _ -> Fate.WAITS;
    };
  }
}
