package longhand.auth;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import longhand.mail.Address;
import longhand.mail.Domain;
import org.junit.jupiter.api.Test;

class AuthenticatorTest {

  private static final InetAddress PEER = InetAddress.getLoopbackAddress();

  private final SaslTest.Accounts accounts = new SaslTest.Accounts();
  private final AtomicLong nanos = new AtomicLong();
  private final Authenticator authenticator = authenticator(AuthSettings.forTests());

  private Authenticator authenticator(AuthSettings settings) {
    return new Authenticator(accounts, new byte[32], settings, new SecureRandom(), nanos::get);
  }

  private static Authenticator.Verdict denied(Sasl.Reason reason) {
    return new Authenticator.Verdict.Denied(reason);
  }

  private static Authenticator.Verdict granted(Address account) {
    return new Authenticator.Verdict.Granted(account);
  }

  @Test
  void aRememberedPasswordDiesWithTheHashItWasCheckedAgainst() throws IOException {
    var jbob = SaslTest.put(authenticator, accounts, "jbob", "old");
    assertThat(authenticator.password("jbob", "old", PEER)).isEqualTo(granted(jbob));
    assertThat(authenticator.password("jbob", "old", PEER)).isEqualTo(granted(jbob));
    SaslTest.put(authenticator, accounts, "jbob", "new");
    assertThat(authenticator.password("jbob", "old", PEER))
        .isEqualTo(denied(Sasl.Reason.CREDENTIALS));
    assertThat(authenticator.password("jbob", "new", PEER)).isEqualTo(granted(jbob));
    accounts.table.clear();
    assertThat(authenticator.password("jbob", "new", PEER))
        .isEqualTo(denied(Sasl.Reason.CREDENTIALS));
  }

  @Test
  void aRememberedPasswordIsOfItsAccountOnly() throws IOException {
    SaslTest.put(authenticator, accounts, "jbob", "one");
    SaslTest.put(authenticator, accounts, "alice", "two");
    authenticator.password("jbob", "one", PEER);
    authenticator.password("alice", "two", PEER);
    assertThat(authenticator.password("alice", "one", PEER))
        .isEqualTo(denied(Sasl.Reason.CREDENTIALS));
    assertThat(authenticator.password("jbob", "two", PEER))
        .isEqualTo(denied(Sasl.Reason.CREDENTIALS));
  }

  @Test
  void aDisabledAccountIsLikeAnUnknownOne() throws IOException {
    var jbob = SaslTest.put(authenticator, accounts, "jbob", "one");
    assertThat(authenticator.password("jbob", "one", PEER)).isEqualTo(granted(jbob));
    var known = requireNonNull(accounts.table.get(jbob));
    accounts.table.put(jbob, new Credentials(jbob, known.password(), known.scram(), false));
    assertThat(authenticator.password("jbob", "one", PEER))
        .isEqualTo(denied(Sasl.Reason.CREDENTIALS));
    assertThat(authenticator.password("jbob", "two", PEER))
        .isEqualTo(denied(Sasl.Reason.CREDENTIALS));
  }

  @Test
  void theTenthFailureIsTheLastForTenMinutes() throws IOException {
    var jbob = SaslTest.put(authenticator, accounts, "jbob", "one");
    for (int i = 0; i < 10; i++) {
      assertThat(authenticator.password(i % 2 == 0 ? "jbob" : "JBOB@example.com", "x", PEER))
          .isEqualTo(denied(Sasl.Reason.CREDENTIALS));
    }
    assertThat(authenticator.password("jbob", "one", PEER))
        .isEqualTo(denied(Sasl.Reason.THROTTLED));
    assertThat(authenticator.scram("jbob", true, PEER)).isEqualTo(denied(Sasl.Reason.THROTTLED));
    var elsewhere = InetAddress.getByAddress(new byte[] {10, 0, 0, 1});
    assertThat(authenticator.password("jbob", "one", elsewhere)).isEqualTo(granted(jbob));
    nanos.addAndGet(Duration.ofMinutes(10).plusSeconds(1).toNanos());
    assertThat(authenticator.password("jbob", "one", PEER)).isEqualTo(granted(jbob));
  }

  @Test
  void unknownNamesAreThrottledAlike() {
    for (int i = 0; i < 10; i++) {
      assertThat(authenticator.password("nobody", "x", PEER))
          .isEqualTo(denied(Sasl.Reason.CREDENTIALS));
    }
    assertThat(authenticator.password("nobody", "x", PEER))
        .isEqualTo(denied(Sasl.Reason.THROTTLED));
  }

