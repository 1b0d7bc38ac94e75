package longhand.directory;

import java.util.List;
import longhand.mail.Address;

/// Which accounts may send as an alias.
public sealed interface Senders {

  /// Those the alias leads to, by itself or through other aliases that say the same.
  record Members() implements Senders {}

  /// Nobody.
  record Nobody() implements Senders {}

  /// These and no others, at least one.
  ///
  /// @param accounts canonical addresses
  record Listed(List<Address> accounts) implements Senders {
    public Listed {
      accounts = List.copyOf(accounts);
      if (accounts.isEmpty()) {
        throw new IllegalArgumentException("a list of no senders");
      }
    }
  }
}
