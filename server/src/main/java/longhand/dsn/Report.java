package longhand.dsn;

import java.io.ByteArrayOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import longhand.mail.Address;
import longhand.mail.Envelope;
import longhand.mail.Xtext;
import longhand.message.EncodedWords;
import longhand.message.Header;
import longhand.message.HeaderField;
import longhand.message.QuotedPrintableEncoder;

/// One delivery status notification: what became of a message for some of its recipients, written
/// as a whole message (RFC 3464 in the multipart/report of RFC 6522). First come words for a
/// person, then fields for a program, then the message itself or its header.
///
/// Whatever the message and other servers' words hold, the report has the parts meant here: text of
/// others goes through one filter into lines of known form, and the boundary is random.
///
/// @param hostname ours
/// @param envelope of the message the report is about; its reverse-path is whom the report is for
/// @param arrived when that message came
/// @param written when the report is made
/// @param id of the report: letters, digits and dots, unlike that of any other message of this host
/// @param told at least one; each is wanted (`Action.isWanted`)
public record Report(
    String hostname,
    Envelope envelope,
    Instant arrived,
    Instant written,
    String id,
    List<Told> told) {

  /// Most octets of a message that is returned whole.
  public static final int ORIGINAL_OCTETS_MAX = 256 * 1024;

  private static final int SUBJECT_MAX = 200;
  private static final int MESSAGE_ID_MAX = 900;

  public Report {
    told = List.copyOf(told);
    if (told.isEmpty()) {
      throw new IllegalArgumentException("a report of nobody");
    }
    if (envelope.from().address().isEmpty()) {
      throw new IllegalArgumentException("a report to the null reverse-path");
    }
  }

  /// What was written, as the one who sends it must know it.
  ///
  /// @param body whether it holds octets above 127
  /// @param smtpUtf8 whether its own header or that of a message within does
  public record Written(long octets, Envelope.Body body, boolean smtpUtf8) {}

  /// Writes the report; lines end in CRLF. The message is read twice, and no further than
  /// `ORIGINAL_OCTETS_MAX`; its header is returned up to 64 KiB.
  ///
  /// @param original the message the report is about
  /// @param random that a sender cannot guess
  /// @throws IOException when the message cannot be read or the report not be written
  public Written write(Original.Source original, RandomGenerator random, OutputStream out)
      throws IOException {
    var seen = Original.of(original, ORIGINAL_OCTETS_MAX);
    var subject =
        Text.line(
            seen.fields()
                .first("Subject")
                .map(field -> EncodedWords.decode(field.value()))
                .orElse(""),
            SUBJECT_MAX);
    boolean whole = returnsWhole(seen);
    boolean originalAscii = seen.headerAscii() && (!whole || seen.bodyAscii());
    boolean global = isGlobal();
    boolean ascii = originalAscii && !global && Text.isAscii(to().quoted());
    boolean smtpUtf8 = !Text.isAscii(to().quoted()) || (envelope.smtpUtf8() && !seen.headerAscii());
    var token = new byte[16];
    random.nextBytes(token);
    var boundary = "=_" + HexFormat.of().formatHex(token);
    var counted = new Counted(out);
    counted.text(header(seen.fields(), subject, boundary, ascii));
    counted.text("\r\n--" + boundary + "\r\n");
    people(subject, whole, counted);
    counted.text("\r\n--" + boundary + "\r\n");
    var type = global ? "message/global-delivery-status; charset=utf-8" : "message/delivery-status";
    counted.text("Content-Type: " + type + "\r\n");
    if (global) {
      counted.text("Content-Transfer-Encoding: 8bit\r\n");
    }
    counted.text("Content-Description: What became of the message, for programs\r\n\r\n");
    counted.text(status(global));
    counted.text("\r\n--" + boundary + "\r\n");
    returned(seen, whole, originalAscii, counted);
    counted.text("\r\n--" + boundary + "--\r\n");
    counted.flush();
    return new Written(
        counted.octets, ascii ? Envelope.Body.SEVEN_BIT : Envelope.Body.EIGHT_BIT_MIME, smtpUtf8);
  }

  private Address to() {
    return envelope.from().address().orElseThrow();
  }

  /// RFC 3461 §4.3: what did not fail is known to its sender by its header; who said nothing gets
  /// the message while it is small.
  private boolean returnsWhole(Original seen) {
    boolean failed = told.stream().anyMatch(each -> each.action() == Action.FAILED);
    return failed
        && seen.small()
        && seen.headerWhole()
        && envelope.returned().orElse(Envelope.Returned.FULL) == Envelope.Returned.FULL;
  }

  /// Whether some recipient's address is beyond ASCII (RFC 6533 §4).
  private boolean isGlobal() {
    for (var each : told) {
      if (!Text.isAscii(each.recipient().address().localPart())
          || !Text.isAscii(StatusFields.originalRecipient(each.recipient()).orElse(""))) {
        return true;
      }
    }
    return false;
  }

  private String header(Header original, String subject, String boundary, boolean ascii) {
    var header = new StringBuilder(1024);
    header.append(
        Text.field(
            "From", "Mail Delivery System <MAILER-DAEMON@" + Text.line(hostname, 255) + ">"));
    header.append("To: <").append(to().quoted()).append(">\r\n");
    var says = PeopleText.subject(told);
    header.append(
        Text.field("Subject", subject.isEmpty() ? says : Text.unstructured(says + ": ", subject)));
    header.append(Text.field("Date", Text.date(written)));
    header.append(Text.field("Message-ID", "<" + id + "@" + Text.line(hostname, 255) + ">"));
    messageId(original)
        .ifPresent(
            replied -> {
              header.append("In-Reply-To:\r\n ").append(replied).append("\r\n");
              header.append("References:\r\n ").append(replied).append("\r\n");
            });
    header.append("Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n");
    header.append("Content-Type: multipart/report; report-type=delivery-status;\r\n");
    header.append(" boundary=\"").append(boundary).append("\"\r\n");
    header.append("Content-Transfer-Encoding: ").append(ascii ? "7bit" : "8bit").append("\r\n");
    return header.toString();
  }

  /// The message's own, when it is one that can be repeated.
  private static Optional<String> messageId(Header original) {
    var field = original.first("Message-ID").map(HeaderField::value).orElse(new byte[0]);
    if (field.length < 3 || field.length > MESSAGE_ID_MAX) {
      return Optional.empty();
    }
    for (int i = 0; i < field.length; i++) {
      boolean outer = i == 0 || i == field.length - 1;
      if (field[i] <= ' '
          || field[i] > '~'
          || (field[i] == '<' && i != 0)
          || (field[i] == '>' && i != field.length - 1)
          || (outer && field[i] != '<' && field[i] != '>')) {
        return Optional.empty();
      }
    }
    return Optional.of(new String(field, StandardCharsets.US_ASCII));
  }

  private void people(String subject, boolean whole, Counted out) throws IOException {
    var text = new PeopleText(this, subject, whole).text();
    var octets = text.getBytes(StandardCharsets.UTF_8);
    if (Text.isAscii(text) && PeopleText.LINE_MAX >= longest(octets)) {
      out.text("Content-Type: text/plain; charset=us-ascii\r\n\r\n");
      out.write(octets);
      return;
    }
    out.text("Content-Type: text/plain; charset=utf-8\r\n");
    out.text("Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    var encoded = new ByteArrayOutputStream(octets.length + 64);
    var encoder = new QuotedPrintableEncoder();
    encoder.encode(octets, 0, octets.length, encoded);
    encoder.end(encoded);
    out.write(encoded.toByteArray());
  }

  private static int longest(byte[] octets) {
    int longest = 0;
    int line = 0;
    for (byte octet : octets) {
      line = octet == '\n' ? 0 : line + 1;
      longest = Math.max(longest, line);
    }
    return longest;
  }

  private String status(boolean global) {
    var fields = new StatusFields(global);
    fields.add("Reporting-MTA", "dns; " + hostname);
    envelope.id().ifPresent(xtext -> fields.add("Original-Envelope-Id", Xtext.decode(xtext)));
    fields.add("Arrival-Date", Text.date(arrived));
    // RFC 2852 §6
    envelope
        .handling()
        .by()
        .ifPresent(by -> fields.add("Deliver-By-Date", Text.date(by.deadline(arrived))));
    told.forEach(fields::recipient);
    return fields.toString();
  }

  private void returned(Original seen, boolean whole, boolean ascii, Counted out)
      throws IOException {
    boolean global = envelope.smtpUtf8() && !seen.headerAscii();
    out.text(
        "Content-Type: "
            + (whole
                ? global ? "message/global" : "message/rfc822"
                : global ? "message/global-headers" : "text/rfc822-headers")
            + "\r\nContent-Transfer-Encoding: "
            + (ascii ? "7bit" : "8bit")
            + "\r\nContent-Description: "
            + (whole ? "The message" : "The header of the message")
            + "\r\n\r\n");
    if (!whole) {
      out.write(seen.header());
      return;
    }
    try (var in = new CrlfStream(seen.source().open())) {
      in.transferTo(out);
    }
  }

  /// Counts what goes through.
  private static final class Counted extends FilterOutputStream {
    long octets;

    Counted(OutputStream out) {
      super(out);
    }

    void text(String text) throws IOException {
      write(text.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void write(int octet) throws IOException {
      out.write(octet);
      octets++;
    }

    @Override
    public void write(byte[] source, int offset, int length) throws IOException {
      out.write(source, offset, length);
      octets += length;
    }
  }
}
