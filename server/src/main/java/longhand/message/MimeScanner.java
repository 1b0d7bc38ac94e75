package longhand.message;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// One pass over the octets of a message that finds its parts (RFC 2045, RFC 2046).
///
/// Line by line. A line is told apart only as far as it matters: in a header it is kept until the
/// header is whole; elsewhere only a line that begins with `--` is looked at, and only its first
/// octets. The open parts are a chain from the innermost outwards; a boundary line closes all parts
/// within the multipart it belongs to. So memory is that of one header block and of the parts
/// found, both bounded, and time is linear: a line is compared with at most `DEPTH_MAX` boundaries,
/// by their length first.
/// - A boundary that never ends, or never comes: open parts end with the message.
/// - A boundary line is `--boundary` or `--boundary--` and ends there or goes on with white space,
///   so a boundary that is the beginning of another is no trouble. The innermost that fits is
///   meant, a line without anything after the boundary first.
/// - A header cut short by a boundary has an empty body.
/// - Beyond `DEPTH_MAX` levels a part is not opened; after `PARTS_MAX` parts the last one reaches
///   to the end of the message.
final class MimeScanner {

  static final int DEPTH_MAX = 100;
  static final int PARTS_MAX = 10_000;

  /// Longest boundary that is looked for, in octets. RFC 2046 §5.1.1 says 70.
  static final int BOUNDARY_MAX = 1_024;

  /// Most octets of header text (types, parameters, descriptions) kept of one message.
  static final int TEXT_MAX = 1 << 20;

  /// Most octets of the envelopes of messages within one message.
  static final int ENVELOPES_MAX = 1 << 20;

  private static final int BUFFER = 32 * 1024;

  /// What must be in the buffer to tell whether a line is a boundary: dashes, white space, CRLF.
  private static final int LOOKAHEAD = BOUNDARY_MAX + 256;

  private enum Mode {
    HEADER,
    BODY
  }

  private final InputStream in;
  private byte[] buffer;
  private int position;
  private int limit;
  private boolean eof;

  /// Where `buffer[0]` lies in the message.
  private long base;

  private final List<Entity> entities = new ArrayList<>();
  private Entity current;
  private Mode mode = Mode.HEADER;
  private final ByteArrayOutputStream header = new ByteArrayOutputStream();

  /// How many multiparts around us have a boundary that may come.
  private int boundaries;

  private boolean opaque;
  private long lineCount;

  /// The length of the line end before the line at hand, 0 at the beginning.
  private int lastLineEnd;

  private boolean lastLineEmpty;
  private int textLeft = TEXT_MAX;
  private int envelopesLeft = ENVELOPES_MAX;
  private int sentDay = SentDay.NONE;
  private SearchedFields searched = new SearchedFields(new byte[0]);

  private MimeScanner(InputStream in, byte[] buffer, int limit, boolean eof) {
    this.in = in;
    this.buffer = buffer;
    this.limit = limit;
    this.eof = eof;
    this.current = new Entity(0, null, 0);
    entities.add(current);
  }

  /// What a scan found.
  ///
  /// @param entities each after its parent, in the order they lie in the message
  record Found(List<Entity> entities, int sentDay, SearchedFields searched) {}

  static Found scan(InputStream in) throws IOException {
    return new MimeScanner(in, new byte[BUFFER], 0, false).run();
  }

  static Found scan(byte[] message) {
    try {
      return new MimeScanner(InputStream.nullInputStream(), message, message.length, true).run();
    } catch (IOException e) {
      throw new IllegalStateException(e); // nothing is read
    }
  }

  private Found run() throws IOException {
    while (nextLineStart()) {
      if (boundaries > 0 && !opaque && isBoundaryLine()) {
        continue;
      }
      if (mode == Mode.HEADER) {
        headerLine();
      } else if (boundaries > 0 && !opaque) {
        passLine(null);
      } else {
        bodyToEnd();
      }
    }
    while (mode == Mode.HEADER) {
      finishHeader(offset()); // a message within may have begun, and has no octets
    }
    closeUpTo(null, offset());
    return new Found(entities, sentDay, searched);
  }

  private long offset() {
    return base + position;
  }

  /// Makes sure that a boundary line at `position` can be told; false at the end.
  private boolean nextLineStart() throws IOException {
    while (!eof && limit - position < LOOKAHEAD && indexOfLineEnd() < 0) {
      fill();
    }
    return position < limit;
  }

