package longhand.auth;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.ongres.scram.common.ScramFunctions;
import com.ongres.scram.common.ScramMechanism;
import com.ongres.scram.common.StringPreparation;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import longhand.mail.Address;
import longhand.mail.Domain;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SaslTest {

  private static final ScramMechanism SHA256 = ScramMechanism.SCRAM_SHA_256;
  private static final InetAddress PEER = InetAddress.getLoopbackAddress();

  private final Accounts accounts = new Accounts();
  private final Authenticator authenticator =
      new Authenticator(accounts, new byte[32], AuthSettings.forTests());
  private final Sasl.Context secure =
      new Sasl.Context(authenticator, true, false, Optional.empty(), PEER);

  /// A directory of one domain in memory.
  static final class Accounts implements CredentialSource {
    final Map<Address, Credentials> table = new HashMap<>();
    boolean broken;

    @Override
    public Optional<Address> address(String name) {
      int at = name.lastIndexOf('@');
      var local = at < 0 ? name : name.substring(0, at);
      var domain = at < 0 ? "example.com" : name.substring(at + 1);
      return local.isEmpty() || domain.isEmpty()
          ? Optional.empty()
          : Optional.of(new Address(local, new Domain(domain)).canonical());
    }

    @Override
    public Optional<Credentials> credentials(Address account) throws IOException {
      if (broken) {
        throw new IOException("on purpose");
      }
      return Optional.ofNullable(table.get(account));
    }
  }

  static Address put(Authenticator authenticator, Accounts accounts, String local, String password)
      throws IOException {
    var address = new Address(local, new Domain("example.com"));
    var verifiers = authenticator.verifiers(password);
    accounts.table.put(
        address, new Credentials(address, verifiers.password(), verifiers.scram(), true));
    return address;
  }

  private Sasl.Step plain(String message) {
    return Sasl.start("plain", secure).orElseThrow().step(message.getBytes(UTF_8));
  }

  private static void assertFailed(Sasl.Step step, Sasl.Reason reason) {
    assertThat(step).isEqualTo(new Sasl.Step.Failure(reason));
  }

  @Test
  void nothingIsAnnouncedInClear() {
    var clear = new Sasl.Context(authenticator, false, false, Optional.empty(), PEER);
    assertThat(Sasl.mechanisms(clear)).isEmpty();
    assertThat(Sasl.start("PLAIN", clear)).isEmpty();
    assertThat(Sasl.start("SCRAM-SHA-256", clear)).isEmpty();
    var allowed = new Sasl.Context(authenticator, false, true, Optional.empty(), PEER);
    assertThat(Sasl.mechanisms(allowed)).containsExactly("SCRAM-SHA-256", "PLAIN", "LOGIN");
    assertThat(Sasl.start("SCRAM-SHA-256-PLUS", allowed)).isEmpty();
    assertThat(Sasl.start("CRAM-MD5", secure)).isEmpty();
  }

  @Test
  void plainTellsTheOwner() throws IOException {
    var jbob = put(authenticator, accounts, "jbob", "correct horse");
    for (var name : List.of("jbob", "JBob", "jbob@example.com")) {
      assertThat(plain("\0" + name + "\0correct horse"))
          .isInstanceOfSatisfying(
              Sasl.Step.Success.class, success -> assertThat(success.account()).isEqualTo(jbob));
    }
    assertThat(plain("jbob@example.com\0jbob\0correct horse"))
        .isInstanceOf(Sasl.Step.Success.class);
    assertFailed(plain("\0jbob\0wrong horse"), Sasl.Reason.CREDENTIALS);
    assertFailed(plain("\0nobody\0correct horse"), Sasl.Reason.CREDENTIALS);
    assertFailed(plain("\0jbob@example.org\0correct horse"), Sasl.Reason.CREDENTIALS);
  }

  @Test
  void nobodyActsForAnother() throws IOException {
    put(authenticator, accounts, "jbob", "one");
    put(authenticator, accounts, "alice", "two");
    assertFailed(plain("alice\0jbob\0one"), Sasl.Reason.CREDENTIALS);
    assertFailed(scram("jbob", "one", "n,a=alice,", "SCRAM-SHA-256"), Sasl.Reason.CREDENTIALS);
    assertThat(scram("jbob", "one", "n,a=jbob,", "SCRAM-SHA-256"))
        .isInstanceOf(Sasl.Step.Success.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "\0", "\0jbob", "\0jbob\0", "\0\0one", "\0jbob\0one\0", "\0jbob\0o\0ne"})
  void plainOfAnotherFormIsMalformed(String message) throws IOException {
    put(authenticator, accounts, "jbob", "one");
    assertFailed(plain(message), Sasl.Reason.MALFORMED);
  }

  @Test
  void octetsThatAreNotUtf8AreMalformed() {
    byte[] latin1 = {0, 'j', 0, (byte) 0xfc};
    assertFailed(Sasl.start("PLAIN", secure).orElseThrow().step(latin1), Sasl.Reason.MALFORMED);
    assertFailed(
        Sasl.start("PLAIN", secure).orElseThrow().step(new byte[100_000]), Sasl.Reason.MALFORMED);
  }

  @Test
  void loginAsksForNameAndPassword() throws IOException {
    put(authenticator, accounts, "jbob", "one");
    var exchange = Sasl.start("LOGIN", secure).orElseThrow();
    assertThat(exchange.clientFirst()).isFalse();
    assertThat(challenge(exchange.step(new byte[0]))).isEqualTo("Username:");
    assertThat(challenge(exchange.step("jbob".getBytes(UTF_8)))).isEqualTo("Password:");
    assertThat(exchange.step("one".getBytes(UTF_8))).isInstanceOf(Sasl.Step.Success.class);

    var withInitial = Sasl.start("LOGIN", secure).orElseThrow();
    assertThat(challenge(withInitial.step("jbob".getBytes(UTF_8)))).isEqualTo("Password:");
    assertFailed(withInitial.step("two".getBytes(UTF_8)), Sasl.Reason.CREDENTIALS);

    var empty = Sasl.start("LOGIN", secure).orElseThrow();
    empty.step(new byte[0]);
    assertFailed(empty.step(new byte[0]), Sasl.Reason.MALFORMED);
  }

  @Test
  void scramProvesBothEnds() throws IOException {
    put(authenticator, accounts, "jbob", "one");
    assertThat(scram("jbob", "one", "n,,", "SCRAM-SHA-256")).isInstanceOf(Sasl.Step.Success.class);
    assertThat(scram("jbob", "one", "y,,", "SCRAM-SHA-256")).isInstanceOf(Sasl.Step.Success.class);
    assertFailed(scram("jbob", "two", "n,,", "SCRAM-SHA-256"), Sasl.Reason.CREDENTIALS);
    assertFailed(scram("nobody", "one", "n,,", "SCRAM-SHA-256"), Sasl.Reason.CREDENTIALS);
  }

  @Test
  void anUnknownNameHasAStableSaltLikeAnyOther() throws IOException {
    put(authenticator, accounts, "jbob", "one");
    var first = authenticator.scram("nobody");
    assertThat(authenticator.scram("Nobody@example.com").salt()).isEqualTo(first.salt());
    assertThat(authenticator.scram("someone").salt()).isNotEqualTo(first.salt());
    assertThat(first.salt()).hasSameSizeAs(authenticator.scram("jbob").salt());
    assertThat(first.iterations()).isEqualTo(authenticator.scram("jbob").iterations());
    var afterRestart = new Authenticator(accounts, new byte[32], AuthSettings.forTests());
    assertThat(afterRestart.scram("nobody").salt()).isEqualTo(first.salt());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "n",
        "n,",
        "n,,",
        "n,,n=jbob",
        "n,,n=jbob,r=",
        "n,,r=abc,n=jbob",
        "n,,m=x,n=jbob,r=abc",
        "n,,n=,r=abc",
        "n,,n=j=bob,r=abc",
        "n,,n=j=2cbob,r=abc",
        "n,jbob,n=jbob,r=abc",
        "x,,n=jbob,r=abc",
        "p=tls-exporter,,n=jbob,r=abc",
        "n,,n=jbob,r=a\u0001b",
        "n,,n=jbob,r=é",
      })
  void scramOfAnotherFormIsMalformed(String message) {
    var exchange = Sasl.start("SCRAM-SHA-256", secure).orElseThrow();
    assertFailed(exchange.step(message.getBytes(UTF_8)), Sasl.Reason.MALFORMED);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "c=biws", "c=biws,r=%s", "c=biws,p=AAAA", "c=!,r=%s,p=AAAA", ",,p="})
  void scramFinalOfAnotherFormIsMalformed(String form) throws IOException {
    put(authenticator, accounts, "jbob", "one");
    var exchange = Sasl.start("SCRAM-SHA-256", secure).orElseThrow();
    var first = challenge(exchange.step("n,,n=jbob,r=abc".getBytes(UTF_8)));
    var nonce = first.substring(2, first.indexOf(','));
    assertFailed(exchange.step(form.replace("%s", nonce).getBytes(UTF_8)), Sasl.Reason.MALFORMED);
    assertFailed(exchange.step(form.getBytes(UTF_8)), Sasl.Reason.MALFORMED);
  }

  @Test
  void aDirectoryThatCannotBeReadIsTemporary() throws IOException {
    put(authenticator, accounts, "jbob", "one");
    accounts.broken = true;
    assertFailed(plain("\0jbob\0one"), Sasl.Reason.TEMPORARY);
    var exchange = Sasl.start("SCRAM-SHA-256", secure).orElseThrow();
    assertFailed(exchange.step("n,,n=jbob,r=abc".getBytes(UTF_8)), Sasl.Reason.TEMPORARY);
  }

  static String challenge(Sasl.Step step) {
    return new String(((Sasl.Step.Challenge) step).data(), UTF_8);
  }

  private Sasl.Step scram(String name, String password, String gs2, String mechanism) {
    return scram(Sasl.start(mechanism, secure).orElseThrow(), name, password, gs2, new byte[0]);
  }

  /// A client of SCRAM; checks the server's signature.
  static Sasl.Step scram(
      Sasl.Exchange exchange, String name, String password, String gs2, byte[] binding) {
    var bare = "n=" + name + ",r=fyko+d2lbbFgONRv9qkxdawL";
    var begun = exchange.step((gs2 + bare).getBytes(UTF_8));
    if (!(begun instanceof Sasl.Step.Challenge)) {
      return begun;
    }
    var first = challenge(begun);
    var nonce = first.substring(2, first.indexOf(','));
    assertThat(nonce).startsWith("fyko+d2lbbFgONRv9qkxdawL").hasSizeGreaterThan(40);
    var salt = first.substring(first.indexOf(",s=") + 3, first.indexOf(",i="));
    int iterations = Integer.parseInt(first.substring(first.indexOf(",i=") + 3));
    byte[] salted =
        ScramFunctions.saltedPassword(
            SHA256,
            StringPreparation.SASL_PREPARATION,
            password.toCharArray(),
            Base64.getDecoder().decode(salt),
            iterations);
    var input = new java.io.ByteArrayOutputStream();
    input.writeBytes(gs2.getBytes(UTF_8));
    input.writeBytes(binding);
    var withoutProof =
        "c=" + Base64.getEncoder().encodeToString(input.toByteArray()) + ",r=" + nonce;
    var authMessage = bare + "," + first + "," + withoutProof;
    byte[] clientKey = ScramFunctions.clientKey(SHA256, salted);
    byte[] signature =
        ScramFunctions.clientSignature(
            SHA256, ScramFunctions.storedKey(SHA256, clientKey), authMessage);
    byte[] proof = ScramFunctions.clientProof(clientKey, signature);
    var step =
        exchange.step(
            (withoutProof + ",p=" + Base64.getEncoder().encodeToString(proof)).getBytes(UTF_8));
    if (step instanceof Sasl.Step.Success success) {
      byte[] expected =
          ScramFunctions.serverSignature(
              SHA256, ScramFunctions.serverKey(SHA256, salted), authMessage);
      assertThat(new String(success.data().orElseThrow(), UTF_8))
          .isEqualTo("v=" + Base64.getEncoder().encodeToString(expected));
    }
    return step;
  }
}
