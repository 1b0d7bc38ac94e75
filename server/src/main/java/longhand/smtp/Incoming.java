package longhand.smtp;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import longhand.store.Letter;
import longhand.wire.Connection;
import longhand.wire.Limits;

/// A message that is coming in: its octets go from the connection through the scanners into a
/// letter. What is wrong with it is found on the way and answered at its end, because the client
/// reads no answer earlier; its octets are thrown away from then on.
final class Incoming implements Closeable {

  private final Letter letter;
  private final HeaderScan header;
  private final BodyScanner body;
  private final long octetsMax;
  private final int receivedMax;
  private long octets;
  private boolean tooLarge;
  private boolean failed;

  /// @param letter new; closed with this
  /// @param framing how it comes
  /// @param wantFrom whether the header's From is of interest
  Incoming(Letter letter, BodyScanner.Framing framing, boolean wantFrom, Limits limits) {
    this.letter = letter;
    this.header = new HeaderScan(limits, wantFrom);
    this.body = new BodyScanner(framing, limits.smtpTextLineOctetsMax(), this::put);
    this.octetsMax = limits.messageOctetsMax();
    this.receivedMax = limits.receivedFieldsMax();
  }

  /// Reads until the dot that ends the data. False when so much more than allowed has come that the
  /// rest is not worth reading.
  boolean readData(Connection connection) throws IOException {
    while (!body.ended()) {
      if (!connection.fill()) {
        throw new EOFException("the peer closed in the middle of a message");
      }
      int from = connection.position();
      connection.consume(body.take(connection.input(), from, connection.limit()) - from);
      if (octets > 2 * octetsMax) {
        return false;
      }
    }
    return true;
  }

  /// Reads a chunk of exactly that many octets.
  void readChunk(Connection connection, long chunkOctets) throws IOException {
    for (long left = chunkOctets; left > 0; ) {
      if (!connection.fill()) {
        throw new EOFException("the peer closed in the middle of a chunk");
      }
      int from = connection.position();
      int n = (int) Math.min(left, connection.limit() - from);
      body.take(connection.input(), from, from + n);
      connection.consume(n);
      left -= n;
    }
  }

  /// Everything has come. Afterwards `wrong` and `letter` answer.
  void end() throws IOException {
    if (!body.ended()) {
      body.end();
    }
    header.end();
    if (!failed && !tooLarge) {
      try {
        letter.finish();
      } catch (IOException e) {
        failed(e);
      }
    }
  }

  /// Octets that came so far, dots unstuffed.
  long octets() {
    return octets;
  }

  /// What its header says.
  HeaderScan header() {
    return header;
  }

  /// The message, whole when nothing is `wrong`.
  Letter letter() {
    return letter;
  }

  /// Why it cannot be taken, or null.
  @org.jspecify.annotations.Nullable
  Reply wrong() {
    if (tooLarge) {
      return Reply.MESSAGE_TOO_LARGE;
    }
    if (header.tooLarge()) {
      return Reply.HEADER_TOO_LARGE;
    }
    if (body.lineTooLong()) {
      return Reply.TEXT_LINE_TOO_LONG;
    }
    if (failed) {
      return Reply.NO_SPACE;
    }
    return header.received() > receivedMax ? Reply.LOOP : null;
  }

  private void put(byte[] input, int offset, int length) {
    octets += length;
    tooLarge |= octets > octetsMax;
    if (!header.ended()) {
      header.take(input, offset, length);
    }
    if (failed || tooLarge) {
      return;
    }
    try {
      letter.write(input, offset, length);
    } catch (IOException e) {
      failed(e);
    }
  }

  private void failed(IOException e) {
    failed = true;
    System.getLogger(Incoming.class.getName())
        .log(System.Logger.Level.WARNING, () -> "a message could not be kept: " + e.getMessage());
  }

  @Override
  public void close() {
    letter.close();
  }
}
