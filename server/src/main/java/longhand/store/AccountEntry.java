package longhand.store;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import longhand.mail.Address;
import org.jspecify.annotations.Nullable;

/// The first entry of a document: the account's own, with the table of its mailboxes
/// (`docs/document-format.md`, "The account entry").
///
/// @param room octets of the entry's text, padding included
record AccountEntry(String token, long generation, Instant made, int room, Table table) {

  /// What the table says.
  ///
  /// @param modseq floor of the next modseq
  /// @param id floor of the next id
  /// @param mailbox the number the next mailbox gets
  /// @param subscriptions to names that have no mailbox
  record Table(
      Address address,
      long modseq,
      long id,
      int mailbox,
      List<Row> rows,
      List<String> subscriptions) {
    Table {
      rows = List.copyOf(rows);
      subscriptions = List.copyOf(subscriptions);
    }
  }

  /// One mailbox.
  ///
  /// @param next floor of the next UID
  /// @param recent the least UID no read-write session was told of
  record Row(
      int number,
      String name,
      Role role,
      long validity,
      long next,
      long recent,
      boolean subscribed) {}

  private static final int ROOM_FIRST = 3072;
  private static final DateTimeFormatter ASCTIME =
      DateTimeFormatter.ofPattern("EEE MMM dd HH:mm:ss yyyy", Locale.ROOT);
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss +0000", Locale.ROOT);
  private static final String SENDER = "MAILER-DAEMON";

  /// A second and how `From ` lines write it: deliveries of one second share it.
  private record Second(long epochSecond, String text) {}

  private static volatile @Nullable Second latest;

  /// The `From ` line of an entry, LF included.
  static byte[] fromLine(String sender, Instant saved) {
    var from = new StringBuilder(64).append("From ");
    for (int i = 0; i < sender.length(); i++) {
      char c = sender.charAt(i);
      from.append(c > ' ' && c < 0x7f ? c : '-');
    }
    from.append(' ');
    var second = latest;
    if (second == null || second.epochSecond != saved.getEpochSecond()) {
      second = new Second(saved.getEpochSecond(), ASCTIME.format(saved.atOffset(ZoneOffset.UTC)));
      latest = second;
    }
    from.append(second.text);
    return Ledger.ascii(from.append('\n').toString());
  }

  /// The room a table needs with space to grow in.
  static int roomFor(Table table, int least) {
    int needed = rows(table).length + 2048;
    int room = Math.max(ROOM_FIRST, least);
    while (room < needed) {
      room *= 2;
    }
    return room;
  }

  /// The whole entry; null when the table does not fit the room.
  byte @Nullable [] format() {
    var text = formatText();
    if (text == null) {
      return null;
    }
    int lines = 0;
    for (byte octet : text) {
      lines += octet == '\n' ? 1 : 0;
    }
    // Zero is the CRC of a text that changes in place; its rows carry checks of their own.
    var ledger =
        new Ledger(
            token,
            0,
            generation,
            0,
            made.getEpochSecond(),
            text.length,
            text.length + lines,
            0,
            Ledger.State.ACCOUNT,
            false,
            Marks.NONE,
            false,
            0,
            "",
            0,
            0);
    var from = fromLine(SENDER, made);
    var line = ledger.format();
    var entry = Arrays.copyOf(from, from.length + line.length + text.length + 1);
    System.arraycopy(line, 0, entry, from.length, line.length);
    System.arraycopy(text, 0, entry, from.length + line.length, text.length);
    entry[entry.length - 1] = '\n';
    return entry;
  }

  /// Octets before the text.
  static int textOffset() {
    return 5 + SENDER.length() + 1 + 24 + 1 + Ledger.LINE;
  }

