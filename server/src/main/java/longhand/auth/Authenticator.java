package longhand.auth;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import longhand.mail.Address;
import org.jspecify.annotations.Nullable;

/// Verifies credentials against the directory, slowly enough and in even time. Safe for any thread.
///
/// Four things make it hard to guess at:
/// - Argon2id runs on a few platform threads of its own, so that however many peers try, virtual
///   threads' carriers stay free and memory is bounded. Who waits too long gets `TEMPORARY`.
/// - An unknown name costs the same hash, and has a SCRAM salt that stays the same, made from a
///   secret of the server.
/// - Failures are counted by (network, account) and answered late; see [Throttle].
/// - A good password is remembered as a digest keyed with a secret of this process, the account and
///   the hash in force, so that mail programs that log in each minute cost no hash. A changed
///   password or a removed account makes it void at once. A wrong password is never remembered.
public final class Authenticator {

  /// What became of a log-in by name and password.
  public sealed interface Verdict {
    /// It is the owner of this account.
    record Granted(Address account) implements Verdict {}

    /// It is not, or nobody may know.
    record Denied(Sasl.Reason reason) implements Verdict {}
  }

  /// How log-ins ended so far; the adders only ever grow.
  public static final class Counts {
    /// By their owners.
    public final LongAdder granted = new LongAdder();

    /// A wrong password, an unknown name, or an account that is not active.
    public final LongAdder refused = new LongAdder();

    /// Too many failures before.
    public final LongAdder throttled = new LongAdder();

    /// It could not be found out.
    public final LongAdder unavailable = new LongAdder();

    private Counts() {}
  }

  private static final System.Logger LOG = System.getLogger(Authenticator.class.getName());

  /// Hashes waiting for their turn; more than this is refused as `TEMPORARY`.
  private static final int HASHES_WAITING_MAX = 256;

  private static final Duration HASH_PATIENCE = Duration.ofSeconds(30);

  private final CredentialSource source;
  private final byte[] serverSecret;
  private final byte[] processSecret = new byte[32];
  private final AuthSettings settings;
  private final SecureRandom random;
  private final Throttle throttle;
  private final ThreadPoolExecutor hashers;
  private final Map<Address, byte[]> remembered;
  private final PasswordHash nobody;
  private final Counts counts = new Counts();

  /// Verifies against `source`.
  ///
  /// @param serverSecret at least 16 octets that stay the same over restarts and that peers don't
  ///   know
  public Authenticator(CredentialSource source, byte[] serverSecret, AuthSettings settings) {
    this(source, serverSecret, settings, new SecureRandom(), System::nanoTime);
  }

  Authenticator(
      CredentialSource source,
      byte[] serverSecret,
      AuthSettings settings,
      SecureRandom random,
      LongSupplier nanos) {
    if (serverSecret.length < 16) {
      throw new IllegalArgumentException("secret of " + serverSecret.length + " octets");
    }
    this.source = source;
    this.serverSecret = serverSecret.clone();
    this.settings = settings;
    this.random = random;
    this.throttle = new Throttle(settings, nanos);
    random.nextBytes(processSecret);
    this.hashers =
        new ThreadPoolExecutor(
            settings.hashesAtOnce(),
            settings.hashesAtOnce(),
            10,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(HASHES_WAITING_MAX),
            Thread.ofPlatform().daemon().name("password-hash-", 1).factory());
    hashers.allowCoreThreadTimeOut(true);
    this.remembered =
        new LinkedHashMap<>(16, 0.75f, true) {
          @Override
          protected boolean removeEldestEntry(Map.Entry<Address, byte[]> eldest) {
            return size() > settings.cachedMax();
          }
        };
    this.nobody =
        new PasswordHash(settings.memoryKib(), settings.passes(), 1, new byte[16], new byte[32]);
  }

  /// How log-ins ended so far.
  public Counts counts() {
    return counts;
  }

