package longhand.relay;

import java.io.IOException;
import java.io.InputStream;
import longhand.mail.Envelope;

/// A message on its way out.
///
/// @param envelope who it is from and for; `body` tells whether it holds octets above 127, and the
///   seconds of BY are those that are left
/// @param requireTls whether it may travel under verified TLS only, to its end (RFC 8689)
/// @param sizeOctets its octets on the wire, before dots are stuffed
/// @param source where they come from
public record Outgoing(Envelope envelope, boolean requireTls, long sizeOctets, Source source) {

  /// Gives the octets of a message as they go over the wire: lines end in CRLF, and only lines do.
  /// Each call begins anew, as each server gets them.
  @FunctionalInterface
  public interface Source {
    /// A stream of exactly the message's size, which the caller closes.
    InputStream open() throws IOException;
  }
}
