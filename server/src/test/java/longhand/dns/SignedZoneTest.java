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
import java.util.List;
import java.util.concurrent.TimeUnit;
import longhand.dns.DnsSettings.Validation;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The stub resolver against a real name server, Debian's `nsd`, with a zone signed by
/// `ldns-signzone`, one that is not signed, and one that was changed after it was signed.
@Timeout(120)
class SignedZoneTest {

  private static final Path NSD = Path.of("/usr/sbin/nsd");
  private static final Path SIGNZONE = Path.of("/usr/bin/ldns-signzone");
  private static final Path KEYGEN = Path.of("/usr/bin/ldns-keygen");
  private static final Duration LONG = Duration.ofSeconds(10);

  @TempDir private Path folder;
  private Process server;
  private InetSocketAddress address;
  private String anchors = "";

  @BeforeEach
  void start() throws Exception {
    assumeTrue(
        Files.isExecutable(NSD) && Files.isExecutable(SIGNZONE) && Files.isExecutable(KEYGEN),
        "nsd and ldnsutils are not installed");
    signed("signed.test", false);
    signed("forged.test", true);
    Files.writeString(folder.resolve("plain.test.zone"), zone("plain.test"));
    int port;
    try (var free = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    Files.writeString(
        folder.resolve("nsd.conf"),
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
        zone:
          name: signed.test
          zonefile: signed.test.zone.signed
        zone:
          name: forged.test
          zonefile: forged.test.zone.signed
        zone:
          name: plain.test
          zonefile: plain.test.zone
        """
            .formatted(port, folder, folder, folder, folder, folder));
    // `timeout` ends the server even when this machine's tests are killed.
    server =
        new ProcessBuilder("timeout", "100", NSD.toString(), "-d", "-c", folder + "/nsd.conf")
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("nsd.log").toFile())
            .start();
    var probe = new StubResolver(settings(new Validation.None()), Clock.systemUTC());
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!(probe.ask(new Question.Mx(new DnsName("plain.test")), LONG) instanceof Answer.Found)) {
      assertThat(server.isAlive() && System.nanoTime() < deadline).as(() -> log()).isTrue();
      Thread.sleep(100);
    }
  }

  private String log() {
    try {
      return Files.readString(folder.resolve("nsd.log"));
    } catch (IOException e) {
      return e.toString();
    }
  }

  @AfterEach
  void end() throws InterruptedException {
    if (server == null) {
      return;
    }
    var children = server.descendants().toList();
    server.destroy();
    if (!server.waitFor(5, TimeUnit.SECONDS)) {
      server.destroyForcibly();
    }
    children.forEach(ProcessHandle::destroyForcibly);
  }

  private static String zone(String name) {
    var texts = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      texts.append("large IN TXT \"").append(i).append("x".repeat(150)).append("\"\n");
    }
    return """
        $ORIGIN %s.
        $TTL 300
        @ IN SOA ns p 1 3600 900 86400 120
        @ IN NS ns
        ns IN A 127.0.0.1
        @ IN MX 10 mx
        mx IN A 192.0.2.25
        mx IN AAAA 2001:db8::25
        alias IN CNAME mx
        _25._tcp.mx IN TLSA 3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
        """
            .formatted(name)
        + texts;
  }

  private void signed(String name, boolean changed) throws Exception {
    var file = folder.resolve(name + ".zone");
    Files.writeString(file, zone(name));
    var key = run(KEYGEN.toString(), "-a", "ECDSAP256SHA256", "-k", name).strip();
    run(SIGNZONE.toString(), file.toString(), key);
    anchors += Files.readString(folder.resolve(key + ".key")).strip() + "\n";
    if (changed) {
      var signed = Path.of(file + ".signed");
      var text = Files.readString(signed);
      var forged = text.replace("192.0.2.25", "192.0.2.66");
      assertThat(forged).isNotEqualTo(text);
      Files.writeString(signed, forged);
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

  private DnsSettings settings(Validation validation) {
    return DnsSettings.of(List.of(address), validation);
  }

  private static Question.TlsaOf tlsa(String zone) {
    return new Question.TlsaOf(new DnsName("_25._tcp.mx." + zone));
  }

  @Test
  void answersSayWhetherTheyAreSecure() {
    var dns =
        new StubResolver(settings(new Validation.Own(anchors.lines().toList())), Clock.systemUTC());
    var found = (Answer.Found<Tlsa>) dns.ask(tlsa("signed.test"), LONG);
    assertThat(found.secure()).isTrue();
    assertThat(found.records())
        .containsExactly(
            new Tlsa(3, 1, 1, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"));
    assertThat(found.ttl()).isEqualTo(Duration.ofMinutes(5));

    var alias = (Answer.Found<?>) dns.ask(new Question.A(new DnsName("alias.signed.test")), LONG);
    assertThat(alias.secure()).isTrue();
    assertThat(alias.canonical()).isEqualTo(new DnsName("mx.signed.test"));
    assertThat(dns.ask(new Question.A(new DnsName("no.signed.test")), LONG))
        .isEqualTo(new Answer.NoSuchName<>(true));
    assertThat(dns.ask(new Question.Txt(new DnsName("mx.signed.test")), LONG))
        .isEqualTo(new Answer.NoSuchData<>(true));

    assertThat(((Answer.Found<Tlsa>) dns.ask(tlsa("plain.test"), LONG)).secure()).isFalse();

    // Changed after it was signed: no answer at all, not an insecure one.
    assertThat(dns.ask(new Question.A(new DnsName("mx.forged.test")), LONG))
        .isInstanceOf(Answer.Failed.class);

    // More than a datagram holds comes over TCP, and is validated all the same.
    var large =
        (Answer.Found<String>) dns.ask(new Question.Txt(new DnsName("large.signed.test")), LONG);
    assertThat(large.records()).hasSize(40);
    assertThat(large.secure()).isTrue();

    var hosts =
        new MailHosts(
            dns,
            MailHosts.Settings.of(java.util.Set.of(), java.util.Set.of()),
            new java.util.Random(1),
            System::nanoTime);
    var targets = (Targets.Found) hosts.find(new longhand.mail.Domain("signed.test"), Reach.PUBLIC);
    assertThat(targets.secure()).isTrue();
    assertThat(targets.hosts().getFirst().secure()).isTrue();
    assertThat(targets.hosts().getFirst().addresses()).hasSize(2);
  }
}
