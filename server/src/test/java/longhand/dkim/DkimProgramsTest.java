package longhand.dkim;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Other implementations verify what we sign, and we verify what they sign. They ask no DNS: the
/// keys are in a file. What is not installed is skipped, visibly.
@Tag("interop")
class DkimProgramsTest {

  private static final String PYTHON = "/usr/bin/python3";

  /// As many as the scripts below count.
  private static final int MESSAGES = 40;

  @TempDir Path folder;

  @BeforeEach
  void writeKeys() throws IOException {
    var dns = new StringBuilder();
    Messages.dns().forEach((name, text) -> dns.append(name).append(' ').append(text).append('\n'));
    Files.writeString(folder.resolve("dns"), dns);
    Files.writeString(folder.resolve("rsa.pem"), Messages.RSA.toPem());
    // The raw seed in base64, as python3-dkim and Mail::DKIM want it: the end of the PKCS#8.
    var pem = Messages.ED25519.toPem().split("\n", -1)[1];
    var der = java.util.Base64.getDecoder().decode(pem);
    var seed = java.util.Arrays.copyOfRange(der, der.length - 32, der.length);
    Files.writeString(
        folder.resolve("ed25519.seed"), java.util.Base64.getEncoder().encodeToString(seed));
  }

  private String run(String... command) throws Exception {
    var log = folder.resolve("log");
    var process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    process.getOutputStream().close();
    try {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ends in a minute").isTrue();
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    var output = Files.readString(log, ISO_8859_1);
    assertThat(process.exitValue()).as(output).isZero();
    return output;
  }

  private void needs(String... command) throws Exception {
    boolean works = Files.isExecutable(Path.of(command[0]));
    if (works) {
      try {
        run(command);
      } catch (AssertionError e) {
        works = false;
      }
    }
    assumeTrue(works, "skipped: does not work here: " + String.join(" ", command));
  }

  /// Messages of one seed, with the odd things that mail has.
  private static String message(int number) {
    var random = new Random(number);
    var message = new StringBuilder(Messages.PLAIN);
    for (int n = random.nextInt(30); n > 0; n--) {
      message.append(
          List.of("\r\n", " ", "\t", "line\r\n", "  two  spaces \t\r\n", ".dot\r\n", "\u00e9\u00ff")
              .get(random.nextInt(7)));
    }
    if (number % 5 == 0) {
      message.delete(message.indexOf("\r\n\r\n") + 2, message.length()).append("\r\n");
    }
    if (!message.substring(message.length() - 2).equals("\r\n")) {
      message.append("\r\n");
    }
    return "X-Number: " + number + "\r\n" + message;
  }

  private void writeSigned() throws IOException {
    for (int i = 0; i < MESSAGES; i++) {
      Files.writeString(
          folder.resolve(i + ".eml"), Messages.signed(Messages.KEYS, message(i)), ISO_8859_1);
      Files.writeString(folder.resolve(i + ".plain"), message(i), ISO_8859_1);
    }
    Files.writeString(
        folder.resolve("bad.eml"),
        Messages.signed(Messages.KEYS, message(1)).replace("Hello  Bob", "Hello  Bop"),
        ISO_8859_1);
  }

  private void verifyTheirs(String word) throws IOException {
    for (int i = 0; i < MESSAGES; i++) {
      var theirs = Files.readString(folder.resolve(i + ".signed"), ISO_8859_1);
      assertThat(theirs).contains("DKIM-Signature:");
      assertThat(Messages.results(Messages.dns(), theirs))
          .as("message " + i)
          .isNotEmpty()
          .allMatch(result -> result.word().equals(word));
      var changed = theirs.replace("Hello", "Hullo");
      assertThat(Messages.words(Messages.dns(), changed)).containsOnly("fail");
    }
  }

  @Test
  void python() throws Exception {
    needs(PYTHON, "-c", "import dkim, nacl.signing");
    writeSigned();
    run(
        PYTHON,
        "-W",
        "ignore",
        "-c",
        """
        import dkim
        dns = dict(line.rstrip('\\n').split(' ', 1) for line in open('dns'))
        def lookup(name, timeout=5):
            name = name if isinstance(name, str) else name.decode()
            return dns[name.rstrip('.')].encode()
        def verify(name):
            d = dkim.DKIM(open(name, 'rb').read())
            def one(i):
                try:
                    return d.verify(idx=i, dnsfunc=lookup)
                except dkim.ValidationError:
                    return False
            return [one(i) for i in (0, 1)]
        forms = [(a, b) for a in (b'simple', b'relaxed') for b in (b'simple', b'relaxed')]
        rsa = open('rsa.pem', 'rb').read()
        seed = open('ed25519.seed', 'rb').read()
        for i in range(40):
            assert verify('%d.eml' % i) == [True, True], i
            m = open('%d.plain' % i, 'rb').read()
            form = forms[i % 4]
            e = dkim.sign(m, b'e2026', b'example.org', seed, canonicalize=form,
                          signature_algorithm=b'ed25519-sha256')
            r = dkim.sign(m, b'r2026', b'example.org', rsa, canonicalize=form)
            open('%d.signed' % i, 'wb').write(e + r + m)
        assert verify('bad.eml') == [False, False]
        """);
    verifyTheirs("pass");
  }

  /// Mail::DKIM of Debian 12 knows no Ed25519 and finds it invalid.
  @Test
  void perl() throws Exception {
    needs("/usr/bin/perl", "-MMail::DKIM::Verifier", "-MMail::DKIM::Signer", "-e", "1");
    writeSigned();
    Files.writeString(
        folder.resolve("verify.pl"),
        """
        use strict;
        use Mail::DKIM::Verifier;
        use Mail::DKIM::Signer;
        use Mail::DKIM::PublicKey;
        my %dns;
        open(my $f, '<', 'dns') or die;
        while (<$f>) { chomp; my ($name, $text) = split / /, $_, 2; $dns{$name} = $text; }
        no warnings 'redefine';
        *Mail::DKIM::PublicKey::fetch_async = sub {
          my ($class, %p) = @_;
          my $key = $class->parse($dns{"$p{Selector}._domainkey.$p{Domain}"});
          my $done = $p{Callbacks}{Success} || sub { $_[0] };
          return sub { $done->($key) };
        };
        sub slurp { open(my $in, '<:raw', $_[0]) or die $_[0]; local $/; return <$in>; }
        sub verify {
          my $v = Mail::DKIM::Verifier->new();
          $v->PRINT(slurp($_[0]));
          $v->CLOSE;
          return join ' ', map { $_->result } $v->signatures;
        }
        for my $i (0 .. 39) {
          my $result = verify("$i.eml");
          die "$i: $result" if $result ne 'pass invalid';
          my $m = slurp("$i.plain");
          my $s = Mail::DKIM::Signer->new(
            Algorithm => 'rsa-sha256', Method => $i % 2 ? 'relaxed/simple' : 'simple/relaxed',
            Domain => 'example.org', Selector => 'r2026', KeyFile => 'rsa.pem');
          $s->PRINT($m);
          $s->CLOSE;
          open(my $out, '>:raw', "$i.signed") or die;
          print $out $s->signature->as_string, "\\r\\n", $m;
          close $out;
        }
        my $bad = verify('bad.eml');
        die $bad if $bad ne 'fail invalid';
        """);
    run("/usr/bin/perl", "verify.pl");
    verifyTheirs("pass");
  }

  /// OpenDKIM verifies ours; `opendkim-testmsg` signs with SHA-1 only, which we must not accept.
  @Test
  void openDkim() throws Exception {
    needs("/usr/sbin/opendkim", "-V");
    needs("/usr/bin/test", "-x", "/usr/sbin/opendkim-testmsg");
    Files.writeString(
        folder.resolve("conf"), "Mode v\nTestDNSData file:" + folder.resolve("dns") + "\n");
    for (int i = 0; i < 10; i++) {
      Files.writeString(
          folder.resolve(i + ".eml"),
          Messages.signed(List.of(Messages.RSA), message(i)),
          ISO_8859_1);
      assertThat(run("/usr/sbin/opendkim", "-x", "conf", "-t", i + ".eml"))
          .contains("verification (s=r2026, d=example.org, 2048-bit key) succeeded");
      Files.writeString(folder.resolve("plain"), message(i), ISO_8859_1);
      var theirs =
          run(
              "/bin/sh",
              "-c",
              "exec opendkim-testmsg -C -d example.org -k rsa.pem -s r2026 -t . < plain");
      assertThat(Messages.words(Messages.dns(), theirs)).as(theirs).containsExactly("policy");
    }
    var bad = Messages.signed(List.of(Messages.RSA), message(1)).replace("Hello", "Hullo");
    Files.writeString(folder.resolve("bad.eml"), bad, ISO_8859_1);
    assertThat(run("/usr/sbin/opendkim", "-x", "conf", "-t", "bad.eml")).contains("failed");
  }
}
