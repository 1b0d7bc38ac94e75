package longhand.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import longhand.dns.DnsSettings.Validation;
import org.jspecify.annotations.Nullable;

/// Debian's name server `nsd` on a free port of 127.0.0.1, with zones that are plain, or signed by
/// `ldns-signzone`. It ends with the test, and by itself after 100 seconds whatever happens.
public final class Nsd implements AutoCloseable {

  private static final Path NSD = Path.of("/usr/sbin/nsd");
  private static final Path SIGNZONE = Path.of("/usr/bin/ldns-signzone");
  private static final Path KEYGEN = Path.of("/usr/bin/ldns-keygen");

  private final Path folder;
  private final Map<String, String> zones = new LinkedHashMap<>();
  private String anchors = "";
  private final InetSocketAddress address;
  private @Nullable Process server;

  /// Skips the test where the programs are not installed.
  public Nsd(Path folder) throws IOException {
    assumeTrue(
        Files.isExecutable(NSD) && Files.isExecutable(SIGNZONE) && Files.isExecutable(KEYGEN),
        "nsd and ldnsutils are not installed");
    this.folder = folder;
    try (var free = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
      address = new InetSocketAddress(InetAddress.getLoopbackAddress(), free.getLocalPort());
    }
  }

  /// A zone with these records, names relative to it, beside its SOA and NS.
  public Nsd plain(String name, String records) throws IOException {
    var file = name + ".zone";
    Files.writeString(folder.resolve(file), zone(name, records));
    zones.put(name, file);
    return this;
  }

  /// The same, signed; and changed after that.
  public Nsd signed(String name, String records, UnaryOperator<String> change) throws Exception {
    plain(name, records);
    var file = folder.resolve(name + ".zone");
    var key = run(KEYGEN.toString(), "-a", "ECDSAP256SHA256", "-k", name).strip();
    run(SIGNZONE.toString(), file.toString(), key);
    anchors += Files.readString(folder.resolve(key + ".key")).strip() + "\n";
    var signed = Path.of(file + ".signed");
    Files.writeString(signed, change.apply(Files.readString(signed)));
    zones.put(name, signed.getFileName().toString());
    return this;
  }

  /// A zone whose records the server does not have: it answers SERVFAIL.
  public Nsd inTrouble(String name) {
    zones.put(name, name + ".missing");
    return this;
  }

  /// The keys of the signed zones, as trust anchors, a line each.
  public List<String> anchors() {
    return anchors.lines().toList();
  }

  /// Begins to answer.
  public Nsd start() throws Exception {
    var conf =
        new StringBuilder(
            """
            server:
              ip-address: 127.0.0.1@%d
              username: ""
              chroot: ""
              zonesdir: "%s"
              database: ""
              pidfile: "%s/nsd.pid"
              xfrdfile: "%s/xfrd.state"
              zonelistfile: "%s/zone.list"
              xfrdir: "%s"
              server-count: 1
            remote-control:
              control-enable: no
            """
                .formatted(address.getPort(), folder, folder, folder, folder, folder));
    zones.forEach(
        (name, file) -> conf.append("zone:\n  name: " + name + "\n  zonefile: " + file + "\n"));
    Files.writeString(folder.resolve("nsd.conf"), conf);
    // `timeout` ends the server even when this machine's tests are killed.
    var process =
        new ProcessBuilder("timeout", "100", NSD.toString(), "-d", "-c", folder + "/nsd.conf")
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("nsd.log").toFile())
            .start();
    server = process;
    var probe = new StubResolver(settings(new Validation.None()), Clock.systemUTC());
    var name = new DnsName("ns." + zones.keySet().iterator().next());
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!(probe.ask(new Question.A(name), Duration.ofSeconds(10)) instanceof Answer.Found)) {
      assertThat(process.isAlive() && System.nanoTime() < deadline).as(() -> log()).isTrue();
      Thread.sleep(100);
    }
    return this;
  }

  /// Where it answers.
  public InetSocketAddress address() {
    return address;
  }

  /// A resolver that asks it, and validates nothing.
  public StubResolver unvalidated() {
    return new StubResolver(settings(new Validation.None()), Clock.systemUTC());
  }

  /// A resolver that asks it, and begins to validate at the keys of the signed zones.
  public StubResolver resolver() {
    return new StubResolver(settings(new Validation.Own(anchors())), Clock.systemUTC());
  }

  private DnsSettings settings(Validation validation) {
    return DnsSettings.of(List.of(address), validation);
  }

  private static String zone(String name, String records) {
    return """
        $ORIGIN %s.
        $TTL 300
        @ IN SOA ns p 1 3600 900 86400 120
        @ IN NS ns
        ns IN A 127.0.0.1
        """
            .formatted(name)
        + records;
  }

  private String log() {
    try {
      return Files.readString(folder.resolve("nsd.log"));
    } catch (IOException e) {
      return e.toString();
    }
  }

  private String run(String... command) throws Exception {
    var output = folder.resolve("output");
    var process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    if (!process.waitFor(30, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
    assertThat(process.waitFor()).as(Files.readString(output)).isZero();
    return Files.readString(output);
  }

  @Override
  public void close() {
    var process = server;
    if (process == null) {
      return;
    }
    var children = process.descendants().toList();
    process.destroy();
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    children.forEach(ProcessHandle::destroyForcibly);
  }
}
