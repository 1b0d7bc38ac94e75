package longhand.auth;

import com.ongres.scram.common.ScramFunctions;
import com.ongres.scram.common.ScramMechanism;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// SCRAM-SHA-256 as a client speaks it (RFC 5802 §3), to log in at another server: `first`, `last`,
/// and then `isProven`, without which nobody knows who has answered. Not bound to the TLS channel.
/// For one exchange and one thread.
public final class ScramClient {

  /// The mechanism's name.
  public static final String NAME = Scram.NAME;

  /// Most iterations that a server may make us do, about half a second of work.
  public static final int ITERATIONS_MAX = 1_000_000;

  private static final ScramMechanism MECHANISM = ScramMechanism.SCRAM_SHA_256;
  private static final String GS2_HEADER = "n,,";
  private static final int NONCE_OCTETS = 18;
  private static final int MESSAGE_OCTETS_MAX = 4096;

  private final String password;
  private final String bare;
  private final String nonce;
  private byte @Nullable [] salted;
  private String authMessage = "";

  /// An exchange that has not begun.
  ///
  /// @param name as the server knows us
  public ScramClient(String name, String password, SecureRandom random) {
    var octets = new byte[NONCE_OCTETS];
    random.nextBytes(octets);
    this.nonce = Base64.getEncoder().encodeToString(octets);
    this.password = Credentials.preparePassword(password).orElse(password);
    var prepared = Credentials.prepareName(name).orElse(name);
    this.bare = "n=" + prepared.replace("=", "=3D").replace(",", "=2C") + ",r=" + nonce;
  }

  /// What the client says first.
  public byte[] first() {
    return (GS2_HEADER + bare).getBytes(StandardCharsets.UTF_8);
  }

  /// What the client answers to the server's first message; empty when that is malformed, has a
  /// nonce that is not made of ours, or fewer or more iterations than RFC 7677 §4 or
  /// `ITERATIONS_MAX` allow.
  public Optional<byte[]> last(byte[] serverFirst) {
    if (serverFirst.length > MESSAGE_OCTETS_MAX) {
      return Optional.empty();
    }
    var message = new String(serverFirst, StandardCharsets.UTF_8);
    int salt = message.indexOf(",s=");
    int iterations = salt < 0 ? -1 : message.indexOf(",i=", salt + 3);
    if (!message.startsWith("r=" + nonce) || iterations < 0) {
      return Optional.empty();
    }
    var both = message.substring(2, salt);
    int end = message.indexOf(',', iterations + 3);
    var count = message.substring(iterations + 3, end < 0 ? message.length() : end);
    if (both.length() == nonce.length() || both.indexOf(',') >= 0) {
      return Optional.empty();
    }
    try {
      int number = Integer.parseInt(count);
      byte[] octets = Base64.getDecoder().decode(message.substring(salt + 3, iterations));
      if (number < ScramVerifier.ITERATIONS_MIN || number > ITERATIONS_MAX || octets.length == 0) {
        return Optional.empty();
      }
      var withoutProof =
          "c="
              + Base64.getEncoder().encodeToString(GS2_HEADER.getBytes(StandardCharsets.US_ASCII))
              + ",r="
              + both;
      authMessage = bare + "," + message + "," + withoutProof;
      byte[] key = ScramVerifier.saltedPassword(password, octets, number);
      salted = key;
      byte[] clientKey = ScramFunctions.clientKey(MECHANISM, key);
      byte[] signature =
          ScramFunctions.clientSignature(
              MECHANISM, ScramFunctions.storedKey(MECHANISM, clientKey), authMessage);
      byte[] proof = ScramFunctions.clientProof(clientKey, signature);
      return Optional.of(
          (withoutProof + ",p=" + Base64.getEncoder().encodeToString(proof))
              .getBytes(StandardCharsets.UTF_8));
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // not base64, or not a number
    }
  }

  /// Whether the server's last message proves that it knows the password too.
  public boolean isProven(byte[] serverLast) {
    var message = new String(serverLast, StandardCharsets.UTF_8);
    byte[] key = salted;
    if (key == null || !message.startsWith("v=") || serverLast.length > MESSAGE_OCTETS_MAX) {
      return false;
    }
    int end = message.indexOf(',');
    try {
      byte[] signature =
          Base64.getDecoder().decode(message.substring(2, end < 0 ? message.length() : end));
      return signature.length > 0
          && ScramFunctions.verifyServerSignature(
              MECHANISM, ScramFunctions.serverKey(MECHANISM, key), authMessage, signature);
    } catch (IllegalArgumentException e) {
      return false; // not base64
    }
  }
}
