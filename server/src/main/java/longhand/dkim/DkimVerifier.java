package longhand.dkim;

import java.security.MessageDigest;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import longhand.message.Header;
import org.jspecify.annotations.Nullable;

/// Checks the signatures of messages (RFC 6376 §6.1). Safe for any thread; a [Verification] is for
/// one.
public final class DkimVerifier {

  /// Most signatures of one message that are checked, the topmost. Each may cost a question to DNS,
  /// an RSA operation and, at worst, a hash over the body.
  public static final int SIGNATURES_MAX = 8;

  private final Function<String, KeyAnswer> keys;
  private final Clock clock;

  /// @param keys answers the TXT records of a name such as `2026._domainkey.example.org`, lower
  ///   case and without a dot at its end; called by the thread that finishes a verification
  public DkimVerifier(Function<String, KeyAnswer> keys, Clock clock) {
    this.keys = keys;
    this.clock = clock;
  }

  /// Begins with a message.
  public Verification begin() {
    return new Verification();
  }

  private record BodyKey(Canonicalization form, long hashedMax) {}

  private record Hashed(byte[] hash, long octets) {}

  /// What became of the signatures of a message.
  ///
  /// @param results one for each signature that was looked at, the topmost first
  /// @param notLookedAt how many more there are
  public record Results(List<DkimResult> results, int notLookedAt) {
    public Results {
      results = List.copyOf(results);
    }
  }

  /// One message: write its octets in the form of the wire, then ask for the results.
  public final class Verification extends MessagePass {
    private final List<DkimSignature> signatures = new ArrayList<>();
    private final Map<BodyKey, BodyHash> hashes = new HashMap<>();
    private @Nullable SignedFields fields;
    private int notLookedAt;

    private Verification() {}

    @Override
    List<BodyHash> headerRead(Header header) {
      fields = new SignedFields(header);
      for (var field : header.fields()) {
        if (!field.is("DKIM-Signature")) {
          continue;
        }
        if (signatures.size() == SIGNATURES_MAX) {
          notLookedAt++;
          continue;
        }
        var signature = DkimSignature.of(field);
        signatures.add(signature);
        if (signature instanceof DkimSignature.Wellformed read && read.algorithm().isPresent()) {
          hashes.computeIfAbsent(
              bodyKey(read), key -> new BodyHash(key.form, Crypto.sha256(), key.hashedMax));
        }
      }
      return List.copyOf(hashes.values());
    }

    private static BodyKey bodyKey(DkimSignature.Wellformed signature) {
      return new BodyKey(signature.bodyForm(), signature.bodyOctets().orElse(Long.MAX_VALUE));
    }

    /// The message is complete: what became of its signatures. Looks up keys, so it takes as long
    /// as that. To be called once.
    public Results finish() {
      var fault = end();
      if (fault != null || fields == null) {
        return new Results(
            List.of(new DkimResult.Neutral("Not looked for signatures: " + fault + ".")), 0);
      }
      var hashed = new HashMap<BodyKey, Hashed>();
      hashes.forEach((key, hash) -> hashed.put(key, new Hashed(hash.finish(), hash.octets())));
      var results = new ArrayList<DkimResult>();
      for (var signature : signatures) {
        results.add(
            switch (signature) {
              case DkimSignature.Malformed(var why) -> new DkimResult.Neutral(why);
              case DkimSignature.Wellformed read -> result(read, hashed, fields);
            });
      }
      return new Results(results, notLookedAt);
    }
  }

  /// All that can be said without DNS is said first.
  private DkimResult result(
      DkimSignature.Wellformed signature, Map<BodyKey, Hashed> hashed, SignedFields fields) {
    var claim = signature.claim();
    var domain = claim.domain().name();
    if (signature.algorithm().isEmpty()) {
      return new DkimResult.Policy(
          claim, "The signature of " + domain + " is made with SHA-1, which is not accepted.");
    }
    if (signature.fields().stream().noneMatch("From"::equalsIgnoreCase)) {
      return new DkimResult.PermError(
          claim, "The signature of " + domain + " does not cover the field From.");
    }
    var identityDomain = signature.identityDomain();
    if (!identityDomain.equals(domain) && !identityDomain.endsWith("." + domain)) {
      return new DkimResult.PermError(
          claim, "The signature of " + domain + " speaks for another, " + identityDomain + ".");
    }
    if (signature.expirySeconds().isPresent()
        && clock.instant().getEpochSecond() > signature.expirySeconds().getAsLong()) {
      return new DkimResult.Policy(claim, "The signature of " + domain + " has expired.");
    }
    var body = hashed.get(Verification.bodyKey(signature));
    if (body == null || signature.bodyOctets().orElse(0) > body.octets) {
      return new DkimResult.PermError(
          claim, "The signature of " + domain + " covers more of a body than there is.");
    }
    if (!MessageDigest.isEqual(body.hash, signature.bodyHash())) {
      return new DkimResult.Fail(
          claim, "The body is not the one that " + domain + " signed; it was changed on its way.");
    }
    long unsigned =
        signature.bodyOctets().isPresent() ? body.octets - signature.bodyOctets().getAsLong() : 0;
    return withKey(signature, signature.algorithm().get(), unsigned, fields);
  }

  private DkimResult withKey(
      DkimSignature.Wellformed signature,
      DkimAlgorithm algorithm,
      long unsigned,
      SignedFields fields) {
    var claim = signature.claim();
    var domain = claim.domain().name();
    var name = claim.selector() + "._domainkey." + domain;
    return switch (keys.apply(name)) {
      case KeyAnswer.Failed() ->
          new DkimResult.TempError(claim, "The key " + name + " cannot be looked up now.");
      case KeyAnswer.None() -> new DkimResult.PermError(claim, "There is no key " + name + ".");
      case KeyAnswer.Found(var texts) when texts.size() != 1 ->
          // RFC 6376 §3.6.2.2: with several, nobody says which counts.
          new DkimResult.PermError(
              claim, "There are " + texts.size() + " records for the key " + name + ", not one.");
      case KeyAnswer.Found(var texts) ->
          switch (KeyRecord.of(texts.getFirst(), algorithm)) {
            case KeyRecord.Unusable(var why) ->
                new DkimResult.PermError(claim, "The record " + name + " " + why + ".");
            case KeyRecord.Unacceptable(var why) ->
                new DkimResult.Policy(claim, "The record " + name + " " + why + ".");
            case KeyRecord.Usable key -> verified(signature, algorithm, key, unsigned, fields);
          };
    };
  }

  private static DkimResult verified(
      DkimSignature.Wellformed signature,
      DkimAlgorithm algorithm,
      KeyRecord.Usable key,
      long unsigned,
      SignedFields fields) {
    var claim = signature.claim();
    var domain = claim.domain().name();
    if (key.sameDomainOnly() && !signature.identityDomain().equals(domain)) {
      return new DkimResult.PermError(
          claim, "The key of " + domain + " may not speak for " + signature.identityDomain() + ".");
    }
    var canonical =
        fields.canonical(
            signature.fields(),
            signature.headerForm(),
            signature.field(),
            signature.signatureFrom(),
            signature.signatureTo());
    if (!Crypto.verifies(algorithm, key.key(), canonical, signature.signature())) {
      return new DkimResult.Fail(
          claim, "The header is not the one that " + domain + " signed, or it did not sign it.");
    }
    return new DkimResult.Pass(
        claim,
        unsigned,
        key.testing(),
        "The message was signed by "
            + domain
            + (unsigned > 0 ? ", but for the last " + unsigned + " octets of its body" : "")
            + (key.testing() ? ", with a key for tests" : "")
            + ".");
  }
}
