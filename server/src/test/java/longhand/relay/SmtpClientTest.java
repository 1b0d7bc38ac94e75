package longhand.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.Envelope;
import longhand.mail.ForwardPath;
import longhand.mail.Handling;
import longhand.mail.ReversePath;
import longhand.wire.Connector;
import longhand.wire.TlsContext;
import longhand.wire.TlsVerification;
import longhand.wire.TlsaRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The client against scripted servers, good and hostile.
class SmtpClientTest {

  static final Timeouts PATIENT = timeouts(Duration.ofSeconds(8));

  private static final String PLAIN_HELLO =
      "S: 220 mx\nC: EHLO me.example\nS: 250-mx\nS: 250-SIZE 10000\nS: 250 8BITMIME\n";
  private static final String FAST_HELLO =
      "S: 220 mx\nC: EHLO me.example\nS: 250-mx\nS: 250-PIPELINING\nS: 250 8BITMIME\n";
  private static final String ENVELOPE =
      """
      C: MAIL FROM:<ana@example.org>*
      S: 250 2.1.0 ok
      C: RCPT TO:<r0@example.net>
      S: 250 2.1.5 ok
      """;
  private static final String MESSAGE = "Subject: x\r\n\r\nbody\r\n";
  private static final String CONTENT = "C: Subject: x\nC: \nC: body\nC: .\n";

  private static TlsContext tls;
  private static Connector connector;

  @BeforeAll
  static void open() throws IOException {
    tls = TlsContext.selfSigned("mx.example.net");
    connector = new Connector(Duration.ofSeconds(8));
  }

  @AfterAll
  static void close() {
    connector.close();
  }

  static Timeouts timeouts(Duration each) {
    return new Timeouts(each, each, each, each, each, each, each, each, each, each.multipliedBy(4));
  }

  static Envelope envelope(int recipients) {
    var to = new ArrayList<ForwardPath>();
    for (int i = 0; i < recipients; i++) {
      to.add(ForwardPath.of(new Address("r" + i, new Domain("example.net"))));
    }
    return new Envelope(
        ReversePath.of(new Address("ana", new Domain("example.org"))),
        to,
        Envelope.Body.SEVEN_BIT,
        false,
        Optional.empty(),
        Optional.empty());
  }

  static Outgoing message(Envelope envelope, String text) {
    var octets = text.getBytes(StandardCharsets.UTF_8);
    return new Outgoing(envelope, false, octets.length, () -> new ByteArrayInputStream(octets));
  }

  private static Outgoing message() {
    return message(envelope(1), MESSAGE);
  }

  private static Target target(InetSocketAddress address, TlsPolicy policy) {
    return new Target(
        address,
        "mx.example.net",
        Target.Protocol.SMTP,
        policy,
        Optional.empty(),
        Optional.empty());
  }

  private static Opening open(Target target, Timeouts timeouts) {
    return SmtpClient.open(connector, target, "me.example", timeouts);
  }

  static SmtpClient ready(Opening opening) {
    assertThat(opening).isInstanceOf(Opening.Ready.class);
    return ((Opening.Ready) opening).client();
  }

  /// Sends one message to a script, which must have gone as written.
  private static List<Outcome> send(String script, Outgoing mail) throws Exception {
    return send(script, mail, Target.Protocol.SMTP);
  }

  private static List<Outcome> send(String script, Outgoing mail, Target.Protocol protocol)
      throws Exception {
    try (var server = new ScriptedServer(script, tls)) {
      var target =
          new Target(
              server.address(),
              "mx.example.net",
              protocol,
              new TlsPolicy.Opportunistic(),
              Optional.empty(),
              Optional.empty());
      List<Outcome> outcomes;
      try (var client = ready(open(target, PATIENT))) {
        outcomes = client.send(mail);
      }
      assertThat(server.problem()).isEmpty();
      return outcomes;
    }
  }

  private static Opening opening(String script, TlsPolicy policy, Optional<Target.Login> login)
      throws Exception {
    try (var server = new ScriptedServer(script, tls)) {
      var opening =
          open(
              new Target(
                  server.address(),
                  "mx.example.net",
                  Target.Protocol.SMTP,
                  policy,
                  login,
                  Optional.empty()),
              PATIENT);
      if (opening instanceof Opening.Ready(var client)) {
        client.close();
      }
      assertThat(server.problem()).isEmpty();
      return opening;
    }
  }

