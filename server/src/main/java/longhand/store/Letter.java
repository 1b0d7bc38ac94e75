package longhand.store;

import java.io.Closeable;
import java.io.IOException;

/// A message on its way into documents. It takes octets as the wire brings them (CRLF ends lines,
/// dots already unstuffed) and keeps them in the form documents hold: in memory while small, in a
/// spool file beyond that, so that any number of large messages cost little memory. One thread
/// writes, then `finish`; after that any number of appends may use it. Close gives back memory and
/// file.
public final class Letter implements Closeable {

  Letter() {}

  /// Takes the next octets. A bare LF becomes CRLF: documents have no other line ends.
  public void write(byte[] octets, int offset, int length) throws IOException {
    throw new UnsupportedOperationException();
  }

  /// No more octets follow.
  public void finish() throws IOException {
    throw new UnsupportedOperationException();
  }

  /// Octets on the wire so far.
  public long sizeOctets() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}
}
