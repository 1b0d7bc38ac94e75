package longhand.dsn;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static longhand.dsn.Reports.ANA;
import static longhand.dsn.Reports.ARRIVED;
import static longhand.dsn.Reports.MESSAGE;
import static longhand.dsn.Reports.delayed;
import static longhand.dsn.Reports.done;
import static longhand.dsn.Reports.envelope;
import static longhand.dsn.Reports.failed;
import static longhand.dsn.Reports.path;
import static longhand.dsn.Reports.report;
import static longhand.dsn.Reports.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import longhand.mail.Envelope;
import longhand.mail.ForwardPath;
import longhand.mail.ForwardPath.Notify;
import longhand.mail.ReversePath;
import org.junit.jupiter.api.Test;

class ReportTest {

  /// The whole of one, as a reader of the code may want to see it.
  @Test
  void wholeReport() {
    var boundary = "=_73d51abbd89cb8196f0efb6892f94d68";
    assertThat(write(report(failed(path("ben"), "550 5.1.1 No such user")), MESSAGE))
        .isEqualTo(
            """
            From: Mail Delivery System <MAILER-DAEMON@mx.example.org>
            To: <ana@example.org>
            Subject: Not delivered: Lunch
            Date: Tue, 24 Nov 2026 18:31:30 +0000
            Message-ID: <r1@mx.example.org>
            In-Reply-To:
             <one@example.org>
            References:
             <one@example.org>
            Auto-Submitted: auto-replied
            MIME-Version: 1.0
            Content-Type: multipart/report; report-type=delivery-status;
             boundary="BOUNDARY"
            Content-Transfer-Encoding: 7bit

            --BOUNDARY
            Content-Type: text/plain; charset=us-ascii

            This is the mail server mx.example.org.

            Your message "Lunch" of Tue, 24 Nov 2026 18:30:00 +0000 was not
            delivered to

                ben@example.net

            There is no such address there. It will not be tried again. Please check
            the address, and send the message anew if it was mistyped.

            The server mx.example.net said:

                550 5.1.1 No such user

            The message is attached, and details for your mail program.


            --BOUNDARY
            Content-Type: message/delivery-status
            Content-Description: What became of the message, for programs

            Reporting-MTA: dns; mx.example.org
            Original-Envelope-Id: QQ 314
            Arrival-Date: Tue, 24 Nov 2026 18:30:00 +0000

            Final-Recipient: rfc822; ben@example.net
            Action: failed
            Status: 5.1.1
            Remote-MTA: dns; mx.example.net
            Diagnostic-Code: smtp; 550 5.1.1 No such user
            Last-Attempt-Date: Tue, 24 Nov 2026 18:31:00 +0000
            Final-Log-ID: q1

            --BOUNDARY
            Content-Type: message/rfc822
            Content-Transfer-Encoding: 7bit
            Content-Description: The message

            From: Ana <ana@example.org>
            To: Ben <ben@example.net>
            Subject: Lunch
            Message-ID: <one@example.org>

            At noon?

            --BOUNDARY--
            """
                .replace("BOUNDARY", boundary)
                .replace("\n", "\r\n"));
  }

  @Test
  void delaysSayUntilWhenItIsTried() {
    var text = write(report(delayed(path("ben"))), MESSAGE);
    assertThat(text)
        .contains("Subject: Not delivered yet: Lunch\r\n")
        .contains("it is\r\ntried again until Sun, 29 Nov 2026 18:30:00 +0000")
        .contains("Action: delayed\r\nStatus: 4.4.1\r\n")
        .contains("Diagnostic-Code: x-longhand; connection timed out\r\n")
        .contains("Will-Retry-Until: Sun, 29 Nov 2026 18:30:00 +0000\r\n")
        .contains("Content-Type: text/rfc822-headers\r\n")
        .doesNotContain("noon");
  }

