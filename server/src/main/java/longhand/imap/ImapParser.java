package longhand.imap;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import longhand.store.Account;
import longhand.store.Flag;
import longhand.store.Marks;
import longhand.wire.Limits;
import org.jspecify.annotations.Nullable;

/// Octets of one command in, a `Command` out (RFC 3501 §9). It knows no socket: where a literal
/// stands, it asks its `Source` for the octets and for the line that goes on after them. Strict and
/// bounded: line, literals, nesting, keys, ranges end at the limits, and nothing recurses.
///
/// The grammar is read octet by octet from one line; a method bears the name of its production.
final class ImapParser {

  /// Where literals and further lines come from.
  interface Source {
    /// Exactly that many octets, after asking the peer to go on when it waits for that.
    byte[] literal(int octets, boolean synchronizing) throws IOException;

    /// The next line, without CRLF.
    byte[] line() throws IOException;
  }

  private static final String MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec";
  private static final long NUMBER_MAX = 0xffff_ffffL;

  /// Section numbers deeper than any message is parsed.
  private static final int SECTION_NUMBERS_MAX = 128;

  private final Source source;
  private final Limits limits;
  private final boolean authenticated;
  private byte[] line;
  private int at;
  private int literalOctets;

  /// A command that begins with that line (without CRLF).
  ImapParser(byte[] line, Source source, Limits limits, boolean authenticated) {
    this.line = line;
    this.source = source;
    this.limits = limits;
    this.authenticated = authenticated;
  }

  /// What is wrong with a command. Carries no trace: a peer makes it happen as often as it likes.
  static final class SyntaxException extends Exception {
    final boolean close;

    SyntaxException(String text, boolean close) {
      super(text, null, false, false);
      this.close = close;
    }

    SyntaxException(String text) {
      this(text, false);
    }
  }

  /// The tag the line begins with; null when there is none.
  @Nullable String tag() {
    int from = at;
    while (at < line.length && isAstringOctet(line[at]) && line[at] != '+' && at - from < 256) {
      at++;
    }
    if (at == from || at == line.length || line[at] != ' ') {
      return null;
    }
    return new String(line, from, at++ - from, StandardCharsets.US_ASCII);
  }

  /// The command after the tag.
  Command command() throws IOException {
    try {
      return parse(word(), false);
    } catch (SyntaxException e) {
      var text = e.getMessage();
      return new Command.Malformed(text == null ? "syntax error" : text, e.close);
    }
  }

  /// How many octets the peer sends after the line at hand without being asked, when the line ends
  /// in a non-synchronizing literal (RFC 7888 §3); -1 when it does not. After a syntax error these
  /// must be passed over, lest a message be taken for commands.
  long octetsUnasked() {
    return octetsUnasked(line);
  }

  /// The same for any line.
  static long octetsUnasked(byte[] line) {
    int i = line.length - 1;
    if (i < 3 || line[i] != '}' || line[i - 1] != '+') {
      return -1;
    }
    long number = 0;
    long unit = 1;
    for (i -= 2; i >= 0 && line[i] >= '0' && line[i] <= '9'; i--) {
      number = Math.min(Long.MAX_VALUE / 4, number + (line[i] - '0') * unit);
      unit = Math.min(Long.MAX_VALUE / 64, unit * 10);
    }
    return i >= 0 && line[i] == '{' && line[i + 1] != '+' ? number : -1;
  }

  private Command parse(String word, boolean uid) throws SyntaxException, IOException {
    if (uid) {
      return switch (word) {
        case "COPY" -> copy(true, false);
        case "MOVE" -> copy(true, true);
        case "FETCH" -> fetch(true);
        case "STORE" -> store(true);
        case "SEARCH" -> search(true);
        case "EXPUNGE" -> {
          space();
          yield ended(new Command.UidExpunge(sequenceSet()));
        }
        default -> throw new SyntaxException("unknown UID command");
      };
    }
    return switch (word) {
      case "CAPABILITY" -> ended(new Command.Capability());
      case "NOOP" -> ended(new Command.Noop());
      case "LOGOUT" -> ended(new Command.Logout());
      case "STARTTLS" -> ended(new Command.StartTls());
      case "LOGIN" -> login();
      case "AUTHENTICATE" -> authenticate();
      case "ID" -> id();
      case "NAMESPACE" -> ended(new Command.Namespace());
      case "ENABLE" -> enable();
      case "SELECT" -> ended(new Command.Select(spaceMailbox(), true));
      case "EXAMINE" -> ended(new Command.Select(spaceMailbox(), false));
      case "CREATE" -> ended(new Command.Create(spaceMailbox()));
      case "DELETE" -> ended(new Command.Delete(spaceMailbox()));
      case "RENAME" -> ended(new Command.Rename(spaceMailbox(), spaceMailbox()));
      case "SUBSCRIBE" -> ended(new Command.Subscribe(spaceMailbox(), true));
      case "UNSUBSCRIBE" -> ended(new Command.Subscribe(spaceMailbox(), false));
      case "LIST" -> list();
      case "LSUB" -> lsub();
      case "STATUS" -> status();
      case "APPEND" -> new Command.Append(spaceMailbox());
      case "CHECK" -> ended(new Command.Check());
      case "CLOSE" -> ended(new Command.Close());
      case "UNSELECT" -> ended(new Command.Unselect());
      case "EXPUNGE" -> ended(new Command.Expunge());
      case "SEARCH" -> search(false);
      case "FETCH" -> fetch(false);
      case "STORE" -> store(false);
      case "COPY" -> copy(false, false);
      case "MOVE" -> copy(false, true);
      case "IDLE" -> ended(new Command.Idle());
      case "UID" -> {
        space();
        yield parse(word(), true);
      }
      default -> throw new SyntaxException("unknown command");
    };
  }

