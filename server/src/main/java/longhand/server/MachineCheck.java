package longhand.server;

import com.sun.management.UnixOperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import longhand.dns.Answer;
import longhand.dns.Dns;
import longhand.dns.DnsName;
import longhand.dns.Question;
import longhand.wire.Connector;
import longhand.wire.Listener;
import longhand.wire.Network;
import longhand.wire.PortState;
import tools.jackson.databind.json.JsonMapper;

/// Whether a machine can be a mail server: ports, reverse DNS, the way out, clock, disk and open
/// files. Each is looked at for some seconds at most, and what cannot be known is said to be so.
final class MachineCheck {

  /// How long one answer is waited for.
  static final Duration WITHIN = Duration.ofSeconds(5);

  /// Below this there is no room for a day's mail.
  private static final long DISK_OCTETS_MIN = 1L << 30;

  private static final long FILES_MIN = 4096;
  private static final int ADDRESSES_MAX = 4;

  private final Config config;
  private final Dns dns;
  private final List<Seen> seen = new ArrayList<>();

  /// What one look showed.
  ///
  /// @param what `port 25` and the like
  /// @param found what there is, in a few words
  /// @param advice what it means and what to do, in sentences; empty when all is well
  record Seen(State state, String what, String found, String advice) {

    /// How it is.
    enum State {
      GOOD,
      BAD,
      UNKNOWN
    }
  }

  MachineCheck(Config config, Dns dns) {
    this.config = config;
    this.dns = dns;
  }

  /// Looks at everything.
  ///
  /// @param addresses the machine's public ones
  /// @param outbound a mail server elsewhere, `host` or `host:port`; empty for no try
  List<Seen> all(List<InetAddress> addresses, Optional<String> outbound) {
    boolean running = running();
    config.listener().forEach(each -> port(each, running));
    if (addresses.isEmpty()) {
      add(
          Seen.State.UNKNOWN,
          "address",
          "this machine has no public address",
          "Behind NAT, let the ports be forwarded to it, and name the public address with"
              + " --address.");
    }
    addresses.stream().limit(ADDRESSES_MAX).forEach(this::reverse);
    outbound.ifPresent(this::outbound);
    clock();
    disk();
    files();
    return seen;
  }

  /// Whether a server has this data folder open.
  private boolean running() {
    var request = new JsonMapper().createObjectNode();
    request.put("command", "ping");
    try {
      return RunningServer.ask(config, request, _ -> {}).isPresent();
    } catch (CommandException e) {
      return true; // it answers, be it that it does not know the word
    } catch (IOException e) {
      return false;
    }
  }

  private void port(Config.ListenerConfig listener, boolean running) {
    var what = "port " + Listener.address(listener.address()).getPort();
    var label = Server.name(listener.protocol());
    switch (PortState.of(Listener.address(listener.address()))) {
      case FREE -> add(Seen.State.GOOD, what, "free for " + label, "");
      case IN_USE -> {
        if (running) {
          add(Seen.State.GOOD, what, "this server listens, for " + label, "");
        } else {
          add(
              Seen.State.BAD,
              what,
              "another program listens there",
              "Longhand cannot start beside it. Find it with: ss -ltnp 'sport = :"
                  + Listener.address(listener.address()).getPort()
                  + "', and stop it, or change the address in the configuration.");
        }
      }
      case NOT_ALLOWED ->
          add(
              Seen.State.UNKNOWN,
              what,
              "this user may not listen there",
              "The systemd unit gives Longhand the right to. Run this as root to see whether the"
                  + " port is free.");
      case NOT_HERE ->
          add(
              Seen.State.BAD,
              what,
              listener.address() + " is no address of this machine",
              "Change it in the configuration; [::] stands for every address.");
    }
  }

  private void reverse(InetAddress address) {
    var text = address.getHostAddress();
    var advice =
        "Many servers refuse mail from an address whose reverse DNS is not the server's name. Ask"
            + " whoever gave you the address to set it to "
            + config.hostname()
            + ".";
    switch (dns.ask(new Question.Ptr(address), WITHIN)) {
      case Answer.Failed<DnsName>(var sentence) ->
          add(Seen.State.UNKNOWN, "reverse DNS", text + ": nobody answers", sentence);
      case Answer.NoSuchName<DnsName> _, Answer.NoSuchData<DnsName> _ ->
          add(Seen.State.BAD, "reverse DNS", text + " has no name", advice);
      case Answer.Found<DnsName> found -> {
        var names = found.records();
        if (names.stream().anyMatch(name -> name.text().equals(config.hostname()))) {
          add(Seen.State.GOOD, "reverse DNS", text + " is " + config.hostname(), "");
        } else {
          add(Seen.State.BAD, "reverse DNS", text + " is " + names.getFirst(), advice);
        }
      }
    }
  }

