package longhand.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import longhand.disk.FileSystemDisk;
import longhand.dkim.DkimKeyFolder;
import longhand.dns.DnsName;
import longhand.dns.Reach;
import longhand.mail.Domain;
import longhand.wire.Listener;
import longhand.wire.TlsContext;
import longhand.zone.MailDomain;

/// What is known of a domain here, for its records in DNS: from the configuration, the keys on
/// disk, the certificate and the machine.
final class DomainFacts {

  private DomainFacts() {}

  /// A domain of the configuration.
  static Domain configured(Config config, String name) throws CommandException {
    return config.domain().stream()
        .map(Config.HostedDomain::name)
        .filter(name::equals)
        .findFirst()
        .map(Domain::new)
        .orElseThrow(
            () ->
                new CommandException(
                    ExitCode.DATA,
                    name + " is not a domain of this server; its [[domain]] is missing"));
  }

  /// @param addresses those to use instead of the machine's own; none for these
  static MailDomain of(Config config, Domain domain, List<InetAddress> addresses, Instant now)
      throws IOException, CommandException {
    var host =
        DnsName.parse(config.hostname())
            .orElseThrow(() -> new CommandException(ExitCode.CONFIG, "hostname is no name"));
    return new MailDomain(
        new DnsName(domain.name()),
        host,
        addresses.isEmpty() ? ofMachine() : addresses,
        services(config),
        keys(config, domain).keys().stream()
            .filter(key -> key.published(now))
            .map(key -> new MailDomain.Key(key.key(), key.stage()))
            .toList(),
        certificate(config));
  }

  /// The keys of a domain.
  static DkimKeyFolder keys(Config config, Domain domain) {
    return new DkimKeyFolder(config.data(), domain, new FileSystemDisk());
  }

  /// The addresses of this machine that the whole internet may use; none behind NAT.
  static List<InetAddress> ofMachine() {
    var addresses = new ArrayList<InetAddress>();
    try {
      NetworkInterface.networkInterfaces()
          .flatMap(NetworkInterface::inetAddresses)
          .filter(Reach.PUBLIC::allows)
          .map(DomainFacts::bare)
          .forEach(addresses::add);
    } catch (SocketException e) {
      // As if there were none: the person is asked for them.
    }
    return addresses;
  }

  /// Without the name of the interface that it is on, which is none of the world's business.
  private static InetAddress bare(InetAddress address) {
    try {
      return InetAddress.getByAddress(address.getAddress());
    } catch (java.net.UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<MailDomain.Service> services(Config config) {
    var services = new ArrayList<MailDomain.Service>();
    for (var each : config.listener()) {
      var address = Listener.address(each.address());
      if (address.getAddress().isLoopbackAddress() || each.tls() == Config.TlsMode.NONE) {
        continue;
      }
      boolean implicit = each.tls() == Config.TlsMode.IMPLICIT;
      var name =
          switch (each.protocol()) {
            case SUBMISSION -> implicit ? "_submissions" : "_submission";
            case IMAP -> implicit ? "_imaps" : "_imap";
            case POP3 -> implicit ? "_pop3s" : "_pop3";
            case SMTP, LMTP -> "";
          };
      // Of two ways to the same service the encrypted one goes first (RFC 8314 §5.1).
      var service = new MailDomain.Service(name, address.getPort(), implicit ? 0 : 10);
      if (!name.isEmpty() && !services.contains(service)) {
        services.add(service);
      }
    }
    return services;
  }

  /// The certificate that the server shows; empty when there is none yet, or none to be read.
  private static Optional<X509Certificate> certificate(Config config) {
    var file = config.tls().certificate().orElse(config.data().resolve("self-signed.pem"));
    var key = config.tls().key().orElse(config.data().resolve("self-signed.key"));
    try {
      return Files.exists(file)
          ? Optional.of(TlsContext.ofFiles(file, key).certificate())
          : Optional.empty();
    } catch (IOException e) {
      System.err.println("longhand: note: " + Printable.of(String.valueOf(e.getMessage())));
      return Optional.empty();
    }
  }
}
