package longhand.transfer;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.zip.CRC32C;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.ReversePath;
import longhand.store.Flag;
import longhand.store.Letter;
import longhand.store.Marks;
import org.jspecify.annotations.Nullable;

/// Reads an mbox file in a window that moves over it: mboxrd and mboxo (a `>` before `From ` is
/// taken off), and mboxcl2, where Content-Length says how long a message is and nothing is quoted.
/// A Content-Length is believed only when a `From ` line or the end of the file stands where it
/// points to. A `From ` line begins a message when an empty line is before it and a time of day in
/// it.
///
/// Fields that are the file's own (Status and the like) become flags and are left out of the
/// message; `X-Quoted-` is taken off, as [MboxSink] put it on. The folder's own first message, of
/// c-client, is left out.
final class MboxSource implements MessageSource {

  private static final int WINDOW = 1 << 18;
  private static final int HEADER_MAX = 1 << 20;
  private static final int CHECKED = 4096;
  private static final String INTERNAL = "FOLDER INTERNAL DATA";

  private final Path path;
  private final Optional<String> mailbox;
  private final FileChannel file;
  private final long size;
  private final byte[] window = new byte[WINDOW];
  private long windowStart;
  private int windowLength;
  private long at;

  MboxSource(Path path, Optional<String> mailbox) throws IOException {
    this.path = path;
    this.mailbox = mailbox;
    this.file = FileChannel.open(path, StandardOpenOption.READ);
    this.size = file.size();
  }

  /// Whether a file looks like an mbox.
  static boolean isMbox(Path path) throws IOException {
    try (var in = Files.newInputStream(path)) {
      var first = in.readNBytes(5);
      return first.length == 0 || new String(first, StandardCharsets.ISO_8859_1).equals("From ");
    }
  }

  @Override
  public String name() {
    return path.toString();
  }

  @Override
  public Optional<String> mailbox() {
    return mailbox;
  }

  @Override
  public long total() {
    return size;
  }

  @Override
  public MessageSource reopened() throws IOException {
    return new MboxSource(path, mailbox);
  }

  @Override
  public void resume(Set<String> done, String end, String check) throws IOException {
    if (end.isEmpty()) {
      return;
    }
    at = Long.parseLong(end);
    if (at > size || !check(end).equals(check)) {
      throw new IOException(
          path + " is not the file of which a part was imported before; --again takes all of it");
    }
  }

  @Override
  public String check(String end) throws IOException {
    long to = Long.parseLong(end);
    var octets = ByteBuffer.allocate((int) Math.min(CHECKED, to));
    long from = to - octets.capacity();
    while (octets.hasRemaining() && file.read(octets, from + octets.position()) >= 0) {
      // until full
    }
    var crc = new CRC32C();
    crc.update(octets.flip());
    return Long.toHexString(crc.getValue());
  }

