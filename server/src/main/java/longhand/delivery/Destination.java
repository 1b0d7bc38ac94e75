package longhand.delivery;

import java.util.List;
import longhand.mail.EnhancedStatus;
import longhand.mail.ForwardPath;
import longhand.store.Account;

/// Where a forward-path leads.
public sealed interface Destination {

  /// Mail for it can be taken.
  ///
  /// @param path as RCPT said it
  /// @param ours whether it is an address of ours, so that mail that comes to it twice is in a loop
  /// @param here accounts it leads to
  /// @param onward addresses of other servers it leads to
  /// @param due what its sender hears at once, besides what becomes of the others
  record Found(
      ForwardPath path, boolean ours, List<Here> here, List<Onward> onward, Expansion.Due due)
      implements Destination {

    public Found {
      here = List.copyOf(here);
      onward = List.copyOf(onward);
    }

    /// A path to another server, as it is.
    public static Found relay(ForwardPath path) {
      return new Found(
          path,
          false,
          List.of(),
          List.of(new Onward(path, Leaf.Returning.KEPT)),
          Expansion.Due.NOTHING);
    }
  }

  /// An account.
  ///
  /// @param path with the address of RCPT, and the reports wanted of this account
  /// @param quotaOctets most octets of messages the account may hold, 0 for no limit
  record Here(ForwardPath path, Account account, long quotaOctets) {}

  /// An address of another server.
  record Onward(ForwardPath path, Leaf.Returning returning) {}

  /// The domain is not ours: through the queue, if the client may.
  record Remote(ForwardPath path) implements Destination {}

  /// Mail for it is not taken, now or ever as the status says.
  ///
  /// @param words for the client
  record Refused(EnhancedStatus status, String words) implements Destination {}

  /// It cannot be told now.
  record Unavailable(String detail) implements Destination {}
}