  @Test
  void recipientsWithOneFateStandTogetherTheWorstFirst() {
    var told = new java.util.ArrayList<Told>();
    told.add(done(path("carl"), Action.RELAYED));
    told.add(done(path("dora"), Action.DELIVERED));
    IntStream.range(0, 1000).forEach(n -> told.add(failed(path("r" + n), "550 no")));
    told.add(done(path("list"), Action.EXPANDED));
    told.add(delayed(path("eva")));
    var text = write(report(told.toArray(Told[]::new)), MESSAGE);
    var people = text.substring(0, text.indexOf("message/delivery-status"));
    assertThat(people.split("There is no such address there", -1)).hasSize(2);
    assertThat(people)
        .containsSubsequence(
            "not\r\ndelivered to",
            "r0@",
            "r999@",
            "has not been",
            "eva@",
            "was delivered",
            "dora@",
            "passed on",
            "carl@",
            "members of the list",
            "list@");
    assertThat(text.split("\r\nFinal-Recipient: ", -1)).hasSize(1005);
    assertThat(text).contains("Action: expanded\r\nStatus: 2.0.0\r\n");
  }

  /// RFC 3461 §4.3.
  @Test
  void whatIsReturned() {
    var told = failed(path("ben"), "550 no");
    var headers = Optional.of(Envelope.Returned.HEADERS);
    var full = Optional.of(Envelope.Returned.FULL);
    assertThat(write(report(envelope(full, false), told), MESSAGE)).contains("noon?");
    assertThat(write(report(envelope(headers, false), told), MESSAGE))
        .contains("text/rfc822-headers", "<one@example.org>\r\n\r\n--=_")
        .doesNotContain("noon?");
    assertThat(write(report(envelope(full, false), delayed(path("ben"))), MESSAGE))
        .doesNotContain("noon?");
    int body = Report.ORIGINAL_OCTETS_MAX - MESSAGE.length();
    assertThat(write(report(told), MESSAGE + "x".repeat(body))).contains("noon?");
    assertThat(write(report(told), MESSAGE + "x".repeat(body + 1)))
        .contains("text/rfc822-headers", "The first lines")
        .doesNotContain("noon?");
    var longHeader = "A: b\r\n".repeat(Original.HEADER_MAX) + "\r\nnoon?";
    var cut = write(report(told), longHeader);
    assertThat(cut).doesNotContain("noon?").contains("A: b\r\n\r\n--=_");
    assertThat(cut.length()).isBetween(Original.HEADER_MAX, Original.HEADER_MAX + 4000);
    assertThat(write(report(told), "")).contains("Subject: Not delivered\r\n");
  }

  /// RFC 6533: an address beyond ASCII has no place in message/delivery-status.
  @Test
  void internationalAddresses() {
    var text =
        write(
            report(
                envelope(Optional.empty(), true),
                failed(path("jos\u00e9", "utf-8;jos\\x{E9}+40example.net"), "550 \u00e9")),
            MESSAGE);
    assertThat(new String(text.getBytes(ISO_8859_1), UTF_8))
        .contains("message/global-delivery-status; charset=utf-8\r\n")
        .contains("Original-Recipient: utf-8; jos\u00e9+40example.net\r\n")
        .contains("Final-Recipient: utf-8; jos\u00e9@example.net\r\n")
        .contains("Diagnostic-Code: smtp; 550 \u00e9\r\n")
        .contains("jos=C3=A9@example.net")
        .contains("Content-Type: message/rfc822\r\n");
    assertThat(
            write(
                report(envelope(Optional.empty(), true), failed(path("ben"), "550 no")),
                "Subject: \u00c3\u00a9\r\n\r\nx\r\n"))
        .contains("message/global\r\n", "message/delivery-status\r\n")
        .contains("Subject: Not delivered: =?utf-8?B?w6k=?=\r\n");
    assertThat(write(report(failed(path("ben", "rfc822;a+20b+2B@x.org"), "550 \u00e9")), MESSAGE))
        .contains("Original-Recipient: rfc822; a b+@x.org\r\n")
        .contains("Diagnostic-Code: smtp; 550 ?\r\n");
  }

