package longhand.imap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import longhand.store.Account;
import longhand.store.Flag;
import longhand.store.Marks;
import longhand.wire.Limits;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImapParserTest {

  /// A command given as text with CRLF between its lines.
  private static final class Text implements ImapParser.Source {
    private final byte[] octets;
    private int at;
    final ArrayDeque<Integer> asked = new ArrayDeque<>();

    Text(String text) {
      octets = text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public byte[] literal(int octetsWanted, boolean synchronizing) throws IOException {
      if (synchronizing) {
        asked.add(octetsWanted);
      }
      var literal = Arrays.copyOfRange(octets, at, at + octetsWanted);
      at += octetsWanted;
      return literal;
    }

    @Override
    public byte[] line() throws IOException {
      int from = at;
      while (at < octets.length && octets[at] != '\r') {
        at++;
      }
      at += 2;
      return Arrays.copyOfRange(octets, from, at - 2);
    }
  }

  static Command parse(String text) {
    try {
      var source = new Text(text + "\r\n");
      var parser = new ImapParser(source.line(), source, Limits.DEFAULT, true);
      assertEquals("a", parser.tag());
      return parser.command();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Command.Malformed malformed(String text) {
    return assertInstanceOf(Command.Malformed.class, parse(text), text);
  }

  @Test
  void tags() {
    for (var line : List.of("", " NOOP", "+ NOOP", "a", "a+b NOOP", "(a NOOP", "\u0000 NOOP")) {
      var source = new Text(line);
      assertNull(
          new ImapParser(line.getBytes(StandardCharsets.UTF_8), source, Limits.DEFAULT, true).tag(),
          line);
    }
  }

  @Test
  void wordsWithoutArguments() {
    assertEquals(new Command.Noop(), parse("a noop"));
    assertEquals(new Command.Capability(), parse("a CAPABILITY"));
    assertEquals(new Command.Idle(), parse("a Idle"));
    malformed("a NOOP ");
    malformed("a NOOPS");
    malformed("a ");
    malformed("a UID NOOP");
    malformed("a UID UID FETCH 1 FLAGS");
  }

  @Test
  void stringsInTheirThreeForms() {
    var login = new Command.Login("ana", "se\"c\\ret");
    assertEquals(login, parse("a LOGIN ana \"se\\\"c\\\\ret\""));
    assertEquals(login, parse("a LOGIN {3}\r\nana {8}\r\nse\"c\\ret"));
    assertEquals(login, parse("a LOGIN {3+}\r\nana \"se\\\"c\\\\ret\""));
    assertEquals(new Command.Login("", "pässwörd"), parse("a LOGIN \"\" \"pässwörd\""));
    malformed("a LOGIN ana \"secret");
    malformed("a LOGIN ana \"sec\\ret\"");
    malformed("a LOGIN ana  secret");
    malformed("a LOGIN ana {3} ");
    malformed("a LOGIN ana {3");
    malformed("a LOGIN ana {-3}");
    malformed("a LOGIN ana {+}");
    malformed("a LOGIN ana {3}\r\na\0b");
  }

  @Test
  void literalsEndAtTheirLimit() {
    var within = "x".repeat(Limits.DEFAULT.imapLiteralOctetsMax());
    assertInstanceOf(
        Command.Login.class, parse("a LOGIN {" + within.length() + "}\r\n" + within + " \"\""));
    assertThat(malformed("a LOGIN {" + (within.length() + 1) + "}").close()).isFalse();
    assertThat(malformed("a LOGIN {" + (within.length() + 1) + "+}").close()).isTrue();
    assertThat(malformed("a LOGIN {" + within.length() + "}\r\n" + within + " {1+}\r\nx").close())
        .isTrue();
    malformed("a LOGIN {4294967296}");
    malformed("a LOGIN {99999999999999999999999}");
  }

  @Test
  void unaskedLiteralsAreSeenAtTheEndOfALine() {
    assertEquals(5, unasked("a BLURDYBLOOP {5+}"));
    assertEquals(-1, unasked("a BLURDYBLOOP {5}"));
    assertEquals(-1, unasked("a {+}"));
    assertEquals(-1, unasked("5+}"));
    assertEquals(-1, unasked(""));
    assertThat(unasked("{99999999999999999999999999999+}")).isGreaterThan(1L << 40);
  }

  private static long unasked(String line) {
    return ImapParser.octetsUnasked(line.getBytes(StandardCharsets.ISO_8859_1));
  }

  @Test
  void mailboxNames() {
    assertEquals(new Command.Select("INBOX", true), parse("a SELECT inBox"));
    assertEquals(new Command.Select("INBOX/x", false), parse("a EXAMINE iNbOx/x"));
    assertEquals(new Command.Create("inboxes"), parse("a CREATE inboxes"));
    assertEquals(new Command.Create("Entwürfe"), parse("a CREATE Entw&APw-rfe"));
    assertEquals(new Command.Create("R&D"), parse("a CREATE R&-D"));
    assertEquals(new Command.Create("台北/日本語"), parse("a CREATE &U,BTFw-/&ZeVnLIqe-"));
    assertEquals(new Command.Create("😀"), parse("a CREATE &2D3eAA-"));
    malformed("a CREATE Entwürfe"); // 8-bit
    malformed("a CREATE &AC8-"); // a slash in disguise
    malformed("a CREATE &APw"); // no end
    malformed("a CREATE &APx-"); // bits left over
    malformed("a CREATE &APw-&APw-"); // one run in two
    malformed("a CREATE &2D0-"); // half a pair
    malformed("a CREATE R&D");
    malformed("a CREATE \"a\u0001b\"");
  }

  @Test
  void sequenceSets() {
    var fetch = assertInstanceOf(Command.Fetch.class, parse("a FETCH 1,3:5,*:7 FLAGS"));
    assertEquals(
        List.of(
            new SequenceSet.Range(1, 1),
            new SequenceSet.Range(3, 5),
            new SequenceSet.Range(SequenceSet.STAR, 7)),
        fetch.set().ranges());
    malformed("a FETCH 0 FLAGS");
    malformed("a FETCH 1, FLAGS");
    malformed("a FETCH 1: FLAGS");
    malformed("a FETCH 1:2:3 FLAGS");
    malformed("a FETCH -1 FLAGS");
    malformed("a FETCH 4294967296 FLAGS");
    assertInstanceOf(Command.Fetch.class, parse("a FETCH 4294967295 FLAGS"));
    var most = String.join(",", java.util.Collections.nCopies(10_000, "7"));
    assertInstanceOf(Command.Fetch.class, parse("a FETCH " + most + " FLAGS"));
    malformed("a FETCH " + most + ",7 FLAGS");
  }

  @Test
  void fetchItems() {
    var all = assertInstanceOf(Command.Fetch.class, parse("a UID FETCH 1 full"));
    assertThat(all.uid()).isTrue();
    assertThat(all.items())
        .containsExactly(
            FetchItem.Attribute.FLAGS,
            FetchItem.Attribute.INTERNALDATE,
            FetchItem.Attribute.SIZE,
            FetchItem.Attribute.ENVELOPE,
            FetchItem.Attribute.BODY);
    malformed("a FETCH 1 (ALL)");
    malformed("a FETCH 1 ()");
    malformed("a FETCH 1 (FLAGS ");
    malformed("a FETCH 1 BODYSTRUCTURES");
    malformed("a FETCH 1 BODY.PEEK");
    malformed("a FETCH 1 BODY[MIME]");
    malformed("a FETCH 1 BODY[0]");
    malformed("a FETCH 1 BODY[1.]");
    malformed("a FETCH 1 BODY[1HEADER]");
    malformed("a FETCH 1 BODY[HEADER.FIELDS]");
    malformed("a FETCH 1 BODY[HEADER.FIELDS ()]");
    malformed("a FETCH 1 BODY[HEADER.FIELDS (a:b)]");
    malformed("a FETCH 1 BODY[]<0>");
    malformed("a FETCH 1 BODY[]<0.0>");
    malformed("a FETCH 1 BODY[" + "1.".repeat(200) + "1]");
    assertEquals("BODY[]", section("BODY[]").label());
    assertEquals("BODY[1.2.MIME]", section("body.peek[1.2.mime]").label());
    assertEquals(
        "BODY[HEADER.FIELDS (Subject X\\]".replace("\\]", "-y)]"),
        section("BODY[header.fields (Subject \"X-y\")]").label());
    assertThat(section("BODY[3.HEADER.FIELDS.NOT ({2}\r\nTo)]<7.9>").fields())
        .containsExactly("To");
    assertEquals(7, section("BODY[1]<7.9>").origin());
    assertThat(section("RFC822.HEADER").peek()).isTrue();
    assertThat(section("RFC822.TEXT").peek()).isFalse();
  }

  private static FetchItem.Section section(String item) {
    var fetch = assertInstanceOf(Command.Fetch.class, parse("a FETCH 1 " + item));
    return assertInstanceOf(FetchItem.Section.class, fetch.items().getFirst());
  }

  @Test
  void store() {
    assertEquals(
        new Command.Mark(
            true,
            new SequenceSet(List.of(new SequenceSet.Range(1, 1))),
            Account.Change.ADD,
            true,
            Marks.of(EnumSet.of(Flag.SEEN, Flag.DELETED), List.of("$Work"))),
        parse("a UID STORE 1 +FLAGS.SILENT (\\Seen $Work \\DELETED)"));
    assertInstanceOf(Command.Mark.class, parse("a STORE 1 flags \\Seen $Work"));
    assertInstanceOf(Command.Mark.class, parse("a STORE 1 -FLAGS ()"));
    malformed("a STORE 1 FLAGS \\Recent");
    malformed("a STORE 1 FLAGS \\Bogus");
    malformed("a STORE 1 FLAGS (\\Seen");
    malformed("a STORE 1 FLAGS (\\Seen))");
    malformed("a STORE 1 FLAGS " + "k".repeat(65));
    malformed("a STORE 1 FLAG (\\Seen)");
    malformed("a STORE 1 *FLAGS (\\Seen)");
  }

  private static List<SearchKey> program(String keys) {
    return assertInstanceOf(Command.Search.class, parse("a SEARCH " + keys)).program();
  }

  @Test
  void searchProgramsArePostfix() {
    assertEquals(List.of(new SearchKey.All(), new SearchKey.And(1)), program("ALL"));
    assertEquals(
        List.of(
            new SearchKey.Flagged(Flag.SEEN, true),
            new SearchKey.New(),
            new SearchKey.Not(),
            new SearchKey.Or(),
            new SearchKey.Flagged(Flag.DRAFT, false),
            new SearchKey.And(2)),
        program("OR SEEN NOT NEW UNDRAFT"));
    assertEquals(
        List.of(
            new SearchKey.All(),
            new SearchKey.All(),
            new SearchKey.And(2),
            new SearchKey.Not(),
            new SearchKey.And(1)),
        program("NOT (ALL ALL)"));
    var charset = assertInstanceOf(Command.Search.class, parse("a SEARCH CHARSET KOI8-R ALL"));
    assertThat(charset.charset()).isFalse();
    assertInstanceOf(Command.Search.class, parse("a SEARCH CHARSET utf-8 SUBJECT {3+}\r\nüx"));
    assertInstanceOf(
        Command.Search.class, parse("a SEARCH HEADER X-a \"\" SENTON \"1-Feb-1994\" 1:* UID 7"));
    malformed("a SEARCH");
    malformed("a SEARCH ()");
    malformed("a SEARCH (ALL");
    malformed("a SEARCH ALL)");
    malformed("a SEARCH OR ALL");
    malformed("a SEARCH NOT");
    malformed("a SEARCH ON 30-Feb-2026");
    malformed("a SEARCH ON 1-Foo-2026");
    malformed("a SEARCH LARGER 4294967296");
    malformed("a SEARCH SUBJECT {2+}\r\n\u00ff".replace("{2+}", "{1+}"));
  }

  @Test
  void searchEndsAtItsLimits() {
    program("ALL " + "ALL ".repeat(998) + "ALL");
    malformed("a SEARCH ALL " + "ALL ".repeat(999) + "ALL");
    program("(".repeat(63) + "ALL" + ")".repeat(63));
    malformed("a SEARCH " + "(".repeat(64) + "ALL" + ")".repeat(64));
    program("NOT ".repeat(63) + "ALL");
    malformed("a SEARCH " + "NOT ".repeat(64) + "ALL");
    malformed("a SEARCH " + "OR ".repeat(20_000));
  }

  @Test
  void list() {
    var plain = assertInstanceOf(Command.ListMailboxes.class, parse("a LIST \"\" *"));
    assertThat(plain.options()).isEmpty();
    assertEquals(List.of("*"), plain.patterns());
    assertThat(assertInstanceOf(Command.ListMailboxes.class, parse("a LIST x \"\"")).root())
        .isTrue();
    var rich =
        assertInstanceOf(
            Command.ListMailboxes.class,
            parse(
                "a LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (% \"x/*\") RETURN (CHILDREN STATUS"
                    + " (MESSAGES UNSEEN))"));
    assertEquals(List.of("%", "x/*"), rich.patterns());
    assertThat(rich.status())
        .containsExactly(Command.StatusItem.MESSAGES, Command.StatusItem.UNSEEN);
    malformed("a LIST (RECURSIVEMATCH) \"\" *");
    malformed("a LIST (RECURSIVEMATCH REMOTE) \"\" *");
    malformed("a LIST (BOGUS) \"\" *");
    malformed("a LIST \"\" * RETURN (BOGUS)");
    malformed("a LIST \"\" ()");
    malformed("a LIST \"\" " + "x".repeat(513));
    assertInstanceOf(Command.ListMailboxes.class, parse("a LIST \"\" " + "x*".repeat(32)));
    malformed("a LIST \"\" " + "x*".repeat(33));
  }

  @Test
  void otherCommands() {
    assertInstanceOf(Command.Id.class, parse("a ID NIL"));
    assertInstanceOf(Command.Id.class, parse("a ID (\"name\" \"x\" \"os\" NIL)"));
    malformed("a ID (\"name\")");
    malformed("a ID ()x");
    malformed("a ID (" + "\"a\" \"b\" ".repeat(31) + ")");
    assertInstanceOf(Command.Enable.class, parse("a ENABLE CONDSTORE X-FOO"));
    malformed("a ENABLE");
    malformed("a STATUS INBOX ()");
    malformed("a STATUS INBOX (MESSAGES BOGUS)");
    malformed("a RENAME a");
    assertInstanceOf(Command.Authenticate.class, parse("a AUTHENTICATE plain ="));
    malformed("a AUTHENTICATE PLAIN ");
  }

  @Test
  void appendMessages() throws Exception {
    var text = "(\\Seen \\Recent $x) \" 1-Feb-2026 03:04:05 -0130\" {5}";
    var source = new Text("");
    var parser =
        new ImapParser(
            ("a APPEND INBOX " + text).getBytes(StandardCharsets.UTF_8),
            source,
            Limits.DEFAULT,
            true);
    parser.tag();
    assertEquals(new Command.Append("INBOX"), parser.command());
    var message = parser.appendMessage();
    assertEquals(Marks.of(EnumSet.of(Flag.SEEN), List.of("$x")), message.marks());
    assertThat(message.saved().map(Object::toString)).contains("2026-02-01T04:34:05Z");
    assertEquals(new ImapParser.LiteralSize(5, true), message.size());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        " \"31-Feb-2026 03:04:05 +0000\" {5}",
        " \"01-Feb-2026 25:04:05 +0000\" {5}",
        " \"01-Feb-2026 03:04:05 +9900\" {5}",
        " \"1-Feb-2026 03:04:05 +0000\" {5}",
        " (\\Bogus) {5}",
        " ()  {5}",
        " ~{5}",
        " {5",
        " {5}x",
        "",
        " (\\Seen){5}"
      })
  void appendsThatAreRefused(String rest) throws Exception {
    var parser =
        new ImapParser(
            ("a APPEND INBOX" + rest).getBytes(StandardCharsets.UTF_8),
            new Text(""),
            Limits.DEFAULT,
            true);
    parser.tag();
    parser.command();
    org.junit.jupiter.api.Assertions.assertThrows(
        ImapParser.SyntaxException.class, parser::appendMessage);
  }

  @Test
  void namesGoThereAndBack() {
    var names = new ArrayList<String>();
    var random = new java.util.Random(5);
    for (int i = 0; i < 2_000; i++) {
      var name = new StringBuilder();
      for (int n = random.nextInt(12); n >= 0; n--) {
        name.appendCodePoint(
            switch (random.nextInt(5)) {
              case 0 -> '&';
              case 1 -> 0x1f600 + random.nextInt(50);
              case 2 -> 0x4e00 + random.nextInt(500);
              default -> 'a' + random.nextInt(26);
            });
      }
      names.add(name.toString());
    }
    for (var name : names) {
      var octets = ModifiedUtf7.encode(name).getBytes(StandardCharsets.ISO_8859_1);
      assertThat(ModifiedUtf7.decode(octets)).contains(name);
    }
  }
}
