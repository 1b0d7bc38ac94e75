package longhand.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Optional;
import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;

/// An Argon2id hash of a password (RFC 9106), written as a PHC string:
/// `$argon2id$v=19$m=19456,t=2,p=1$salt$tag`, salt and tag in base64 without padding. The arrays
/// are not copied and not to be changed.
///
/// @param memoryKib 8 to 262,144 KiB
/// @param passes 1 to 16
/// @param lanes 1 to 8
/// @param salt 8 to 64 octets
/// @param tag 16 to 64 octets
public record PasswordHash(int memoryKib, int passes, int lanes, byte[] salt, byte[] tag) {

  private static final String PREFIX = "$argon2id$v=19$m=";

  public PasswordHash {
    if (memoryKib < 8 * lanes || memoryKib > 262_144 || passes < 1 || passes > 16) {
      throw new IllegalArgumentException("memory of " + memoryKib + " KiB, " + passes + " passes");
    }
    if (lanes < 1 || lanes > 8) {
      throw new IllegalArgumentException(lanes + " lanes");
    }
    if (salt.length < 8 || salt.length > 64 || tag.length < 16 || tag.length > 64) {
      throw new IllegalArgumentException(
          "salt of " + salt.length + " and tag of " + tag.length + " octets");
    }
  }

  /// Hashes a prepared password with a fresh salt. Takes about 0.1 s of one processor at 19 MiB and
  /// two passes: not for a virtual thread.
  static PasswordHash of(String prepared, int memoryKib, int passes, byte[] salt) {
    return new PasswordHash(
        memoryKib, passes, 1, salt, compute(prepared, memoryKib, passes, 1, salt, 32));
  }

  /// Whether that is the password. As slow as `of`.
  boolean matches(String prepared) {
    return MessageDigest.isEqual(
        tag, compute(prepared, memoryKib, passes, lanes, salt, tag.length));
  }

  /// The memory of two hashes at once, kept between them: 19 MiB of small arrays for each hash
  /// would outgrow the young generation and fill the old one. Blocks are cleared before they come
  /// back. Taken at the first hash.
  private static final Argon2BytesGenerator.BlockPool BLOCKS =
      new Argon2BytesGenerator.FixedBlockPool(2 * 19 * 1024);

  private static byte[] compute(
      String prepared, int memoryKib, int passes, int lanes, byte[] salt, int octets) {
    var generator = new Argon2BytesGenerator();
    generator.init(
        new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
            .withVersion(Argon2Parameters.ARGON2_VERSION_13)
            .withMemoryAsKB(memoryKib)
            .withIterations(passes)
            .withParallelism(lanes)
            .withSalt(salt)
            .withBlockPool(BLOCKS)
            .build());
    var result = new byte[octets];
    generator.generateBytes(prepared.getBytes(StandardCharsets.UTF_8), result);
    return result;
  }

  /// Reads a PHC string; empty when it is not one of Argon2id version 19 within the ranges above.
  public static Optional<PasswordHash> parse(String text) {
    int time = text.indexOf(",t=");
    int lanes = text.indexOf(",p=", Math.max(0, time));
    int salt = text.indexOf('$', Math.max(0, lanes));
    int tag = text.indexOf('$', salt + 1);
    if (!text.startsWith(PREFIX) || time < 0 || lanes < 0 || salt < 0 || tag < 0) {
      return Optional.empty();
    }
    try {
      var decoder = Base64.getDecoder();
      return Optional.of(
          new PasswordHash(
              number(text, PREFIX.length(), time),
              number(text, time + 3, lanes),
              number(text, lanes + 3, salt),
              decoder.decode(text.substring(salt + 1, tag)),
              decoder.decode(text.substring(tag + 1))));
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // not base64, not a number, or out of its range
    }
  }

  private static int number(String text, int from, int to) {
    if (to - from < 1 || to - from > 7 || text.charAt(from) == '+' || text.charAt(from) == '-') {
      throw new IllegalArgumentException("not a number");
    }
    return Integer.parseInt(text, from, to, 10);
  }

  /// The PHC string.
  public String toText() {
    var encoder = Base64.getEncoder().withoutPadding();
    return PREFIX
        + memoryKib
        + ",t="
        + passes
        + ",p="
        + lanes
        + "$"
        + encoder.encodeToString(salt)
        + "$"
        + encoder.encodeToString(tag);
  }

  /// Says nothing of the hash, so that a log cannot either.
  @Override
  public String toString() {
    return "PasswordHash[" + memoryKib + " KiB, " + passes + " passes]";
  }
}
