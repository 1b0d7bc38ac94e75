package longhand.journey;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import longhand.Seed;
import longhand.disk.FileSystemDisk;
import longhand.disk.SimDisk;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JourneysTest {

  private static final Path FOLDER = Path.of("/data/journey");
  private static final Instant BEGAN = Instant.parse("2026-11-24T12:00:00Z");
  private static final long MIB = 1 << 20;

  private SimDisk disk = new SimDisk();
  private Instant now = BEGAN;

  private Journeys open(Duration keep, long octets, int waiting) throws IOException {
    var journeys =
        new Journeys(disk, FOLDER, new Journeys.Settings(keep, octets, waiting), () -> now);
    journeys.load();
    return journeys;
  }

  private Journeys open() throws IOException {
    return open(Duration.ofDays(14), 64 * MIB, 1_000_000);
  }

  private JourneyReader reader() {
    return new JourneyReader(disk, FOLDER);
  }

  private List<Station> all(String id) throws IOException {
    return reader().find(Wanted.named(id), Instant.EPOCH, 10).stream()
        .flatMap(List::stream)
        .toList();
  }

  private Station station(String id, Station.Kind kind, String subject) {
    return new Station(now, id, kind, subject, "words", "value");
  }

  private long octets() throws IOException {
    long octets = 0;
    for (var name : disk.list(FOLDER)) {
      octets += disk.facts(FOLDER.resolve(name)).orElseThrow().size();
    }
    return octets;
  }

  @Test
  void whateverIsNotedIsReadBack() throws IOException {
    long seed = Seed.value();
    System.out.println("journeys: seed " + seed);
    var random = new Random(seed);
    var noted = new HashMap<String, List<Station>>();
    for (int run = 0; run < 5; run++) {
      var journeys = open();
      for (int i = 0; i < 1000; i++) {
        now = now.plusMillis(random.nextInt(3));
        var kinds = Station.Kind.values();
        var station =
            new Station(
                now,
                "m" + random.nextInt(300),
                kinds[random.nextInt(kinds.length)],
                text(random),
                text(random),
                text(random));
        journeys.note(station);
        noted.computeIfAbsent(station.id(), _ -> new ArrayList<>()).add(station);
        if (random.nextInt(100) == 0) {
          journeys.step();
        }
      }
      journeys.step();
      now = now.plusSeconds(1);
    }
    noted.forEach(
        (id, stations) -> {
          try {
            assertThat(all(id)).isEqualTo(stations);
          } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
          }
        });
  }

  /// Texts of strangers, at their worst.
  private static String text(Random random) {
    var pieces =
        List.of(
            "\n",
            "\t",
            "\\",
            "\\n",
            "\\u{a}",
            "}",
            "\0",
            "\r\n",
            " ",
            "x",
            "ä",
            "\u202e",
            "\ud800",
            "\udc00",
            "😀",
            "\u2028",
            "\u007f",
            "\u0085",
            "2026-11-24T12:00:00.000Z\tid\tend\t\t\t");
    var text = new StringBuilder();
    int most = random.nextInt(20) == 0 ? 700 : 6;
    for (int n = random.nextInt(most); n > 0; n--) {
      text.append(pieces.get(random.nextInt(pieces.size())));
    }
    return text.toString();
  }

  @Test
  void aLineCannotBeForged() throws IOException {
    var journeys = open();
    journeys.note(
        new Station(
            now,
            "real",
            Station.Kind.RECIPIENT,
            "a@b.c\n2026-11-24T12:00:00.000Z\tforged\tend\t\tx\t",
            "x",
            "y\r\n2026-11-24T12:00:00.000Z\tforged\tend\t\tx\t"));
    journeys.step();
    assertThat(all("forged")).isEmpty();
    assertThat(all("real")).hasSize(1);
    var text =
        new String(
            disk.content(FOLDER.resolve(disk.list(FOLDER).getFirst())), StandardCharsets.UTF_8);
    assertThat(text.lines()).hasSize(1);
    assertThat(text.chars().filter(c -> c == '\t')).hasSize(5);
  }

  @Test
  void journeysAreFoundByWhatPeopleKnow() throws IOException {
    var journeys = open();
    for (int i = 0; i < 500; i++) {
      now = now.plusSeconds(60);
      var id = "m" + i;
      journeys.note(station(id, Station.Kind.SENDER, "Alice" + i % 10 + "@example.com"));
      journeys.note(station(id, Station.Kind.RECIPIENT, "bob+list@example.net"));
      journeys.note(station(id, Station.Kind.STORED, "bob" + i % 10 + "@example.net"));
      journeys.note(station(id, Station.Kind.MESSAGE, "<" + i + "@example.com>"));
      journeys.step();
    }
    var reader = reader();
    assertThat(reader.find(Wanted.named("<17@example.com>"), Instant.EPOCH, 10))
        .isEqualTo(reader.find(Wanted.named("17@EXAMPLE.com"), Instant.EPOCH, 10))
        .isEqualTo(reader.find(Wanted.named("m17"), Instant.EPOCH, 10))
        .singleElement()
        .satisfies(journey -> assertThat(journey).hasSize(4));
    assertThat(reader.find(Wanted.to("bob3@example.net"), Instant.EPOCH, 1000)).hasSize(50);
    assertThat(reader.find(Wanted.from("alice3@example.com"), Instant.EPOCH, 1000)).hasSize(50);
    assertThat(reader.find(Wanted.from("bob3@example.net"), Instant.EPOCH, 1000)).isEmpty();
    assertThat(reader.find(Wanted.to("alice3@example.com"), Instant.EPOCH, 1000)).isEmpty();
    assertThat(reader.find(Wanted.to("BOB+list@example.net"), now.minusSeconds(3600), 1000))
        .hasSize(61)
        .extracting(journey -> journey.getFirst().id())
        .startsWith("m439")
        .endsWith("m499");
    assertThat(reader.find(Wanted.to("bob+list@example.net"), Instant.EPOCH, 7))
        .extracting(journey -> journey.getFirst().id())
        .containsExactly("m493", "m494", "m495", "m496", "m497", "m498", "m499");
    assertThat(reader.begin()).contains(BEGAN.plusSeconds(60));
  }

  @Test
  void whatACrashLeavesIsReadAndTheRestPassedOver() throws IOException {
    long seed = Seed.value();
    System.out.println("journeys after a crash: seed " + seed);
    var random = new Random(seed);
    for (int round = 0; round < 60; round++) {
      disk = new SimDisk();
      var journeys = open();
      var noted = new ArrayList<Station>();
      for (int i = 0; i < 40; i++) {
        var station = station("m", Station.Kind.RELAY, "x".repeat(random.nextInt(900)) + i);
        journeys.note(station);
        noted.add(station);
        if (random.nextInt(3) == 0) {
          journeys.step();
        }
      }
      disk = disk.afterCrash(random);
      var left = noted.iterator();
      for (var each : all("m")) {
        boolean found = false;
        while (!found && left.hasNext()) {
          found = left.next().equals(each);
        }
        assertThat(found).as("noted, and in order: %s", each.subject()).isTrue();
      }
      // And it goes on, into another file.
      now = now.plusSeconds(1);
      var again = open();
      var after = station("after", Station.Kind.END, "");
      again.note(after);
      again.step();
      assertThat(all("after")).containsExactly(after);
    }
  }

  @Test
  void aFileCutAnywhereHasItsWholeLines() throws IOException {
    var journeys = open();
    var noted = new ArrayList<Station>();
    for (int i = 0; i < 5; i++) {
      noted.add(station("m", Station.Kind.RELAY, "bob" + i + "ä@example.net"));
    }
    noted.forEach(journeys::note);
    journeys.step();
    var file = FOLDER.resolve(disk.list(FOLDER).getFirst());
    var whole = disk.content(file);
    for (int length = 0; length <= whole.length; length++) {
      disk.change(file, java.util.Arrays.copyOf(whole, length));
      long lines = IntStream.range(0, length).filter(i -> whole[i] == '\n').count();
      assertThat(all("m")).isEqualTo(noted.subList(0, (int) lines));
      // What was lost before a line that was written.
      var hole = whole.clone();
      java.util.Arrays.fill(hole, 0, length, (byte) 0);
      disk.change(file, hole);
      assertThat(noted).endsWith(all("m").toArray(Station[]::new));
      assertThat(all("m").size()).isGreaterThanOrEqualTo(4 - (int) lines);
    }
  }

  @Test
  void spaceIsBounded() throws IOException {
    var journeys = open(Duration.ofDays(14), MIB, 1_000_000);
    var random = new Random(5);
    for (int i = 0; i < 20_000; i++) {
      now = now.plusMillis(random.nextInt(100));
      journeys.note(
          new Station(
              now,
              "m" + i,
              Station.Kind.RELAY,
              "bob@example.net",
              "w",
              (i % 50 == 0 ? "\0" : "v").repeat(random.nextInt(2000))));
      if (i % 20 == 0) {
        journeys.step();
        assertThat(octets()).isLessThanOrEqualTo(MIB);
      }
    }
    journeys.step();
    assertThat(octets()).isBetween(MIB / 2, MIB);
    assertThat(all("m19999")).hasSize(1);
    assertThat(all("m0")).isEmpty();
    // And after another start.
    open(Duration.ofDays(14), MIB, 10).step();
    assertThat(octets()).isLessThanOrEqualTo(MIB);
  }

  @Test
  void whatIsTooOldGoesAlsoWhenNothingHappens() throws IOException {
    var journeys = open(Duration.ofDays(2), 64 * MIB, 1000);
    for (int day = 0; day < 5; day++) {
      journeys.note(station("day" + day, Station.Kind.END, ""));
      journeys.step();
      now = now.plus(Duration.ofDays(1));
    }
    assertThat(all("day0")).isEmpty();
    assertThat(all("day1")).isEmpty();
    assertThat(all("day3")).hasSize(1);
    now = now.plus(Duration.ofDays(2));
    journeys.step();
    assertThat(disk.list(FOLDER)).isEmpty();
    journeys.note(station("day7", Station.Kind.END, ""));
    journeys.step();
    assertThat(all("day7")).hasSize(1);
    // Kept no longer at all.
    open(Duration.ZERO, 64 * MIB, 1000).note(station("off", Station.Kind.END, ""));
    assertThat(disk.list(FOLDER)).isEmpty();
  }

  @Test
  void whatDoesNotFitIsDroppedAndCounted() throws IOException {
    var journeys = open(Duration.ofDays(2), 64 * MIB, 10);
    for (int i = 0; i < 25; i++) {
      journeys.note(station("m", Station.Kind.END, ""));
    }
    assertThat(journeys.dropped()).isEqualTo(15);
    journeys.step();
    assertThat(journeys.written()).isEqualTo(10);
    assertThat(all("m")).hasSize(10);
    journeys.note(station("m", Station.Kind.END, ""));
    journeys.step();
    assertThat(journeys.dropped()).isEqualTo(15);
    assertThat(all("m")).hasSize(11);
  }

  @Test
  void aDiskThatFailsCostsStationsAndNothingElse() throws IOException {
    var journeys = open();
    journeys.note(station("before", Station.Kind.END, ""));
    journeys.step();
    disk.fate(
        (call, _, _) -> {
          if (call == SimDisk.Call.WRITE) {
            throw new IOException("no space");
          }
          return true;
        });
    journeys.note(station("lost", Station.Kind.END, ""));
    journeys.step();
    assertThat(journeys.dropped()).isEqualTo(1);
    disk.fate(null);
    now = now.plusSeconds(1);
    journeys.note(station("after", Station.Kind.END, ""));
    journeys.step();
    assertThat(all("before")).hasSize(1);
    assertThat(all("lost")).isEmpty();
    assertThat(all("after")).hasSize(1);
  }

  @Test
  void damagedFiltersHideNothing() throws IOException {
    var journeys = open();
    journeys.note(station("first", Station.Kind.END, ""));
    journeys.step();
    now = now.plus(Duration.ofDays(1));
    journeys.note(station("second", Station.Kind.END, ""));
    journeys.step();
    var filter =
        disk.list(FOLDER).stream()
            .filter(name -> name.endsWith("filter"))
            .findFirst()
            .orElseThrow();
    var whole = disk.content(FOLDER.resolve(filter));
    for (int i = 0; i < 40; i++) {
      var octets = whole.clone();
      octets[i] ^= 1;
      disk.change(FOLDER.resolve(filter), octets);
      assertThat(all("first")).hasSize(1);
      disk.change(FOLDER.resolve(filter), java.util.Arrays.copyOf(whole, i));
      assertThat(all("first")).hasSize(1);
    }
  }

  @Test
  void filtersKnowWhatIsInAndMostOfWhatIsNot() {
    var filter = Filter.of(1 << 20);
    for (int i = 0; i < 6000; i++) {
      filter.add(Filter.hash("Bob" + i + "@example.net"));
    }
    int wrong = 0;
    for (int i = 0; i < 6000; i++) {
      assertThat(filter.mayHave(Filter.hash("bob" + i + "@EXAMPLE.net"))).isTrue();
      wrong += filter.mayHave(Filter.hash("eve" + i + "@example.net")) ? 1 : 0;
    }
    assertThat(wrong).isLessThan(200);
  }

  @Test
  void whoFollowsSeesEachStationOnce() throws IOException {
    var journeys = open(Duration.ofDays(14), 2 * MIB, 1_000_000);
    journeys.note(station("old", Station.Kind.SENDER, "a@example.com"));
    journeys.step();
    var everything = reader().follow(Optional.empty(), Optional.empty());
    var toBob = reader().follow(Optional.of(Wanted.to("bob@example.net")), Optional.empty());
    var seen = new ArrayList<Station>();
    var bobs = new ArrayList<Station>();
    var noted = new ArrayList<Station>();
    for (int i = 0; i < 3000; i++) {
      now = now.plusMillis(1);
      var id = "m" + i;
      for (var station :
          List.of(
              station(id, Station.Kind.SENDER, "a@example.com"),
              station(id, Station.Kind.RECIPIENT, i % 3 == 0 ? "bob@example.net" : "eve@a.example"),
              station(id, Station.Kind.END, ""))) {
        journeys.note(station);
        noted.add(station);
      }
      if (i % 7 == 0) {
        journeys.step();
      }
      if (i % 11 == 0) {
        seen.addAll(everything.next());
        bobs.addAll(toBob.next());
      }
    }
    journeys.step();
    seen.addAll(everything.next());
    bobs.addAll(toBob.next());
    assertThat(disk.list(FOLDER).size()).as("segments and filters").isGreaterThan(3);
    assertThat(seen).isEqualTo(noted);
    assertThat(bobs)
        .isEqualTo(
            noted.stream()
                .filter(each -> Integer.parseInt(each.id().substring(1)) % 3 == 0)
                .toList());
    assertThat(reader().follow(Optional.of(Wanted.named("m2")), Optional.empty()).next())
        .hasSize(3);
    assertThat(reader().follow(Optional.empty(), Optional.of(now)).next()).hasSize(3);
  }

  /// On a real disk, with the writer's own thread.
  @Test
  void theWriterWritesSoonAndAtTheEnd(@TempDir Path folder) throws Exception {
    var files = new FileSystemDisk();
    var journeys =
        new Journeys(
            files,
            folder.resolve("journey"),
            Journeys.Settings.of(Duration.ofDays(1), 64 * MIB),
            InstantSource.system());
    journeys.start();
    var following =
        new JourneyReader(files, folder.resolve("journey"))
            .follow(Optional.empty(), Optional.of(Instant.EPOCH));
    journeys.note("m", Station.Kind.SENDER, "a@example.com", "sends", "");
    var seen = new ArrayList<Station>();
    long until = System.nanoTime() + 20_000_000_000L;
    while (seen.isEmpty() && System.nanoTime() < until) {
      seen.addAll(following.next());
      Thread.sleep(20);
    }
    assertThat(seen).hasSize(1);
    var threads = new ArrayList<Thread>();
    for (int i = 0; i < 4; i++) {
      int number = i;
      threads.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    for (int n = 0; n < 2000; n++) {
                      journeys.note("t" + number, Station.Kind.RELAY, "b@example.net", "" + n, "");
                    }
                  }));
    }
    for (var thread : threads) {
      thread.join();
    }
    journeys.close();
    assertThat(journeys.written() + journeys.dropped()).isEqualTo(8001);
    assertThat(journeys.dropped()).isZero();
    seen.addAll(following.next());
    assertThat(seen).hasSize(8001);
    assertThat(seen.stream().filter(each -> each.id().equals("t2")).map(Station::words))
        .isEqualTo(IntStream.range(0, 2000).mapToObj(Integer::toString).toList());
    try (var names = Files.list(folder.resolve("journey"))) {
      assertThat(names).hasSize(2);
    }
  }
}
