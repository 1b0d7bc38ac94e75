package longhand.server;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import longhand.auth.AuthSettings;
import longhand.wire.Limits;
import longhand.wire.Network;
import longhand.wire.Proxies;

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
    @Key(says = "The certificate. Without one, a self-signed one is made and the log says so.")
        Tls tls,
    @Key(says = "The domains whose mail is delivered here; at least one.", required = true)
        List<HostedDomain> domain,
    @Key(says = "Where to listen, and for what; at least one.", required = true)
        List<ListenerConfig> listener,
    @Key(says = "Against guessing passwords.") Auth auth,
    @Key(says = "What the log looks like; it goes to standard error.") Log log,
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
          String name) {}

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

  /// `[metrics]`
  public record Metrics(
      @Key(
              says =
                  "Address and port of an HTTP listener that answers `GET /metrics`. It asks for no"
                      + " password: keep it on a private address. None: no such listener.",
              example = "\"127.0.0.1:9464\"")
          Optional<String> address) {}
}
