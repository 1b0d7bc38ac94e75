package longhand.relay;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import longhand.dns.Answer;
import longhand.dns.Dns;
import longhand.dns.DnsName;
import longhand.dns.MailHosts;
import longhand.dns.Question;
import longhand.dns.Reach;
import longhand.dns.Targets;
import longhand.dns.Tlsa;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;
import longhand.mtasts.StsAnswer;
import longhand.mtasts.StsPolicy;
import longhand.wire.TlsVerification;
import longhand.wire.TlsaRecord;

/// Finds where mail for a domain goes, and under what TLS. For each host, in this order:
///
/// | The domain publishes | TLS |
/// |---|---|
/// | TLSA records, usable (RFC 7672) | must be there, with a certificate that they name |
/// | TLSA records that cannot be looked up | the host is not tried |
/// | an enforced policy that names the host (RFC 8461) | must be there, vouched for by an authority |
/// | an enforced policy that does not | the host is not tried |
/// | TLSA records, none usable | must be there, with any certificate (RFC 7672 §2.2) |
/// | nothing, or a policy on trial | may be there, with any certificate |
///
/// TLSA records are asked for only where DNSSEC vouches for the host's name and addresses, so that
/// a server that cannot answer that question, and is not signed, holds up nothing.
///
/// A message under REQUIRETLS goes only to hosts whose TLSA records are usable, or which an
/// authority must vouch for and the domain names securely: MX records that DNSSEC vouches for, or a
/// policy (RFC 8689 §4.2.1). Safe for many threads.
public final class Routing {

  private static final EnhancedStatus DNS_IN_TROUBLE = new EnhancedStatus(4, 4, 3);
  private static final EnhancedStatus NOT_TRUSTED = new EnhancedStatus(4, 7, 5);
  private static final EnhancedStatus NO_REQUIRETLS = new EnhancedStatus(5, 7, 30);

  private final Dns dns;
  private final MailHosts hosts;
  private final Function<DnsName, StsAnswer> policies;
  private final Settings settings;

  /// How mail goes out.
  ///
  /// @param port of the servers, 1 to 65535; 25 but in tests
  /// @param reach which addresses mail may go to
  /// @param source the address of ours to come from
  /// @param authorities who may vouch for a server; none stands for those that the JDK trusts
  /// @param deadline how long the lookup of one host's TLSA records may last
  public record Settings(
      int port,
      Reach reach,
      Optional<InetAddress> source,
      Set<X509Certificate> authorities,
      Duration deadline) {

    /// The usual ones.
    public static final Settings DEFAULT =
        new Settings(25, Reach.PUBLIC, Optional.empty(), Set.of(), Duration.ofSeconds(30));

    public Settings {
      authorities = Set.copyOf(authorities);
    }

    /// The same, but for which addresses mail may go to.
    public Settings within(Reach reach) {
      return new Settings(port, reach, source, authorities, deadline);
    }
  }

  /// @param policies [longhand.mtasts.StsPolicies#find]
  public Routing(
      Dns dns, MailHosts hosts, Function<DnsName, StsAnswer> policies, Settings settings) {
    this.dns = dns;
    this.hosts = hosts;
    this.policies = policies;
    this.settings = settings;
  }

  /// Where mail for a domain or an address literal goes.
  public NextHops find(Domain domain, TlsNeed need) {
    return among(domain, hosts.find(domain, settings.reach()), need);
  }

  /// The same with hosts that were looked up before.
  ///
  /// @param targets what [MailHosts#find] gave for the domain
  public NextHops among(Domain domain, Targets targets, TlsNeed need) {
    return switch (targets) {
      case Targets.None(var status, var sentence) ->
          status.kind() == 5
              ? new NextHops.Bounce(status, sentence)
              : new NextHops.Defer(status, sentence, Optional.empty(), List.of());
      case Targets.Found found -> new Search(domain, need, found).nextHops();
    };
  }

  /// What TLS a host must have, or that it is not tried.
  private sealed interface Decision {
    /// @param name the server's name, for TLS
    record Try(String name, TlsPolicy tls, Published published) implements Decision {}

