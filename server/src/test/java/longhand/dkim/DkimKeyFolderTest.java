package longhand.dkim;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import longhand.disk.FileSystemDisk;
import longhand.disk.SimDisk;
import longhand.mail.Domain;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Keys on disk, their lives, and what a running server takes from them.
class DkimKeyFolderTest {

  private static final Instant NOW = Instant.parse("2026-11-24T12:00:00.5Z");
  private static final Path DATA = Path.of("/data");

  @TempDir private Path temp;

  /// Any key does where only names and stages matter; RSA ones take long to make.
  private static DkimKey quick(String selector, DkimAlgorithm algorithm) {
    var pem = algorithm == DkimAlgorithm.RSA_SHA256 ? Messages.RSA : Messages.ED25519;
    return DkimKey.ofPem(selector, pem.toPem()).orElseThrow();
  }

  private static DkimKeyFolder folder(SimDisk disk) {
    return new DkimKeyFolder(DATA, Messages.DOMAIN, disk, DkimKeyFolderTest::quick);
  }

  private static SimDisk disk() throws IOException {
    var disk = new SimDisk();
    disk.createFolders(DATA);
    disk.forceFolder(DATA);
    disk.forceFolder(DATA.resolve("/"));
    return disk;
  }

  private static List<String> words(List<HeldKey> keys) {
    return keys.stream().map(key -> key.key().selector() + " " + key.stage()).toList();
  }

  @Test
  void aPairTakesOverWithoutAGap() throws Exception {
    var disk = disk();
    var keys = folder(disk);
    assertThat(keys.keys()).isEmpty();
    assertThat(keys.activate(NOW)).isFalse();

    assertThat(keys.create(NOW)).isTrue();
    assertThat(keys.create(NOW)).isFalse();
    assertThat(words(keys.keys())).containsExactly("20261124r signing", "20261124e signing");
    assertThat(keys.keys().getFirst().since()).isEqualTo("2026-11-24T12:00:00Z");

    // On the same day there cannot be a second key of one name.
    assertThat(keys.rotate(NOW)).isTrue();
    assertThat(keys.rotate(NOW)).isFalse();
    assertThat(words(keys.keys()))
        .containsExactly(
            "20261124r signing", "20261124e signing", "20261124r-2 waiting", "20261124e-2 waiting");

    assertThat(keys.activate(NOW)).isTrue();
    assertThat(keys.activate(NOW)).isFalse();
    assertThat(words(keys.keys()))
        .containsExactly(
            "20261124r retired", "20261124e retired", "20261124r-2 signing", "20261124e-2 signing");
    assertThat(keys.keys()).allMatch(key -> key.published(NOW.plus(Duration.ofDays(9))));

    var later = NOW.plus(HeldKey.RETIRED_KEPT);
    assertThat(keys.keys().stream().filter(key -> key.published(later))).hasSize(2);
    assertThat(keys.rotate(later)).isTrue();
    assertThat(words(keys.keys()))
        .containsExactly(
            "20261124r-2 signing", "20261124e-2 signing", "20261204r waiting", "20261204e waiting");
    assertThat(disk.exists(keys.path().resolve("20261124r.pem"))).isFalse();
    assertThat(disk.exists(keys.path().resolve("20261124r-2.pem"))).isTrue();
  }

