package longhand.dkim;

/// How a signature is made. SHA-1 is not among them (RFC 8301 §3.1).
public enum DkimAlgorithm {
  /// RSA with SHA-256 (RFC 6376 §3.3.2); 2,048 bits when the key is of our making.
  RSA_SHA256("rsa-sha256", "rsa", "SHA256withRSA"),
  /// Ed25519 over a SHA-256 (RFC 8463 §3).
  ED25519_SHA256("ed25519-sha256", "ed25519", "Ed25519");

  private final String tagValue;
  private final String keyType;
  private final String jca;

  DkimAlgorithm(String tagValue, String keyType, String jca) {
    this.tagValue = tagValue;
    this.keyType = keyType;
    this.jca = jca;
  }

  /// Its name in the tag `a=` of a signature.
  public String tagValue() {
    return tagValue;
  }

  /// The name of its keys' type in the tag `k=` of a key record.
  public String keyType() {
    return keyType;
  }

  /// The octets that the signature primitive is given for a canonical header: Ed25519 signs their
  /// hash (RFC 8463 §3), RSA with its hash is one thing to the JCA.
  byte[] signed(byte[] canonicalHeader) {
    return switch (this) {
      case RSA_SHA256 -> canonicalHeader;
      case ED25519_SHA256 -> Crypto.sha256().digest(canonicalHeader);
    };
  }

  String jca() {
    return jca;
  }
}