  @Test
  void successForgives() throws IOException {
    var jbob = SaslTest.put(authenticator, accounts, "jbob", "one");
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 9; i++) {
        authenticator.password("jbob", "x", PEER);
      }
      assertThat(authenticator.password("jbob", "one", PEER)).isEqualTo(granted(jbob));
    }
  }

  @Test
  void manyAttemptsAtOnceAreNoWayAroundTheLimit() throws Exception {
    SaslTest.put(authenticator, accounts, "jbob", "one");
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var attempts = new ArrayList<Callable<Authenticator.Verdict>>();
      for (int i = 0; i < 200; i++) {
        var guess = "guess" + i;
        attempts.add(() -> authenticator.password("jbob", guess, PEER));
      }
      long tried =
          threads.invokeAll(attempts).stream()
              .map(Future::resultNow)
              .filter(denied(Sasl.Reason.CREDENTIALS)::equals)
              .count();
      assertThat(tried).isEqualTo(10);
    }
  }

  @Test
  void manyLogInsOfTheOwnerAtOnceAreFine() throws Exception {
    var jbob = SaslTest.put(authenticator, accounts, "jbob", "one");
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var attempts = new ArrayList<Callable<Authenticator.Verdict>>();
      for (int i = 0; i < 200; i++) {
        attempts.add(() -> authenticator.password("jbob", "one", PEER));
      }
      assertThat(threads.invokeAll(attempts).stream().map(Future::resultNow))
          .containsOnly(granted(jbob));
    }
  }

  @Test
  void failuresAreAnsweredLateAndLater() {
    var settings =
        new AuthSettings(
            10,
            Duration.ofMinutes(10),
            Duration.ofSeconds(2),
            Duration.ofSeconds(15),
            1,
            1,
            64,
            1,
            4096);
    var throttle = new Throttle(settings, nanos::get);
    var delays = new ArrayList<Long>();
    for (int i = 0; i < 6; i++) {
      var attempt = requireNonNull(throttle.begin(PEER, "jbob"));
      delays.add(attempt.failed().toSeconds());
    }
    assertThat(delays).containsExactly(2L, 4L, 8L, 15L, 15L, 15L);
  }

  @Test
  void theTableOfFailuresIsBounded() {
    var throttle = new Throttle(AuthSettings.forTests(), nanos::get);
    for (int i = 0; i < Throttle.PAIRS_MAX + 1000; i++) {
      var attempt = requireNonNull(throttle.begin(PEER, "name" + i));
      attempt.failed();
    }
    assertThat(throttle.pairs()).isEqualTo(Throttle.PAIRS_MAX);
  }

  @Test
  void anIpv6HostIsItsWholeSubnet() throws IOException {
    for (int i = 0; i < 10; i++) {
      var peer = InetAddress.getByName("2001:db8::" + (i + 1));
      authenticator.password("jbob", "x", peer);
    }
    assertThat(authenticator.password("jbob", "x", InetAddress.getByName("2001:db8::99")))
        .isEqualTo(denied(Sasl.Reason.THROTTLED));
    assertThat(authenticator.password("jbob", "x", InetAddress.getByName("2001:db8:0:1::1")))
        .isEqualTo(denied(Sasl.Reason.CREDENTIALS));
  }

  @Test
  void passwordsThatNobodyCanTypeAreNone() {
    for (var bad : new String[] {"", "a\nb", "x".repeat(257), "\u0000", "\ufffe"}) {
      assertThatThrownBy(() -> authenticator.verifiers(bad))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(authenticator.password("jbob", bad, PEER))
          .isEqualTo(denied(Sasl.Reason.CREDENTIALS));
    }
  }

  @Test
  void anEmptyPasswordNeverMatches() throws IOException {
    var address = new Address("jbob", new Domain("example.com"));
    var empty = PasswordHash.of("", 64, 1, new byte[16]);
    accounts.table.put(
        address, new Credentials(address, empty, authenticator.verifiers("x").scram(), true));
    assertThat(authenticator.password("jbob", "", PEER)).isEqualTo(denied(Sasl.Reason.CREDENTIALS));
  }

  @Test
  void unicodeIsPreparedAlikeOnBothSides() throws IOException {
    var jbob = SaslTest.put(authenticator, accounts, "jbob", "caf\u00e9\u00a0\u2168");
    assertThat(authenticator.password("jbob", "cafe\u0301 IX", PEER)).isEqualTo(granted(jbob));
  }
}
