package longhand.smtp;

import java.util.Map;
import java.util.Optional;
import longhand.mail.Address;
import longhand.smtp.Command.XClient.Attribute;
import longhand.smtp.Command.XClient.Value;

/// What a proxy has said of the client that it speaks for, its address apart (Postfix's
/// XCLIENT_README). It holds for the rest of the session, until the proxy says otherwise.
///
/// @param name the client's host name
/// @param hello what the client calls itself, whatever the proxy says in its own hello
/// @param protocol `SMTP` or `ESMTP`
/// @param login the account that the client has logged in to
record SpokenFor(
    Optional<String> name,
    Optional<String> hello,
    Optional<String> protocol,
    Optional<Address> login) {

  /// Nobody was spoken for.
  static final SpokenFor NOBODY =
      new SpokenFor(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

  /// The same, but for what was said now; what is said to be unavailable is not known any more.
  ///
  /// @param login the account of LOGIN, where that was said and the account may be used
  SpokenFor after(Map<Attribute, Value> said, Optional<Address> login) {
    return new SpokenFor(
        said.containsKey(Attribute.NAME) ? text(said, Attribute.NAME) : name,
        said.containsKey(Attribute.HELO) ? text(said, Attribute.HELO) : hello,
        said.containsKey(Attribute.PROTO) ? text(said, Attribute.PROTO) : protocol,
        said.containsKey(Attribute.LOGIN) ? login : this.login);
  }

  /// What was said of one attribute, in letters; empty when nothing, or that it is unavailable.
  static Optional<String> text(Map<Attribute, Value> said, Attribute attribute) {
    return said.get(attribute) instanceof Value.Text(var text)
        ? Optional.of(text)
        : Optional.empty();
  }
}
