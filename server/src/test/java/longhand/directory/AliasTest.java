package longhand.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import longhand.disk.FileSystemDisk;
import longhand.mail.Address;
import longhand.mail.Domain;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AliasTest {

  private static final Domain COM = new Domain("example.com");
  private static final Domain NET = new Domain("example.net");
  private static final HostedDomains DOMAINS =
      new HostedDomains(
          List.of(COM, new Domain("second.test")),
          Map.of(new Domain("example.org"), COM),
          Set.of(new Domain("backup.test")));

  @TempDir Path data;
  private Directory directory;
  private Path file;

  @BeforeEach
  void open() throws IOException {
    directory = reopened();
    file = data.resolve("directory/example.com");
  }

  @AfterEach
  void close() throws IOException {
    directory.close();
  }

  /// Its clock stands, so that a change in the file is seen by a new one alone.
  private Directory reopened() throws IOException {
    return new Directory(new FileSystemDisk(), data, DOMAINS, new Random(1), () -> 0);
  }

  private void lines(String... lines) throws IOException {
    directory.close();
    Files.writeString(
        file,
        String.join("\n", lines).replace("VERIFIERS", DirectoryHistory.VERIFIERS) + "\n",
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
    directory = reopened();
  }

  private static Address address(String text) {
    int at = text.lastIndexOf('@');
    return at < 0
        ? new Address(text, COM)
        : new Address(text.substring(0, at), new Domain(text.substring(at + 1)));
  }

  /// The entry an address resolves to, as the first word of its line; `-` when to none.
  private String key(String text) throws IOException {
    return directory
        .resolve(address(text))
        .map(found -> found.entry().toLine())
        .map(line -> line.substring(0, line.indexOf(' ')))
        .orElse("-");
  }

  private static AliasRecord alias(String line) {
    return AliasRecord.ofLine(line, COM);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "sales alias alice",
        "sales alias alice,Bob.Smith@example.net",
        "board alias :;",
        "* alias alice",
        "sales-* alias alice senders=none",
        "*-de alias alice senders=carol,dave@second.test confidential",
        "a*b alias alice keep-sender",
        "x alias alice senders=none confidential keep-sender",
        "j%c3%b6rg alias j%c3%b6rg%2a@example.net",
        "%2a alias alice",
        "x alias none@example.com,members@example.com senders=none@example.com",
        "x alias a+b=c/d!e@example.net,%22q%20%22@example.net",
      })
  void aLineIsReadAndWrittenTheSame(String line) {
    assertThat(alias(line).toLine()).isEqualTo(line);
    assertThat(alias(alias(line).toLine())).isEqualTo(alias(line));
  }

  @Test
  void aPersonMayWriteItOtherwise() {
    assertThat(alias("SALES  alias   alice@EXAMPLE.com  senders=Members").toLine())
        .isEqualTo("sales alias alice");
    assertThat(alias("x alias bob@faß.example").targets())
        .containsExactly(address("bob@xn--fa-hia.example"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "sales alias | words",
        "sales alias alice,, | expected an address",
        "sales alias alice,alice | twice",
        "sales alias alice@ | expected an address",
        "sales alias @example.net | expected an address",
        "sales alias a@b@example.net | expected an address",
        "sales alias a*@example.net | expected an address",
        "sales alias alice@../x | expected an address",
        "sales alias alice@[127.0.0.1] | expected an address",
        "sales alias a%0ab | expected an address",
        "sales alias a%ff | expected an address",
        "sales alias alice nonsense | expected senders",
        "sales alias alice senders= | expected an address",
        "sales alias alice senders=:; | senders=none",
        "s*l*s alias alice | local part",
        "jbob+* alias alice | no +",
        "%zz alias alice | local part",
      })
  void whatIsNoAliasIsSaid(String line, String words) {
    assertThatThrownBy(() -> alias(line))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(words);
  }

  @Test
  void anAccountForwardsAndOldLinesStayReadable() throws IOException {
    lines(
        "jbob active 0 VERIFIERS Jim Bob",
        "ann active;forward=bob@example.net;copy 5G VERIFIERS Ann",
        "dave disabled;forward=ann,Bob@example.net 0 VERIFIERS");
    assertThat(directory.account(address("jbob")).orElseThrow().forward()).isEmpty();
    var ann = directory.account(address("ann")).orElseThrow();
    assertThat(ann.forward()).contains(new Forward(List.of(address("bob@example.net")), true));
    assertThat(ann.name()).isEqualTo("Ann");
    var dave = directory.account(address("dave")).orElseThrow();
    assertThat(dave.forward())
        .contains(new Forward(List.of(address("ann"), address("Bob@example.net")), false));
    assertThat(dave.toLine()).contains(" disabled;forward=ann,Bob@example.net 0 ");
    assertThat(AccountRecord.ofLine(dave.toLine(), COM).forward()).isEqualTo(dave.forward());
    assertThat(ann.toLine()).isEqualTo(AccountRecord.ofLine(ann.toLine(), COM).toLine());
    for (var bad :
        List.of(
            "active;",
            "active;copy",
            "active;forward=",
            "active;forward=:;",
            "active;forward=a;b",
            "active;forward=a,a",
            "on;forward=a")) {
      assertThatThrownBy(
              () -> AccountRecord.ofLine("x " + bad + " 0 " + DirectoryHistory.VERIFIERS, COM))
          .as(bad)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void theOrderIsExactThenSubAddressThenTheMostSpecificWildcard() throws IOException {
    lines(
        "jbob active 0 VERIFIERS",
        "* alias c1",
        "sales-* alias c2",
        "sales-de* alias c3",
        "*-team alias c4",
        "s*m alias c5",
        "sales-x alias c6",
        "list+owner alias c7",
        "list alias c8",
        "ab* alias c9",
        "*ba alias c10");
    assertThat(key("JBOB")).isEqualTo("jbob");
    assertThat(key("jbob+any")).isEqualTo("jbob");
    assertThat(key("sales-x")).isEqualTo("sales-x");
    assertThat(key("sales-x+y")).isEqualTo("sales-x");
    assertThat(key("sales-de")).isEqualTo("sales-de*");
    assertThat(key("sales-design+x")).isEqualTo("sales-de*");
    assertThat(key("sales-uk")).isEqualTo("sales-*");
    assertThat(key("sales-uk-team")).as("six octets before five").isEqualTo("sales-*");
    assertThat(key("s-team")).as("five octets before two").isEqualTo("*-team");
    assertThat(key("sm")).isEqualTo("s*m");
    assertThat(key("s")).as("the two ends may not overlap").isEqualTo("*");
    assertThat(key("list+owner")).isEqualTo("list+owner");
    assertThat(key("list+other")).isEqualTo("list");
    assertThat(key("abba")).as("as many octets: more before the star").isEqualTo("ab*");
    assertThat(key("+x")).isEqualTo("*");
    assertThat(key("jbob@second.test")).isEqualTo("-");
    lines("* removed", "sales-de* removed");
    assertThat(key("sales-de")).isEqualTo("sales-*");
    assertThat(key("nobody")).isEqualTo("-");
  }

  @Test
  void wildcardsAreLikeAllOfThemTriedInOrder() throws IOException {
    long seed = Long.getLong("longhand.seed", 20261124L);
    var random = new Random(seed);
    var alphabet = "ab%é9".split("");
    for (int round = 0; round < 30; round++) {
      Files.deleteIfExists(file);
      var patterns = new TreeSet<String>();
      for (int i = random.nextInt(12); i >= 0; i--) {
        patterns.add(word(random, alphabet, 3) + "*" + word(random, alphabet, 3));
      }
      lines(
          patterns.stream()
              .map(
                  pattern ->
                      AliasRecord.of(
                              new AliasName(pattern, true, COM), List.of(address("x@example.net")))
                          .toLine())
              .toArray(String[]::new));
      for (int i = 0; i < 60; i++) {
        var local = word(random, alphabet, 6) + "9";
        var expected =
            patterns.stream()
                .filter(
                    pattern -> {
                      int star = pattern.indexOf('*');
                      return local.length() >= pattern.length() - 1
                          && local.startsWith(pattern.substring(0, star))
                          && local.endsWith(pattern.substring(star + 1));
                    })
                .max(
                    Comparator.<String>comparingInt(AliasTest::octets)
                        .thenComparingInt(
                            pattern -> octets(pattern.substring(0, pattern.indexOf('*')))))
                .map(pattern -> new AliasName(pattern, true, COM).key())
                .orElse("-");
        assertThat(key(local)).as("%s of %s, seed %d", local, patterns, seed).isEqualTo(expected);
      }
    }
  }

  /// Octets of the key, where `é` has six and `%` three.
  private static int octets(String pattern) {
    return AccountLine.key(pattern.replace("*", "")).length();
  }

  private static String word(Random random, String[] alphabet, int most) {
    var word = new StringBuilder();
    for (int i = random.nextInt(most + 1); i > 0; i--) {
      word.append(alphabet[random.nextInt(alphabet.length)]);
    }
    return word.toString();
  }

  @Test
  void domainsHaveRoles() throws IOException {
    assertThat(directory.hosting(COM)).isEqualTo(new Hosting.Local(COM));
    assertThat(directory.hosting(new Domain("example.org"))).isEqualTo(new Hosting.Local(COM));
    assertThat(directory.hosting(new Domain("backup.test"))).isEqualTo(new Hosting.Backup());
    assertThat(directory.hosting(NET)).isEqualTo(new Hosting.Foreign());
    lines("jbob active 0 VERIFIERS", "sales alias jbob");
    assertThat(key("jbob+x@example.org")).isEqualTo("jbob");
    assertThat(key("sales@example.org")).isEqualTo("sales");
    assertThat(directory.address("Jbob@Example.ORG")).contains(address("jbob"));
    assertThat(directory.home(address("Jbob@example.org"))).isEqualTo(address("jbob"));
    assertThat(directory.home(address("Jbob@example.net"))).isEqualTo(address("Jbob@example.net"));
    assertThat(directory.isLocal(new Domain("backup.test"))).isFalse();
    assertThat(directory.domains()).containsExactly(COM, new Domain("second.test"));
    assertThatThrownBy(() -> new HostedDomains(List.of(COM), Map.of(COM, COM), Set.of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () -> new HostedDomains(List.of(COM), Map.of(NET, new Domain("no.test")), Set.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void accountsAndAliasesShareTheirNames() throws IOException {
    lines("jbob active 0 VERIFIERS", "sales alias jbob", "* alias jbob");
    assertThat(directory.size()).isEqualTo(1);
    assertThat(directory.account(address("sales"))).isEmpty();
    assertThat(directory.find(address("sales"))).isEmpty();
    assertThat(directory.find(address("whoever"))).isEmpty();
    assertThat(directory.remove(address("sales"))).isFalse();
    assertThat(directory.removeAlias(AliasName.of(address("jbob")))).isFalse();
    var account = AccountRecord.ofLine("sales active 0 " + DirectoryHistory.VERIFIERS, COM);
    assertThat(directory.add(account)).isFalse();
    assertThat(directory.putAlias(alias("jbob alias sales"), Optional.empty())).isFalse();
    assertThat(directory.removeAlias(AliasName.of(address("Sales")))).isTrue();
    assertThat(directory.removeAlias(AliasName.of(address("sales")))).isFalse();
    assertThat(directory.add(account)).isTrue();
    assertThat(directory.size()).isEqualTo(2);
    directory.forEach(COM, each -> assertThat(each.address().localPart()).isIn("jbob", "sales"));
  }

  @Test
  void aChangeOfWhatWasNotSeenIsNotMade() throws IOException {
    var first = alias("sales alias alice");
    var second = alias("sales alias alice,bob");
    assertThat(directory.putAlias(second, Optional.of(first))).isFalse();
    assertThat(directory.putAlias(first, Optional.empty())).isTrue();
    assertThat(directory.putAlias(first, Optional.empty())).isFalse();
    assertThat(directory.putAlias(second, Optional.of(first))).isTrue();
    assertThat(directory.putAlias(first, Optional.of(first))).isFalse();
    assertThat(directory.alias(first.name())).contains(second);
    try (var again = reopened()) {
      assertThat(again.alias(first.name())).contains(second);
    }
  }

  @Test
  void ofManyWritersToOneGroupNoneIsLost() throws Exception {
    var name = AliasName.of(address("group"));
    directory.putAlias(AliasRecord.of(name, List.of()), Optional.empty());
    try (var other = reopened();
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var work = new ArrayList<Callable<Void>>();
      for (int i = 0; i < 24; i++) {
        var mine = i % 2 == 0 ? directory : other;
        var member = new Address("member" + i, NET);
        work.add(
            () -> {
              boolean done = false;
              for (int attempt = 0; !done && attempt < 10_000; attempt++) {
                var seen = mine.alias(name).orElseThrow();
                var targets = new ArrayList<>(seen.targets());
                targets.add(member);
                done = mine.putAlias(AliasRecord.of(name, targets), Optional.of(seen));
              }
              assertThat(done).isTrue();
              return null;
            });
      }
      for (var each : threads.invokeAll(work)) {
        each.get();
      }
    }
    try (var again = reopened()) {
      assertThat(again.alias(name).orElseThrow().targets()).hasSize(24);
    }
  }

  @Test
  void aLargeGroupIsOneLineAndATooLargeOneIsRefused() throws IOException {
    var targets = new ArrayList<Address>();
    for (int i = 0; i < 2_000; i++) {
      targets.add(new Address("member-number-" + i, NET));
    }
    var large = AliasRecord.of(AliasName.of(address("all")), targets);
    assertThat(large.toLine().length()).isBetween(30_000, AliasLine.BYTES_MAX);
    assertThat(directory.putAlias(large, Optional.empty())).isTrue();
    try (var again = reopened()) {
      assertThat(again.resolve(address("all")).orElseThrow().entry()).isEqualTo(large);
    }
    for (int i = 0; i < 2_000; i++) {
      targets.add(new Address("another-member-" + i, NET));
    }
    var huge = AliasRecord.of(AliasName.of(address("huge")), targets);
    assertThatThrownBy(() -> directory.putAlias(huge, Optional.empty()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("an alias of their own");
    lines(huge.toLine());
    assertThatThrownBy(() -> directory.resolve(address("huge"))).isInstanceOf(IOException.class);
    assertThat(key("all")).isEqualTo("all");
  }

  @Test
  void aBadLineIsATemporaryErrorForItsAddressesAlone() throws IOException {
    lines(
        "jbob active 0 VERIFIERS",
        "sales alias",
        "info-* alias alice nonsense",
        "* alias jbob",
        "x".repeat(300) + "* alias jbob",
        "ab%c*d alias jbob");
    assertThat(key("jbob")).isEqualTo("jbob");
    assertThat(key("other")).isEqualTo("*");
    assertThat(key("abé")).isEqualTo("*");
    assertThatThrownBy(() -> key("sales")).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> key("info-x")).isInstanceOf(IOException.class);
    lines("sales alias jbob", "info-* removed");
    assertThat(key("sales")).isEqualTo("sales");
    assertThat(key("info-x")).isEqualTo("*");
  }

  @Test
  void bytesThatAreNoTextHarmNobodyElse() throws IOException {
    long seed = Long.getLong("longhand.seed", 7L);
    var random = new Random(seed);
    lines("jbob active 0 VERIFIERS", "sales alias jbob");
    for (int round = 0; round < 40; round++) {
      var noise = new byte[random.nextInt(300)];
      random.nextBytes(noise);
      var text = new String(noise, StandardCharsets.ISO_8859_1);
      directory.close();
      Files.write(
          file,
          ("z" + text.replace('\n', '*') + " alias " + text.replace('\n', ' ') + "\n")
              .getBytes(StandardCharsets.ISO_8859_1),
          StandardOpenOption.APPEND);
      directory = reopened();
      assertThat(key("jbob")).as("seed %d", seed).isEqualTo("jbob");
      assertThat(key("sales")).as("seed %d", seed).isEqualTo("sales");
      assertThat(key("nobody")).as("seed %d", seed).isEqualTo("-");
    }
  }

  @Test
  void compactionKeepsAliases() throws IOException {
    directory.putAlias(alias("sales alias alice"), Optional.empty());
    directory.putAlias(alias("s-* alias alice"), Optional.empty());
    directory.putAlias(alias("* alias alice"), Optional.empty());
    directory.removeAlias(new AliasName("*", true, COM));
    for (int i = 0; i < 200; i++) {
      var busy = AliasName.of(address("busy"));
      directory.putAlias(
          AliasRecord.of(busy, List.of(new Address("m" + i, NET))), directory.alias(busy));
    }
    assertThat(Files.readAllLines(file)).hasSizeLessThan(120);
    assertThat(key("sales")).isEqualTo("sales");
    assertThat(key("s-x")).isEqualTo("s-*");
    assertThat(key("x")).isEqualTo("-");
    assertThat(directory.alias(AliasName.of(address("busy"))).orElseThrow().targets())
        .containsExactly(new Address("m199", NET));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "jbob | jbob | true",
        "jbob | JBOB+x@example.org | true",
        "jbob | alice | false",
        "jbob | nobody@example.net | false",
        "jbob | nobody@second.test | false",
        "jbob | sales | true",
        "jbob | sales+x@example.org | true",
        "alice | sales | true",
        "carol | sales | false",
        "carol | nested | false",
        "jbob | nested | true",
        "jbob | closed | false",
        "jbob | through-closed | false",
        "jbob | list | false",
        "carol | list | true",
        "carol | forwarding | false",
        "forwarding | forwarding | true",
        "jbob | info-anything | true",
        "carol | info-anything | false",
        "carol | whatever | true",
        "alice | whatever | false",
        "alice | loop1 | true",
        "carol | loop1 | false",
      })
  void whoMaySendAsWhat(String account, String used, boolean may) throws IOException {
    lines(
        "jbob active 0 VERIFIERS",
        "alice active 0 VERIFIERS",
        "carol active 0 VERIFIERS",
        "forwarding active;forward=carol 0 VERIFIERS",
        "sales alias jbob,alice,out@example.net",
        "nested alias sales",
        "closed alias jbob,alice senders=none",
        "through-closed alias closed",
        "list alias jbob,alice senders=carol@example.org",
        "info-* alias jbob",
        "* alias carol",
        "loop1 alias loop2",
        "loop2 alias loop1,alice");
    assertThat(directory.mayUse(address(account), address(used))).isEqualTo(may);
  }

  @Test
  void subAddressesGoAlongToOurOwnTargets() throws IOException {
    lines("jbob active 0 VERIFIERS", "sales alias jbob");
    var found = directory.resolve(address("sales+Lists")).orElseThrow();
    assertThat(found.subAddress()).isEqualTo("Lists");
    assertThat(directory.along(found, address("jbob"))).isEqualTo(address("jbob+Lists"));
    assertThat(directory.along(found, address("jbob+own"))).isEqualTo(address("jbob+own"));
    assertThat(directory.along(found, address("bob@example.net")))
        .isEqualTo(address("bob@example.net"));
    var long64 = address("x".repeat(60));
    assertThat(directory.along(found, long64)).isEqualTo(long64);
  }
}
