package longhand.relay;

import java.io.IOException;

/// The server said what no reply may be, or not what was due: nothing it says afterwards can be
/// told apart. The text tells what was seen.
final class ReplyException extends IOException {

  ReplyException(String seen) {
    super(seen);
  }
}