  // Octets and words.

  private boolean atEnd() {
    return at == line.length;
  }

  private int peek() {
    return at < line.length ? line[at] & 0xff : -1;
  }

  private void expect(char c) throws SyntaxException {
    if (peek() != c) {
      throw new SyntaxException("expected " + (c == ' ' ? "a space" : "'" + c + "'"));
    }
    at++;
  }

  private void space() throws SyntaxException {
    expect(' ');
  }

  private boolean next(char c) {
    if (peek() == c) {
      at++;
      return true;
    }
    return false;
  }

  private <T> T ended(T value) throws SyntaxException {
    if (!atEnd()) {
      throw new SyntaxException("more than the command takes");
    }
    return value;
  }

  /// Letters, digits, dots and hyphens, in upper case; may be empty.
  private String word() throws SyntaxException {
    int from = at;
    while (at < line.length && isWordOctet(line[at])) {
      at++;
    }
    if (at - from > 64) {
      throw new SyntaxException("unknown word");
    }
    return new String(line, from, at - from, StandardCharsets.US_ASCII).toUpperCase(Locale.ROOT);
  }

  private static boolean isWordOctet(int c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '.'
        || c == '-'
        || c == '=';
  }

  private static boolean isAtomOctet(int c) {
    return c > ' ' && c < 0x7f && "(){%*\"\\]".indexOf(c) < 0;
  }

  private static boolean isAstringOctet(int c) {
    return c == ']' || isAtomOctet(c);
  }

  private static boolean isListOctet(int c) {
    return c == '%' || c == '*' || isAstringOctet(c);
  }

  private String atom() throws SyntaxException {
    int from = at;
    while (at < line.length && isAtomOctet(line[at])) {
      at++;
    }
    if (at == from) {
      throw new SyntaxException("expected an atom");
    }
    return new String(line, from, at - from, StandardCharsets.US_ASCII);
  }

  private byte[] astring() throws SyntaxException, IOException {
    if (peek() == '"' || peek() == '{') {
      return string();
    }
    int from = at;
    while (at < line.length && isAstringOctet(line[at])) {
      at++;
    }
    if (at == from) {
      throw new SyntaxException("expected a string");
    }
    return Arrays.copyOfRange(line, from, at);
  }

  private byte[] string() throws SyntaxException, IOException {
    return switch (peek()) {
      case '"' -> quoted();
      case '{' -> literal();
      default -> throw new SyntaxException("expected a string");
    };
  }

  private byte[] quoted() throws SyntaxException {
    at++;
    var out = new ByteArrayOutputStream();
    while (true) {
      int c = peek();
      at++;
      switch (c) {
        case -1 -> {
          at = line.length;
          throw new SyntaxException("a quoted string without its end");
        }
        case '"' -> {
          return out.toByteArray();
        }
        case '\\' -> {
          int escaped = peek();
          if (escaped != '"' && escaped != '\\') {
            throw new SyntaxException("a backslash before neither quote nor backslash");
          }
          at++;
          out.write(escaped);
        }
        case 0 -> throw new SyntaxException("NUL in a string");
        default -> out.write(c);
      }
    }
  }

  /// How large a literal is, and whether the peer waits to be asked for it.
  record LiteralSize(long octets, boolean synchronizing) {}

  private LiteralSize literalSize() throws SyntaxException {
    expect('{');
    long octets = number();
    boolean synchronizing = !next('+');
    expect('}');
    if (!atEnd()) {
      throw new SyntaxException("a literal without its line end");
    }
    return new LiteralSize(octets, synchronizing);
  }

