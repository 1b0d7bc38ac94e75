package longhand.mtasts;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import longhand.dns.DnsName;
import longhand.dns.VersionedText;

/// The TXT record at `_mta-sts.<domain>`: that there is a policy, and which one (RFC 8461 §3.1).
///
/// @param id 1 to 32 letters and digits; another one says that the policy has changed
public record StsRecord(String id) {

  private static final String VERSION = "STSv1";
  private static final int ID_LENGTH_MAX = 32;

  public StsRecord {
    if (!isId(id)) {
      throw new IllegalArgumentException("id of " + id.length() + " characters");
    }
  }

  /// The record that goes with a policy of ours: the same policy always has the same id.
  public static StsRecord of(StsPolicy policy) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest(policy.text().getBytes(StandardCharsets.US_ASCII));
      return new StsRecord(HexFormat.of().formatHex(digest, 0, ID_LENGTH_MAX / 2));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /// Where a domain's record is; empty when the domain is too long to have one.
  public static Optional<DnsName> nameOf(DnsName domain) {
    return DnsName.parse("_mta-sts." + domain);
  }

  /// The record among the texts of that name. Texts that do not begin with the version count for
  /// nothing; two that do, and one that breaks the grammar, are no record (RFC 8461 §3.1).
  public static Optional<StsRecord> among(List<String> texts) {
    return VersionedText.among(texts, VERSION)
        .filter(fields -> fields.values().stream().allMatch(StsRecord::isValue))
        .map(fields -> fields.getOrDefault("id", ""))
        .filter(StsRecord::isId)
        .map(StsRecord::new);
  }

  /// The record as text.
  public String text() {
    return "v=" + VERSION + "; id=" + id + ";";
  }

  private static boolean isId(String id) {
    return !id.isEmpty()
        && id.length() <= ID_LENGTH_MAX
        && id.chars().allMatch(c -> Ascii.isLetter(c) || Ascii.isDigit(c));
  }

  static boolean isName(String name) {
    return !name.isEmpty()
        && name.length() <= 32
        && (Ascii.isLetter(name.charAt(0)) || Ascii.isDigit(name.charAt(0)))
        && name.chars()
            .allMatch(
                c -> Ascii.isLetter(c) || Ascii.isDigit(c) || c == '_' || c == '-' || c == '.');
  }

  private static boolean isValue(String value) {
    return !value.isEmpty() && value.chars().allMatch(c -> c > ' ' && c < 0x7f && c != '=');
  }
}
