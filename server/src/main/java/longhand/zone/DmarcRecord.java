package longhand.zone;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A DMARC record (RFC 7489 §6.3), as far as its owner is told about it.
///
/// @param policy `none`, `quarantine` or `reject`
/// @param reports where aggregate reports go
record DmarcRecord(String policy, Optional<String> reports) {

  private static final Set<String> POLICIES = Set.of("none", "quarantine", "reject");

  /// Whether a text of the DNS is meant as one.
  static boolean isRecord(String text) {
    return text.startsWith("v=DMARC1")
        && (text.length() == 8 || " \t;".indexOf(text.charAt(8)) >= 0);
  }

  /// Reads it; empty when it has no policy that receivers know, so that they pass it over.
  static Optional<DmarcRecord> read(String text) {
    Map<String, String> tags = new LinkedHashMap<>();
    for (int begin = 0; begin < text.length(); ) {
      int semicolon = text.indexOf(';', begin);
      int end = semicolon < 0 ? text.length() : semicolon;
      int equals = text.indexOf('=', begin);
      if (equals > begin && equals < end) {
        tags.putIfAbsent(
            text.substring(begin, equals).strip().toLowerCase(Locale.ROOT),
            text.substring(equals + 1, end).strip());
      } else if (!text.substring(begin, end).isBlank()) {
        return Optional.empty();
      }
      begin = end + 1;
    }
    var policy = tags.getOrDefault("p", "").toLowerCase(Locale.ROOT);
    return POLICIES.contains(policy)
        ? Optional.of(new DmarcRecord(policy, Optional.ofNullable(tags.get("rua"))))
        : Optional.empty();
  }
}