  private byte[] literal() throws SyntaxException, IOException {
    var size = literalSize();
    int max = authenticated ? limits.imapLiteralOctetsMax() : limits.imapPreauthLiteralOctetsMax();
    if (size.octets > max - literalOctets) {
      throw new SyntaxException("literals of more than " + max + " octets", !size.synchronizing);
    }
    literalOctets += (int) size.octets;
    var octets = source.literal((int) size.octets, size.synchronizing);
    nextLine();
    for (byte octet : octets) {
      if (octet == 0) {
        throw new SyntaxException("NUL in a literal");
      }
    }
    return octets;
  }

  /// Goes on with the next line, after a literal.
  void nextLine() throws IOException {
    line = source.line();
    at = 0;
  }

  private long number() throws SyntaxException {
    int from = at;
    long number = 0;
    while (at < line.length && line[at] >= '0' && line[at] <= '9') {
      number = number * 10 + line[at++] - '0';
      if (number > NUMBER_MAX) {
        throw new SyntaxException("a number beyond 4294967295");
      }
    }
    if (at == from) {
      throw new SyntaxException("expected a number");
    }
    return number;
  }

  private long nzNumber() throws SyntaxException {
    long number = number();
    if (number == 0) {
      throw new SyntaxException("0 where numbers begin at 1");
    }
    return number;
  }

  private String mailbox() throws SyntaxException, IOException {
    return mailboxName(astring());
  }

  private static String mailboxName(byte[] octets) throws SyntaxException {
    var name =
        ModifiedUtf7.decode(octets)
            .orElseThrow(() -> new SyntaxException("a mailbox name that is not modified UTF-7"));
    return inbox(name);
  }

  /// INBOX has no letter case, and neither has the first level of what is below it.
  private static String inbox(String name) {
    boolean begins = name.length() >= 5 && name.substring(0, 5).equalsIgnoreCase("INBOX");
    return begins && (name.length() == 5 || name.charAt(5) == '/')
        ? "INBOX" + name.substring(5)
        : name;
  }

  private String spaceMailbox() throws SyntaxException, IOException {
    space();
    return mailbox();
  }

