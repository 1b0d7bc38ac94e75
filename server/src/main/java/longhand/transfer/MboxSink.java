package longhand.transfer;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import longhand.store.Flag;

/// Writes mboxrd: `From ` lines quoted with one more `>`, flags in Status, X-Status and X-Keywords
/// as mutt, Python and Dovecot know them. Fields of those names that came with a message get
/// `X-Quoted-` in front, or they would count as flags; [MboxSource] takes that off again. Lines end
/// with LF. A message whose last line has no end gets one.
public final class MboxSink implements MessageSink {

  private static final DateTimeFormatter ASCTIME =
      DateTimeFormatter.ofPattern("EEE MMM dd HH:mm:ss yyyy", Locale.ROOT);
  private static final byte[] FROM = "From ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] QUOTED = "X-Quoted-".getBytes(StandardCharsets.US_ASCII);

  /// A line of more `>` than this is quoted whatever follows, so that nobody must look further.
  static final int ANGLES_MAX = 1000;

  private final OutputStream out;

  /// @param out closed with this
  public MboxSink(OutputStream out) {
    this.out = new BufferedOutputStream(out, 1 << 17);
  }

  @Override
  public void message(MessageFacts facts, InputStream wire) throws IOException {
    var in = new Octets(wire);
    var first = new Line();
    boolean any = first.read(in);
    var path = any ? first.text() : "";
    ascii("From " + sender(path) + " ");
    ascii(ASCTIME.format(facts.saved().atOffset(ZoneOffset.UTC)) + "\n");
    var marks = facts.marks();
    ascii("Status: " + (marks.has(Flag.SEEN) ? "RO" : "O") + "\n");
    var flags = new StringBuilder();
    flags.append(marks.has(Flag.ANSWERED) ? "A" : "").append(marks.has(Flag.FLAGGED) ? "F" : "");
    flags.append(marks.has(Flag.DELETED) ? "D" : "").append(marks.has(Flag.DRAFT) ? "T" : "");
    if (!flags.isEmpty()) {
      ascii("X-Status: " + flags + "\n");
    }
    if (!marks.keywords().isEmpty()) {
      ascii("X-Keywords: " + String.join(" ", marks.keywords()) + "\n");
    }
    boolean header = true;
    while (any) {
      header = header && !first.empty();
      if (header && MboxFields.isQuotable(first.head(), first.headLength())) {
        out.write(QUOTED);
      } else if (from(first)) {
        out.write('>');
      }
      first.copy(in, out);
      any = first.read(in);
    }
    out.write('\n');
  }

  private void ascii(String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static boolean from(Line line) {
    int at = 0;
    while (at < line.headLength() && line.head()[at] == '>') {
      at++;
    }
    if (at > ANGLES_MAX) {
      return true;
    }
    if (at + FROM.length > line.headLength()) {
      return false;
    }
    for (int i = 0; i < FROM.length; i++) {
      if (line.head()[at + i] != FROM[i]) {
        return false;
      }
    }
    return true;
  }

  /// The address of a Return-Path line; `MAILER-DAEMON` when it has none.
  private static String sender(String line) {
    int open = line.indexOf('<');
    int close = line.indexOf('>', open + 1);
    if (!line.regionMatches(true, 0, "Return-Path:", 0, 12) || open < 0 || close <= open + 1) {
      return "MAILER-DAEMON";
    }
    var sender = new StringBuilder();
    for (char c : line.substring(open + 1, close).toCharArray()) {
      sender.append(c > ' ' && c < 0x7f ? c : '-');
    }
    return sender.toString();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }

  /// Octets of the wire, CR before LF left out.
  private static final class Octets {
    private final InputStream in;
    private final byte[] buffer = new byte[1 << 16];
    private int from;
    private int to;

    Octets(InputStream in) {
      this.in = in;
    }

    private int raw() throws IOException {
      if (from == to) {
        to = Math.max(0, in.read(buffer));
        from = 0;
        if (to == 0) {
          return -1;
        }
      }
      return buffer[from++] & 0xff;
    }

    int read() throws IOException {
      int octet = raw();
      if (octet == '\r') {
        int next = raw();
        if (next == '\n') {
          return next;
        }
        if (next >= 0) {
          from--;
        }
      }
      return octet;
    }
  }

  /// The beginning of a line, as much as must be looked at.
  private static final class Line {
    private final byte[] head = new byte[1024];
    private int length;
    private boolean ended;

    boolean read(Octets in) throws IOException {
      length = 0;
      ended = false;
      while (length < head.length) {
        int octet = in.read();
        if (octet < 0) {
          ended = true;
          return length > 0;
        }
        head[length++] = (byte) octet;
        if (octet == '\n') {
          ended = true;
          return true;
        }
      }
      return true;
    }

    boolean empty() {
      return length == 1 && head[0] == '\n';
    }

    byte[] head() {
      return head;
    }

    int headLength() {
      return length;
    }

    String text() {
      return new String(head, 0, length, StandardCharsets.ISO_8859_1);
    }

    /// Writes the whole line, with an end where it had none.
    void copy(Octets in, OutputStream out) throws IOException {
      out.write(head, 0, length);
      int last = head[length - 1];
      var rest = new ByteArrayOutputStream();
      while (!ended) {
        int octet = in.read();
        ended = octet < 0 || octet == '\n';
        if (octet >= 0) {
          last = octet;
          rest.write(octet);
        }
        if (rest.size() > 8192 || ended) {
          rest.writeTo(out);
          rest.reset();
        }
      }
      if (last != '\n') {
        out.write('\n');
      }
    }
  }
}