  private void fill() throws IOException {
    if (position > 0) {
      System.arraycopy(buffer, position, buffer, 0, limit - position);
      base += position;
      limit -= position;
      position = 0;
    }
    int n = in.read(buffer, limit, buffer.length - limit);
    if (n < 0) {
      eof = true;
    } else {
      limit += n;
    }
  }

  private int indexOfLineEnd() {
    for (int i = position; i < limit; i++) {
      if (buffer[i] == '\n') {
        return i;
      }
    }
    return -1;
  }

  /// Passes over the line at hand, giving its octets to `sink` if there is one.
  private void passLine(@Nullable ByteArrayOutputStream sink) throws IOException {
    boolean empty = true;
    int last = 0;
    while (position < limit) {
      int end = indexOfLineEnd();
      int stop = end < 0 ? limit : end + 1;
      if (sink != null && sink.size() < Header.OCTETS_MAX) {
        sink.write(buffer, position, Math.min(stop - position, Header.OCTETS_MAX - sink.size()));
      }
      if (end >= 0) {
        boolean cr = end > position ? buffer[end - 1] == '\r' : last == '\r';
        lastLineEnd = cr ? 2 : 1;
        lastLineEmpty = empty && end - position <= (cr && last != '\r' ? 1 : 0);
        lineCount++;
        position = stop;
        return;
      }
      // A lone CR, held back at the edge of the buffer, does not make the line any less empty.
      empty &= stop - position == 1 && buffer[position] == '\r';
      last = buffer[stop - 1];
      position = stop;
      if (eof) {
        lastLineEnd = 0;
        lastLineEmpty = false;
        return;
      }
      fill();
    }
    lastLineEnd = 0;
    lastLineEmpty = false;
  }

  private void headerLine() throws IOException {
    boolean empty =
        buffer[position] == '\n'
            || (buffer[position] == '\r' && position + 1 < limit && buffer[position + 1] == '\n');
    passLine(header);
    if (empty) {
      finishHeader(offset());
    }
  }

  /// No boundary can come any more: only line ends count.
  private void bodyToEnd() throws IOException {
    while (true) {
      int last = -1;
      for (int i = position; i < limit; i++) {
        if (buffer[i] == '\n') {
          lineCount++;
          last = i;
        }
      }
      if (position < limit) {
        lastLineEnd = last == limit - 1 ? 1 : 0;
        lastLineEmpty = false;
      }
      position = limit;
      if (eof) {
        return;
      }
      fill();
    }
  }

  private boolean isBoundaryLine() throws IOException {
    if (limit - position < 2 || buffer[position] != '-' || buffer[position + 1] != '-') {
      return false;
    }
    int window = Math.min(limit, position + LOOKAHEAD);
    int end = position;
    while (end < window && buffer[end] != '\n') {
      end++;
    }
    if (end == window && !(eof && end == limit)) {
      return false; // longer than any boundary
    }
    int from = position + 2;
    int to = end;
    while (to > from && isBlank(buffer[to - 1])) {
      to--;
    }
    for (var entity = current; entity != null; entity = entity.parent) {
      var boundary = entity.boundary;
      if (boundary == null) {
        continue;
      }
      int extra = to - from - boundary.length;
      boolean closes = extra == 2 && buffer[to - 1] == '-' && buffer[to - 2] == '-';
      if ((extra == 0 || closes)
          && Arrays.equals(buffer, from, from + boundary.length, boundary, 0, boundary.length)) {
        boundary(entity, closes);
        return true;
      }
    }
    return isBoundaryWithMore(from, to);
  }

  /// A boundary with white space and more after it: RFC 2046 §5.1.1 wants that to be taken, too.
  private boolean isBoundaryWithMore(int from, int to) throws IOException {
    for (var entity = current; entity != null; entity = entity.parent) {
      var boundary = entity.boundary;
      if (boundary == null
          || to - from <= boundary.length
          || !Arrays.equals(buffer, from, from + boundary.length, boundary, 0, boundary.length)) {
        continue;
      }
      int after = from + boundary.length;
      boolean closes = to - after > 2 && buffer[after] == '-' && buffer[after + 1] == '-';
      if (isBlank(buffer[closes ? after + 2 : after])) {
        boundary(entity, closes);
        return true;
      }
    }
    return false;
  }

  private static boolean isBlank(byte octet) {
    return octet == ' ' || octet == '\t' || octet == '\r';
  }

