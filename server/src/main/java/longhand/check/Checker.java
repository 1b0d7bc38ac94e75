package longhand.check;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import longhand.disk.Disk;
import longhand.index.Catalogue;
import org.jspecify.annotations.Nullable;

/// Checks documents, together with what the journal still has for them. Nothing is changed. While a
/// server has the folder open, what it is writing at that moment can show as damage; let it check
/// instead.
public final class Checker {

  private static final List<String> QUOTED =
      List.of(
          "status",
          "x-status",
          "x-keywords",
          "x-uid",
          "x-imap",
          "x-imapbase",
          "content-length",
          "x-longhand",
          "x-mailbox");

  /// A name of more octets is none of those.
  private static final int NAME_MAX = 32;

  /// Findings told of one file.
  private static final int FINDINGS_MAX = 100;

  /// Octets of a document that are in memory at once.
  private static final int WINDOW = 1 << 20;

  private final Disk disk;
  private final Path data;
  private final Consumer<Finding> findings;
  private final Map<String, Integer> tellings = new HashMap<>();
  private final Consumer<Extent> progress;
  private final int windowOctets;
  private int done;
  private @Nullable Catalogue catalogue;

  /// @param data the data folder
  /// @param findings is told of each finding as it is made
  public Checker(Disk disk, Path data, Consumer<Finding> findings) {
    this(disk, data, findings, _ -> {});
  }

  /// The same, telling how far it is.
  ///
  /// @param progress is told after each document what has been looked at so far
  public Checker(Disk disk, Path data, Consumer<Finding> findings, Consumer<Extent> progress) {
    this(disk, data, findings, progress, WINDOW);
  }

  Checker(
      Disk disk,
      Path data,
      Consumer<Finding> findings,
      Consumer<Extent> progress,
      int windowOctets) {
    this.windowOctets = windowOctets;
    this.disk = disk;
    this.data = data;
    this.findings = findings;
    this.progress = progress;
  }

  /// What was looked at.
  ///
  /// @param octets of documents
  public record Extent(int documents, long messages, long octets) {}

  /// Checks the documents that `wanted` names (as `example.com/jbob`), or all when it is null.
  ///
  /// @throws IOException when the folder cannot be read
  public Extent check(@Nullable String wanted) throws IOException {
    try (var known = Catalogue.openReadOnly(disk, data.resolve("catalogue"))) {
      catalogue = known;
      return checkAll(wanted);
    }
  }

  private Extent checkAll(@Nullable String wanted) throws IOException {
    var journal = new JournalReader(disk, data, findings).read();
    var names = new ArrayList<String>();
    if (wanted != null) {
      names.add(wanted);
    } else {
      for (var domain : disk.list(data.resolve("mail"))) {
        for (var local : disk.list(data.resolve("mail").resolve(domain))) {
          if (!local.endsWith(".index")
              && !local.endsWith(".lock")
              && !local.endsWith(".rewrite")
              && !local.endsWith(".incoming")) {
            names.add(domain + "/" + local);
          }
        }
      }
    }
    long messages = 0;
    long octets = 0;
    for (var name : names) {
      var extent = document(name, journal.getOrDefault(name, List.of()));
      octets += extent.octets;
      messages += extent.messages;
      progress.accept(new Extent(++done, messages, octets));
    }
    if (wanted == null) {
      for (var document : journal.keySet()) {
        if (!names.contains(document)) {
          // Its file was never made, or a create waits for the next start.
          try (var content = content(document, journal.getOrDefault(document, List.of()))) {
            new Document("mail/" + document, content).check();
          }
        }
      }
      for (var rest : disk.list(data.resolve("unapplied"))) {
        note("unapplied/" + rest, -1, "text that had no document to go to when the server started");
      }
    }
    return new Extent(names.size(), messages, octets);
  }

  /// Checks one document that is settled, so that the journal has nothing for it any more: how a
  /// running server checks.
  ///
  /// @throws IOException when it cannot be read
  ///
  /// @param known the store's own catalogue, which no other may open meanwhile; null when there is
  ///   none
  public Extent checkSettled(String name, @Nullable Catalogue known) throws IOException {
    catalogue = known;
    return document(name, List.of());
  }

