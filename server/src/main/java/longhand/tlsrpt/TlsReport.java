package longhand.tlsrpt;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import longhand.dns.DnsName;

/// A report (RFC 8460 §4.4).
///
/// @param organization who reports, empty when it does not say
/// @param begin when the time begins that it is about
/// @param end the last second of that time
/// @param contact an address for questions, empty when it does not say
/// @param id names the report among those of its reporter
public record TlsReport(
    String organization,
    Instant begin,
    Instant end,
    String contact,
    String id,
    List<PolicyResult> policies) {

  public TlsReport {
    policies = List.copyOf(policies);
  }

  /// Our report of a day to a domain. The same day and domain always have the same id.
  ///
  /// @param submitter our name
  public static TlsReport of(
      LocalDate day,
      DnsName domain,
      DnsName submitter,
      String organization,
      String contact,
      List<PolicyResult> policies) {
    var begin = day.atStartOfDay(ZoneOffset.UTC).toInstant();
    var end = day.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant().minusSeconds(1);
    return new TlsReport(
        organization, begin, end, contact, day + "." + domain + "@" + submitter, policies);
  }
}
