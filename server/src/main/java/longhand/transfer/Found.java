package longhand.transfer;

import java.io.IOException;
import java.time.Instant;
import longhand.mail.ReversePath;
import longhand.store.Letter;
import longhand.store.Marks;

/// A message found in a source.
///
/// @param position names its place in the source: an octet's number, or a file's name
/// @param end where the next begins, for sources that are one file; else empty
/// @param octets it takes of the source
record Found(
    String position,
    String end,
    ReversePath sender,
    Instant saved,
    Marks marks,
    long octets,
    Content content) {

  /// Brings the message.
  interface Content {
    void writeTo(Letter letter) throws IOException;
  }
}