  private Extent document(String name, List<JournalReader.Put> puts) throws IOException {
    try (var content = content(name, puts)) {
      var document = new Document("mail/" + name, content);
      long messages = document.check();
      // What the journal still has will change the document, and so the index will not be believed.
      if (puts.isEmpty() && catalogue != null) {
        var known =
            new IndexReader(disk, catalogue)
                .read(data.resolve("mail").resolve(name), name, document.token);
        if (known != null) {
          compare(name, document.rows, known);
        }
      }
      return new Extent(1, messages, content.length());
    }
  }

  /// Says where the caches are not what the document is.
  private void compare(String name, Map<Long, IndexReader.Row> document, IndexReader.Known known) {
    long octets = 0;
    for (var row : document.values()) {
      octets += row.size();
    }
    if (known.messages() != document.size() || known.octets() != octets) {
      damage(
          "catalogue",
          -1,
          name
              + " has "
              + document.size()
              + " messages of "
              + octets
              + " octets, in the catalogue "
              + known.messages()
              + " of "
              + known.octets());
    }
    var index = known.rows();
    if (index == null) {
      return;
    }
    var where = "mail/" + name + ".index";
    for (var row : document.entrySet()) {
      var other = index.get(row.getKey());
      if (other == null && row.getValue().offset() < known.rowsEnd()) {
        damage(where, -1, "the index lacks id " + row.getKey());
      } else if (other != null && !other.equals(row.getValue())) {
        damage(
            where,
            -1,
            "id "
                + row.getKey()
                + " is in the index as "
                + other
                + ", in the document as "
                + row.getValue());
      }
    }
    for (var id : index.keySet()) {
      if (!document.containsKey(id)) {
        damage(where, -1, "the index has id " + id + ", which the document has not");
      }
    }
  }

  private void damage(String where, long offset, String text) {
    find(new Finding(Finding.Severity.DAMAGE, where, offset, text));
  }

  private void note(String where, long offset, String text) {
    find(new Finding(Finding.Severity.NOTE, where, offset, text));
  }

  /// Tells the first findings of a file: a document without its account entry has one for each
  /// message.
  private void find(Finding finding) {
    int told = tellings.merge(finding.where(), 1, Integer::sum);
    if (told < FINDINGS_MAX) {
      findings.accept(finding);
    } else if (told == FINDINGS_MAX) {
      findings.accept(
          new Finding(
              finding.severity(),
              finding.where(),
              finding.offset(),
              "and more, from here on untold"));
    }
  }

  private Contents content(String name, List<JournalReader.Put> puts) throws IOException {
    var path = data.resolve("mail").resolve(name);
    var file = disk.exists(path) ? disk.open(path, Disk.Mode.READ) : null;
    boolean open = false;
    try {
      var content = new Contents(file, windowOctets);
      long generation = generation(content);
      var mine = new ArrayList<Map.Entry<Long, byte[]>>();
      for (var put : puts) {
        if (put.generation() == generation || (generation == 0 && put.generation() == 1)) {
          mine.add(Map.entry(put.offset(), put.octets()));
        }
      }
      content.overlay(mine);
      open = true;
      return content;
    } finally {
      if (!open && file != null) {
        file.close();
      }
    }
  }

  private static long generation(Contents file) throws IOException {
    var from = file.line(0, 2048);
    var line = from == null ? null : file.line(from.length + 1, 256);
    var fields = line == null ? null : fields(line);
    return fields == null ? 0 : number(fields.get(3));
  }

  /// The fields of an X-Longhand line whose check is right, from `X-Longhand:` on; null for another
  /// line.
  private static @Nullable List<String> fields(byte[] line) {
    var text = new String(line, StandardCharsets.ISO_8859_1);
    var fields = List.of(text.split(" ", -1));
    if (fields.size() != 12 || !fields.getFirst().equals("X-Longhand:")) {
      return null;
    }
    return hex(line, 0, line.length - 8).equals(fields.get(11)) ? fields : null;
  }

  private static String hex(byte[] octets, int offset, int length) {
    var crc = new CRC32C();
    crc.update(octets, offset, length);
    return hex((int) crc.getValue());
  }

  private static String hex(int crc) {
    return String.format(Locale.ROOT, "%08x", crc);
  }

