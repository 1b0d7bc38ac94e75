package longhand.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The table of figures, as text to look at and as the document `docs/performance.md`.
final class Report {

  private static final String LONGHAND = "Longhand";

  private final Samples samples;

  Report(Samples samples) {
    this.samples = samples;
  }

  /// What stands beside Longhand.
  private record Peer(String name, double value) {}

  /// One line of the table, as texts.
  private record Row(
      String title,
      String unit,
      String longhand,
      String peer,
      String ratio,
      String bar,
      String met) {}

  /// The table, with all values of all servers below it.
  String text() {
    var out = new StringBuilder();
    var format = "%-58s %-10s %10s  %-26s %7s  %-22s %s%n";
    out.append(format.formatted("", "", LONGHAND, "best peer", "ratio", "asked", "met"));
    for (var row : rows()) {
      out.append(
          format.formatted(
              row.title(),
              row.unit(),
              row.longhand(),
              row.peer(),
              row.ratio(),
              row.bar(),
              row.met()));
    }
    return out.toString();
  }

  /// Writes the document.
  void write(Path file, Scale scale, int rounds, Path folder)
      throws IOException, InterruptedException {
    var out = new StringBuilder();
    out.append(
        """
        # Performance

        <!-- Written by bench/compare --write; figures of a real run, nothing by hand. -->

        Longhand beside Postfix with Dovecot: the same load on each in turn, rounds: %d, medians. Each server does
        the same work for %d seconds before it is measured over SMTP, APPEND and POP3. Measured on %s%s.

        | | |
        |---|---|
        """
            .formatted(
                rounds,
                scale.warmSeconds(),
                LocalDate.now(ZoneOffset.UTC),
                scale.equals(Scale.QUICK)
                    ? ", with small loads: rough, and Java still warming up"
                    : ""));
    for (var line : machine(folder)) {
      out.append("| ").append(line.getFirst()).append(" | ").append(line.getLast()).append(" |\n");
    }
    out.append(
        """

        ## Figures

        The ratio says how many times better Longhand is. "Asked" is what Longhand sets itself.

        | | Unit | Longhand | Best peer | Ratio | Asked | Met |
        |---|---|---|---|---|---|---|
        """);
    for (var row : rows()) {
      out.append(
          "| %s | %s | %s | %s | %s | %s | %s |\n"
              .formatted(
                  row.title(),
                  row.unit(),
                  row.longhand(),
                  row.peer(),
                  row.ratio(),
                  row.bar(),
                  row.met()));
    }
    out.append("\n## All servers\n\n");
    var names = names();
    out.append("| | Unit |");
    names.forEach(name -> out.append(" ").append(name).append(" |"));
    out.append("\n|---|---|").append("---|".repeat(names.size())).append("\n");
    for (var measure : Measure.values()) {
      if (samples.servers(measure).isEmpty()) {
        continue;
      }
      out.append("| ").append(measure.title).append(" | ").append(measure.unit).append(" |");
      for (var name : names) {
        out.append(" ")
            .append(samples.median(measure, name).map(Report::number).orElse(""))
            .append(" |");
      }
      out.append("\n");
    }
    if (!samples.notes().isEmpty()) {
      out.append("\n## Notes of the run\n\n");
      samples.notes().forEach(note -> out.append("- ").append(note).append("\n"));
    }
    out.append(
        """

        ## How it is measured

        - `bench/compare` starts each server with an empty folder of its own on 127.0.0.1, 100 accounts, the load generator on the
          same machine. Peers are tuned for speed (concurrency, processes kept ready, no look-ups); what makes mail durable
          stays as Debian has it. Longhand runs with its defaults, but without bounds for one address.
        - SMTP: messages of 10 KiB, one recipient each, to all accounts in turn, MAIL RCPT DATA in one write. The clock stops when
          IMAP STATUS shows every message in its account, no more and no less. %d messages over one connection, %d over ten and
          fifty; Longhand gets %d times as many, or its load would be over before it can be timed.
        - Processor time is that of all processes of a server, until it has nothing more to do.
        - APPEND: %d single messages of 10 KiB, LITERAL+, each connection to an account of its own. POP3: twenty sessions, after as many, that RETR %d
          messages one after the other.
        - The large mailbox has %d messages of 2,000 octets. Warm: the median of three passes after two; each a new session. Without
          an index: the server is stopped, its index files removed, the server started.
        - Idle: %d connections that have logged in, selected INBOX and begun IDLE; memory is the growth of the sum of Pss. Start is
          from the start of the process (the launcher's shell included) to the SMTP greeting.
        - Delivery cost: the median time of 400 messages of 10 KiB over one connection into a mailbox of 10 and one of %d.

        Again: `bench/compare --write`; quicker and rougher: `bench/compare --quick`.
        """
            .formatted(
                scale.smtpOne(),
                scale.smtpMany(),
                Scale.LONGHAND_FACTOR,
                scale.appends(),
                scale.popMessages(),
                scale.mailbox(),
                scale.idle(),
                scale.growth()));
    Files.writeString(file, out);
  }

