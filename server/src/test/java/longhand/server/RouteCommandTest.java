package longhand.server;

import static java.util.Objects.requireNonNull;
import static longhand.server.Commands.run;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import longhand.dns.FakeNameServer;
import longhand.dns.Nsd;
import longhand.dns.StubResolver;
import longhand.mail.Domain;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What `longhand route` says of the way to other servers, with a real name server and zones that
/// are signed, plain and in trouble.
@Timeout(120)
class RouteCommandTest {

  private static final String DIGEST = "00112233445566778899aabbccddeeff".repeat(2);

  @TempDir private static Path zones;
  @TempDir private Path folder;
  private static @Nullable Nsd server;
  private Path file;

  @AfterAll
  static void end() {
    if (server != null) {
      server.close();
    }
  }

  @BeforeEach
  void name() {
    file = folder.resolve("longhand.toml");
  }

  /// @param dns the lines of `[dns]`
  private void configuration(String dns, String more) throws IOException {
    Files.writeString(
        file,
        """
            hostname = "mx.example.com"
            data = "data"
            [[domain]]
            name = "example.com"
            [[listener]]
            protocol = "smtp"
            address = "127.0.0.1:0"
            [dns]
            private-addresses = true
            %s
            %s
            """
            .formatted(dns, more));
    var accounts = Files.createDirectories(folder.resolve("data/directory"));
    Files.writeString(
        accounts.resolve("example.com"),
        "both alias a@dane.test,b@plain.test,c@dane.test\nlost alias a@gone.plain.test\n");
  }

  private static String dns() {
    var server = requireNonNull(RouteCommandTest.server);
    return "servers = [\"127.0.0.1:%d\"]\nvalidation = \"own\"\ntrust-anchor = [%s]"
        .formatted(
            server.address().getPort(),
            server.anchors().stream()
                .map(anchor -> "'" + anchor + "'")
                .collect(Collectors.joining(", ")));
  }

  private String said(int code, String... arguments) {
    var all = new ArrayList<>(List.of("route", "--config", file.toString()));
    all.addAll(List.of(arguments));
    var ran = run(all.toArray(String[]::new));
    assertThat(ran.err()).isEmpty();
    assertThat(ran.code()).as(ran.out()).isEqualTo(code);
    return ran.out();
  }

  private JsonNode json(int code, String address) {
    return new JsonMapper()
        .readTree(said(code, "--json", address))
        .path("leaves")
        .path(0)
        .path("onward");
  }

  private void policy(String domain, String id, String mode, String mx) throws IOException {
    var kept = Files.createDirectories(folder.resolve("data/mta-sts"));
    Files.writeString(
        kept.resolve(domain),
        "fetched: %d\nid: %s\nversion: STSv1\nmode: %s\nmx: %s\nmax_age: 86400\n"
            .formatted(Instant.now().getEpochSecond(), id, mode, mx));
  }

  @BeforeAll
  static void names() throws Exception {
    server =
        new Nsd(zones)
            .signed(
                "dane.test",
                """
            @ IN MX 10 one
            @ IN MX 20 two
            one IN A 192.0.2.1
            one IN AAAA 2001:db8::1
            two IN A 192.0.2.2
            _25._tcp.one IN TLSA 3 1 1 %s
            old IN MX 5 mx.old
            mx.old IN A 192.0.2.3
            _25._tcp.mx.old IN TLSA 1 1 1 %s
            far IN MX 5 mx.plain.test.
            """
                    .formatted(DIGEST, DIGEST),
                text -> text)
            .signed(
                "forged.test",
                "@ IN MX 10 mx\nmx IN A 192.0.2.4\n_25._tcp.mx IN TLSA 3 1 1 " + DIGEST + "\n",
                text -> text.replace(DIGEST, "00".repeat(32)))
            .plain(
                "plain.test",
                """
            @ IN MX 10 mx
            mx IN A 192.0.2.5
            single IN A 192.0.2.6
            null IN MX 0 .
            empty IN TXT "nothing"
            back IN MX 10 mx.example.com.
            back IN MX 20 mx
            enforced IN MX 10 mx
            enforced IN MX 20 other
            other IN A 192.0.2.7
            _mta-sts.enforced IN TXT "v=STSv1; id=1;"
            trial IN MX 10 mx
            _mta-sts.trial IN TXT "v=STSv1; id=1;"
            unnamed IN MX 10 mx
            _mta-sts.unnamed IN TXT "v=STSv1; id=1;"
            broken IN MX 10 mx
            _mta-sts.broken IN TXT "v=STSv1; id=1;"
            relay IN A 127.0.0.1
            """)
            .plain("example.com", "mx IN A 192.0.2.25\n")
            .inTrouble("trouble.test")
            .start();
  }

