package longhand.message;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import longhand.Seed;
import longhand.dialog.Mutator;
import longhand.message.Recoding.Target;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Recoded messages hold what they held, and are what the target wants.
public class RecodingPropertyTest {

  private static final List<String> PIECES =
      List.of(
          "\r\n",
          "\r\n",
          "\n",
          "\r",
          "\0",
          "\u00e9",
          "\u00ff",
          " ",
          "\t",
          " \r\n",
          "-",
          "--",
          "\r\n--",
          "=",
          "=3D",
          "=\r\n",
          "F",
          "From ",
          ".",
          "x",
          "word ",
          "\r\n.\r\n");

  /// A message of parts to some depth, in the form of BODY=BINARYMIME.
  public static byte[] message(long seed) {
    var made = new Made(new Random(seed));
    return ("From: a@example.org\r\nMIME-Version: 1.0\r\n" + made.part(3)).getBytes(ISO_8859_1);
  }

  /// What goes into one message.
  private static final class Made {
    private final Random random;
    private int boundaries;

    Made(Random random) {
      this.random = random;
    }

    private String part(int depth) {
      int kind = depth == 0 ? 0 : random.nextInt(5);
      if (kind == 1) {
        return "Content-Type: message/rfc822\r\n"
            + label(List.of("binary", "8bit", ""))
            + "\r\nSubject: within\r\nMIME-Version: 1.0\r\n"
            + part(depth - 1);
      }
      if (kind >= 3) {
        var boundary = List.of("=_", "--", "b", "=").get(random.nextInt(4)) + boundaries++;
        var multipart = new StringBuilder("Content-Type: multipart/");
        multipart.append(random.nextInt(5) == 0 ? "signed" : "mixed");
        multipart.append("; boundary=\"").append(boundary).append("\"\r\n");
        multipart.append(label(List.of("binary", "8bit", ""))).append("\r\npreamble\r\n");
        for (int n = 1 + random.nextInt(3); n > 0; n--) {
          multipart.append("--").append(boundary).append("\r\n").append(part(depth - 1));
          multipart.append("\r\n");
        }
        return multipart.append("--").append(boundary).append("--\r\nepilogue").toString();
      }
      var types =
          List.of("text/plain; charset=iso-8859-1", "application/octet-stream", "image/png");
      var type = "Content-Type: " + types.get(random.nextInt(3)) + "\r\n";
      var content = content();
      return switch (random.nextInt(4)) {
        case 0 ->
            type
                + "Content-Transfer-Encoding: base64\r\n\r\n"
                + Base64.getMimeEncoder().encodeToString(content.getBytes(ISO_8859_1));
        case 1 -> {
          var out = new ByteArrayOutputStream();
          var encoder = new QuotedPrintableEncoder();
          var octets = content.getBytes(ISO_8859_1);
          encoder.encode(octets, 0, octets.length, out);
          encoder.end(out);
          yield type
              + "Content-Transfer-Encoding: Quoted-Printable\r\n\r\n"
              + out.toString(ISO_8859_1);
        }
        default -> type + label(List.of("binary", "8bit", "7bit", "")) + "\r\n" + content;
      };
    }

    private String label(List<String> words) {
      var word = words.get(random.nextInt(words.size()));
      return word.isEmpty() ? "" : "Content-Transfer-Encoding: " + word + "\r\n";
    }

    private String content() {
      var content = new StringBuilder();
      boolean calm = random.nextBoolean();
      for (int n = random.nextInt(60); n > 0; n--) {
        content.append(PIECES.get(random.nextInt(PIECES.size())));
        if (random.nextInt(40) == 0) {
          content.append("long".repeat(random.nextInt(400)));
        }
      }
      var text = content.toString();
      return calm ? text.replace("\0", "").replaceAll("\r(?!\n)|(?<!\r)\n", "") : text;
    }
  }

  private static byte[] recoded(Recoding recoding) throws IOException {
    try (var in = recoding.open()) {
      return in.readAllBytes();
    }
  }

  private static Recoding recoding(byte[] message, Target target) throws IOException {
    return Recoding.of(() -> new ByteArrayInputStream(message), target);
  }

