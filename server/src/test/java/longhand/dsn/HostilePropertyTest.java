package longhand.dsn;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static longhand.dsn.Reports.path;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import longhand.Seed;
import longhand.dialog.Mutator;
import longhand.mail.Envelope;
import longhand.message.Header;
import longhand.message.Summary;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whatever a message and the words of other servers hold, a report has its three parts, and says
/// of each recipient what was meant.
class HostilePropertyTest {

  private static final List<String> PIECES =
      List.of(
          "\r\n",
          "\r",
          "\n",
          "\0",
          "\r\n\r\n",
          "\r\n--=_",
          "\r\n--",
          "--\r\n",
          "=_0000000000000000",
          "Content-Type: multipart/mixed; boundary=x\r\n",
          "Subject: =?utf-8?Q?a=0D=0Ab?=\r\n",
          "Message-ID: <a@b>\r\n",
          "\r\nAction: delivered\r\n",
          "\u00e9",
          "\ufffd\u2028\u0085",
          "\ud800",
          "\ud83d\ude00",
          " ",
          "\t",
          ".",
          "x",
          "550 5.1.1 no");

  private static String text(Random random, int pieces) {
    var text = new StringBuilder();
    for (int n = random.nextInt(pieces); n > 0; n--) {
      text.append(PIECES.get(random.nextInt(PIECES.size())));
      if (random.nextInt(30) == 0) {
        text.append("w".repeat(random.nextInt(3000)));
      }
    }
    return text.toString();
  }

  /// What a report is to say of its recipients: `action status last original`, the addresses in
  /// hexadecimal.
  private record Case(String report, List<String> says) {}

  private static Case make(long seed) {
    var random = new Random(seed);
    var told = new ArrayList<Told>();
    var says = new ArrayList<String>();
    for (int n = 1 + random.nextInt(4); n > 0; n--) {
      var local = localPart(random);
      var each = Reports.failed(path(local), text(random, 40));
      told.add(each);
      says.add(
          "failed 5.1.1 "
              + HexFormat.of().formatHex(each.recipient().address().quoted().getBytes(UTF_8)));
    }
    var returned =
        List.of(
                Optional.<Envelope.Returned>empty(),
                Optional.of(Envelope.Returned.FULL),
                Optional.of(Envelope.Returned.HEADERS))
            .get(random.nextInt(3));
    var report =
        Reports.report(Reports.envelope(returned, random.nextBoolean()), told.toArray(Told[]::new));
    var original = new String(text(random, 60).getBytes(UTF_8), ISO_8859_1);
    return new Case(Reports.write(report, original), says);
  }

  private static String localPart(Random random) {
    var local = new StringBuilder();
    for (int n = 1 + random.nextInt(12); n > 0; n--) {
      local.append("ab.\"\\ @<>;(,\u00e9".charAt(random.nextInt(13)));
    }
    return local.toString();
  }

  @Test
  void threePartsAndTheirFields() throws IOException {
    long seed = Seed.value();
    long until = Mutator.untilNanos();
    for (int n = 0; System.nanoTime() < until; n++) {
      var what = "seed " + (seed + n);
      var made = make(seed + n);
      var octets = made.report.getBytes(ISO_8859_1);
      assertLines(made.report, what);
      var summary = Summary.of(octets);
      assertThat(summary.children(0)).as(what).hasSize(3);
      var types = new ArrayList<String>();
      for (int child : summary.children(0)) {
        var part = summary.parts().get(child);
        var header = Header.of(octets, (int) part.headerStart(), octets.length);
        types.add(new String(header.first("Content-Type").orElseThrow().value(), ISO_8859_1));
      }
      assertThat(types.get(0)).as(what).startsWith("text/plain; charset=");
      assertThat(types.get(1)).as(what).matches("message/(global-)?delivery-status.*");
      assertThat(types.get(2))
          .as(what)
          .matches("message/(rfc822|global(-headers)?)|text/rfc822-headers");
      var read = Notification.read(new ByteArrayInputStream(octets)).orElseThrow();
      assertThat(read.recipients()).as(what).hasSize(made.says.size());
      assertThat(read.recipients())
          .as(what)
          .allMatch(each -> each.action() == Action.FAILED && each.status().isPresent());
    }
  }

