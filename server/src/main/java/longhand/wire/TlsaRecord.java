package longhand.wire;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.util.HexFormat;

/// A TLSA record: which certificate a server has (RFC 6698 §2.1). The array is not copied and not
/// to be changed.
///
/// @param usage 0 to 255; 2 names a trust anchor, 3 the server's own certificate
/// @param selector 0 to 255; 0 the whole certificate, 1 its public key
/// @param matching 0 to 255; 0 the octets themselves, 1 their SHA-256, 2 their SHA-512
/// @param data what the certificate must have
public record TlsaRecord(int usage, int selector, int matching, byte[] data) {

  /// The usage of a record that names a trust anchor, DANE-TA (RFC 7218).
  public static final int TRUST_ANCHOR = 2;

  /// The usage of a record that names the server's own certificate, DANE-EE.
  public static final int END_ENTITY = 3;

  public TlsaRecord {
    if (((usage | selector | matching) & ~0xff) != 0) {
      throw new IllegalArgumentException("TLSA " + usage + " " + selector + " " + matching);
    }
  }

  /// Whether a mail server can be verified by it: usages 0 and 1 mean nothing between mail servers
  /// (RFC 7672 §3.1.3), other numbers are not known, and a digest has its length.
  public boolean usable() {
    return (usage == TRUST_ANCHOR || usage == END_ENTITY)
        && selector <= 1
        && switch (matching) {
          case 0 -> data.length > 0;
          case 1 -> data.length == 32;
          case 2 -> data.length == 64;
          default -> false;
        };
  }

  /// Whether a certificate is the one it names, by whatever usage. Always false when not usable.
  public boolean matches(X509Certificate certificate) {
    if (!usable()) {
      return false;
    }
    try {
      byte[] selected =
          selector == 0 ? certificate.getEncoded() : certificate.getPublicKey().getEncoded();
      return MessageDigest.isEqual(
          data,
          switch (matching) {
            case 1 -> MessageDigest.getInstance("SHA-256").digest(selected);
            case 2 -> MessageDigest.getInstance("SHA-512").digest(selected);
            default -> selected;
          });
    } catch (GeneralSecurityException e) {
      return false; // a certificate that has no encoding matches nothing
    }
  }

  /// As in a zone file.
  @Override
  public String toString() {
    return usage + " " + selector + " " + matching + " " + HexFormat.of().formatHex(data);
  }
}
