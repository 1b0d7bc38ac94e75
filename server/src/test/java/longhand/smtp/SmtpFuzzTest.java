package longhand.smtp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import longhand.Seed;
import longhand.dialog.Mutator;
import longhand.mail.Domain;
import longhand.wire.BareLineEndException;
import longhand.wire.Limits;
import org.junit.jupiter.api.Test;

/// Arbitrary octets never get more than an answer out of the parsers.
class SmtpFuzzTest {

  private static final Domain DOMAIN = new Domain("example.org");
  private static final Set<Extension> ALL = EnumSet.allOf(Extension.class);

  private static List<byte[]> octets(String... texts) {
    return Stream.of(texts).map(text -> text.getBytes(StandardCharsets.UTF_8)).toList();
  }

  @Test
  void commands() {
    long seed = Seed.value();
    var mutator =
        new Mutator(
            seed,
            octets(
                "EHLO [IPv6:2001:db8::1]",
                "MAIL FROM:<@a.example,@b.example:\"j\\\"oe\"@example.org> SIZE=12 BODY=8BITMIME"
                    + " SMTPUTF8 RET=FULL ENVID=Q+2B AUTH=<>",
                "MAIL FROM:<jos\u00e9@b\u00fccher.example> SMTPUTF8",
                "RCPT TO:<a.b+c@[127.0.0.1]> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a@b",
                "MAIL FROM:<> HOLDFOR=86400 BY=-12;NT MT-PRIORITY=-9 REQUIRETLS BODY=BINARYMIME",
                "MAIL FROM:<> HOLDUNTIL=2026-11-24T18:30:00.5+02:00",
                "RCPT TO:<a@b.example> ORCPT=utf-8;jos\\x{E9}@example.org",
                "XCLIENT NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1 PORT=25 LOGIN=a+2Bb",
                "XCLIENT HELO=[192.0.2.1] PROTO=SMTP DESTADDR=192.0.2.1 DESTPORT=[TEMPUNAVAIL]",
                "RCPT TO:<Postmaster>",
                "BDAT 12 LAST",
                "AUTH SCRAM-SHA-256 biwsbj1hLHI9eA==",
                "VRFY a",
                "STARTTLS"));
    for (long until = Mutator.untilNanos(); System.nanoTime() < until; ) {
      var line = mutator.next();
      try {
        var command = CommandParser.parse(line, DOMAIN, ALL);
        if (command instanceof Command.Malformed(var owed)) {
          assertThat(owed.code()).isBetween(500, 599);
        }
        if (command instanceof Command.Recipient(var to, _)) {
          // What is accepted can be written and read again.
          var again =
              CommandParser.parse(
                  ("RCPT TO:<" + to.address().quoted() + ">").getBytes(StandardCharsets.UTF_8),
                  DOMAIN,
                  ALL);
          assertThat(again).isInstanceOf(Command.Recipient.class);
          assertThat(((Command.Recipient) again).to().address()).isEqualTo(to.address());
        }
      } catch (RuntimeException | Error e) {
        throw new AssertionError("seed " + seed + ": " + HexFormat.of().formatHex(line), e);
      }
    }
  }

  /// The message's end is where a simple reading of the RFC finds it, however the octets come; a
  /// bare CR or LF before it is always refused.
  @Test
  void data() throws IOException {
    long seed = Seed.value();
    var mutator =
        new Mutator(
            seed,
            octets(
                "Subject: x\r\n\r\nhello\r\n..\r\n.x\r\n.\r\nMAIL FROM:<>\r\n",
                ".\r\n",
                "\r\n\r\n.\r\n",
                "From: \"a\" <b@c>\r\nReceived: x\r\n\ty\r\nDelivered-To: z\r\n\r\nbody\r\n.\r\n",
                "x".repeat(3000) + "\r\n.\r\n"));
    for (long until = Mutator.untilNanos(); System.nanoTime() < until; ) {
      var octets = mutator.next();
      var expected = simple(octets);
      var message = new ByteArrayOutputStream();
      var header = new HeaderScan(Limits.DEFAULT, true);
      var scanner =
          new BodyScanner(
              BodyScanner.Framing.DATA,
              1000,
              (array, offset, length) -> {
                message.write(array, offset, length);
                header.take(array, offset, length);
              });
      var found = new ArrayList<Object>();
      try {
        int at = 0;
        while (at < octets.length && !scanner.ended()) {
          at = scanner.take(octets, at, Math.min(octets.length, at + 1 + mutator.number(50)));
        }
        header.end();
        found.add(scanner.ended());
        found.add(message.toString(StandardCharsets.ISO_8859_1));
        if (scanner.ended()) {
          found.add(at);
        }
      } catch (BareLineEndException e) {
        found.clear();
        found.add("bare");
      } catch (RuntimeException | Error e) {
        throw new AssertionError("seed " + seed + ": " + HexFormat.of().formatHex(octets), e);
      }
      if (expected.getFirst().equals(false)) {
        // What comes before the end is held back only where it may belong to it.
        assertThat(found.getFirst()).as("seed %d", seed).isEqualTo(false);
      } else {
        assertThat(found)
            .as("seed %d: %s", seed, HexFormat.of().formatHex(octets))
            .isEqualTo(expected);
      }
    }
  }

  private static List<Object> simple(byte[] octets) {
    var text = new String(octets, StandardCharsets.ISO_8859_1);
    var message = new StringBuilder();
    int at = 0;
    while (at < text.length()) {
      int i = at;
      while (i < text.length() && text.charAt(i) != '\r' && text.charAt(i) != '\n') {
        i++;
      }
      if (i == text.length() || (text.charAt(i) == '\r' && i + 1 == text.length())) {
        return List.of(false);
      }
      if (text.charAt(i) == '\n' || text.charAt(i + 1) != '\n') {
        return List.of("bare");
      }
      var line = text.substring(at, i);
      at = i + 2;
      if (line.equals(".")) {
        return List.of(true, message.toString(), at);
      }
      message.append(line.startsWith(".") ? line.substring(1) : line).append("\r\n");
    }
    return List.of(false);
  }

  @Test
  void fromFields() {
    long seed = Seed.value();
    var mutator =
        new Mutator(
            seed,
            octets(
                "\"Ana (x)\" (c (n) \\)) <\"a b\"@b\u00fccher.example>",
                "a@b.c, d@e.f",
                "g: a@b.c;",
                "=?utf-8?q?x?= <a@[127.0.0.1]>"));
    for (long until = Mutator.untilNanos(); System.nanoTime() < until; ) {
      var octets = mutator.next();
      try {
        FromField.address(new String(octets, StandardCharsets.UTF_8));
      } catch (RuntimeException | Error e) {
        throw new AssertionError("seed " + seed + ": " + HexFormat.of().formatHex(octets), e);
      }
    }
  }
}
