package longhand.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import longhand.disk.DiskFile;
import org.jspecify.annotations.Nullable;

/// Goes through a document from entry to entry. It reads the head of each and jumps over the text
/// by the length in the ledger, so that a document of gigabytes is gone through in the time of a
/// read for each message.
final class DocumentScan {

  /// An entry as it stands in the document.
  ///
  /// @param offset of the `From ` line
  /// @param fromLength of that line, LF included
  /// @param marksIntact false when another program changed the lines below the first
  /// @param end where the next entry begins
  record Found(long offset, int fromLength, Ledger ledger, boolean marksIntact, long end) {}

  private static final int WINDOW = 4096;

  private static final int WINDOW_WIDE = 1 << 16;
  private static final int SHORT_ENTRY = 8192;

  /// Enough for the head of nearly every entry; less than the window, so that the window read at
  /// the end of a text usually holds the next head as well.
  private static final int HEAD = 1024;

  /// Longest `From ` line: 5, a path of 256 octets and more in UTF-8, a date.
  private static final int FROM_MAX = 2048;

  private final DiskFile file;
  private final long size;
  private final String token;
  private byte[] window = new byte[WINDOW];
  private long windowStart;
  private int windowLength;
  private long position;
  private boolean shortEntries;
  private String trouble = "";

  /// From `position`, which must be the start of an entry, to `size`.
  DocumentScan(DiskFile file, long position, long size, String token) {
    this.file = file;
    this.position = position;
    this.size = size;
    this.token = token;
  }

  /// Where the next entry is expected.
  long position() {
    return position;
  }

  /// Why `next` gave null before the end.
  String trouble() {
    return trouble;
  }

  /// The next entry; null at the end, or where something stands that is not an entry of ours.
  @Nullable Found next() throws IOException {
    if (position >= size) {
      return null;
    }
    int length = load(position, HEAD);
    int at = (int) (position - windowStart);
    int limit = at + length;
    if (!Ledger.literal(window, at, limit, FROM)) {
      return trouble("expected a From line");
    }
    int line = lineEnd(at, Math.min(limit, at + FROM_MAX));
    if (line < 0) {
      return trouble("the From line has no end");
    }
    var parsed = Ledger.parse(window, line + 1, limit);
    if (parsed == null && length < size - position) {
      // Room for very many keywords.
      length = load(position, 1 << 16);
      at = (int) (position - windowStart);
      limit = at + length;
      line = lineEnd(at, Math.min(limit, at + FROM_MAX));
      parsed = Ledger.parse(window, line + 1, limit);
    }
    if (parsed == null) {
      return trouble("no ledger, or one that fails its check");
    }
    var ledger = parsed.ledger();
    if (!ledger.token().equals(token) || ledger.state() == Ledger.State.ACCOUNT) {
      return trouble("a ledger of another document");
    }
    int fromLength = line + 1 - at;
    long offset = position;
    long text = offset + fromLength + ledger.octets();
    long end = end(text, ledger.length());
    if (end < 0) {
      return trouble("the text of " + ledger.length() + " octets does not end where it should");
    }
    position = end;
    shortEntries = end - offset < SHORT_ENTRY;
    return new Found(offset, fromLength, ledger, parsed.marksIntact(), end);
  }

  private static final byte[] FROM = Ledger.ascii("From ");

  private @Nullable Found trouble(String what) {
    trouble = what + " at octet " + position;
    return null;
  }

  /// Where the entry ends whose text is there; -1 when the line feeds after it are missing.
  private long end(long text, long length) throws IOException {
    long last = length == 0 ? text : text + length - 1;
    int needed = (int) Math.min(3, size - last);
    if (needed < 1 || load(last, 3) < needed) {
      return -1;
    }
    int at = (int) (last - windowStart);
    if (length == 0) {
      return window[at] == '\n' && needed > 1 && window[at + 1] == '\n' ? last + 2 : -1;
    }
    if (window[at] == '\n') {
      return needed > 1 && window[at + 1] == '\n' ? last + 2 : -1;
    }
    return needed > 2 && window[at + 1] == '\n' && window[at + 2] == '\n' ? last + 3 : -1;
  }

  /// Has `octets` octets from `from` in the window, fewer at the end of the document; how many.
  private int load(long from, int octets) throws IOException {
    int wanted = (int) Math.min(octets, size - from);
    if (from >= windowStart && from + wanted <= windowStart + windowLength) {
      return (int) Math.min(windowStart + windowLength - from, Integer.MAX_VALUE);
    }
    // Short entries come many with one read; behind long ones a wide window would be read in vain.
    int capacity = Math.max(wanted, shortEntries ? WINDOW_WIDE : WINDOW);
    if (window.length < capacity) {
      window = new byte[capacity];
    }
    var buffer = ByteBuffer.wrap(window, 0, (int) Math.min(capacity, size - from));
    int n = Math.max(0, file.read(buffer, from));
    windowStart = from;
    windowLength = n;
    return n;
  }

  private int lineEnd(int from, int limit) {
    for (int i = from; i < limit; i++) {
      if (window[i] == '\n') {
        return i;
      }
    }
    return -1;
  }

  private static final String MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";

  /// The date at the end of a `From ` line, UTC; `Long.MIN_VALUE` when there is none.
  static long savedSeconds(byte[] from, int start, int end) {
    int at = end - 24;
    if (at < start + 5 || from[at - 1] != ' ') {
      return Long.MIN_VALUE;
    }
    int month = -1;
    for (int i = 0; i < 12; i++) {
      if (from[at + 4] == MONTHS.charAt(i * 3)
          && from[at + 5] == MONTHS.charAt(i * 3 + 1)
          && from[at + 6] == MONTHS.charAt(i * 3 + 2)) {
        month = i + 1;
      }
    }
    int day = (from[at + 8] == ' ' ? 0 : digit(from[at + 8]) * 10) + digit(from[at + 9]);
    int hour = two(from, at + 11);
    int minute = two(from, at + 14);
    int second = two(from, at + 17);
    int year = two(from, at + 20) * 100 + two(from, at + 22);
    try {
      return LocalDateTime.of(year, month, day, hour, minute, Math.min(second, 59))
          .toEpochSecond(ZoneOffset.UTC);
    } catch (DateTimeException e) {
      return Long.MIN_VALUE;
    }
  }

  private static int two(byte[] from, int at) {
    return digit(from[at]) * 10 + digit(from[at + 1]);
  }

  private static int digit(byte octet) {
    return octet >= '0' && octet <= '9' ? octet - '0' : -1000;
  }
}