  private static int code(Outcome outcome) {
    return switch (outcome) {
      case Outcome.Delivered(var reply) -> reply.code();
      case Outcome.Deferred(var reply) -> reply.code();
      case Outcome.Refused(var reply) -> reply.code();
      case Outcome.Unsendable _, Outcome.Broken _ -> 0;
    };
  }

  @Test
  void aMessageIsDeliveredWithTheServersWords() throws Exception {
    var outcomes =
        send(
            PLAIN_HELLO
                + "C: MAIL FROM:<ana@example.org> SIZE=20\nS: 250 ok\n"
                + "C: RCPT TO:<r0@example.net>\nS: 250 ok\nC: DATA\nS: 354 go\n"
                + CONTENT
                + "S: 250-2.0.0 queued\nS: 250 2.0.0 as 17",
            message());
    assertThat(outcomes).hasSize(1);
    var reply = ((Outcome.Delivered) outcomes.getFirst()).reply();
    assertThat(reply.status().orElseThrow()).hasToString("2.0.0");
    assertThat(reply.lines()).containsExactly("2.0.0 queued", "2.0.0 as 17");
  }

  @Test
  void dotsAreStuffedAndTheLastLineIsEnded() throws Exception {
    var outcomes =
        send(
            PLAIN_HELLO
                + ENVELOPE
                + "C: DATA\nS: 354 go\nC: ..\nC: ..x\nC: \nC: x.\nC: ...y\nC: .\nS: 250 ok",
            message(envelope(1), ".\r\n.x\r\n\r\nx.\r\n..y"));
    assertThat(outcomes.getFirst()).isInstanceOf(Outcome.Delivered.class);
  }

  @Test
  void chunksAreSentAsTheyAre() throws Exception {
    var outcomes =
        send(
            """
            S: 220 mx
            C: EHLO *
            S: 250-mx
            S: 250-PIPELINING
            S: 250 chunking
            C: MAIL FROM:<ana@example.org>
            C: RCPT TO:<r0@example.net>
            S: 250 ok
            S: 250 ok
            C: BDAT 6 LAST
            C: .
            C: .
            S: 250 ok
            """,
            message(envelope(1), ".\r\n.\r\n"));
    assertThat(outcomes.getFirst()).isInstanceOf(Outcome.Delivered.class);
  }

  @Test
  void eachRecipientHasAnOutcomeOfItsOwn() throws Exception {
    var outcomes =
        send(
            FAST_HELLO
                + "C: MAIL *\nC: RCPT *\nC: RCPT *\nC: RCPT *\nC: RCPT *\nC: DATA\n"
                + "S: 250 ok\nS: 250 ok\nS: 550 5.1.1 nobody\nS: 451 4.2.1 later\nS: 552 many\n"
                + "S: 354 go\n"
                + CONTENT
                + "S: 250 ok",
            message(envelope(4), MESSAGE));
    assertThat(outcomes.stream().map(SmtpClientTest::code)).containsExactly(250, 550, 451, 552);
    assertThat(outcomes.get(1)).isInstanceOf(Outcome.Refused.class);
    assertThat(outcomes.get(2)).isInstanceOf(Outcome.Deferred.class);
    assertThat(outcomes.get(3)).isInstanceOf(Outcome.Deferred.class);
  }

  @Test
  void lmtpAnswersForEachRecipient() throws Exception {
    var outcomes =
        send(
            "S: 220 mx\nC: LHLO *\nS: 250-mx\nS: 250 PIPELINING\n"
                + "C: MAIL *\nC: RCPT *\nC: RCPT *\nC: RCPT *\nC: DATA\n"
                + "S: 250 ok\nS: 250 ok\nS: 550 no\nS: 250 ok\nS: 354 go\n"
                + CONTENT
                + "S: 452 4.2.2 full\nS: 250 done",
            message(envelope(3), MESSAGE),
            Target.Protocol.LMTP);
    assertThat(outcomes.stream().map(SmtpClientTest::code)).containsExactly(452, 550, 250);
  }

