package longhand.queue;

import java.io.IOException;
import longhand.store.Letter;

/// Signs messages that are made here.
@FunctionalInterface
public interface LetterSigner {

  /// Signs nothing.
  LetterSigner NONE = _ -> new byte[0];

  /// The fields to put in front of a finished letter, each with its CRLF (RFC 6376 §3.5); no octets
  /// when there is no key to sign with.
  ///
  /// @throws IOException when the letter cannot be read
  byte[] fields(Letter letter) throws IOException;
}
