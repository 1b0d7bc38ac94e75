package longhand.store;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import longhand.disk.DiskFile;
import org.jspecify.annotations.Nullable;

/// A document as another program has left it (`docs/document-format.md`, "Changes from outside"):
/// which of its messages are entries of ours, whole or with their lines moved about, and which are
/// new.
final class Outside {

  /// One message found.
  sealed interface Item {
    /// An entry in our own layout.
    record Ours(DocumentScan.Found found) implements Item {}

    /// An entry whose X-Longhand line is right, while the lines around it are another program's.
    ///
    /// @param text as it was before, checked against the CRC
    /// @param mailbox the number on the X-Mailbox line, or -1
    record Moved(Ledger ledger, byte[] fromLine, byte[] text, Marks marks, int mailbox)
        implements Item {

      /// The entry as if it lay in our layout, at no place.
      DocumentScan.Found found() {
        var line = ledger;
        var whole =
            new Ledger(
                line.token(),
                line.id(),
                line.uid(),
                line.modseq(),
                line.saved(),
                line.length(),
                line.size(),
                line.crc(),
                line.state(),
                line.quoted(),
                marks,
                true,
                mailbox,
                "",
                Ledger.keywordsRoom(marks),
                Ledger.MAILBOX_ROOM);
        return new DocumentScan.Found(-1, fromLine.length, whole, true, -1);
      }
    }

    /// A message we do not know.
    ///
    /// @param wire as the wire would carry it, LF for CRLF
    ///
    /// @param offset where it begins
    record New(long offset, String sender, long savedSeconds, byte[] wire, Marks marks)
        implements Item {}
  }

  private static final Set<String> METADATA =
      Set.of(
          "status",
          "x-status",
          "x-keywords",
          "x-uid",
          "x-imap",
          "x-imapbase",
          "content-length",
          "x-longhand",
          "x-mailbox");

  /// Longest message taken in: it is read into memory.
  private static final int MESSAGE_MAX = 256 << 20;

  private static final byte[] FROM = Ledger.ascii("From ");

  private final DiskFile file;
  private final long size;
  private final String token;

  Outside(DiskFile file, long size, String token) {
    this.file = file;
    this.size = size;
    this.token = token;
  }

  /// All messages from an offset on, where a message or the end of the document is.
  List<Item> read(long from) throws IOException {
    var items = new ArrayList<Item>();
    long at = from;
    while (at < size) {
      var scan = new DocumentScan(file, at, size, token);
      for (var found = scan.next(); found != null; found = scan.next()) {
        items.add(new Item.Ours(found));
      }
      at = scan.position();
      if (at < size) {
        at = readForeign(at, items);
      }
    }
    return items;
  }

  /// Reads one message that is not in our layout; where the next begins.
  private long readForeign(long start, List<Item> items) throws IOException {
    long end = nextMessage(start);
    if (end - start > MESSAGE_MAX) {
      throw new DamagedException("a message of " + (end - start) + " octets at octet " + start);
    }
    var raw = new byte[(int) (end - start)];
    file.read(ByteBuffer.wrap(raw), start);
    int line = 0;
    if (!Ledger.literal(raw, 0, raw.length, FROM)) {
      // Text without a From line: what was cut off, or typed. Leading empty lines are nothing.
      while (line < raw.length && (raw[line] == '\n' || raw[line] == '\r' || raw[line] == ' ')) {
        line++;
      }
      if (line == raw.length) {
        return end;
      }
      items.add(
          new Item.New(
              start, "MAILER-DAEMON", 0, Arrays.copyOfRange(raw, line, raw.length), Marks.NONE));
      return end;
    }
    while (line < raw.length && raw[line] != '\n') {
      line++;
    }
    var fromLine = Arrays.copyOf(raw, Math.min(line + 1, raw.length));
    var item = identify(start, fromLine, raw, Math.min(line + 1, raw.length));
    if (item != null) {
      items.add(item);
    }
    return end;
  }

