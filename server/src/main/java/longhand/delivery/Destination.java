package longhand.delivery;

import longhand.mail.ForwardPath;
import longhand.store.Account;

/// Where a forward-path leads.
public sealed interface Destination {

  /// Into an account here.
  ///
  /// @param quotaOctets most octets of messages the account may hold, 0 for no limit
  record Local(ForwardPath path, Account account, long quotaOctets) implements Destination {}

  /// The domain is ours and knows no such account.
  record Unknown() implements Destination {}

  /// The account takes no mail at present.
  record Inactive() implements Destination {}

  /// The account holds as much as it may; space may come.
  record Full() implements Destination {}

  /// The message alone is larger than all the account may hold.
  record TooLarge() implements Destination {}

  /// The domain is not ours: through the queue, if the client may.
  record Remote(ForwardPath path) implements Destination {}

  /// The account's document cannot be read at present.
  record Unavailable(String detail) implements Destination {}
}
