package longhand.srs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.ReversePath;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SenderRewritingTest {

  private static final Domain OURS = new Domain("ours.example");
  private static final Instant NOON = Instant.parse("2026-11-24T12:00:00Z");

  private static SenderRewriting at(Instant now, String domain, String... secrets) {
    return new SenderRewriting(new Domain(domain), OURS::equals, List.of(secrets), () -> now);
  }

  private static final SenderRewriting SRS = at(NOON, "ours.example", "a secret of some length");

  private static Address address(String text) {
    int at = text.lastIndexOf('@');
    return new Address(text.substring(0, at), new Domain(text.substring(at + 1)));
  }

  private static Address forward(SenderRewriting by, String sender) {
    return by.forward(ReversePath.of(address(sender))).address().orElseThrow();
  }

  private static String back(SenderRewriting by, Address address) {
    return switch (by.reverse(address)) {
      case Returned.Other _ -> "other";
      case Returned.Valid(var original) -> original.toString();
      case Returned.Refused(var why) -> "refused: " + why;
    };
  }

  @Test
  void whatIsRewrittenComesBack() {
    var rewritten = forward(SRS, "Ana.B@example.net");
    assertThat(rewritten.toString())
        .matches("SRS0=[A-Za-z0-9+/]{6}=[A-Z2-7]{2}=example\\.net=Ana\\.B@ours\\.example");
    assertThat(back(SRS, rewritten)).isEqualTo("Ana.B@example.net");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a=b=c@example.net",
        "a b@example.net",
        "=@example.net",
        "srs0@example.net",
        "SRS1=x@example.net",
        "SRS1=a=@example.net",
        "jörg@example.net",
        "q\"uo\\te@example.net",
        "x@[192.0.2.1]",
        "x+y@a-b.example.net",
      })
  void anySenderComesBack(String sender) {
    assertThat(forward(SRS, sender)).isNotEqualTo(address(sender));
    assertThat(back(SRS, forward(SRS, sender))).isEqualTo(sender);
  }

  @Test
  void letterCaseMayChangeOnTheWay() {
    var rewritten = forward(SRS, "Ana@example.net");
    for (var changed :
        List.of(
            rewritten.localPart().toLowerCase(Locale.ROOT),
            rewritten.localPart().toUpperCase(Locale.ROOT))) {
      assertThat(back(SRS, new Address(changed, OURS))).isEqualToIgnoringCase("ana@example.net");
    }
  }

  @Test
  void nothingIsRewrittenThatNeedNotBe() {
    assertThat(SRS.forward(ReversePath.NULL)).isEqualTo(ReversePath.NULL);
    assertThat(forward(SRS, "ana@ours.example")).isEqualTo(address("ana@ours.example"));
    var own = forward(SRS, "ana@example.net");
    assertThat(forward(SRS, own.toString())).isEqualTo(own);
  }

  @Test
  void whatWouldGetLongerThanALocalPartMayBeStaysAsItIs() {
    // SRS0=HHHHHH=TT=example.net= has 27 octets.
    var fits = "a".repeat(37) + "@example.net";
    var rewritten = forward(SRS, fits);
    assertThat(rewritten.localPart()).hasSize(64);
    assertThat(back(SRS, rewritten)).isEqualTo(fits);
    var longer = "a".repeat(38) + "@example.net";
    assertThat(forward(SRS, longer)).isEqualTo(address(longer));
    var quoted = "a".repeat(34) + " b@example.net";
    assertThat(forward(SRS, quoted)).as("quotes count").isEqualTo(address(quoted));
    var umlauts = "ü".repeat(19) + "@example.net";
    assertThat(forward(SRS, umlauts)).as("octets count").isEqualTo(address(umlauts));
  }

  @Test
  void itIsGoodForThreeWeeks() {
    var rewritten = forward(SRS, "ana@example.net");
    for (int days : new int[] {0, 1, 21, 1024}) {
      var later = at(NOON.plusSeconds(86_400L * days), "ours.example", "a secret of some length");
      assertThat(back(later, rewritten)).as("%d days", days).isEqualTo("ana@example.net");
    }
    for (int days : new int[] {-1, 22, 500, 1023}) {
      var later = at(NOON.plusSeconds(86_400L * days), "ours.example", "a secret of some length");
      assertThat(back(later, rewritten)).as("%d days", days).startsWith("refused: it is older");
    }
  }

  @Test
  void aSecretIsReplacedWithoutLosingReports() {
    var before = at(NOON, "ours.example", "the first secret");
    var between = at(NOON, "ours.example", "the second secret", "the first secret");
    var after = at(NOON, "ours.example", "the second secret");
    var old = forward(before, "ana@example.net");
    assertThat(back(between, old)).isEqualTo("ana@example.net");
    assertThat(back(after, old)).startsWith("refused: it was not made here");
    assertThat(forward(between, "ana@example.net")).isEqualTo(forward(after, "ana@example.net"));
    assertThat(old).isNotEqualTo(forward(after, "ana@example.net"));
  }

  @Test
  void eachChangeIsFound() {
    var local = forward(SRS, "ana@example.net").localPart();
    for (int at = 5; at < local.length(); at++) {
      for (char c : new char[] {'x', '7', '=', '.'}) {
        var changed = local.substring(0, at) + c + local.substring(at + 1);
        if (!changed.equalsIgnoreCase(local)) {
          assertThat(back(SRS, new Address(changed, OURS))).as(changed).startsWith("refused");
        }
      }
      assertThat(back(SRS, new Address(local.substring(0, at) + "z" + local.substring(at), OURS)))
          .startsWith("refused");
    }
    for (int length = 6; length < local.length(); length++) {
      assertThat(back(SRS, new Address(local.substring(0, length), OURS))).startsWith("refused");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"jbob", "srs0", "SRS0x", "SRS2=a=b=c=d", "srs0.x=y", "SRS0="})
  void othersAreNotOfTheScheme(String local) {
    assertThat(back(SRS, new Address(local, OURS))).isEqualTo("other");
    assertThat(back(SRS, new Address(local, new Domain("other.example")))).isEqualTo("other");
  }

  @Test
  void chainsOfForwardersLeadBackToTheFirst() {
    var first = at(NOON, "first.example", "secret of the first");
    var second = at(NOON, "second.example", "secret of the second");
    var third = at(NOON, "third.example", "secret of the third");
    var one = forward(first, "ana@sender.example");
    var two = forward(second, one.toString());
    var three = forward(third, two.toString());
    assertThat(two.localPart()).matches("SRS1=.{6}=first\\.example==.{6}=..=sender\\.example=ana");
    assertThat(three.localPart())
        .matches("SRS1=.{6}=first\\.example==.{6}=..=sender\\.example=ana");
    assertThat(back(third, three)).as("past the second").isEqualTo(one.toString());
    assertThat(back(second, two)).isEqualTo(one.toString());
    assertThat(back(first, one)).isEqualTo("ana@sender.example");
    assertThat(back(second, new Address(three.localPart(), second.domain()))).startsWith("refused");
  }

  @Test
  void octetsOfAnyKindAreAnswered() {
    long seed = Long.getLong("longhand.seed", 5L);
    var random = new Random(seed);
    var pieces = List.of("SRS0", "SRS1", "=", "=", "+", "AA", "ours.example", "x", "é", "@", " ");
    for (int round = 0; round < 20_000; round++) {
      var local = new StringBuilder(random.nextBoolean() ? "SRS0=" : "SRS1=");
      for (int i = random.nextInt(10); i >= 0; i--) {
        local.append(pieces.get(random.nextInt(pieces.size())));
      }
      var address = new Address(local.toString(), OURS);
      assertThat(SRS.reverse(address))
          .as("seed %d: %s", seed, local)
          .isInstanceOf(Returned.Refused.class);
      var foreign = new Address(local.toString(), new Domain("far.example"));
      var rewritten = forward(SRS, foreign.toString());
      if (!rewritten.equals(foreign)) {
        assertThat(SRS.reverse(rewritten))
            .as("seed %d: %s", seed, local)
            .isInstanceOf(Returned.Valid.class);
      }
    }
  }

  /// Mail::SRS reads what we make and we read what it makes, in each form. Skipped, visibly, where
  /// Debian's libmail-srs-perl is not installed.
  @Test
  @Tag("interop")
  void mailSrsAgrees(@TempDir Path folder) throws Exception {
    assumeTrue(
        Files.exists(Path.of("/usr/share/perl5/Mail/SRS.pm")), "libmail-srs-perl is not installed");
    var script =
        Files.writeString(
            folder.resolve("srs.pl"),
            """
            use strict; use warnings; use Mail::SRS;
            my $srs = Mail::SRS->new(Secret => ['a secret of some length'], HashLength => 6, MaxAge => 21);
            while (my $line = <STDIN>) {
              chomp $line;
              my ($what, $address) = split(/ /, $line, 2);
              my $answer = eval { $what eq 'forward' ? $srs->forward($address, 'ours.example') : $srs->reverse($address) };
              print defined $answer ? "$answer\\n" : "error\\n";
            }
            """);
    var now = at(Instant.now(), "ours.example", "a secret of some length");
    var other = at(Instant.now(), "second.example", "another secret");
    var third = at(Instant.now(), "third.example", "a third secret");
    var senders = new ArrayList<String>();
    for (var sender : List.of("ana@example.net", "Ana.B+c@EXAMPLE.net", "a=b@x.example", "=@a.b")) {
      var lower = address(sender.replace("EXAMPLE", "example")).toString();
      senders.add(lower);
      senders.add(forward(other, lower).toString());
      senders.add(forward(third, forward(other, lower).toString()).toString());
    }
    var asked = new StringBuilder();
    for (var sender : senders) {
      asked.append("forward ").append(sender).append('\n');
      asked.append("reverse ").append(forward(now, sender)).append('\n');
    }
    asked.append("reverse ").append(forward(other, "ana@example.net")).append('\n');
    var input = Files.writeString(folder.resolve("in"), asked.toString());
    var output = folder.resolve("out");
    var process =
        new ProcessBuilder("perl", script.toString())
            .redirectInput(input.toFile())
            .redirectOutput(output.toFile())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ends in a minute").isTrue();
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    var answers = Files.readAllLines(output, UTF_8);
    assertThat(answers).hasSize(2 * senders.size() + 1);
    for (int i = 0; i < senders.size(); i++) {
      var sender = senders.get(i);
      assertThat(answers.get(2 * i)).isEqualTo(forward(now, sender).toString());
      assertThat(answers.get(2 * i + 1)).isEqualTo(back(now, forward(now, sender)));
    }
    assertThat(answers.getLast()).isEqualTo("error");
  }
}
