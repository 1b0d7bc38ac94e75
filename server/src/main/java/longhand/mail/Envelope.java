package longhand.mail;

import java.util.List;
import java.util.Optional;

/// What MAIL and RCPT said of a message (RFC 5321 §2.3.1): never taken from its header fields, but
/// for the one that says how it may travel (`Handling.disregardTls`).
///
/// @param from where reports go
/// @param to those recipients that were accepted, in order
/// @param body whether the message may hold octets above 127
/// @param smtpUtf8 whether it needs internationalised mail (RFC 6531)
/// @param returned how much of the message a DSN is to carry (RFC 3461 §4.3)
/// @param id the value of ENVID, still in xtext (RFC 3461 §4.4)
/// @param handling what else its sender asks for
public record Envelope(
    ReversePath from,
    List<ForwardPath> to,
    Body body,
    boolean smtpUtf8,
    Optional<Returned> returned,
    Optional<String> id,
    Handling handling) {

  /// The BODY parameter.
  public enum Body {
    SEVEN_BIT,
    /// Lines of any octets but NUL (RFC 6152).
    EIGHT_BIT_MIME,
    /// Any octets, after a header that is text (RFC 3030 §3).
    BINARY_MIME
  }

  /// The RET parameter (RFC 3461 §4.3).
  public enum Returned {
    FULL,
    HEADERS
  }

  public Envelope {
    to = List.copyOf(to);
  }

  /// The same from another reverse-path.
  public Envelope withFrom(ReversePath from) {
    return new Envelope(from, to, body, smtpUtf8, returned, id, handling);
  }

  /// The same for some of the recipients, or others.
  public Envelope withTo(List<ForwardPath> to) {
    return new Envelope(from, to, body, smtpUtf8, returned, id, handling);
  }

  /// The same, but that a DSN is to carry the header alone.
  public Envelope withoutBody() {
    return new Envelope(from, to, body, smtpUtf8, Optional.of(Returned.HEADERS), id, handling);
  }

  /// The same for the message written otherwise.
  public Envelope withBody(Body body) {
    return new Envelope(from, to, body, smtpUtf8, returned, id, handling);
  }

  /// The same, asking for something else.
  public Envelope withHandling(Handling handling) {
    return new Envelope(from, to, body, smtpUtf8, returned, id, handling);
  }

  /// Of a message whose sender asks for nothing beyond delivery.
  public Envelope(
      ReversePath from,
      List<ForwardPath> to,
      Body body,
      boolean smtpUtf8,
      Optional<Returned> returned,
      Optional<String> id) {
    this(from, to, body, smtpUtf8, returned, id, Handling.USUAL);
  }
}