  /// Lines end in CRLF and nothing else does; none of ours is too long, and no field is new.
  private static void assertLines(String report, String what) {
    for (int i = 0; i < report.length(); i++) {
      char c = report.charAt(i);
      assertThat(c).as(what).isNotEqualTo('\0');
      if (c == '\n') {
        assertThat(report.charAt(i - 1)).as(what).isEqualTo('\r');
      }
      if (c == '\r') {
        assertThat(report.charAt(i + 1)).as(what).isEqualTo('\n');
      }
    }
    int returned = report.indexOf("Content-Description: The ");
    for (var line : report.substring(0, returned).split("\r\n", -1)) {
      assertThat(line.length()).as(what).isLessThanOrEqualTo(998);
    }
  }

  /// Python's email package, which shares nothing with us, sees the same.
  @Test
  @Tag("interop")
  void python(@TempDir Path folder) throws Exception {
    var python = Path.of("/usr/bin/python3");
    assumeTrue(Files.isExecutable(python), "skipped: no python3");
    long seed = Seed.value();
    var expected = new StringBuilder();
    for (int n = 0; n < 200; n++) {
      var made = make(seed + n);
      Files.writeString(folder.resolve(n + ".eml"), made.report, ISO_8859_1);
      expected.append(String.join(",", made.says)).append('\n');
    }
    Files.writeString(folder.resolve("expected"), expected);
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
    assertThat(process.exitValue())
        .as("seed %d: %s", seed, Files.readString(log, ISO_8859_1))
        .isZero();
    assertThat(Files.readString(log, ISO_8859_1)).contains("200 reports");
  }

  private static final String SCRIPT =
      """
      import email
      def unfold(text):
          return text.replace('\\r\\n', '').replace('\\n', '')
      seen = 0
      for n, line in enumerate(open('expected')):
          message = email.message_from_binary_file(open('%d.eml' % n, 'rb'))
          assert message.get_content_type() == 'multipart/report', n
          assert message.get_param('report-type') == 'delivery-status', n
          assert message['Auto-Submitted'] == 'auto-replied', n
          assert message['To'] == '<ana@example.org>', (n, message['To'])
          assert not message.defects, (n, message.defects)
          assert set(message.keys()) <= {'From', 'To', 'Subject', 'Date', 'Message-ID', 'In-Reply-To',
              'References', 'Auto-Submitted', 'MIME-Version', 'Content-Type',
              'Content-Transfer-Encoding'}, (n, message.keys())
          parts = message.get_payload()
          assert len(parts) == 3, (n, parts)
          assert parts[0].get_content_type() == 'text/plain', n
          parts[0].get_payload(decode=True).decode(parts[0].get_content_charset())
          kind = parts[1].get_content_type()
          if kind == 'message/delivery-status':
              groups = parts[1].get_payload()[1:]
          else:
              assert kind == 'message/global-delivery-status', (n, kind)
              raw = open('%d.eml' % n, 'rb').read()
              body = raw.split(b'Content-Description: What became of the message, for programs')[1]
              body = body.split(b'\\r\\n--=_')[0].strip(b'\\r\\n')
              groups = [email.message_from_bytes(g) for g in body.split(b'\\r\\n\\r\\n')[1:]]
          says = []
          for group in groups:
              final = unfold(str(group['Final-Recipient'])) if kind == 'message/delivery-status' \\
                  else unfold(dict(group.raw_items())['Final-Recipient'])
              address = final.split('; ', 1)[1].encode('utf-8', 'surrogateescape')
              says.append('%s %s %s' % (group['Action'], group['Status'], address.hex()))
          assert ','.join(says) == line.rstrip('\\n'), (n, says, line)
          seen += 1
      print(seen, 'reports')
      """;
}
