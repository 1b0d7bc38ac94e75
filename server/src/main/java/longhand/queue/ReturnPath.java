package longhand.queue;

import longhand.mail.Address;
import longhand.store.Account;

/// Where a reverse-path leads, for a report.
public sealed interface ReturnPath {

  /// Into an account here.
  record Here(Account account) implements ReturnPath {}

  /// To an address of another server.
  record Elsewhere(Address address) implements ReturnPath {}
}
