package longhand.imap;

import java.io.IOException;
import java.time.Instant;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import longhand.message.EncodedWords;
import longhand.message.Header;
import longhand.message.Part;
import longhand.message.PartText;
import longhand.message.SentDay;
import longhand.store.Entry;
import longhand.store.Flag;

/// SEARCH (RFC 3501 §6.4.4). The program is in postfix order, so that nothing recurses on its
/// nesting. Each message is tried in up to three passes, dearer ones only if the answer is still
/// open: what is known of the entry, what its header says (as far as the summary has it, without
/// reading the message), what its body says. Until a key is tried its value is unknown, and NOT, OR
/// and AND reckon with that.
final class Search {

  private static final byte FALSE = 0;
  private static final byte TRUE = 1;
  private static final byte UNKNOWN = 2;

  private static final int SECONDS_A_DAY = 86_400;

  /// How many messages are tried in one turn before others may have theirs.
  private static final int TURN = 64;

  /// Largest message whose summary is made for a search, in octets.
  private static final int SUMMARY_MAX = 64 * 1024;

  private enum Pass {
    ENTRY,
    HEADER,
    BODY
  }

  private final ImapServices services;
  private final ImapSession.State.Selected selected;
  private final Response out;
  private final Map<SearchKey, BitSet> sets = new HashMap<>();

  Search(ImapServices services, ImapSession.State.Selected selected, Response out) {
    this.services = services;
    this.selected = selected;
    this.out = out;
  }

  /// Writes the untagged SEARCH response.
  void run(Command.Search command) throws IOException {
    var view = selected.view();
    for (var key : command.program()) {
      if (key instanceof SearchKey.Numbers(var set)) {
        sets.put(key, set.sequences(view));
      } else if (key instanceof SearchKey.Uids(var set)) {
        sets.put(key, set.uids(view));
      }
    }
    var program = new Program(command.program());
    boolean reads = program.reads();
    var found = new BitSet(view.count() + 1);
    for (int from = 1; from <= view.count(); from += TURN) {
      int to = Math.min(view.count(), from + TURN - 1);
      if (reads) {
        services.searches().acquireUninterruptibly();
      }
      try {
        for (int i = from; i <= to; i++) {
          if (program.matches(i, view.at(i))) {
            found.set(i);
          }
        }
      } finally {
        if (reads) {
          services.searches().release();
        }
      }
    }
    out.text("* SEARCH");
    for (int i = found.nextSetBit(0); i >= 0; i = found.nextSetBit(i + 1)) {
      out.octet(' ').number(command.uid() ? view.at(i).uid() : i);
    }
    out.end();
  }

  /// The program at work on one message after another.
  private final class Program {

    private final List<SearchKey> keys;

    /// What each key has yielded for the message at hand.
    private final byte[] values;

    private final byte[] stack;

    Program(List<SearchKey> keys) {
      this.keys = keys;
      this.values = new byte[keys.size()];
      this.stack = new byte[keys.size() + 1];
    }

    boolean reads() {
      return keys.stream().anyMatch(key -> pass(key) != Pass.ENTRY);
    }

    boolean matches(int sequence, Entry entry) throws IOException {
      java.util.Arrays.fill(values, UNKNOWN);
      try (var content = new MessageContent(selected.account(), entry)) {
        for (var pass : Pass.values()) {
          byte result = evaluate(pass, sequence, entry, content);
          if (result != UNKNOWN) {
            return result == TRUE;
          }
        }
        return false;
      } catch (IOException e) {
        if (entry.expunged()) {
          return false; // another session expunged it: it matches nothing
        }
        throw e;
      }
    }

    private byte evaluate(Pass pass, int sequence, Entry entry, MessageContent content)
        throws IOException {
      int top = 0;
      for (int i = 0; i < keys.size(); i++) {
        var key = keys.get(i);
        switch (key) {
          case SearchKey.Not _ -> stack[top - 1] = not(stack[top - 1]);
          case SearchKey.Or _ -> {
            top--;
            stack[top - 1] = or(stack[top - 1], stack[top]);
          }
          case SearchKey.And(var count) -> {
            byte all = TRUE;
            for (int k = 0; k < count; k++) {
              all = and(all, stack[--top]);
            }
            stack[top++] = all;
          }
          default -> {
            if (values[i] == UNKNOWN && pass(key) == pass) {
              values[i] = test(key, sequence, entry, content) ? TRUE : FALSE;
            }
            stack[top++] = values[i];
          }
        }
      }
      return stack[0];
    }
  }

  private static byte not(byte value) {
    return value == UNKNOWN ? UNKNOWN : value == TRUE ? FALSE : TRUE;
  }

  private static byte or(byte a, byte b) {
    return a == TRUE || b == TRUE ? TRUE : a == FALSE && b == FALSE ? FALSE : UNKNOWN;
  }

  private static byte and(byte a, byte b) {
    return a == FALSE || b == FALSE ? FALSE : a == TRUE && b == TRUE ? TRUE : UNKNOWN;
  }