  private static long number(String digits) {
    long value = 0;
    for (int i = 0; i < digits.length(); i++) {
      int digit = Character.digit(digits.charAt(i), 10);
      if (digit < 0 || i > 17) {
        return -1;
      }
      value = value * 10 + digit;
    }
    return digits.isEmpty() ? -1 : value;
  }

  /// One document being gone through.
  private final class Document {
    private final String where;
    private final Contents content;
    private String token = "";
    private final Map<Long, String> mailboxes = new HashMap<>();
    private final Set<String> uids = new HashSet<>();
    private final Set<String> ids = new HashSet<>();
    private final Map<Long, IndexReader.Row> rows = new HashMap<>();

    Document(String where, Contents content) {
      this.where = where;
      this.content = content;
    }

    /// Goes through it; the live messages.
    long check() throws IOException {
      if (content.length() == 0) {
        damage(where, 0, "the document is empty");
        return 0;
      }
      long at = accountEntry();
      long live = 0;
      while (at >= 0 && at < content.length()) {
        long next = entry(at);
        if (next < 0) {
          next = resume(at);
        } else if (next > at && isLive(at)) {
          live++;
        }
        at = next;
      }
      return live;
    }

    private boolean isLive(long at) throws IOException {
      var from = content.line(at, 2048);
      var line = from == null ? null : content.line(at + from.length + 1, 256);
      var fields = line == null ? null : fields(line);
      return fields != null && fields.get(9).startsWith("L");
    }

    /// After something that is not an entry: the next place that looks like one.
    private long resume(long at) throws IOException {
      for (long i = at + 1; i + 5 < content.length(); i++) {
        if (content.at(i) == 'F'
            && content.at(i - 1) == '\n'
            && content.starts(i, "From ")
            && (i < 2 || content.at(i - 2) == '\n')) {
          return i;
        }
      }
      return content.length();
    }

    private long accountEntry() throws IOException {
      var from = content.line(0, 2048);
      var line = from == null ? null : content.line(from.length + 1, 256);
      var fields = line == null ? null : fields(line);
      if (from == null || line == null || fields == null || !fields.get(9).equals("A-")) {
        damage(where, 0, "expected an account entry, whose X-Longhand line passes its check");
        return resume(0);
      }
      fromLine(0, from, number(fields.get(5)));
      token = fields.get(1);
      long text = from.length + 1L + line.length + 1;
      long length = number(fields.get(6));
      if (text + length + 1 > content.length() || content.at(text + length) != '\n') {
        damage(
            where, text, "the account entry of " + length + " octets does not end where it should");
        return resume(text);
      }
      table(text, length);
      return text + length + 1;
    }

    /// A document of another account in this one's place was moved here, or mixed up.
    private void owner(long at, String name) {
      var address = decoded(name);
      int host = Math.max(0, address.lastIndexOf('@'));
      int file = where.lastIndexOf('/');
      var local = decoded(where.substring(file + 1));
      var domain = decoded(where.substring(where.lastIndexOf('/', file - 1) + 1, file));
      if (!(address.substring(0, host).toLowerCase(Locale.ROOT) + address.substring(host))
          .equals(local + "@" + domain)) {
        note(where, at, "the account entry names another account: " + name);
      }
    }

    /// Text in which `%` and two hexadecimal digits stand for an octet.
    private String decoded(String text) {
      var octets = new ByteArrayOutputStream();
      var encoded = text.getBytes(StandardCharsets.UTF_8);
      for (int i = 0; i < encoded.length; i++) {
        int high = i + 2 < encoded.length ? Character.digit(encoded[i + 1], 16) : -1;
        int low = i + 2 < encoded.length ? Character.digit(encoded[i + 2], 16) : -1;
        if (encoded[i] == '%' && high >= 0 && low >= 0) {
          octets.write(high * 16 + low);
          i += 2;
        } else {
          octets.write(encoded[i]);
        }
      }
      return octets.toString(StandardCharsets.UTF_8);
    }

