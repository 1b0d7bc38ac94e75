package longhand.sending;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import longhand.Seed;
import longhand.disk.Disk;
import longhand.disk.FileSystemDisk;
import longhand.disk.SimDisk;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;
import longhand.wire.Limits;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SendingRecordsTest {

  private static final Path FOLDER = Path.of("/data/sending");
  private static final Address ALICE = address("alice@example.com");
  private static final Address BEN = address("ben@example.com");
  private static final EnhancedStatus UNKNOWN = new EnhancedStatus(5, 1, 1);
  private static final Limits LIMITS =
      Limits.DEFAULT
          .with("accountMessagesHourMax", 4)
          .with("accountMessagesDayMax", 6)
          .with("accountRecipientsHourMax", 20)
          .with("accountRecipientsDayMax", 30)
          .with("accountNewRecipientsHourMax", 3)
          .with("accountNewRecipientsDayMax", 5);

  @TempDir Path data;
  private SimDisk disk = new SimDisk();
  private Instant now = Instant.parse("2026-11-24T18:00:00Z");
  private Limits limits = LIMITS;

  private static Address address(String text) {
    int at = text.indexOf('@');
    return new Address(text.substring(0, at), new Domain(text.substring(at + 1)));
  }

  private SendingRecords open(Disk disk, Path folder) {
    return new SendingRecords(disk, folder, limits, () -> now);
  }

  private SendingRecords open() {
    return open(disk, FOLDER);
  }

  /// Sends a message to those; says why not.
  private static String send(SendingRecords records, Address account, String... to) {
    var draft = records.draft(account);
    for (var each : to) {
      var refusal = draft.refusal(address(each));
      if (refusal.isPresent()) {
        return refusal.get();
      }
      draft.add(address(each));
    }
    draft.sent();
    return "";
  }

  private String text(SimDisk disk, String name) throws IOException {
    return String.join("\n", new SendingFile(disk, FOLDER.resolve(name)).read().lines());
  }

  @Test
  void newRecipientsAreCountedAndKnownOnesAreNot() {
    var records = open();
    assertThat(send(records, ALICE, "a@x.example", "b@x.example", "A@x.example")).isEmpty();
    assertThat(send(records, ALICE, "c@x.example", "d@x.example"))
        .isEqualTo(
            "This account may send to 3 new recipients in an hour; more after"
                + " 2026-11-24T19:00:00Z");
    assertThat(send(records, ALICE, "c@x.example", "a@x.example", "b@x.example")).isEmpty();
    assertThat(send(records, ALICE, "a@x.example", "b@x.example")).isEmpty();
    assertThat(send(records, BEN, "d@x.example")).isEmpty();
    now = now.plus(Duration.ofHours(1));
    assertThat(send(records, ALICE, "d@x.example", "e@x.example")).isEmpty();
    assertThat(send(records, ALICE, "f@x.example"))
        .isEqualTo(
            "This account may send to 5 new recipients in a day; more after 2026-11-25T18:00:00Z");
    now = now.plus(Duration.ofDays(1));
    assertThat(send(records, ALICE, "f@x.example")).isEmpty();
  }

  @Test
  void eachLimitSaysWhichItIsAndWhenItEnds() {
    limits = LIMITS.with("accountRecipientsHourMax", 5).with("accountRecipientsDayMax", 8);
    var records = open();
    for (int i = 0; i < 4; i++) {
      assertThat(send(records, ALICE, "a@x.example")).isEmpty();
    }
    assertThat(send(records, ALICE, "a@x.example"))
        .isEqualTo("This account may send 4 messages in an hour; more after 2026-11-24T19:00:00Z");
    assertThat(send(records, BEN, "a@x.example", "b@x.example", "c@x.example")).isEmpty();
    assertThat(send(records, BEN, "a@x.example", "b@x.example", "c@x.example"))
        .startsWith("This account may send to 5 recipients in an hour");
    now = now.plus(Duration.ofHours(2));
    assertThat(send(records, ALICE, "a@x.example")).isEmpty();
    assertThat(send(records, ALICE, "a@x.example")).isEmpty();
    assertThat(send(records, ALICE, "a@x.example"))
        .isEqualTo("This account may send 6 messages in a day; more after 2026-11-25T18:00:00Z");
    assertThat(send(records, BEN, "a@x.example", "b@x.example", "c@x.example")).isEmpty();
    now = now.plus(Duration.ofHours(2));
    assertThat(send(records, BEN, "a@x.example", "b@x.example", "c@x.example"))
        .startsWith("This account may send to 8 recipients in a day");
  }

  @Test
  void whatWasWrittenSurvivesTheEndOfTheProcess() throws IOException {
    var records = open();
    send(records, ALICE, "a@x.example", "b@x.example");
    assertThat(records.write()).isTrue();
    send(records, ALICE, "a@x.example", "c@x.example");
    assertThat(records.write()).isTrue();
    var file = text(disk, "example.com/alice");
    assertThat(file)
        .contains(
            "hour\t2026-11-24T18:00:00Z\t2 messages\t4 recipients\t3 new",
            "known\t2026-11-24\ta@x.example");
    // Nothing is closed: as after kill -9.
    var again = open();
    assertThat(send(again, ALICE, "d@x.example")).contains("3 new recipients in an hour");
    assertThat(send(again, ALICE, "a@x.example")).isEmpty();
    assertThat(send(again, ALICE, "a@x.example")).isEmpty();
    assertThat(send(again, ALICE, "a@x.example")).contains("4 messages in an hour");
    assertThat(send(again, BEN, "a@x.example")).isEmpty();
  }

  @Test
  void filesAreForTheirOwnerOnly() throws IOException {
    try (var records = open(new FileSystemDisk(), data.resolve("sending"))) {
      send(records, ALICE, "a@x.example");
      send(records, address("../Ü@example.com"), "a@x.example");
    }
    var folder = data.resolve("sending/example.com");
    assertThat(folder.toFile().list()).containsExactlyInAnyOrder("alice", "%2E.%2F%C3%BC");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)))
        .isEqualTo("rwx------");
    assertThat(
            PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("alice"))))
        .isEqualTo("rw-------");
  }

  @Test
  void theWriterWritesByItself() throws Exception {
    try (var records = open(new FileSystemDisk(), data.resolve("sending"))) {
      records.start();
      send(records, ALICE, "a@x.example");
      var file = data.resolve("sending/example.com/alice");
      for (int i = 0; i < 1000 && !Files.exists(file); i++) {
        Thread.sleep(20);
      }
      assertThat(file).content().contains("known\t2026-11-24\ta@x.example\n");
    }
  }

  @Test
  void aFileDoesNotGrowForEver() throws IOException {
    limits = Limits.DEFAULT.with("accountMessagesHourMax", 1_000_000);
    limits = limits.with("accountMessagesDayMax", 1_000_000);
    limits = limits.with("accountRecipientsHourMax", 1_000_000);
    limits = limits.with("accountRecipientsDayMax", 1_000_000);
    limits = limits.with("accountNewRecipientsHourMax", 3000);
    limits = limits.with("accountNewRecipientsDayMax", 3000);
    var records = open();
    int longest = 0;
    for (int i = 0; i < 3000; i++) {
      var draft = records.draft(ALICE);
      draft.add(address("someone" + i + "@x.example"));
      draft.sent();
      records.suppress(ALICE, address("bad" + i + "@x.example"), 30, UNKNOWN, "no");
      records.write();
      longest =
          i % 50 > 0
              ? longest
              : Math.max(
                  longest,
                  new SendingFile(disk, FOLDER.resolve("example.com/alice")).read().lines().size());
    }
    // 2,000 known and 1,000 suppressed ones, twice, and some that count no more.
    assertThat(longest).isLessThan(7000);
    var again = open();
    assertThat(again.suppressions(ALICE)).hasSize(1000);
    assertThat(again.suppression(ALICE, address("bad2999@x.example"))).isPresent();
    assertThat(again.suppression(ALICE, address("bad1@x.example"))).isEmpty();
    assertThat(send(again, ALICE, "someone2999@x.example")).isEmpty();
    assertThat(send(again, ALICE, "someone1@x.example")).contains("new recipients");
  }

  @Test
  void damageIsPassedOver() throws IOException {
    disk.createFolders(FOLDER.resolve("example.com"));
    var good =
        """
        # a remark
        hour\t2026-11-24T18:00:00Z\t2 messages\t4 recipients\t3 new
        day\t2026-11-24T18:00:00Z\t2 messages\t4 recipients\t3 new
        suppressed\t2026-11-24T18:00:00Z\t2026-12-24T18:00:00Z\t5.1.1\tbad@x.example\t550 no
        """;
    var bad =
        """
        hour\t2026-11-24T18:00:00Z\t-2 messages\t4 recipients\t3 new
        hour\t2026-11-24T18:00:00Z\t2000000000000 messages\t4 recipients\t3 new
        day\tyesterday\t2 messages\t4 recipients\t3 new
        suppressed\t2026-11-24T18:00:00Z\t2026-12-24T18:00:00Z\t7.1.1\tother@x.example\t550 no
        suppressed\t2026-11-24T18:00:00Z\t2026-12-24T18:00:00Z\t5.1\tother@x.example\t550 no
        known\t2026-11-24\tnobody
        known\t2026-11-24\t@x.example
        known
        \0\0\0\0
        allowed\tbad@x.example""";
    new SendingFile(disk, FOLDER.resolve("example.com/alice")).append(good + bad, true);
    var records = open();
    assertThat(records.suppressions(ALICE))
        .containsExactly(
            new Suppression(
                address("bad@x.example"),
                Instant.parse("2026-11-24T18:00:00Z"),
                Instant.parse("2026-12-24T18:00:00Z"),
                UNKNOWN,
                "550 no"));
    assertThat(send(records, ALICE, "a@x.example")).contains("3 new recipients in an hour");
    records.draft(ALICE).sent();
    records.write();
    assertThat(text(disk, "example.com/alice"))
        .contains("3 messages", "bad@x.example")
        .doesNotContain("other@x.example", "allowed", "\0", "yesterday");
  }

  @Test
  void suppressionsAreOfOneAccountAndEnd() throws IOException {
    var records = open();
    var bob = address("Bob@x.example");
    assertThat(records.bounced(ALICE, bob, UNKNOWN, "550 5.1.1 no\tsuch\u00fc user"))
        .hasValueSatisfying(
            each -> assertThat(each.until()).isEqualTo(now.plus(Duration.ofDays(30))));
    records.write();
    records = open();
    assertThat(records.suppression(ALICE, address("bob@x.example")))
        .hasValueSatisfying(each -> assertThat(each.words()).isEqualTo("550 5.1.1 no such? user"));
    assertThat(records.suppression(BEN, bob)).isEmpty();
    assertThat(records.suppression(ALICE, address("bob@y.example"))).isEmpty();
    now = now.plus(Duration.ofDays(30));
    assertThat(records.suppression(ALICE, bob)).isEmpty();
    assertThat(records.suppressions(ALICE)).isEmpty();
    now = now.minusSeconds(1);
    assertThat(records.allow(ALICE, address("bob@X.example"))).isFalse();
    assertThat(records.allow(ALICE, bob)).isTrue();
    assertThat(records.allow(ALICE, bob)).isFalse();
    records.write();
    assertThat(open().suppression(ALICE, bob)).isEmpty();
  }

  @Test
  void onlyBadAddressesAreSuppressed() {
    var records = open();
    var bob = address("bob@x.example");
    for (var status :
        new int[][] {
          {5, 7, 1}, {5, 6, 7}, {5, 2, 2}, {5, 0, 0}, {5, 4, 4}, {5, 1, 7}, {5, 1, 8}, {4, 1, 1}
        }) {
      assertThat(
              records.bounced(
                  ALICE, bob, new EnhancedStatus(status[0], status[1], status[2]), "no"))
          .isEmpty();
    }
    for (var status : new int[][] {{1, 1}, {1, 2}, {1, 3}, {1, 6}, {1, 10}, {2, 1}}) {
      assertThat(records.bounced(ALICE, bob, new EnhancedStatus(5, status[0], status[1]), "no"))
          .isPresent();
    }
    limits = limits.with("accountSuppressionDays", 0);
    assertThat(open().bounced(ALICE, bob, UNKNOWN, "no")).isEmpty();
  }

  @Test
  void aDiskThatFailsStopsNothing() throws IOException {
    var records = open();
    disk.fate(
        (call, path, number) -> {
          if (call == SimDisk.Call.WRITE || call == SimDisk.Call.FOLDER) {
            throw new IOException("No space left on device");
          }
          return true;
        });
    send(records, ALICE, "a@x.example");
    records.bounced(ALICE, address("bob@x.example"), UNKNOWN, "no");
    assertThat(records.write()).isFalse();
    assertThat(records.write()).isFalse();
    assertThat(records.suppression(ALICE, address("bob@x.example"))).isPresent();
    disk.fate(null);
    assertThat(records.write()).isTrue();
    assertThat(open().suppression(ALICE, address("bob@x.example"))).isPresent();
    // One that cannot be read is not written over.
    disk.fate(
        (call, path, number) -> {
          if (call == SimDisk.Call.OPEN && path.endsWith("alice")) {
            throw new IOException("Input/output error");
          }
          return true;
        });
    var blind = open();
    assertThat(send(blind, ALICE, "a@x.example")).isEmpty();
    assertThat(blind.write()).isTrue();
    disk.fate(null);
    assertThat(open().suppression(ALICE, address("bob@x.example"))).isPresent();
  }

  @Test
  void accountsBeyondThoseInMemoryAreReadAgain() {
    var records = open();
    for (int i = 0; i < 3000; i++) {
      send(records, address("user" + i + "@example.com"), "a@x.example", "b@x.example");
      records.write();
    }
    assertThat(records.inMemory()).isLessThanOrEqualTo(1000);
    for (int i = 0; i < 3000; i += 100) {
      var user = address("user" + i + "@example.com");
      assertThat(send(records, user, "c@x.example", "d@x.example")).contains("3 new recipients");
      assertThat(send(records, user, "a@x.example", "c@x.example")).isEmpty();
    }
  }

  /// After a loss of power at any write there are no more counts than there were, and what was said
  /// to be written of suppressions is there.
  @Test
  void powerMayFailAtAnyWrite() throws IOException {
    var random = new Random(Seed.value());
    int calls = history(disk, Integer.MAX_VALUE)[1];
    assertThat(calls).isGreaterThan(15);
    for (int call = 1; call <= calls; call++) {
      for (int time = 0; time < 30; time++) {
        disk = new SimDisk();
        int written = history(disk, call)[0];
        var after = disk.afterCrash(random);
        var again = open(after, FOLDER);
        var suppressed = again.suppressions(ALICE);
        assertThat(suppressed.size()).as("call %d", call).isGreaterThanOrEqualTo(written);
        for (int i = 0; i < written; i++) {
          assertThat(again.suppression(ALICE, address("bad" + i + "@x.example"))).isPresent();
        }
        // Whatever is there, it goes on.
        again.suppress(ALICE, address("more@x.example"), 30, UNKNOWN, "no");
        again.draft(ALICE).sent();
        assertThat(again.write()).isTrue();
        assertThat(open(after, FOLDER).suppression(ALICE, address("more@x.example"))).isPresent();
      }
    }
  }

  /// Suppresses and sends, until the power fails; how many suppressions were written by then, and
  /// how many calls that took.
  private int[] history(SimDisk disk, int crashAt) {
    disk.crashAt(crashAt);
    int written = 0;
    try {
      var records = open(disk, FOLDER);
      for (int i = 0; i < 6; i++) {
        records.suppress(ALICE, address("bad" + i + "@x.example"), 30, UNKNOWN, "no");
        var draft = records.draft(ALICE);
        draft.add(address("good" + i + "@x.example"));
        draft.sent();
        if (records.write()) {
          written = i + 1;
        }
        if (i == 3) {
          records = open(disk, FOLDER);
        }
      }
    } catch (SimDisk.PowerLoss e) {
      // That is what it is about.
    }
    return new int[] {written, disk.calls()};
  }
}