  private String utf8(byte[] octets) throws SyntaxException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(octets)).toString();
    } catch (CharacterCodingException _) {
      throw new SyntaxException("a string that is not UTF-8");
    }
  }

  // Commands.

  private Command login() throws SyntaxException, IOException {
    space();
    var name = utf8(astring());
    space();
    return ended(new Command.Login(name, utf8(astring())));
  }

  private Command authenticate() throws SyntaxException {
    space();
    var mechanism = atom().toUpperCase(Locale.ROOT);
    if (!next(' ')) {
      return ended(new Command.Authenticate(mechanism, Optional.empty()));
    }
    var initial = Arrays.copyOfRange(line, at, line.length);
    at = line.length;
    if (initial.length == 0) {
      throw new SyntaxException("expected an initial response");
    }
    return new Command.Authenticate(mechanism, Optional.of(initial));
  }

  /// RFC 2971 §3.1. What a client says of itself is read and forgotten.
  private Command id() throws SyntaxException, IOException {
    space();
    if (!next('(')) {
      nil();
      return ended(new Command.Id());
    }
    int pairs = 0;
    while (!next(')')) {
      if (pairs++ > 0) {
        space();
      }
      if (pairs > 30) {
        throw new SyntaxException("more than 30 fields");
      }
      string();
      space();
      if (peek() == '"' || peek() == '{') {
        string();
      } else {
        nil();
      }
    }
    return ended(new Command.Id());
  }

  private void nil() throws SyntaxException {
    if (!word().equals("NIL")) {
      throw new SyntaxException("expected NIL");
    }
  }

  private Command enable() throws SyntaxException {
    do {
      space();
      atom();
    } while (!atEnd());
    return new Command.Enable();
  }

  private Command status() throws SyntaxException, IOException {
    var mailbox = spaceMailbox();
    space();
    return ended(new Command.Status(mailbox, statusItems()));
  }

  private Set<Command.StatusItem> statusItems() throws SyntaxException {
    var items = EnumSet.noneOf(Command.StatusItem.class);
    expect('(');
    do {
      items.add(
          switch (word()) {
            case "MESSAGES" -> Command.StatusItem.MESSAGES;
            case "RECENT" -> Command.StatusItem.RECENT;
            case "UIDNEXT" -> Command.StatusItem.UIDNEXT;
            case "UIDVALIDITY" -> Command.StatusItem.UIDVALIDITY;
            case "UNSEEN" -> Command.StatusItem.UNSEEN;
            case "SIZE" -> Command.StatusItem.SIZE;
            case "APPENDLIMIT" -> Command.StatusItem.APPENDLIMIT;
            default -> throw new SyntaxException("unknown status item");
          });
    } while (next(' '));
    expect(')');
    return items;
  }

  /// RFC 3501 §6.3.8, RFC 5258 §6.
  private Command list() throws SyntaxException, IOException {
    var options = EnumSet.noneOf(Command.ListOption.class);
    Set<Command.StatusItem> status = EnumSet.noneOf(Command.StatusItem.class);
    space();
    boolean extended = peek() == '(';
    if (extended) {
      at++;
      selectionOptions(options);
      space();
    }
    var reference = listText(astring());
    space();
    var patterns = new ArrayList<byte[]>();
    if (next('(')) {
      extended = true;
      do {
        patterns.add(listMailbox());
        if (patterns.size() > limits.imapListWildcardsMax()) {
          throw new SyntaxException("too many patterns");
        }
      } while (next(' '));
      expect(')');
    } else {
      patterns.add(listMailbox());
    }
    if (next(' ')) {
      extended = true;
      if (!word().equals("RETURN")) {
        throw new SyntaxException("expected RETURN");
      }
      space();
      status = returnOptions(options);
    }
    if (options.contains(Command.ListOption.SELECT_RECURSIVEMATCH)
        && !options.contains(Command.ListOption.SELECT_SUBSCRIBED)
        && !options.contains(Command.ListOption.SELECT_SPECIAL_USE)) {
      throw new SyntaxException("RECURSIVEMATCH without anything to match");
    }
    ended(options);
    boolean root = !extended && patterns.getFirst().length == 0;
    var joined = new ArrayList<String>();
    for (var pattern : patterns) {
      joined.add(pattern(reference, pattern));
    }
    return new Command.ListMailboxes(options, joined, root, status);
  }

  private void selectionOptions(Set<Command.ListOption> options) throws SyntaxException {
    if (next(')')) {
      return;
    }
    do {
      options.add(
          switch (word()) {
            case "SUBSCRIBED" -> Command.ListOption.SELECT_SUBSCRIBED;
            case "REMOTE" -> Command.ListOption.SELECT_REMOTE;
            case "RECURSIVEMATCH" -> Command.ListOption.SELECT_RECURSIVEMATCH;
            case "SPECIAL-USE" -> Command.ListOption.SELECT_SPECIAL_USE;
            default -> throw new SyntaxException("unknown selection option");
          });
    } while (next(' '));
    expect(')');
  }

  private Set<Command.StatusItem> returnOptions(Set<Command.ListOption> options)
      throws SyntaxException {
    Set<Command.StatusItem> status = EnumSet.noneOf(Command.StatusItem.class);
    expect('(');
    if (next(')')) {
      return status;
    }
    do {
      switch (word()) {
        case "SUBSCRIBED" -> options.add(Command.ListOption.RETURN_SUBSCRIBED);
        case "CHILDREN" -> options.add(Command.ListOption.RETURN_CHILDREN);
        case "SPECIAL-USE" -> options.add(Command.ListOption.RETURN_SPECIAL_USE);
        case "STATUS" -> {
          options.add(Command.ListOption.RETURN_STATUS);
          space();
          status = statusItems();
        }
        default -> throw new SyntaxException("unknown return option");
      }
    } while (next(' '));
    expect(')');
    return status;
  }

  private Command lsub() throws SyntaxException, IOException {
    space();
    var reference = listText(astring());
    space();
    var pattern = listMailbox();
    return ended(new Command.Lsub(pattern(reference, pattern), pattern.length == 0));
  }

  private byte[] listMailbox() throws SyntaxException, IOException {
    if (peek() == '"' || peek() == '{') {
      return string();
    }
    int from = at;
    while (at < line.length && isListOctet(line[at])) {
      at++;
    }
    if (at == from) {
      throw new SyntaxException("expected a mailbox pattern");
    }
    return Arrays.copyOfRange(line, from, at);
  }

  /// A pattern need not be a name: what is no modified UTF-7 is taken as it stands, and matches
  /// nothing.
  private static String listText(byte[] octets) {
    return ModifiedUtf7.decode(octets)
        .orElseGet(() -> new String(octets, StandardCharsets.ISO_8859_1));
  }

  private String pattern(String reference, byte[] octets) throws SyntaxException {
    var pattern = reference + listText(octets);
    int wildcards = 0;
    for (int i = 0; i < pattern.length(); i++) {
      wildcards += pattern.charAt(i) == '*' || pattern.charAt(i) == '%' ? 1 : 0;
    }
    if (pattern.length() > limits.imapListPatternOctetsMax()) {
      throw new SyntaxException(
          "a pattern of more than " + limits.imapListPatternOctetsMax() + " octets");
    }
    if (wildcards > limits.imapListWildcardsMax()) {
      throw new SyntaxException(
          "a pattern of more than " + limits.imapListWildcardsMax() + " wildcards");
    }
    return inbox(pattern);
  }

  private SequenceSet sequenceSet() throws SyntaxException {
    var ranges = new ArrayList<SequenceSet.Range>(2);
    do {
      if (ranges.size() == limits.imapSequenceRangesMax()) {
        throw new SyntaxException(
            "a set of more than " + limits.imapSequenceRangesMax() + " ranges");
      }
      long from = sequenceNumber();
      ranges.add(new SequenceSet.Range(from, next(':') ? sequenceNumber() : from));
    } while (next(','));
    return new SequenceSet(ranges);
  }

  private long sequenceNumber() throws SyntaxException {
    return next('*') ? SequenceSet.STAR : nzNumber();
  }

  private Command copy(boolean uid, boolean move) throws SyntaxException, IOException {
    space();
    var set = sequenceSet();
    var mailbox = ended(spaceMailbox());
    return move ? new Command.Move(uid, set, mailbox) : new Command.Copy(uid, set, mailbox);
  }

  private Command store(boolean uid) throws SyntaxException {
    space();
    var set = sequenceSet();
    space();
    var change =
        next('+') ? Account.Change.ADD : next('-') ? Account.Change.REMOVE : Account.Change.REPLACE;
    var item = word();
    boolean silent = item.equals("FLAGS.SILENT");
    if (!silent && !item.equals("FLAGS")) {
      throw new SyntaxException("unknown item to store");
    }
    space();
    return ended(new Command.Mark(uid, set, change, silent, marks(peek() == '(', false)));
  }

  /// `flag-list`, or flags with spaces between them up to the end (RFC 3501 §9, store-att-flags).
  ///
  /// @param recent whether `\Recent` is passed over, not refused: some programs append messages
  ///   with the flags they had elsewhere
  private Marks marks(boolean inParentheses, boolean recent) throws SyntaxException {
    var flags = new ArrayList<Flag>();
    var keywords = new HashSet<String>();
    if (inParentheses) {
      at++;
      if (next(')')) {
        return Marks.NONE;
      }
    }
    do {
      flag(flags, keywords, recent);
    } while (next(' '));
    if (inParentheses) {
      expect(')');
    }
    return Marks.of(flags, keywords);
  }

  private void flag(List<Flag> flags, Set<String> keywords, boolean recent) throws SyntaxException {
    if (next('\\')) {
      switch (word()) {
        case "ANSWERED" -> flags.add(Flag.ANSWERED);
        case "FLAGGED" -> flags.add(Flag.FLAGGED);
        case "DELETED" -> flags.add(Flag.DELETED);
        case "SEEN" -> flags.add(Flag.SEEN);
        case "DRAFT" -> flags.add(Flag.DRAFT);
        case "RECENT" -> {
          if (!recent) {
            throw new SyntaxException("\\Recent cannot be stored");
          }
        }
        default -> throw new SyntaxException("unknown system flag");
      }
      return;
    }
    var keyword = atom();
    if (!Marks.isKeyword(keyword)) {
      throw new SyntaxException("a keyword of more than 64 octets");
    }
    if (keywords.size() == 200) {
      throw new SyntaxException("more than 200 keywords");
    }
    keywords.add(keyword);
  }

  // FETCH.

  private Command fetch(boolean uid) throws SyntaxException, IOException {
    space();
    var set = sequenceSet();
    space();
    var items = new ArrayList<FetchItem>();
    if (next('(')) {
      do {
        if (items.size() >= limits.imapSearchKeysMax()) {
          throw new SyntaxException("too many items");
        }
        items.add(fetchItem(word()));
      } while (next(' '));
      expect(')');
    } else {
      var word = word();
      switch (word) {
        case "ALL", "FULL", "FAST" -> {
          items.add(FetchItem.Attribute.FLAGS);
          items.add(FetchItem.Attribute.INTERNALDATE);
          items.add(FetchItem.Attribute.SIZE);
          if (!word.equals("FAST")) {
            items.add(FetchItem.Attribute.ENVELOPE);
          }
          if (word.equals("FULL")) {
            items.add(FetchItem.Attribute.BODY);
          }
        }
        default -> items.add(fetchItem(word));
      }
    }
    return ended(new Command.Fetch(uid, set, List.copyOf(items)));
  }

  private FetchItem fetchItem(String word) throws SyntaxException, IOException {
    return switch (word) {
      case "FLAGS" -> FetchItem.Attribute.FLAGS;
      case "INTERNALDATE" -> FetchItem.Attribute.INTERNALDATE;
      case "RFC822.SIZE" -> FetchItem.Attribute.SIZE;
      case "ENVELOPE" -> FetchItem.Attribute.ENVELOPE;
      case "BODYSTRUCTURE" -> FetchItem.Attribute.BODYSTRUCTURE;
      case "UID" -> FetchItem.Attribute.UID;
      case "RFC822" -> whole("RFC822", FetchItem.Piece.ALL, false);
      case "RFC822.HEADER" -> whole("RFC822.HEADER", FetchItem.Piece.HEADER, true);
      case "RFC822.TEXT" -> whole("RFC822.TEXT", FetchItem.Piece.TEXT, false);
      case "BODY" -> peek() == '[' ? section(false) : FetchItem.Attribute.BODY;
      case "BODY.PEEK" -> section(true);
      default -> throw new SyntaxException("unknown item to fetch");
    };
  }

  private static FetchItem whole(String label, FetchItem.Piece piece, boolean peek) {
    return new FetchItem.Section(label, new int[0], piece, List.of(), -1, Long.MAX_VALUE, peek);
  }

  private FetchItem section(boolean peek) throws SyntaxException, IOException {
    expect('[');
    var label = new StringBuilder("BODY[");
    var path = new int[8];
    int depth = 0;
    while (peek() >= '0' && peek() <= '9') {
      if (depth == SECTION_NUMBERS_MAX) {
        throw new SyntaxException("a section of more than " + depth + " numbers");
      }
      if (depth == path.length) {
        path = Arrays.copyOf(path, depth * 2);
      }
      long number = nzNumber();
      path[depth++] = (int) Math.min(number, Integer.MAX_VALUE);
      label.append(number);
      if (!next('.')) {
        break;
      }
      label.append('.');
      if (peek() == ']') {
        throw new SyntaxException("expected a section after the dot");
      }
    }
    var word = peek() == ']' ? "" : word();
    boolean endsInDot = label.charAt(label.length() - 1) == '.';
    if (depth > 0 && endsInDot == word.isEmpty()) {
      throw new SyntaxException("unknown section");
    }
    var piece =
        switch (word) {
          case "" -> FetchItem.Piece.ALL;
          case "HEADER" -> FetchItem.Piece.HEADER;
          case "HEADER.FIELDS" -> FetchItem.Piece.HEADER_FIELDS;
          case "HEADER.FIELDS.NOT" -> FetchItem.Piece.HEADER_FIELDS_NOT;
          case "TEXT" -> FetchItem.Piece.TEXT;
          case "MIME" -> {
            if (depth == 0) {
              throw new SyntaxException("MIME is for parts only");
            }
            yield FetchItem.Piece.MIME;
          }
          default -> throw new SyntaxException("unknown section");
        };
    label.append(word);
    List<String> fields = List.of();
    if (piece == FetchItem.Piece.HEADER_FIELDS || piece == FetchItem.Piece.HEADER_FIELDS_NOT) {
      space();
      fields = fieldNames(label);
    }
    expect(']');
    label.append(']');
    long origin = -1;
    long octetsMax = Long.MAX_VALUE;
    if (next('<')) {
      origin = number();
      expect('.');
      octetsMax = nzNumber();
      expect('>');
    }
    return new FetchItem.Section(
        label.toString(), Arrays.copyOf(path, depth), piece, fields, origin, octetsMax, peek);
  }

  private List<String> fieldNames(StringBuilder label) throws SyntaxException, IOException {
    var fields = new ArrayList<String>();
    expect('(');
    label.append(" (");
    do {
      var octets = astring();
      boolean atom = octets.length > 0;
      for (byte octet : octets) {
        if (octet <= ' ' || octet == 0x7f || octet == ':') {
          throw new SyntaxException("a field name that cannot be one");
        }
        atom &= isAstringOctet(octet);
      }
      if (fields.size() == limits.imapSearchKeysMax()) {
        throw new SyntaxException("too many fields");
      }
      var name = new String(octets, StandardCharsets.US_ASCII);
      label.append(fields.isEmpty() ? "" : " ");
      if (atom) {
        label.append(name);
      } else {
        label.append('"');
        for (int i = 0; i < name.length(); i++) {
          char c = name.charAt(i);
          label.append(c == '"' || c == '\\' ? "\\" : "").append(c);
        }
        label.append('"');
      }
      fields.add(name);
    } while (next(' '));
    expect(')');
    label.append(')');
    return fields;
  }

  // SEARCH.

  /// What a nested key belongs to while its operands are read.
  private static final class Frame {
    enum Kind {
      ALL,
      PARENTHESES,
      NOT,
      OR
    }

    final Kind kind;
    int operands;

    Frame(Kind kind) {
      this.kind = kind;
    }
  }

  private Command search(boolean uid) throws SyntaxException, IOException {
    space();
    boolean charset = true;
    int mark = at;
    if (word().equals("CHARSET")) {
      space();
      var name = new String(astring(), StandardCharsets.ISO_8859_1).toUpperCase(Locale.ROOT);
      charset = name.equals("US-ASCII") || name.equals("UTF-8");
      space();
    } else {
      at = mark;
    }
    var program = new ArrayList<SearchKey>();
    var open = new ArrayDeque<Frame>();
    open.push(new Frame(Frame.Kind.ALL));
    int keys = 0;
    while (!open.isEmpty()) {
      if (++keys > limits.imapSearchKeysMax()) {
        throw new SyntaxException("more than " + limits.imapSearchKeysMax() + " search keys");
      }
      if (open.size() > limits.imapNestingMax()) {
        throw new SyntaxException("nested deeper than " + limits.imapNestingMax());
      }
      if (next('(')) {
        open.push(new Frame(Frame.Kind.PARENTHESES));
        continue;
      }
      if (peek() == '*' || (peek() >= '0' && peek() <= '9')) {
        program.add(new SearchKey.Numbers(sequenceSet()));
      } else {
        var word = word();
        if (word.equals("NOT") || word.equals("OR")) {
          space();
          open.push(new Frame(word.equals("NOT") ? Frame.Kind.NOT : Frame.Kind.OR));
          continue;
        }
        program.add(searchKey(word, charset));
      }
      closeFrames(open, program);
    }
    return new Command.Search(uid, charset, List.copyOf(program));
  }

  /// A key is whole: so may be those around it. Leaves where the next key begins, or nothing open.
  private void closeFrames(ArrayDeque<Frame> open, List<SearchKey> program) throws SyntaxException {
    while (!open.isEmpty()) {
      var frame = open.peek();
      frame.operands++;
      switch (frame.kind) {
        case NOT -> program.add(new SearchKey.Not());
        case OR -> {
          if (frame.operands == 1) {
            space();
            return;
          }
          program.add(new SearchKey.Or());
        }
        case PARENTHESES -> {
          if (next(' ')) {
            return;
          }
          expect(')');
          program.add(new SearchKey.And(frame.operands));
        }
        case ALL -> {
          if (next(' ')) {
            return;
          }
          ended(frame);
          program.add(new SearchKey.And(frame.operands));
        }
      }
      open.pop();
    }
  }

  private SearchKey searchKey(String word, boolean charset) throws SyntaxException, IOException {
    return switch (word) {
      case "ALL" -> new SearchKey.All();
      case "ANSWERED" -> new SearchKey.Flagged(Flag.ANSWERED, true);
      case "DELETED" -> new SearchKey.Flagged(Flag.DELETED, true);
      case "DRAFT" -> new SearchKey.Flagged(Flag.DRAFT, true);
      case "FLAGGED" -> new SearchKey.Flagged(Flag.FLAGGED, true);
      case "SEEN" -> new SearchKey.Flagged(Flag.SEEN, true);
      case "UNANSWERED" -> new SearchKey.Flagged(Flag.ANSWERED, false);
      case "UNDELETED" -> new SearchKey.Flagged(Flag.DELETED, false);
      case "UNDRAFT" -> new SearchKey.Flagged(Flag.DRAFT, false);
      case "UNFLAGGED" -> new SearchKey.Flagged(Flag.FLAGGED, false);
      case "UNSEEN" -> new SearchKey.Flagged(Flag.SEEN, false);
      case "NEW" -> new SearchKey.New();
      case "OLD" -> new SearchKey.Recent(false);
      case "RECENT" -> new SearchKey.Recent(true);
      case "KEYWORD" -> new SearchKey.Keyword(spaceAtom(), true);
      case "UNKEYWORD" -> new SearchKey.Keyword(spaceAtom(), false);
      case "LARGER" -> new SearchKey.Larger(spaceNumber());
      case "SMALLER" -> new SearchKey.Smaller(spaceNumber());
      case "BEFORE" -> new SearchKey.Saved(Long.MIN_VALUE, spaceDate());
      case "SINCE" -> new SearchKey.Saved(spaceDate(), Long.MAX_VALUE);
      case "ON" -> {
        long day = spaceDate();
        yield new SearchKey.Saved(day, day + 1);
      }
      case "SENTBEFORE" -> new SearchKey.Sent(Long.MIN_VALUE, spaceDate());
      case "SENTSINCE" -> new SearchKey.Sent(spaceDate(), Long.MAX_VALUE);
      case "SENTON" -> {
        long day = spaceDate();
        yield new SearchKey.Sent(day, day + 1);
      }
      case "BCC" -> new SearchKey.Field("Bcc", spaceNeedle(charset));
      case "CC" -> new SearchKey.Field("Cc", spaceNeedle(charset));
      case "FROM" -> new SearchKey.Field("From", spaceNeedle(charset));
      case "TO" -> new SearchKey.Field("To", spaceNeedle(charset));
      case "SUBJECT" -> new SearchKey.Field("Subject", spaceNeedle(charset));
      case "HEADER" -> {
        space();
        var name = new String(astring(), StandardCharsets.ISO_8859_1);
        yield new SearchKey.Field(name, spaceNeedle(charset));
      }
      case "BODY" -> new SearchKey.Text(spaceNeedle(charset), false);
      case "TEXT" -> new SearchKey.Text(spaceNeedle(charset), true);
      case "UID" -> {
        space();
        yield new SearchKey.Uids(sequenceSet());
      }
      default -> throw new SyntaxException("unknown search key");
    };
  }

  private String spaceAtom() throws SyntaxException {
    space();
    return atom();
  }

  private long spaceNumber() throws SyntaxException {
    space();
    return number();
  }

  private Needle spaceNeedle(boolean charset) throws SyntaxException, IOException {
    space();
    var octets = astring();
    // In a charset that we do not know the answer will be NO: there is nothing to decode.
    return new Needle(charset ? utf8(octets) : "");
  }

  private long spaceDate() throws SyntaxException {
    space();
    boolean quoted = next('"');
    int day = digits(1, 2);
    var date = date(day);
    if (quoted) {
      expect('"');
    }
    return date.toEpochDay();
  }

  /// The rest of a date after its day: `-Mon-yyyy`.
  private LocalDate date(int day) throws SyntaxException {
    expect('-');
    int month = 0;
    for (int m = 0; m < 12 && at + 3 <= line.length; m++) {
      if ((line[at] | 0x20) == MONTHS.charAt(m * 3)
          && (line[at + 1] | 0x20) == MONTHS.charAt(m * 3 + 1)
          && (line[at + 2] | 0x20) == MONTHS.charAt(m * 3 + 2)) {
        month = m + 1;
      }
    }
    if (month == 0) {
      throw new SyntaxException("expected a month");
    }
    at += 3;
    expect('-');
    try {
      return LocalDate.of(digits(4, 4), month, day);
    } catch (DateTimeException _) {
      throw new SyntaxException("a day that does not exist");
    }
  }

  private int digits(int least, int most) throws SyntaxException {
    int from = at;
    int number = 0;
    while (at < line.length && at - from < most && line[at] >= '0' && line[at] <= '9') {
      number = number * 10 + line[at++] - '0';
    }
    if (at - from < least) {
      throw new SyntaxException("expected a date");
    }
    return number;
  }

  // APPEND.

  /// One message of APPEND up to its literal.
  ///
  /// @param saved empty when the date is ours to say
  record AppendMessage(Marks marks, Optional<Instant> saved, LiteralSize size) {}

  /// The next message of APPEND (RFC 3501 §6.3.11, RFC 3502), beginning with its space. After it
  /// come the literal's octets, and then `nextLine`.
  AppendMessage appendMessage() throws SyntaxException {
    space();
    var marks = Marks.NONE;
    if (peek() == '(') {
      marks = marks(true, true);
      space();
    }
    Optional<Instant> saved = Optional.empty();
    if (peek() == '"') {
      saved = Optional.of(dateTime());
      space();
    }
    if (peek() == '~') {
      throw new SyntaxException("literal8 is not taken here");
    }
    return new AppendMessage(marks, saved, literalSize());
  }

  /// Whether APPEND ends here, and no further message follows.
  boolean appendEnded() {
    return atEnd();
  }

  private Instant dateTime() throws SyntaxException {
    expect('"');
    int day = next(' ') ? digits(1, 1) : digits(2, 2);
    var date = date(day);
    space();
    int hour = digits(2, 2);
    expect(':');
    int minute = digits(2, 2);
    expect(':');
    int second = digits(2, 2);
    space();
    int sign = next('-') ? -1 : 1;
    if (sign == 1) {
      expect('+');
    }
    int zone = digits(4, 4);
    expect('"');
    try {
      var time =
          LocalDateTime.of(
              date.getYear(), date.getMonth(), day, hour, minute, Math.min(second, 59));
      var saved =
          time.toInstant(ZoneOffset.ofHoursMinutes(sign * (zone / 100), sign * (zone % 100)));
      if (second > 60 || saved.getEpochSecond() < 0) {
        throw new SyntaxException("a time that does not exist");
      }
      return saved;
    } catch (DateTimeException _) {
      throw new SyntaxException("a time that does not exist");
    }
  }
}
