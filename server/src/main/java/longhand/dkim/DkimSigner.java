package longhand.dkim;

import java.io.ByteArrayOutputStream;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import longhand.mail.Domain;
import longhand.message.Header;
import longhand.message.HeaderField;
import org.jspecify.annotations.Nullable;

/// Signs messages for one domain with all of its keys, one field each, so that who does not know
/// Ed25519 checks RSA (RFC 8463 §3). Relaxed in header and body, which the ways of mail leave whole
/// most often; never with `l=`, which lets anybody append. Safe for any thread; a [Signing] is for
/// one.
///
/// A field that occurs is named in `h=` as often as it occurs; one that is *oversigned* is named
/// once more, so that another of its name, added later, breaks the signature (RFC 6376 §8.15).
/// Oversigned are fields that tell readers who wrote what to whom, and that say how the signed body
/// is to be read, present or not. Sender and MIME-Version are oversigned only where they are: lists
/// rightly add a Sender (RFC 5322 §3.6.2), some relays a MIME-Version, and neither changes what a
/// reader sees. Threading fields and those of lists are signed as they are; lists add their own.
public final class DkimSigner {

  /// Most keys at a time: two algorithms, each with an old and a new key.
  public static final int KEYS_MAX = 4;

  /// Most names in `h=`. A message with more such fields is not signed.
  public static final int FIELDS_MAX = 100;

  private static final List<String> OVERSIGNED =
      List.of(
          "From",
          "To",
          "Cc",
          "Subject",
          "Date",
          "Reply-To",
          "Message-ID",
          "Content-Type",
          "Content-Transfer-Encoding");
  private static final List<String> OVERSIGNED_IF_PRESENT = List.of("Sender", "MIME-Version");
  private static final List<String> AS_PRESENT =
      List.of(
          "In-Reply-To",
          "References",
          "List-Id",
          "List-Help",
          "List-Subscribe",
          "List-Unsubscribe",
          "List-Unsubscribe-Post",
          "List-Post",
          "List-Owner",
          "List-Archive");

  private final Domain domain;
  private final List<DkimKey> keys;
  private final Clock clock;
  private final Optional<Duration> validity;

  /// @param keys one to four, with different selectors
  /// @param validity after which time the signatures expire, a second or more; empty for never
  public DkimSigner(Domain domain, List<DkimKey> keys, Clock clock, Optional<Duration> validity) {
    if (keys.isEmpty() || keys.size() > KEYS_MAX) {
      throw new IllegalArgumentException(keys.size() + " keys");
    }
    if (keys.stream().map(DkimKey::selector).distinct().count() != keys.size()) {
      throw new IllegalArgumentException("selector used twice among " + keys);
    }
    if (validity.isPresent() && validity.get().toSeconds() < 1) {
      throw new IllegalArgumentException("validity of " + validity.get());
    }
    this.domain = domain;
    this.keys = List.copyOf(keys);
    this.clock = clock;
    this.validity = validity;
  }

  /// Begins with a message.
  public Signing begin() {
    return new Signing();
  }

  /// What became of a message that was to be signed.
  public sealed interface Outcome {

    /// Signed.
    ///
    /// @param fields to be put before the message: one DKIM-Signature for each key, each with its
    ///   CRLF
    record Signed(byte[] fields) implements Outcome {}

    /// Not to be signed as it is.
    ///
    /// @param why the end of a sentence
    record Refused(String why) implements Outcome {}
  }

  /// One message: write its octets in the form of the wire, then ask for the fields.
  public final class Signing extends MessagePass {
    private final BodyHash body =
        new BodyHash(Canonicalization.RELAXED, Crypto.sha256(), Long.MAX_VALUE);
    private @Nullable SignedFields fields;

    private Signing() {}

    @Override
    List<BodyHash> headerRead(Header header) {
      fields = new SignedFields(header);
      return List.of(body);
    }

    /// The message is complete: the fields to put before it. To be called once.
    public Outcome finish() {
      var fault = end();
      if (fault != null || fields == null) {
        return new Outcome.Refused(fault == null ? "there is no header" : fault);
      }
      return sign(fields, body.finish());
    }
  }

  private Outcome sign(SignedFields fields, byte[] bodyHash) {
    if (fields.count("From") != 1) {
      // RFC 6376 §5.4 wants it signed, RFC 5322 §3.6 wants one: with two, readers show either.
      return new Outcome.Refused("it has " + fields.count("From") + " fields From, not one");
    }
    var names = new ArrayList<String>();
    for (var name : OVERSIGNED) {
      add(names, name, fields.count(name) + 1);
    }
    for (var name : OVERSIGNED_IF_PRESENT) {
      int count = fields.count(name);
      add(names, name, count == 0 ? 0 : count + 1);
    }
    for (var name : AS_PRESENT) {
      add(names, name, fields.count(name));
    }
    if (names.size() > FIELDS_MAX) {
      return new Outcome.Refused("it has more than " + FIELDS_MAX + " fields to sign");
    }
    var out = new ByteArrayOutputStream();
    long now = clock.instant().getEpochSecond();
    for (var key : keys) {
      var field = unsigned(key, names, bodyHash, now);
      var octets = field.octets();
      int colon = "DKIM-Signature".length();
      var own = new HeaderField(octets, 0, colon, colon + 1, octets.length);
      var canonical =
          fields.canonical(names, Canonicalization.RELAXED, own, octets.length, octets.length);
      field.letters(Base64.getEncoder().encodeToString(key.sign(canonical)));
      out.writeBytes(field.octets());
      out.write('\r');
      out.write('\n');
    }
    return new Outcome.Signed(out.toByteArray());
  }

  private static void add(List<String> names, String name, int times) {
    // One more than may be is enough to see that there are too many.
    for (int i = 0; i < times && names.size() <= FIELDS_MAX; i++) {
      names.add(name);
    }
  }

  private FoldedField unsigned(DkimKey key, List<String> names, byte[] bodyHash, long now) {
    var field = new FoldedField("DKIM-Signature: v=1;");
    field
        .word(" a=" + key.algorithm().tagValue() + ";")
        .word(" c=relaxed/relaxed;")
        .word(" d=" + domain.name() + ";")
        .word(" s=" + key.selector() + ";")
        .word(" t=" + now + ";");
    validity.ifPresent(time -> field.word(" x=" + (now + time.toSeconds()) + ";"));
    for (int i = 0; i < names.size(); i++) {
      field.word((i == 0 ? " h=" : "") + names.get(i) + (i < names.size() - 1 ? ":" : ";"));
    }
    return field
        .word(" bh=")
        .letters(Base64.getEncoder().encodeToString(bodyHash))
        .word(";")
        .word(" b=");
  }
}
