package longhand.smtp;

import java.io.IOException;
import longhand.wire.BareLineEndException;
import longhand.wire.LineEnds;

/// Finds the end of a message in the octets after DATA and takes the stuffed dots out (RFC 5321
/// §4.5.2); or, for BDAT, only checks line ends. Apart from sockets: octets in any pieces come in,
/// the message's octets go to a sink in runs as long as can be.
///
/// Only CRLF ends a line and only CRLF `.` CRLF ends the message. A CR without LF or an LF without
/// CR, anywhere, is `BareLineEndException`: what follows means different things to different
/// servers, so nothing of it may be believed. With `BINARY` that holds for the header; after the
/// empty line that ends it, anything goes, and how many octets come is the client's word alone.
final class BodyScanner {

  /// Takes the octets of the message.
  interface Sink {
    /// The array is not to be kept or changed.
    void write(byte[] octets, int offset, int length) throws IOException;
  }

  /// How a message comes.
  enum Framing {
    /// Dot-stuffed, up to a line of one dot.
    DATA,
    /// In chunks of text.
    BDAT,
    /// In chunks of text that hold any octets after the header (RFC 3030 §3).
    BINARY
  }

  private enum State {
    LINE_BEGIN,
    TEXT,
    CR,
    DOT,
    DOT_CR,
    ANYTHING,
    ENDED
  }

  private final Framing framing;
  private final int lineOctetsMax;
  private final Sink sink;
  private State state = State.LINE_BEGIN;
  private long lineOctets;
  private boolean lineTooLong;

  /// @param lineOctetsMax beyond which `lineTooLong` is set
  BodyScanner(Framing framing, int lineOctetsMax, Sink sink) {
    this.framing = framing;
    this.lineOctetsMax = lineOctetsMax;
    this.sink = sink;
  }

  /// Takes octets from `from` to before `to`, or fewer when the message ends among them. Gives the
  /// index after the last it took.
  int take(byte[] octets, int from, int to) throws IOException {
    int i = from;
    int run = from;
    while (i < to && state != State.ENDED) {
      switch (state) {
        case LINE_BEGIN -> {
          if (framing == Framing.DATA && octets[i] == '.') {
            put(octets, run, i);
            run = ++i;
            state = State.DOT;
          } else {
            state = State.TEXT;
          }
        }
        case TEXT -> {
          int end = LineEnds.find(octets, i, to);
          lineOctets += end - i;
          i = end;
          if (end < to) {
            if (octets[end] == '\n') {
              throw new BareLineEndException();
            }
            i++;
            state = State.CR;
          }
        }
        case CR -> {
          if (octets[i++] != '\n') {
            throw new BareLineEndException();
          }
          lineTooLong |= lineOctets > lineOctetsMax;
          state = lineOctets == 0 && framing == Framing.BINARY ? State.ANYTHING : State.LINE_BEGIN;
          lineOctets = 0;
        }
        case DOT -> {
          if (octets[i] == '\r') {
            run = ++i;
            state = State.DOT_CR;
          } else {
            state = State.TEXT;
          }
        }
        case DOT_CR -> {
          if (octets[i++] != '\n') {
            throw new BareLineEndException();
          }
          run = i;
          state = State.ENDED;
        }
        case ANYTHING -> i = to;
        case ENDED -> throw new IllegalStateException("the message has ended");
      }
    }
    put(octets, run, i);
    return i;
  }

  /// Whether the end of the data has been seen.
  boolean ended() {
    return state == State.ENDED;
  }

  /// No octets follow (BDAT LAST): a CR at the very end is bare.
  void end() throws BareLineEndException {
    if (state == State.CR) {
      throw new BareLineEndException();
    }
    lineTooLong |= lineOctets > lineOctetsMax;
    state = State.ENDED;
  }

  /// Whether some line was longer than allowed.
  boolean lineTooLong() {
    return lineTooLong || lineOctets > lineOctetsMax;
  }

  private void put(byte[] octets, int from, int to) throws IOException {
    if (from < to) {
      sink.write(octets, from, to - from);
    }
  }
}