    record PassOver(NextHops.PassedOver passedOver) implements Decision {}
  }

  /// What is known of the TLSA records of a host.
  private sealed interface Records {
    record None() implements Records {}

    record Known(DnsName base, List<TlsaRecord> records) implements Records {}

    record Unknown(String sentence) implements Records {}
  }

  /// One search. The domain's policy is asked for when the first host wants it.
  private final class Search {

    private final Domain domain;
    private final TlsNeed need;
    private final Targets.Found found;
    private Optional<StsAnswer> policy = Optional.empty();

    Search(Domain domain, TlsNeed need, Targets.Found found) {
      this.domain = domain;
      this.need = need;
      this.found = found;
    }

    NextHops nextHops() {
      var hops = new ArrayList<NextHops.Hop>();
      var passedOver = new ArrayList<NextHops.PassedOver>();
      for (var host : found.hosts()) {
        switch (decide(host)) {
          case Decision.PassOver(var each) -> passedOver.add(each);
          case Decision.Try(var name, var tls, var published) -> {
            for (var address : host.addresses()) {
              var target =
                  new Target(
                      new InetSocketAddress(address, settings.port()),
                      name,
                      Target.Protocol.SMTP,
                      tls,
                      Optional.empty(),
                      settings.source());
              hops.add(new NextHops.Hop(target, shown(host), published));
            }
          }
        }
      }
      var stsFailure = policy.flatMap(StsAnswer::failure);
      if (!hops.isEmpty()) {
        return new NextHops.Found(hops, stsFailure, passedOver);
      }
      for (var each : passedOver) {
        if (each.reason() != NextHops.PassedOver.Reason.NOT_NAMED_SECURELY) {
          var status =
              each.reason() == NextHops.PassedOver.Reason.TLSA_UNKNOWN
                  ? DNS_IN_TROUBLE
                  : NOT_TRUSTED;
          return new NextHops.Defer(status, each.sentence(), stsFailure, passedOver);
        }
      }
      // The policy that cannot be had just now might name a host.
      return stsFailure.isPresent()
          ? new NextHops.Defer(
              NOT_TRUSTED,
              "The MTA-STS policy of " + domain + " could not be fetched.",
              stsFailure,
              passedOver)
          : new NextHops.Bounce(NO_REQUIRETLS, passedOver.getFirst().sentence());
    }

    private Decision decide(Targets.Host host) {
      if (need == TlsNeed.DISREGARDED) {
        return opportunistic(host, new Published.Nothing());
      }
      return switch (records(host)) {
        case Records.Unknown(var sentence) ->
            passOver(host, NextHops.PassedOver.Reason.TLSA_UNKNOWN, sentence);
        case Records.Known(var base, var records) -> {
          var published = new Published.Dane(records);
          yield records.stream().anyMatch(TlsaRecord::usable)
              ? new Decision.Try(
                  base.text(),
                  new TlsPolicy.Required(new TlsVerification.Dane(records, names(host, base))),
                  published)
              : withoutDane(
                  host,
                  new Decision.Try(
                      base.text(), new TlsPolicy.Required(new TlsVerification.None()), published));
        }
        case Records.None _ -> withoutDane(host, opportunistic(host, new Published.Nothing()));
      };
    }

