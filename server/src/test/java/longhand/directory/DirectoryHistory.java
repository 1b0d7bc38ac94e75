package longhand.directory;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import longhand.disk.SimDisk;
import longhand.mail.Address;
import longhand.mail.Domain;
import org.jspecify.annotations.NullMarked;
import org.slf4j.LoggerFactory;

/// A history of changes of accounts from a seed, for tests that break the disk under it.
@NullMarked
final class DirectoryHistory {

  static final Path DATA = Path.of("/data");
  static final List<Domain> DOMAINS = List.of(new Domain("example.com"), new Domain("example.org"));

  /// The third and fourth word of a line.
  static final String VERIFIERS =
      "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
          + "A".repeat(43)
          + " SCRAM-SHA-256$50000:AAAAAAAAAAAAAAAAAAAAAA==$"
          + "A".repeat(43)
          + "=:"
          + "A".repeat(43)
          + "=";

  private DirectoryHistory() {}

  /// One change. What was told is in force when it returns.
  interface Step {
    void run(Directory directory, SimDisk disk) throws IOException;
  }

  static Directory open(SimDisk disk, long seed) throws IOException {
    // These histories break the disk on purpose, many thousand times.
    ((Logger) LoggerFactory.getLogger("longhand.directory")).setLevel(Level.OFF);
    if (!disk.exists(DATA)) {
      disk.createFolders(DATA);
      disk.forceFolder(DATA);
    }
    return new Directory(disk, DATA, DOMAINS, new Random(seed), () -> 0);
  }

  /// Every account with its name, and every alias with its line.
  static Map<String, String> accounts(Directory directory) throws IOException {
    var accounts = new TreeMap<String, String>();
    for (var domain : DOMAINS) {
      var listed = new ArrayList<Address>();
      directory.forEach(domain, account -> listed.add(account.address()));
      for (var address : listed) {
        accounts.put(address.toString(), directory.account(address).orElseThrow().name());
      }
    }
    if (accounts.size() != directory.size()) {
      throw new AssertionError(directory.size() + " accounts, listed " + accounts);
    }
    for (var domain : DOMAINS) {
      var listed = new ArrayList<AliasName>();
      directory.forEachEntry(
          domain,
          entry -> {
            if (entry instanceof AliasRecord alias) {
              listed.add(alias.name());
            }
          });
      for (var name : listed) {
        accounts.put(name.toString(), directory.alias(name).orElseThrow().toLine());
      }
    }
    return accounts;
  }

  static List<Step> steps(long seed, int count) {
    var random = new Random(seed);
    var steps = new ArrayList<Step>();
    for (int i = 0; i < count; i++) {
      long step = random.nextLong();
      int kind = random.nextInt(16);
      steps.add((directory, disk) -> run(directory, disk, kind, new Random(step)));
    }
    return steps;
  }

  private static void run(Directory directory, SimDisk disk, int kind, Random random)
      throws IOException {
    var domain = DOMAINS.get(random.nextInt(2));
    switch (kind) {
      case 0, 1, 2, 3 -> directory.add(account(domain, random));
      case 4, 5 -> directory.put(List.of(account(domain, random)));
      case 6, 7 -> directory.remove(account(domain, random).address());
      case 8 -> {
        var many = new ArrayList<AccountRecord>();
        for (int i = random.nextInt(30); i >= 0; i--) {
          many.add(account(domain, random));
        }
        directory.put(many);
      }
      case 9 -> {
        var again = new ArrayList<AccountRecord>();
        for (int i = 0; i < 90; i++) {
          again.add(account(domain, random));
        }
        directory.put(again);
      }
      case 10, 11, 12 -> {
        var alias = alias(domain, random);
        directory.refresh(); // sees what was edited, which look-ups do once a second
        directory.putAlias(alias, directory.alias(alias.name()));
      }
      case 13 -> directory.removeAlias(alias(domain, random).name());
      default -> edit(disk, DATA.resolve("directory").resolve(domain.name()), random);
    }
  }

  /// A person takes the lines about some names out of the file, and leaves the last one without an
  /// end. All lines of a name go or none, so that it is the same whether the file was compacted
  /// before, which a fault prevents.
  private static void edit(SimDisk disk, Path file, Random random) throws IOException {
    if (disk.dead() || !disk.exists(file)) {
      return;
    }
    var kept = new ArrayList<String>();
    int chance = random.nextInt();
    for (var line : new String(disk.content(file), StandardCharsets.UTF_8).lines().toList()) {
      int name = line.substring(0, Math.max(0, line.indexOf(' '))).hashCode();
      if (new Random(chance ^ name).nextInt(4) > 0) {
        kept.add(line);
      }
    }
    disk.change(file, String.join("\n", kept).getBytes(StandardCharsets.UTF_8));
  }

  /// Aliases share names with accounts, so that each may take the other's place.
  private static AliasRecord alias(Domain domain, Random random) {
    var name =
        switch (random.nextInt(4)) {
          case 0 -> "user" + random.nextInt(6);
          case 1 -> "sales-*";
          case 2 -> "*";
          default -> "group" + random.nextInt(3);
        };
    var targets = new ArrayList<String>();
    for (int i = random.nextInt(30); i >= 0; i--) {
      targets.add("member" + i + "@example.net");
    }
    return AliasRecord.ofLine(
        name
            + " alias "
            + String.join(",", targets)
            + (random.nextBoolean() ? " senders=none" : ""),
        domain);
  }

  private static AccountRecord account(Domain domain, Random random) {
    var name = new char[random.nextInt(120)];
    Arrays.fill(name, 'n');
    return AccountRecord.ofLine(
        "user%d active%s 0 %s %d%s"
            .formatted(
                random.nextInt(6),
                random.nextInt(3) == 0 ? ";forward=bob@example.net;copy" : "",
                VERIFIERS,
                random.nextInt(1000),
                new String(name)),
        domain);
  }
}
