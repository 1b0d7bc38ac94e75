package longhand.server;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import longhand.auth.AuthSettings;
import longhand.directory.HostedDomains;
import longhand.dns.DnsSettings;
import longhand.dns.Reach;
import longhand.journey.Journeys;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.relay.Route;
import longhand.relay.Target;
import longhand.relay.TlsPolicy;
import longhand.wire.Limits;
import longhand.wire.Listener;
import longhand.wire.Network;
import longhand.wire.Proxies;
import longhand.wire.TlsVerification;

/// The configuration, as the TOML file has it: a component is a key, its name in kebab-case; a
/// record is a table, a list of records a table that may occur often. `docs/configuration.md` is
/// made from these records. [ConfigFile] reads it.
public record Config(
    @Key(
            says = "The name this server greets with and writes into Received fields.",
            required = true,
            example = "\"mx.example.com\"")
        String hostname,
    @Key(
            says =
                "The folder of all that Longhand keeps: accounts, documents, journal. Relative to"
                    + " the file's own folder.",
            required = true,
            example = "\"/var/lib/longhand\"")
        Path data,
    @Key(
            says =
                "The local domain in which the reverse-paths of forwarded mail are rewritten (SRS)."
                    + " None: the first domain.",
            example = "\"example.com\"")
        Optional<String> srsDomain,
    @Key(says = "The certificate. Without one, a self-signed one is made and the log says so.")
        Tls tls,
    @Key(
            says =
                "The domains whose mail is taken; at least one. The first is one that mail is"
                    + " delivered in.",
            required = true)
        List<HostedDomain> domain,
    @Key(says = "Where to listen, and for what; at least one.", required = true)
        List<ListenerConfig> listener,
    @Key(
            says =
                "How mail for a domain leaves, where it is not by what DNS says: through another"
                    + " server, or at another pace.")
        List<RouteConfig> route,
    @Key(says = "Mail for other servers: how often it is tried, and how much at once.")
        QueueConfig queue,
    @Key(says = "Whom to ask for names.") DnsConfig dns,
    @Key(says = "Against guessing passwords.") Auth auth,
    @Key(says = "What the log looks like; it goes to standard error.") Log log,
    @Key(
            says =
                "What happened to each message, for `longhand journey`: times, peers, addresses,"
                    + " replies; no subjects, no contents.")
        JourneyConfig journey,
    @Key(
            says =
                "The TLS of sessions with other servers is counted, and each domain that asks for"
                    + " it gets a report a day (TLSRPT).")
        TlsReportsConfig tlsReports,
    @Key(says = "Figures for Prometheus.") Metrics metrics,
    @Key(says = "Everything a client could make grow or last, and where it ends.") Limits limits) {

  /// What the documents say of a key.
  @Retention(RetentionPolicy.RUNTIME)
  @interface Key {
    /// What it is for, with its unit.
    String says();

    /// The default, as TOML writes it without quotes; empty where there is none.
    String value() default "";

    /// Whether it must be given.
    boolean required() default false;

    /// A value to show, as TOML writes it.
    String example() default "";
  }

  /// `[tls]`: both or neither.
  public record Tls(
      @Key(
              says =
                  "PEM file with the certificate and those that sign it, the server's first. Read"
                      + " again when it changes.",
              example = "\"fullchain.pem\"")
          Optional<Path> certificate,
      @Key(
              says = "PEM file with the key: RSA or EC, without passphrase.",
              example = "\"privkey.pem\"")
          Optional<Path> key) {}

  /// `[[domain]]`
  public record HostedDomain(
      @Key(
              says = "Its name, in lower case; international ones in the `xn--` form.",
              required = true,
              example = "\"example.com\"")
          String name,
      @Key(
              says =
                  "The domain that this one is another name of: each address here is the same"
                      + " address there.",
              example = "\"example.com\"")
          Optional<String> aliasOf,
      @Key(
              says =
                  "Whether this server is only a backup for the domain: its mail is taken, and"
                      + " relayed to the servers that come before this one in its MX records.",
              value = "false")
          boolean backup) {}

  /// The domains in their roles.
  HostedDomains hosted() {
    var local = new ArrayList<Domain>();
    var aliases = new HashMap<Domain, Domain>();
    var backup = new HashSet<Domain>();
    for (var each : domain) {
      var name = new Domain(each.name());
      if (each.aliasOf().isPresent()) {
        aliases.put(name, new Domain(each.aliasOf().get()));
      } else if (each.backup()) {
        backup.add(name);
      } else {
        local.add(name);
      }
    }
    return new HostedDomains(local, aliases, backup);
  }

  /// The domain of rewritten reverse-paths.
  Domain rewritingDomain() {
    return new Domain(srsDomain.orElseGet(() -> domain.getFirst().name()));
  }

  /// What a listener speaks.
  public enum Protocol {
    SMTP,
    SUBMISSION,
    LMTP,
    POP3,
    IMAP
  }

  /// When a listener begins TLS.
  public enum TlsMode {
    NONE,
    STARTTLS,
    IMPLICIT
  }

  /// `[[listener]]`
  public record ListenerConfig(
      @Key(
              says =
                  "`smtp` (mail from other servers), `submission` (mail from our own users), `lmtp`"
                      + " (mail from another mail program of this machine), `pop3` or `imap`.",
              required = true,
              example = "\"smtp\"")
          Protocol protocol,
      @Key(
              says =
                  "Address and port, IPv6 in brackets: `0.0.0.0:25` is every IPv4 address of the"
                      + " machine, `[::]:25` every address.",
              required = true,
              example = "\"0.0.0.0:25\"")
          String address,
      @Key(
              says =
                  "`none`, `starttls` (in clear until the client asks), or `implicit` (from the"
                      + " first octet).",
              value = "starttls")
          TlsMode tls,
      @Key(
              says =
                  "Whether passwords may come without TLS. `true` is accepted on loopback addresses"
                      + " only.",
              value = "false")
          boolean plaintextLogin,
      @Key(
              says =
                  "Whether each connection from a `trusted` address begins with a PROXY header"
                      + " (version 1 or 2), as HAProxy, nginx and others send it. Limits, logs and"
                      + " Received fields then have the client's address. Without a header such a"
                      + " connection is closed; from other addresses a header is an error like any"
                      + " other.",
              value = "false")
          boolean proxyProtocol,
      @Key(
              says =
                  "Networks and addresses of proxies that may say for whom they speak. Whoever"
                      + " connects from there can pass for any address: name the proxies and no"
                      + " others.",
              example = "[\"10.0.0.0/8\", \"2001:db8::5\"]")
          List<String> trusted) {

    /// Who may speak for others.
    public Proxies proxies() {
      return new Proxies(
          proxyProtocol, trusted.stream().flatMap(text -> Network.of(text).stream()).toList());
    }

    /// How logs and metrics call it: `imap 127.0.0.1:2143`.
    public String label() {
      return protocol.name().toLowerCase(Locale.ROOT) + " " + address;
    }
  }

  /// What a routed server speaks.
  public enum RouteProtocol {
    SMTP,
    LMTP
  }

  /// What TLS a route is to have.
  public enum RouteTls {
    NONE,
    OPPORTUNISTIC,
    REQUIRED,
    IMPLICIT
  }

  /// `[[route]]`
  public record RouteConfig(
      @Key(
              says = "The domain, in lower case; `*` for all that have no route of their own.",
              required = true,
              example = "\"example.net\"")
          String domain,
      @Key(
              says =
                  "The server to send to, by name or address. None: those that DNS names for the"
                      + " domain, and only what else stands here counts.",
              example = "\"relay.example.net\"")
          Optional<String> host,
      @Key(says = "Its port.", value = "25") int port,
      @Key(says = "`smtp` or `lmtp`.", value = "smtp") RouteProtocol protocol,
      @Key(
              says =
                  "`none`, `opportunistic` (with TLS where it is offered, whoever it is), `required`"
                      + " (STARTTLS, and a certificate for the host's name), or `implicit` (TLS from"
                      + " the first octet, and such a certificate).",
              value = "opportunistic")
          RouteTls tls,
      @Key(says = "The name to log in with.", example = "\"example.com\"") Optional<String> user,
      @Key(says = "Its password; keep the file from other eyes.") Optional<String> password,
      @Key(says = "The address of this machine to come from.", example = "\"192.0.2.25\"")
          Optional<String> source,
      @Key(says = "Like `queue.retry-first`.") Optional<Duration> retryFirst,
      @Key(says = "Like `queue.retry-max`.") Optional<Duration> retryMax,
      @Key(says = "Like `queue.delay-notice`.") Optional<Duration> delayNotice,
      @Key(says = "Like `queue.expiry`.") Optional<Duration> expiry,
      @Key(says = "Like `queue.sessions-max`.") Optional<Integer> sessionsMax) {

    /// The route this makes; `usual` is what counts where nothing is said.
    Route route(Route.Pace usual) {
      var pace =
          new Route.Pace(
              retryFirst.orElse(usual.retryFirst()),
              retryMax.orElse(usual.retryMax()),
              delayNotice.orElse(usual.delayNotice()),
              expiry.orElse(usual.expiry()),
              sessionsMax.orElse(usual.sessionsMax()),
              usual.recipientsMax());
      var name = host.map(server -> domain + " by " + server + ":" + port).orElse(domain);
      return new Route(
          name,
          host.<Route.Via>map(this::via)
              .orElseGet(() -> new Route.Via.Exchangers(new Domain(domain))),
          pace);
    }

    private Route.Via via(String server) {
      var verification = new TlsVerification.Pkix(Set.of());
      return new Route.Via.Host(
          server,
          port,
          protocol == RouteProtocol.LMTP ? Target.Protocol.LMTP : Target.Protocol.SMTP,
          switch (tls) {
            case NONE -> new TlsPolicy.Never();
            case OPPORTUNISTIC -> new TlsPolicy.Opportunistic();
            case REQUIRED -> new TlsPolicy.Required(verification);
            case IMPLICIT -> new TlsPolicy.Implicit(verification);
          },
          user.map(name -> new Target.Login(name, password.orElse(""))),
          source.flatMap(ConfigFile::literal));
    }

    /// Says nothing of the password, so that a log cannot either.
    @Override
    public String toString() {
      return "RouteConfig[" + domain + "]";
    }
  }

  /// `[queue]`
  public record QueueConfig(
      @Key(
              says = "The wait between the first two tries; each later one is twice as long.",
              value = "5m")
          Duration retryFirst,
      @Key(says = "The longest wait between two tries.", value = "4h") Duration retryMax,
      @Key(says = "After how long a sender is told that a message still waits.", value = "4h")
          Duration delayNotice,
      @Key(says = "After how long a message is given up and goes back.", value = "5d")
          Duration expiry,
      @Key(says = "Most sessions with one destination at once.", value = "20") int sessionsMax) {

    Route.Pace pace() {
      return new Route.Pace(
          retryFirst,
          retryMax,
          delayNotice,
          expiry,
          sessionsMax,
          Route.Pace.DEFAULT.recipientsMax());
    }
  }

  /// Who validates DNS.
  public enum DnsValidation {
    NONE,
    SERVER,
    OWN
  }

  /// `[dns]`
  public record DnsConfig(
      @Key(
              says =
                  "Resolvers, as address:port, asked in this order. None: those of"
                      + " `/etc/resolv.conf`.",
              example = "[\"127.0.0.1:53\"]")
          List<String> servers,
      @Key(
              says =
                  "Who checks DNSSEC, which DANE needs: `none`, `server` (the resolvers' word is"
                      + " taken: right for one on this machine), or `own` (this server, with"
                      + " `trust-anchor`).",
              value = "none")
          DnsValidation validation,
      @Key(
              says = "DS or DNSKEY records, each as a line of a zone file.",
              example = "[\". IN DS 20326 8 2 E06D44B8...\"]")
          List<String> trustAnchor,
      @Key(
              says =
                  "Whether names may lead mail to loopback and private addresses: for a network of"
                      + " one's own. Routes may always.",
              value = "false")
          boolean privateAddresses) {

    Reach reach() {
      return privateAddresses ? Reach.PRIVATE_TOO : Reach.PUBLIC;
    }

    DnsSettings settings() {
      return DnsSettings.of(
          servers.isEmpty()
              ? DnsSettings.serversOfSystem()
              : servers.stream().map(Listener::address).toList(),
          switch (validation) {
            case NONE -> new DnsSettings.Validation.None();
            case SERVER -> new DnsSettings.Validation.ByServers();
            case OWN -> new DnsSettings.Validation.Own(trustAnchor);
          });
    }
  }

  /// `[auth]`
  public record Auth(
      @Key(
              says =
                  "Failures of one network (an IPv4 address, an IPv6 /64) with one account within"
                      + " `window` before it is refused without a look at the password.",
              value = "10")
          int failuresMax,
      @Key(says = "How long a failure counts.", value = "10m") Duration window,
      @Key(
              says = "How long the answer to the first failure waits; each next one twice as long.",
              value = "2s")
          Duration delay,
      @Key(says = "The longest such wait.", value = "15s") Duration delayMax,
      @Key(
              says =
                  "Accounts whose last good password is remembered in memory, as a keyed digest, so"
                      + " that frequent log-ins cost no hash.",
              value = "20000")
          int rememberedMax,
      @Key(
              says = "Passwords hashed at once; each takes 19 MiB and 0.1 to 0.2 s of a processor.",
              value = "2")
          int hashesAtOnce) {

    AuthSettings settings() {
      var usual = AuthSettings.DEFAULT;
      return new AuthSettings(
          failuresMax,
          window,
          delay,
          delayMax,
          rememberedMax,
          hashesAtOnce,
          usual.memoryKib(),
          usual.passes(),
          usual.scramIterations());
    }
  }

  /// How a line of the log is written.
  public enum LogFormat {
    TEXT,
    JSON
  }

  /// What is worth a line.
  public enum LogLevel {
    ERROR,
    WARNING,
    INFO,
    DEBUG
  }

  /// `[log]`
  public record Log(
      @Key(says = "`text`, or `json` with one object a line.", value = "text") LogFormat format,
      @Key(
              says = "The least that is logged: `error`, `warning`, `info` or `debug`.",
              value = "info")
          LogLevel level) {}

  /// `[journey]`
  public record JourneyConfig(
      @Key(
              says =
                  "How long it is kept, to the day; `0s`: nothing is noted, and what was is"
                      + " removed.",
              value = "14d")
          Duration keep,
      @Key(
              says = "The most space that it takes, in MiB of 1048576; the oldest goes first.",
              value = "1024")
          int megabytesMax) {

    Journeys.Settings settings() {
      return Journeys.Settings.of(keep, (long) megabytesMax << 20);
    }
  }

  /// `[tls-reports]`
  public record TlsReportsConfig(
      @Key(says = "Whether it is done.", value = "true") boolean enabled,
      @Key(
              says =
                  "The address that reports come from, for questions; in one of the domains. None:"
                      + " `postmaster` of the first domain.",
              example = "\"postmaster@example.com\"")
          Optional<String> contact) {}

  /// Whom reports about TLS come from.
  Address tlsReportsFrom() {
    var text = tlsReports.contact().orElseGet(() -> "postmaster@" + domain.getFirst().name());
    int at = text.lastIndexOf('@');
    return new Address(text.substring(0, at), new Domain(text.substring(at + 1)));
  }

  /// `[metrics]`
  public record Metrics(
      @Key(
              says =
                  "Address and port of an HTTP listener that answers `GET /metrics`. It asks for no"
                      + " password: keep it on a private address. None: no such listener.",
              example = "\"127.0.0.1:9464\"")
          Optional<String> address) {}
}
