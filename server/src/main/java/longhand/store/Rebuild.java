package longhand.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import longhand.disk.Disk;
import longhand.disk.DiskFile;
import longhand.mail.Address;
import org.jspecify.annotations.Nullable;

/// Gives a document whose account entry is lost or damaged a new one, made of what the entries say
/// and of the rows that still pass their checks. The token is that of the ledgers; mailboxes
/// without a row get their number and name from the X-Mailbox lines and a UIDVALIDITY of now, since
/// what UIDs were given out and expunged is not known any more; ids, UIDs, marks and texts stay as
/// they are.
///
/// The document is written anew as by any rewrite: whole beside the old one, forced, then renamed.
/// What stood in the place of the account entry is kept in the data folder's `damaged`.
final class Rebuild {

  /// How far ids, modseqs and mailbox numbers jump when their floors are lost, so that none is used
  /// twice for all that is known.
  private static final int JUMP = 1_000_000;

  private static final int WINDOW = 1 << 16;
  private static final String SUBJECT = "DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA";

  private final Disk disk;
  private final Path path;
  private final Path aside;
  private final Address address;
  private final Instant now;
  private final String freshToken;
  private final List<String> told = new ArrayList<>();

  /// @param aside where what stood in the account entry's place is kept
  /// @param freshToken for a document in which no ledger is left
  Rebuild(Disk disk, Path path, Path aside, Address address, Instant now, String freshToken) {
    this.disk = disk;
    this.path = path;
    this.aside = aside;
    this.address = address;
    this.now = AccountReader.timeMade(now);
    this.freshToken = freshToken;
  }

  /// What is known of a mailbox from entries.
  private static final class Seen {
    String name = "";
    long next = 1;
  }

  /// Repairs the document, when it needs it; what was done, a line each.
  List<String> repair() throws IOException {
    try (var file = disk.open(path, Disk.Mode.WRITE)) {
      long size = file.size();
      // Enough for a table of as many mailboxes as there may be, with the longest names.
      var head = new byte[(int) Math.min(size, 16 << 20)];
      file.read(ByteBuffer.wrap(head), 0);
      if (intact(head)) {
        return told;
      }
      replace(file, size, head);
      return told;
    }
  }

  private boolean intact(byte[] head) {
    try {
      var entry = AccountEntry.parse(head, head.length, address);
      return entry.table().rows().stream().anyMatch(row -> row.number() == Mailbox.INBOX);
    } catch (IOException e) {
      told.add("a new account entry is made: " + e.getMessage());
      return false;
    }
  }

  private void replace(DiskFile file, long size, byte[] head) throws IOException {
    var line =
        head.length < AccountEntry.textOffset()
            ? null
            : Ledger.parseLine(head, AccountEntry.textOffset() - Ledger.LINE, head.length);
    boolean own = line != null && line.state() == Ledger.State.ACCOUNT;
    long first = firstMessage(file, size, head, own ? line : null);
    var token = own && line != null ? line.token() : token(file, size, first);
    var salvage = salvage(head, (int) Math.min(head.length, first));
    var seen = new TreeMap<Integer, Seen>();
    long id = salvage.id;
    long modseq = salvage.modseq;
    for (long at = first; at < size; ) {
      var scan = new DocumentScan(file, at, size, token);
      for (var found = scan.next(); found != null; found = scan.next()) {
        var ledger = found.ledger();
        id = Math.max(id, ledger.id() + 1);
        modseq = Math.max(modseq, ledger.modseq());
        var mailbox = seen.computeIfAbsent(ledger.mailbox(), _ -> new Seen());
        mailbox.next = Math.max(mailbox.next, ledger.uid() + 1);
        mailbox.name = ledger.mailboxName();
      }
      at =
          scan.position() < size
              ? new Outside(file, size, token).nextMessage(scan.position())
              : size;
    }
    if (!salvage.floors) {
      id += JUMP;
      modseq += JUMP;
    }
    var rows = rows(salvage, seen);
    int nextMailbox = salvage.nextMailbox;
    for (var row : rows) {
      nextMailbox = Math.max(nextMailbox, row.number() + 1);
    }
    var table =
        new AccountEntry.Table(address, modseq, id, nextMailbox, rows, salvage.subscriptions);
    long generation =
        own && line != null ? line.uid() + 1 : Math.max(2, now.getEpochSecond() & 0xffffffffL);
    var made = own && line != null ? Instant.ofEpochSecond(line.saved()) : now;
    var whole =
        new AccountEntry(token, generation, made, AccountEntry.roomFor(table, 0), table).format();
    if (whole == null) {
      throw new IllegalStateException("the table does not fit the room made for it");
    }
    if (first > 0) {
      keepAside(file, first);
    }
    var rewriter = new Rewriter(disk, path, Rewriter.SUFFIX);
    boolean done = false;
    try (var _ = rewriter.file()) {
      rewriter.add(whole);
      rewriter.copy(file, first, size - first);
      rewriter.force();
      rewriter.takePlace();
      done = true;
      told.add(rows.size() + " mailboxes, next id " + id);
    } finally {
      if (!done) {
        rewriter.discard();
      }
    }
  }

