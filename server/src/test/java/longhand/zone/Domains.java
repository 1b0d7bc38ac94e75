package longhand.zone;

import java.io.IOException;
import java.net.InetAddress;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import longhand.dkim.DkimAlgorithm;
import longhand.dkim.DkimKey;
import longhand.dkim.HeldKey.Stage;
import longhand.dns.DnsName;
import longhand.wire.TlsContext;

/// Domains whose mail `mail.<domain>` takes, at 192.0.2.25 and 2001:db8::25.
final class Domains {

  static final DkimKey RSA = DkimKey.make("20261124r", DkimAlgorithm.RSA_SHA256);
  static final DkimKey ED25519 = DkimKey.make("20261124e", DkimAlgorithm.ED25519_SHA256);

  private Domains() {}

  static X509Certificate certificate() throws IOException {
    return TlsContext.selfSigned("mail.example.com").certificate();
  }

  static MailDomain of(String domain, Optional<X509Certificate> certificate) {
    return new MailDomain(
        new DnsName(domain),
        new DnsName("mail." + domain),
        List.of(InetAddress.ofLiteral("192.0.2.25"), InetAddress.ofLiteral("2001:db8::25")),
        List.of(
            new MailDomain.Service("_submissions", 465, 0),
            new MailDomain.Service("_submission", 587, 10),
            new MailDomain.Service("_imaps", 993, 0)),
        List.of(new MailDomain.Key(RSA, Stage.SIGNING), new MailDomain.Key(ED25519, Stage.SIGNING)),
        certificate);
  }
}
