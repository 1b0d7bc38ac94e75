package longhand.dkim;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.HexFormat;
import java.util.Locale;

/// The TXT record of a selector (RFC 6376 §3.6.1), read for one signature.
sealed interface KeyRecord {

  /// A key that may check the signature.
  ///
  /// @param sameDomainOnly the flag `t=s`: `i=` has to be in `d=` itself
  record Usable(PublicKey key, boolean testing, boolean sameDomainOnly) implements KeyRecord {}

  /// No key for it.
  record Unusable(String why) implements KeyRecord {}

  /// A key weaker, or costlier to compute with, than we accept.
  record Unacceptable(String why) implements KeyRecord {}

  /// Least modulus (RFC 8301 §3.2), in bits.
  int RSA_BITS_MIN = 1024;

  /// Largest modulus, in bits; RFC 8301 §3.2 asks for no more.
  int RSA_BITS_MAX = 4096;

  /// Largest public exponent, in bits: the time that a check takes grows with it.
  int RSA_EXPONENT_BITS_MAX = 33;

  /// Reads a record.
  static KeyRecord of(String text, DkimAlgorithm algorithm) {
    var octets = text.getBytes(StandardCharsets.UTF_8);
    return switch (TagList.of(octets, 0, octets.length)) {
      case TagList.Malformed(var why) -> new Unusable("is " + why);
      case TagList.Read tags -> of(tags, algorithm);
    };
  }

  private static KeyRecord of(TagList.Read tags, DkimAlgorithm algorithm) {
    var version = tags.tag("v");
    if (version.isPresent()
        && !(version.get().value().equals("DKIM1") && tags.tags().getFirst().name().equals("v"))) {
      return new Unusable("is not of version DKIM1");
    }
    var type = tags.tag("k").map(TagList.Tag::value).orElse("rsa").toLowerCase(Locale.ROOT);
    if (!type.equals(algorithm.keyType())) {
      return new Unusable("is not for " + algorithm.keyType());
    }
    if (!allows(tags, "h", "sha256", "sha256")) {
      return new Unusable("does not allow SHA-256");
    }
    if (!allows(tags, "s", "*", "email")) {
      return new Unusable("is not for mail");
    }
    var published = tags.tag("p");
    if (published.isEmpty()) {
      return new Unusable("has no tag p=");
    }
    if (published.get().value().isEmpty()) {
      return new Unusable("says that the key was revoked");
    }
    var octets = published.get().base64();
    if (octets.isEmpty()) {
      return new Unusable("has a key that is not base64");
    }
    PublicKey key;
    try {
      key =
          switch (algorithm) {
            case RSA_SHA256 -> rsa(octets.get());
            case ED25519_SHA256 -> ed25519(octets.get());
          };
    } catch (GeneralSecurityException e) {
      return new Unusable("has a key that is no " + algorithm.keyType() + " key");
    }
    if (key instanceof RSAPublicKey rsa) {
      int bits = rsa.getModulus().bitLength();
      if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
        return new Unacceptable(
            "has a key of "
                + bits
                + " bits; those of "
                + RSA_BITS_MIN
                + " to "
                + RSA_BITS_MAX
                + " are accepted");
      }
      if (rsa.getPublicExponent().compareTo(BigInteger.TWO) <= 0
          || rsa.getPublicExponent().bitLength() > RSA_EXPONENT_BITS_MAX) {
        return new Unacceptable("has a key with an unusual exponent");
      }
    }
    return new Usable(key, flag(tags, "y"), flag(tags, "s"));
  }

  /// Whether a list of words is absent or holds one of two.
  private static boolean allows(TagList.Read tags, String name, String one, String other) {
    var tag = tags.tag(name);
    return tag.isEmpty()
        || tag.get().parts().stream()
            .anyMatch(word -> word.equalsIgnoreCase(one) || word.equalsIgnoreCase(other));
  }

  private static boolean flag(TagList.Read tags, String flag) {
    return tags.tag("t").isPresent() && tags.tag("t").get().parts().contains(flag);
  }

  private static PublicKey ed25519(byte[] raw) throws GeneralSecurityException {
    if (raw.length != 32) {
      throw new GeneralSecurityException("of " + raw.length + " octets");
    }
    // SubjectPublicKeyInfo (RFC 8410 §4) of a key that is published bare (RFC 8463 §4).
    var encoded = joined(HexFormat.of().parseHex("302a300506032b6570032100"), raw);
    return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
  }

  /// SubjectPublicKeyInfo, which all publish, or the RSAPublicKey that RFC 6376 §3.6.1 speaks of.
  private static PublicKey rsa(byte[] der) throws GeneralSecurityException {
    var factory = KeyFactory.getInstance("RSA");
    try {
      return factory.generatePublic(new X509EncodedKeySpec(der));
    } catch (GeneralSecurityException notThatForm) {
      var algorithm = HexFormat.of().parseHex("300d06092a864886f70d0101010500");
      var key = der(0x03, joined(new byte[1], der));
      return factory.generatePublic(new X509EncodedKeySpec(der(0x30, joined(algorithm, key))));
    }
  }

  private static byte[] der(int tag, byte[] value) {
    var head =
        new byte[] {(byte) tag, (byte) 0x82, (byte) (value.length >> 8), (byte) value.length};
    if (value.length < 0x80) {
      head = new byte[] {(byte) tag, (byte) value.length};
    } else if (value.length < 0x100) {
      head = new byte[] {(byte) tag, (byte) 0x81, (byte) value.length};
    }
    return joined(head, value);
  }

  private static byte[] joined(byte[] one, byte[] other) {
    var all = new byte[one.length + other.length];
    System.arraycopy(one, 0, all, 0, one.length);
    System.arraycopy(other, 0, all, one.length, other.length);
    return all;
  }
}
