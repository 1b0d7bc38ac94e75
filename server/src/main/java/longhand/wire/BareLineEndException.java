package longhand.wire;

import java.io.IOException;

/// The peer sent a CR without LF or an LF without CR where a line was read. Where lines end
/// differently for two programs, messages can be smuggled between them, so the session answers and
/// closes.
public final class BareLineEndException extends IOException {

  /// Without a message: there is nothing more to say.
  public BareLineEndException() {
    super("bare CR or LF");
  }
}
