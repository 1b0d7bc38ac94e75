package longhand.auth;

import java.io.IOException;
import java.util.Optional;
import longhand.mail.Address;

/// Where credentials are looked up: the directory, or a table in tests. Safe for any thread.
public interface CredentialSource {

  /// The canonical address that a name to log in with means: an address, or a local part alone when
  /// there is one domain only. Empty when it can be nobody's. Says nothing of whether such an
  /// account exists.
  Optional<Address> address(String name);

  /// The credentials of exactly that account; a sub-address has none.
  Optional<Credentials> credentials(Address account) throws IOException;
}
