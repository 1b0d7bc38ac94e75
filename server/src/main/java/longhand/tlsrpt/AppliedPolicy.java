package longhand.tlsrpt;

import java.util.List;

/// What a session was judged by (RFC 8460 §4.4).
///
/// @param type `tlsa`, `sts` or `no-policy-found`; another word only in reports of others
/// @param strings the lines of the policy, or the TLSA records
/// @param domain the recipient's domain, in A-label form
/// @param mxHosts which servers the policy allows, or whose TLSA records they are
public record AppliedPolicy(
    String type, List<String> strings, String domain, List<String> mxHosts) {

  /// TLSA records.
  public static final String TLSA = "tlsa";

  /// A policy of MTA-STS.
  public static final String STS = "sts";

  /// None.
  public static final String NONE = "no-policy-found";

  private static final int STRINGS_MAX = 600;
  private static final int STRING_LENGTH_MAX = 1000;

  /// Longer lists and texts are cut: a record may hold a whole certificate.
  public AppliedPolicy {
    strings = cut(strings);
    mxHosts = cut(mxHosts);
    domain = cut(domain);
  }

  private static List<String> cut(List<String> texts) {
    return texts.stream().limit(STRINGS_MAX).map(AppliedPolicy::cut).toList();
  }

  private static String cut(String text) {
    return text.length() > STRING_LENGTH_MAX ? text.substring(0, STRING_LENGTH_MAX) : text;
  }

  /// About what it takes in memory.
  long octets() {
    long octets = 200L + domain.length();
    for (var each : strings) {
      octets += 60 + each.length();
    }
    for (var each : mxHosts) {
      octets += 60 + each.length();
    }
    return octets;
  }
}