  /// Where the next `From ` line after an empty line is, behind `start`, or the end of the
  /// document.
  long nextMessage(long start) throws IOException {
    var window = new byte[1 << 16];
    long at = start;
    // What stands at the start follows an empty line.
    int newlines = 2;
    long line = -1;
    int match = 0;
    while (at < size) {
      int n = file.read(ByteBuffer.wrap(window), at);
      if (n <= 0) {
        break;
      }
      for (int i = 0; i < n; i++) {
        byte octet = window[i];
        if (newlines >= 2 && match < FROM.length && octet == FROM[match] && line < at + i) {
          if (match == 0) {
            line = at + i;
          }
          if (++match == FROM.length && line > start) {
            return line;
          }
          continue;
        }
        match = 0;
        if (octet == '\n') {
          newlines++;
        } else if (octet != '\r') {
          newlines = 0;
        }
      }
      at += n;
    }
    return size;
  }

  /// What a message is; null when it is a dead entry or an account entry, which are nothing.
  private @Nullable Item identify(long offset, byte[] fromLine, byte[] raw, int start)
      throws IOException {
    var whole = Ledger.parse(raw, start, raw.length);
    if (whole != null && whole.ledger().state() == Ledger.State.LIVE) {
      // An entry in our layout, but of another document, or put aside by recovery.
      var ledger = whole.ledger();
      int text = start + ledger.octets();
      int length = (int) ledger.length();
      if (!ledger.token().equals(token)
          && text + length <= raw.length
          && Ledger.crc(raw, text, length) == ledger.crc()) {
        var stored = Arrays.copyOfRange(raw, text, text + length);
        return new Item.New(
            offset,
            sender(fromLine),
            ledger.saved(),
            WireForm.of(stored, ledger.quoted()),
            ledger.marks());
      }
    }
    Ledger ledger = null;
    int bits = 0;
    int mailbox = -1;
    List<String> keywords = List.of();
    var header = new ByteArrayOutputStream();
    var withoutLines = new ByteArrayOutputStream();
    int at = start;
    while (at < raw.length && raw[at] != '\n' && !(raw[at] == '\r' && follows(raw, at, '\n'))) {
      int end = fieldEnd(raw, at);
      var name = name(raw, at, end);
      if (METADATA.contains(name)) {
        var value = value(raw, at + name.length(), end);
        switch (name) {
          case "status", "x-status" -> bits |= bits(value);
          case "x-keywords" -> keywords = keywords(value);
          case "x-mailbox" -> mailbox = number(value);
          case "x-longhand" -> {
            var line = Ledger.parseLine(raw, at, raw.length);
            if (line != null && line.token().equals(token) && ledger == null) {
              ledger = line;
            }
          }
          default -> {}
        }
      } else {
        header.write(raw, at, end - at);
        if (!name.equals("lines")) {
          withoutLines.write(raw, at, end - at);
        }
      }
      at = end;
    }
    var marks = Marks.of(bits, keywords);
    if (ledger != null && ledger.state() == Ledger.State.ACCOUNT) {
      return null;
    }
    if (ledger != null) {
      for (var candidate : List.of(header, withoutLines)) {
        candidate.write(raw, at, raw.length - at);
        var text = candidate.toByteArray();
        int length = (int) ledger.length();
        if (text.length >= length && Ledger.crc(text, 0, length) == ledger.crc()) {
          return ledger.state() == Ledger.State.DEAD
              ? null
              : new Item.Moved(ledger, fromLine, Arrays.copyOf(text, length), marks, mailbox);
        }
      }
    }
    return new Item.New(offset, sender(fromLine), savedOf(fromLine), unquoted(raw, start), marks);
  }

  /// The message of an mbox as it was sent: fields of mail programs left out, one `>` taken off
  /// lines that match `>+From `, the empty line at the end left out.
  private static byte[] unquoted(byte[] raw, int start) {
    var out = new ByteArrayOutputStream();
    int at = start;
    while (at < raw.length && raw[at] != '\n' && !(raw[at] == '\r' && follows(raw, at, '\n'))) {
      int end = fieldEnd(raw, at);
      if (!METADATA.contains(name(raw, at, end))) {
        out.write(raw, at, end - at);
      }
      at = end;
    }
    int stop = raw.length;
    if (stop - 2 >= at && raw[stop - 1] == '\n' && raw[stop - 2] == '\n') {
      stop--;
    }
    while (at < stop) {
      int end = at;
      while (end < stop && raw[end] != '\n') {
        end++;
      }
      end = Math.min(stop, end + 1);
      int angles = at;
      while (angles < end && raw[angles] == '>') {
        angles++;
      }
      int from = angles > at && Ledger.literal(raw, angles, end, FROM) ? at + 1 : at;
      out.write(raw, from, end - from);
      at = end;
    }
    return out.toByteArray();
  }

