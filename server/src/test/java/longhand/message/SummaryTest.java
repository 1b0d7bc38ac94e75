package longhand.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

@SuppressWarnings("StringConcatToTextBlock")
class SummaryTest {

  private static byte[] wire(String text) {
    return text.replace("\n", "\r\n").getBytes(StandardCharsets.ISO_8859_1);
  }

  private static Summary summary(String text) {
    var octets = wire(text);
    var summary = Summary.of(octets);
    Soundness.check(octets, summary, text);
    return summary;
  }

  private static String structure(String text) {
    return new String(summary(text).bodyStructure(), StandardCharsets.ISO_8859_1);
  }

  private static String envelope(String text) {
    return new String(summary(text).envelope(), StandardCharsets.ISO_8859_1);
  }

  @Test
  void aMessageWithoutAnything() {
    assertEquals(
        "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 0 0 NIL NIL NIL NIL)",
        structure(""));
    assertEquals("(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)", envelope(""));
  }

  /// The example of RFC 3501 §8, and that of §7.4.2.
  @Test
  void envelopeOfTheStandard() {
    assertEquals(
        "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and minutes\""
            + " ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\"))"
            + " ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\"))"
            + " ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\"))"
            + " ((NIL NIL \"imap\" \"cac.washington.edu\"))"
            + " ((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")"
            + "(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL"
            + " \"<B27397-0100000@cac.washington.edu>\")",
        envelope(
            """
            Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)
            From: Terry Gray <gray@cac.washington.edu>
            Subject: IMAP4rev1 WG mtg summary and minutes
            To: imap@cac.washington.edu
            cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>
            Message-Id: <B27397-0100000@cac.washington.edu>
            MIME-Version: 1.0
            Content-Type: TEXT/PLAIN; CHARSET=US-ASCII

            """));
  }

  @Test
  void senderAndReplyToWhereTheyDiffer() {
    assertThat(
            envelope(
                "From: a@x\nSender: b@x\nReply-To: g: c@x, d@x;\nTo: e@x\nTo: f@x\n"
                    + "In-Reply-To: <1@x>\n\n"))
        .isEqualTo(
            "(NIL NIL ((NIL NIL \"a\" \"x\")) ((NIL NIL \"b\" \"x\"))"
                + " ((NIL NIL \"g\" NIL)(NIL NIL \"c\" \"x\")(NIL NIL \"d\" \"x\")(NIL NIL NIL NIL))"
                + " ((NIL NIL \"e\" \"x\")(NIL NIL \"f\" \"x\")) NIL NIL \"<1@x>\" NIL)");
  }

  @Test
  void stringsThatCannotBeQuotedAreLiterals() {
    assertThat(envelope("Subject: na\u00efve\n\n")).contains(" {5}\r\nna\u00efve ");
    assertThat(envelope("Subject: a\0b\n\n")).contains("{3}\r\na?b");
    assertThat(envelope("Subject: a\\\"b\n\n")).contains("\"a\\\\\\\"b\"");
    assertThat(envelope("Subject: a\rb\n\n")).contains("{3}\r\na\rb");
    assertThat(envelope("Subject: one\n two\n\tthree\n\n")).contains("\"one two\tthree\"");
    assertThat(envelope("Subject:\n\n")).startsWith("(NIL \"\" ");
  }

  /// Sizes do not count the line end before a boundary (RFC 2046 §5.1.1).
  @Test
  void multipart() {
    var text =
        """
        Content-Type: multipart/mixed; boundary="xx"

        preamble
        --xx
        Content-Type: text/html; charset=utf-8
        Content-Transfer-Encoding: quoted-printable
        Content-ID: <1@x>
        Content-Description: one
        Content-MD5: Q2hlY2s=
        Content-Disposition: attachment; filename="a.html"
        Content-Language: de, en
        Content-Location: http://x/

        a
        b
        --xx
        Content-Type: image/png; name=p.png
        Content-Transfer-Encoding: base64

        AAAA

        --xx--
        epilogue
        """;
    assertEquals(
        "((\"text\" \"html\" (\"charset\" \"utf-8\") \"<1@x>\" \"one\" \"quoted-printable\" 4 2"
            + " \"Q2hlY2s=\" (\"attachment\" (\"filename\" \"a.html\")) (\"de\" \"en\") \"http://x/\")"
            + "(\"image\" \"png\" (\"name\" \"p.png\") NIL NIL \"base64\" 6 NIL NIL NIL NIL)"
            + " \"mixed\" (\"boundary\" \"xx\") NIL NIL NIL)",
        structure(text));
    assertEquals(
        "((\"text\" \"html\" (\"charset\" \"utf-8\") \"<1@x>\" \"one\" \"quoted-printable\" 4 2)"
            + "(\"image\" \"png\" (\"name\" \"p.png\") NIL NIL \"base64\" 6) \"mixed\")",
        new String(summary(text).body(), StandardCharsets.ISO_8859_1));
  }

  @Test
  void aMessageWithinAMessage() {
    var text =
        """
        Content-Type: multipart/digest; boundary=d

        --d

        Subject: inner
        From: a@x

        one
        two
        --d
        Content-Type: message/rfc822

        Content-Type: multipart/mixed; boundary=e

        --e

        deep
        --e--
        --d--
        """;
    var summary = summary(text);
    assertThat(structure(text))
        .startsWith(
            "((\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 37 (NIL \"inner\" ((NIL NIL \"a\" \"x\"))")
        .contains(
            " (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 8 2 NIL NIL NIL NIL) 5 NIL");
    assertEquals("two", body(text, summary, 1, 1).substring(5));
    assertEquals("deep", body(text, summary, 2, 1));
    assertEquals(-1, summary.part(new int[] {3}));
    assertEquals(-1, summary.part(new int[] {1, 2}));
    assertEquals(-1, summary.part(new int[] {2, 2}));
    assertEquals(-1, summary.part(new int[] {2, 1, 1}));
  }

  private static String body(String text, Summary summary, int... path) {
    var part = summary.parts().get(summary.part(path));
    return new String(
        Arrays.copyOfRange(wire(text), (int) part.bodyStart(), (int) part.end()),
        StandardCharsets.ISO_8859_1);
  }

  @Test
  void partsOfAMessageThatHasNone() {
    var summary = summary("Subject: x\n\nbody\n");
    assertEquals(0, summary.part(new int[] {1}));
    assertEquals(-1, summary.part(new int[] {2}));
    assertEquals(-1, summary.part(new int[] {1, 1}));
    var message = summary("Content-Type: message/rfc822\n\nSubject: in\n\nbody\n");
    assertEquals(0, message.part(new int[] {1}));
    assertEquals(1, message.part(new int[] {1, 1}));
  }

  @Test
  void boundariesThatAreNone() {
    var text =
        """
        Content-Type: multipart/mixed; boundary=a

        --a
        Content-Type: multipart/mixed; boundary=ab

        --ab

        --abc
         --ab
        --ab--x
        --a b
        """;
    // "--a b" is a boundary of the outer one: white space may follow.
    assertThat(summary(text).parts()).hasSize(3);
  }

  @Test
  void whatIsCutShort() {
    var whole =
        "Content-Type: multipart/mixed; boundary=xx\n\n--xx\nA: b\n\nc\n--xx\n\nd\n--xx--\n";
    for (int i = 0; i <= wire(whole).length; i++) {
      var octets = Arrays.copyOf(wire(whole), i);
      Soundness.check(octets, Summary.of(octets), "cut at " + i);
    }
    assertThat(structure("Content-Type: multipart/mixed; boundary=xx\n\nnothing\n"))
        .isEqualTo(
            "((\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 0 0 NIL NIL NIL NIL) \"mixed\""
                + " (\"boundary\" \"xx\") NIL NIL NIL)");
    assertThat(structure("Content-Type: multipart/mixed\n\nx\n")).startsWith("(\"TEXT\" \"PLAIN\"");
  }

  @Test
  void linesAreThoseOfTheBody() {
    assertThat(structure("\na\nb")).contains(" 4 2 ");
    assertThat(structure("\na\nb\n")).contains(" 6 2 ");
    assertThat(structure("\n\n\n")).contains(" 4 2 ");
    var multipart = "Content-Type: multipart/mixed; boundary=x\n\n--x\n\n%s\n--x--\n";
    assertThat(structure(multipart.formatted(""))).contains("\"7BIT\" 0 0 ");
    assertThat(structure(multipart.formatted("a"))).contains("\"7BIT\" 1 1 ");
    assertThat(structure(multipart.formatted("a\n"))).contains("\"7BIT\" 3 1 ");
    assertThat(structure(multipart.formatted("a\nb"))).contains("\"7BIT\" 4 2 ");
  }

  @Test
  void depthEndsAtItsLimit() {
    var text = new StringBuilder();
    for (int i = 0; i < 300; i++) {
      text.append("Content-Type: multipart/mixed; boundary=b").append(i).append("\n\n--b");
      text.append(i).append('\n');
    }
    var summary = summary(text.toString());
    assertThat(summary.parts()).hasSize(MimeScanner.DEPTH_MAX + 1);
    var messages = summary("Content-Type: message/rfc822\n\n".repeat(5_000));
    assertThat(messages.parts()).hasSize(MimeScanner.DEPTH_MAX + 1);
  }

  @Test
  void partsEndAtTheirLimit() {
    var text =
        "Content-Type: multipart/mixed; boundary=b\n\n" + "--b\n\nx\n".repeat(20_000) + "--b--\n";
    var summary = summary(text);
    assertThat(summary.parts()).hasSize(MimeScanner.PARTS_MAX);
    assertEquals(wire(text).length, summary.parts().getLast().end());
  }

  @Test
  void headersEndAtTheirLimit() {
    var text = "Subject: x\n" + "A: b\n".repeat(300_000) + "From: late@x\n\nbody\n";
    var octets = wire(text);
    var summary = Summary.of(octets);
    assertEquals(octets.length - 6, summary.root().bodyStart());
    assertThat(new String(summary.envelope(), StandardCharsets.ISO_8859_1))
        .contains("\"x\"")
        .doesNotContain("late");
  }

  @Test
  void textOfAllHeadersEndsAtItsLimit() {
    var part = "--b\nContent-Type: text/plain; name=" + "n".repeat(10_000) + "\n\n";
    var summary = summary("Content-Type: multipart/mixed; boundary=b\n\n" + part.repeat(2_000));
    assertThat(summary.bodyStructure().length).isLessThan(2 << 20);
  }

  @Test
  void anIndexThatIsDamagedIsNoticed() {
    var bytes = summary("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n").toBytes();
    for (int i = 0; i < bytes.length; i++) {
      var cut = Arrays.copyOf(bytes, i);
      assertThrows(IllegalArgumentException.class, () -> Summary.fromBytes(cut));
    }
    var random = new java.util.Random(3);
    for (int i = 0; i < 20_000; i++) {
      var flipped = bytes.clone();
      flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
      try {
        Summary.fromBytes(flipped);
      } catch (IllegalArgumentException _) {
        // noticed; where it is not, a checksum around it is
      }
    }
  }

  @Test
  void daysOfDateFields() {
    assertEquals("1997-11-21", day("Fri, 21 Nov 1997 09:55:06 -0600"));
    assertEquals("2026-02-01", day("1 February 26 00:00 GMT"));
    assertEquals("1999-12-31", day("(c (d)) Fri (e) 31 (f) Dec 99 23:59"));
    assertEquals("1977-05-07", day("7 May 077 1:2"));
    assertEquals("", day("Feb 30 2026"));
    assertEquals("", day("30 Feb 2026 1:1"));
    assertEquals("", day("2026-11-23"));
    assertEquals("", day(""));
    assertEquals("", day("1 Jan 99999999999999999"));
  }

  private static String day(String date) {
    int day = SentDay.of(date.getBytes(StandardCharsets.ISO_8859_1));
    return day == SentDay.NONE ? "" : java.time.LocalDate.ofEpochDay(day).toString();
  }
}