  private static Pass pass(SearchKey key) {
    return switch (key) {
      case SearchKey.Field _, SearchKey.Sent _ -> Pass.HEADER;
      case SearchKey.Text _ -> Pass.BODY;
      case SearchKey.All _,
          SearchKey.Flagged _,
          SearchKey.Keyword _,
          SearchKey.Recent _,
          SearchKey.New _,
          SearchKey.Larger _,
          SearchKey.Smaller _,
          SearchKey.Saved _,
          SearchKey.Numbers _,
          SearchKey.Uids _,
          SearchKey.Not _,
          SearchKey.Or _,
          SearchKey.And _ ->
          Pass.ENTRY;
    };
  }

  private boolean test(SearchKey key, int sequence, Entry entry, MessageContent content)
      throws IOException {
    return switch (key) {
      case SearchKey.All _ -> true;
      case SearchKey.Flagged(var flag, var wanted) -> entry.marks().has(flag) == wanted;
      case SearchKey.Keyword(var keyword, var wanted) -> entry.marks().has(keyword) == wanted;
      case SearchKey.Recent(var wanted) -> selected.view().recent(entry) == wanted;
      case SearchKey.New _ -> selected.view().recent(entry) && !entry.marks().has(Flag.SEEN);
      case SearchKey.Larger(var octets) -> entry.sizeOctets() > octets;
      case SearchKey.Smaller(var octets) -> entry.sizeOctets() < octets;
      case SearchKey.Saved(var from, var to) -> within(day(entry.saved()), from, to);
      case SearchKey.Numbers _, SearchKey.Uids _ -> {
        var set = sets.get(key);
        yield set != null && set.get(sequence);
      }
      case SearchKey.Sent(var from, var to) -> {
        int day = small(entry) ? content.summary().sentDay() : sentDay(content);
        yield day != SentDay.NONE && within(day, from, to);
      }
      case SearchKey.Field(var name, var needle) ->
          small(entry) ? inSummary(name, needle, content) : inFields(name, needle, content);
      case SearchKey.Text(var needle, var header) -> inText(needle, header, content);
      case SearchKey.Not _, SearchKey.Or _, SearchKey.And _ -> false; // combined elsewhere
    };
  }

  /// Days are those of UTC, in which INTERNALDATE is told too.
  private static long day(Instant saved) {
    return Math.floorDiv(saved.getEpochSecond(), SECONDS_A_DAY);
  }

  private static boolean within(long day, long from, long to) {
    return day >= from && day < to;
  }

  /// Whether the summary is asked for what it may hold of the header. The first time a summary is
  /// made of the whole message, which for a large one costs more than to read its header each time.
  private static boolean small(Entry entry) {
    return entry.sizeOctets() <= SUMMARY_MAX;
  }

  private static int sentDay(MessageContent content) throws IOException {
    var date = Header.of(content.header()).first("Date");
    return date.isEmpty() ? SentDay.NONE : SentDay.of(date.get().value());
  }

  /// As `inFields`, from the summary if that holds the fields of that name.
  private static boolean inSummary(String name, Needle needle, MessageContent content)
      throws IOException {
    var values = content.summary().searched().values(name);
    if (values.isEmpty()) {
      return inFields(name, needle, content);
    }
    for (var value : values.get()) {
      if (needle.isEmpty() || needle.isIn(decoded(value))) {
        return true;
      }
    }
    return false;
  }

  private static boolean inFields(String name, Needle needle, MessageContent content)
      throws IOException {
    for (var field : Header.of(content.header()).fields()) {
      if (field.is(name) && (needle.isEmpty() || needle.isIn(decoded(field.value())))) {
        return true;
      }
    }
    return false;
  }

  private static String decoded(byte[] value) {
    return EncodedWords.decode(value);
  }

  private static boolean inText(Needle needle, boolean header, MessageContent content)
      throws IOException {
    if (needle.isEmpty() || (header && inHeader(needle, content.header()))) {
      return true;
    }
    var parts = content.summary().parts();
    try (var forward = content.forward()) {
      for (int i = 0; i < parts.size(); i++) {
        var part = parts.get(i);
        var partHeader =
            forward.slice(part.headerStart(), part.bodyStart()).readNBytes(Header.OCTETS_MAX);
        if (i > 0 && inHeader(needle, partHeader)) {
          return true;
        }
        if (part.kind() == Part.Kind.LEAF && part.bodyStart() < part.end()) {
          var body = forward.slice(part.bodyStart(), part.end());
          var text = PartText.of(Header.of(partHeader), body);
          if (text.isPresent() && needle.isIn(text.get())) {
            return true;
          }
        }
      }
    }
    return false;
  }

  /// Whether a header holds a text, as its reader sees it: fields unfolded and decoded.
  private static boolean inHeader(Needle needle, byte[] header) {
    for (var field : Header.of(header).fields()) {
      if (needle.isIn(field.name() + ": " + decoded(field.value()))) {
        return true;
      }
    }
    return false;
  }
}
