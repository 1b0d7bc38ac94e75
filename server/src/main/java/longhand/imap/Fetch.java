package longhand.imap;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger.Level;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import longhand.message.Header;
import longhand.message.HeaderField;
import longhand.message.Part;
import longhand.store.Account;
import longhand.store.Entry;
import longhand.store.Flag;
import longhand.store.Marks;
import org.jspecify.annotations.Nullable;

/// FETCH (RFC 3501 §6.4.5). One response for each message, written as it is made; bodies stream.
///
/// Everything that can fail is read before a message's response begins; a body that breaks off in
/// the middle of its literal can only end the connection.
final class Fetch {

  private static final System.Logger LOG = System.getLogger(Fetch.class.getName());

  /// How many messages are marked seen at once, ahead of being sent.
  private static final int SEEN_BATCH = 256;

  private static final int CHUNK = 16 * 1024;
  private static final String MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";

  private final ImapSession.State.Selected selected;
  private final Response out;
  private final List<FetchItem> items;
  private final boolean setsSeen;
  private final boolean tellsFlags;
  private final Map<Long, Marks> told = new HashMap<>();
  private int missing;
  private boolean damaged;
  private byte @Nullable [] chunk;

  Fetch(ImapSession.State.Selected selected, Response out, Command.Fetch command) {
    this.selected = selected;
    this.out = out;
    var wanted = new ArrayList<FetchItem>();
    if (command.uid() && !command.items().contains(FetchItem.Attribute.UID)) {
      wanted.add(FetchItem.Attribute.UID);
    }
    wanted.addAll(command.items());
    this.items = wanted;
    this.setsSeen =
        selected.readWrite()
            && items.stream()
                .anyMatch(item -> item instanceof FetchItem.Section section && !section.peek());
    this.tellsFlags = items.contains(FetchItem.Attribute.FLAGS);
  }

  /// How many messages could not be shown.
  int missing() {
    return missing;
  }

  /// Whether one of them was not expunged but cannot be read.
  boolean damaged() {
    return damaged;
  }

  /// Whether an entry's marks, as they are now, were told though nobody asked for them.
  boolean told(Entry entry) {
    var marks = told.get(entry.uid());
    return marks != null && marks.equals(entry.marks());
  }

  /// Writes the responses of these messages.
  void run(List<Entry> entries) throws IOException {
    for (int i = 0; i < entries.size(); i++) {
      if (setsSeen && i % SEEN_BATCH == 0) {
        markSeen(entries.subList(i, Math.min(entries.size(), i + SEEN_BATCH)));
      }
      fetch(entries.get(i));
    }
  }

  private void markSeen(List<Entry> entries) throws IOException {
    var unseen = new ArrayList<Entry>();
    for (var entry : entries) {
      if (!entry.marks().has(Flag.SEEN) && !entry.expunged()) {
        unseen.add(entry);
      }
    }
    if (unseen.isEmpty()) {
      return;
    }
    var marked = selected.account().mark(unseen, Account.Change.ADD, Marks.of(Flag.SEEN));
    for (var entry : marked.entries()) {
      told.put(entry.uid(), entry.marks());
    }
  }

  private void fetch(Entry entry) throws IOException {
    try (var content = new MessageContent(selected.account(), entry)) {
      var prepared = new ArrayList<Prepared>(items.size());
      try {
        for (var item : items) {
          prepared.add(prepare(item, content, entry));
        }
      } catch (ConnectionLost e) {
        throw e;
      } catch (IOException e) {
        missing++;
        if (!entry.expunged()) {
          damaged = true;
          LOG.log(Level.ERROR, "cannot read message " + entry.id(), e);
        }
        return;
      }
      write(entry, prepared, content);
    }
  }

  /// What is to be written for one item, known to be readable.
  private sealed interface Prepared {
    record Plain(FetchItem.Attribute attribute) implements Prepared {}

    record Ready(String name, byte[] octets) implements Prepared {}

    /// `NIL`: the section names no part.
    record None(String label) implements Prepared {}

    record Octets(String label, byte[] octets, int from, int to) implements Prepared {}

    record Range(String label, long from, long to) implements Prepared {}
  }