  /// The verifiers of a new password, of which nothing else is kept. Blocks for a hash.
  ///
  /// @throws IllegalArgumentException when no password may be like that: empty, over 256
  ///   characters, or with control characters
  public Verifiers verifiers(String password) throws IOException {
    var prepared =
        Credentials.preparePassword(password)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "a password has 1 to "
                            + Credentials.PASSWORD_CHARS_MAX
                            + " characters, none of them control characters"));
    return hash(() -> Verifiers.of(prepared, settings, random));
  }

  /// Whether a text can be a password: 1 to 256 characters, none of them control characters.
  public static boolean isPassword(String text) {
    return Credentials.preparePassword(text).isPresent();
  }

  /// Checks a password. The name is an address, or a local part when there is one domain only. A
  /// failure takes as long as the limits say and looks the same for unknown names.
  public Verdict password(String name, String password, InetAddress peer) {
    var prepared = Credentials.preparePassword(password).orElse("");
    return guarded(
        name,
        peer,
        known -> {
          if (known != null && isRemembered(known, prepared)) {
            return known.active();
          }
          return hash(() -> check(known, prepared));
        });
  }

  /// Runs on a hashing thread.
  private boolean check(@Nullable Credentials known, String prepared) {
    if (known != null && isRemembered(known, prepared)) {
      return known.active(); // another log-in of the same owner was first
    }
    boolean right = (known == null ? nobody : known.password()).matches(prepared);
    if (known == null || !right || prepared.isEmpty()) {
      return false;
    }
    remember(known, prepared);
    return known.active();
  }

  /// The SCRAM verifier of a name; for an unknown one a stable made-up one that nothing matches.
  ScramVerifier scram(String name) throws IOException {
    var account = account(name);
    var known = find(account);
    byte[] made = mac(serverSecret, key(name, account).getBytes(StandardCharsets.UTF_8));
    if (known != null) {
      return known.scram();
    }
    return new ScramVerifier(
        Arrays.copyOf(made, 16),
        settings.scramIterations(),
        mac(processSecret, made),
        mac(serverSecret, made));
  }

  /// Ends a SCRAM exchange. A client's proof, right or wrong, counts only while the peer may still
  /// try.
  Verdict scram(String name, boolean proven, InetAddress peer) {
    return guarded(name, peer, known -> known != null && proven && known.active());
  }

  /// The account that a name means, whether or not it exists.
  Optional<Address> account(String name) {
    return Credentials.prepareName(name).flatMap(source::address);
  }

  /// Fresh random octets, in base64.
  String nonce() {
    var octets = new byte[18];
    random.nextBytes(octets);
    return Base64.getEncoder().encodeToString(octets);
  }

  /// Whether the owner has been recognised; null stands for nobody.
  private interface Check {
    boolean test(@Nullable Credentials known) throws IOException;
  }

  /// Lets `check` decide, unless there have been too many failures; counts and delays them.
  private Verdict guarded(String name, InetAddress peer, Check check) {
    var account = account(name);
    var attempt = throttle.begin(peer, key(name, account));
    if (attempt == null) {
      counts.throttled.increment();
      pause(throttle.delayOfRefusal());
      return new Verdict.Denied(Sasl.Reason.THROTTLED);
    }
    boolean ended = false;
    try {
      var known = find(account);
      boolean granted = check.test(known);
      ended = true;
      if (granted && known != null) {
        attempt.succeeded();
        counts.granted.increment();
        return new Verdict.Granted(known.account());
      }
      counts.refused.increment();
      pause(attempt.failed());
      return new Verdict.Denied(Sasl.Reason.CREDENTIALS);
    } catch (IOException e) {
      counts.unavailable.increment();
      LOG.log(System.Logger.Level.WARNING, "credentials cannot be verified: {0}", e.toString());
      return new Verdict.Denied(Sasl.Reason.TEMPORARY);
    } finally {
      if (!ended) {
        attempt.abandoned();
      }
    }
  }

  private @Nullable Credentials find(Optional<Address> account) throws IOException {
    return account.isEmpty() ? null : source.credentials(account.get()).orElse(null);
  }

  /// What failures are counted by: one key for all ways to write an account's name.
  private static String key(String name, Optional<Address> account) {
    return account
        .map(Address::toString)
        .orElseGet(
            () ->
                name.substring(0, Math.min(name.length(), Credentials.NAME_CHARS_MAX))
                    .toLowerCase(Locale.ROOT));
  }

  private <T> T hash(Callable<T> work) throws IOException {
    Future<T> result;
    try {
      result = hashers.submit(work);
    } catch (RejectedExecutionException e) {
      throw new IOException("too many passwords wait to be verified", e);
    }
    try {
      return result.get(HASH_PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      result.cancel(false);
      throw new IOException("a password waited too long to be verified", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while a password was verified", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    }
  }

  private boolean isRemembered(Credentials known, String prepared) {
    byte[] digest = digest(known, prepared);
    synchronized (remembered) {
      byte[] good = remembered.get(known.account());
      return good != null && MessageDigest.isEqual(good, digest);
    }
  }

  private void remember(Credentials known, String prepared) {
    byte[] digest = digest(known, prepared);
    synchronized (remembered) {
      remembered.put(known.account(), digest);
    }
  }

  /// NUL is in none of the three parts but perhaps the password, which comes last.
  private byte[] digest(Credentials known, String prepared) {
    var text = known.account() + "\0" + known.password().toText() + "\0" + prepared;
    return mac(processSecret, text.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] mac(byte[] key, byte[] data) {
    try {
      var mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return mac.doFinal(data);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has HmacSHA256", e);
    }
  }

  private static void pause(Duration duration) {
    if (duration.isZero()) {
      return;
    }
    try {
      Thread.sleep(duration);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
