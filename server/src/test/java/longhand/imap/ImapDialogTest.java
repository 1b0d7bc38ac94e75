package longhand.imap;

import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import longhand.dialog.Dialog;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The scripts under `dialogs/imap`: line by line, octet by octet, and all at once.
class ImapDialogTest {

  @TempDir Path data;

  static List<Arguments> plays() {
    var plays = new ArrayList<Arguments>();
    for (var dialog : Dialog.all("imap")) {
      for (var pace : Dialog.Pace.values()) {
        if (pace == Dialog.Pace.WHOLE || dialog.value("pace").isEmpty()) {
          plays.add(Arguments.of(dialog, pace));
        }
      }
    }
    return plays;
  }

  @ParameterizedTest
  @MethodSource("plays")
  void goesAsWritten(Dialog dialog, Dialog.Pace pace) throws Exception {
    try (var server = new ImapTestServer(data)) {
      var plain = !dialog.value("listener").orElse("imap-plain").equals("imap");
      int port = server.port(plain, false);
      try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        dialog.play(socket, pace, trust());
      }
    }
  }

  /// A client's context that trusts the test server's certificate.
  static SSLContext trust() throws Exception {
    var keys = java.security.KeyStore.getInstance("PKCS12");
    keys.load(null, null);
    keys.setCertificateEntry("test", ImapTestServer.TLS.certificate());
    var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(keys);
    var context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return context;
  }
}
