package longhand.store;

import java.io.IOException;
import longhand.wire.LineEnds;

/// Turns wire octets into the form documents hold: CRLF becomes LF, lines that mail programs or we
/// could take for something else are quoted (`docs/document-format.md`, "Grammar"). Octets go in as
/// they come, cut anywhere.
abstract class StoredForm {

  private final Quoting quoting = new Quoting();
  private boolean header = true;
  private boolean atLineStart = true;
  private boolean matching;
  private boolean afterCr;
  private boolean pendingCr;
  private boolean quoted;
  private long wireOctets;

  StoredForm() {
    quoting.begin(true);
  }

  /// Takes stored octets.
  abstract void put(byte[] octets, int offset, int length) throws IOException;

  /// Takes one stored octet.
  abstract void put(int octet) throws IOException;

  /// Whether a line had to be quoted so far.
  final boolean quoted() {
    return quoted;
  }

  /// Octets on the wire so far.
  final long wireOctets() {
    return wireOctets;
  }

  /// Says that about so many octets are going to be put, so that room is made once for all.
  void expect(int octets) throws IOException {}

  final void write(byte[] in, int offset, int length) throws IOException {
    expect(length);
    int end = offset + length;
    int i = offset;
    while (i < end) {
      if (pendingCr) {
        pendingCr = false;
        if (in[i] == '\n') {
          lineFeed();
          i++;
        } else {
          carriageReturn();
        }
        continue;
      }
      int octet = in[i];
      if (octet == '\r') {
        pendingCr = true;
        i++;
      } else if (octet == '\n') {
        lineFeed();
        i++;
      } else if (atLineStart && !matching) {
        atLineStart = false;
        if (Quoting.mayBegin(octet, header)) {
          quoting.begin(header);
          matching = true;
        }
      } else if (matching) {
        wireOctets++;
        match(octet);
        i++;
      } else {
        int lineEnd = LineEnds.find(in, i, end);
        put(in, i, lineEnd - i);
        wireOctets += lineEnd - i;
        i = lineEnd;
      }
    }
  }

  /// No more octets follow.
  final void end() throws IOException {
    if (pendingCr) {
      pendingCr = false;
      carriageReturn();
    }
    letGo();
  }

  private void match(int octet) throws IOException {
    switch (quoting.step(octet)) {
      case UNDECIDED -> {}
      case UNIT -> {
        var unit = quoting.foundUnit();
        put(unit, 0, unit.length);
      }
      case MATCH -> {
        quoted = true;
        var unit = quoting.unit();
        put(unit, 0, unit.length);
        letGo();
      }
      case NONE -> letGo();
    }
  }

  /// Lets go what was held back, now that the line's kind is known or the line has ended.
  private void letGo() throws IOException {
    if (matching) {
      matching = false;
      var held = quoting.held();
      put(held, 0, held.length);
    }
  }

  private void lineFeed() throws IOException {
    letGo();
    if (atLineStart && !afterCr) {
      header = false;
    }
    put('\n');
    wireOctets += 2;
    atLineStart = true;
    afterCr = false;
  }

  private void carriageReturn() throws IOException {
    letGo();
    put('\r');
    wireOctets++;
    if (header) {
      atLineStart = true;
      afterCr = true;
    } else {
      atLineStart = false;
    }
  }
}
