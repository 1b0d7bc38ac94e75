package longhand.srs;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.ReversePath;

/// Rewrites reverse-paths of forwarded mail, and reads them when a report comes back. Safe for any
/// thread; keeps nothing but its secrets. The forms are those of libsrs2, postsrsd and Mail::SRS:
///
///     ana@example.net            SRS0=HHHHHH=TT=example.net=ana@ours
///     SRS0=xxxx=TT=a.test=b@c.test    SRS1=HHHHHH=c.test==xxxx=TT=a.test=b@ours
///     SRS1=xxxx=c.test==...@d.test    SRS1=HHHHHH=c.test==...@ours
///
/// `TT` is the day in base 32, modulo 1024, `HHHHHH` the beginning of an HMAC-SHA1 in base 64 of what
/// follows, in lower case and without the signs between. It has six characters where others have four:
/// since servers on the way may change letter case, six are worth 31 bits and four only 21, which a
/// patient sender could try. Each server takes only its own, so that does not show outside.
///
/// What would get longer than the 64 octets of a local part that every server takes (RFC 5321
/// §4.5.3.1.1) is not rewritten, and the mail goes on with the reverse-path it has. The
/// alternatives lost: a short form that stands for nothing we keep passes SPF, but reports come back
/// to nobody, and a message that fails is lost without a word; a form we keep in a table is state that
/// every message from outside makes grow; to refuse is to lose mail that most servers take, since a
/// DKIM signature of the sender's domain still passes. Where the next server does refuse, it does
/// so in our session, and the sender is told.
public final class SenderRewriting {

  /// How many days a rewritten reverse-path is good for.
  public static final int DAYS_MAX = 21;

  private static final int HASH_CHARS = 6;
  private static final int DAY_SLOTS = 1024;
  private static final String BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  private static final int SECONDS_PER_DAY = 86_400;
  private static final Returned FORGED =
      new Returned.Refused("it was not made here, or its secret is no longer known");

  private final Domain domain;
  private final Predicate<Domain> ours;
  private final List<byte[]> secrets;
  private final InstantSource clock;

  /// @param domain carries the rewritten addresses; its mail must arrive here
  /// @param ours whether a domain's own mail is sent from here, so that nothing is to be rewritten
  /// @param secrets at least one; the first signs, all are taken when an address comes back
  public SenderRewriting(
      Domain domain, Predicate<Domain> ours, List<String> secrets, InstantSource clock) {
    if (secrets.isEmpty()) {
      throw new IllegalArgumentException("no secret");
    }
    this.domain = domain;
    this.ours = ours;
    this.secrets = secrets.stream().map(secret -> secret.getBytes(StandardCharsets.UTF_8)).toList();
    this.clock = clock;
  }

  /// The domain that carries the rewritten addresses.
  public Domain domain() {
    return domain;
  }

  /// The reverse-path for a message that goes on to another server: `from` itself where nothing is
  /// to be rewritten (`<>`, and domains of ours), or where that would get too long.
  public ReversePath forward(ReversePath from) {
    if (from.address().isEmpty()
        || from.address().get().domain().equals(domain)
        || ours.test(from.address().get().domain())) {
      return from;
    }
    var local = localPart(from.address().get());
    if (local.chars().anyMatch(Character::isISOControl)) {
      return from;
    }
    var rewritten = new Address(local, domain);
    var quoted = rewritten.quoted();
    int octets =
        quoted
            .substring(0, quoted.length() - domain.name().length() - 1)
            .getBytes(StandardCharsets.UTF_8)
            .length;
    return octets > Address.LOCAL_PART_OCTETS_MAX ? from : ReversePath.of(rewritten);
  }

  private String localPart(Address sender) {
    var local = sender.localPart();
    if (isTagged(local, '1')) {
      int hash = local.indexOf('=', 5);
      int host = hash < 0 ? -1 : local.indexOf('=', hash + 1);
      if (host > hash + 1 && host + 1 < local.length()) {
        // The first server stays where reports go; the one between is left out.
        var first = local.substring(hash + 1, host);
        var rest = local.substring(host + 1);
        return "SRS1=" + hash(secrets.getFirst(), first, rest) + "=" + first + "=" + rest;
      }
    }
    var host = sender.domain().name();
    if (isTagged(local, '0')) {
      var rest = local.substring(4);
      return "SRS1=" + hash(secrets.getFirst(), host, rest) + "=" + host + "=" + rest;
    }
    var day = day(today());
    return "SRS0="
        + hash(secrets.getFirst(), day, host, local)
        + "="
        + day
        + "="
        + host
        + "="
        + local;
  }