  /// The text alone; null when the table does not fit the room.
  byte @Nullable [] formatText() {
    var head =
        """
        Date: %s
        From: Mail System Internal Data <MAILER-DAEMON@%s>
        Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA
        Message-ID: <%s@%s>
        X-IMAP: %010d 0000000000
        Status: RO

        This text is part of the mailbox and not a real message. Longhand keeps here what it must know
        of the mailboxes; if it is deleted, they get new names for their messages.

        """
            .formatted(
                DATE.format(made.atOffset(ZoneOffset.UTC)),
                table.address.domain(),
                token,
                table.address.domain(),
                made.getEpochSecond())
            .getBytes(StandardCharsets.UTF_8);
    var rows = rows(table);
    if (head.length + rows.length + 1 > room) {
      return null;
    }
    var text = Arrays.copyOf(head, room);
    System.arraycopy(rows, 0, text, head.length, rows.length);
    Arrays.fill(text, head.length + rows.length, room, (byte) ' ');
    for (int i = head.length + rows.length + 79; i < room; i += 80) {
      text[i] = '\n';
    }
    text[room - 1] = '\n';
    return text;
  }

  private static byte[] rows(Table table) {
    var out = new ByteArrayOutputStream();
    line(out, "account " + escape(table.address.toString()) + " format 1");
    line(
        out,
        String.format(
            Locale.ROOT,
            "next modseq %016d id %010d mailbox %010d",
            table.modseq,
            table.id,
            table.mailbox));
    for (var row : table.rows) {
      line(
          out,
          String.format(
              Locale.ROOT,
              "mailbox %010d validity %010d next %010d recent %010d role %s subscribed %s name %s",
              row.number,
              row.validity,
              row.next,
              row.recent,
              row.role,
              row.subscribed ? "yes" : "no",
              escape(row.name)));
    }
    for (var name : table.subscriptions) {
      line(out, "subscription " + escape(name));
    }
    line(out, "end");
    return out.toByteArray();
  }

  private static void line(ByteArrayOutputStream out, String text) {
    var octets = text.getBytes(StandardCharsets.UTF_8);
    out.writeBytes(octets);
    out.writeBytes(
        Ledger.ascii(
            String.format(Locale.ROOT, " %08x%n", Ledger.crc(octets, 0, octets.length))
                .replace(System.lineSeparator(), "\n")));
  }

