package longhand.zone;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import longhand.dns.DnsName;
import longhand.mtasts.MxPattern;
import longhand.mtasts.StsPolicy;
import longhand.mtasts.StsRecord;

/// The records of a domain, and why each: pure functions of what is known of it.
public final class Publication {

  /// How long the policy that we propose may be kept. It is on trial, so not long.
  private static final Duration STS_AGE = Duration.ofDays(1);

  /// What authorities call themselves in certificates, and in CAA records.
  private static final Map<String, String> ISSUERS =
      Map.of(
          "Let's Encrypt", "letsencrypt.org",
          "Google Trust Services", "pki.goog",
          "ZeroSSL", "sectigo.com",
          "Sectigo Limited", "sectigo.com",
          "DigiCert Inc", "digicert.com");

  private final MailDomain of;

  public Publication(MailDomain of) {
    this.of = of;
  }

  ZoneRecord mx() {
    return new ZoneRecord(of.domain(), ZoneRecord.Type.MX, "10 " + of.host() + ".");
  }

  static ZoneRecord address(DnsName host, InetAddress address) {
    return new ZoneRecord(
        host,
        address instanceof Inet4Address ? ZoneRecord.Type.A : ZoneRecord.Type.AAAA,
        address.getHostAddress()); // of IPv6 in full, which zone files take
  }

  ZoneRecord spf() {
    return txt(of.domain(), "v=spf1 mx -all");
  }

  /// Mail with a null reverse-path is checked by the name that the server greets with (RFC 7208
  /// §2.3). Empty where that name is the domain.
  Optional<ZoneRecord> hostSpf() {
    return of.host().equals(of.domain())
        ? Optional.empty()
        : Optional.of(txt(of.host(), "v=spf1 a -all"));
  }

  ZoneRecord dkim(MailDomain.Key key) {
    return txt(of.below(key.key().selector() + "._domainkey"), key.key().publicText());
  }

  ZoneRecord dmarc() {
    return txt(of.below("_dmarc"), "v=DMARC1; p=none; rua=" + of.reports());
  }

  ZoneRecord tlsReports() {
    return txt(of.below("_smtp._tls"), "v=TLSRPTv1; rua=" + of.reports());
  }

  ZoneRecord sts() {
    return txt(of.below("_mta-sts"), StsRecord.of(policy()).text());
  }

  StsPolicy policy() {
    return new StsPolicy(StsPolicy.Mode.TESTING, List.of(new MxPattern(false, of.host())), STS_AGE);
  }

  DnsName tlsaName() {
    return new DnsName("_25._tcp." + of.host());
  }

  /// The server's own key (RFC 7672 §3.1.1): it stays when a certificate is renewed with the same
  /// key.
  Optional<ZoneRecord> tlsa() {
    return of.certificate()
        .map(
            certificate ->
                new ZoneRecord(tlsaName(), ZoneRecord.Type.TLSA, "3 1 1 " + digest(certificate)));
  }

  DnsName serviceName(MailDomain.Service service) {
    return of.below(service.name() + "._tcp");
  }

  ZoneRecord service(MailDomain.Service service) {
    return new ZoneRecord(
        serviceName(service),
        ZoneRecord.Type.SRV,
        service.priority() + " 1 " + service.port() + " " + of.host() + ".");
  }

  /// Who issued the certificate, as CAA records name it; empty when that is not known.
  Optional<String> issuer() {
    return of.certificate().flatMap(Publication::issuer);
  }

  Optional<ZoneRecord> caa() {
    return issuer()
        .map(name -> new ZoneRecord(of.host(), ZoneRecord.Type.CAA, "0 issue \"" + name + "\""));
  }

  /// The lines of a zone file, each part with its reason. What is not for everybody, or not yet,
  /// stands there as a comment.
  public List<String> fragment() {
    var lines = new ArrayList<String>();
    part(lines, "Mail for " + of.domain() + " goes to this server.");
    lines.add(mx().line());
    if (of.addresses().isEmpty()) {
      part(lines, "Where the server is: put its public addresses here.");
      lines.add("; " + of.host() + ". IN A ...");
      lines.add("; " + of.host() + ". IN AAAA ...");
    } else {
      part(
          lines,
          of.hostInside()
              ? "Where the server is."
              : "Where the server is; this belongs into the zone of " + of.host() + ".");
      of.addresses().forEach(each -> lines.add(address(of.host(), each).line()));
    }
    part(
        lines,
        "Only the servers named by MX may send mail of this domain (SPF). If mail of it leaves",
        "from elsewhere too, add that before -all.");
    lines.add(spf().line());
    if (hostSpf().isPresent()) {
      part(lines, "The same for reports that the server sends in its own name.");
    }
    hostSpf().ifPresent(each -> lines.add(each.line()));
    if (!of.keys().isEmpty()) {
      part(lines, "The keys that sign each message (DKIM): one that all know, and a newer kind.");
      of.keys().forEach(key -> lines.add(dkim(key).line()));
    }
    part(
        lines,
        "What others do with mail that fails both, and where they report it (DMARC). Begin with",
        "p=none, which only reports; when a few weeks of reports show your own mail alone passing,",
        "make it p=quarantine, then p=reject.");
    lines.add(dmarc().line());
    part(lines, "Where others report trouble with TLS on the way here (TLSRPT).");
    lines.add(tlsReports().line());
    if (!of.services().isEmpty()) {
      part(lines, "Where mail programs find the server (RFC 6186).");
      of.services().forEach(each -> lines.add(service(each).line()));
    }
    tlsa()
        .ifPresent(
            record -> {
              part(
                  lines,
                  "The key of the server's certificate (DANE). Only in a zone signed with DNSSEC,",
                  "and to be changed before the key is.");
              lines.add("; " + record.line());
            });
    part(
        lines,
        "That mail to here must be encrypted (MTA-STS). Longhand serves no web pages yet: put the",
        "policy on a web server of yours first, as",
        "https://mta-sts." + of.domain() + "/.well-known/mta-sts.txt :");
    policy().lines().forEach(line -> lines.add(";     " + line));
    lines.add("; and then publish");
    lines.add("; " + sts().line());
    part(lines, "Who may issue certificates for the server (CAA).");
    lines.add(
        "; "
            + caa()
                .orElse(
                    new ZoneRecord(of.host(), ZoneRecord.Type.CAA, "0 issue \"letsencrypt.org\""))
                .line());
    part(
        lines,
        "Not in this zone: ask whoever gave you the address to let its reverse DNS (PTR) say");
    if (of.addresses().isEmpty()) {
      lines.add("; " + of.host() + ".");
    }
    of.addresses()
        .forEach(each -> lines.add("; " + DnsName.reverse(each) + ". IN PTR " + of.host() + "."));
    return lines;
  }

  private static void part(List<String> lines, String... comment) {
    if (!lines.isEmpty()) {
      lines.add("");
    }
    for (var line : comment) {
      lines.add("; " + line);
    }
  }

  private static ZoneRecord txt(DnsName name, String text) {
    return new ZoneRecord(name, ZoneRecord.Type.TXT, text);
  }

  private static String digest(X509Certificate certificate) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(certificate.getPublicKey().getEncoded()));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Optional<String> issuer(X509Certificate certificate) {
    var name = certificate.getIssuerX500Principal().getName();
    return ISSUERS.entrySet().stream()
        .filter(each -> name.contains("O=" + each.getKey()))
        .map(Map.Entry::getValue)
        .findFirst();
  }
}