  @Test
  void keysAreForTheirOwnerAlone() throws Exception {
    var keys = new DkimKeyFolder(temp, Messages.DOMAIN, new FileSystemDisk());
    assertThat(keys.create(NOW)).isTrue();
    assertThat(keys.keys().stream().map(key -> key.key().algorithm()))
        .containsExactly(DkimAlgorithm.RSA_SHA256, DkimAlgorithm.ED25519_SHA256);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(keys.path())))
        .isEqualTo("rwx------");
    for (var name : List.of("keys", "20261124r.pem", "20261124e.pem")) {
      var file = keys.path().resolve(name);
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
          .isEqualTo("rw-------");
    }
    try (var names = Files.list(keys.path())) {
      assertThat(names.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("keys", "20261124r.pem", "20261124e.pem", ".lock");
    }
  }

  @Test
  void whatTheFileShouldNotHoldIsNamedWithItsLine() throws Exception {
    var disk = disk();
    var keys = folder(disk);
    keys.create(NOW);
    for (var line :
        List.of(
            "20261124r",
            "20261124r signing",
            "20261124r singing 2026-11-24T12:00:00Z",
            "20261124r signing yesterday",
            "../../x signing 2026-11-24T12:00:00Z",
            "20261124r signing 2026-11-24T12:00:00Z again")) {
      disk.change(keys.state(), ("# text\n\n" + line + "\n").getBytes(US_ASCII));
      assertThatThrownBy(keys::keys)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("keys:3: expected a selector");
    }
    disk.change(keys.state(), "gone signing 2026-11-24T12:00:00Z".getBytes(US_ASCII));
    assertThatThrownBy(keys::keys).hasMessageContaining("gone.pem");
    disk.change(keys.path().resolve("20261124r.pem"), "no key".getBytes(US_ASCII));
    disk.change(keys.state(), "20261124r signing 2026-11-24T12:00:00Z".getBytes(US_ASCII));
    assertThatThrownBy(keys::keys).hasMessageContaining("20261124r.pem holds no");
  }

  @Test
  void aDomainThatIsNoFolderHasNone() {
    for (var name : List.of("../up", "a/b", ".", "[192.0.2.1]", "bücher.example")) {
      assertThatThrownBy(() -> new DkimKeyFolder(DATA, new Domain(name), new SimDisk()))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(new DkimKeys(DATA, new SimDisk(), Messages.CLOCK).signer(new Domain(name)))
          .isEmpty();
    }
  }

  /// After power is lost at any call, the keys are those before or those after, and all readable.
  @Test
  void powerMayGoAtAnyMoment() throws Exception {
    for (int step = 0; step < 3; step++) {
      int crashes = 0;
      for (boolean whole = false; !whole; crashes++) {
        var disk = disk();
        for (int i = 0; i < step; i++) {
          change(folder(disk), i);
        }
        var before = words(folder(disk).keys());
        disk.crashAt(crashes + 1);
        try {
          change(folder(disk), step);
          whole = true;
        } catch (SimDisk.PowerLoss _) {
          // as asked for
        }
        for (int seed = 0; seed < 8; seed++) {
          var after = disk.afterCrash(new Random(seed));
          var keys = folder(after);
          var found = words(keys.keys());
          assertThat(found.equals(before) || found.equals(expected(step)))
              .as("step %d, crash %d: %s", step, crashes, found)
              .isTrue();
          if (whole) {
            assertThat(found).isEqualTo(expected(step));
          }
          change(keys, step); // it can go on
          assertThat(keys.keys()).isNotEmpty();
        }
      }
      assertThat(crashes).isGreaterThan(5);
    }
  }

  private static void change(DkimKeyFolder keys, int step) throws IOException {
    switch (step) {
      case 0 -> keys.create(NOW);
      case 1 -> keys.rotate(NOW.plus(Duration.ofDays(1)));
      default -> keys.activate(NOW.plus(Duration.ofDays(2)));
    }
  }

  private static List<String> expected(int step) {
    return switch (step) {
      case 0 -> List.of("20261124r signing", "20261124e signing");
      case 1 ->
          List.of(
              "20261124r signing", "20261124e signing", "20261125r waiting", "20261125e waiting");
      default ->
          List.of(
              "20261124r retired", "20261124e retired", "20261125r signing", "20261125e signing");
    };
  }

  private static String fields(DkimKeys keys) throws IOException {
    return new String(
        keys.fields(Messages.DOMAIN, new ByteArrayInputStream(Messages.PLAIN.getBytes(ISO_8859_1))),
        US_ASCII);
  }

  @Test
  void aRunningServerSignsWithBothAndFollowsChanges() throws Exception {
    var disk = disk();
    var nanos = new AtomicLong();
    var keys = new DkimKeys(DATA, disk, Messages.CLOCK, nanos::get);
    assertThat(fields(keys)).isEmpty();

    var folder = folder(disk);
    folder.create(NOW);
    var first = fields(keys);
    assertThat(first).contains("s=20261124r;", "s=20261124e;", "d=example.org;").endsWith("\r\n");
    assertThat(
            Messages.words(
                folder.keys().stream()
                    .collect(
                        java.util.stream.Collectors.toMap(
                            key -> key.key().selector() + "._domainkey.example.org",
                            key -> key.key().publicText())),
                first + Messages.PLAIN))
        .containsExactly("pass", "pass");

    folder.rotate(NOW.plus(Duration.ofDays(1)));
    nanos.addAndGet(Duration.ofSeconds(2).toNanos());
    assertThat(fields(keys)).contains("s=20261124r;").doesNotContain("20261125");

    folder.activate(NOW.plus(Duration.ofDays(2)));
    assertThat(fields(keys)).contains("s=20261124r;"); // not looked yet
    nanos.addAndGet(Duration.ofSeconds(2).toNanos());
    assertThat(fields(keys))
        .contains("s=20261125r;", "s=20261125e;")
        .doesNotContain("20261124r", "20261124e");

    // A slip of the hand changes nothing until it is mended.
    var good = disk.content(folder.state());
    disk.change(folder.state(), "20261125r sining\n".getBytes(US_ASCII));
    nanos.addAndGet(Duration.ofSeconds(2).toNanos());
    assertThat(fields(keys)).contains("s=20261125r;");
    disk.change(
        folder.state(),
        new String(good, US_ASCII).replace("signing", "waiting").getBytes(US_ASCII));
    nanos.addAndGet(Duration.ofSeconds(2).toNanos());
    assertThat(fields(keys)).isEmpty();
  }

  @Test
  void whatCannotBeSignedGoesAsItIs() throws Exception {
    var disk = disk();
    folder(disk).create(NOW);
    var keys = new DkimKeys(DATA, disk, Messages.CLOCK);
    var twoFrom = "From: a@example.org\r\nFrom: b@example.org\r\n\r\n";
    assertThat(keys.fields(Messages.DOMAIN, new ByteArrayInputStream(twoFrom.getBytes(US_ASCII))))
        .isEmpty();
  }
}
