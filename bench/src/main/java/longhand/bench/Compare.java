package longhand.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// The whole comparison: for each group of measures, round after round, Longhand and then its
/// peers, each started with nothing and removed after; at the end the table. The script
/// `bench/compare` builds everything and starts this.
public final class Compare {

  private static final String USAGE =
      """
      Usage: bench/compare [--quick] [--only NAME]... [--rounds N] [--longhand-only] [--write] [--folder DIR]

        --quick          small loads, one round
        --only NAME      one of: smtp relay append pop3 mailbox idle growth; may be given again
        --rounds N       rounds of Longhand and its peers in turn (3); medians are shown
        --longhand-only  without Postfix and Dovecot
        --write          writes docs/performance.md
        --folder DIR     where the servers' data is kept during the run ($TMPDIR or /tmp);
                         the file system there is part of what is measured
      """;

  private final Path home;
  private final Path work;
  private final Scale scale;
  private final Samples samples = new Samples();

  private Compare(Path home, Path work, Scale scale) {
    this.home = home;
    this.work = work;
    this.scale = scale;
  }

  private record Options(
      boolean quick, Set<Group> groups, int rounds, boolean peers, boolean write, Path folder) {}

  /// Runs it.
  ///
  /// @param arguments the checkout's folder, then the options
  public static void main(String... arguments) throws IOException, InterruptedException {
    if (List.of(arguments).contains("--help")) {
      System.out.print(USAGE);
      return;
    }
    Options options;
    try {
      options = options(List.of(arguments).subList(1, arguments.length));
    } catch (IllegalArgumentException e) {
      System.err.print(e.getMessage() + "\n" + USAGE);
      System.exit(64);
      return;
    }
    var work = Files.createTempDirectory(options.folder(), "longhand-bench.");
    Files.setPosixFilePermissions(work, PosixFilePermissions.fromString("rwxr-xr-x"));
    var scale = options.quick() ? Scale.QUICK : Scale.FULL;
    var compare = new Compare(Path.of(arguments[0]), work, scale);
    Runtime.getRuntime().addShutdownHook(new Thread(compare::clear));
    boolean peers = options.peers() && PostfixDovecot.available();
    if (options.peers() && !peers) {
      System.err.println(
          "Postfix and Dovecot are left out: they need root, and the packages postfix, dovecot-core,"
              + " dovecot-imapd, dovecot-pop3d and dovecot-lmtpd");
    }
    for (var group : options.groups()) {
      for (int round = 1; round <= options.rounds(); round++) {
        System.err.println(
            group.name().toLowerCase(Locale.ROOT) + ", round " + round + " of " + options.rounds());
        compare.round(group, round, peers);
      }
    }
    var report = new Report(compare.samples);
    System.out.print(report.text());
    if (options.write()) {
      report.write(Path.of(arguments[0], "docs/performance.md"), scale, options.rounds(), work);
    }
  }

  private static Options options(List<String> arguments) {
    boolean quick = false;
    var groups = EnumSet.noneOf(Group.class);
    int rounds = 0;
    boolean peers = true;
    boolean write = false;
    var folder = Path.of(System.getenv().getOrDefault("TMPDIR", "/tmp"));
    var left = new ArrayList<>(arguments);
    while (!left.isEmpty()) {
      var option = left.removeFirst();
      switch (option) {
        case "--quick" -> quick = true;
        case "--longhand-only" -> peers = false;
        case "--write" -> write = true;
        case "--only" -> groups.add(Group.valueOf(value(option, left).toUpperCase(Locale.ROOT)));
        case "--rounds" -> rounds = Integer.parseInt(value(option, left));
        case "--folder" -> folder = Path.of(value(option, left));
        default -> throw new IllegalArgumentException("unknown option " + option);
      }
    }
    if (rounds < 0 || rounds > 99) {
      throw new IllegalArgumentException("rounds are 1 to 99");
    }
    return new Options(
        quick,
        groups.isEmpty() ? EnumSet.allOf(Group.class) : groups,
        rounds == 0 ? (quick ? 1 : 3) : rounds,
        peers,
        write,
        folder);
  }

  private static String value(String option, List<String> left) {
    if (left.isEmpty()) {
      throw new IllegalArgumentException(option + " needs a value");
    }
    return left.removeFirst();
  }

  private void round(Group group, int round, boolean peers)
      throws IOException, InterruptedException {
    measure(group, LonghandServer.prepare(home, work.resolve("longhand")));
    if (!peers) {
      return;
    }
    switch (group) {
      case RELAY ->
          measure(
              group,
              PostfixDovecot.prepare(PostfixDovecot.Format.MDBOX, false, work.resolve("peer")));
      case SMTP, APPEND, POP3, MAILBOX -> {
        for (var format : PostfixDovecot.Format.values()) {
          measure(group, PostfixDovecot.prepare(format, false, work.resolve("peer")));
        }
      }
      case IDLE -> {
        if (round == 1) {
          // Thousands of processes: once is enough.
          var format = PostfixDovecot.Format.MDBOX;
          measure(group, PostfixDovecot.prepare(format, false, work.resolve("peer")));
          measure(group, PostfixDovecot.prepare(format, true, work.resolve("peer")));
        }
      }
      case GROWTH -> {
        // Longhand against itself.
      }
    }
  }

  private void measure(Group group, MailServer server) throws IOException, InterruptedException {
    try (server) {
      server.start();
      group.run(server, scale, samples);
    } catch (IOException e) {
      throw new IOException(
          server.name() + " in " + group + ": " + e.getMessage() + "\n" + logs(server), e);
    }
  }

  private static String logs(MailServer server) throws IOException {
    return Processes.tail(server.folder().resolve("log"))
        + "\n"
        + Processes.tail(server.folder().resolve("dovecot.log"));
  }

  /// At the end of the process, an early one too: nothing of ours stays behind.
  private void clear() {
    try {
      Processes.endAll();
      for (int tries = 1; ; tries++) {
        try {
          Processes.remove(work);
          return;
        } catch (IOException e) {
          // The main thread may be at it too.
          if (tries == 20) {
            System.err.println(work + " is left behind: " + e);
            return;
          }
          TimeUnit.MILLISECONDS.sleep(100);
        }
      }
    } catch (IOException e) {
      System.err.println(work + " is left behind: " + e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
