package longhand.mail;

import java.util.Optional;

/// The argument of MAIL: where reports about a message go. The null reverse-path `<>` has no
/// address (RFC 5321 §4.5.5).
public record ReversePath(Optional<Address> address) {

  /// `<>`, of messages nobody should answer automatically.
  public static final ReversePath NULL = new ReversePath(Optional.empty());

  /// The reverse-path that names `address`.
  public static ReversePath of(Address address) {
    return new ReversePath(Optional.of(address));
  }

  @Override
  public String toString() {
    return "<" + address.map(Address::toString).orElse("") + ">";
  }
}
