package longhand.imap;

import java.io.IOException;

/// The peer is gone or cannot be reached: the session ends, and there is nobody to tell. Told apart
/// from the `IOException` of a store that fails, which is answered NO.
final class ConnectionLost extends IOException {

  ConnectionLost(IOException cause) {
    super(cause);
  }
}