  /// Where mail to an address goes back to, if it is one of the scheme. Letter case may have
  /// changed on the way.
  public Returned reverse(Address to) {
    var local = to.localPart();
    if (!to.domain().equals(domain)) {
      return new Returned.Other();
    }
    if (isTagged(local, '0')) {
      return reverse0(local);
    }
    return isTagged(local, '1') ? reverse1(local) : new Returned.Other();
  }

  private Returned reverse0(String local) {
    int hash = local.indexOf('=', 5);
    int time = hash < 0 ? -1 : local.indexOf('=', hash + 1);
    int host = time < 0 ? -1 : local.indexOf('=', time + 1);
    if (host < 0 || host == time + 1 || host + 1 == local.length()) {
      return new Returned.Refused("it is not of the form SRS0=hash=day=domain=local-part");
    }
    var day = local.substring(hash + 1, time);
    var domainName = local.substring(time + 1, host);
    var user = local.substring(host + 1);
    if (!isHash(local.substring(5, hash), day, domainName, user)) {
      return FORGED;
    }
    int then = number(day);
    if (then < 0 || Math.floorMod(today() - then, DAY_SLOTS) > DAYS_MAX) {
      return new Returned.Refused("it is older than " + DAYS_MAX + " days");
    }
    return valid(user, domainName);
  }

  private Returned reverse1(String local) {
    int hash = local.indexOf('=', 5);
    int host = hash < 0 ? -1 : local.indexOf('=', hash + 1);
    if (host < 0 || host == hash + 1 || host + 1 == local.length()) {
      return new Returned.Refused("it is not of the form SRS1=hash=domain=rest");
    }
    var domainName = local.substring(hash + 1, host);
    var rest = local.substring(host + 1);
    return isHash(local.substring(5, hash), domainName, rest)
        ? valid("SRS0" + rest, domainName)
        : FORGED;
  }

  private static Returned valid(String local, String domainName) {
    return domainName.length() > Domain.OCTETS_MAX
        ? FORGED
        : new Returned.Valid(new Address(local, new Domain(domainName.toLowerCase(Locale.ROOT))));
  }

  /// `SRS0` or `SRS1` and one of `=`, `+`, `-`.
  private static boolean isTagged(String local, char digit) {
    return local.length() > 5
        && local.regionMatches(true, 0, "SRS", 0, 3)
        && local.charAt(3) == digit
        && "=+-".indexOf(local.charAt(4)) >= 0;
  }

  private int today() {
    return (int) (Math.floorDiv(clock.instant().getEpochSecond(), SECONDS_PER_DAY) % DAY_SLOTS);
  }

  private static String day(int number) {
    return "" + BASE32.charAt(number >> 5 & 31) + BASE32.charAt(number & 31);
  }

  /// The number of a day; -1 when the text is none.
  private static int number(String day) {
    if (day.length() != 2) {
      return -1;
    }
    int high = BASE32.indexOf(upper(day.charAt(0)));
    int low = BASE32.indexOf(upper(day.charAt(1)));
    return high < 0 || low < 0 ? -1 : high << 5 | low;
  }

  private static char upper(char c) {
    return c >= 'a' && c <= 'z' ? (char) (c - 32) : c;
  }

  private boolean isHash(String text, String... parts) {
    boolean found = false;
    for (var secret : secrets) {
      found |= MessageDigest.isEqual(lower(hash(secret, parts)), lower(text));
    }
    return found;
  }

  private static String hash(byte[] secret, String... parts) {
    try {
      var mac = Mac.getInstance("HmacSHA1");
      mac.init(new SecretKeySpec(secret, "HmacSHA1"));
      for (var part : parts) {
        mac.update(lower(part));
      }
      return Base64.getEncoder().encodeToString(mac.doFinal()).substring(0, HASH_CHARS);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e); // each JDK has it
    }
  }

  /// UTF-8, with the letters of ASCII in lower case, as other implementations do.
  private static byte[] lower(String text) {
    var octets = text.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < octets.length; i++) {
      if (octets[i] >= 'A' && octets[i] <= 'Z') {
        octets[i] = (byte) (octets[i] + 32);
      }
    }
    return octets;
  }
}
