package longhand.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import longhand.dns.Answer;
import longhand.dns.DnsName;
import longhand.dns.Question;
import longhand.dns.ScriptedDns;
import longhand.server.MachineCheck.Seen;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class MachineCheckTest {

  private static final InetAddress PUBLIC = Inet4Address.ofLiteral("192.0.2.25");
  private static final DnsName REVERSE = DnsName.reverse(PUBLIC);

  @TempDir private Path folder;

  private Config config(int port) throws Exception {
    var file = folder.resolve("longhand.toml");
    Files.writeString(
        file,
        """
        hostname = "mail.example.com"
        data = "data"

        [[domain]]
        name = "example.com"

        [[listener]]
        protocol = "smtp"
        address = "127.0.0.1:%d"
        """
            .formatted(port));
    var config = ConfigFile.read(file);
    Server.makeDataFolder(config);
    return config;
  }

  private static Seen look(Config config, ScriptedDns dns, String outbound, String what) {
    return new MachineCheck(config, dns)
        .all(List.of(PUBLIC), Optional.of(outbound)).stream()
            .filter(seen -> seen.what().startsWith(what))
            .findFirst()
            .orElseThrow();
  }

  @Test
  void aPortIsFreeOursOrAnothers() throws Exception {
    int port;
    try (var other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = other.getLocalPort();
      var taken = look(config(port), new ScriptedDns(), "127.0.0.1:" + port, "port");
      assertThat(taken.state()).isEqualTo(Seen.State.BAD);
      assertThat(taken.advice()).contains("sport = :" + port);
    }
    var config = config(port);
    assertThat(look(config, new ScriptedDns(), "127.0.0.1:1", "port").found())
        .isEqualTo("free for smtp");
    try (var _ = Server.start(config)) {
      var ours = look(config, new ScriptedDns(), "127.0.0.1:" + port, "port");
      assertThat(ours.state()).isEqualTo(Seen.State.GOOD);
      assertThat(ours.found()).isEqualTo("this server listens, for smtp");
    }
  }

  @Test
  void theWayOutIsTriedWithAServerThatIsNamed() throws Exception {
    var config = config(0);
    try (var other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      var dns = new ScriptedDns().host("mx.example.net", "127.0.0.1");
      assertThat(look(config, dns, "mx.example.net:" + other.getLocalPort(), "way out").state())
          .isEqualTo(Seen.State.GOOD);
    }
    assertThat(look(config, new ScriptedDns(), "127.0.0.1:1", "way out").state())
        .isEqualTo(Seen.State.BAD);
    for (var nothing :
        List.of("none.example.net", "mx.example.net:x", "a b:25", ":25", "x:99999")) {
      assertThat(look(config, new ScriptedDns(), nothing, "way out").state())
          .as(nothing)
          .isEqualTo(Seen.State.UNKNOWN);
    }
  }

  @Test
  void reverseDnsIsTheServersName() throws Exception {
    var config = config(0);
    assertThat(look(config, named("mail.example.com"), "127.0.0.1:1", "reverse").state())
        .isEqualTo(Seen.State.GOOD);
    var other = look(config, named("x.isp.example"), "127.0.0.1:1", "reverse");
    assertThat(other.state()).isEqualTo(Seen.State.BAD);
    assertThat(other.found()).isEqualTo("192.0.2.25 is x.isp.example");
    assertThat(look(config, new ScriptedDns(), "127.0.0.1:1", "reverse").found())
        .isEqualTo("192.0.2.25 has no name");
    var failing = new ScriptedDns().failed(new Question.Ptr(REVERSE));
    assertThat(look(config, failing, "127.0.0.1:1", "reverse").state())
        .isEqualTo(Seen.State.UNKNOWN);
  }

  private static ScriptedDns named(String name) {
    return new ScriptedDns()
        .answer(
            new Question.Ptr(REVERSE),
            new Answer.Found<>(List.of(new DnsName(name)), Duration.ofMinutes(5), false, REVERSE));
  }
}