  @Override
  public @Nullable Found next() throws IOException {
    while (at < size) {
      var found = message();
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  private int octet(long position) throws IOException {
    if (position >= size) {
      return -1;
    }
    if (position < windowStart || position >= windowStart + windowLength) {
      var buffer = ByteBuffer.wrap(window);
      int n = 0;
      while (buffer.hasRemaining() && n >= 0) {
        n = file.read(buffer, position + buffer.position());
      }
      windowStart = position;
      windowLength = buffer.position();
      if (windowLength == 0) {
        return -1; // it was cut meanwhile
      }
    }
    return window[(int) (position - windowStart)] & 0xff;
  }

  /// After the LF of the line that begins there, or the end of the file.
  private long lineEnd(long start) throws IOException {
    for (long i = start; ; i++) {
      int octet = octet(i);
      if (octet < 0) {
        return i;
      }
      if (octet == '\n') {
        return i + 1;
      }
    }
  }

  private byte[] octets(long from, long to) throws IOException {
    var octets = new byte[(int) Math.min(to - from, HEADER_MAX)];
    for (int i = 0; i < octets.length; i++) {
      octets[i] = (byte) Math.max(0, octet(from + i));
    }
    return octets;
  }

  /// Reads the message at `at` and goes behind it; null when there is nothing to take.
  private @Nullable Found message() throws IOException {
    long start = at;
    while (octet(at) == '\n' || octet(at) == '\r') {
      at++;
    }
    if (octet(at) < 0) {
      at = size;
      return null;
    }
    long fromEnd = lineEnd(at);
    var line = new String(octets(at, Math.min(fromEnd, at + 2048)), StandardCharsets.ISO_8859_1);
    if (!line.startsWith("From ")) {
      throw new IOException(
          path + ": expected a From line at octet " + at + "; this is no mbox file");
    }
    long headerEnd = headerEnd(fromEnd);
    var own = new Own(octets(fromEnd, headerEnd), true);
    long end = own.contentLength < 0 ? -1 : counted(headerEnd + own.contentLength);
    boolean bare = false;
    long next;
    if (end >= 0) {
      next = afterEmpty(end);
      bare = hasFrom(headerEnd, end);
      own = bare ? new Own(octets(fromEnd, headerEnd), false) : own;
    } else if (headerEnd == size || isFrom(headerEnd)) {
      // A single empty line is the one between two messages: this one is a header and no more.
      next = headerEnd;
      end = headerEnd;
      own =
          endsEmpty(headerEnd)
              ? new Own(octets(fromEnd, beforeEmpty(fromEnd, headerEnd)), true)
              : own;
    } else {
      next = nextFrom(headerEnd);
      end = next < size || endsEmpty(next) ? beforeEmpty(headerEnd, next) : next;
    }
    at = next;
    if (own.internal) {
      return null;
    }
    long contentEnd = end;
    boolean unquote = !bare;
    var header = own.header;
    var date = Dates.ofFromLine(line.substring(5));
    return new Found(
        Long.toString(start),
        Long.toString(next),
        sender(line),
        date == null ? own.date() : date,
        own.marks(),
        next - start,
        letter -> {
          letter.write(header, 0, header.length);
          new Unquoting(letter, unquote).copy(headerEnd, contentEnd);
        });
  }

  /// Behind the empty line that ends the header, or its octet of the most that is looked at.
  private long headerEnd(long start) throws IOException {
    long i = start;
    while (i < size && i - start < HEADER_MAX) {
      long end = lineEnd(i);
      boolean empty = end == i + 1 || (end == i + 2 && octet(i) == '\r');
      if (empty) {
        return end;
      }
      if (end - start > HEADER_MAX || isFrom(i)) {
        return i;
      }
      i = end;
    }
    return i;
  }

  /// The end that a Content-Length says, when it is one; else -1.
  private long counted(long end) throws IOException {
    if (end > size || end < 0) {
      return -1;
    }
    long next = afterEmpty(end);
    boolean lineStart = next > end || end == size || octet(end - 1) == '\n';
    return next >= size || (lineStart && isFrom(next)) ? end : -1;
  }

  private long afterEmpty(long position) throws IOException {
    long i = position;
    while (octet(i) == '\n' || (octet(i) == '\r' && octet(i + 1) == '\n')) {
      i++;
    }
    return i;
  }

  /// Whether a line that begins there is a `From ` line with a time in it.
  private boolean isFrom(long position) throws IOException {
    if (octet(position) != 'F'
        || octet(position + 1) != 'r'
        || octet(position + 2) != 'o'
        || octet(position + 3) != 'm'
        || octet(position + 4) != ' ') {
      return false;
    }
    boolean time = false;
    int before = 0;
    int last = 0;
    for (long i = position + 5; i < position + 2048; i++) {
      int octet = octet(i);
      if (octet < 0 || octet == '\n') {
        return time;
      }
      // A digit, a colon, a digit.
      time |= last == ':' && before >= '0' && before <= '9' && octet >= '0' && octet <= '9';
      before = last;
      last = octet;
    }
    return false;
  }

  /// Where the next message's `From ` line is, or the end of the file.
  private long nextFrom(long start) throws IOException {
    long i = start;
    boolean empty = true;
    while (i < size) {
      if (empty && octet(i) == 'F' && isFrom(i)) {
        return i;
      }
      int octet = octet(i);
      if (octet == '\n') {
        empty = true;
        i++;
      } else if (octet == '\r' && octet(i + 1) == '\n') {
        empty = true;
        i += 2;
      } else {
        empty = false;
        i = lineEndFast(i);
      }
    }
    return size;
  }

  private long lineEndFast(long start) throws IOException {
    long i = start;
    while (octet(i) >= 0) {
      int to = windowLength;
      for (int j = (int) (i - windowStart); j < to; j++) {
        if (window[j] == '\n') {
          return windowStart + j + 1;
        }
      }
      i = windowStart + to;
    }
    return size;
  }

  private boolean hasFrom(long start, long end) throws IOException {
    for (long i = start; i < end; i = lineEndFast(i)) {
      if (octet(i) == 'F' && isFrom(i)) {
        return true;
      }
    }
    return false;
  }

  private boolean endsEmpty(long end) throws IOException {
    return end >= 2
        && octet(end - 1) == '\n'
        && (octet(end - 2) == '\n'
            || (end >= 3 && octet(end - 2) == '\r' && octet(end - 3) == '\n'));
  }

  /// Leaves out the empty line before `next`.
  private long beforeEmpty(long start, long next) throws IOException {
    long end = next;
    if (end > start && octet(end - 1) == '\n') {
      end--;
      if (end > start && octet(end - 1) == '\r') {
        end--;
      }
    }
    return end;
  }

  private static ReversePath sender(String line) {
    int space = line.indexOf(' ', 5);
    var text = space < 0 ? "" : line.substring(5, space);
    int sign = text.lastIndexOf('@');
    if (sign < 1) {
      return ReversePath.NULL;
    }
    try {
      return ReversePath.of(
          new Address(
              text.substring(0, sign),
              new Domain(text.substring(sign + 1).toLowerCase(Locale.ROOT))));
    } catch (IllegalArgumentException e) {
      return ReversePath.NULL; // no address, and so nobody to name
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }

  /// What a header says, and the header without what is the file's own.
  private static final class Own {
    final byte[] header;
    long contentLength = -1;
    boolean internal;
    private int status;
    private final List<String> keywords = new ArrayList<>();
    private @Nullable Instant received;
    private @Nullable Instant dated;

    /// @param unquote whether a `>` before `From ` is taken off
    Own(byte[] raw, boolean unquote) {
      var out = new ByteArrayOutputStream(raw.length);
      int at = 0;
      while (at < raw.length) {
        int end = at;
        do {
          while (end < raw.length && raw[end] != '\n') {
            end++;
          }
          end = Math.min(raw.length, end + 1);
        } while (end < raw.length && (raw[end] == ' ' || raw[end] == '\t'));
        var name = MboxFields.name(raw, at, end);
        if (MboxFields.isOwn(name)) {
          field(name, new String(raw, at, end - at, StandardCharsets.ISO_8859_1));
        } else {
          int quote =
              MboxFields.isQuoted(name)
                  ? "X-Quoted-".length()
                  : unquote && isQuotedFrom(raw, at, end) ? 1 : 0;
          out.write(raw, at + quote, end - at - quote);
          other(name, raw, at, end);
        }
        at = end;
      }
      header = out.toByteArray();
    }

    private static boolean isQuotedFrom(byte[] raw, int start, int end) {
      int at = start;
      while (at < end && raw[at] == '>') {
        at++;
      }
      return at - start > MboxSink.ANGLES_MAX + 1
          || (at > start
              && new String(raw, at, Math.min(5, end - at), StandardCharsets.ISO_8859_1)
                  .equals("From "));
    }

    private void field(String name, String line) {
      int colon = line.indexOf(':');
      var value = colon < 0 ? "" : line.substring(colon + 1).strip();
      switch (name) {
        case "status", "x-status" -> {
          for (int i = 0; i < value.length(); i++) {
            int bit = "RAFDT".indexOf(value.charAt(i));
            status |= bit < 0 ? 0 : 1 << bit;
          }
        }
        case "x-keywords" -> {
          for (var word : MaildirSource.words(value)) {
            if (Marks.isKeyword(word) && keywords.size() < 200) {
              keywords.add(word);
            }
          }
        }
        case "content-length" -> {
          boolean digits = !value.isEmpty() && value.length() <= 15;
          for (int i = 0; i < value.length(); i++) {
            digits &= value.charAt(i) >= '0' && value.charAt(i) <= '9';
          }
          contentLength = digits ? Long.parseLong(value) : -1;
        }
        default -> {}
      }
    }

    private void other(String name, byte[] raw, int at, int end) {
      boolean wanted =
          name.equals("date")
              || name.equals("subject")
              || (name.equals("received") && received == null);
      if (!wanted) {
        return;
      }
      var value = new String(raw, at, end - at, StandardCharsets.ISO_8859_1);
      value = value.substring(value.indexOf(':') + 1);
      switch (name) {
        case "date" -> dated = Dates.ofField(value);
        case "received" -> received = Dates.ofField(value.substring(value.lastIndexOf(';') + 1));
        default -> internal = value.contains(INTERNAL);
      }
    }

    Instant date() {
      var date = received != null ? received : dated;
      return date == null ? Instant.EPOCH : date;
    }

    Marks marks() {
      var flags = new ArrayList<Flag>();
      for (var flag : Flag.values()) {
        if ((status & 1 << flag.ordinal()) != 0) {
          flags.add(flag);
        }
      }
      return Marks.of(flags, keywords);
    }
  }

  /// Copies a body, taking one `>` off lines of `>` and `From `.
  private final class Unquoting {
    private final Letter letter;
    private final boolean unquote;

    Unquoting(Letter letter, boolean unquote) {
      this.letter = letter;
      this.unquote = unquote;
    }

    void copy(long from, long to) throws IOException {
      long i = from;
      boolean lineStart = true;
      while (i < to) {
        if (octet(i) < 0) {
          throw new IOException(path + " was cut while it was read");
        }
        if (lineStart && unquote && octet(i) == '>' && quoted(i, to)) {
          i++;
          lineStart = false;
          continue;
        }
        octet(i);
        int start = (int) (i - windowStart);
        int stop = (int) Math.min(windowLength, to - windowStart);
        int j = start;
        // As far as no line begins with a quote.
        while (j < stop) {
          if (window[j++] == '\n' && (j == stop || window[j] == '>')) {
            break;
          }
        }
        letter.write(window, start, j - start);
        lineStart = window[j - 1] == '\n';
        i = windowStart + j;
      }
    }

    private boolean quoted(long position, long end) throws IOException {
      long i = position;
      while (i < end && octet(i) == '>') {
        if (i - position > MboxSink.ANGLES_MAX) {
          return true;
        }
        i++;
      }
      return i + 5 <= end
          && octet(i) == 'F'
          && octet(i + 1) == 'r'
          && octet(i + 2) == 'o'
          && octet(i + 3) == 'm'
          && octet(i + 4) == ' ';
    }
  }
}