  private List<String> names() {
    var names = new ArrayList<String>();
    for (var measure : Measure.values()) {
      for (var name : samples.servers(measure)) {
        if (!names.contains(name)) {
          names.add(name);
        }
      }
    }
    return names;
  }

  private List<Row> rows() {
    var rows = new ArrayList<Row>();
    for (var measure : Measure.values()) {
      var own = samples.median(measure, LONGHAND);
      if (own.isEmpty()) {
        continue;
      }
      var peer = peer(measure);
      rows.add(
          new Row(
              measure.title,
              measure.unit,
              number(own.get()),
              peer.map(each -> number(each.value()) + " " + each.name()).orElse("-"),
              peer.map(each -> number(ratio(measure, own.get(), each))).orElse("-"),
              bar(measure),
              met(measure)));
    }
    return rows;
  }

  private static String bar(Measure measure) {
    return switch (measure.bar) {
      case Measure.Bar.Times(double factor, var peer, var instead) ->
          number(factor)
              + " times"
              + (peer == null ? "" : " " + peer)
              + (instead == null ? "" : ", or by processor");
      case Measure.Bar.AtMost(double value) -> "at most " + number(value);
      case Measure.Bar.None() -> "";
    };
  }

  private String met(Measure measure) {
    var own = samples.median(measure, LONGHAND);
    if (own.isEmpty()) {
      return "not measured";
    }
    return switch (measure.bar) {
      case Measure.Bar.Times(double factor, var _, var instead) -> {
        var peer = peer(measure);
        if (peer.isEmpty()) {
          yield "no peer";
        }
        if (ratio(measure, own.get(), peer.get()) >= factor) {
          yield "yes";
        }
        yield instead != null && met(instead).equals("yes") ? "yes, by processor" : "NO";
      }
      case Measure.Bar.AtMost(double value) -> own.get() <= value ? "yes" : "NO";
      case Measure.Bar.None() -> "";
    };
  }

  private static double ratio(Measure measure, double own, Peer peer) {
    return measure.higherIsBetter ? own / peer.value() : peer.value() / own;
  }

  /// The peer that the bar names, or the best one.
  private Optional<Peer> peer(Measure measure) {
    Optional<Peer> best = Optional.empty();
    for (var name : samples.servers(measure)) {
      if (name.equals(LONGHAND)
          || (measure.bar instanceof Measure.Bar.Times(var _, var only, var _)
              && only != null
              && !only.equals(name))) {
        continue;
      }
      double value = samples.median(measure, name).orElseThrow();
      if (best.isEmpty()
          || (measure.higherIsBetter ? value > best.get().value() : value < best.get().value())) {
        best = Optional.of(new Peer(name, value));
      }
    }
    return best;
  }

  private static List<List<String>> machine(Path folder) throws IOException, InterruptedException {
    var lines = new ArrayList<List<String>>();
    lines.add(List.of("Processors", processors()));
    lines.add(List.of("Memory", memory()));
    lines.add(
        List.of("System", System.getProperty("os.name") + " " + System.getProperty("os.version")));
    var store = Files.getFileStore(folder);
    lines.add(List.of("File system", store.type() + " on " + store.name()));
    lines.add(
        List.of(
            "Java",
            System.getProperty("java.vendor.version") + ", " + System.getProperty("java.vm.name")));
    lines.add(
        List.of(
            "Peers",
            PostfixDovecot.available()
                ? Processes.run(
                    List.of(
                        "dpkg-query",
                        "-W",
                        "-f",
                        "${Package} ${Version}; ",
                        "postfix",
                        "dovecot-core"))
                : "none"));
    return lines;
  }

  private static String processors() throws IOException {
    var model = "";
    for (var line : Files.readAllLines(Path.of("/proc/cpuinfo"))) {
      if (line.startsWith("model name")) {
        model = line.substring(line.indexOf(':') + 1).strip();
      }
    }
    return Runtime.getRuntime().availableProcessors() + ", " + model;
  }

  private static String memory() throws IOException {
    for (var line : Files.readAllLines(Path.of("/proc/meminfo"))) {
      if (line.startsWith("MemTotal:")) {
        long kib = Long.parseLong(line.substring(9, line.length() - 2).strip());
        return kib / 1024 / 1024 + " GiB";
      }
    }
    return "unknown";
  }

  private static String number(double value) {
    if (value == Math.rint(value) && Math.abs(value) < 1000) {
      return String.format(Locale.ROOT, "%.0f", value);
    }
    double size = Math.abs(value);
    return String.format(
        Locale.ROOT,
        size >= 100 ? "%.0f" : size >= 10 ? "%.1f" : size >= 1 ? "%.2f" : "%.3f",
        value);
  }
}
