package longhand.relay;

import java.io.IOException;
import javax.net.ssl.SSLSession;

/// What became of TLS with a server.
public sealed interface TlsResult {

  /// It is there, verified as was demanded.
  record Established(SSLSession session) implements TlsResult {}

  /// The server does not offer it, or said no to STARTTLS.
  record NotOffered() implements TlsResult {}

  /// The handshake failed: an `SSLException` where the server is not who it is to be, or speaks
  /// another TLS.
  record Failed(IOException cause) implements TlsResult {}
}
