package longhand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import longhand.Seed;
import longhand.check.Checker;
import longhand.check.Finding;
import longhand.disk.FileSystemDisk;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The real server as a process of its own, killed with SIGKILL at random while clients deliver,
/// append, mark, move, copy and expunge messages, make and delete mailboxes, and delete over POP3.
/// What it acknowledged is kept here, outside of it; after each start everything is read by IMAP,
/// POP3, the offline check and Python, and compared (invariants I1 to I3, I6). Once it is stopped
/// and continued. `-Dlonghand.rounds=500` goes on for longer, `-Dlonghand.seed=` repeats the
/// choices.
class KillLoopTest {

  private static final String USER = "jbob@example.com";
  private static final int STOPPED_ROUND = 3;
  private static final int ROUNDS = Integer.getInteger("longhand.rounds", 20);
  private static final long START_NANOS = TimeUnit.SECONDS.toNanos(30);

  @TempDir Path folder;
  private int smtpPort;
  private int imapPort;
  private int popPort;

  // What is known of each message, by its number.
  private final Map<Integer, Message> ledger = new TreeMap<>();
  private final Map<String, Integer> uidsSeen = new HashMap<>();
  private final Map<String, Long> nextUid = new HashMap<>();
  private int number;
  private Map<Integer, Integer> copied = Map.of();

  /// Mailboxes made and deleted, and whether they are there; empty is not known.
  private final Map<String, Optional<Boolean>> mailboxes = new TreeMap<>();

  /// What was acknowledged, how often.
  private final Map<Done, Integer> acknowledged = new EnumMap<>(Done.class);

  private enum Done {
    DELIVERED,
    APPENDED,
    MARKED,
    MOVED,
    COPIED,
    EXPUNGED,
    DELETED_BY_POP3,
    MAILBOX_MADE,
    MAILBOX_DELETED
  }

  private enum Sent {
    NOT_ACKNOWLEDGED,
    ACKNOWLEDGED
  }

  /// A message and what its server acknowledged of it; `...Maybe` is what was under way.
  private static final class Message {
    final int number;
    Sent sent = Sent.NOT_ACKNOWLEDGED;
    Set<String> flags = new TreeSet<>();
    List<Set<String>> flagsMaybe = new ArrayList<>();
    String mailbox;
    List<String> mailboxMaybe = new ArrayList<>();
    boolean expunged;
    boolean expungedMaybe;
    int copies;
    int copiesMaybe;

    Message(int number, String mailbox) {
      this.number = number;
      this.mailbox = mailbox;
    }
  }

  @Test
  void whatWasAcknowledgedSurvives() throws Exception {
    long seed = Seed.value();
    System.out.println("kill loop: " + ROUNDS + " rounds, seed " + seed);
    var random = new Random(seed);
    prepare();
    for (int round = 1; round <= ROUNDS; round++) {
      try (var server = start()) {
        verify(round);
        if (round == 1 || round % 50 == 0) {
          refusesASecond();
        }
        var workers = new ArrayList<Thread>();
        for (int i = 0; i < 5; i++) {
          int kind = i;
          long own = random.nextLong();
          workers.add(Thread.ofPlatform().start(() -> work(kind, new Random(own))));
        }
        Thread.sleep(5 + random.nextInt(496));
        if (round == STOPPED_ROUND) {
          stopAndContinue(server.process);
        }
        server.process.destroyForcibly();
        assertThat(server.process.waitFor(10, TimeUnit.SECONDS)).isTrue();
        for (var worker : workers) {
          worker.join(20_000);
          assertThat(worker.isAlive()).as("a client hangs").isFalse();
        }
      } catch (AssertionError e) {
        throw new AssertionError("round " + round + ", seed " + seed + ": " + e.getMessage(), e);
      }
      var findings = new ArrayList<Finding>();
      new Checker(new FileSystemDisk(), folder.resolve("data"), findings::add).check(null);
      findings.removeIf(each -> each.severity() == Finding.Severity.NOTE);
      assertThat(findings).as("round %d, seed %d", round, seed).isEmpty();
    }
    try (var _ = start()) {
      verify(ROUNDS + 1);
    }
    System.out.println("kill loop: acknowledged and there: " + acknowledged);
    if (ROUNDS >= 20) {
      assertThat(acknowledged).as("what was tried at all").containsOnlyKeys(Done.values());
    }
  }