  private static boolean follows(byte[] raw, int at, int octet) {
    return at + 1 < raw.length && raw[at + 1] == octet;
  }

  /// Where a field ends, its folded lines included.
  private static int fieldEnd(byte[] raw, int start) {
    int at = start;
    while (at < raw.length) {
      if (raw[at++] == '\n' && (at == raw.length || (raw[at] != ' ' && raw[at] != '\t'))) {
        break;
      }
    }
    return at;
  }

  private static String name(byte[] raw, int start, int end) {
    int at = start;
    while (at < end && at - start < 64 && raw[at] != ':') {
      at++;
    }
    return at < end && raw[at] == ':'
        ? new String(raw, start, at - start, StandardCharsets.ISO_8859_1).toLowerCase(Locale.ROOT)
        : "";
  }

  private static String value(byte[] raw, int colon, int end) {
    return new String(raw, colon + 1, end - colon - 1, StandardCharsets.UTF_8);
  }

  private static int bits(String value) {
    int bits = 0;
    for (int i = 0; i < value.length(); i++) {
      bits |=
          switch (value.charAt(i)) {
            case 'R' -> Flag.SEEN.bit;
            case 'A' -> Flag.ANSWERED.bit;
            case 'F' -> Flag.FLAGGED.bit;
            case 'D' -> Flag.DELETED.bit;
            case 'T' -> Flag.DRAFT.bit;
            default -> 0;
          };
    }
    return bits;
  }

  private static List<String> keywords(String value) {
    var words = new ArrayList<String>();
    var word = new StringBuilder();
    for (int i = 0; i <= value.length(); i++) {
      char c = i < value.length() ? value.charAt(i) : ' ';
      if (c > ' ') {
        word.append(c);
      } else if (!word.isEmpty()) {
        if (Marks.isKeyword(word.toString()) && words.size() < 200) {
          words.add(word.toString());
        }
        word.setLength(0);
      }
    }
    return words;
  }

  private static int number(String value) {
    int at = 0;
    while (at < value.length() && value.charAt(at) == ' ') {
      at++;
    }
    long number = 0;
    int start = at;
    while (at < value.length() && Character.digit(value.charAt(at), 10) >= 0 && at - start < 10) {
      number = number * 10 + Character.digit(value.charAt(at++), 10);
    }
    return at == start || number > Integer.MAX_VALUE ? -1 : (int) number;
  }

  private static String sender(byte[] fromLine) {
    int at = FROM.length;
    while (at < fromLine.length && fromLine[at] > ' ') {
      at++;
    }
    return new String(fromLine, FROM.length, at - FROM.length, StandardCharsets.ISO_8859_1);
  }

  private static long savedOf(byte[] fromLine) {
    int end = fromLine.length;
    while (end > 0 && fromLine[end - 1] <= ' ') {
      end--;
    }
    long saved = end < 29 ? Long.MIN_VALUE : DocumentScan.savedSeconds(fromLine, 0, end);
    return saved == Long.MIN_VALUE ? 0 : saved;
  }

  /// The first ledger of a document whose account entry is gone, for its token; null when there is
  /// none.
  static @Nullable Ledger firstLedger(DiskFile file, long size) throws IOException {
    var window = new byte[1 << 16];
    for (long at = 0; at < size; at += window.length / 2) {
      int n = file.read(ByteBuffer.wrap(window), at);
      for (int i = 0; i < n; i++) {
        if ((i == 0 || window[i - 1] == '\n') && window[i] == 'X') {
          var line = Ledger.parseLine(window, i, n);
          if (line != null) {
            return line;
          }
        }
      }
    }
    return null;
  }
}