  /// Each part: its depth, its type, and what a part without parts decodes to.
  public static List<String> contents(byte[] message) throws IOException {
    var contents = new ArrayList<String>();
    for (var part : Summary.of(message).parts()) {
      var header =
          Header.of(
              message, (int) part.headerStart(), (int) (part.bodyStart() - part.headerStart()));
      var type =
          header
              .first("Content-Type")
              .map(field -> new String(field.value(), ISO_8859_1))
              .orElse("");
      var body = "";
      if (part.kind() == Part.Kind.LEAF) {
        int start = (int) part.bodyStart();
        var in = new ByteArrayInputStream(message, start, (int) part.end() - start);
        body = HexFormat.of().formatHex(TransferEncoding.decode(header, in).readAllBytes());
      }
      contents.add(part.kind() + " " + part.parent() + " " + type + " " + body);
    }
    return contents;
  }

  /// Whether a message has lone CRs or LFs, NULs, or octets beyond the target.
  public static void assertText(byte[] message, Target target, String what) {
    for (int i = 0; i < message.length; i++) {
      byte octet = message[i];
      boolean lone =
          (octet == '\n' && (i == 0 || message[i - 1] != '\r'))
              || (octet == '\r' && (i + 1 == message.length || message[i + 1] != '\n'));
      if (lone || octet == 0 || (octet < 0 && target == Target.SEVEN_BIT)) {
        throw new AssertionError(what + ": octet " + octet + " at " + i);
      }
    }
  }

  @Test
  void partsDecodeToTheSame() throws IOException {
    long seed = Seed.value();
    long until = Mutator.untilNanos();
    int changed = 0;
    for (long n = 0; System.nanoTime() < until; n++) {
      var message = message(seed + n);
      for (var target : Target.values()) {
        var what = target + " of seed " + (seed + n);
        var recoding = recoding(message, target);
        assertThat(recoding.possible()).as(what).isTrue();
        var recoded = recoded(recoding);
        assertText(recoded, target, what);
        assertThat(contents(recoded)).as(what).isEqualTo(contents(message));
        assertThat(recoding(recoded, target).needed()).as(what).isFalse();
        changed += recoding.needed() ? 1 : 0;
      }
    }
    assertThat(changed).isPositive();
  }

  /// Whatever octets come: text comes out, or it is said that it cannot be.
  @Test
  void arbitraryOctets() throws IOException {
    long seed = Seed.value();
    var seeds = new ArrayList<byte[]>();
    for (int n = 0; n < 20; n++) {
      seeds.add(message(seed + n));
    }
    var mutator = new Mutator(seed, seeds);
    long until = Mutator.untilNanos();
    for (int n = 0; System.nanoTime() < until; n++) {
      var message = mutator.next();
      for (var target : Target.values()) {
        var what = target + ", seed " + seed + ", input " + n;
        try {
          var recoding = recoding(message, target);
          var recoded = recoded(recoding);
          if (recoding.possible()) {
            assertText(recoded, target, what);
          }
          if (!recoding.needed()) {
            assertThat(recoded).as(what).isEqualTo(message);
          }
        } catch (RuntimeException e) {
          throw new AssertionError(what, e);
        }
      }
    }
  }

  /// Python's email package finds the same in what was and in what became of it.
  @Test
  @Tag("interop")
  void python(@TempDir Path folder) throws Exception {
    var python = Path.of("/usr/bin/python3");
    assumeTrue(Files.isExecutable(python), "skipped: no python3");
    long seed = Seed.value();
    for (int n = 0; n < 150; n++) {
      var message = message(seed + n);
      Files.write(folder.resolve(n + ".was"), message);
      Files.write(folder.resolve(n + ".text"), recoded(recoding(message, Target.TEXT)));
      Files.write(folder.resolve(n + ".seven"), recoded(recoding(message, Target.SEVEN_BIT)));
    }
    var log = folder.resolve("log");
    var process =
        new ProcessBuilder(python.toString(), "-W", "ignore", "-c", SCRIPT)
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
    var said = Files.readString(log, ISO_8859_1);
    assertThat(process.exitValue()).as("seed %d: %s", seed, said).isZero();
    assertThat(said).contains("150 messages");
  }

  private static final String SCRIPT =
      """
      import email
      def contents(name):
          message = email.message_from_bytes(open(name, 'rb').read())
          found = []
          for part in message.walk():
              body = None if part.is_multipart() else part.get_payload(decode=True)
              found.append((part.get_content_type(), body))
          return message, found
      for n in range(150):
          _, was = contents('%d.was' % n)
          for kind in ('text', 'seven'):
              message, became = contents('%d.%s' % (n, kind))
              assert was == became, (n, kind, was, became)
          if kind == 'seven':
              assert all(octet < 128 for octet in open('%d.seven' % n, 'rb').read()), n
      print(n + 1, 'messages')
      """;
}