  private void boundary(Entity multipart, boolean closes) throws IOException {
    long lineStart = offset();
    while (mode == Mode.HEADER) {
      finishHeader(lineStart);
    }
    closeUpTo(multipart, lineStart);
    passLine(null);
    if (closes) {
      multipart.boundary = null;
      boundaries--;
      mode = Mode.BODY;
    } else if (nextLineStart()) {
      open(multipart, offset());
    } else {
      mode = Mode.BODY; // cut off right there: nothing is left for another part
    }
  }

  /// Opens a part within `parent`.
  private void open(Entity parent, long headerStart) {
    current = new Entity(entities.size(), parent, headerStart);
    entities.add(current);
    mode = Mode.HEADER;
    header.reset();
  }

  /// Ends the open parts within `outer`, all for null, at a line that begins at `lineStart`.
  private void closeUpTo(@Nullable Entity outer, long lineStart) {
    long end = outer == null ? lineStart : lineStart - lastLineEnd;
    while (current != outer) {
      var entity = current;
      entity.end = Math.max(entity.bodyStart, end);
      end = entity.end; // what is around it ends no earlier
      long lines = lineCount - entity.lineCountAtBody;
      if (entity.end == entity.bodyStart) {
        lines = 0;
      } else if (outer == null) {
        lines += lastLineEnd == 0 ? 1 : 0; // a last line without an end is a line too
      } else if (lastLineEmpty) {
        lines--; // its end belongs to the boundary, and nothing is left of it
      }
      entity.lines = lines;
      if (entity.boundary != null) {
        entity.boundary = null;
        boundaries--;
      }
      if (entity.parent == null) {
        return;
      }
      current = entity.parent;
    }
  }

  private void finishHeader(long bodyStart) {
    var entity = current;
    entity.bodyStart = bodyStart;
    entity.lineCountAtBody = lineCount;
    var fields = Header.of(header.toByteArray());
    header.reset();
    mode = Mode.BODY;
    boolean inDigest =
        entity.parent != null
            && entity.parent.kind == Part.Kind.MULTIPART
            && entity.parent.subtype.equalsIgnoreCase("digest");
    textLeft -= entity.describe(fields, inDigest, textLeft);
    if (entity.parent == null) {
      sentDay = fields.first("Date").map(date -> SentDay.of(date.value())).orElse(SentDay.NONE);
      searched = SearchedFields.of(fields);
    }
    if (entity.isMessageRoot()) {
      var envelope = ImapEnvelope.of(fields);
      if (entity.parent != null && envelope.length > envelopesLeft) {
        envelope = ImapEnvelope.of(Header.of(new byte[0]));
      }
      envelopesLeft -= entity.parent == null ? 0 : envelope.length;
      entity.envelope = envelope;
    }
    if (entities.size() >= PARTS_MAX) {
      opaque = true;
    }
    switch (entity.type.toLowerCase(Locale.ROOT)) {
      case "multipart" -> openMultipart(entity, fields);
      case "message" -> openMessage(entity);
      default -> {}
    }
  }

  private void openMultipart(Entity entity, Header fields) {
    var boundary =
        fields
            .first("Content-Type")
            .flatMap(field -> MimeValue.of(field.value()).raw("boundary"))
            .map(text -> withoutBlanksAfter(text.getBytes(StandardCharsets.ISO_8859_1)))
            .orElse(new byte[0]);
    if (boundary.length == 0 || boundary.length > BOUNDARY_MAX) {
      entity.type = "TEXT"; // RFC 2045 §5.2: what cannot be a multipart is plain text
      entity.subtype = "PLAIN";
    } else if (opaque || entity.depth >= DEPTH_MAX) {
      entity.type = "APPLICATION";
      entity.subtype = "OCTET-STREAM";
    } else {
      entity.kind = Part.Kind.MULTIPART;
      entity.boundary = boundary;
      boundaries++;
    }
  }

  private static byte[] withoutBlanksAfter(byte[] text) {
    int to = text.length;
    while (to > 0 && isBlank(text[to - 1])) {
      to--;
    }
    return Arrays.copyOf(text, to);
  }

  private void openMessage(Entity entity) {
    if (!entity.subtype.equalsIgnoreCase("rfc822")) {
      return;
    }
    if (opaque || entity.depth >= DEPTH_MAX) {
      entity.type = "APPLICATION";
      entity.subtype = "OCTET-STREAM";
      return;
    }
    entity.kind = Part.Kind.MESSAGE;
    open(entity, entity.bodyStart);
  }
}
