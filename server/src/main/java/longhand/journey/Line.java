package longhand.journey;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Set;

/// A line of a segment as its octets, of which a search looks at a few columns only. The same
/// object is used for one line after the other.
final class Line {

  private byte[] octets = new byte[0];
  private int begin;
  private int end;
  private int idEnd;
  private int kindEnd;
  private int subjectEnd;

  /// Takes up the line in those octets, without its LF; false when it is none.
  boolean take(byte[] octets, int from, int to) {
    this.octets = octets;
    begin = from;
    end = to;
    if (!isTime()) {
      return false;
    }
    idEnd = tab(begin + StationLine.TIME_CHARS + 1);
    kindEnd = tab(idEnd + 1);
    subjectEnd = tab(kindEnd + 1);
    return subjectEnd < end;
  }

  private boolean isTime() {
    int tab = begin + StationLine.TIME_CHARS;
    return tab < end && octets[tab] == '\t' && octets[tab - 1] == 'Z' && octets[begin + 4] == '-';
  }

  private int tab(int from) {
    int at = Math.min(from, end);
    while (at < end && octets[at] != '\t') {
      at++;
    }
    return at;
  }

  boolean idIs(byte[] id) {
    return is(begin + StationLine.TIME_CHARS + 1, idEnd, id);
  }

  boolean subjectIs(byte[] subject) {
    return is(kindEnd + 1, subjectEnd, subject);
  }

  boolean kindIsOf(Set<Station.Kind> kinds) {
    var text = new String(octets, idEnd + 1, kindEnd - idEnd - 1, StandardCharsets.UTF_8);
    return Station.Kind.of(text).filter(kinds::contains).isPresent();
  }

  String id() {
    int from = begin + StationLine.TIME_CHARS + 1;
    return new String(octets, from, idEnd - from, StandardCharsets.UTF_8);
  }

  /// Whether it is from before a time, written as lines have it.
  boolean isBefore(byte[] time) {
    for (int i = 0; i < StationLine.TIME_CHARS; i++) {
      if (octets[begin + i] != time[i]) {
        return octets[begin + i] < time[i];
      }
    }
    return false;
  }

  /// The whole of it; empty when it cannot be read.
  Optional<Station> station() {
    return StationLine.read(octets, begin, end);
  }

  private boolean is(int from, int to, byte[] text) {
    if (to - from != text.length) {
      return false;
    }
    for (int i = 0; i < text.length; i++) {
      byte a = octets[from + i];
      byte b = text[i];
      if (a != b && (lower(a) != lower(b))) {
        return false;
      }
    }
    return true;
  }

  private static int lower(byte octet) {
    return octet >= 'A' && octet <= 'Z' ? octet | 0x20 : octet;
  }
}
