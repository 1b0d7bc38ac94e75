package longhand.dkim;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import longhand.mail.Domain;
import longhand.mail.Idna;
import longhand.message.HeaderField;
import org.jspecify.annotations.Nullable;

/// A field `DKIM-Signature` (RFC 6376 §3.5), read.
sealed interface DkimSignature {

  /// A signature that can be checked.
  ///
  /// @param field the field it is
  /// @param claim what it says of itself
  /// @param algorithm empty for rsa-sha1, which is not checked
  /// @param signature the value of `b=`
  /// @param signatureFrom where that value begins in the octets of the field
  /// @param signatureTo where it ends
  /// @param bodyHash the value of `bh=`
  /// @param fields the names of `h=`
  /// @param identityDomain what is after the last `@` of `i=`, lower case
  /// @param bodyOctets the value of `l=`
  /// @param expirySeconds the value of `x=`, since 1970
  record Wellformed(
      HeaderField field,
      DkimClaim claim,
      Optional<DkimAlgorithm> algorithm,
      byte[] signature,
      int signatureFrom,
      int signatureTo,
      byte[] bodyHash,
      Canonicalization headerForm,
      Canonicalization bodyForm,
      List<String> fields,
      String identityDomain,
      OptionalLong bodyOctets,
      OptionalLong expirySeconds)
      implements DkimSignature {}

  /// One that cannot: a syntax error, or something we do not know.
  ///
  /// @param why a sentence
  record Malformed(String why) implements DkimSignature {}

  /// Longest selector with its domain and `_domainkey` between them that DNS can hold, in octets.
  int QUERY_OCTETS_MAX = 253;

  /// Reads a field. Tags that are not known are passed over (RFC 6376 §3.2).
  static DkimSignature of(HeaderField field) {
    return switch (TagList.of(field.octets(), field.valueStart(), field.end())) {
      case TagList.Malformed(var why) -> new Malformed("The signature is " + why + ".");
      case TagList.Read tags -> of(field, tags);
    };
  }

  private static DkimSignature of(HeaderField field, TagList.Read tags) {
    for (var name : List.of("v", "a", "b", "bh", "d", "h", "s")) {
      if (tags.tag(name).isEmpty()) {
        return new Malformed("The signature lacks tag " + name + "=.");
      }
    }
    if (!value(tags, "v").equals("1")) {
      return new Malformed("The signature is of a version other than 1.");
    }
    var algorithmName = value(tags, "a").toLowerCase(Locale.ROOT);
    Optional<DkimAlgorithm> algorithm = Optional.empty();
    for (var each : DkimAlgorithm.values()) {
      if (each.tagValue().equals(algorithmName)) {
        algorithm = Optional.of(each);
      }
    }
    if (algorithm.isEmpty() && !algorithmName.equals("rsa-sha1")) {
      return new Malformed("The signature's algorithm is not known.");
    }
    var signature = tags.tag("b").flatMap(TagList.Tag::base64).orElse(new byte[0]);
    var bodyHash = tags.tag("bh").flatMap(TagList.Tag::base64).orElse(new byte[0]);
    if (signature.length == 0 || bodyHash.length == 0) {
      return new Malformed("The signature's b= or bh= is not base64.");
    }
    var forms = tags.tag("c").map(TagList.Tag::value).orElse("simple").toLowerCase(Locale.ROOT);
    int slash = forms.indexOf('/');
    var headerForm = form(slash < 0 ? forms : forms.substring(0, slash));
    var bodyForm = slash < 0 ? Canonicalization.SIMPLE : form(forms.substring(slash + 1));
    if (headerForm == null || bodyForm == null) {
      return new Malformed("The signature's canonicalization is not known.");
    }
    var domain = domain(value(tags, "d"));
    var selector = domain(value(tags, "s"));
    if (domain == null
        || selector == null
        || domain.length() + selector.length() + "._domainkey.".length() > QUERY_OCTETS_MAX) {
      return new Malformed("The signature's d= or s= is no name of DNS.");
    }
    var names = tags.tag("h").orElseThrow().parts();
    for (var name : names) {
      if (!isFieldName(name)) {
        return new Malformed("The signature's h= names something that is no field.");
      }
    }
    var identity = decoded(tags.tag("i").map(TagList.Tag::compact).orElse("@" + domain));
    int at = identity == null ? -1 : identity.lastIndexOf('@');
    var identityDomain = identity == null || at < 0 ? null : domain(identity.substring(at + 1));
    if (identity == null || identityDomain == null) {
      return new Malformed("The signature's i= is no address.");
    }
    if (tags.tag("q").isPresent()
        && tags.tag("q").get().parts().stream().noneMatch("dns/txt"::equalsIgnoreCase)) {
      return new Malformed("The signature's key cannot be asked for in a way we know.");
    }
    long bodyOctets = number(tags, "l", 76);
    long made = number(tags, "t", 12);
    long expiry = number(tags, "x", 12);
    if (bodyOctets == NO_NUMBER || made == NO_NUMBER || expiry == NO_NUMBER) {
      return new Malformed("The signature's l=, t= or x= is no number.");
    }
    if (made >= 0 && expiry >= 0 && expiry <= made) {
      return new Malformed("The signature expires before it is made.");
    }
    var b = tags.tag("b").orElseThrow();
    var begin = b.compact();
    return new Wellformed(
        field,
        new DkimClaim(
            new Domain(domain),
            selector,
            identity,
            algorithmName,
            begin.substring(0, Math.min(8, begin.length()))),
        algorithm,
        signature,
        b.from(),
        b.to(),
        bodyHash,
        headerForm,
        bodyForm,
        names,
        identityDomain,
        bodyOctets < 0 ? OptionalLong.empty() : OptionalLong.of(bodyOctets),
        expiry < 0 ? OptionalLong.empty() : OptionalLong.of(expiry));
  }

