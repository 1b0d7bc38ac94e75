package longhand.smtp;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import longhand.dialog.TestServer;
import longhand.wire.Limits;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// The conversations under `dialogs/smtp`: each as it stands, cut at every octet, pipelined, and
/// over TLS.
class SmtpDialogTest {

  @TempDir static Path data;
  private static TestServer server;

  @BeforeAll
  static void open() throws IOException {
    server =
        new TestServer(
            data,
            Limits.DEFAULT
                .with("smtpErrorDelay", Duration.ZERO)
                .with("smtpErrorsMax", 10)
                .with("smtpConnectionsPerIpMinuteMax", 100_000)
                .with("submissionConnectionsPerIpMinuteMax", 100_000)
                .with("smtpIdleTimeout", Duration.ofSeconds(10)));
  }

  @AfterAll
  static void close() throws IOException {
    server.close();
  }

  @TestFactory
  List<DynamicTest> smtp() {
    return server.tests("smtp");
  }
}
