package longhand.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import longhand.auth.AuthSettings;
import longhand.auth.Authenticator;
import longhand.auth.Verifiers;
import longhand.disk.FileSystemDisk;
import longhand.mail.Address;
import longhand.mail.Domain;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryTest {

  private static final Domain DOMAIN = new Domain("example.com");

  @TempDir Path data;
  private final AtomicLong nanos = new AtomicLong();
  private Directory directory;
  private Verifiers verifiers;
  private Path file;

  @BeforeEach
  void open() throws IOException {
    directory = reopened();
    file = data.resolve("directory/example.com");
    verifiers =
        new Authenticator(directory, new byte[32], AuthSettings.forTests()).verifiers("secret");
  }

  @AfterEach
  void close() throws IOException {
    directory.close();
  }

  private Directory reopened() throws IOException {
    return new Directory(
        new FileSystemDisk(),
        data,
        List.of(DOMAIN, new Domain("example.org")),
        new Random(1),
        nanos::get);
  }

  private void aSecondPasses() {
    nanos.addAndGet(1_100_000_000L);
  }

  private static Address address(String localPart) {
    return new Address(localPart, DOMAIN);
  }

  private AccountRecord account(String localPart, String name) {
    return new AccountRecord(
        address(localPart), verifiers.password(), verifiers.scram(), name, 0, true);
  }

  private void put(String localPart, String name) throws IOException {
    directory.put(List.of(account(localPart, name)));
  }

  private String name(String localPart) throws IOException {
    return directory.find(address(localPart)).map(AccountRecord::name).orElse("-");
  }

  private void write(String text, StandardOpenOption... options) throws IOException {
    Files.writeString(file, text, options);
  }

  @Test
  void anAccountIsALineAndTheLastOneCounts() throws IOException {
    assertThat(name("jbob")).isEqualTo("-");
    put("jbob", "Jim Bob");
    put("alice", "");
    put("jbob", "James Robert");
    assertThat(name("jbob")).isEqualTo("James Robert");
    assertThat(directory.size()).isEqualTo(2);
    assertThat(Files.readAllLines(file))
        .hasSize(4)
        .first()
        .asString()
        .startsWith("# Accounts of example.com");
    assertThat(directory.remove(address("jbob"))).isTrue();
    assertThat(directory.remove(address("jbob"))).isFalse();
    assertThat(name("jbob")).isEqualTo("-");
    assertThat(Files.readAllLines(file)).last().isEqualTo("jbob removed");
    try (var again = reopened()) {
      assertThat(again.find(address("jbob"))).isEmpty();
      assertThat(again.find(address("alice"))).isPresent();
      assertThat(again.size()).isEqualTo(1);
    }
  }

  @Test
  void letterCaseAndSubAddresses() throws IOException {
    put("jbob", "Jim");
    assertThat(name("JBob")).isEqualTo("Jim");
    assertThat(name("jbob+lists")).isEqualTo("Jim");
    assertThat(name("JBOB+a+b")).isEqualTo("Jim");
    assertThat(name("jbob+")).isEqualTo("Jim");
    assertThat(name("+jbob")).isEqualTo("-");
    assertThat(name("jbobx")).isEqualTo("-");
    assertThat(name("jbo")).isEqualTo("-");
    put("jbob+own", "Its own");
    assertThat(name("jbob+own")).isEqualTo("Its own");
    assertThat(directory.account(address("jbob+lists"))).isEmpty();
  }

  @Test
  void oddLocalPartsAreEncoded() throws IOException {
    for (var odd :
        List.of("o'neil", "a b", "../x", ".hidden", "%41", "müller", "#x", "a\"b", "/")) {
      var canonical = address(odd).canonical();
      put(canonical.localPart(), "it is " + odd);
      assertThat(name(odd)).isEqualTo("it is " + odd);
    }
    assertThat(name("A")).isEqualTo("-");
    try (var again = reopened()) {
      assertThat(again.find(address("müller")).orElseThrow().address())
          .isEqualTo(address("müller"));
    }
  }

  @Test
  void namesToLogInWith() {
    assertThat(directory.address("jbob")).isEmpty(); // two domains
    assertThat(directory.address("JBob@Example.COM")).contains(address("jbob"));
    assertThat(directory.address("@example.com")).isEmpty();
    assertThat(directory.address("a@")).isEmpty();
    assertThat(directory.address("a\nb@example.com")).isEmpty();
    assertThat(directory.address("x".repeat(65) + "@example.com")).isEmpty();
  }

  @Test
  void editsByHandArePickedUp() throws IOException {
    put("jbob", "Jim");
    assertThat(name("jbob")).isEqualTo("Jim");
    write(Files.readString(file).replace(" Jim\n", " Jimmy"));
    aSecondPasses();
    assertThat(name("jbob")).isEqualTo("Jimmy");
    put("alice", "Alice"); // after a line without end
    assertThat(name("jbob")).isEqualTo("Jimmy");
    assertThat(name("alice")).isEqualTo("Alice");
    Files.delete(file);
    aSecondPasses();
    assertThat(name("jbob")).isEqualTo("-");
    put("jbob", "again");
    assertThat(name("jbob")).isEqualTo("again");
    write(Files.readString(file).replace("\n", "\r\n").replace("jbob active", "JBOB active"));
    aSecondPasses();
    assertThat(name("jbob")).isEqualTo("again");
  }

  @Test
  void anotherProcessAddsAccounts() throws IOException {
    put("jbob", "Jim");
    try (var other = reopened()) {
      other.put(List.of(account("alice", "Alice")));
      assertThat(directory.add(account("alice", "twice"))).isFalse();
      put("carol", "Carol");
      aSecondPasses();
      assertThat(other.find(address("carol"))).isPresent();
    }
    assertThat(name("alice")).isEqualTo("Alice");
    assertThat(name("jbob")).isEqualTo("Jim");
  }

  @Test
  void aBadLineHarmsNobodyElse() throws IOException {
    put("jbob", "Jim");
    put("alice", "Alice");
    var hash = verifiers.password().toText();
    var scram = verifiers.scram().toText();
    write(
        "\n   \njbob active 0 %s\n".formatted(hash)
            + "carol\ncarol active\nCA@ROL active 0 %s %s\n".formatted(hash, scram)
            + "dave active -1 %s %s\n".formatted(hash, scram)
            + "erin alive 0 %s %s\n".formatted(hash, scram)
            + "fay active 0 %s %s a\u0001b\n".formatted(hash, scram)
            + "\0\0\0\0\n"
            + "gus active 0 %s %s ".formatted(hash, scram)
            + "x".repeat(5000)
            + "\nhal active 5G %s %s Hal\n".formatted(hash, scram),
        StandardOpenOption.APPEND);
    aSecondPasses();
    assertThat(name("alice")).isEqualTo("Alice");
    var hal = directory.find(address("hal")).orElseThrow();
    assertThat(hal.quotaOctets()).isEqualTo(5L << 30);
    // Who has a bad line is not unknown, and no older line is taken in its place.
    for (var bad : List.of("jbob", "carol", "dave", "erin", "fay", "gus")) {
      assertThatThrownBy(() -> name(bad)).as(bad).isInstanceOf(IOException.class);
    }
    put("jbob", "mended");
    assertThat(name("jbob")).isEqualTo("mended");
    var listed = new ArrayList<String>();
    directory.forEach(DOMAIN, account -> listed.add(account.name()));
    assertThat(listed).containsExactly("Alice", "Hal", "mended");
  }

  @Test
  void bytesThatAreNoTextHarmNobodyElse() throws IOException {
    put("alice", "Alice");
    var random = new Random(7);
    for (int round = 0; round < 50; round++) {
      var noise = new byte[random.nextInt(3000)];
      random.nextBytes(noise);
      Files.write(file, noise, StandardOpenOption.APPEND);
      Files.write(file, "\n".getBytes(StandardCharsets.US_ASCII), StandardOpenOption.APPEND);
      aSecondPasses();
      assertThat(name("alice")).isEqualTo("Alice");
      assertThat(name("zed")).isEqualTo("-");
    }
  }

  @Test
  void aFileCutAnywhereAnswersWithWholeLinesOnly() throws IOException {
    put("jbob", "Jim");
    long first = Files.size(file);
    put("jbob", "James");
    var whole = Files.readAllBytes(file);
    for (int length = (int) first; length <= whole.length; length++) {
      Files.write(file, java.util.Arrays.copyOf(whole, length));
      try (var again = reopened()) {
        String name;
        try {
          name = again.find(address("jbob")).map(AccountRecord::name).orElse("-");
        } catch (IOException e) {
          name = "error";
        }
        assertThat(name).isIn("Jim", "error", "-", "", "J", "Ja", "Jam", "Jame", "James");
      }
    }
  }

  @Test
  void linesOfAnyLengthArePassedOver() throws IOException {
    put("alice", "Alice");
    write("jbob " + "x".repeat(1_000_000) + "\n", StandardOpenOption.APPEND);
    write("jbob " + "y".repeat(262_139) + "\n", StandardOpenOption.APPEND);
    put("carol", "Carol");
    aSecondPasses();
    try (var again = reopened()) {
      assertThat(again.find(address("alice"))).isPresent();
      assertThat(again.find(address("carol"))).isPresent();
      assertThatThrownBy(() -> again.find(address("jbob"))).isInstanceOf(IOException.class);
    }
  }

  @Test
  void compactionKeepsWhatCountsAndWhatItDoesNotUnderstand() throws IOException {
    put("jbob", "Jim");
    write("# a note of mine\n@@ what is this\n", StandardOpenOption.APPEND);
    for (int i = 0; i < 200; i++) {
      put("alice", "Alice " + i);
      if (i % 3 == 0) {
        directory.remove(address("alice"));
      }
    }
    assertThat(Files.readAllLines(file)).hasSizeLessThan(150).contains("# a note of mine");
    assertThat(Files.readAllLines(file)).contains("@@ what is this");
    assertThat(name("jbob")).isEqualTo("Jim");
    assertThat(name("alice")).isEqualTo("Alice 199");
    assertThat(Files.getPosixFilePermissions(file)).hasSize(2);
  }

  @Test
  void twoWritersAtOnceLoseNothing() throws Exception {
    try (var other = reopened();
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var work = new ArrayList<Callable<Boolean>>();
      for (int i = 0; i < 60; i++) {
        var target = i % 2 == 0 ? directory : other;
        var account = account("user" + i, "");
        work.add(() -> target.add(account));
      }
      for (var done : threads.invokeAll(work)) {
        assertThat(done.get()).isTrue();
      }
    }
    try (var again = reopened()) {
      assertThat(again.size()).isEqualTo(60);
    }
  }

  @Test
  void anyHistoryIsLikeATable() throws IOException {
    long seed = Long.getLong("longhand.seed", 20261123L);
    var random = new Random(seed);
    var model = new TreeMap<String, String>();
    for (int step = 0; step < 600; step++) {
      var localPart = "u" + random.nextInt(20);
      switch (random.nextInt(4)) {
        case 0 -> {
          assertThat(directory.remove(address(localPart))).isEqualTo(model.containsKey(localPart));
          model.remove(localPart);
        }
        case 1 -> {
          directory.close();
          directory = reopened();
        }
        default -> {
          put(localPart, "step " + step);
          model.put(localPart, "step " + step);
        }
      }
      var asked = "u" + random.nextInt(20);
      assertThat(name(asked)).as("seed %d", seed).isEqualTo(model.getOrDefault(asked, "-"));
      assertThat(directory.size()).as("seed %d", seed).isEqualTo(model.size());
    }
  }

  @Test
  void domainsThatLeaveTheFolderAreRefused() {
    for (var bad : List.of("..", ".", "a/b", "../x", ".lock", "a b", "EXAMPLE", "x\0")) {
      assertThatThrownBy(() -> Directory.open(data, List.of(new Domain(bad))))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(directory.isLocal(new Domain("example.net"))).isFalse();
  }

  @Test
  void quotasAreReadAndWrittenShort() {
    assertThat(AccountLine.octets("0")).isZero();
    assertThat(AccountLine.octets("5G")).isEqualTo(5L << 30);
    assertThat(AccountLine.octets("7t")).isEqualTo(7L << 40);
    assertThat(AccountLine.octets(5L << 30)).isEqualTo("5G");
    assertThat(AccountLine.octets(1000)).isEqualTo("1000");
    assertThat(AccountLine.octets(0)).isEqualTo("0");
    for (var bad :
        List.of("", "G", "-1", "+1", "1.5G", "1X", "99999999999999999999", "9999999999G")) {
      assertThat(AccountLine.octets(bad)).as(bad).isEqualTo(-1);
    }
  }
}
