package longhand.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import longhand.wire.Connector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The client against Postfix's smtp-sink; skipped, visibly, where it is not installed.
@Tag("interop")
class SmtpSinkTest {

  private static final Path PROGRAM = Path.of("/usr/sbin/smtp-sink");
  private static final String TEXT = "Subject: x\r\n\r\n.\r\n..y\r\nlast\r\n";

  @TempDir Path folder;
  private final List<Process> started = new ArrayList<>();
  private Connector connector;

  @BeforeEach
  void open() {
    assumeTrue(Files.isExecutable(PROGRAM), "skipped: smtp-sink is not installed");
    connector = new Connector(Duration.ofSeconds(8));
  }

  @AfterEach
  void close() throws InterruptedException {
    if (connector != null) {
      connector.close();
    }
    for (var process : started) {
      // The sink first: without `timeout` nobody would end it.
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
    }
  }

  private Opening connect(Target.Protocol protocol, String... options) throws Exception {
    int port;
    try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    // `timeout` ends it also when this test is ended and cannot.
    var command = new ArrayList<>(List.of("timeout", "60", PROGRAM.toString(), "-u", "nobody"));
    if (!"root".equals(System.getProperty("user.name"))) {
      command.removeLast();
      command.removeLast();
    }
    command.addAll(List.of(options));
    command.addAll(List.of("127.0.0.1:" + port, "10"));
    started.add(
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("sink.log").toFile())
            .start());
    var target =
        new Target(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
            "sink.example",
            protocol,
            new TlsPolicy.Opportunistic(),
            Optional.empty(),
            Optional.empty());
    Opening opening;
    long until = System.nanoTime() + 10_000_000_000L;
    do {
      Thread.sleep(20);
      opening = SmtpClient.open(connector, target, "me.example", SmtpClientTest.PATIENT);
    } while (opening instanceof Opening.Broken(var step, _)
        && step == Step.CONNECT
        && System.nanoTime() < until);
    return opening;
  }

  private static Outgoing message(int recipients) {
    return SmtpClientTest.message(SmtpClientTest.envelope(recipients), TEXT);
  }

  @Test
  void takesManyMessagesOverOneConnection() throws Exception {
    Files.setPosixFilePermissions(
        folder, java.nio.file.attribute.PosixFilePermissions.fromString("rwxrwxrwx"));
    var client =
        SmtpClientTest.ready(
            connect(Target.Protocol.SMTP, "-D", folder.resolve("dump").toString()));
    for (int i = 0; i < 50; i++) {
      assertThat(client.send(message(3))).allMatch(outcome -> outcome instanceof Outcome.Delivered);
    }
    client.quit();
    started.getFirst().destroy();
    started.getFirst().waitFor(10, TimeUnit.SECONDS);
    var dump = dump();
    assertThat(dump.split("Subject: x\n\n\\.\n\\.\\.y\nlast\n", -1)).hasSize(51);
  }

  private String dump() throws IOException {
    try (var files = Files.list(folder)) {
      var text = new StringBuilder();
      for (var file : files.filter(each -> each.toString().contains("dump")).toList()) {
        text.append(Files.readString(file).replace("\r\n", "\n"));
      }
      return text.toString();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"-p", "-e", "-8", "-E", "-N", "-F"})
  void takesAMessageWhateverItOffers(String option) throws Exception {
    var client = SmtpClientTest.ready(connect(Target.Protocol.SMTP, option));
    assertThat(client.send(message(2))).allMatch(outcome -> outcome instanceof Outcome.Delivered);
    client.quit();
  }

  @Test
  void speaksLmtp() throws Exception {
    var client = SmtpClientTest.ready(connect(Target.Protocol.LMTP, "-L"));
    for (int i = 0; i < 3; i++) {
      assertThat(client.send(message(5)))
          .hasSize(5)
          .allMatch(outcome -> outcome instanceof Outcome.Delivered);
    }
    client.quit();
  }

  @ParameterizedTest
  @CsvSource({
    "-r,MAIL,450", "-r,RCPT,450", "-r,DATA,450", "-r,.,450",
    "-f,MAIL,500", "-f,RCPT,500", "-f,DATA,500", "-f,.,500",
    "-Q,MAIL,421", "-Q,RCPT,421", "-Q,DATA,421", "-Q,.,421"
  })
  void hearsEveryRefusal(String option, String command, int code) throws Exception {
    var client = SmtpClientTest.ready(connect(Target.Protocol.SMTP, option, command));
    var outcomes = client.send(message(2));
    assertThat(outcomes)
        .hasSize(2)
        .allSatisfy(
            outcome -> {
              var reply =
                  code == 500
                      ? ((Outcome.Refused) outcome).reply()
                      : ((Outcome.Deferred) outcome).reply();
              assertThat(reply.code()).isEqualTo(code);
            });
    assertThat(client.usable()).isEqualTo(code != 421);
    client.quit();
  }

  @ParameterizedTest
  @CsvSource({"MAIL,MAIL,false", "RCPT,RECIPIENT,false", "DATA,DATA,false", ".,END_OF_DATA,true"})
  void noticesEveryEnd(String command, Step step, boolean doubt) throws Exception {
    var client = SmtpClientTest.ready(connect(Target.Protocol.SMTP, "-q", command));
    assertThat(client.send(message(2)))
        .allSatisfy(
            outcome -> {
              var broken = (Outcome.Broken) outcome;
              assertThat(broken.step()).isEqualTo(step);
              assertThat(broken.perhapsDelivered()).isEqualTo(doubt);
            });
  }

  @ParameterizedTest
  @ValueSource(strings = {"CONNECT", "EHLO"})
  void noticesARefusalAtTheBeginning(String command) throws Exception {
    assertThat(connect(Target.Protocol.SMTP, "-r", command))
        .isInstanceOfAny(Opening.Rejected.class);
  }
}