  private Prepared prepare(FetchItem item, MessageContent content, Entry entry) throws IOException {
    return switch (item) {
      case FetchItem.Attribute attribute ->
          switch (attribute) {
            case ENVELOPE -> new Prepared.Ready("ENVELOPE ", content.summary().envelope());
            case BODY -> new Prepared.Ready("BODY ", content.summary().body());
            case BODYSTRUCTURE ->
                new Prepared.Ready("BODYSTRUCTURE ", content.summary().bodyStructure());
            case FLAGS, INTERNALDATE, SIZE, UID -> new Prepared.Plain(attribute);
          };
      case FetchItem.Section section -> section(section, content, entry);
    };
  }

  private static Prepared section(FetchItem.Section section, MessageContent content, Entry entry)
      throws IOException {
    if (section.isHeaderOnly() && section.piece() != FetchItem.Piece.HEADER) {
      return octets(section, fields(section, content.header()));
    }
    if (section.path().length == 0) {
      return switch (section.piece()) {
        case ALL -> range(section, 0, entry.sizeOctets());
        case HEADER -> {
          var header = content.header();
          yield header.length < Header.OCTETS_MAX
              ? octets(section, header)
              : range(section, 0, content.summary().root().bodyStart());
        }
        case TEXT -> range(section, content.summary().root().bodyStart(), entry.sizeOctets());
        case HEADER_FIELDS, HEADER_FIELDS_NOT, MIME -> new Prepared.None(section.label());
      };
    }
    var summary = content.summary();
    int index = summary.part(section.path());
    if (index < 0) {
      return new Prepared.None(section.label());
    }
    var part = summary.parts().get(index);
    if (section.piece() == FetchItem.Piece.ALL) {
      return range(section, part.bodyStart(), part.end());
    }
    if (section.piece() == FetchItem.Piece.MIME) {
      return range(section, part.headerStart(), part.bodyStart());
    }
    if (part.kind() != Part.Kind.MESSAGE || index + 1 == summary.parts().size()) {
      return new Prepared.None(section.label());
    }
    var message = summary.parts().get(index + 1);
    return switch (section.piece()) {
      case HEADER -> range(section, message.headerStart(), message.bodyStart());
      case TEXT -> range(section, message.bodyStart(), message.end());
      case HEADER_FIELDS, HEADER_FIELDS_NOT -> {
        try (var in = content.open(message.headerStart(), message.bodyStart())) {
          yield octets(section, fields(section, in.readNBytes(Header.OCTETS_MAX)));
        }
      }
      case ALL, MIME -> new Prepared.None(section.label());
    };
  }

  /// The fields that are asked for, as they stand, and an empty line (RFC 3501 §6.4.5).
  private static byte[] fields(FetchItem.Section section, byte[] header) {
    boolean not = section.piece() == FetchItem.Piece.HEADER_FIELDS_NOT;
    var chosen = new ByteArrayOutputStream();
    for (var field : Header.of(header).fields()) {
      if (isAmong(field, section.fields()) != not) {
        chosen.write(header, field.start(), field.end() - field.start());
      }
    }
    chosen.write('\r');
    chosen.write('\n');
    return chosen.toByteArray();
  }

  private static boolean isAmong(HeaderField field, List<String> names) {
    for (var name : names) {
      if (field.is(name)) {
        return true;
      }
    }
    return false;
  }

  private static Prepared octets(FetchItem.Section section, byte[] octets) {
    long from = Math.min(Math.max(0, section.origin()), octets.length);
    long to = from + Math.min(section.octetsMax(), octets.length - from);
    return new Prepared.Octets(label(section), octets, (int) from, (int) to);
  }

  private static Prepared range(FetchItem.Section section, long start, long end) {
    long from = start + Math.min(Math.max(0, section.origin()), end - start);
    long to = from + Math.min(section.octetsMax(), end - from);
    return new Prepared.Range(label(section), from, to);
  }

  private static String label(FetchItem.Section section) {
    return section.origin() < 0 ? section.label() : section.label() + "<" + section.origin() + ">";
  }