  @Test
  void lmtpThatEndsBetweenAnswersLeavesDoubt() throws Exception {
    var outcomes =
        send(
            "S: 220 mx\nC: LHLO *\nS: 250 mx\nC: MAIL *\nS: 250 ok\nC: RCPT *\nS: 250 ok\n"
                + "C: RCPT *\nS: 250 ok\nC: DATA\nS: 354 go\n"
                + CONTENT
                + "S: 250 done",
            message(envelope(2), MESSAGE),
            Target.Protocol.LMTP);
    assertThat(outcomes.get(0)).isInstanceOf(Outcome.Delivered.class);
    assertThat(outcomes.get(1))
        .isEqualTo(new Outcome.Broken(Step.END_OF_DATA, true, "the server closed the connection"));
  }

  @Test
  void nobodyAcceptedAndThenAnotherMessageOnTheSameConnection() throws Exception {
    var script =
        FAST_HELLO
            + "C: MAIL *\nC: RCPT *\nC: DATA\nS: 250 ok\nS: 550 no\nS: 354 go\nC: .\nS: 554 none\n"
            + "C: RSET\nS: 250 ok\nC: MAIL *\nC: RCPT *\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\n"
            + CONTENT
            + "S: 250 ok\nC: MAIL *\nC: RCPT *\nC: DATA\nS: 550 not you\nS: 503 no\nS: 503 no\n"
            + "C: QUIT\nS: 221 bye";
    try (var server = new ScriptedServer(script, tls)) {
      var client = ready(open(target(server.address(), new TlsPolicy.Never()), PATIENT));
      assertThat(code(client.send(message()).getFirst())).isEqualTo(550);
      assertThat(client.send(message()).getFirst()).isInstanceOf(Outcome.Delivered.class);
      assertThat(code(client.send(message()).getFirst())).isEqualTo(550);
      assertThat(client.usable()).isTrue();
      client.quit();
      assertThat(client.usable()).isFalse();
      assertThatThrownBy(() -> client.send(message())).isInstanceOf(IllegalStateException.class);
      assertThat(server.problem()).isEmpty();
    }
  }

  @Test
  void manyRecipientsGoInGroups() throws Exception {
    var script = new StringBuilder(FAST_HELLO + "C: MAIL *\n");
    script.append("C: RCPT *\n".repeat(400)).append("C: DATA\nS: 250 ok\n");
    var whole = script.append("S: 250 ok\n".repeat(400)).append("S: 354 go\n");
    // The script reads everything before it answers: groups would wait for ever, so it must fail.
    try (var server =
        new ScriptedServer(whole + CONTENT + "S: 250 ok", tls, Integer.MAX_VALUE, false)) {
      var client =
          ready(
              open(
                  target(server.address(), new TlsPolicy.Never()),
                  timeouts(Duration.ofMillis(700))));
      assertThat(client.send(message(envelope(400), MESSAGE)))
          .allMatch(outcome -> outcome instanceof Outcome.Broken);
    }
  }

  @Test
  void parametersAreSaidWhereTheyAreOffered() throws Exception {
    var to =
        new ForwardPath(
            new Address("jörg", new Domain("example.net")),
            EnumSet.of(ForwardPath.Notify.SUCCESS, ForwardPath.Notify.FAILURE),
            Optional.of("rfc822;j@example.net"));
    var envelope =
        new Envelope(
            ReversePath.NULL,
            List.of(to),
            Envelope.Body.EIGHT_BIT_MIME,
            true,
            Optional.of(Envelope.Returned.HEADERS),
            Optional.of("id+2B1"));
    var tail = "C: DATA\nS: 354 go\n" + CONTENT + "S: 250 ok";
    var hello = "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250-SIZE\nS: 250-8BITMIME\n";
    var outcomes =
        send(
            hello
                + "S: 250-DSN\nS: 250 SMTPUTF8\n"
                + "C: MAIL FROM:<> SIZE=20 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=id+2B1\nS: 250 ok\n"
                + "C: RCPT TO:<jörg@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;j@example.net\n"
                + "S: 250 ok\n"
                + tail,
            message(envelope, MESSAGE));
    assertThat(outcomes.getFirst()).isInstanceOf(Outcome.Delivered.class);
    outcomes = send(hello + "S: 250 DSN\nC: <closed>", message(envelope, MESSAGE));
    assertThat(((Outcome.Unsendable) outcomes.getFirst()).status()).hasToString("5.6.7");
    outcomes =
        send(
            "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 SMTPUTF8\nC: <closed>",
            message(envelope, MESSAGE));
    assertThat(((Outcome.Unsendable) outcomes.getFirst()).status()).hasToString("5.6.3");
  }