  private synchronized void done(Done what) {
    acknowledged.merge(what, 1, Integer::sum);
  }

  /// While the server stands still nothing is answered and no second one starts; then all goes on.
  private void stopAndContinue(Process server) throws Exception {
    signal(server, "STOP");
    try {
      var before = acknowledgedNow();
      refusesASecond();
      assertThat(acknowledgedNow()).as("answered by a server that stands still").isEqualTo(before);
    } finally {
      signal(server, "CONT");
    }
    long began = System.nanoTime();
    int before = total(acknowledgedNow());
    while (total(acknowledgedNow()) < before + 20) {
      assertThat(System.nanoTime() - began).as("it does not go on").isLessThan(START_NANOS);
      Thread.sleep(10);
    }
  }

  private static int total(Map<Done, Integer> counts) {
    return counts.values().stream().mapToInt(Integer::intValue).sum();
  }

  private synchronized Map<Done, Integer> acknowledgedNow() {
    return new EnumMap<>(acknowledged);
  }

  private static void signal(Process process, String name) throws Exception {
    var kill = new ProcessBuilder("/bin/sh", "-c", "kill -" + name + " " + process.pid()).start();
    assertThat(kill.waitFor(10, TimeUnit.SECONDS)).isTrue();
    assertThat(kill.exitValue()).isZero();
    if (name.equals("STOP")) {
      // Answers that were on their way arrive before.
      Thread.sleep(300);
    }
  }