  private static String value(TagList.Read tags, String name) {
    return tags.tag(name).orElseThrow().value();
  }

  private static @Nullable Canonicalization form(String name) {
    return switch (name) {
      case "simple" -> Canonicalization.SIMPLE;
      case "relaxed" -> Canonicalization.RELAXED;
      default -> null;
    };
  }

  /// Lower case and in A-label form (RFC 8616 §5); null if it is no name.
  private static @Nullable String domain(String octets) {
    if (octets.isEmpty() || octets.length() > QUERY_OCTETS_MAX) {
      return null;
    }
    var text = new String(octets.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    var ascii = Idna.toAscii(text).orElse("");
    if (ascii.isEmpty() || ascii.length() > QUERY_OCTETS_MAX) {
      return null;
    }
    for (int i = 0; i < ascii.length(); i++) {
      char c = ascii.charAt(i);
      boolean fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || "-_.".indexOf(c) >= 0;
      if (!fits) {
        return null;
      }
    }
    return ascii;
  }

  /// Printable ASCII without colon (RFC 5322 §2.2).
  private static boolean isFieldName(String name) {
    for (int i = 0; i < name.length(); i++) {
      if (name.charAt(i) <= ' ' || name.charAt(i) > '~') {
        return false;
      }
    }
    return !name.isEmpty();
  }

  /// dkim-quoted-printable (RFC 6376 §2.11), decoded; null if it is none.
  private static @Nullable String decoded(String text) {
    var out = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '=') {
        int high = i + 2 < text.length() ? Character.digit(text.charAt(i + 1), 16) : -1;
        int low = i + 2 < text.length() ? Character.digit(text.charAt(i + 2), 16) : -1;
        if (high < 0 || low < 0) {
          return null;
        }
        c = (char) (high * 16 + low);
        i += 2;
      }
      out.append(c);
    }
    return out.toString();
  }

  /// The answer of [#number] for what is no number.
  long NO_NUMBER = -2;

  /// The number in a tag, -1 without the tag. What is beyond a long is as good as the largest.
  private static long number(TagList.Read tags, String name, int digitsMax) {
    var tag = tags.tag(name);
    if (tag.isEmpty()) {
      return -1;
    }
    var text = tag.get().value();
    if (text.isEmpty() || text.length() > digitsMax) {
      return NO_NUMBER;
    }
    long number = 0;
    for (int i = 0; i < text.length(); i++) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        return NO_NUMBER;
      }
      number = number > (Long.MAX_VALUE - 9) / 10 ? Long.MAX_VALUE : number * 10 + digit;
    }
    return number;
  }
}