  @Test
  void tellsItsSenderWhatItHolds() throws IOException {
    var eightBit = "Subject: x\r\n\r\n\u00e9\r\n".getBytes(ISO_8859_1);
    var out = new ByteArrayOutputStream();
    var told = failed(path("ben"), "550 no");
    assertThat(
            report(told).write(() -> new ByteArrayInputStream(eightBit), new Random(1), out).body())
        .isEqualTo(Envelope.Body.EIGHT_BIT_MIME);
    assertThat(out.toString(ISO_8859_1)).contains("Content-Transfer-Encoding: 8bit\r\n");
    var headers = report(envelope(Optional.of(Envelope.Returned.HEADERS), false), told);
    assertThat(headers.write(() -> new ByteArrayInputStream(eightBit), new Random(1), out).body())
        .isEqualTo(Envelope.Body.SEVEN_BIT);
  }

  @Test
  void subjectsAndIdsOfOthersAreTamed() {
    var text =
        write(
            report(failed(path("ben"), "550 no")),
            "Subject: "
                + "w".repeat(5000)
                + "\r\n =?utf-8?Q?a=0D=0AX-Evil:_yes?=\r\nMessage-ID: <a b@c>\r\n\r\nx\r\n");
    assertThat(text).doesNotContain("In-Reply-To", "\nX-Evil");
    for (var line : text.substring(0, text.indexOf("\r\n\r\n")).split("\r\n", -1)) {
      assertThat(line.length()).isLessThanOrEqualTo(78);
    }
    for (var id : List.of("<<a@b>", "a@b", "<a@b", "<>", "<a@b> <c@d>", "<a\u00e9@b>")) {
      assertThat(write(report(failed(path("b"), "x")), "Message-ID: " + id + "\r\n\r\nx\r\n"))
          .doesNotContain("In-Reply-To");
    }
  }

  @Test
  void noReportOfNobodyOrToNobody() {
    assertThatThrownBy(() -> report()).isInstanceOf(IllegalArgumentException.class);
    var nobody =
        new Envelope(
            ReversePath.NULL,
            List.of(),
            Envelope.Body.SEVEN_BIT,
            false,
            Optional.empty(),
            Optional.empty());
    assertThatThrownBy(() -> report(nobody, failed(path("ben"), "550 no")))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /// RFC 3461 §4.1, §5.2; RFC 5321 §4.5.5.
  @Test
  void whoIsToldOfWhat() {
    assertThat(wanted()).containsExactly(Action.FAILED, Action.DELAYED);
    assertThat(wanted(Notify.NEVER)).isEmpty();
    assertThat(wanted(Notify.FAILURE)).containsExactly(Action.FAILED);
    assertThat(wanted(Notify.DELAY)).containsExactly(Action.DELAYED);
    assertThat(wanted(Notify.SUCCESS))
        .containsExactly(Action.DELIVERED, Action.RELAYED, Action.EXPANDED);
    var all = new ForwardPath(ANA, Set.of(Notify.FAILURE), Optional.empty());
    assertThat(Action.FAILED.isWanted(ReversePath.NULL, all)).isFalse();
    assertThat(Action.taken(true)).isEmpty();
    assertThat(Action.taken(false)).contains(Action.RELAYED);
  }

  private static List<Action> wanted(Notify... reports) {
    var to = new ForwardPath(ANA, Set.of(reports), Optional.empty());
    return java.util.Arrays.stream(Action.values())
        .filter(action -> action.isWanted(ReversePath.of(ANA), to))
        .toList();
  }

  @Test
  void onlyDelaysAreTriedAgain() {
    assertThatThrownBy(
            () ->
                new Told(
                    path("ben"),
                    Action.FAILED,
                    new longhand.mail.EnhancedStatus(5, 0, 0),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.of(ARRIVED),
                    Optional.empty()))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