  @Test
  void whatDnsNamesIsSaidWithItsTls() throws Exception {
    configuration(dns(), "");
    assertThat(said(ExitCode.OK, "both@example.com"))
        .isEqualToNormalizingNewlines(
            """
              both@example.com is an alias of 3 addresses
                a@dane.test is of another server
                  => relayed to the servers of dane.test
                  => with the reverse-path rewritten
                     DNS names them, and DNSSEC vouches for it
                     10 one.dane.test [2001:db8:0:0:0:0:0:1], [192.0.2.1]
                       DANE: only under TLS, with a certificate that the TLSA records name
                         TLSA 3 1 1 %s
                     20 two.dane.test [192.0.2.2]
                       neither DANE nor MTA-STS: TLS where it is offered, with any certificate
                b@plain.test is of another server
                  => relayed to the servers of plain.test
                  => with the reverse-path rewritten
                     DNS names them, without DNSSEC that vouches for it
                     10 mx.plain.test [192.0.2.5]
                       neither DANE nor MTA-STS: TLS where it is offered, with any certificate
                c@dane.test is of another server
                  => relayed to the servers of dane.test
                  => with the reverse-path rewritten
              """
                .formatted(DIGEST));
    var dane = json(ExitCode.OK, "both@example.com");
    assertThat(dane.path("fate").asString()).isEqualTo("goes");
    assertThat(dane.path("by").asString()).isEqualTo("dns");
    assertThat(dane.path("dnssec").asBoolean()).isTrue();
    var one = dane.path("hosts").path(0);
    assertThat(one.path("host").asString()).isEqualTo("one.dane.test");
    assertThat(one.path("preference").asInt()).isEqualTo(10);
    assertThat(one.path("addresses").path(1).asString()).isEqualTo("192.0.2.1");
    assertThat(one.path("port").asInt()).isEqualTo(25);
    assertThat(one.path("tls").asString()).isEqualTo("dane");
    assertThat(one.path("tlsa").path(0).asString()).isEqualTo("3 1 1 " + DIGEST);
    assertThat(dane.path("hosts").path(1).path("tls").asString()).isEqualTo("opportunistic");

    assertThat(said(ExitCode.OK, "a@old.dane.test"))
        .contains("DANE without a usable record: only under TLS, with any certificate");
    assertThat(said(ExitCode.OK, "a@far.dane.test"))
        .contains("DNSSEC vouches for it\n")
        .contains("without DNSSEC that vouches for its addresses\n");
    assertThat(said(ExitCode.OK, "a@single.plain.test"))
        .contains("0 single.plain.test [192.0.2.6]\n");
  }

  @Test
  void policiesAreReadAndNotWritten() throws Exception {
    configuration(dns(), "");
    policy("enforced.plain.test", "1", "enforce", "mx.plain.test");
    policy("trial.plain.test", "1", "testing", "mx.plain.test");
    policy("unnamed.plain.test", "1", "enforce", "elsewhere.test");
    var unfinished = Files.writeString(folder.resolve("data/mta-sts/~new.test"), "half");
    assertThat(said(ExitCode.OK, "a@enforced.plain.test"))
        .contains(
            """
                   10 mx.plain.test [192.0.2.5]
                     MTA-STS, enforced: only under TLS, with a certificate for mx.plain.test from a known authority
                   20 other.plain.test [192.0.2.7]
                     not tried: The MTA-STS policy of enforced.plain.test does not name its MX host other.plain.test.
              """);
    var other = json(ExitCode.OK, "a@enforced.plain.test").path("hosts").path(1);
    assertThat(other.path("not-tried").asString()).isEqualTo("not-in-policy");
    assertThat(said(ExitCode.OK, "a@trial.plain.test"))
        .contains("MTA-STS, on trial: TLS where it is offered, with any certificate\n");
    assertThat(said(ExitCode.TEMPORARY, "a@unnamed.plain.test"))
        .contains("not tried: The MTA-STS policy of unnamed.plain.test")
        .endsWith("mail waits and is tried again: 4.7.5\n");
    // Its host for policies does not exist.
    assertThat(said(ExitCode.OK, "a@broken.plain.test"))
        .contains("the MTA-STS policy it announces cannot be had: ");
    assertThat(json(ExitCode.OK, "a@broken.plain.test").path("mta-sts-failure").asString())
        .isNotEmpty();
    assertThat(unfinished).exists();
    try (var kept = Files.list(folder.resolve("data/mta-sts"))) {
      assertThat(kept).hasSize(4);
    }
  }

