package longhand.smtp;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import longhand.mail.Envelope;
import longhand.message.Recoding;
import longhand.store.Letter;
import longhand.store.Spool;
import longhand.wire.Connection;
import longhand.wire.Limits;
import org.jspecify.annotations.Nullable;

/// A message that is coming in: its octets go from the connection through the scanners into a
/// letter. What is wrong with it is found on the way and answered at its end, because the client
/// reads no answer earlier; its octets are thrown away from then on.
///
/// A message of any octets (BODY=BINARYMIME) is kept as it is until all of it is there, and becomes
/// text then: its parts get other transfer encodings where they need them, and everything behind
/// this sees the text alone.
final class Incoming implements Closeable {

  private static final int BUFFER = 32 * 1024;

  /// The largest message that documents are made for; no limit for messages can be set higher.
  private static final long TEXT_OCTETS_MAX = 2_000_000_000;

  private final Letter letter;
  private final @Nullable Spool anyOctets;
  private final BodyScanner body;
  private final boolean wantFrom;
  private final Limits limits;
  private final long octetsMax;
  private final int receivedMax;
  private HeaderScan header;
  private Envelope.@Nullable Body becameText;
  private long octets;
  private boolean tooLarge;
  private boolean failed;
  private boolean noText;

  /// @param letter new; closed with this
  /// @param framing how it comes; not `BINARY`
  /// @param wantFrom whether the header's From is of interest
  Incoming(Letter letter, BodyScanner.Framing framing, boolean wantFrom, Limits limits) {
    this(letter, null, framing, wantFrom, limits);
  }

  /// A message of any octets, in chunks.
  ///
  /// @param letter new; closed with this
  /// @param anyOctets where they wait for the last of them; new, closed with this
  /// @param wantFrom whether the header's From is of interest
  Incoming(Letter letter, Spool anyOctets, boolean wantFrom, Limits limits) {
    this(letter, anyOctets, BodyScanner.Framing.BINARY, wantFrom, limits);
  }

  private Incoming(
      Letter letter,
      @Nullable Spool anyOctets,
      BodyScanner.Framing framing,
      boolean wantFrom,
      Limits limits) {
    this.letter = letter;
    this.anyOctets = anyOctets;
    this.wantFrom = wantFrom;
    this.limits = limits;
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
    if (wrong() != null) {
      return;
    }
    try {
      if (anyOctets != null) {
        anyOctets.finish();
        becomeText(anyOctets);
        // The file of a large one is not needed a moment longer.
        anyOctets.close();
      }
      letter.finish();
    } catch (IOException e) {
      failed(e);
    }
  }

  /// RFC 3030 §3: what cannot hold any octets gets other transfer encodings. Encodings make it
  /// longer, by a third mostly; what would be twice as long as a message may come is too large.
  private void becomeText(Spool anyOctets) throws IOException {
    var recoding = Recoding.of(anyOctets::open, Recoding.Target.TEXT);
    noText = !recoding.possible();
    if (noText) {
      return;
    }
    header = new HeaderScan(limits, wantFrom);
    long most = Math.min(2 * octetsMax, TEXT_OCTETS_MAX);
    long text = 0;
    try (var in = recoding.open()) {
      var buffer = new byte[BUFFER];
      for (int n = in.read(buffer, 0, BUFFER); n > 0; n = in.read(buffer, 0, BUFFER)) {
        text += n;
        tooLarge |= text > most;
        if (tooLarge) {
          break;
        }
        if (!header.ended()) {
          header.take(buffer, 0, n);
        }
        letter.write(buffer, 0, n);
      }
    }
    header.end();
    becameText = recoding.eightBit() ? Envelope.Body.EIGHT_BIT_MIME : Envelope.Body.SEVEN_BIT;
  }

  /// Octets that came so far, dots unstuffed.
  long octets() {
    return octets;
  }

  /// What it holds now.
  ///
  /// @param said what MAIL said it would
  Envelope.Body body(Envelope.Body said) {
    return becameText == null ? said : becameText;
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
  @Nullable Reply wrong() {
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
    if (noText) {
      return Reply.NO_TEXT;
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
      if (anyOctets == null) {
        letter.write(input, offset, length);
      } else {
        anyOctets.write(input, offset, length);
      }
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
    if (anyOctets != null) {
      anyOctets.close();
    }
  }
}
