package longhand.smtp;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.Envelope;
import longhand.mail.ForwardPath;
import longhand.mail.Handling;
import longhand.mail.ReversePath;
import longhand.mail.Xtext;
import longhand.smtp.Command.XClient.Attribute;
import longhand.smtp.Command.XClient.Value;
import longhand.wire.Limits;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CommandTest {

  private static final Domain POSTMASTER = new Domain("example.org");
  private static final Set<Extension> ALL = EnumSet.allOf(Extension.class);

  private static Command parse(String line) {
    return CommandParser.parse(line.getBytes(StandardCharsets.UTF_8), POSTMASTER, ALL);
  }

  private static int code(String line) {
    return parse(line) instanceof Command.Malformed(var owed) ? owed.code() : 0;
  }

  private static Address sender(String line) {
    return ((Command.Mail) parse(line)).from().address().orElseThrow();
  }

  private static Address recipient(String line) {
    return ((Command.Recipient) parse(line)).to().address();
  }

  @Test
  void verbsHaveNoCase() {
    assertThat(parse("quit")).isInstanceOf(Command.Quit.class);
    assertThat(parse("QuIt  ")).isInstanceOf(Command.Quit.class);
    assertThat(parse("eHLO a.example"))
        .isEqualTo(new Command.Hello(Command.Hello.Kind.EHLO, "a.example"));
    assertThat(parse("starttls")).isInstanceOf(Command.StartTls.class);
    assertThat(parse("vrfy someone")).isInstanceOf(Command.Verify.class);
    assertThat(parse("expn list")).isInstanceOf(Command.NotHere.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        " QUIT",
        "QUITE",
        "GET / HTTP/1.1",
        "POST",
        "MAI",
        "STARTTLSS",
        "\u00e9HLO x",
        "QUIT\tx",
        "NOOP \0",
        "NOOP \u007f"
      })
  void unknownVerbsAndControlsAre500(String line) {
    assertThat(code(line)).isEqualTo(500);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "DATA x",
        "QUIT x",
        "RSET x",
        "STARTTLS x",
        "EHLO",
        "EHLO ",
        "EHLO a b",
        "EHLO <script>",
        "EHLO b\u00fccher.example",
        "VRFY",
        "BDAT",
        "BDAT x",
        "BDAT -1",
        "BDAT 1 FIRST",
        "BDAT 1 LAST x",
        "BDAT 9999999999999999999",
        "AUTH",
        "AUTH PLA!N",
        "AUTH PLAIN ====",
        "AUTH PLAIN AGE=\u00e9"
      })
  void wrongArgumentsAre501(String line) {
    assertThat(code(line)).isEqualTo(501);
  }

  @Test
  void helloNames() {
    for (var name :
        new String[] {"[127.0.0.1]", "[IPv6:::1]", "localhost", "host_name.example", "a"}) {
      assertThat(parse("EHLO " + name)).isEqualTo(new Command.Hello(Command.Hello.Kind.EHLO, name));
    }
    assertThat(parse("HELO " + "a".repeat(255))).isInstanceOf(Command.Hello.class);
    assertThat(code("HELO " + "a".repeat(256))).isEqualTo(501);
  }

  @Test
  void nullReversePath() {
    assertThat(((Command.Mail) parse("MAIL FROM:<>")).from()).isEqualTo(ReversePath.NULL);
    assertThat(((Command.Mail) parse("mail from: <>")).from()).isEqualTo(ReversePath.NULL);
  }

  @Test
  void mailboxes() {
    assertThat(sender("MAIL FROM:<ana@Example.ORG>"))
        .isEqualTo(new Address("ana", new Domain("example.org")));
    assertThat(sender("MAIL FROM:<Ana.B+c@example.org>").localPart()).isEqualTo("Ana.B+c");
    assertThat(sender("MAIL FROM:<\"a b\\\"c\\\\\"@example.org>").localPart())
        .isEqualTo("a b\"c\\");
    assertThat(sender("MAIL FROM:<\"a\\@b\"@example.org>").quoted())
        .isEqualTo("\"a@b\"@example.org");
    assertThat(sender("MAIL FROM:<a@[127.0.0.1]>").domain().name()).isEqualTo("[127.0.0.1]");
    assertThat(sender("MAIL FROM:<a@[IPv6:2001:DB8::1]>").domain().name())
        .isEqualTo("[ipv6:2001:db8::1]");
    assertThat(recipient("RCPT TO:<Postmaster>")).isEqualTo(new Address("Postmaster", POSTMASTER));
    assertThat(recipient("RCPT TO:<@a.example,@b.example:joe@c.example>"))
        .isEqualTo(new Address("joe", new Domain("c.example")));
  }

  @Test
  void relayTricksStayInTheLocalPart() {
    assertThat(recipient("RCPT TO:<joe%evil.example@example.org>").domain()).isEqualTo(POSTMASTER);
    assertThat(recipient("RCPT TO:<evil.example!joe@example.org>").domain()).isEqualTo(POSTMASTER);
    assertThat(recipient("RCPT TO:<\"joe@evil.example\"@example.org>").domain())
        .isEqualTo(POSTMASTER);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "MAIL",
        "MAIL FROM",
        "MAIL FROM:",
        "MAIL FROM:a@example.org",
        "MAIL  FROM:<a@example.org>",
        "MAIL TO:<a@example.org>",
        "MAIL FROM:<a@example.org",
        "MAIL FROM:<a>",
        "MAIL FROM:<a@>",
        "MAIL FROM:<@example.org>",
        "MAIL FROM:<a@b@example.org>",
        "MAIL FROM:<a..b@example.org>",
        "MAIL FROM:<.a@example.org>",
        "MAIL FROM:<a.@example.org>",
        "MAIL FROM:<a b@example.org>",
        "MAIL FROM:<a@example..org>",
        "MAIL FROM:<a@example.org.>",
        "MAIL FROM:<a@-example.org>",
        "MAIL FROM:<a@example-.org>",
        "MAIL FROM:<a@exam ple.org>",
        "MAIL FROM:<\"a@example.org>",
        "MAIL FROM:<\"\"@example.org>",
        "MAIL FROM:<\"a\"b@example.org>",
        "MAIL FROM:<a@[127.0.0.1>",
        "MAIL FROM:<a@[127.0.0.256]>",
        "MAIL FROM:<a@[127.1]>",
        "MAIL FROM:<a@[IPv6:::1%lo]>",
        "MAIL FROM:<a@[IPv6:zz]>",
        "MAIL FROM:<a@[]>",
        "MAIL FROM:<a@example.org>x",
        "MAIL FROM:<a@example.org>SIZE=1",
        "MAIL FROM:<@a.example joe@c.example>",
        "MAIL FROM:<@a.example,:joe@c.example>",
        "RCPT TO:<>",
        "RCPT TO:<@example.org:>",
        "RCPT TO:<joe>",
        "RCPT FROM:<a@example.org>",
        "MAIL FROM:<a@example.org> SIZE=",
        "MAIL FROM:<a@example.org> SIZE=-1",
        "MAIL FROM:<a@example.org> SIZE=1x",
        "MAIL FROM:<a@example.org> SIZE=1 SIZE=1",
        "MAIL FROM:<a@example.org> SIZE=123456789012345678901",
        "MAIL FROM:<a@example.org> BODY=9BIT",
        "MAIL FROM:<a@example.org> SMTPUTF8=1",
        "MAIL FROM:<a@example.org> RET=SOME",
        "MAIL FROM:<a@example.org> ENVID=a+4",
        "MAIL FROM:<a@example.org> ENVID=a+4g",
        "MAIL FROM:<a@example.org> =",
        "RCPT TO:<a@example.org> NOTIFY=",
        "RCPT TO:<a@example.org> NOTIFY=NEVER,SUCCESS",
        "RCPT TO:<a@example.org> NOTIFY=SUCCESS,SUCCESS",
        "RCPT TO:<a@example.org> NOTIFY=,",
        "RCPT TO:<a@example.org> NOTIFY=DELAY NOTIFY=DELAY",
        "RCPT TO:<a@example.org> ORCPT=a@example.org",
        "RCPT TO:<a@example.org> ORCPT=rfc822;",
        "RCPT TO:<a@example.org> ORCPT=;a",
        "RCPT TO:<a@example.org> ORCPT=rfc822;a+0D+0AX:",
        "RCPT TO:<a@example.org> ORCPT=rfc822;a+C3",
        "RCPT TO:<a@example.org> ORCPT=rfc822;a+2b",
        "RCPT TO:<a@example.org> ORCPT=utf-8;a+2B",
        "RCPT TO:<a@example.org> ORCPT=utf-8;a\\b",
        "RCPT TO:<a@example.org> ORCPT=utf-8;a\\x{}",
        "RCPT TO:<a@example.org> ORCPT=utf-8;a\\x{0A}",
        "RCPT TO:<a@example.org> ORCPT=utf-8;a\\x{85}",
        "RCPT TO:<a@example.org> ORCPT=utf-8;a\\x{D800}",
        "RCPT TO:<a@example.org> ORCPT=utf-8;a\\x{110000}",
        "RCPT TO:<a@example.org> ORCPT=utf-8;a\\x{00000E9}",
        "RCPT TO:<a@example.org> ORCPT=utf-8;a\\x{e9",
        "MAIL FROM:<a@example.org> ENVID=a+0A",
        "MAIL FROM:<a@example.org> RET=FULL RET=HDRS",
        "MAIL FROM:<a@example.org> HOLDFOR",
        "MAIL FROM:<a@example.org> HOLDFOR=0",
        "MAIL FROM:<a@example.org> HOLDFOR=01",
        "MAIL FROM:<a@example.org> HOLDFOR=-1",
        "MAIL FROM:<a@example.org> HOLDFOR=1000000000",
        "MAIL FROM:<a@example.org> HOLDFOR=1 HOLDFOR=1",
        "MAIL FROM:<a@example.org> HOLDFOR=1 HOLDUNTIL=2026-11-24T18:30:00Z",
        "MAIL FROM:<a@example.org> HOLDUNTIL=2026-11-24T18:30:00Z HOLDFOR=1",
        "MAIL FROM:<a@example.org> HOLDUNTIL=2026-11-24",
        "MAIL FROM:<a@example.org> HOLDUNTIL=2026-11-24T18:30Z",
        "MAIL FROM:<a@example.org> HOLDUNTIL=2026-11-24T18:30+00:00",
        "MAIL FROM:<a@example.org> HOLDUNTIL=2026-11-24T18:30:00",
        "MAIL FROM:<a@example.org> HOLDUNTIL=2026-02-30T18:30:00Z",
        "MAIL FROM:<a@example.org> HOLDUNTIL=+999999999-02-20T18:30:00Z",
        "MAIL FROM:<a@example.org> HOLDUNTIL=2026-11-24T18:30:00+02",
        "MAIL FROM:<a@example.org> BY=10",
        "MAIL FROM:<a@example.org> BY=;R",
        "MAIL FROM:<a@example.org> BY=10;",
        "MAIL FROM:<a@example.org> BY=10;X",
        "MAIL FROM:<a@example.org> BY=10;TR",
        "MAIL FROM:<a@example.org> BY=0;R",
        "MAIL FROM:<a@example.org> BY=-1;R",
        "MAIL FROM:<a@example.org> BY=--1;N",
        "MAIL FROM:<a@example.org> BY=1000000000;N",
        "MAIL FROM:<a@example.org> BY=1;N BY=1;N",
        "MAIL FROM:<a@example.org> MT-PRIORITY",
        "MAIL FROM:<a@example.org> MT-PRIORITY=10",
        "MAIL FROM:<a@example.org> MT-PRIORITY=-0",
        "MAIL FROM:<a@example.org> MT-PRIORITY=+1",
        "MAIL FROM:<a@example.org> MT-PRIORITY=-",
        "MAIL FROM:<a@example.org> REQUIRETLS=1",
        "MAIL FROM:<a@example.org> REQUIRETLS REQUIRETLS"
      })
  void wrongPathsAndParametersAre501(String line) {
    assertThat(code(line)).isEqualTo(501);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "MAIL FROM:<a@example.org> FOO",
        "MAIL FROM:<a@example.org> FOO=bar",
        "MAIL FROM:<a@example.org> NOTIFY=NEVER",
        "MAIL FROM:<a@example.org> MT_PRIORITY=1",
        "RCPT TO:<a@example.org> SIZE=1"
      })
  void unknownParametersAre555(String line) {
    assertThat(code(line)).isEqualTo(555);
  }

  @Test
  void parameters() {
    var mail =
        (Command.Mail)
            parse(
                "MAIL FROM:<a@example.org> SIZE=12 BODY=8bitmime RET=hdrs ENVID=Q+3D1"
                    + " AUTH=<> SMTPUTF8");
    assertThat(mail.sizeOctets()).hasValue(12);
    assertThat(mail.body()).isEqualTo(Envelope.Body.EIGHT_BIT_MIME);
    assertThat(mail.returned()).contains(Envelope.Returned.HEADERS);
    assertThat(mail.envelopeId()).contains("Q+3D1");
    assertThat(mail.smtpUtf8()).isTrue();
    var to =
        ((Command.Recipient)
                parse("RCPT TO:<a@example.org> NOTIFY=success,FAILURE ORCPT=rfc822;a+2Bb@x.org"))
            .to();
    assertThat(to.reports())
        .isEqualTo(Set.of(ForwardPath.Notify.SUCCESS, ForwardPath.Notify.FAILURE));
    assertThat(to.originalRecipient()).contains("rfc822;a+2Bb@x.org");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "HOLDFOR=1",
        "HOLDUNTIL=2026-11-24T18:30:00Z",
        "BY=1;R",
        "MT-PRIORITY=1",
        "REQUIRETLS",
        "BODY=BINARYMIME"
      })
  void parametersOfWhatIsNotAnnouncedAre555(String parameter) {
    var line = "MAIL FROM:<a@example.org> " + parameter;
    assertThat(code(line)).isZero();
    var without = CommandParser.parse(line.getBytes(StandardCharsets.UTF_8), POSTMASTER, Set.of());
    assertThat(without).isInstanceOf(Command.Malformed.class);
    assertThat(((Command.Malformed) without).owed().code()).isEqualTo(555);
  }

  private static Handling handling(String parameters) {
    return ((Command.Mail) parse("MAIL FROM:<a@example.org> " + parameters)).handling();
  }

  /// RFC 4865 §3, RFC 2852 §4, RFC 6710 §5, RFC 8689 §2, RFC 3030 §3.
  @Test
  void whatSendersAskFor() {
    assertThat(handling("SIZE=1")).isSameAs(Handling.USUAL);
    assertThat(handling("HOLDFOR=999999999").release())
        .contains(new Handling.Release.For(Duration.ofSeconds(999_999_999)));
    assertThat(handling("holduntil=2026-11-24t18:30:00z").release())
        .contains(new Handling.Release.Until(Instant.parse("2026-11-24T18:30:00Z")));
    assertThat(handling("HOLDUNTIL=2026-11-24T18:30:00.5+02:00").release())
        .contains(new Handling.Release.Until(Instant.parse("2026-11-24T16:30:00.5Z")));
    assertThat(handling("BY=+120;R").by())
        .contains(new Handling.DeliverBy(120, Handling.DeliverBy.Mode.RETURN, false));
    assertThat(handling("by=-999999999;nt").by())
        .contains(new Handling.DeliverBy(-999_999_999, Handling.DeliverBy.Mode.NOTIFY, true));
    assertThat(handling("MT-PRIORITY=-9").priority()).isEqualTo(-9);
    assertThat(handling("mt-priority=9").priority()).isEqualTo(9);
    assertThat(handling("MT-PRIORITY=0")).isSameAs(Handling.USUAL);
    assertThat(handling("REQUIRETLS").requireTls()).isTrue();
    assertThat(((Command.Mail) parse("MAIL FROM:<a@example.org> BODY=binarymime")).body())
        .isEqualTo(Envelope.Body.BINARY_MIME);
  }

  /// RFC 4865 §4.
  @Test
  void messagesAreNotHeldTooLongNorBeyondTheirUse() {
    var now = Instant.parse("2026-11-24T18:30:00Z");
    long most = Duration.ofDays(Limits.DEFAULT.futureReleaseDaysMax()).toSeconds();
    assertThat(untimely("HOLDFOR=" + most, now)).isEmpty();
    assertThat(untimely("HOLDFOR=" + (most + 1), now)).contains(Reply.HELD_TOO_LONG);
    assertThat(untimely("HOLDUNTIL=2026-12-24T18:30:00Z", now)).isEmpty();
    assertThat(untimely("HOLDUNTIL=2026-12-24T18:30:01Z", now)).contains(Reply.HELD_TOO_LONG);
    assertThat(untimely("HOLDFOR=60 BY=61;R", now)).isEmpty();
    assertThat(untimely("HOLDFOR=60 BY=60;R", now)).contains(Reply.HELD_BEYOND_USE);
    assertThat(untimely("BY=-60;N", now)).isEmpty();
    assertThat(handling("HOLDUNTIL=2020-01-01T00:00:00Z").release().orElseThrow().at(now))
        .isEqualTo(now);
  }

  private static Optional<Reply> untimely(String parameters, Instant now) {
    return ((Command.Mail) parse("MAIL FROM:<a@example.org> " + parameters))
        .untimely(now, Limits.DEFAULT);
  }

  /// RFC 3461 §4.2, RFC 6533 §3.
  @Test
  void originalRecipients() {
    for (var value :
        new String[] {
          "rfc822;a+2Bb+20c@example.org",
          "x400;/G+3DAna/S+3DB/",
          "utf-8;jos\u00e9@example.org",
          "UTF-8;jos\\x{E9}\\x{2B}\\x{10FFFF}\\x{5c}@example.org",
        }) {
      var to = ((Command.Recipient) parse("RCPT TO:<a@example.org> ORCPT=" + value)).to();
      assertThat(to.originalRecipient()).contains(value);
    }
    var most = "rfc822;" + "a".repeat(493);
    assertThat(code("RCPT TO:<a@example.org> ORCPT=" + most)).isZero();
    assertThat(code("RCPT TO:<a@example.org> ORCPT=" + most + "a")).isEqualTo(501);
    assertThat(code("MAIL FROM:<a@example.org> ENVID=" + "a".repeat(100))).isZero();
    assertThat(code("MAIL FROM:<a@example.org> ENVID=" + "a".repeat(101))).isEqualTo(501);
  }

  @Test
  void xtextGoesThereAndBack() {
    var random = new java.util.Random(7);
    for (int n = 0; n < 1000; n++) {
      var text = new StringBuilder();
      for (int i = random.nextInt(12); i > 0; i--) {
        text.appendCodePoint(random.nextInt(4) == 0 ? random.nextInt(0xd800) : random.nextInt(128));
      }
      var xtext = Xtext.encode(text.toString());
      assertThat(Xtext.isXtext(xtext)).isTrue();
      assertThat(Xtext.decode(xtext)).isEqualTo(text.toString());
    }
    assertThat(Xtext.decode("a+4\u00e9+zz+")).isEqualTo("a+4\u00e9+zz+");
  }

  @Test
  void sizeBeyondLongIsTooLargeAndDoesNotWrap() {
    var mail = (Command.Mail) parse("MAIL FROM:<a@example.org> SIZE=99999999999999999999");
    assertThat(mail.sizeOctets()).hasValue(Long.MAX_VALUE);
  }

  @Test
  void internationalAddressesNeedSmtpUtf8() {
    assertThat(code("MAIL FROM:<jos\u00e9@example.org>")).isEqualTo(553);
    assertThat(sender("MAIL FROM:<jos\u00e9@fa\u00df.example> SMTPUTF8"))
        .isEqualTo(new Address("jos\u00e9", new Domain("xn--fa-hia.example")));
    var to = (Command.Recipient) parse("RCPT TO:<jos\u00e9@example.org>");
    assertThat(to.ascii()).isFalse();
    assertThat(code("MAIL FROM:<jos\u0085@example.org> SMTPUTF8")).isEqualTo(501);
    assertThat(code("MAIL FROM:<jos\u2028@example.org> SMTPUTF8")).isEqualTo(501);
    var broken = "MAIL FROM:<jos?@example.org> SMTPUTF8".getBytes(StandardCharsets.US_ASCII);
    broken[15] = (byte) 0xc3;
    assertThat(CommandParser.parse(broken, POSTMASTER, ALL)).isInstanceOf(Command.Malformed.class);
  }

  @ParameterizedTest
  @CsvSource({"64,0", "65,501"})
  void forwardLocalPartLength(int length, int expected) {
    assertThat(code("RCPT TO:<" + "a".repeat(length) + "@example.org>")).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"63,0", "64,501"})
  void labelLength(int length, int expected) {
    assertThat(code("RCPT TO:<a@" + "b".repeat(length) + ".org>")).isEqualTo(expected);
  }

  @Test
  void domainLength() {
    var label = "b".repeat(62) + ".";
    assertThat(code("RCPT TO:<a@" + label.repeat(4) + "ccc>")).isZero();
    assertThat(code("RCPT TO:<a@" + label.repeat(4) + "cccc>")).isEqualTo(501);
  }

  @Test
  void longReverseLocalPartsOfListsAreTaken() {
    assertThat(code("MAIL FROM:<" + "a".repeat(255) + "@example.org>")).isZero();
    assertThat(code("MAIL FROM:<" + "a".repeat(256) + "@example.org>")).isEqualTo(501);
  }

  @Test
  void auth() {
    var auth = (Command.Auth) parse("AUTH plain AGEAYg==");
    assertThat(auth.mechanism()).isEqualTo("PLAIN");
    assertThat(auth.initial().orElseThrow()).containsExactly(0, 'a', 0, 'b');
    assertThat(((Command.Auth) parse("AUTH LOGIN")).initial()).isEqualTo(Optional.empty());
    assertThat(((Command.Auth) parse("AUTH X =")).initial().orElseThrow()).isEmpty();
  }

  @Test
  void bdat() {
    assertThat(parse("BDAT 0 last")).isEqualTo(new Command.Bdat(0, true));
    assertThat(parse("bdat 86 ")).isEqualTo(new Command.Bdat(86, false));
  }

  @Test
  void xclient() {
    var client =
        (Command.XClient)
            parse(
                "xclient name=[UNAVAILABLE] ADDR=IPv6:2001:db8::1 Port=25 PROTO=esmtp"
                    + " HELO=[192.0.2.1] LOGIN=a+2Bb@example.org DESTADDR=192.0.2.7"
                    + " DESTPORT=[tempunavail] ");
    assertThat(client.attributes())
        .isEqualTo(
            Map.of(
                Attribute.NAME, Value.Missing.UNAVAILABLE,
                Attribute.ADDR, new Value.Ip(InetAddress.ofLiteral("2001:db8::1")),
                Attribute.PORT, new Value.Port(25),
                Attribute.PROTO, new Value.Text("ESMTP"),
                Attribute.HELO, new Value.Text("[192.0.2.1]"),
                Attribute.LOGIN, new Value.Text("a+b@example.org"),
                Attribute.DESTADDR, new Value.Ip(InetAddress.ofLiteral("192.0.2.7")),
                Attribute.DESTPORT, Value.Missing.TEMPUNAVAIL));
    assertThat(code("XCLIENT NAME=" + "a".repeat(255))).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "XCLIENT",
        "XCLIENT ",
        "XCLIENT NAME",
        "XCLIENT NAME=",
        "XCLIENT NAME=a NAME=a",
        "XCLIENT COLOUR=a",
        "XCLIENT NAME=a+0D+0Ab",
        "XCLIENT NAME=a+20b",
        "XCLIENT NAME=a+2b",
        "XCLIENT NAME=a(b",
        "XCLIENT HELO=a)b",
        "XCLIENT NAME=[192.0.2.1]",
        "XCLIENT PORT=000025",
        "XCLIENT NAME=\u00e9",
        "XCLIENT ADDR=2001:db8::1",
        "XCLIENT ADDR=::1",
        "XCLIENT ADDR=IPV6:192.0.2.1",
        "XCLIENT ADDR=192.0.2",
        "XCLIENT ADDR=192.0.2.256",
        "XCLIENT ADDR=IPV6:fe80::1%lo",
        "XCLIENT ADDR=[192.0.2.1]",
        "XCLIENT ADDR=localhost",
        "XCLIENT PORT=65536",
        "XCLIENT PORT=-1",
        "XCLIENT PROTO=LMTP"
      })
  void wrongXclientIs501(String line) {
    assertThat(code(line)).isEqualTo(501);
    assertThat(code("XCLIENT NAME=" + "a".repeat(256))).isEqualTo(501);
  }
}
