package longhand.srs;

import longhand.mail.Address;

/// What an address is to the Sender Rewriting Scheme.
public sealed interface Returned {

  /// None of the scheme, or not of the domain that carries them: look it up like any other.
  record Other() implements Returned {}

  /// One we made, still valid.
  ///
  /// @param original where the report goes: to the sender, or to the server that forwarded before
  ///   us
  record Valid(Address original) implements Returned {}

  /// One we did not make, or too long ago: to be refused, or anybody could send through us.
  record Refused(String why) implements Returned {}
}