  private static String escape(String name) {
    var out = new StringBuilder();
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (c <= ' ' || c == '%' || c == 0x7f) {
        out.append('%').append(String.format(Locale.ROOT, "%02X", (int) c));
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }

  private static String unescape(String text) throws DamagedException {
    var out = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '%') {
        out.append(c);
        continue;
      }
      if (i + 3 > text.length()) {
        throw new DamagedException("the account entry has a name that ends within an escape");
      }
      try {
        out.append((char) Integer.parseInt(text, i + 1, i + 3, 16));
      } catch (NumberFormatException e) {
        throw new DamagedException("the account entry has a name with an escape of no digits", e);
      }
      i += 2;
    }
    return out.toString();
  }

  /// Reads the account entry at the start of a document.
  ///
  /// @param from at least the whole entry
  static AccountEntry parse(byte[] from, int limit, Address address) throws IOException {
    int offset = textOffset();
    var ledger = limit < offset ? null : Ledger.parseLine(from, offset - Ledger.LINE, limit);
    if (ledger == null || ledger.state() != Ledger.State.ACCOUNT) {
      throw new DamagedException(
          "the document does not begin with an account entry: expected an X-Longhand line at octet "
              + (offset - Ledger.LINE));
    }
    int room = (int) ledger.length();
    // Another program may have taken fields out: then the room is less, and the rows say where they
    // end.
    int stopAt = Math.min(offset + room, limit);
    long modseq = -1;
    long id = -1;
    int mailbox = -1;
    boolean end = false;
    var rows = new ArrayList<Row>();
    var subscriptions = new ArrayList<String>();
    boolean body = false;
    int at = offset;
    while (at < stopAt && !end) {
      int stop = at;
      while (stop < stopAt && from[stop] != '\n') {
        stop++;
      }
      var line = new String(from, at, stop - at, StandardCharsets.UTF_8);
      int start = at;
      at = stop + 1;
      if (!body) {
        body = line.startsWith("account ") && line.contains(" format 1 ");
        if (!body) {
          continue;
        }
      }
      int space = line.lastIndexOf(' ');
      int octets = stop - start - 9;
      if (space < 0
          || octets < 0
          || !line.substring(space + 1)
              .equals(String.format(Locale.ROOT, "%08x", Ledger.crc(from, start, octets)))) {
        throw new DamagedException(
            "the account entry is damaged at octet " + start + ": a row fails its check");
      }
      var words = List.of(line.substring(0, space).split(" ", -1));
      switch (words.getFirst()) {
        case "account" -> {}
        case "next" -> {
          expect(words, 7, start);
          modseq = number(words.get(2));
          id = number(words.get(4));
          mailbox = (int) number(words.get(6));
        }
        case "mailbox" -> {
          expect(words, 14, start);
          rows.add(mailboxRow(words));
        }
        case "subscription" -> {
          expect(words, 2, start);
          subscriptions.add(unescape(words.get(1)));
        }
        case "end" -> end = true;
        default -> throw new DamagedException("the account entry has an unknown row at " + start);
      }
    }
    if (!end || modseq < 0) {
      throw new DamagedException("the account entry's table has no end");
    }
    return new AccountEntry(
        ledger.token(),
        ledger.uid(),
        Instant.ofEpochSecond(ledger.saved()),
        room,
        new Table(address, modseq, id, mailbox, rows, subscriptions));
  }

  /// What is told of rows that pass their checks.
  interface Rows {
    void next(long modseq, long id, int mailbox);

    void mailbox(Row row);

    void subscription(String name);
  }

  /// Tells of the row on a line of a damaged table, when it is one and passes its check.
  static void salvage(byte[] from, int start, int stop, Rows rows) {
    int octets = stop - start - 9;
    if (octets <= 0
        || !new String(from, start + octets, 9, StandardCharsets.ISO_8859_1)
            .equals(String.format(Locale.ROOT, " %08x", Ledger.crc(from, start, octets)))) {
      return;
    }
    var words = List.of(new String(from, start, octets, StandardCharsets.UTF_8).split(" ", -1));
    try {
      if (words.getFirst().equals("next") && words.size() == 7) {
        rows.next(number(words.get(2)), number(words.get(4)), (int) number(words.get(6)));
      } else if (words.getFirst().equals("mailbox") && words.size() == 14) {
        rows.mailbox(mailboxRow(words));
      } else if (words.getFirst().equals("subscription") && words.size() == 2) {
        rows.subscription(unescape(words.get(1)));
      }
    } catch (DamagedException e) {
      // The check is right and the row is not: not ours after all.
      System.getLogger(AccountEntry.class.getName())
          .log(System.Logger.Level.DEBUG, "a row that cannot be used", e);
    }
  }

  private static Row mailboxRow(List<String> words) throws DamagedException {
    return new Row(
        (int) number(words.get(1)),
        unescape(words.get(13)),
        role(words.get(9)),
        number(words.get(3)),
        number(words.get(5)),
        number(words.get(7)),
        words.get(11).equals("yes"));
  }

  private static void expect(List<String> words, int count, int at) throws DamagedException {
    if (words.size() != count) {
      throw new DamagedException(
          "the account entry's row at octet "
              + at
              + " has "
              + words.size()
              + " words, expected "
              + count);
    }
  }

  private static long number(String digits) throws DamagedException {
    try {
      return Long.parseLong(digits);
    } catch (NumberFormatException e) {
      throw new DamagedException("the account entry has \"" + digits + "\" for a number", e);
    }
  }

  private static Role role(String name) throws DamagedException {
    for (var role : Role.values()) {
      if (role.name().equals(name)) {
        return role;
      }
    }
    throw new DamagedException("the account entry has an unknown role");
  }
}
