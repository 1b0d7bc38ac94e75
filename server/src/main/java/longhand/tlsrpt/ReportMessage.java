package longhand.tlsrpt;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.Locale;
import longhand.dns.DnsName;
import longhand.mail.Address;

/// The message that a report travels in (RFC 8460 §5.3): a few words, and the report as an
/// attachment. It still wants a signature (DKIM, RFC 8460 §3), and is to be sent whatever TLS there
/// is: a report about broken TLS must not fail by it.
public final class ReportMessage {

  /// Has an octet that base64 has not in front of the end of its text, and our words have not.
  private static final String BOUNDARY = "=_report";

  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE, d MMM yyyy HH:mm:ss Z", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  private ReportMessage() {}

  /// The whole message, lines ended by CRLF, ASCII.
  ///
  /// @param domain whose report it is
  /// @param submitter our name
  /// @param from of an address of ours, ASCII
  /// @param to where the domain wants it
  public static byte[] of(
      TlsReport report, DnsName domain, DnsName submitter, Address from, Address to, Instant date) {
    var name =
        submitter
            + "!"
            + domain
            + "!"
            + report.begin().getEpochSecond()
            + "!"
            + report.end().getEpochSecond()
            + ".json.gz";
    var base64 =
        Base64.getMimeEncoder(76, new byte[] {'\r', '\n'}).encodeToString(ReportFile.write(report));
    var message =
        """
        From: <%s>
        To: <%s>
        Date: %s
        Message-ID: <%s>
        Subject: Report Domain: %s
         Submitter: %s
         Report-ID: <%s>
        TLS-Report-Domain: %s
        TLS-Report-Submitter: %s
        TLS-Required: No
        Auto-Submitted: auto-generated
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type="tlsrpt";
         boundary="%s"

        --%s
        Content-Type: text/plain; charset=us-ascii

        This is a report of %s about TLS in mail sent to %s
        from %s to %s.
        The attachment holds it for programs (RFC 8460).

        --%s
        Content-Type: %s
        Content-Transfer-Encoding: base64
        Content-Disposition: attachment;
         filename="%s"

        %s
        --%s--
        """
            .formatted(
                from.quoted(),
                to.quoted(),
                DATE.format(date),
                report.id(),
                domain,
                submitter,
                report.id(),
                domain,
                submitter,
                BOUNDARY,
                BOUNDARY,
                submitter,
                domain,
                report.begin(),
                report.end(),
                BOUNDARY,
                ReportFile.MEDIA_TYPE,
                name,
                base64.replace("\r\n", "\n"),
                BOUNDARY);
    return message.replace("\n", "\r\n").getBytes(StandardCharsets.US_ASCII);
  }
}