    private void table(long text, long length) throws IOException {
      long at = text;
      boolean rows = false;
      boolean header = true;
      while (at < text + length) {
        var line = content.line(at, length + 1);
        if (line == null) {
          break;
        }
        var words = new String(line, StandardCharsets.UTF_8).split(" ", -1);
        if (!rows && words[0].equals("account") && words.length > 1) {
          rows = true;
          owner(at, words[1]);
        }
        if (rows) {
          if (line.length < 9 || !hex(line, 0, line.length - 9).equals(words[words.length - 1])) {
            damage(where, at, "a row of the account entry's table fails its check");
          } else if (words[0].equals("mailbox")) {
            mailboxes.put(number(words[1]), words[13]);
          } else if (words[0].equals("end")) {
            padding(at + line.length + 1, text + length);
            if (mailboxes.isEmpty()) {
              damage(where, at, "the table names no mailbox");
            }
            return;
          }
        } else if (header) {
          header = line.length > 0;
          if (header && !printable(line)) {
            damage(where, at, "the account entry's header is not text");
          }
        }
        at += line.length + 1;
      }
      damage(where, text, "the account entry's table has no end");
    }

    private void padding(long from, long to) throws IOException {
      for (long i = from; i < to; i++) {
        if (content.at(i) != ' ' && content.at(i) != '\n') {
          damage(where, i, "octets behind the account entry's table, where only padding belongs");
          return;
        }
      }
    }

    private static boolean printable(byte[] line) {
      for (byte octet : line) {
        if (octet >= 0 && octet < ' ') {
          return false;
        }
      }
      return true;
    }

    private void fromLine(long at, byte[] from, long saved) {
      var text = new String(from, StandardCharsets.ISO_8859_1);
      int date = text.length() - 24;
      if (!text.startsWith("From ") || date < 6 || text.charAt(date - 1) != ' ') {
        damage(where, at, "expected a From line with a date of 24 characters");
        return;
      }
      var expected =
          java.time.format.DateTimeFormatter.ofPattern("EEE MMM dd HH:mm:ss yyyy", Locale.ROOT)
              .format(java.time.Instant.ofEpochSecond(saved).atOffset(java.time.ZoneOffset.UTC));
      if (!text.substring(date).equals(expected)) {
        note(where, at, "the From line's date is not that of the ledger, " + expected);
      }
    }

    /// Checks the entry at an offset; where the next begins, or -1 when this is none of ours.
    private long entry(long at) throws IOException {
      var from = content.line(at, 2048);
      if (from == null || !content.starts(at, "From ")) {
        damage(where, at, "expected a From line");
        return -1;
      }
      long ledger = at + from.length + 1;
      var line = content.line(ledger, 256);
      if (line == null || !content.starts(ledger, "X-Longhand: ")) {
        note(
            where,
            at,
            "a message without a ledger: it will be taken in when the account is opened");
        return -1;
      }
      var fields = fields(line);
      if (fields == null) {
        damage(where, ledger, "the X-Longhand line fails its check");
        return -1;
      }
      if (!fields.get(1).equals(token)) {
        damage(where, ledger, "a ledger of another document, " + fields.get(1));
        return -1;
      }
      fromLine(at, from, number(fields.get(5)));
      long marks = ledger + line.length + 1;
      long text = marks;
      var lines = new ArrayList<String>();
      for (int i = 0; i < 4; i++) {
        var mark = content.line(text, 1 << 17);
        if (mark == null) {
          damage(where, text, "the document ends within a ledger");
          return content.length();
        }
        lines.add(new String(mark, StandardCharsets.UTF_8));
        text += mark.length + 1;
      }
      boolean layout =
          lines.get(0).startsWith("Status: ")
              && lines.get(1).startsWith("X-Status: ")
              && lines.get(2).startsWith("X-Keywords: ")
              && lines.get(3).startsWith("X-Mailbox: ");
      if (!layout) {
        note(where, marks, "another program has moved the lines of this ledger");
        return -1;
      }
      if (!hex(content.crc(marks, text - marks)).equals(fields.get(10))) {
        note(where, marks, "another program has changed the marks, or they are damaged");
      }
      identity(at, fields, lines);
      return text(at, text, fields);
    }

    private void identity(long at, List<String> fields, List<String> lines) {
      var words = lines.get(3).substring("X-Mailbox: ".length()).split(" ", -1);
      long mailbox = number(words[0]);
      if (!fields.get(9).startsWith("L")) {
        return;
      }
      if (!mailboxes.containsKey(mailbox)) {
        note(where, at, "lies in mailbox " + words[0] + ", which has been removed");
        return;
      }
      rows.put(number(fields.get(2)), row(at, fields, lines, mailbox));
      if (!ids.add(fields.get(2))) {
        damage(where, at, "a second live entry of id " + fields.get(2));
      }
      if (!uids.add(mailbox + " " + fields.get(3))) {
        damage(where, at, "a second live entry of UID " + fields.get(3) + " in mailbox " + mailbox);
      }
    }