  @Test
  void noWayIsSaidInWords() throws Exception {
    configuration(dns(), "");
    assertThat(said(ExitCode.NO_USER, "a@null.plain.test"))
        .isEqualToNormalizingNewlines(
            """
              a@null.plain.test is of another server
                => relayed to the servers of null.plain.test
                   null.plain.test says that it takes no mail (null MX).
                   mail goes back to its sender: 5.1.10
              """);
    var none = json(ExitCode.NO_USER, "a@null.plain.test");
    assertThat(none.path("fate").asString()).isEqualTo("returns");
    assertThat(none.path("status").asString()).isEqualTo("5.1.10");
    assertThat(said(ExitCode.NO_USER, "lost@example.com"))
        .contains("There is no domain gone.plain.test.\n")
        .endsWith("mail goes back to its sender: 5.1.2\n");
    assertThat(said(ExitCode.NO_USER, "a@empty.plain.test"))
        .contains("empty.plain.test has neither an MX record nor an address.\n");
    assertThat(said(ExitCode.NO_USER, "a@back.plain.test"))
        .contains("we are its best MX that is left.\n")
        .endsWith("mail goes back to its sender: 5.4.6\n");
    assertThat(said(ExitCode.NO_USER, "a@mx.example.com"))
        .contains("mx.example.com is our own name.\n")
        .endsWith("mail goes back to its sender: 5.4.6\n");
    for (var domain : List.of("trouble.test", "forged.test", "elsewhere.test")) {
      assertThat(said(ExitCode.TEMPORARY, "a@" + domain))
          .as(domain)
          .contains("Looking up ")
          .contains("mail waits and is tried again: 4.4.3\n");
    }
    var trouble = json(ExitCode.TEMPORARY, "a@trouble.test");
    assertThat(trouble.path("fate").asString()).isEqualTo("waits");
    assertThat(trouble.path("words").asString()).startsWith("Looking up trouble.test: ");
  }

  /// A host of another name at an address of ours: mail for it would come back to us for ever.
  @Test
  void anAddressOfOursIsUs() throws Exception {
    configuration(
        dns(), "[[listener]]\nprotocol = \"smtp\"\naddress = \"192.0.2.5:25\"\ntls = \"none\"\n");
    assertThat(said(ExitCode.NO_USER, "a@plain.test"))
        .endsWith("mail goes back to its sender: 5.4.6\n");
    assertThat(said(ExitCode.OK, "a@single.plain.test")).contains("192.0.2.6");
  }

  @Test
  void routesAreSaid() throws Exception {
    configuration(
        dns(),
        """
          [[route]]
          domain = "inside.test"
          host = "relay.plain.test"
          port = 2424
          protocol = "lmtp"
          tls = "none"
          source = "127.0.0.2"
          [[route]]
          domain = "lost.test"
          host = "gone.plain.test"
          [[route]]
          domain = "plain.test"
          sessions-max = 1
          [[route]]
          domain = "*"
          host = "192.0.2.77"
          port = 465
          tls = "implicit"
          user = "ana"
          password = "very-secret"
          """);
    assertThat(said(ExitCode.OK, "a@inside.test"))
        .isEqualToNormalizingNewlines(
            """
              a@inside.test is of another server
                => relayed by the route inside.test by relay.plain.test:2424
                   LMTP to relay.plain.test [127.0.0.1], port 2424, from 127.0.0.2
                     without TLS
              """);
    assertThat(said(ExitCode.OK, "a@any.test"))
        .contains("=> relayed by the route * by 192.0.2.77:465\n")
        .contains("SMTP to 192.0.2.77 [192.0.2.77], port 465, logged in as ana\n")
        .contains("only under TLS from the first octet, with a certificate for 192.0.2.77")
        .doesNotContain("very-secret");
    assertThat(said(ExitCode.OK, "a@plain.test"))
        .contains("=> relayed to the servers of plain.test\n")
        .contains("10 mx.plain.test");
    assertThat(said(ExitCode.TEMPORARY, "a@lost.test"))
        .contains("There is no domain gone.plain.test.\n")
        .contains("mail waits and is tried again: 4.4.1\n");
    var smarthost = json(ExitCode.OK, "a@any.test");
    assertThat(smarthost.path("by").asString()).isEqualTo("route");
    assertThat(smarthost.path("login").asString()).isEqualTo("ana");
    assertThat(smarthost.path("hosts").path(0).path("tls").asString())
        .isEqualTo("implicit-authority");
    assertThat(smarthost.toString()).doesNotContain("very-secret");
    assertThat(json(ExitCode.TEMPORARY, "a@lost.test").path("status").asString())
        .isEqualTo("4.4.1");
  }

  @Test
  void anotherNameServerMayBeAsked() throws Exception {
    try (var refusing = FakeNameServer.always(5)) {
      configuration("servers = [\"127.0.0.1:9\"]", "");
      assertThat(
              said(
                  ExitCode.TEMPORARY,
                  "--server",
                  "127.0.0.1:" + refusing.address().getPort(),
                  "a@any.test"))
          .contains("Looking up any.test: ");
    }
  }

  @Test
  void whoWaitsForDnsWaitsNoLongerThanSaid() throws Exception {
    try (var silent = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
      configuration("servers = [\"127.0.0.1:%d\"]".formatted(silent.getLocalPort()), "");
      var config = ConfigFile.read(file);
      var dns = new StubResolver(config.dns().settings(), Clock.systemUTC());
      try (var outbound = Outbound.looking(config, dns)) {
        var search = new OnwardSearch(outbound, Duration.ofMillis(200));
        for (var domain : List.of("any.test", "other.test")) {
          var onward = search.of(new Domain(domain));
          assertThat(onward)
              .isEqualTo(new Onward.Late("Looking up " + domain + ": 0.2 seconds are over."));
          assertThat(onward.fate()).isEqualTo(Onward.Fate.WAITS);
          assertThat(search.of(new Domain(domain))).isSameAs(onward);
        }
      }
    }
  }
}
