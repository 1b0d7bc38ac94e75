package longhand.transfer;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;

/// Where exported messages go, one after another. For one thread.
public interface MessageSink extends Closeable {

  /// Takes a message, to its end.
  ///
  /// @param wire its octets, lines ended by CRLF
  /// @throws IOException when it cannot be read or written
  void message(MessageFacts facts, InputStream wire) throws IOException;
}