    private static IndexReader.Row row(
        long at, List<String> fields, List<String> lines, long mailbox) {
      var flags = new StringBuilder();
      flags.append(lines.get(0).indexOf('R', 8) >= 0 ? "R" : "");
      for (var letter : List.of("A", "F", "D", "T")) {
        flags.append(lines.get(1).indexOf(letter, 10) >= 0 ? letter : "");
      }
      var keywords = new TreeSet<>(List.of(lines.get(2).substring(12).split(" ", -1)));
      keywords.remove("");
      return new IndexReader.Row(
          mailbox,
          number(fields.get(3)),
          number(fields.get(4)),
          number(fields.get(5)),
          number(fields.get(6)),
          number(fields.get(7)),
          fields.get(8),
          flags.toString(),
          keywords,
          at);
    }

    private long text(long at, long text, List<String> fields) throws IOException {
      long length = number(fields.get(6));
      if (text + length + 1 > content.length()) {
        damage(
            where,
            at,
            "the document ends within a text of "
                + length
                + " octets, "
                + (text + length + 1 - content.length())
                + " early");
        return content.length();
      }
      long end = text + length;
      if (!hex(content.crc(text, length)).equals(fields.get(8))) {
        damage(where, text, "the text of id " + fields.get(2) + " fails its check");
      }
      boolean quoted = fields.get(9).endsWith("q");
      long wire = wireOctets(text, end, quoted);
      if (wire != number(fields.get(7))) {
        damage(
            where,
            at,
            "id "
                + fields.get(2)
                + " is "
                + wire
                + " octets on the wire, the ledger says "
                + fields.get(7));
      }
      boolean ends = length > 0 && content.at(end - 1) == '\n';
      long next = ends ? end + 1 : end + 2;
      if (next > content.length()
          || content.at(next - 1) != '\n'
          || (!ends && content.at(end) != '\n')) {
        damage(where, end, "the empty line at the end of an entry is missing");
        return -1;
      }
      return next;
    }

    /// Octets of a text on the wire: a CR more for each LF, the quotes less.
    private long wireOctets(long text, long end, boolean quoted) throws IOException {
      long octets = end - text;
      boolean header = true;
      long lineStart = text;
      for (long i = text; i <= end; i++) {
        boolean lineFeed = i < end && content.at(i) == '\n';
        if (lineFeed) {
          octets++;
        }
        boolean cr = header && i < end && content.at(i) == '\r';
        if (lineFeed || cr || i == end) {
          int quote = quote(lineStart, i, header);
          if (quote > 0) {
            octets -= quote;
            if (!quoted) {
              damage(where, lineStart, "a quoted line in an entry that says it has none");
            }
          }
          if (lineFeed && i == lineStart && header && (i == text || content.at(i - 1) == '\n')) {
            header = false;
          }
          lineStart = i + 1;
        }
      }
      return octets;
    }

    /// Octets of the quote on a line, 0 when there is none.
    private int quote(long start, long end, boolean header) throws IOException {
      long at = start;
      while (at < end && content.at(at) == '>') {
        at++;
      }
      if (at > start) {
        return content.starts(at, "From ") && at + 5 <= end + 1 ? 1 : 0;
      }
      if (!header) {
        return 0;
      }
      int units = 0;
      while (end - at >= 9
          && new String(content.octets(at, at + 9), StandardCharsets.ISO_8859_1)
              .equalsIgnoreCase("X-Quoted-")) {
        at += 9;
        units++;
      }
      if (units == 0) {
        return 0;
      }
      long name = at;
      while (name < end
          && name - at <= NAME_MAX
          && content.at(name) != ':'
          && content.at(name) != ' '
          && content.at(name) != '\t') {
        name++;
      }
      var word =
          new String(content.octets(at, name), StandardCharsets.ISO_8859_1)
              .toLowerCase(Locale.ROOT);
      return name < end && QUOTED.contains(word) ? 9 : 0;
    }
  }
}
