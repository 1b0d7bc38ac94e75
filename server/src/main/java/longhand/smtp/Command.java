package longhand.smtp;

import java.net.InetAddress;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import longhand.mail.Envelope;
import longhand.mail.ForwardPath;
import longhand.mail.Handling;
import longhand.mail.ReversePath;
import longhand.wire.Limits;

/// One SMTP command line, parsed and checked (RFC 5321 §4.1.1).
///
/// A line that does not parse is a command too: `Malformed` carries the reply owed to the peer, so
/// the session has a single path for every line it reads.
sealed interface Command {

  /// HELO, EHLO or LHLO.
  record Hello(Kind kind, String client) implements Command {
    enum Kind {
      HELO,
      EHLO,
      LHLO
    }
  }

  /// MAIL, with the parameters of RFC 1870, RFC 6152, RFC 6531, RFC 4954 and RFC 3461, and those of
  /// each [Extension] that is announced.
  ///
  /// @param sizeOctets what SIZE says
  /// @param auth the AUTH parameter, still in xtext; checked and not used
  /// @param handling what the extensions ask for
  record Mail(
      ReversePath from,
      OptionalLong sizeOctets,
      Envelope.Body body,
      boolean smtpUtf8,
      Optional<String> auth,
      Optional<Envelope.Returned> returned,
      Optional<String> envelopeId,
      Handling handling)
      implements Command {

    /// What is wrong with it that only the clock tells; empty when nothing is.
    Optional<Reply> untimely(Instant now, Limits limits) {
      if (handling.release().isEmpty()) {
        return Optional.empty();
      }
      var release = handling.release().get().at(now);
      // RFC 4865 §4: no longer than what EHLO announced, and not beyond the time of use.
      if (release.isAfter(now.plus(limits.futureReleaseMax()))) {
        return Optional.of(Reply.HELD_TOO_LONG);
      }
      return handling.by().filter(by -> !by.deadline(now).isAfter(release)).isPresent()
          ? Optional.of(Reply.HELD_BEYOND_USE)
          : Optional.empty();
    }
  }

  /// RCPT.
  ///
  /// @param ascii whether path and parameters are free of octets above 127
  record Recipient(ForwardPath to, boolean ascii) implements Command {}

  /// DATA.
  record Data() implements Command {}

  /// BDAT (RFC 3030): so many octets follow the line.
  record Bdat(long octets, boolean last) implements Command {}

  /// RSET.
  record Reset() implements Command {}

  /// NOOP, with or without text.
  record Noop() implements Command {}

  /// QUIT.
  record Quit() implements Command {}

  /// VRFY, whose argument nobody reads.
  record Verify() implements Command {}

  /// EXPN and others that we know and do not do.
  record NotHere() implements Command {}

  /// HELP, with or without text.
  record Help() implements Command {}

  /// STARTTLS (RFC 3207).
  record StartTls() implements Command {}

  /// AUTH (RFC 4954). The array is not copied.
  record Auth(String mechanism, Optional<byte[]> initial) implements Command {}

  /// XCLIENT, with which a proxy says whom it speaks for (Postfix's XCLIENT_README). At least one
  /// attribute; who may say so is the session's to know.
  record XClient(Map<Attribute, Value> attributes) implements Command {

    /// What can be said of a client.
    enum Attribute {
      /// Its host name.
      NAME,
      ADDR,
      PORT,
      /// SMTP or ESMTP.
      PROTO,
      /// What it said in its hello.
      HELO,
      /// The user it has logged in as.
      LOGIN,
      /// The address it connected to.
      DESTADDR,
      DESTPORT
    }

    /// What is said of one attribute.
    sealed interface Value {
      /// Printable, 255 octets at most.
      record Text(String text) implements Value {}

      /// Of ADDR and DESTADDR.
      record Ip(InetAddress address) implements Value {}

      /// Of PORT and DESTPORT.
      record Port(int number) implements Value {}

      /// There is nothing to be said: `[UNAVAILABLE]`, or now `[TEMPUNAVAIL]`.
      enum Missing implements Value {
        UNAVAILABLE,
        TEMPUNAVAIL
      }
    }

    public XClient {
      attributes = Map.copyOf(attributes);
    }
  }

  /// None of these.
  record Malformed(Reply owed) implements Command {}
}
