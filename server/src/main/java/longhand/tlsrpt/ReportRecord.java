package longhand.tlsrpt;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import longhand.dns.DnsName;
import longhand.dns.VersionedText;

/// The TXT record at `_smtp._tls.<domain>`: that a domain wants reports, and where (RFC 8460 §3).
///
/// @param addresses those we can send to, `ADDRESSES_MAX` at most; perhaps none
public record ReportRecord(List<ReportAddress> addresses) {

  /// Most addresses that a report goes to.
  public static final int ADDRESSES_MAX = 5;

  public ReportRecord {
    addresses = List.copyOf(addresses);
  }

  /// Where a domain's record is; empty when the domain is too long to have one.
  public static Optional<DnsName> nameOf(DnsName domain) {
    return DnsName.parse("_smtp._tls." + domain);
  }

  /// The record among the texts of that name; two of them are none.
  public static Optional<ReportRecord> among(List<String> texts) {
    return VersionedText.among(texts, "TLSRPTv1")
        .map(fields -> fields.getOrDefault("rua", ""))
        .filter(rua -> !rua.isEmpty())
        .map(rua -> new ReportRecord(addresses(rua)));
  }

  private static List<ReportAddress> addresses(String rua) {
    var addresses = new ArrayList<ReportAddress>();
    for (int begin = 0; begin <= rua.length() && addresses.size() < ADDRESSES_MAX; ) {
      int comma = rua.indexOf(',', begin);
      int end = comma < 0 ? rua.length() : comma;
      int from = begin;
      int to = end;
      while (from < to && isSpace(rua.charAt(from))) {
        from++;
      }
      while (to > from && isSpace(rua.charAt(to - 1))) {
        to--;
      }
      ReportAddress.parse(rua.substring(from, to))
          .filter(address -> !addresses.contains(address))
          .ifPresent(addresses::add);
      begin = end + 1;
    }
    return addresses;
  }

  private static boolean isSpace(char c) {
    return c == ' ' || c == '\t';
  }
}