  /// Where the messages begin: behind the account entry, or what is left of it.
  private static long firstMessage(DiskFile file, long size, byte[] head, @Nullable Ledger line)
      throws IOException {
    if (size == 0) {
      return 0;
    }
    var reader = new Outside(file, size, "");
    if (line != null) {
      long end = AccountEntry.textOffset() + line.length() + 1;
      var probe = new byte[5];
      if (end == size
          || (file.read(ByteBuffer.wrap(probe), end) == 5
              && new String(probe, StandardCharsets.ISO_8859_1).equals("From "))) {
        return end;
      }
      return reader.nextMessage(0);
    }
    long next = reader.nextMessage(0);
    var text = new String(head, 0, (int) Math.min(head.length, next), StandardCharsets.ISO_8859_1);
    // A message stands first when the account entry was deleted; what is neither is damage.
    boolean message = text.startsWith("From ") && !text.contains(SUBJECT) && !text.contains(" A- ");
    return message ? 0 : next;
  }

  /// The token of most ledgers: a few of another document may have come in from outside.
  private String token(DiskFile file, long size, long first) throws IOException {
    var counts = new HashMap<String, Integer>();
    var best = freshToken;
    var reader = new Outside(file, size, "");
    var window = new byte[WINDOW];
    for (long at = first; at < size; ) {
      int n = Math.max(0, file.read(ByteBuffer.wrap(window), at));
      int line = 0;
      while (line < n && window[line] != '\n') {
        line++;
      }
      var ledger = Ledger.parseLine(window, line + 1, n);
      if (ledger == null) {
        at = reader.nextMessage(at);
        continue;
      }
      int count = counts.merge(ledger.token(), 1, Integer::sum);
      if (count > counts.getOrDefault(best, 0) || counts.size() == 1) {
        best = ledger.token();
      }
      var scan = new DocumentScan(file, at, size, ledger.token());
      at = scan.next() == null ? reader.nextMessage(at) : scan.position();
    }
    return best;
  }

  /// What still passes its check in the old table.
  private static final class Salvage {
    final Map<Integer, AccountEntry.Row> rows = new TreeMap<>();
    final List<String> subscriptions = new ArrayList<>();
    boolean floors;
    long id = 1;
    long modseq;
    int nextMailbox = 1;
  }

  private static Salvage salvage(byte[] head, int limit) {
    var salvage = new Salvage();
    int at = 0;
    while (at < limit) {
      int stop = at;
      while (stop < limit && head[stop] != '\n') {
        stop++;
      }
      AccountEntry.salvage(
          head,
          at,
          stop,
          new AccountEntry.Rows() {
            @Override
            public void next(long modseq, long id, int mailbox) {
              salvage.floors = true;
              salvage.modseq = modseq;
              salvage.id = id;
              salvage.nextMailbox = mailbox;
            }

            @Override
            public void mailbox(AccountEntry.Row row) {
              salvage.rows.putIfAbsent(row.number(), row);
            }

            @Override
            public void subscription(String name) {
              salvage.subscriptions.add(name);
            }
          });
      at = stop + 1;
    }
    return salvage;
  }

  private List<AccountEntry.Row> rows(Salvage salvage, Map<Integer, Seen> seen) {
    var rows = new TreeMap<>(salvage.rows);
    var names = new TreeSet<String>();
    long validity = now.getEpochSecond();
    for (var row : salvage.rows.values()) {
      names.add(row.name());
      validity = Math.max(validity, row.validity() + 1);
    }
    seen.computeIfAbsent(Mailbox.INBOX, _ -> new Seen());
    var usual = List.of("INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash");
    // A mailbox that no table names was removed, when the floors say that its number was given out
    // and all rows are there; with a damaged table, its entries are kept.
    for (var each : seen.entrySet()) {
      int number = each.getKey();
      if (number < 1 || rows.containsKey(number)) {
        continue;
      }
      var name = number == Mailbox.INBOX ? "INBOX" : each.getValue().name;
      if (name.isEmpty() || (number != Mailbox.INBOX && name.equalsIgnoreCase("INBOX"))) {
        name = "Mailbox " + number;
      }
      if (!names.add(name)) {
        name = name + " (" + number + ")";
        names.add(name);
      }
      int role = usual.indexOf(name);
      rows.put(
          number,
          row(
              number,
              name,
              role < 0 ? Role.NONE : ROLES.get(role),
              validity,
              each.getValue().next));
      told.add("mailbox " + number + " \"" + name + "\" gets a new UIDVALIDITY");
    }
    if (salvage.rows.isEmpty()) {
      // The usual ones, where they were empty.
      int number = Math.max(rows.lastEntry().getKey() + 1, 2);
      for (int i = 1; i < usual.size(); i++) {
        if (names.add(usual.get(i))) {
          int free = rows.containsKey(i + 1) ? number++ : i + 1;
          rows.put(free, row(free, usual.get(i), ROLES.get(i), validity, 1));
          number = Math.max(number, free + 1);
        }
      }
    }
    return List.copyOf(rows.values());
  }

  private static final List<Role> ROLES =
      List.of(Role.INBOX, Role.ARCHIVE, Role.DRAFTS, Role.JUNK, Role.SENT, Role.TRASH);

  private static AccountEntry.Row row(
      int number, String name, Role role, long validity, long next) {
    return new AccountEntry.Row(number, name, role, validity, next, next, true);
  }

  private void keepAside(DiskFile file, long length) throws IOException {
    disk.createFolders(aside.getParent() == null ? aside : aside.getParent());
    var kept = aside.resolveSibling(aside.getFileName() + "." + now.getEpochSecond());
    try (var out = disk.open(kept, Disk.Mode.REPLACE)) {
      file.copyTo(0, length, out, 0);
      out.force(true);
    }
    told.add("what stood in its place is kept in " + kept);
  }
}
