package longhand.smtp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Set;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.Envelope;
import longhand.mail.ForwardPath;
import longhand.mail.ReversePath;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CommandTest {

  private static final Domain POSTMASTER = new Domain("example.org");

  private static Command parse(String line) {
    return CommandParser.parse(line.getBytes(StandardCharsets.UTF_8), POSTMASTER);
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
        "RCPT TO:<a@example.org> ORCPT=rfc822;"
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
    assertThat(CommandParser.parse(broken, POSTMASTER)).isInstanceOf(Command.Malformed.class);
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
}
