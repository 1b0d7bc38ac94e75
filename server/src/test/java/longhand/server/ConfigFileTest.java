package longhand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import longhand.journey.Journeys;
import longhand.mail.Domain;
import longhand.wire.Limits;
import longhand.wire.Network;
import longhand.wire.Proxies;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigFileTest {

  private static final String GOOD =
      """
      hostname = "mx.example.com"
      data = "data"

      [[domain]]
      name = "example.com"

      [[listener]]
      protocol = "smtp"
      address = "127.0.0.1:2525"
      """;

  @TempDir Path folder;

  private Config read(String text) throws IOException, ConfigException {
    return ConfigFile.read(Files.writeString(folder.resolve("longhand.toml"), text));
  }

  private List<String> problems(String text) {
    try {
      read(text);
      return List.of();
    } catch (ConfigException e) {
      return e.problems().stream()
          .map(problem -> problem.replace(folder.resolve("longhand.toml").toString(), "F"))
          .toList();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void whatIsNotGivenHasItsDefault() throws Exception {
    var config = read(GOOD);
    assertThat(config.hostname()).isEqualTo("mx.example.com");
    assertThat(config.data()).isEqualTo(folder.resolve("data"));
    assertThat(config.domain())
        .containsExactly(new Config.HostedDomain("example.com", Optional.empty(), false));
    assertThat(config.listener())
        .containsExactly(
            new Config.ListenerConfig(
                Config.Protocol.SMTP,
                "127.0.0.1:2525",
                Config.TlsMode.STARTTLS,
                false,
                false,
                List.of()));
    assertThat(config.limits()).isEqualTo(Limits.DEFAULT);
    assertThat(config.auth().delay()).isEqualTo(Duration.ofSeconds(2));
    assertThat(config.log()).isEqualTo(new Config.Log(Config.LogFormat.TEXT, Config.LogLevel.INFO));
    assertThat(config.metrics().address()).isEmpty();
    assertThat(config.journey().settings())
        .isEqualTo(Journeys.Settings.of(Duration.ofDays(14), 1L << 30));
    assertThat(config.tls().certificate()).isEmpty();
  }

  @Test
  void everythingCanBeGiven() throws Exception {
    var config =
        read(
            GOOD
                + """
                tls = "implicit"
                plaintext-login = true
                proxy-protocol = true
                trusted = ["10.0.0.0/8", "2001:db8::5"]

                [[listener]]
                protocol = "imap"
                address = "[::1]:2143"

                [tls]
                certificate = "/etc/cert.pem"
                key = "key.pem"

                [auth]
                failures-max = 3
                window = "1m"
                delay = "0s"

                [log]
                format = "json"
                level = "debug"

                [metrics]
                address = "127.0.0.1:9464"

                [limits]
                smtp-idle-timeout = "10s"
                message-octets-max = 100000
                loopback-unbounded = true
                """);
    assertThat(config.listener()).hasSize(2);
    assertThat(config.listener().getFirst().plaintextLogin()).isTrue();
    assertThat(config.listener().getFirst().proxies())
        .isEqualTo(
            new Proxies(
                true,
                List.of(
                    Network.of("10.0.0.0/8").orElseThrow(),
                    Network.of("2001:db8::5").orElseThrow())));
    assertThat(config.listener().get(1).proxies()).isEqualTo(Proxies.NONE);
    assertThat(config.listener().get(1).tls()).isEqualTo(Config.TlsMode.STARTTLS);
    assertThat(config.tls().certificate()).contains(Path.of("/etc/cert.pem"));
    assertThat(config.tls().key()).contains(folder.resolve("key.pem"));
    assertThat(config.auth().failuresMax()).isEqualTo(3);
    assertThat(config.limits().smtpIdleTimeout()).isEqualTo(Duration.ofSeconds(10));
    assertThat(config.limits().messageOctetsMax()).isEqualTo(100_000);
    assertThat(config.limits().loopbackUnbounded()).isTrue();
  }

  @Test
  void proxiesAreNamed() {
    assertThat(problems(GOOD + "proxy-protocol = true\n"))
        .singleElement()
        .asString()
        .endsWith(
            "listener.proxy-protocol: found true without trusted, expected trusted, with the"
                + " proxies");
    for (var wrong :
        List.of(
            "\"10.0.0.0/33\"",
            "\"10.0.0.0/\"",
            "\"10.0/8\"",
            "\"proxy.example.com\"",
            "\"2001:db8::/129\"",
            "\"fe80::1%lo\"",
            "\"10.0.0.0/08\"")) {
      assertThat(problems(GOOD + "trusted = [" + wrong + "]\n"))
          .singleElement()
          .asString()
          .contains("listener.trusted: found " + wrong + ", expected an IP address or a network");
    }
    for (var wrong : List.of("true", "\"10.0.0.0/8\"", "[1]", "[\"\"]")) {
      assertThat(problems(GOOD + "trusted = " + wrong + "\n"))
          .singleElement()
          .asString()
          .endsWith("expected a list of texts in quotes");
    }
  }

  @Test
  void problemsAreToldAllAtOnceWithTheirLines() {
    assertThat(
            problems(
                """
                hostname = "mx.example.com"
                colour = "blue"

                [[domain]]
                name = "Example.com"

                [[listener]]
                protocol = "gopher"
                address = "127.0.0.1:2525"
                [[listener]]
                protocol = "smtp"
                adress = "127.0.0.1:25"
                """))
        .containsExactly(
            "F:2: colour: found the unknown key \"colour\", expected one of those in docs/configuration.md",
            "F:1: found no data, expected data = \"/var/lib/longhand\"",
            "F:8: listener.protocol: found \"gopher\", expected one of smtp, submission, lmtp, pop3,"
                + " imap",
            "F:12: listener.adress: found the unknown key \"adress\" in [listener], expected one of"
                + " protocol, address, tls, plaintext-login, proxy-protocol, trusted",
            "F:10: listener: found no address in [listener], expected address = \"0.0.0.0:25\"");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "hostname = \"mx\" | hostname = \"Mx_\" | F:1: hostname: found \"Mx_\", expected a host name",
        "data = \"data\" | data = 5 | F:2: data: found 5, expected a text in quotes",
        "data = \"data\" | data = \"\" | F:2: data: found \"\", expected a text that is not empty",
        "127.0.0.1:2525 | 127.0.0.1 | F:9: listener.address: found \"127.0.0.1\", expected",
        "127.0.0.1:2525 | 127.0.0.1:99999 | F:9: listener.address: found",
        "127.0.0.1:2525 | ::1:25 | F:9: listener.address: found",
        "example.com\" | -x\" | F:5: domain.name: found \"-x\", expected a domain",
        "[[domain]] | [domain] | F:4: domain: found {\"name\":\"example.com\"}, expected [[domain]]",
      })
  void aWrongValueIsShownWithWhatWasExpected(String good, String bad, String problem) {
    var text = GOOD.replace("mx.example.com", "mx").replace(good, bad);
    assertThat(problems(text)).hasSize(1).first().asString().startsWith(problem);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[limits] smtp-line-octets-max = 1 | F:12: limits.smtp-line-octets-max: found 1, expected 512",
        "[limits] smtp-line-octets-max = -1 | F:12: limits.smtp-line-octets-max: found -1, expected",
        "[limits] smtp-idle-timeout = 5 | F:12: limits.smtp-idle-timeout: found 5, expected a duration",
        "[limits] smtp-idle-timout = \"5s\" | F:12: limits.smtp-idle-timout: found the unknown key"
            + " \"smtp-idle-timout\" in [limits], expected perhaps smtp-idle-timeout",
        "[tls] key = \"k\" | F:11: tls: found only one of certificate and key, expected both",
        "[auth] delay = \"fast\" | F:12: auth.delay: found \"fast\", expected a duration",
        "[auth] failures-max = 0 | F:12: auth.failures-max: found 0, expected at least 1",
        "[log] level = \"loud\" | F:12: log.level: found \"loud\", expected one of error, warning",
        "[metrics] address = \"nowhere\" | F:12: metrics.address: found \"nowhere\", expected address",
        "[tls-reports] contact = \"ann@example.net\" | F:12: tls-reports.contact: found"
            + " \"ann@example.net\", expected an address in a [[domain]]",
        "[tls-reports] contact = \"@example.com\" | F:12: tls-reports.contact: found \"@example",
      })
  void aWrongValueInATable(String table, String problem) {
    var text = GOOD + "\n" + table.replaceFirst("] ", "]\n") + "\n";
    assertThat(problems(text)).hasSize(1).first().asString().startsWith(problem);
  }

  @Test
  void passwordsInClearAreForLoopbackOnly() {
    var clear = GOOD + "plaintext-login = true\n";
    assertThat(problems(clear)).isEmpty();
    assertThat(problems(clear.replace("127.0.0.1:2525", "[::1]:2525"))).isEmpty();
    assertThat(problems(clear.replace("127.0.0.1:2525", "0.0.0.0:2525")))
        .hasSize(1)
        .first()
        .asString()
        .startsWith("F:10: listener.plaintext-login: found true for 0.0.0.0:2525");
    assertThat(problems(clear.replace("127.0.0.1:2525", "[::]:2525"))).hasSize(1);
  }

  @Test
  void theSameTwiceIsAMistake() {
    assertThat(problems(GOOD + "[[listener]]\nprotocol = \"imap\"\naddress = \"127.0.0.1:2525\"\n"))
        .hasSize(1)
        .first()
        .asString()
        .startsWith("F:12: listener.address: found \"127.0.0.1:2525\" a second time");
    assertThat(problems(GOOD + "[[domain]]\nname = \"example.com\"\n")).hasSize(1);
  }

  @Test
  void domainsHaveOneRole() throws Exception {
    var config =
        read(
            GOOD.replaceFirst("(?m)^data", "srs-domain = \"example.org\"\ndata")
                + "[[domain]]\nname = \"example.org\"\nalias-of = \"example.com\"\n"
                + "[[domain]]\nname = \"backup.test\"\nbackup = true\n");
    assertThat(config.hosted().local()).containsExactly(new Domain("example.com"));
    assertThat(config.hosted().aliases())
        .containsExactly(Map.entry(new Domain("example.org"), new Domain("example.com")));
    assertThat(config.hosted().backup()).containsExactly(new Domain("backup.test"));
    assertThat(config.rewritingDomain()).isEqualTo(new Domain("example.org"));
    assertThat(read(GOOD).rewritingDomain()).isEqualTo(new Domain("example.com"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "alias-of = \"example.net\" | domain.alias-of: found \"example.net\", expected the name of",
        "alias-of = \"example.org\" | domain.alias-of: found \"example.org\", expected the name of",
        "alias-of = \"example.com\"\\nbackup = true | domain.backup: found true beside alias-of",
        "backup = 1 | domain.backup: found 1, expected true or false",
      })
  void aWrongRole(String keys, String problem) {
    assertThat(
            problems(
                GOOD + "[[domain]]\nname = \"example.org\"\n" + keys.replace("\\n", "\n") + "\n"))
        .hasSize(1)
        .first()
        .asString()
        .contains(problem);
  }

  @Test
  void theFirstDomainAndThatOfRewritingAreDeliveredHere() {
    var backup = GOOD.replaceFirst("name = \"example.com\"", "$0\nbackup = true");
    assertThat(problems(backup))
        .hasSize(1)
        .first()
        .asString()
        .contains("\"example.com\" with alias-of or backup, expected a domain without them first");
    assertThat(problems("srs-domain = \"example.net\"\n" + GOOD))
        .hasSize(1)
        .first()
        .asString()
        .startsWith("F:1: srs-domain: found \"example.net\", expected the name of a [[domain]]");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"hostname = ", "hostname", "[", "a = 1\na = 2", "x = \"\n\"", "\0", "= 1"})
  void whatIsNotTomlIsToldWithItsLine(String text) {
    assertThat(problems(GOOD + text)).hasSize(1).first().asString().startsWith("F:1");
    assertThat(problems(GOOD + text)).first().asString().contains("not TOML");
  }

  @Test
  void anythingElseIsNoConfiguration() throws IOException {
    assertThat(problems("")).hasSize(4);
    Files.write(folder.resolve("bytes.toml"), new byte[] {(byte) 0xff, (byte) 0xfe});
    assertThatThrownBy(() -> ConfigFile.read(folder.resolve("bytes.toml")))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("not UTF-8");
    Files.write(folder.resolve("large.toml"), new byte[(1 << 20) + 1]);
    assertThatThrownBy(() -> ConfigFile.read(folder.resolve("large.toml")))
        .isInstanceOf(ConfigException.class);
  }

  @Test
  void theDocumentIsUpToDate() throws IOException {
    var root = Path.of("").toAbsolutePath();
    while (!Files.exists(root.resolve("longhand"))) {
      root = java.util.Objects.requireNonNull(root.getParent());
    }
    var document = root.resolve("docs/configuration.md");
    if (Boolean.getBoolean("longhand.write-documents")) {
      Files.createDirectories(root.resolve("docs"));
      Files.writeString(document, ConfigDocument.markdown());
    }
    assertThat(Files.readString(document))
        .as("docs/configuration.md; ./check --write-documents writes it anew")
        .isEqualTo(ConfigDocument.markdown());
  }

  @Test
  void theDocumentsExampleIsAConfiguration() throws Exception {
    var markdown = ConfigDocument.markdown();
    int begin = markdown.indexOf("```toml\n") + 8;
    var config = read(markdown.substring(begin, markdown.indexOf("```", begin)));
    assertThat(config.listener()).hasSize(3);
  }
}
