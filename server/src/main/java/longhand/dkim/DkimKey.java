package longhand.dkim;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.interfaces.EdECPrivateKey;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import longhand.mail.Domain;
import org.bouncycastle.math.ec.rfc8032.Ed25519;

/// A key to sign with, and the selector it is published under. Two keys under two selectors may be
/// published at a time: so a new one takes over before the old one goes.
public final class DkimKey {

  /// Longest selector that we use, in octets: one label of DNS.
  public static final int SELECTOR_OCTETS_MAX = 63;

  /// Bits of the RSA keys that we make (RFC 8301 §3.2).
  public static final int RSA_BITS = 2048;

  /// Longest string within a TXT record, in octets (RFC 1035 §3.3).
  private static final int STRING_OCTETS_MAX = 255;

  private static final String BEGIN = "-----BEGIN PRIVATE KEY-----";
  private static final String END = "-----END PRIVATE KEY-----";

  private final String selector;
  private final DkimAlgorithm algorithm;
  private final PrivateKey key;
  private final byte[] published;

  private DkimKey(String selector, DkimAlgorithm algorithm, PrivateKey key, byte[] published) {
    if (!isSelector(selector)) {
      throw new IllegalArgumentException("selector " + selector);
    }
    this.selector = selector;
    this.algorithm = algorithm;
    this.key = key;
    this.published = published;
  }

  /// Whether it is a selector that we use: small letters, digits and hyphens, at most 63.
  public static boolean isSelector(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean hyphen = c == '-' && i > 0 && i < text.length() - 1;
      if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !hyphen) {
        return false;
      }
    }
    return !text.isEmpty() && text.length() <= SELECTOR_OCTETS_MAX;
  }

  /// Makes a key: RSA of 2,048 bits, or Ed25519. RSA takes about a second of processor time.
  public static DkimKey make(String selector, DkimAlgorithm algorithm) {
    try {
      var generator = KeyPairGenerator.getInstance(algorithm.keyType());
      if (algorithm == DkimAlgorithm.RSA_SHA256) {
        generator.initialize(RSA_BITS);
      }
      var key = generator.generateKeyPair().getPrivate();
      return of(selector, key).orElseThrow(() -> new IllegalStateException("made no " + algorithm));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("cannot make a key for " + algorithm, e);
    }
  }

  /// Reads a key from PEM text of PKCS#8 (`BEGIN PRIVATE KEY`), RSA of 1,024 to 4,096 bits or
  /// Ed25519. Empty if it holds none.
  public static Optional<DkimKey> ofPem(String selector, String pem) {
    int begin = pem.indexOf(BEGIN);
    int end = pem.indexOf(END, Math.max(0, begin));
    if (begin < 0 || end < 0) {
      return Optional.empty();
    }
    byte[] der;
    try {
      der = Base64.getMimeDecoder().decode(pem.substring(begin + BEGIN.length(), end));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
    for (var algorithm : DkimAlgorithm.values()) {
      try {
        var factory = KeyFactory.getInstance(algorithm.keyType());
        return of(selector, factory.generatePrivate(new PKCS8EncodedKeySpec(der)));
      } catch (GeneralSecurityException e) {
        // Not of this algorithm; the next may know it.
      }
    }
    return Optional.empty();
  }

  private static Optional<DkimKey> of(String selector, PrivateKey key)
      throws GeneralSecurityException {
    return switch (key) {
      case RSAPrivateCrtKey rsa -> {
        int bits = rsa.getModulus().bitLength();
        if (bits < KeyRecord.RSA_BITS_MIN || bits > KeyRecord.RSA_BITS_MAX) {
          yield Optional.empty();
        }
        var spec = new RSAPublicKeySpec(rsa.getModulus(), rsa.getPublicExponent());
        var published = KeyFactory.getInstance("RSA").generatePublic(spec).getEncoded();
        yield Optional.of(new DkimKey(selector, DkimAlgorithm.RSA_SHA256, key, published));
      }
      case EdECPrivateKey edwards when edwards.getBytes().orElse(new byte[0]).length == 32 -> {
        // The JDK does not tell the public key of a private one; RFC 8463 §4 publishes it bare.
        var published = new byte[Ed25519.PUBLIC_KEY_SIZE];
        Ed25519.generatePublicKey(edwards.getBytes().orElseThrow(), 0, published, 0);
        yield Optional.of(new DkimKey(selector, DkimAlgorithm.ED25519_SHA256, key, published));
      }
      default -> Optional.empty();
    };
  }

  /// The key as PEM text of PKCS#8. A secret: who stores it lets nobody but the server read it.
  public String toPem() {
    var lines = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key.getEncoded());
    return BEGIN + "\n" + lines + "\n" + END + "\n";
  }

  /// Where it is published below its domain.
  public String selector() {
    return selector;
  }

  /// What it signs with.
  public DkimAlgorithm algorithm() {
    return algorithm;
  }

  /// The text of the TXT record to publish, in one piece, ASCII (RFC 6376 §3.6.1).
  public String publicText() {
    return "v=DKIM1; k="
        + algorithm.keyType()
        + "; p="
        + Base64.getEncoder().encodeToString(published);
  }

  /// What is wrong with the text of a TXT record as the record of this key; empty when verifiers
  /// find the key in it.
  public Optional<String> faultOf(String text) {
    return switch (KeyRecord.of(text, algorithm)) {
      case KeyRecord.Unusable(var why) -> Optional.of(why);
      case KeyRecord.Unacceptable(var why) -> Optional.of(why);
      case KeyRecord.Usable usable -> {
        byte[] theirs = usable.key().getEncoded();
        // Of an Ed25519 key the bare octets are published, at the end of the JDK's form.
        int from = Math.max(0, theirs.length - published.length);
        boolean same =
            Arrays.equals(theirs, from, theirs.length, published, 0, published.length)
                && (algorithm == DkimAlgorithm.ED25519_SHA256 || from == 0);
        yield !same
            ? Optional.of("holds another key")
            : usable.testing()
                ? Optional.of("has the flag t=y, by which signatures count for nothing")
                : Optional.empty();
      }
    };
  }

  /// The TXT record as a line of a zone file, in strings of at most 255 octets (RFC 1035 §5.1).
  public String zoneLine(Domain domain) {
    var line = new StringBuilder(selector + "._domainkey." + domain.name() + ". IN TXT (");
    var text = publicText();
    for (int i = 0; i < text.length(); i += STRING_OCTETS_MAX) {
      line.append(" \"")
          .append(text, i, Math.min(text.length(), i + STRING_OCTETS_MAX))
          .append('"');
    }
    return line.append(" )").toString();
  }

  byte[] sign(byte[] canonicalHeader) {
    return Crypto.sign(algorithm, key, canonicalHeader);
  }

  /// Without the secret.
  @Override
  public String toString() {
    return selector + " (" + algorithm.tagValue() + ")";
  }
}