    /// What MTA-STS says, or else the decision that stands without it.
    private Decision withoutDane(Targets.Host host, Decision.Try otherwise) {
      var sts = DnsName.of(domain).flatMap(name -> sts(name).policy());
      boolean named = sts.isPresent() && host.name().filter(sts.get()::matches).isPresent();
      if (sts.isPresent() && sts.get().mode() == StsPolicy.Mode.ENFORCE && !named) {
        return passOver(
            host,
            NextHops.PassedOver.Reason.NOT_IN_POLICY,
            "The MTA-STS policy of " + domain + " does not name its MX host " + shown(host) + ".");
      }
      if (need == TlsNeed.REQUIRED) {
        return named || (found.secure() && host.name().isPresent())
            ? vouchedFor(host, sts)
            : passOver(
                host,
                NextHops.PassedOver.Reason.NOT_NAMED_SECURELY,
                "The message demands TLS on its whole way (REQUIRETLS), and "
                    + domain
                    + " does not name its mail servers securely.");
      }
      if (sts.isEmpty()) {
        return otherwise;
      }
      return sts.get().mode() == StsPolicy.Mode.ENFORCE
          ? vouchedFor(host, sts)
          : new Decision.Try(
              otherwise.name(),
              otherwise.tls(),
              otherwise.published() instanceof Published.Dane
                  ? otherwise.published()
                  : new Published.Sts(sts.get()));
    }

    private StsAnswer sts(DnsName name) {
      if (policy.isEmpty()) {
        policy = Optional.of(policies.apply(name));
      }
      return policy.get();
    }

    private Decision vouchedFor(Targets.Host host, Optional<StsPolicy> sts) {
      return new Decision.Try(
          shown(host),
          new TlsPolicy.Required(new TlsVerification.Pkix(settings.authorities())),
          sts.<Published>map(Published.Sts::new).orElseGet(Published.Nothing::new));
    }

    private Decision.Try opportunistic(Targets.Host host, Published published) {
      return new Decision.Try(shown(host), new TlsPolicy.Opportunistic(), published);
    }

    private Decision passOver(
        Targets.Host host, NextHops.PassedOver.Reason reason, String sentence) {
      return new Decision.PassOver(new NextHops.PassedOver(shown(host), reason, sentence));
    }

    private String shown(Targets.Host host) {
      return host.name().map(DnsName::text).orElse(domain.name());
    }

    /// The TLSA records of the name that aliases lead to, or else of the name itself (RFC 7672
    /// §2.2.3).
    private Records records(Targets.Host host) {
      if (!found.secure() || host.name().isEmpty()) {
        return new Records.None();
      }
      var name = host.name().get();
      var bases = new LinkedHashSet<DnsName>();
      if (host.secure()) {
        bases.add(host.canonical().orElse(name));
        bases.add(name);
      } else if (!host.canonical().equals(host.name())) {
        // RFC 7672 §2.2.2: an alias that is secure may lead to where nothing is.
        switch (dns.ask(new Question.Cname(name), settings.deadline())) {
          case Answer.Found<DnsName> alias -> {
            if (alias.secure()) {
              bases.add(name);
            }
          }
          case Answer.Failed<DnsName>(var sentence) -> {
            return new Records.Unknown(sentence);
          }
          case Answer.NoSuchName<DnsName> _, Answer.NoSuchData<DnsName> _ -> {}
        }
      }
      for (var base : bases) {
        var service = DnsName.parse("_" + settings.port() + "._tcp." + base);
        if (service.isEmpty()) {
          continue;
        }
        switch (dns.ask(new Question.TlsaOf(service.get()), settings.deadline())) {
          case Answer.Found<Tlsa> tlsa -> {
            if (tlsa.secure()) {
              return new Records.Known(base, tlsa.records().stream().map(this::record).toList());
            }
          }
          case Answer.Failed<Tlsa>(var sentence) -> {
            return new Records.Unknown(sentence);
          }
          case Answer.NoSuchName<Tlsa> _, Answer.NoSuchData<Tlsa> _ -> {}
        }
      }
      return new Records.None();
    }

    private TlsaRecord record(Tlsa tlsa) {
      return new TlsaRecord(
          tlsa.usage(), tlsa.selector(), tlsa.matchingType(), HexFormat.of().parseHex(tlsa.data()));
    }

    /// What a certificate under a trust anchor may be called (RFC 7672 §3.2.2).
    private Set<String> names(Targets.Host host, DnsName base) {
      var names = new HashSet<String>();
      names.add(base.text());
      host.name().map(DnsName::text).ifPresent(names::add);
      DnsName.of(domain).map(DnsName::text).ifPresent(names::add);
      return names;
    }
  }
}
