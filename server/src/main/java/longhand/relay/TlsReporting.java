package longhand.relay;

import java.io.IOException;
import java.net.InetAddress;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLSession;
import longhand.dns.DnsName;
import longhand.mail.Domain;
import longhand.mtasts.MxPattern;
import longhand.mtasts.StsFailure;
import longhand.mtasts.StsPolicy;
import longhand.tlsrpt.AppliedPolicy;
import longhand.tlsrpt.FailureDetail;
import longhand.tlsrpt.ResultType;
import longhand.tlsrpt.TlsCounts;
import longhand.wire.TlsVerification;
import longhand.wire.TlsaRecord;

/// Counts what became of TLS with other servers, in the words of the reports about it (RFC 8460).
/// Safe for many threads.
public final class TlsReporting {

  private final TlsCounts counts;
  private final Set<X509Certificate> authorities;

  /// @param authorities who may vouch for a server under a policy on trial; none stands for those
  ///   that the JDK trusts
  public TlsReporting(TlsCounts counts, Set<X509Certificate> authorities) {
    this.counts = counts;
    this.authorities = Set.copyOf(authorities);
  }

  /// What a search for next hops met: hosts that are not tried, a policy that cannot be had. To be
  /// called once a search, as a session begins with one.
  public void searched(Domain domain, NextHops found) {
    switch (found) {
      case NextHops.Found(_, var stsFailure, var passedOver) ->
          searched(domain, stsFailure, passedOver);
      case NextHops.Defer(_, _, var stsFailure, var passedOver) ->
          searched(domain, stsFailure, passedOver);
      case NextHops.Bounce _ -> {}
    }
  }

  private void searched(
      Domain domain, Optional<StsFailure> stsFailure, List<NextHops.PassedOver> passedOver) {
    if (stsFailure.isPresent()) {
      var type =
          switch (stsFailure.get().kind()) {
            case FETCH_ERROR -> ResultType.STS_POLICY_FETCH_ERROR;
            case WEBPKI_INVALID -> ResultType.STS_WEBPKI_INVALID;
            case POLICY_INVALID -> ResultType.STS_POLICY_INVALID;
          };
      counts.failure(
          bare(AppliedPolicy.STS, domain, List.of()),
          FailureDetail.of(type, "", "", "", stsFailure.get().detail()));
    }
    for (var each : passedOver) {
      switch (each.reason()) {
        case TLSA_UNKNOWN ->
            counts.failure(
                bare(AppliedPolicy.TLSA, domain, List.of(each.host())),
                FailureDetail.of(ResultType.DNSSEC_INVALID, "", each.host(), "", each.sentence()));
        case NOT_IN_POLICY ->
            counts.failure(
                bare(AppliedPolicy.STS, domain, List.of()),
                FailureDetail.of(
                    ResultType.VALIDATION_FAILURE, "", each.host(), "", each.sentence()));
        case NOT_NAMED_SECURELY -> {} // the sender's wish, not the domain's fault
      }
    }
  }

  /// What became of TLS with one hop of a domain. Not for messages that disregard what the domain
  /// publishes, as reports do: they would count as sessions that found nothing published.
  public void tried(Domain domain, NextHops.Hop hop, TlsResult result) {
    var policy = policy(domain, hop);
    if (policy.isEmpty()) {
      return;
    }
    switch (result) {
      case TlsResult.Established(var session) -> established(policy.get(), hop, session);
      case TlsResult.NotOffered _ -> fail(policy.get(), hop, ResultType.STARTTLS_NOT_SUPPORTED, "");
      case TlsResult.Failed(var cause) ->
          fail(policy.get(), hop, type(hop.published(), cause), said(cause));
    }
  }

  private void established(AppliedPolicy policy, NextHops.Hop hop, SSLSession session) {
    if (hop.published() instanceof Published.Sts(var sts) && sts.mode() == StsPolicy.Mode.TESTING) {
      if (DnsName.parse(hop.host()).filter(sts::matches).isEmpty()) {
        fail(policy, hop, ResultType.VALIDATION_FAILURE, "the policy does not name the host");
        return;
      }
      try {
        var unmet = new TlsVerification.Pkix(authorities).unmetBy(session, hop.host());
        if (unmet.isPresent()) {
          fail(policy, hop, type(hop.published(), unmet.get()), said(unmet.get()));
          return;
        }
      } catch (IOException e) {
        fail(policy, hop, ResultType.VALIDATION_FAILURE, said(e));
        return;
      }
    }
    counts.success(policy);
  }

  private void fail(AppliedPolicy policy, NextHops.Hop hop, ResultType type, String reason) {
    var ours = hop.target().source().map(InetAddress::getHostAddress).orElse("");
    var theirs = hop.target().address().getAddress().getHostAddress();
    counts.failure(policy, FailureDetail.of(type, ours, hop.host(), theirs, reason));
  }

  /// Empty for an address literal, which nobody wants reports of.
  private static Optional<AppliedPolicy> policy(Domain domain, NextHops.Hop hop) {
    if (DnsName.of(domain).isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        switch (hop.published()) {
          case Published.Nothing _ -> bare(AppliedPolicy.NONE, domain, List.of());
          case Published.Dane(var records) ->
              new AppliedPolicy(
                  AppliedPolicy.TLSA,
                  records.stream().map(TlsaRecord::toString).toList(),
                  name(domain),
                  List.of(hop.host()));
          case Published.Sts(var sts) ->
              new AppliedPolicy(
                  AppliedPolicy.STS,
                  sts.lines(),
                  name(domain),
                  sts.mx().stream().map(MxPattern::toString).toList());
        });
  }

  private static AppliedPolicy bare(String type, Domain domain, List<String> hosts) {
    return new AppliedPolicy(type, List.of(), name(domain), hosts);
  }

  private static String name(Domain domain) {
    return DnsName.of(domain).map(DnsName::text).orElse(domain.name());
  }

  /// What a failure is called, by what lies at its bottom.
  private static ResultType type(Published published, Throwable failure) {
    var cause = failure;
    boolean certificate = false;
    for (int depth = 0; depth < 10; depth++) {
      certificate |= cause instanceof CertificateException;
      if (certificate && published instanceof Published.Dane) {
        return ResultType.TLSA_INVALID;
      }
      if (cause instanceof CertificateExpiredException) {
        return ResultType.CERTIFICATE_EXPIRED;
      }
      if (cause instanceof CertPathBuilderException
          || cause instanceof CertPathValidatorException) {
        return cause.getCause() instanceof CertificateExpiredException
            ? ResultType.CERTIFICATE_EXPIRED
            : ResultType.CERTIFICATE_NOT_TRUSTED;
      }
      var next = cause.getCause();
      if (next == null) {
        break;
      }
      cause = next;
    }
    var text = String.valueOf(cause.getMessage());
    // The JDK has no class of its own for a certificate of another name.
    return certificate && (text.startsWith("No subject alternative") || text.startsWith("No name"))
        ? ResultType.CERTIFICATE_HOST_MISMATCH
        : certificate ? ResultType.CERTIFICATE_NOT_TRUSTED : ResultType.VALIDATION_FAILURE;
  }

  private static String said(Exception e) {
    var text = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    var shown = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      shown.append(c >= ' ' && c < 0x7f ? c : '?');
    }
    return shown.toString();
  }
}
