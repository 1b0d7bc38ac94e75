package longhand.dsn;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;
import longhand.mail.Envelope;
import longhand.mail.ForwardPath;
import longhand.mail.ReversePath;

/// Reports that the tests make.
final class Reports {

  static final Instant ARRIVED = Instant.parse("2026-11-24T18:30:00Z");
  static final Address ANA = new Address("ana", new Domain("example.org"));
  static final String MESSAGE =
      """
      From: Ana <ana@example.org>\r
      To: Ben <ben@example.net>\r
      Subject: Lunch\r
      Message-ID: <one@example.org>\r
      \r
      At noon?\r
      """;

  private Reports() {}

  static ForwardPath path(String localPart) {
    return ForwardPath.of(new Address(localPart, new Domain("example.net")));
  }

  static ForwardPath path(String localPart, String originalRecipient) {
    return new ForwardPath(path(localPart).address(), Set.of(), Optional.of(originalRecipient));
  }

  static Told failed(ForwardPath path, String words) {
    return new Told(
        path,
        Action.FAILED,
        new EnhancedStatus(5, 1, 1),
        Optional.of("mx.example.net"),
        Optional.of(words),
        Optional.of(ARRIVED.plusSeconds(60)),
        Optional.empty(),
        Optional.of("q1"));
  }

  static Told delayed(ForwardPath path) {
    return new Told(
        path,
        Action.DELAYED,
        new EnhancedStatus(4, 4, 1),
        Optional.empty(),
        Optional.of("connection timed out"),
        Optional.of(ARRIVED.plusSeconds(60)),
        Optional.of(ARRIVED.plusSeconds(432_000)),
        Optional.empty());
  }

  static Told done(ForwardPath path, Action action) {
    return new Told(
        path,
        action,
        new EnhancedStatus(2, 0, 0),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  static Envelope envelope(Optional<Envelope.Returned> returned, boolean smtpUtf8) {
    return new Envelope(
        ReversePath.of(ANA),
        List.of(),
        Envelope.Body.EIGHT_BIT_MIME,
        smtpUtf8,
        returned,
        Optional.of("QQ+20314"));
  }

  static Report report(Told... told) {
    return report(envelope(Optional.empty(), false), told);
  }

  static Report report(Envelope envelope, Told... told) {
    return new Report(
        "mx.example.org", envelope, ARRIVED, ARRIVED.plusSeconds(90), "r1", List.of(told));
  }

  /// The report, one octet a character.
  static String write(Report report, String original) {
    var out = new ByteArrayOutputStream();
    try {
      var octets = original.getBytes(StandardCharsets.ISO_8859_1);
      var written = report.write(() -> new ByteArrayInputStream(octets), new Random(1), out);
      var text = out.toString(StandardCharsets.ISO_8859_1);
      if (written.octets() != out.size()) {
        throw new AssertionError(written + " of " + out.size());
      }
      boolean ascii = text.chars().allMatch(c -> c < 0x80);
      if (!ascii && written.body() == Envelope.Body.SEVEN_BIT) {
        throw new AssertionError("said to be 7bit: " + text);
      }
      return text;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