  private static Envelope by(int seconds, Handling.DeliverBy.Mode mode, boolean trace) {
    return envelope(1)
        .withHandling(
            Handling.USUAL.withBy(Optional.of(new Handling.DeliverBy(seconds, mode, trace))));
  }

  private static String offering(String deliverBy) {
    return "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 " + deliverBy + "\n";
  }

  private static String mail(String parameters) {
    return "C: MAIL FROM:<ana@example.org>"
        + parameters
        + "\nS: 250 ok\nC: RCPT TO:<r0@example.net>\nS: 250 ok\nC: DATA\nS: 354 go\n"
        + CONTENT
        + "S: 250 ok";
  }

  /// RFC 2852 §4.1.4: with a server that keeps the time, and with one that does not.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "DELIVERBY | 60 | RETURN | false | BY=60;R",
        "DELIVERBY 60 | 60 | RETURN | true | BY=60;RT",
        "deliverby 60,later=1 | 60 | RETURN | true | BY=60;RT",
        "DELIVERBY many | 60 | RETURN | true | BY=60;RT",
        "DELIVERBY 61 | 60 | NOTIFY | true | BY=60;NT",
        "DELIVERBY | -999999999 | NOTIFY | false | BY=-999999999;N",
        "HELP | 60 | NOTIFY | true | ''",
      })
  void theTimeThatIsLeftIsSaid(
      String offered, int seconds, Handling.DeliverBy.Mode mode, boolean trace, String said)
      throws Exception {
    var outcomes =
        send(
            offering(offered) + mail(said.isEmpty() ? "" : " " + said),
            message(by(seconds, mode, trace), MESSAGE));
    assertThat(outcomes.getFirst()).isInstanceOf(Outcome.Delivered.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"HELP", "DELIVERBY 61", "DELIVERBY 999999999999999999"})
  void whatIsToComeBackGoesToNobodyWhoWouldKeepIt(String offered) throws Exception {
    var outcomes =
        send(
            offering(offered) + "C: <closed>",
            message(by(60, Handling.DeliverBy.Mode.RETURN, false), MESSAGE));
    assertThat(((Outcome.Unsendable) outcomes.getFirst()).status()).hasToString("5.4.7");
  }

  @Test
  void whatCannotGoIsNotTried() throws Exception {
    var large =
        new Outgoing(envelope(1), false, 10_001, () -> new ByteArrayInputStream(new byte[0]));
    var outcomes = send(PLAIN_HELLO + "C: <closed>", large);
    assertThat(((Outcome.Unsendable) outcomes.getFirst()).status()).hasToString("5.3.4");
    var required = new Outgoing(envelope(1), true, 1, () -> new ByteArrayInputStream(new byte[1]));
    outcomes = send("S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 REQUIRETLS\nC: <closed>", required);
    assertThat(((Outcome.Unsendable) outcomes.getFirst()).status()).hasToString("5.7.30");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a\nb\r\n", "a\rb\r\n", "a\r\n.\n", "a\r", "\n", "\r\r\n"})
  void aBareLineEndNeverLeaves(String text) throws Exception {
    var outcomes =
        send(
            PLAIN_HELLO + ENVELOPE + "C: DATA\nS: 354 go\nC: <closed>", message(envelope(1), text));
    assertThat(((Outcome.Unsendable) outcomes.getFirst()).status()).hasToString("5.6.0");
  }

  @Test
  void aMessageThatIsNotAsLongAsSaidNeverEnds() throws Exception {
    for (int wrong : new int[] {-1, 1}) {
      var octets = MESSAGE.getBytes(StandardCharsets.US_ASCII);
      var mail =
          new Outgoing(
              envelope(1), false, octets.length + wrong, () -> new ByteArrayInputStream(octets));
      var outcomes = send(PLAIN_HELLO + ENVELOPE + "C: DATA\nS: 354 go\nC: <closed>", mail);
      var broken = (Outcome.Broken) outcomes.getFirst();
      assertThat(broken.perhapsDelivered()).isFalse();
      assertThat(broken.step()).isEqualTo(Step.CONTENT);
    }
  }

  @Test
  void anOldServerIsGreetedWithHelo() throws Exception {
    var outcomes =
        send(
            "S: 220 mx\nC: EHLO *\nS: 502 what\nC: HELO me.example\nS: 250 mx\n"
                + "C: MAIL FROM:<ana@example.org>\nS: 250 ok\nC: RCPT *\nS: 250 ok\n"
                + "C: DATA\nS: 354 go\n"
                + CONTENT
                + "S: 250",
            message());
    assertThat(outcomes.getFirst()).isInstanceOf(Outcome.Delivered.class);
  }

  @Test
  void aServerThatClosesIsADeferral() throws Exception {
    var outcomes =
        send(PLAIN_HELLO + ENVELOPE + "C: DATA\nS: 421 4.3.2 going down\nC: <closed>", message());
    assertThat(code(outcomes.getFirst())).isEqualTo(421);
    assertThat(outcomes.getFirst()).isInstanceOf(Outcome.Deferred.class);
  }

  /// Hostile answers in a place each, and what is said of them.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "S+ 220 a\\nb\\r\\n | bare CR or LF",
        "S+ 220 a\\rb\\r\\n | bare CR or LF",
        "S+ 220 \\{x*5000} | more than 4096 octets",
        "S: hello | no reply: hello",
        "S: 22 short | no reply: 22 short",
        "S: 120 early | no reply: 120",
        "S: 620 late | no reply: 620",
        "S: 220x | no reply: 220x",
        "S+ 220-a\\r\\n250 b\\r\\n | two codes, 220 and 250",
        "S+ \\{220-x\\r\\n*101} | more than 100 lines",
        "S: 354 go | answered out of turn: 354 go",
        "S+ 220 one\\r\\n220 two\\r\\n | octets nobody asked for: 220 two",
        "S: \\x16\\x03\\x01 | no reply",
      })
  void aHostileGreetingBreaksTheSession(String line, String said) throws Exception {
    try (var server = new ScriptedServer(line + "\n~", tls)) {
      var opening = open(target(server.address(), new TlsPolicy.Never()), PATIENT);
      assertThat(opening).isInstanceOf(Opening.Broken.class);
      assertThat(((Opening.Broken) opening).detail()).contains(said);
    }
  }

  @Test
  void aReplyOfTooManyOctetsBreaksTheSession() throws Exception {
    try (var server = new ScriptedServer("S: 220-\\{x*1000}\n".repeat(70) + "~", tls)) {
      var opening = open(target(server.address(), new TlsPolicy.Never()), PATIENT);
      assertThat(((Opening.Broken) opening).detail()).contains("more than 65536 octets");
    }
  }

  @Test
  void aRefusingGreetingIsRejected() throws Exception {
    var opening =
        opening(
            "S: 554 5.7.1 go away\nC: QUIT\nS: 221 bye", new TlsPolicy.Never(), Optional.empty());
    assertThat(((Opening.Rejected) opening).reply().code()).isEqualTo(554);
  }

  @Test
  void anExtraReplyIsNeverBelieved() throws Exception {
    var script =
        PLAIN_HELLO
            + ENVELOPE
            + "C: DATA\nS: 354 go\n"
            + CONTENT
            + "S+ 250 ok\\r\\n250 ok\\r\\n\n~";
    try (var server = new ScriptedServer(script, tls)) {
      var client = ready(open(target(server.address(), new TlsPolicy.Never()), PATIENT));
      assertThat(client.send(message()).getFirst()).isInstanceOf(Outcome.Delivered.class);
      assertThat(client.usable()).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anAnswerBeforeTheEndOfDataIsNone(boolean chunking) throws Exception {
    // As many yeses as anybody could want, all at once with the answer to RCPT.
    var script =
        "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 "
            + (chunking ? "CHUNKING" : "HELP")
            + "\nC: MAIL *\nS: 250 ok\nC: RCPT *\n"
            + (chunking ? "S+ " : "S: 250 ok\nC: DATA\nS+ 354 go\\r\\n")
            + "250 ok\\r\\n250 ok\\r\\n\n~";
    try (var server = new ScriptedServer(script, tls)) {
      var client = ready(open(target(server.address(), new TlsPolicy.Never()), PATIENT));
      var broken = (Outcome.Broken) client.send(message()).getFirst();
      assertThat(broken.perhapsDelivered()).isFalse();
      assertThat(client.usable()).isFalse();
    }
  }

  @Test
  void aRefusalInTheMiddleOfTheMessageIsHeard() throws Exception {
    var script = PLAIN_HELLO + ENVELOPE + "C: DATA\nS+ 354 go\\r\\n552 5.3.4 too large\\r\\n\n~";
    try (var server = new ScriptedServer(script, tls)) {
      var client = ready(open(target(server.address(), new TlsPolicy.Never()), PATIENT));
      // The answers are in one write, but may come as two.
      var outcome = client.send(message()).getFirst();
      assertThat(outcome).isInstanceOfAny(Outcome.Refused.class, Outcome.Broken.class);
      assertThat(client.usable()).isFalse();
    }
  }

  @Test
  void aDripIsBounded() throws Exception {
    // Each octet and each line in time, the whole never: a line each 50 ms.
    try (var server = new java.net.ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      Thread.ofVirtual()
          .start(
              () -> {
                try (var socket = server.accept()) {
                  for (int i = 0; i < 400; i++) {
                    socket.getOutputStream().write("220-x\r\n".getBytes(StandardCharsets.US_ASCII));
                    Thread.sleep(50);
                  }
                } catch (IOException | InterruptedException e) {
                  // The client has gone, as it should.
                }
              });
      long began = System.nanoTime();
      var opening =
          open(
              target((InetSocketAddress) server.getLocalSocketAddress(), new TlsPolicy.Never()),
              timeouts(Duration.ofMillis(500)));
      assertThat(((Opening.Broken) opening).detail()).contains("no whole reply within 500 ms");
      assertThat(System.nanoTime() - began).isLessThan(4_000_000_000L);
    }
  }

  @Test
  void injectionIntoStartTlsIsSeen() throws Exception {
    try (var server =
        new ScriptedServer(
            "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\n"
                + "S+ 220 go\\r\\n250 injected\\r\\n\n~",
            tls)) {
      var opening = open(target(server.address(), new TlsPolicy.Opportunistic()), PATIENT);
      assertThat(opening)
          .isEqualTo(new Opening.Broken(Step.TLS, "octets in clear after the answer to STARTTLS"));
    }
  }

  private static final String START_TLS =
      "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250-DSN\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nTLS\n";

  @Test
  void whatWasSaidInClearIsForgottenUnderTls() throws Exception {
    var script = START_TLS + "C: EHLO me.example\nS: 250-mx\nS: 250 REQUIRETLS\n";
    var verification = new TlsVerification.Pkix(Set.of(tls.certificate()));
    var mail =
        new Outgoing(
            new Envelope(
                ReversePath.NULL,
                envelope(1).to(),
                Envelope.Body.SEVEN_BIT,
                false,
                Optional.of(Envelope.Returned.FULL),
                Optional.empty()),
            true,
            MESSAGE.length(),
            () -> new ByteArrayInputStream(MESSAGE.getBytes(StandardCharsets.US_ASCII)));
    try (var server =
        new ScriptedServer(
            script
                + "C: MAIL FROM:<> REQUIRETLS\nS: 250 ok\nC: RCPT *\nS: 250 ok\nC: DATA\nS: 354 go\n"
                + CONTENT
                + "S: 250 ok\nC: QUIT\nS: 221 bye",
            tls)) {
      var client =
          ready(open(target(server.address(), new TlsPolicy.Required(verification)), PATIENT));
      assertThat(client.tls()).isPresent();
      assertThat(client.send(mail).getFirst()).isInstanceOf(Outcome.Delivered.class);
      assertThat(client.usable()).as("session tickets are no answers").isTrue();
      client.quit();
      assertThat(server.problem()).isEmpty();
    }
  }

  private static TlsaRecord record(int usage) throws Exception {
    return new TlsaRecord(
        usage,
        1,
        1,
        MessageDigest.getInstance("SHA-256").digest(tls.certificate().getPublicKey().getEncoded()));
  }

  @Test
  void theServerIsVerified() throws Exception {
    var good = START_TLS + "C: EHLO *\nS: 250 mx";
    var dane = new TlsVerification.Dane(List.of(record(3)), Set.of());
    assertThat(opening(good, new TlsPolicy.Required(dane), Optional.empty()))
        .isInstanceOf(Opening.Ready.class);
    assertThat(opening(good, new TlsPolicy.Opportunistic(), Optional.empty()))
        .isInstanceOf(Opening.Ready.class);
    var implicit = "TLS\nS: 220 mx\nC: EHLO *\nS: 250 mx";
    assertThat(opening(implicit, new TlsPolicy.Implicit(dane), Optional.empty()))
        .isInstanceOf(Opening.Ready.class);

    var other = new TlsVerification.Dane(List.of(new TlsaRecord(3, 1, 1, new byte[32])), Set.of());
    for (var wrong : List.of(other, new TlsVerification.Pkix(Set.of()))) {
      try (var server = new ScriptedServer(START_TLS + "~", tls)) {
        var opening = open(target(server.address(), new TlsPolicy.Required(wrong)), PATIENT);
        assertThat(((Opening.Broken) opening).step()).isEqualTo(Step.TLS);
      }
    }
    try (var server = new ScriptedServer(START_TLS + "~", tls)) {
      var pkix = new TlsVerification.Pkix(Set.of(tls.certificate()));
      var misnamed =
          new Target(
              server.address(),
              "other.example.net",
              Target.Protocol.SMTP,
              new TlsPolicy.Required(pkix),
              Optional.empty(),
              Optional.empty());
      assertThat(open(misnamed, PATIENT)).isInstanceOf(Opening.Broken.class);
    }
  }

  @Test
  void tlsThatIsDemandedIsNotGivenUp() throws Exception {
    var required = new TlsPolicy.Required(new TlsVerification.None());
    var lacking =
        opening("S: 220 mx\nC: EHLO *\nS: 250 mx\nC: QUIT\nS: 221 bye", required, Optional.empty());
    assertThat(lacking).isInstanceOf(Opening.Lacking.class);
    var script = "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 454 later\n";
    assertThat(opening(script + "C: QUIT\nS: 221 bye", required, Optional.empty()))
        .isInstanceOf(Opening.Rejected.class);
    assertThat(opening(script + "C: <closed>", new TlsPolicy.Opportunistic(), Optional.empty()))
        .isInstanceOf(Opening.Ready.class);
  }

  @Test
  void passwordsCrossOnlyUnderTls() throws Exception {
    var login = Optional.of(new Target.Login("ana", "secret"));
    assertThat(
            opening(
                "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 AUTH PLAIN\nC: QUIT\nS: 221 bye",
                new TlsPolicy.Opportunistic(),
                login))
        .isInstanceOf(Opening.Lacking.class);
    var script = START_TLS + "C: EHLO *\nS: 250-mx\nS: 250 AUTH LOGIN PLAIN\n";
    assertThat(
            opening(
                script + "C: AUTH PLAIN AGFuYQBzZWNyZXQ=\nS: 235 welcome",
                new TlsPolicy.Opportunistic(),
                login))
        .isInstanceOf(Opening.Ready.class);
    assertThat(
            opening(
                script + "C: AUTH PLAIN *\nS: 535 5.7.8 no\nC: QUIT\nS: 221 bye",
                new TlsPolicy.Opportunistic(),
                login))
        .isInstanceOf(Opening.Rejected.class);
    // A server that lets us in without knowing the password is not the one that we know.
    assertThat(
            opening(
                START_TLS
                    + "C: EHLO *\nS: 250-mx\nS: 250 AUTH SCRAM-SHA-256\n"
                    + "C: AUTH SCRAM-SHA-256 *\nS: 235 welcome\nC: <closed>",
                new TlsPolicy.Opportunistic(),
                login))
        .isInstanceOf(Opening.Lacking.class);
  }

  @Test
  void nothingLeavesItsLine() throws Exception {
    try (var server = new ScriptedServer(PLAIN_HELLO + "C: <closed>", tls)) {
      try (var client = ready(open(target(server.address(), new TlsPolicy.Never()), PATIENT))) {
        var evil =
            new Envelope(
                ReversePath.of(new Address("a", new Domain("b>\r\nRSET"))),
                envelope(1).to(),
                Envelope.Body.SEVEN_BIT,
                false,
                Optional.empty(),
                Optional.empty());
        assertThatThrownBy(() -> client.send(message(evil, MESSAGE)))
            .isInstanceOf(IllegalArgumentException.class);
      }
      assertThat(server.problem()).isEmpty();
    }
  }

  @Test
  void aServerThatIsNotThereBreaksAtConnecting() throws Exception {
    InetSocketAddress nobody;
    try (var server = new java.net.ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      nobody = (InetSocketAddress) server.getLocalSocketAddress();
    }
    var opening = open(target(nobody, new TlsPolicy.Never()), PATIENT);
    assertThat(((Opening.Broken) opening).step()).isEqualTo(Step.CONNECT);
  }

  /// The server's answers, ended at every octet, by closing and by silence: there is always an
  /// outcome, a delivery only after the whole last line, and a doubt only after the end of data.
  @Test
  void anyCutOfTheAnswersGivesAnOutcome() throws Exception {
    var answers = new int[1];
    var script =
        FAST_HELLO
            + "C: MAIL *\nC: RCPT *\nC: RCPT *\nC: DATA\nS: 250 2.1.0 ok\nS: 250-2.1.5 o\n"
            + "S: 250 2.1.5 ok\nS: 550 5.1.1 no\nS: 354 go\n"
            + CONTENT
            + "S: 250 2.0.0 queued";
    var said = script.lines().filter(line -> line.startsWith("S: ")).toList();
    int whole = said.stream().mapToInt(line -> line.length() - 3 + 2).sum();
    int beforeEnd = whole - (said.getLast().length() - 3 + 2);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var tries = new ArrayList<Future<?>>();
      for (int cut = 0; cut <= whole; cut++) {
        for (boolean silent : new boolean[] {false, true}) {
          int octets = cut;
          tries.add(
              threads.submit(
                  () -> {
                    cut(script, octets, silent, whole, beforeEnd);
                    return null;
                  }));
        }
      }
      for (var each : tries) {
        each.get(60, TimeUnit.SECONDS);
        answers[0]++;
      }
    }
    assertThat(answers[0]).isEqualTo(2 * (whole + 1));
  }

  private static void cut(String script, int octets, boolean silent, int whole, int beforeEnd)
      throws IOException {
    try (var server = new ScriptedServer(script, tls, octets, silent)) {
      // Short for the silent ones only; the others end by themselves.
      var opening =
          open(
              target(server.address(), new TlsPolicy.Never()),
              silent && octets < whole ? timeouts(Duration.ofSeconds(2)) : PATIENT);
      if (!(opening instanceof Opening.Ready(var client))) {
        assertThat(opening).isInstanceOf(Opening.Broken.class);
        return;
      }
      var outcomes = client.send(message(envelope(2), MESSAGE));
      client.close();
      assertThat(outcomes).hasSize(2);
      assertThat(outcomes.get(0) instanceof Outcome.Delivered)
          .as("cut at " + octets)
          .isEqualTo(octets == whole);
      if (outcomes.get(0) instanceof Outcome.Broken broken) {
        assertThat(broken.perhapsDelivered())
            .as("cut at " + octets + ": " + Arrays.toString(outcomes.toArray()))
            .isEqualTo(octets >= beforeEnd);
      }
    }
  }
}
