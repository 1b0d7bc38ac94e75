package longhand.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Random;
import longhand.check.Checker;
import longhand.disk.SimDisk;
import longhand.mail.ReversePath;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The clock jumps: UIDVALIDITY never comes twice for a name nor goes back, times stay in range,
/// and nothing waits for a time that does not come.
@Timeout(60)
class ClockTest {

  private static final Instant NOW = Instant.parse("2026-11-23T04:00:00Z");
  private static final long UIDVALIDITY_MAX = 0xffff_ffffL;

  private static final List<Instant> JUMPS =
      List.of(
          NOW,
          NOW.minus(Duration.ofHours(1)),
          NOW.minus(Duration.ofDays(3653)),
          NOW.plus(Duration.ofDays(18_262)),
          Instant.parse("2038-01-19T03:14:08Z"),
          Instant.parse("9999-12-31T23:59:59Z"),
          NOW,
          NOW,
          Instant.EPOCH,
          Instant.EPOCH.minusSeconds(1),
          NOW.plusSeconds(1));

  private Instant now = NOW;
  private final SimDisk disk = new SimDisk();

  private Store open(int seed) throws Exception {
    return Store.open(Scenario.DATA, disk, () -> now, new Random(seed), Scenario.SETTINGS);
  }

  @Test
  void uidValidityOfANewMailboxGrows() throws Exception {
    var last = new HashMap<String, Long>();
    for (int round = 0; round < 3; round++) {
      for (var jump : JUMPS) {
        now = jump;
        try (var store = open(round)) {
          var account = store.account(Scenario.OWNERS.getFirst());
          for (var name : List.of("Work", "Work/Old")) {
            int number = account.create(name, Role.NONE).number();
            var made =
                account.mailboxes().stream()
                    .filter(mailbox -> mailbox.number() == number)
                    .findFirst()
                    .orElseThrow();
            long validity = made.uidValidity();
            assertTrue(validity >= 1 && validity <= UIDVALIDITY_MAX, name + " " + validity);
            assertTrue(
                validity > last.getOrDefault(name, 0L),
                () -> "at " + jump + " " + name + " " + validity + " after " + last.get(name));
            last.put(name, validity);
            account.delete(number);
          }
          store.settle();
          store.compact();
        }
      }
    }
  }

  @Test
  void timesStayInRange() throws Exception {
    var saved = new HashMap<Long, Instant>();
    for (var jump : JUMPS) {
      now = jump;
      try (var store = open(1);
          var letter = store.letter()) {
        var octets = "Subject: at\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        letter.write(octets, 0, octets.length);
        letter.finish();
        var account = store.account(Scenario.OWNERS.getFirst());
        var entry =
            store
                .append(
                    List.of(
                        new Append(
                            account,
                            Mailbox.INBOX,
                            ReversePath.NULL,
                            now,
                            Marks.NONE,
                            new byte[0],
                            letter)))
                .getFirst();
        int year = entry.saved().atOffset(java.time.ZoneOffset.UTC).getYear();
        assertTrue(year >= 1970 && year <= 9999, "saved " + entry.saved() + " at " + jump);
        saved.put(entry.uid(), entry.saved());
        account.mark(List.of(entry), Account.Change.ADD, Marks.of(Flag.SEEN));
        if (saved.size() % 3 == 0) {
          account.expunge(List.of(entry));
          saved.remove(entry.uid());
        }
        store.settle();
        store.compact();
      }
      try (var store = open(2)) {
        var account = store.account(Scenario.OWNERS.getFirst());
        var found = new HashMap<Long, Instant>();
        try (var view = account.view(Mailbox.INBOX, false)) {
          for (int i = 1; i <= view.count(); i++) {
            found.put(view.at(i).uid(), view.at(i).saved());
          }
        }
        assertEquals(saved, found, "reopened at " + jump);
      }
      new Checker(
              disk,
              Scenario.DATA,
              finding -> {
                throw new AssertionError("at " + jump + ": " + finding);
              })
          .check(null);
    }
  }
}
