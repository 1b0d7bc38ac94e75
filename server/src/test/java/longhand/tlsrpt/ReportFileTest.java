package longhand.tlsrpt;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import longhand.Seed;
import longhand.dns.DnsName;
import longhand.mail.Address;
import longhand.mail.Domain;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReportFileTest {

  /// After the example of RFC 8460, appendix B.
  private static final String EXAMPLE =
      """
      {
        "organization-name": "Company-X",
        "date-range": {
          "start-datetime": "2016-04-01T00:00:00Z",
          "end-datetime": "2016-04-01T23:59:59Z"
        },
        "contact-info": "sts-reporting@company-x.example",
        "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
        "new": [{"deep": [1, 2.5, null, true]}],
        "policies": [{
          "policy": {
            "policy-type": "sts",
            "policy-string": ["version: STSv1", "mode: testing", "mx: *.mail.company-y.example"],
            "policy-domain": "company-y.example",
            "mx-host": ["*.mail.company-y.example"]
          },
          "summary": {
            "total-successful-session-count": 5326,
            "total-failure-session-count": 303
          },
          "failure-details": [{
            "result-type": "certificate-expired",
            "sending-mta-ip": "2001:db8:abcd:0012::1",
            "receiving-mx-hostname": "mx1.mail.company-y.example",
            "failed-session-count": 100
          }, {
            "result-type": "validation-failure",
            "sending-mta-ip": "198.51.100.62",
            "receiving-ip": "203.0.113.58",
            "receiving-mx-hostname": "mx-backup.mail.company-y.example",
            "failed-session-count": 3,
            "failure-reason-code": "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"
          }]
        }]
      }
      """;

  private static ReadReport read(String json) {
    return ReportFile.read(json.getBytes(StandardCharsets.UTF_8));
  }

  private static TlsReport valid(ReadReport read) {
    assertThat(read).isInstanceOf(ReadReport.Valid.class);
    return ((ReadReport.Valid) read).report();
  }

  private static void malformed(byte[] octets, String reason) {
    assertThat(ReportFile.read(octets)).isInstanceOf(ReadReport.Malformed.class);
    assertThat(((ReadReport.Malformed) ReportFile.read(octets)).reason()).contains(reason);
  }

  private static byte[] gzip(byte[] octets) throws IOException {
    var out = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(out)) {
      gzip.write(octets);
    }
    return out.toByteArray();
  }

  @Test
  void theExampleIsRead() throws IOException {
    var report = valid(read(EXAMPLE));
    assertThat(report.organization()).isEqualTo("Company-X");
    assertThat(report.begin()).isEqualTo("2016-04-01T00:00:00Z");
    assertThat(report.policies()).hasSize(1);
    var result = report.policies().getFirst();
    assertThat(result.policy().strings()).hasSize(3);
    assertThat(result.successes()).isEqualTo(5326);
    assertThat(result.details().getFirst().sessions()).isEqualTo(100);
    assertThat(result.details().getLast().detail())
        .isEqualTo(
            new FailureDetail(
                "validation-failure",
                "198.51.100.62",
                "mx-backup.mail.company-y.example",
                "203.0.113.58",
                "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"));
    assertThat(ReportFile.read(gzip(EXAMPLE.getBytes(StandardCharsets.UTF_8))))
        .isEqualTo(read(EXAMPLE));
    assertThat(ReportFile.read(ReportFile.write(report))).isEqualTo(read(EXAMPLE));
    // A single text in place of a list, and null for nothing, as some write it.
    assertThat(
            valid(
                    read(
                        EXAMPLE
                            .replace(
                                "[\"*.mail.company-y.example\"]", "\"*.mail.company-y.example\"")
                            .replace("\"Company-X\"", "null")))
                .policies())
        .isEqualTo(report.policies());
    assertThat(valid(read(EXAMPLE.replace("Company-X", "a\\u0000\\r\\nb"))).organization())
        .isEqualTo("a\ufffd\ufffd\ufffdb");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"report-id\":\"1\",\"policies\":[]}",
        "{\"report-id\":\"1\",\"date-range\":{},\"policies\":[]}",
        "{\"report-id\":\"1\",\"date-range\":7,\"policies\":[]}",
        "\u0000",
      })
  void othersAreNone(String json) {
    malformed(json.getBytes(StandardCharsets.UTF_8), "");
  }

  @Test
  void changesOfTheExampleAreNone() {
    for (var change :
        List.of(
            List.of("5326", "-1"),
            List.of("5326", "1.5"),
            List.of("5326", "1e3"),
            List.of("5326", "\"5326\""),
            List.of("5326", "99999999999999999999"),
            List.of("5326", "9007199254740993"),
            List.of("\"sts\"", "{}"),
            List.of("\"sts\"", "\"\""),
            List.of("2016-04-01T00:00:00Z", "yesterday"),
            List.of("2016-04-01T23:59:59Z", "2015-04-01T23:59:59Z"),
            List.of("\"policies\": [", "\"policies\": [1,"),
            List.of("\"policies\": [", "\"policies\": {}, \"x\": ["),
            List.of("\"report-id\": ", "\"report-id\": \"x\", \"report-id\": "),
            List.of("\"summary\": {", "\"x\": {"),
            List.of("\"policy\": {", "\"x\": {"),
            List.of("\"certificate-expired\"", "[]"),
            List.of("\"result-type\": \"certificate-expired\",", ""),
            List.of("null, true", "[[[[[[[[[[[[[]]]]]]]]]]]]]"),
            List.of("null, true", "nul"))) {
      var changed = EXAMPLE.replace(change.getFirst(), change.getLast());
      assertThat(changed).isNotEqualTo(EXAMPLE);
      assertThat(read(changed)).as("%s", change).isInstanceOf(ReadReport.Malformed.class);
    }
    malformed((EXAMPLE + "x").getBytes(StandardCharsets.UTF_8), "");
    malformed((EXAMPLE + "{}").getBytes(StandardCharsets.UTF_8), "something behind");
  }

  @Test
  void boundsHold() {
    malformed(" ".repeat((4 << 20) + 1).getBytes(StandardCharsets.US_ASCII), "more than 4194304");
    var deep = "[".repeat(100_000);
    malformed(deep.getBytes(StandardCharsets.US_ASCII), "");
    malformed(EXAMPLE.replace("null, true", deep).getBytes(StandardCharsets.US_ASCII), "no JSON");
    malformed(
        EXAMPLE.replace("Company-X", "x".repeat(100_000)).getBytes(StandardCharsets.US_ASCII),
        "no JSON");
    malformed(EXAMPLE.replace("5326", "1".repeat(100_000)).getBytes(StandardCharsets.US_ASCII), "");
    var strings = "\"x\",".repeat(3000);
    malformed(
        EXAMPLE
            .replace("[\"version", "[" + strings + "\"version")
            .getBytes(StandardCharsets.US_ASCII),
        "more than 2000");
  }

  @Test
  void compressionIsBounded() throws IOException {
    malformed(gzip(new byte[200 << 20]), "more than 4194304 octets");
    // A hundred thousand empty members, too deep for a reader that calls itself for each.
    var members = new ByteArrayOutputStream();
    for (int i = 0; i < 100_000; i++) {
      members.write(gzip(new byte[0]));
    }
    malformed(members.toByteArray(), "does not end");
  }

  @Test
  void damagedCompressionIsNone() throws IOException {
    byte[] good = gzip(EXAMPLE.getBytes(StandardCharsets.UTF_8));
    for (int length = 0; length < good.length; length++) {
      malformed(Arrays.copyOf(good, length), "");
    }
    malformed(Arrays.copyOf(good, good.length + 1), "does not end");
    for (int at = good.length - 8; at < good.length; at++) {
      byte[] changed = good.clone();
      changed[at] ^= 1;
      malformed(changed, "does not end");
    }
    // A header with all it may have is read; one that never ends is not.
    for (int flags : new int[] {2, 4, 8, 16, 30}) {
      var named = new ByteArrayOutputStream();
      named.write(new byte[] {0x1f, (byte) 0x8b, 8, (byte) flags, 0, 0, 0, 0, 0, 0});
      if ((flags & 4) != 0) {
        named.write(new byte[] {3, 0, 1, 2, 3});
      }
      if ((flags & 8) != 0) {
        named.write(new byte[] {'a', 0});
      }
      if ((flags & 16) != 0) {
        named.write(new byte[] {'b', 0});
      }
      if ((flags & 2) != 0) {
        named.write(new byte[] {1, 2});
      }
      int header = named.size();
      named.write(good, 10, good.length - 10);
      assertThat(ReportFile.read(named.toByteArray()))
          .as("flags %d", flags)
          .isEqualTo(read(EXAMPLE));
      for (int length = 0; length <= header; length++) {
        malformed(Arrays.copyOf(named.toByteArray(), length), "");
      }
    }
  }

  @Test
  void damagedReportsGiveValues() throws IOException {
    long seed = Seed.value();
    var random = new Random(seed);
    for (int i = 0; i < 5000; i++) {
      byte[] json = EXAMPLE.getBytes(StandardCharsets.UTF_8);
      for (int n = random.nextInt(4); n >= 0; n--) {
        json[random.nextInt(json.length)] =
            (byte)
                (random.nextBoolean() ? "{}[]\",:0\\".charAt(random.nextInt(9)) : random.nextInt());
      }
      byte[] octets = random.nextBoolean() ? json : gzip(json);
      if (random.nextInt(4) == 0) {
        octets[random.nextInt(octets.length)] = (byte) random.nextInt();
      }
      if (ReportFile.read(octets) instanceof ReadReport.Valid(var report)) {
        assertThat(valid(ReportFile.read(ReportFile.write(report))))
            .as("seed %d", seed)
            .isEqualTo(report);
      }
    }
  }

  @Test
  void whatIsWrittenIsRead() {
    long seed = Seed.value();
    var random = new Random(seed);
    for (int i = 0; i < 500; i++) {
      var policies = new ArrayList<PolicyResult>();
      for (int n = random.nextInt(4); n > 0; n--) {
        var details = new ArrayList<PolicyResult.Counted>();
        for (var type : ResultType.values()) {
          if (random.nextInt(4) == 0) {
            details.add(
                new PolicyResult.Counted(
                    FailureDetail.of(type, "", "h" + random.nextInt(9), "192.0.2.1", "\"\\\u00fc"),
                    random.nextInt(1000)));
          }
        }
        policies.add(
            new PolicyResult(
                new AppliedPolicy(
                    AppliedPolicy.TLSA, List.of("3 1 1 00"), "a.example", List.of("mx.example")),
                random.nextInt(1000),
                random.nextInt(1000),
                details));
      }
      var report =
          TlsReport.of(
              LocalDate.of(2026, 11, 1 + random.nextInt(28)),
              new DnsName("a.example"),
              new DnsName("mx.example.org"),
              "B\u00fccher",
              "postmaster@example.org",
              policies);
      assertThat(valid(ReportFile.read(ReportFile.write(report))))
          .as("seed %d", seed)
          .isEqualTo(report);
    }
  }

  @Test
  void theMessageHoldsTheReport() throws IOException {
    var report =
        TlsReport.of(
            LocalDate.of(2026, 11, 24),
            new DnsName("example.com"),
            new DnsName("mx.example.org"),
            "Example",
            "postmaster@example.org",
            valid(read(EXAMPLE)).policies());
    byte[] octets =
        ReportMessage.of(
            report,
            new DnsName("example.com"),
            new DnsName("mx.example.org"),
            new Address("postmaster", new Domain("mx.example.org")),
            new Address("reports", new Domain("example.com")),
            Instant.parse("2026-11-25T00:10:00Z"));
    var text = new String(octets, StandardCharsets.US_ASCII);
    assertThat(text.replace("\r\n", "")).doesNotContain("\r").doesNotContain("\n");
    assertThat(text.lines()).allMatch(line -> line.length() <= 100);
    assertThat(text)
        .contains("\r\nTo: <reports@example.com>\r\n")
        .contains("\r\nDate: Wed, 25 Nov 2026 00:10:00 +0000\r\n")
        .contains("\r\nMessage-ID: <2026-11-24.example.com@mx.example.org>\r\n")
        .contains("\r\nSubject: Report Domain: example.com\r\n Submitter: mx.example.org\r\n ")
        .contains("\r\n Report-ID: <2026-11-24.example.com@mx.example.org>\r\nTLS-Report-Domain")
        .contains("\r\nTLS-Report-Domain: example.com\r\n")
        .contains("\r\nTLS-Report-Submitter: mx.example.org\r\n")
        .contains("multipart/report; report-type=\"tlsrpt\"")
        .contains("filename=\"mx.example.org!example.com!1795478400!1795564799.json.gz\"");
    int begin = text.indexOf("\r\n\r\n", text.indexOf("filename=")) + 4;
    var base64 = text.substring(begin, text.indexOf("\r\n--=_report--", begin));
    byte[] file = Base64.getMimeDecoder().decode(base64);
    assertThat(valid(ReportFile.read(file))).isEqualTo(report);
    try (var gzip = new GZIPInputStream(new ByteArrayInputStream(file))) {
      assertThat(new String(gzip.readAllBytes(), StandardCharsets.UTF_8)).startsWith("{\"org");
    }
  }
}