  private void prepare() throws Exception {
    smtpPort = freePort();
    imapPort = freePort();
    popPort = freePort();
    Files.writeString(
        folder.resolve("longhand.toml"),
        """
        hostname = "mx.example.com"
        data = "data"
        [[domain]]
        name = "example.com"
        [[listener]]
        protocol = "smtp"
        address = "127.0.0.1:%d"
        tls = "none"
        [[listener]]
        protocol = "imap"
        address = "127.0.0.1:%d"
        tls = "none"
        plaintext-login = true
        [[listener]]
        protocol = "pop3"
        address = "127.0.0.1:%d"
        tls = "none"
        plaintext-login = true
        [log]
        level = "warning"
        """
            .formatted(smtpPort, imapPort, popPort));
    var secret = Files.writeString(folder.resolve("password"), "secret\n");
    assertThat(
            Main.run(
                "account",
                "add",
                USER,
                "--password-file",
                secret.toString(),
                "--config",
                folder.resolve("longhand.toml").toString()))
        .isZero();
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private record Running(Process process) implements Closeable {
    @Override
    public void close() {
      process.destroyForcibly();
    }
  }

  private Process launch(String log) throws IOException {
    return Commands.launch(
        folder.resolve(log), "serve", "--config", folder.resolve("longhand.toml").toString());
  }

  private Running start() throws Exception {
    var process = launch("server.log");
    long began = System.nanoTime();
    while (System.nanoTime() - began < START_NANOS) {
      if (!process.isAlive()) {
        fail("the server ended: " + Files.readString(folder.resolve("server.log")));
      }
      try (var _ = new Client(popPort)) {
        return new Running(process);
      } catch (IOException e) {
        Thread.sleep(20);
      }
    }
    process.destroyForcibly();
    return fail("the server does not greet: " + Files.readString(folder.resolve("server.log")));
  }

  private void refusesASecond() throws Exception {
    var second = launch("second.log");
    try {
      assertThat(second.waitFor(30, TimeUnit.SECONDS)).isTrue();
    } finally {
      second.destroyForcibly();
    }
    refused(second, "second.log");
  }

  private void refused(Process process, String log) throws IOException {
    assertThat(process.exitValue()).isEqualTo(ExitCode.UNAVAILABLE);
    assertThat(Files.readAllLines(folder.resolve(log)))
        .containsExactly(
            "longhand: another server has "
                + folder.resolve("data")
                + " open (it holds longhand.lock there); stop it first");
  }

  /// Right after a kill two start at once: one has the folder, the other says why not.
  @Test
  void ofTwoStartedAfterAKillOneRuns() throws Exception {
    prepare();
    for (int round = 0; round < 3; round++) {
      start().close();
      var first = launch("first.log");
      var second = launch("second.log");
      try {
        long began = System.nanoTime();
        while (first.isAlive() && second.isAlive()) {
          assertThat(System.nanoTime() - began).isLessThan(START_NANOS);
          Thread.sleep(10);
        }
        var ended = first.isAlive() ? second : first;
        refused(ended, ended.equals(first) ? "first.log" : "second.log");
        while (true) {
          try (var _ = new Client(popPort)) {
            break;
          } catch (IOException e) {
            assertThat(System.nanoTime() - began).isLessThan(START_NANOS);
            Thread.sleep(20);
          }
        }
      } finally {
        for (var each : List.of(first, second)) {
          each.destroyForcibly();
          assertThat(each.waitFor(10, TimeUnit.SECONDS)).isTrue();
        }
      }
    }
  }

  // What clients do until the server is gone.

  private void work(int kind, Random random) {
    try {
      switch (kind) {
        case 0 -> deliver(random);
        case 1 -> append(random);
        case 4 -> deleteByPop3(random);
        default -> change(random, kind);
      }
    } catch (IOException e) {
      // The server was killed; what was under way stays as noted.
    }
  }

  private synchronized Message message(String mailbox) {
    var message = new Message(++number, mailbox);
    ledger.put(message.number, message);
    return message;
  }

  /// A message whose text tells its number and whether all of it is there.
  private static byte[] text(int number) {
    var text = new StringBuilder("Subject: number " + number + "\r\n\r\n");
    int lines = number % 7 == 0 ? 9000 : number % 40;
    for (int i = 0; i < lines; i++) {
      text.append("line ").append(i).append(" of ").append(number).append("\r\n");
    }
    return text.append("end ")
        .append(number)
        .append("\r\n")
        .toString()
        .getBytes(StandardCharsets.US_ASCII);
  }

  private void deliver(Random random) throws IOException {
    try (var smtp = new Client(smtpPort)) {
      smtp.send("EHLO client.example.net");
      smtp.until(" ", 3);
      while (true) {
        smtp.send("MAIL FROM:<alice@example.net>");
        smtp.expect("250");
        smtp.send("RCPT TO:<" + USER + ">");
        smtp.expect("250");
        smtp.send("DATA");
        smtp.expect("354");
        var message = message("INBOX");
        smtp.octets(text(message.number));
        smtp.send(".");
        smtp.expect("250");
        acknowledged(message, Done.DELIVERED);
        pause(random);
      }
    }
  }

  private synchronized void acknowledged(Message message, Done how) {
    message.sent = Sent.ACKNOWLEDGED;
    done(how);
  }

  private static void pause(Random random) {
    if (random.nextInt(4) == 0) {
      try {
        Thread.sleep(random.nextInt(5));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private Client imap() throws IOException {
    var imap = new Client(imapPort);
    imap.command("LOGIN " + USER + " secret");
    return imap;
  }

  private void append(Random random) throws IOException {
    try (var imap = imap()) {
      while (true) {
        var message = message("Archive");
        var text = text(message.number);
        message.flags.add("\\Seen");
        imap.send("a APPEND Archive (\\Seen) {" + text.length + "}");
        imap.expect("+");
        imap.octets(text);
        imap.send("");
        imap.tagged();
        acknowledged(message, Done.APPENDED);
        pause(random);
      }
    }
  }

  /// Marks, moves and expunges messages of a part of the numbers each: two clients on one message
  /// could not tell what should be.
  private void change(Random random, int part) throws IOException {
    try (var imap = imap()) {
      while (true) {
        mailbox(imap, "box" + part + "-" + random.nextInt(5));
        var mailbox = random.nextBoolean() ? "INBOX" : "Archive";
        imap.command("SELECT " + mailbox);
        var rows = fetch(imap);
        int done = 0;
        for (var row : rows) {
          var message = known(row.number);
          if (message == null || row.number % 3 != part % 2 || random.nextInt(3) > 0) {
            continue;
          }
          switch (random.nextInt(9)) {
            case 8 -> copy(imap, message, row);
            case 0 -> move(imap, message, row, mailbox.equals("INBOX") ? "Archive" : "INBOX");
            case 1 -> expunge(imap, message, row);
            default -> mark(imap, message, row, random);
          }
          if (++done > 15) {
            break;
          }
        }
        pause(random);
      }
    }
  }

  private synchronized @Nullable Message known(int number) {
    var message = ledger.get(number);
    // Whoever sees it, has it: it may have been read before its own 250 was.
    return message == null || message.sent != Sent.ACKNOWLEDGED || message.expunged
        ? null
        : message;
  }

  private void mark(Client imap, Message message, Row row, Random random) throws IOException {
    Set<String> wanted = new TreeSet<>();
    for (var flag :
        List.of("\\Seen", "\\Flagged", "\\Answered", "\\Draft", "travel", "$Forwarded")) {
      if (random.nextBoolean()) {
        wanted.add(flag);
      }
    }
    if (random.nextInt(8) == 0) {
      // More keywords than there is room for: the entry is written anew.
      for (int i = 0; i < 6; i++) {
        wanted.add("a-rather-long-keyword-" + i);
      }
    }
    synchronized (this) {
      message.flagsMaybe.add(wanted);
    }
    imap.command("UID STORE " + row.uid + " FLAGS.SILENT (" + String.join(" ", wanted) + ")");
    synchronized (this) {
      message.flags = wanted;
      message.flagsMaybe.clear();
      done(Done.MARKED);
    }
  }

  private void move(Client imap, Message message, Row row, String to) throws IOException {
    synchronized (this) {
      message.mailboxMaybe.add(to);
    }
    imap.command("UID MOVE " + row.uid + " " + to);
    synchronized (this) {
      message.mailbox = to;
      message.mailboxMaybe.clear();
      done(Done.MOVED);
    }
  }

  private void copy(Client imap, Message message, Row row) throws IOException {
    synchronized (this) {
      message.copiesMaybe++;
    }
    imap.command("UID COPY " + row.uid + " Copies");
    synchronized (this) {
      message.copies++;
      message.copiesMaybe--;
      done(Done.COPIED);
    }
  }

  /// Makes a mailbox that is not there, and deletes one that is.
  private void mailbox(Client imap, String name) throws IOException {
    boolean there;
    synchronized (this) {
      there = mailboxes.getOrDefault(name, Optional.of(false)).orElseThrow();
      mailboxes.put(name, Optional.empty());
    }
    imap.command((there ? "DELETE " : "CREATE ") + name);
    synchronized (this) {
      mailboxes.put(name, Optional.of(!there));
      done(there ? Done.MAILBOX_DELETED : Done.MAILBOX_MADE);
    }
  }

  /// Deletes some of its own part of INBOX; QUIT acknowledges all of them at once.
  private void deleteByPop3(Random random) throws IOException {
    while (true) {
      try (var pop = new Client(popPort)) {
        pop.send("USER " + USER);
        pop.expect("+OK");
        pop.send("PASS secret");
        pop.expect("+OK");
        pop.send("STAT");
        var stat = pop.line();
        long count = digits(stat, 4);
        var deleted = new ArrayList<Message>();
        for (int i = 1; i <= count && deleted.size() < 5; i++) {
          pop.send("TOP " + i + " 0");
          pop.expect("+OK");
          int found = -1;
          for (var line = pop.line(); !line.equals("."); line = pop.line()) {
            int at = line.indexOf("Subject: number ");
            found = at < 0 ? found : (int) digits(line, at + 16);
          }
          var message = known(found);
          if (message != null && found % 3 == 2 && random.nextInt(4) == 0) {
            pop.send("DELE " + i);
            pop.expect("+OK");
            deleted.add(message);
          }
        }
        synchronized (this) {
          deleted.forEach(each -> each.expungedMaybe = true);
        }
        pop.send("QUIT");
        pop.expect("+OK");
        synchronized (this) {
          for (var each : deleted) {
            each.expunged = true;
            done(Done.DELETED_BY_POP3);
          }
        }
      }
      pause(random);
    }
  }

  private void expunge(Client imap, Message message, Row row) throws IOException {
    Set<String> deleted = new TreeSet<>(message.flags);
    deleted.add("\\Deleted");
    synchronized (this) {
      message.flagsMaybe.add(deleted);
    }
    imap.command("UID STORE " + row.uid + " +FLAGS.SILENT (\\Deleted)");
    synchronized (this) {
      message.flags = deleted;
      message.flagsMaybe.clear();
      message.expungedMaybe = true;
    }
    imap.command("UID EXPUNGE " + row.uid);
    synchronized (this) {
      message.expunged = true;
      done(Done.EXPUNGED);
    }
  }

  // What must be there.

  private record Row(int number, long uid, Set<String> flags) {}

  private static List<Row> fetch(Client imap) throws IOException {
    var rows = new ArrayList<Row>();
    for (var line : imap.command("UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")) {
      int uid = line.indexOf("UID ");
      int flags = line.indexOf("FLAGS (");
      int subject = line.indexOf("number ");
      if (uid < 0 || flags < 0 || subject < 0) {
        continue;
      }
      Set<String> set = new TreeSet<>();
      for (var flag : line.substring(flags + 7, line.indexOf(')', flags)).split(" ", -1)) {
        if (!flag.isEmpty() && !flag.equals("\\Recent")) {
          set.add(flag);
        }
      }
      rows.add(new Row((int) digits(line, subject + 7), digits(line, uid + 4), set));
    }
    return rows;
  }

  private static long digits(String text, int from) {
    int to = from;
    while (to < text.length() && Character.isDigit(text.charAt(to))) {
      to++;
    }
    return Long.parseLong(text.substring(from, to));
  }

  private synchronized void verify(int round) throws Exception {
    var where = new TreeMap<Integer, String>();
    var flags = new TreeMap<Integer, Set<String>>();
    var inbox = new ArrayList<Integer>();
    try (var imap = imap()) {
      for (var mailbox : List.of("INBOX", "Archive")) {
        long validity = 0;
        long next = 0;
        for (var line : imap.command("SELECT " + mailbox)) {
          int at = line.indexOf("UIDVALIDITY ");
          validity = at < 0 ? validity : digits(line, at + 12);
          at = line.indexOf("UIDNEXT ");
          next = at < 0 ? next : digits(line, at + 8);
        }
        assertThat(next)
            .as("UIDNEXT of %s in round %d", mailbox, round)
            .isGreaterThanOrEqualTo(nextUid.getOrDefault(mailbox + validity, 0L));
        nextUid.put(mailbox + validity, next);
        for (var row : fetch(imap)) {
          assertThat(where.put(row.number, mailbox)).as("number %d twice", row.number).isNull();
          flags.put(row.number, row.flags);
          var before = uidsSeen.put(mailbox + " " + validity + " " + row.uid, row.number);
          assertThat(before == null || before == row.number)
              .as("UID %d of %s was number %s, is %d", row.uid, mailbox, before, row.number)
              .isTrue();
          if (mailbox.equals("INBOX")) {
            inbox.add(row.number);
          }
        }
        if (round % 10 == 0 || round == ROUNDS + 1) {
          texts(imap);
        }
      }
    }
    for (var message : ledger.values()) {
      var mailbox = where.get(message.number);
      var name = "number " + message.number + " in round " + round;
      if (message.expunged) {
        assertThat(mailbox).as("%s was expunged", name).isNull();
      } else if (mailbox == null) {
        assertThat(message.sent == Sent.NOT_ACKNOWLEDGED || message.expungedMaybe)
            .as("%s was acknowledged and is gone", name)
            .isTrue();
        message.expunged = true; // it never was, or is no more; it must not come back
      } else {
        assertThat(mailbox.equals(message.mailbox) || message.mailboxMaybe.contains(mailbox))
            .as(
                "%s is in %s, expected %s or %s",
                name, mailbox, message.mailbox, message.mailboxMaybe)
            .isTrue();
        var now = Objects.requireNonNull(flags.get(message.number));
        assertThat(now.equals(message.flags) || message.flagsMaybe.contains(now))
            .as("%s has %s, expected %s or %s", name, now, message.flags, message.flagsMaybe)
            .isTrue();
        message.sent = Sent.ACKNOWLEDGED;
        message.mailbox = mailbox;
        message.flags = now;
      }
      message.flagsMaybe.clear();
      message.mailboxMaybe.clear();
      message.expungedMaybe = false;
    }
    assertThat(ledger.keySet()).containsAll(where.keySet());
    try (var imap = imap()) {
      copies(imap, round);
      mailboxes(imap, round);
    }
    pop3(inbox.size());
    if (round % 5 == 0 || round == ROUNDS + 1) {
      python(where);
    }
  }

  private void copies(Client imap, int round) throws IOException {
    if (round == 1) {
      imap.command("CREATE Copies");
    }
    imap.command("SELECT Copies");
    var seen = new HashMap<Integer, Integer>();
    for (var row : fetch(imap)) {
      seen.merge(row.number, 1, Integer::sum);
    }
    for (var message : ledger.values()) {
      int now = seen.getOrDefault(message.number, 0);
      assertThat(now)
          .as("copies of number %d in round %d", message.number, round)
          .isBetween(message.copies, message.copies + message.copiesMaybe);
      message.copies = now;
      message.copiesMaybe = 0;
    }
    copied = seen;
  }

  private void mailboxes(Client imap, int round) throws IOException {
    var listed = new TreeSet<String>();
    for (var line : imap.command("LIST \"\" box*")) {
      listed.add(line.substring(line.lastIndexOf(' ') + 1).replace("\"", ""));
    }
    mailboxes.replaceAll(
        (name, there) -> {
          boolean now = listed.contains(name);
          assertThat(there.isEmpty() || there.get() == now)
              .as("mailbox %s in round %d is %s", name, round, now ? "there" : "missing")
              .isTrue();
          return Optional.of(now);
        });
    assertThat(mailboxes.keySet()).containsAll(listed);
  }

  /// Each message whole, octet for octet.
  private static void texts(Client imap) throws IOException {
    for (var line : imap.command("UID FETCH 1:* (BODY.PEEK[])")) {
      int subject = line.indexOf("Subject: number ");
      if (subject >= 0) {
        var expected =
            new String(text((int) digits(line, subject + 16)), StandardCharsets.US_ASCII);
        assertThat(line).contains(expected + ")");
      }
    }
  }

  private void pop3(int expected) throws IOException {
    try (var pop = new Client(popPort)) {
      pop.send("USER " + USER);
      pop.expect("+OK");
      pop.send("PASS secret");
      pop.expect("+OK");
      pop.send("UIDL");
      pop.expect("+OK");
      var uidls = new TreeSet<String>();
      int lines = 0;
      for (var line = pop.line(); !line.equals("."); line = pop.line()) {
        uidls.add(line.substring(line.indexOf(' ') + 1));
        lines++;
      }
      assertThat(lines).isEqualTo(expected);
      assertThat(uidls).hasSize(lines);
      pop.send("QUIT");
      pop.expect("+OK");
    }
  }

  /// Python's mailbox module sees the same messages, those that are not marked dead.
  private void python(Map<Integer, String> where) throws Exception {
    if (!Files.isExecutable(Path.of("/usr/bin/python3")) || where.isEmpty()) {
      return;
    }
    var script =
        """
        import mailbox, sys
        box = mailbox.mbox(sys.argv[1], create=False)
        for m in box:
            s = str(m['Subject'])
            if s.startswith('number ') and ' L' in str(m['X-Longhand']):
                print(s[7:].strip())
        """;
    // The journal may hold what the document has not yet: settled is what a second later is there.
    long began = System.nanoTime();
    Set<String> seen = Set.of();
    var wanted = new TreeSet<String>();
    where.keySet().forEach(each -> wanted.add(Integer.toString(each)));
    copied.keySet().forEach(each -> wanted.add(Integer.toString(each)));
    while (System.nanoTime() - began < TimeUnit.SECONDS.toNanos(15)) {
      var process =
          new ProcessBuilder(
                  "/usr/bin/python3",
                  "-c",
                  script,
                  folder.resolve("data/mail/example.com/jbob").toString())
              .redirectErrorStream(true)
              .start();
      var lines =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines();
      seen = new TreeSet<>(lines.toList());
      if (seen.equals(wanted)) {
        return;
      }
      Thread.sleep(500);
    }
    assertThat(seen).as("what Python sees").isEqualTo(wanted);
  }

  /// A connection that speaks lines.
  private static final class Client implements Closeable {

    private final Socket socket = new Socket();
    private final InputStream in;

    Client(int port) throws IOException {
      boolean open = false;
      try {
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 5000);
        socket.setSoTimeout(15_000);
        socket.setTcpNoDelay(true);
        in = new BufferedInputStream(socket.getInputStream(), 1 << 16);
        line();
        open = true;
      } finally {
        if (!open) {
          socket.close();
        }
      }
    }

    void send(String line) throws IOException {
      octets((line + "\r\n").getBytes(StandardCharsets.US_ASCII));
    }

    void octets(byte[] octets) throws IOException {
      socket.getOutputStream().write(octets);
    }

    String line() throws IOException {
      var line = new StringBuilder();
      for (int octet = in.read(); octet != '\n'; octet = in.read()) {
        if (octet < 0) {
          throw new IOException("the server is gone");
        }
        if (octet != '\r') {
          line.append((char) octet);
        }
      }
      return line.toString();
    }

    void expect(String start) throws IOException {
      var line = line();
      if (!line.startsWith(start)) {
        throw new IOException("expected " + start + ", got " + line);
      }
    }

    /// Reads lines until one has that text at that place.
    void until(String text, int at) throws IOException {
      while (!line().startsWith(text, at)) {
        // the next
      }
    }

    /// The answers to a command, literals in them, which must end with OK.
    List<String> command(String command) throws IOException {
      send("a " + command);
      return tagged();
    }

    List<String> tagged() throws IOException {
      var lines = new ArrayList<String>();
      while (true) {
        var line = line();
        while (line.endsWith("}") && line.startsWith("* ")) {
          var octets = in.readNBytes((int) digits(line, line.lastIndexOf('{') + 1));
          line = line + "\n" + new String(octets, StandardCharsets.ISO_8859_1) + line();
        }
        if (line.startsWith("a ")) {
          if (!line.startsWith("a OK")) {
            throw new IOException(line);
          }
          return lines;
        }
        lines.add(line);
      }
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
