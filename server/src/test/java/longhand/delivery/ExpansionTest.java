package longhand.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import longhand.directory.Directory;
import longhand.directory.HostedDomains;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.ForwardPath;
import longhand.mail.ForwardPath.Notify;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExpansionTest {

  static final Domain COM = new Domain("example.com");
  static final HostedDomains DOMAINS =
      new HostedDomains(
          List.of(COM, new Domain("second.test")),
          Map.of(new Domain("example.org"), COM),
          Set.of(new Domain("backup.test")));

  /// The words of a line behind its state.
  static final String REST =
      " 0 $argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
          + "A".repeat(43)
          + " SCRAM-SHA-256$50000:AAAAAAAAAAAAAAAAAAAAAA==$"
          + "A".repeat(43)
          + "=:"
          + "A".repeat(43)
          + "=";

  @TempDir Path data;
  private Directory directory;

  @BeforeEach
  void open() throws IOException {
    Files.createDirectories(data.resolve("directory"));
    directory = Directory.open(data, DOMAINS);
  }

  @AfterEach
  void close() throws IOException {
    directory.close();
  }

  /// Lines of example.com; those with a state alone are accounts.
  private void lines(String... lines) throws IOException {
    directory.close();
    var text = new ArrayList<String>();
    for (var line : lines) {
      text.add(line.contains(" alias ") ? line : line + REST);
    }
    Files.writeString(data.resolve("directory/example.com"), String.join("\n", text) + "\n");
    directory = Directory.open(data, DOMAINS);
  }

  static Address address(String text) {
    int at = text.lastIndexOf('@');
    return at < 0
        ? new Address(text, COM)
        : new Address(text.substring(0, at), new Domain(text.substring(at + 1)));
  }

  private Expansion expand(String text) throws IOException {
    return Expansion.of(directory, ForwardPath.of(address(text)));
  }

  private Expansion.Expanded expanded(ForwardPath path) throws IOException {
    return (Expansion.Expanded) Expansion.of(directory, path);
  }

  /// `account alice` or `relay bob@example.net`, in order, then problems as `LOOP ...`.
  private List<String> told(String text) throws IOException {
    var told = new ArrayList<String>();
    switch (expand(text)) {
      case Expansion.Expanded(var leaves, var problems, _) -> {
        leaves.forEach(leaf -> told.add(name(leaf)));
        problems.forEach(problem -> told.add(problem.kind() + ": " + problem.words()));
      }
      case Expansion.Nowhere(var problems) -> {
        told.add("nowhere " + problems.getFirst().kind().status());
        problems.forEach(problem -> told.add(problem.kind() + ": " + problem.words()));
      }
    }
    return told;
  }

  static String name(Leaf leaf) {
    return switch (leaf) {
      case Leaf.Local local -> "account " + local.account().address().localPart();
      case Leaf.Remote remote -> "relay " + remote.path().address();
    };
  }

  private List<String> trail(String text) throws IOException {
    var trail =
        switch (expand(text)) {
          case Expansion.Expanded(var leaves, _, _) -> leaves.getLast().trail();
          case Expansion.Nowhere nowhere -> nowhere.reason().trail();
        };
    return trail.steps().stream().map(Trail::words).toList();
  }

  @Test
  void anAccountIsItself() throws IOException {
    lines("jbob active", "off disabled");
    var path = ForwardPath.of(address("JBob+x@example.org"));
    var expanded = expanded(path);
    var leaf = (Leaf.Local) expanded.leaves().getFirst();
    assertThat(leaf.account().address()).isEqualTo(address("jbob"));
    assertThat(leaf.path()).isSameAs(path);
    assertThat(leaf.reached()).isEqualTo(address("jbob+x"));
    assertThat(leaf.reports()).isEqualTo(Leaf.Reports.ASKED);
    assertThat(expanded.due()).isEqualTo(Expansion.Due.NOTHING);
    assertThat(trail("JBob+x@example.org"))
        .containsExactly(
            "JBob+x@example.org is jbob+x@example.com, which is an address of jbob@example.com"
                + " (+x taken off)");
    assertThat(told("nobody"))
        .containsExactly("nowhere 5.1.1", "UNKNOWN: nobody@example.com is no address here");
    assertThat(told("off"))
        .containsExactly("nowhere 5.2.1", "INACTIVE: off@example.com takes no mail");
    assertThat(told("Ana@example.net")).containsExactly("relay Ana@example.net");
    assertThat(told("x@backup.test")).containsExactly("relay x@backup.test");
    assertThat(trail("x@backup.test"))
        .containsExactly("x@backup.test is of a domain that we are a backup for");
  }

  @Test
  void aliasesLeadOnAndEachLeafIsThereOnce() throws IOException {
    lines(
        "jbob active",
        "alice active",
        "sales alias jbob,alice,Bob@example.net",
        "info alias sales",
        "all alias info,jbob+x,alice@example.org,Bob@example.net,bob@example.net,x@backup.test",
        "shop-* alias sales",
        "* alias info");
    assertThat(told("sales"))
        .containsExactly("account jbob", "account alice", "relay Bob@example.net");
    assertThat(told("all"))
        .containsExactly(
            "account jbob",
            "account alice",
            "relay Bob@example.net",
            "relay bob@example.net",
            "relay x@backup.test");
    assertThat(trail("shop-de+y"))
        .containsExactly(
            "shop-de+y@example.com matches the wildcard shop-*@example.com (+y taken off)",
            "sales+y@example.com is an alias (+y taken off) of 3 addresses",
            "Bob@example.net is of another server");
    assertThat(trail("what@example.org").getFirst())
        .isEqualTo(
            "what@example.org is what@example.com, which matches the wildcard *@example.com");
  }

  @Test
  void loopsAndDeadEndsAreNamedAndHarmNoOthers() throws IOException {
    lines(
        "jbob active",
        "off disabled",
        "a alias b",
        "b alias c",
        "c alias a",
        "self alias self",
        "mixed alias jbob,a",
        "dead alias gone",
        "group alias gone,off,jbob,none@second.test",
        "nobody alias :;",
        "plus alias minus+x",
        "minus alias plus",
        "diamond alias d1,d2",
        "d1 alias jbob",
        "d2 alias d1");
    assertThat(told("a"))
        .containsExactly(
            "nowhere 5.4.6",
            "LOOP: a@example.com leads to b@example.com leads to c@example.com leads to"
                + " a@example.com: a loop");
    assertThat(told("self"))
        .containsExactly(
            "nowhere 5.4.6", "LOOP: self@example.com leads to self@example.com: a loop");
    assertThat(told("mixed").getFirst()).isEqualTo("account jbob");
    assertThat(told("mixed").get(1)).startsWith("LOOP: a@example.com leads to b@example.com");
    assertThat(told("dead"))
        .containsExactly("nowhere 5.1.1", "UNKNOWN: gone@example.com is no address here");
    assertThat(trail("dead"))
        .containsExactly("dead@example.com is an alias", "gone@example.com is no address here");
    assertThat(told("group"))
        .containsExactly(
            "account jbob",
            "UNKNOWN: gone@example.com is no address here",
            "INACTIVE: off@example.com takes no mail",
            "UNKNOWN: none@second.test is no address here");
    assertThat(told("nobody"))
        .containsExactly("nowhere 5.2.4", "EMPTY: nobody@example.com is a group without members");
    assertThat(told("plus").getFirst()).isEqualTo("nowhere 5.4.6");
    assertThat(told("diamond")).containsExactly("account jbob");
  }

  @Test
  void accountsForward() throws IOException {
    lines(
        "jbob active;forward=bob@example.net",
        "ann active;forward=jbob,alice;copy",
        "alice active",
        "off disabled;forward=alice",
        "x active;forward=y;copy",
        "y active;forward=x;copy");
    assertThat(told("jbob")).containsExactly("relay bob@example.net");
    assertThat(told("ann+z"))
        .containsExactly("account ann", "account alice", "relay bob@example.net");
    assertThat(told("off").getFirst()).isEqualTo("nowhere 5.2.1");
    assertThat(told("x"))
        .containsExactly(
            "account x",
            "account y",
            "LOOP: x@example.com leads to y@example.com leads to x@example.com: a loop");
    assertThat(trail("jbob").getFirst())
        .isEqualTo("jbob@example.com is an account that forwards to 1 address and keeps nothing");
  }

  @Test
  void itIsBounded() throws IOException {
    var lines = new ArrayList<String>();
    lines.add("jbob active");
    for (int i = 0; i < 21; i++) {
      lines.add("chain" + i + " alias " + (i == 0 ? "jbob" : "chain" + (i - 1)));
    }
    for (int i = 0; i < 101; i++) {
      var members = new ArrayList<String>();
      for (int k = 0; k < 100; k++) {
        members.add("m" + i + "-" + k + "@example.net");
      }
      lines.add("g" + i + " alias " + String.join(",", members));
    }
    for (int most : new int[] {99, 100}) {
      var groups = new ArrayList<String>();
      for (int i = 0; i < most; i++) {
        groups.add("g" + i);
      }
      lines.add("all" + most + " alias " + String.join(",", groups));
    }
    lines(lines.toArray(String[]::new));
    assertThat(told("chain19")).containsExactly("account jbob");
    assertThat(told("chain20"))
        .containsExactly("nowhere 5.4.6", "TOO_DEEP: chain20@example.com leads on after 20 steps");
    assertThat(told("all99")).hasSize(9_900);
    assertThat(told("all100"))
        .containsExactly(
            "nowhere 5.2.4", "TOO_MANY: all100@example.com has more than 10000 targets");
  }

  @Test
  void wishesAboutReportsGoAlongAsFarAsTheyMay() throws IOException {
    lines(
        "jbob active",
        "one alias Bob@example.net",
        "oneone alias one",
        "group alias jbob,Bob@example.net",
        "secret alias Bob@example.net confidential",
        "ofsecret alias secret,jbob",
        "copying active;forward=Bob@example.net;copy",
        "moving active;forward=Bob@example.net",
        "plain alias Bob@example.net keep-sender");
    var wishes = Set.of(Notify.SUCCESS, Notify.FAILURE);
    var orcpt = Optional.of("rfc822;x@y");

    var one = remote("oneone", wishes, orcpt);
    assertThat(one.path()).isEqualTo(new ForwardPath(address("Bob@example.net"), wishes, orcpt));
    assertThat(one.returning()).isEqualTo(Leaf.Returning.REWRITTEN);
    assertThat(due("oneone", wishes)).isEqualTo(Expansion.Due.NOTHING);

    var group = remote("group", wishes, orcpt);
    assertThat(group.path())
        .isEqualTo(new ForwardPath(address("Bob@example.net"), Set.of(Notify.FAILURE), orcpt));
    assertThat(due("group", wishes)).isEqualTo(Expansion.Due.EXPANDED);
    var groupLocal = expanded(new ForwardPath(address("group"), wishes, orcpt)).leaves().getFirst();
    assertThat(groupLocal.path())
        .as("the address of RCPT")
        .isEqualTo(new ForwardPath(address("group"), Set.of(Notify.FAILURE), orcpt));
    assertThat(remote("group", Set.of(Notify.SUCCESS), orcpt).path().reports())
        .containsExactly(Notify.NEVER);
    assertThat(remote("group", Set.of(), orcpt).path().reports()).isEmpty();
    assertThat(remote("group", Set.of(Notify.NEVER), orcpt).path().reports())
        .containsExactly(Notify.NEVER);

    for (var name : List.of("secret", "ofsecret")) {
      var secret = remote(name, wishes, orcpt);
      assertThat(secret.path())
          .isEqualTo(
              new ForwardPath(address("Bob@example.net"), Set.of(Notify.NEVER), Optional.empty()));
      assertThat(secret.returning()).isEqualTo(Leaf.Returning.NULL);
    }
    assertThat(due("secret", wishes)).isEqualTo(Expansion.Due.DELIVERED);
    assertThat(due("ofsecret", wishes)).isEqualTo(Expansion.Due.EXPANDED);

    var copied = remote("copying", wishes, orcpt);
    assertThat(copied.path().reports()).containsExactly(Notify.NEVER);
    assertThat(copied.returning()).isEqualTo(Leaf.Returning.REWRITTEN);
    var kept = expanded(new ForwardPath(address("copying"), wishes, orcpt)).leaves().getFirst();
    assertThat(kept.path()).isEqualTo(new ForwardPath(address("copying"), wishes, orcpt));
    assertThat(due("copying", wishes)).isEqualTo(Expansion.Due.NOTHING);

    assertThat(remote("moving", wishes, orcpt).path().reports()).isEqualTo(wishes);
    assertThat(remote("plain", wishes, orcpt).returning()).isEqualTo(Leaf.Returning.KEPT);
    assertThat(remote("Bob@example.net", wishes, orcpt).returning()).isEqualTo(Leaf.Returning.KEPT);
  }

  private Leaf.Remote remote(String text, Set<Notify> wishes, Optional<String> orcpt)
      throws IOException {
    return (Leaf.Remote)
        expanded(new ForwardPath(address(text), wishes, orcpt)).leaves().stream()
            .filter(leaf -> leaf instanceof Leaf.Remote)
            .findFirst()
            .orElseThrow();
  }

  private Expansion.Due due(String text, Set<Notify> wishes) throws IOException {
    return expanded(new ForwardPath(address(text), wishes, Optional.empty())).due();
  }

  @Test
  void whatCannotBeReadIsForLater() throws IOException {
    lines("jbob active", "bad alias jbob nonsense", "group alias jbob,bad");
    assertThatThrownBy(() -> expand("bad")).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> expand("group")).isInstanceOf(IOException.class);
    assertThat(told("jbob")).containsExactly("account jbob");
  }
}
