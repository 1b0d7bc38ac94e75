package longhand.relay;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import longhand.mail.EnhancedStatus;

/// What a server answered to a command (RFC 5321 §4.2).
///
/// @param code 200 to 599
/// @param status the enhanced status the text begins with (RFC 2034), when its kind is the code's
/// @param lines the server's words, a line each, without the code and in UTF-8; control characters
///   and what is not UTF-8 are shown as U+FFFD. At least one, 64 KiB at most
public record Reply(int code, Optional<EnhancedStatus> status, List<String> lines) {

  /// Its service closes the connection (RFC 5321 §3.8).
  static final int CLOSING = 421;

  public Reply {
    lines = List.copyOf(lines);
    if (code < 200 || code > 599 || lines.isEmpty()) {
      throw new IllegalArgumentException("reply " + code + " of " + lines.size() + " lines");
    }
  }

  /// The first digit: 2 done, 3 go on, 4 may work later, 5 will not work.
  public int kind() {
    return code / 100;
  }

  /// As the server wrote it, in one line.
  @Override
  public String toString() {
    var text = String.join(" ", lines);
    return text.isEmpty() ? Integer.toString(code) : code + " " + text;
  }

  static Reply of(int code, List<byte[]> octets) {
    var lines = new ArrayList<String>(octets.size());
    for (var line : octets) {
      lines.add(text(line, 0));
    }
    return new Reply(code, status(code / 100, octets.getFirst()), lines);
  }

  /// What a peer sent, fit to be shown.
  static String text(byte[] octets, int from) {
    var text = new String(octets, from, octets.length - from, StandardCharsets.UTF_8);
    var shown = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      shown.append(Character.isISOControl(c) && c != '\t' ? '\ufffd' : c);
    }
    return shown.toString();
  }

  /// Three numbers with dots between them, then a space or nothing (RFC 2034 §4).
  private static Optional<EnhancedStatus> status(int kind, byte[] line) {
    int[] numbers = new int[3];
    int at = 0;
    for (int i = 0; i < 3; i++) {
      int begin = at;
      while (at < line.length && at - begin < 3 && line[at] >= '0' && line[at] <= '9') {
        numbers[i] = numbers[i] * 10 + line[at++] - '0';
      }
      int next = at < line.length ? line[at] : ' ';
      if (at == begin || next != (i < 2 ? '.' : ' ')) {
        return Optional.empty();
      }
      at++;
    }
    return numbers[0] == kind && kind != 3
        ? Optional.of(new EnhancedStatus(kind, numbers[1], numbers[2]))
        : Optional.empty();
  }
}
