package longhand.mtasts;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import longhand.dns.DnsName;

/// What a domain says of the mail servers that take its mail (RFC 8461 §3.2).
///
/// @param mode what to do with a server that is otherwise
/// @param mx which servers they are; at least one unless the mode is `NONE`, `MX_MAX` at most
/// @param maxAge how long the policy may be kept, whole seconds up to `AGE_MAX`
public record StsPolicy(Mode mode, List<MxPattern> mx, Duration maxAge) {

  /// Longest policy file, in octets.
  public static final int OCTETS_MAX = 64 * 1024;

  /// Most patterns of a policy.
  public static final int MX_MAX = 500;

  /// The greatest age there is.
  public static final Duration AGE_MAX = Duration.ofHours(8766);

  /// What to do with a server that is not as the policy says.
  public enum Mode {
    /// No mail for it.
    ENFORCE("enforce"),
    /// Mail all the same, but it is reported (RFC 8460).
    TESTING("testing"),
    /// There is no policy any more.
    NONE("none");

    private final String word;

    Mode(String word) {
      this.word = word;
    }

    static Optional<Mode> of(String word) {
      for (var mode : values()) {
        if (mode.word.equals(word)) {
          return Optional.of(mode);
        }
      }
      return Optional.empty();
    }

    /// As in a policy.
    @Override
    public String toString() {
      return word;
    }
  }

  public StsPolicy {
    mx = List.copyOf(mx);
    if ((mx.isEmpty() && mode != Mode.NONE)
        || mx.size() > MX_MAX
        || maxAge.isNegative()
        || !maxAge.equals(maxAge.truncatedTo(ChronoUnit.SECONDS))
        || maxAge.compareTo(AGE_MAX) > 0) {
      throw new IllegalArgumentException(
          "policy " + mode + " with " + mx.size() + " patterns for " + maxAge);
    }
  }

  /// Whether it allows a server.
  public boolean matches(DnsName host) {
    return mx.stream().anyMatch(pattern -> pattern.matches(host));
  }

  /// The policy file, as it is served at `https://mta-sts.<domain>/.well-known/mta-sts.txt`.
  public String text() {
    return String.join("\r\n", lines()) + "\r\n";
  }

  /// The lines of the policy file, without their ends.
  public List<String> lines() {
    var lines = new ArrayList<String>();
    lines.add("version: STSv1");
    lines.add("mode: " + mode);
    mx.forEach(pattern -> lines.add("mx: " + pattern));
    lines.add("max_age: " + maxAge.toSeconds());
    return lines;
  }

  /// Reads a policy file. Of a field that may stand once the first counts; fields that are not
  /// known count for nothing. An age beyond the greatest is the greatest. Empty lines, which the
  /// grammar does not have, are passed over: real servers end their file with one.
  public static StsFile parse(byte[] file) {
    if (file.length > OCTETS_MAX) {
      return new StsFile.Invalid("more than " + OCTETS_MAX + " octets");
    }
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(file)).toString();
    } catch (CharacterCodingException e) {
      return new StsFile.Invalid("not UTF-8");
    }
    Optional<String> version = Optional.empty();
    Optional<String> mode = Optional.empty();
    Optional<String> age = Optional.empty();
    var mx = new ArrayList<MxPattern>();
    int number = 0;
    for (int begin = 0; begin < text.length(); ) {
      number++;
      int lf = text.indexOf('\n', begin);
      int next = lf < 0 ? text.length() : lf;
      int end = lf > begin && text.charAt(lf - 1) == '\r' ? lf - 1 : next;
      while (end > begin && isSpace(text.charAt(end - 1))) {
        end--;
      }
      var line = text.substring(begin, end);
      begin = next + 1;
      if (line.isEmpty()) {
        continue;
      }
      int colon = line.indexOf(':');
      if (colon < 0 || !StsRecord.isName(line.substring(0, colon))) {
        return new StsFile.Invalid("line " + number + " is no field");
      }
      int from = colon + 1;
      while (from < line.length() && isSpace(line.charAt(from))) {
        from++;
      }
      var value = line.substring(from);
      if (value.isEmpty() || !value.codePoints().allMatch(c -> c >= ' ' && c != 0x7f)) {
        return new StsFile.Invalid("line " + number + " has no value that can be");
      }
      switch (line.substring(0, colon)) {
        case "version" -> version = version.or(() -> Optional.of(value));
        case "mode" -> mode = mode.or(() -> Optional.of(value));
        case "max_age" -> age = age.or(() -> Optional.of(value));
        case "mx" -> {
          var pattern = MxPattern.parse(value);
          if (pattern.isEmpty() || mx.size() == MX_MAX) {
            return new StsFile.Invalid(
                pattern.isEmpty()
                    ? "line " + number + " names no mail server"
                    : "more than " + MX_MAX + " mail servers");
          }
          mx.add(pattern.get());
        }
        default -> {} // RFC 8461 §3.2: unknown fields are ignored
      }
    }
    return made(version, mode, age, mx);
  }

  private static StsFile made(
      Optional<String> version, Optional<String> mode, Optional<String> age, List<MxPattern> mx) {
    if (!version.equals(Optional.of("STSv1"))) {
      return new StsFile.Invalid("no version STSv1");
    }
    var known = mode.flatMap(Mode::of);
    if (known.isEmpty()) {
      return new StsFile.Invalid("no mode, or one that is not known");
    }
    var seconds = age.map(StsPolicy::seconds).orElse(-1L);
    if (seconds < 0) {
      return new StsFile.Invalid("no max_age, or none in seconds");
    }
    if (mx.isEmpty() && known.get() != Mode.NONE) {
      return new StsFile.Invalid("no mail server is named");
    }
    return new StsFile.Valid(
        new StsPolicy(known.get(), mx, Duration.ofSeconds(Math.min(seconds, AGE_MAX.toSeconds()))));
  }

  /// A number of 1 to 10 digits, or -1.
  private static long seconds(String text) {
    long number = 0;
    for (int i = 0; i < text.length(); i++) {
      if (!Ascii.isDigit(text.charAt(i)) || i == 10) {
        return -1;
      }
      number = number * 10 + text.charAt(i) - '0';
    }
    return number;
  }

  private static boolean isSpace(char c) {
    return c == ' ' || c == '\t';
  }
}