  private void write(Entry entry, List<Prepared> prepared, MessageContent content)
      throws IOException {
    // The first long body is opened here, so that a message that is gone is noticed in time.
    InputStream first = null;
    try {
      for (var item : prepared) {
        if (first == null && item instanceof Prepared.Range(_, var from, var to) && from < to) {
          first = content.open(from, to);
        }
      }
    } catch (IOException e) {
      missing++;
      damaged |= !entry.expunged();
      return;
    }
    try {
      response(entry, prepared, content, first);
    } finally {
      if (first != null) {
        first.close();
      }
    }
  }

  private void response(
      Entry entry, List<Prepared> prepared, MessageContent content, @Nullable InputStream first)
      throws ConnectionLost {
    var marks = entry.marks();
    ImapSession.announceKeywords(out, selected, marks);
    out.text("* ").number(selected.view().sequenceOf(entry.uid())).text(" FETCH (");
    var opened = first;
    var separator = "";
    for (var item : prepared) {
      out.text(separator);
      separator = " ";
      switch (item) {
        case Prepared.Plain(var attribute) -> attribute(attribute, entry, marks);
        case Prepared.Ready(var name, var octets) -> out.text(name).octets(octets);
        case Prepared.None(var label) -> out.text(label).text(" NIL");
        case Prepared.Octets(var label, var octets, var from, var to) -> {
          out.text(label).text(" {").number(to - from).line("}");
          copy(new ByteArrayInputStream(octets, from, to - from), to - from);
        }
        case Prepared.Range(var label, var from, var to) -> {
          out.text(label).text(" {").number(to - from).line("}");
          if (from < to) {
            copy(opened, content, from, to);
            opened = null;
          }
        }
      }
    }
    if (!tellsFlags && told.containsKey(entry.uid())) {
      out.octet(' ');
      ImapSession.flags(out, marks, selected.view().recent(entry));
    }
    if (told.containsKey(entry.uid())) {
      told.put(entry.uid(), marks);
    }
    out.line(")");
  }

  private void copy(@Nullable InputStream opened, MessageContent content, long from, long to)
      throws ConnectionLost {
    if (opened != null) {
      copy(opened, to - from);
      return;
    }
    try (var in = content.open(from, to)) {
      copy(in, to - from);
    } catch (ConnectionLost e) {
      throw e;
    } catch (IOException e) {
      throw new ConnectionLost(e); // within a literal nothing can be said
    }
  }

  private void copy(InputStream in, long octets) throws ConnectionLost {
    if (chunk == null) {
      chunk = new byte[CHUNK];
    }
    for (long left = octets; left > 0; ) {
      int n;
      try {
        n = in.read(chunk, 0, (int) Math.min(left, chunk.length));
      } catch (IOException e) {
        throw new ConnectionLost(e); // within a literal nothing can be said
      }
      if (n < 0) {
        throw new ConnectionLost(new IOException("a message shorter than it was"));
      }
      out.octets(chunk, 0, n);
      left -= n;
    }
  }

  private void attribute(FetchItem.Attribute attribute, Entry entry, Marks marks)
      throws ConnectionLost {
    switch (attribute) {
      case FLAGS -> ImapSession.flags(out, marks, selected.view().recent(entry));
      case INTERNALDATE -> {
        out.text("INTERNALDATE \"");
        date(entry.saved());
        out.octet('"');
      }
      case SIZE -> out.text("RFC822.SIZE ").number(entry.sizeOctets());
      case UID -> out.text("UID ").number(entry.uid());
      case ENVELOPE, BODY, BODYSTRUCTURE -> {} // prepared with their octets
    }
  }

  /// `date-time` in UTC, as in `" 1-Feb-2026 04:00:00 +0000"`.
  private void date(Instant saved) throws ConnectionLost {
    var time = saved.atOffset(ZoneOffset.UTC);
    int day = time.getDayOfMonth();
    out.octet((char) (day < 10 ? ' ' : '0' + day / 10)).octet((char) ('0' + day % 10));
    int month = (time.getMonthValue() - 1) * 3;
    out.octet('-').text(MONTHS.substring(month, month + 3)).octet('-').number(time.getYear());
    out.octet(' ');
    twoDigits(time.getHour());
    out.octet(':');
    twoDigits(time.getMinute());
    out.octet(':');
    twoDigits(time.getSecond());
    out.text(" +0000");
  }

  private void twoDigits(int number) throws ConnectionLost {
    out.octet((char) ('0' + number / 10)).octet((char) ('0' + number % 10));
  }
}
