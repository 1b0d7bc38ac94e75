package longhand.dsn;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static longhand.dsn.Reports.MESSAGE;
import static longhand.dsn.Reports.delayed;
import static longhand.dsn.Reports.failed;
import static longhand.dsn.Reports.path;
import static longhand.dsn.Reports.report;
import static longhand.dsn.Reports.write;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import longhand.Seed;
import longhand.dialog.Mutator;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;
import org.junit.jupiter.api.Test;

class NotificationTest {

  private static Optional<Notification> read(String message) {
    try {
      return Notification.read(new ByteArrayInputStream(message.getBytes(ISO_8859_1)));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Address address(String localPart) {
    return new Address(localPart, new Domain("example.net"));
  }

  private static String status(String fields) {
    return "Content-Type: multipart/report; report-type=Delivery-Status; boundary=b\r\n\r\n--b\r\n"
        + "\r\nwords\r\n--b\r\nContent-Type: Message/Delivery-Status\r\n\r\n"
        + fields
        + "\r\n--b--\r\n";
  }

  @Test
  void readsWhatWeWrite() {
    var told =
        List.of(
            failed(path("ben", "rfc822;Old+2BBen@example.org"), "550 no"),
            failed(path("a  \"b"), "550 no"),
            failed(path("jos\u00e9", "utf-8;jos\\x{e9}@example.org"), "550 no"),
            delayed(path("eva")));
    var read = read(write(report(told.toArray(Told[]::new)), MESSAGE)).orElseThrow();
    assertThat(read.envelopeId()).contains("QQ 314");
    assertThat(read.recipients())
        .containsExactly(
            recipient("Old+Ben", "ben", Action.FAILED, 5, 1, 1),
            recipient(null, "a  \"b", Action.FAILED, 5, 1, 1),
            recipient("jos\u00e9", "jos\u00e9", Action.FAILED, 5, 1, 1),
            recipient(null, "eva", Action.DELAYED, 4, 4, 1));
  }

  private static Notification.Recipient recipient(
      @org.jspecify.annotations.Nullable String original,
      String last,
      Action action,
      int kind,
      int subject,
      int detail) {
    return new Notification.Recipient(
        Optional.ofNullable(original).map(text -> new Address(text, new Domain("example.org"))),
        Optional.of(address(last)),
        action,
        Optional.of(new EnhancedStatus(kind, subject, detail)));
  }

  /// As other servers write them: comments, angle brackets, folding, LF, groups in any number.
  @Test
  void readsWhatOthersWrite() {
    var read =
        read(
            status(
                """
                Reporting-MTA: dns; x


                Final-Recipient: RFC822;\r
                 <Ben@EXAMPLE.net>\r
                Action: Failed (permanently)\r
                Status: 5.0.0 (permanent failure)\r
                X-More: yes\r
                \r
                Final-Recipient: rfc822; no address\r
                Action: failed\r
                Status: 9.1\r
                \r
                Final-Recipient: rfc822; c@example.net\r
                Action: sold\r
                \r
                Final-Recipient: x400; /G=c/\r
                Action: delivered\r
                """));
    assertThat(read.orElseThrow().recipients())
        .containsExactly(
            new Notification.Recipient(
                Optional.empty(),
                Optional.of(address("Ben")),
                Action.FAILED,
                Optional.of(new EnhancedStatus(5, 0, 0))),
            new Notification.Recipient(
                Optional.empty(), Optional.empty(), Action.FAILED, Optional.empty()),
            new Notification.Recipient(
                Optional.empty(), Optional.empty(), Action.DELIVERED, Optional.empty()));
  }

  @Test
  void encodedStatusIsDecoded() {
    var fields =
        "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: utf-8; jos\u00e9@example.net\r\nAction: failed\r\n";
    var base64 = java.util.Base64.getMimeEncoder().encodeToString(fields.getBytes(UTF_8));
    var read =
        read(
            status("")
                .replace(
                    "Message/Delivery-Status\r\n\r\n",
                    "message/global-delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                        + base64));
    assertThat(read.orElseThrow().recipients().getFirst().last()).contains(address("jos\u00e9"));
  }

  @Test
  void othersAreNone() {
    assertThat(read(MESSAGE)).isEmpty();
    assertThat(read("")).isEmpty();
    assertThat(read(status("").replace("Delivery-Status", "disposition-notification"))).isEmpty();
    assertThat(read(status("").replace("Message/", "text/"))).isEmpty();
  }

  @Test
  void noMoreRecipientsThanTheBound() {
    var one = "\r\nFinal-Recipient: rfc822; a@b.example\r\nAction: failed\r\n";
    assertThat(read(status(one.repeat(1001))).orElseThrow().recipients())
        .hasSize(Notification.RECIPIENTS_MAX);
    assertThat(read(status(one + "x".repeat(Notification.OCTETS_MAX))).orElseThrow().recipients())
        .hasSize(1);
  }

  @Test
  void arbitraryOctetsAreReadOrNot() throws IOException {
    long seed = Seed.value();
    var report =
        write(report(failed(path("jos\u00e9", "utf-8;a\\x{2B}b@x.org"), "550 no")), MESSAGE);
    var mutator =
        new Mutator(
            seed,
            List.of(
                report.getBytes(ISO_8859_1),
                status("A: b\r\n\r\nFinal-Recipient: rfc822; <a@b.example>\r\nAction: failed\r\n")
                    .getBytes(ISO_8859_1)));
    long until = Mutator.untilNanos();
    int read = 0;
    for (int n = 0; System.nanoTime() < until; n++) {
      var octets = mutator.next();
      try {
        read += Notification.read(new ByteArrayInputStream(octets)).isPresent() ? 1 : 0;
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed + ", input " + n, e);
      }
    }
    assertThat(read).as("seed %d", seed).isPositive();
  }
}
