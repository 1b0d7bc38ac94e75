package longhand.directory;

import java.util.Optional;
import longhand.mail.Address;
import longhand.mail.Domain;

/// The domains and accounts of this server. Safe for any thread; changes of the files are picked
/// up.
public final class Directory {

  private Directory() {}

  /// Whether mail for that domain is delivered here.
  public boolean isLocal(Domain domain) {
    throw new UnsupportedOperationException();
  }

  /// The account that gets mail for an address: any letter case, with or without sub-address
  /// (`jbob+x`); empty when there is none.
  public Optional<AccountRecord> find(Address address) {
    throw new UnsupportedOperationException();
  }
}