  private void outbound(String target) {
    int colon = target.indexOf(':') == target.lastIndexOf(':') ? target.indexOf(':') : -1;
    var host = colon < 0 ? target : target.substring(0, colon);
    var port = colon < 0 ? "25" : target.substring(colon + 1);
    Optional<InetSocketAddress> address;
    try {
      address = address(host, Integer.parseInt(port));
    } catch (IllegalArgumentException e) {
      add(
          Seen.State.UNKNOWN,
          "way out",
          "\"" + target + "\" is no host and port",
          "Name another server with --outbound HOST:PORT.");
      return;
    }
    if (address.isEmpty()) {
      add(
          Seen.State.UNKNOWN,
          "way out",
          host + " is not found in DNS",
          "Whether mail can leave is not known. Try another server with --outbound HOST:PORT.");
      return;
    }
    try (var connector = new Connector(WITHIN);
        var _ = connector.connect(address.get(), Optional.empty(), WITHIN)) {
      add(Seen.State.GOOD, "way out", host + " answers at port " + port, "");
    } catch (SocketTimeoutException e) {
      add(
          Seen.State.BAD,
          "way out",
          host + " does not answer at port " + port,
          "Many providers block port 25 towards the outside: mail can come, but none can leave."
              + " Ask yours to open it, or send through a relay (a [[route]] for \"*\").");
    } catch (IOException e) {
      add(
          Seen.State.BAD,
          "way out",
          "no connection to " + host + ", port " + port + ": " + e.getMessage(),
          "Unless that server is out of order itself, mail cannot leave. See to routes and the"
              + " firewall, or send through a relay (a [[route]] for \"*\").");
    }
  }

  private Optional<InetSocketAddress> address(String host, int port) {
    var literal = Network.literal(host);
    if (literal.isPresent()) {
      return Optional.of(new InetSocketAddress(literal.get(), port));
    }
    var name =
        DnsName.parse(host).orElseThrow(() -> new IllegalArgumentException("no name of a host"));
    return dns.ask(new Question.A(name), WITHIN) instanceof Answer.Found<java.net.Inet4Address> a
        ? Optional.of(new InetSocketAddress(a.records().getFirst(), port))
        : Optional.empty();
  }

  /// What the system says of its clock: systemd-timesyncd leaves a file, and systemd knows of
  /// others that keep it. Without network there is nothing to compare with.
  private void clock() {
    if (Files.exists(Path.of("/run/systemd/timesync/synchronized"))) {
      add(Seen.State.GOOD, "clock", "kept by a time server", "");
      return;
    }
    switch (answerOf("timedatectl", "show", "--property=NTPSynchronized", "--value")) {
      case "yes" -> add(Seen.State.GOOD, "clock", "kept by a time server", "");
      case "no" ->
          add(
              Seen.State.BAD,
              "clock",
              "no time server keeps it",
              "Signatures, certificates and retries go wrong when it strays. Switch it on with:"
                  + " timedatectl set-ntp true");
      default ->
          add(
              Seen.State.UNKNOWN,
              "clock",
              "whether a time server keeps it is not known here",
              "Compare it with another clock; a minute matters.");
    }
  }

  /// What a program prints, without white space around; nothing when it is not there or takes
  /// longer than two seconds.
  private static String answerOf(String... command) {
    try {
      var process =
          new ProcessBuilder(command)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
              .start();
      try {
        if (!process.waitFor(2, TimeUnit.SECONDS)) {
          return "";
        }
        return new String(process.getInputStream().readNBytes(100), StandardCharsets.US_ASCII)
            .strip();
      } finally {
        process.destroyForcibly();
      }
    } catch (IOException e) {
      return "";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "";
    }
  }

  private void disk() {
    try {
      long free = Files.getFileStore(config.data()).getUsableSpace();
      var found = "%.1f GB free for %s".formatted(free / 1e9, config.data());
      if (free >= DISK_OCTETS_MIN) {
        add(Seen.State.GOOD, "disk", found, "");
      } else {
        add(
            Seen.State.BAD,
            "disk",
            found,
            "When it is full, mail is deferred until there is room. Give it more.");
      }
    } catch (IOException e) {
      add(Seen.State.UNKNOWN, "disk", String.valueOf(e.getMessage()), "");
    }
  }

  private void files() {
    if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix) {
      long most = unix.getMaxFileDescriptorCount();
      if (most >= FILES_MIN) {
        add(Seen.State.GOOD, "open files", most + " allowed", "");
      } else {
        add(
            Seen.State.BAD,
            "open files",
            "only " + most + " allowed",
            "Each connection takes one. The systemd unit allows 65536; elsewhere: ulimit -n 65536");
      }
    }
  }

  private void add(Seen.State state, String what, String found, String advice) {
    seen.add(new Seen(state, what, found, advice));
  }
}
