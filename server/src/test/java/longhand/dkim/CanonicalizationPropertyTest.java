package longhand.dkim;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import longhand.Seed;
import longhand.message.Header;
import org.junit.jupiter.api.Test;

/// The canonical forms, streamed and cut anywhere, beside ones that hold all and are written as RFC
/// 6376 §3.4 reads.
class CanonicalizationPropertyTest {

  private static final List<String> PIECES =
      List.of(
          "\r\n", "\r\n\r\n", " ", "\t", "  \t", "\r", "\n", "a", "word", ".", "\u00e9", " \r\n");

  /// Hands back what it was given instead of a hash.
  private static final class Recorder extends MessageDigest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Recorder() {
      super("none");
    }

    @Override
    protected void engineUpdate(byte octet) {
      out.write(octet);
    }

    @Override
    protected void engineUpdate(byte[] octets, int offset, int length) {
      out.write(octets, offset, length);
    }

    @Override
    protected byte[] engineDigest() {
      return out.toByteArray();
    }

    @Override
    protected void engineReset() {
      out.reset();
    }
  }

  private static String naive(String body, boolean relaxed) {
    var text = body;
    if (relaxed) {
      text = text.replaceAll("[ \t]+", " ").replaceAll(" (?=\r\n)", "").replaceAll(" \\z", "");
    }
    while (text.endsWith("\r\n")) {
      text = text.substring(0, text.length() - 2);
    }
    return relaxed && text.isEmpty() ? "" : text + "\r\n";
  }

  private static String streamed(String body, Canonicalization form, long max, Random cuts) {
    var hash = new BodyHash(form, new Recorder(), max);
    var octets = body.getBytes(ISO_8859_1);
    for (int at = 0; at < octets.length; ) {
      int n = Math.min(octets.length - at, cuts.nextInt(1, 5));
      hash.update(octets, at, n);
      at += n;
    }
    return new String(hash.finish(), ISO_8859_1);
  }

  @Test
  void bodies() {
    long seed = Seed.value();
    for (int i = 0; i < 20_000; i++) {
      var random = new Random(seed + i);
      var body = new StringBuilder();
      for (int n = random.nextInt(12); n > 0; n--) {
        var piece = PIECES.get(random.nextInt(PIECES.size()));
        body.append(random.nextInt(200) == 0 ? piece.repeat(3000) : piece);
      }
      for (var form : Canonicalization.values()) {
        var expected = naive(body.toString(), form == Canonicalization.RELAXED);
        assertThat(streamed(body.toString(), form, Long.MAX_VALUE, random))
            .as("seed %d", seed + i)
            .isEqualTo(expected);
        int max = random.nextInt(expected.length() + 2);
        assertThat(streamed(body.toString(), form, max, random))
            .as("first %d, seed %d", max, seed + i)
            .isEqualTo(expected.substring(0, Math.min(max, expected.length())));
      }
    }
  }

  @Test
  void fields() {
    long seed = Seed.value();
    for (int i = 0; i < 5_000; i++) {
      var random = new Random(seed + i);
      var value = new StringBuilder();
      for (int n = random.nextInt(10); n > 0; n--) {
        value.append(
            List.of(" ", "\t", "\r\n ", "\r\n\t", "a", ":", "Word").get(random.nextInt(7)));
      }
      var name = List.of("Subject", "X-a", "FROM").get(random.nextInt(3));
      var spaced = name + (random.nextBoolean() ? " \t" : "");
      var octets = (spaced + ":" + value + "\r\n").getBytes(ISO_8859_1);
      var field = Header.of(octets).fields().getFirst();
      var relaxed =
          name.toLowerCase(java.util.Locale.ROOT)
              + ":"
              + value.toString().replace("\r\n", "").replaceAll("[ \t]+", " ").strip()
              + "\r\n";
      for (var form : Canonicalization.values()) {
        var out = new ByteArrayOutputStream();
        form.field(field, out);
        assertThat(out.toString(ISO_8859_1))
            .as("seed %d", seed + i)
            .isEqualTo(form == Canonicalization.RELAXED ? relaxed : new String(octets, ISO_8859_1));
      }
    }
  }

  /// RFC 6376 §3.4.5.
  @Test
  void examplesOfTheRfc() {
    var header = Header.of("A: X\r\nB : Y\t\r\n\tZ  \r\n".getBytes(ISO_8859_1));
    var out = new ByteArrayOutputStream();
    header.fields().forEach(field -> Canonicalization.RELAXED.field(field, out));
    assertThat(out.toString(ISO_8859_1)).isEqualTo("a:X\r\nb:Y Z\r\n");
    var body = " C \r\nD \t E\r\n\r\n\r\n";
    var cuts = new Random(1);
    assertThat(streamed(body, Canonicalization.RELAXED, Long.MAX_VALUE, cuts))
        .isEqualTo(" C\r\nD E\r\n");
    assertThat(streamed(body, Canonicalization.SIMPLE, Long.MAX_VALUE, cuts))
        .isEqualTo(" C \r\nD \t E\r\n");
  }

  /// RFC 6376 §3.4.3 and §3.4.4 give the hashes of the empty body.
  @Test
  void emptyBody() {
    assertThat(base64(Canonicalization.SIMPLE))
        .isEqualTo("frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=");
    assertThat(base64(Canonicalization.RELAXED))
        .isEqualTo("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  }

  private static String base64(Canonicalization form) {
    var hash = new BodyHash(form, Crypto.sha256(), Long.MAX_VALUE);
    return java.util.Base64.getEncoder().encodeToString(hash.finish());
  }

  /// Fifty megabytes of empty lines are counted, not kept.
  @Test
  void emptyLinesAreCounted() {
    var hash = new BodyHash(Canonicalization.RELAXED, Crypto.sha256(), Long.MAX_VALUE);
    var lines = new byte[50_000];
    Arrays.fill(lines, (byte) '\n');
    for (int i = 0; i < lines.length; i += 2) {
      lines[i] = '\r';
    }
    for (int i = 0; i < 1000; i++) {
      hash.update(lines, 0, lines.length);
    }
    assertThat(hash.finish()).isEqualTo(Crypto.sha256().digest());
    assertThat(hash.octets()).isZero();
  }
}
