package longhand.dkim;

import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;

/// The primitives, which every JDK 25 has: their absence is a fault of ours, not of a message.
final class Crypto {

  private Crypto() {}

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("no SHA-256", e);
    }
  }

  static byte[] sign(DkimAlgorithm algorithm, PrivateKey key, byte[] canonicalHeader) {
    try {
      var signature = Signature.getInstance(algorithm.jca());
      signature.initSign(key);
      signature.update(algorithm.signed(canonicalHeader));
      return signature.sign();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("cannot sign with " + algorithm, e);
    }
  }

  static boolean verifies(
      DkimAlgorithm algorithm, PublicKey key, byte[] canonicalHeader, byte[] signed) {
    try {
      var signature = Signature.getInstance(algorithm.jca());
      signature.initVerify(key);
      signature.update(algorithm.signed(canonicalHeader));
      return signature.verify(signed);
    } catch (InvalidKeyException | SignatureException e) {
      // A signature of the wrong length, or one that is no signature under this key.
      return false;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("no " + algorithm, e);
    }
  }
}
