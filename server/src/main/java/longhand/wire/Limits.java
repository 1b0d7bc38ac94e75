package longhand.wire;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.reflect.Constructor;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;

/// Everything a client could make grow or last, and where it ends. One component is one limit; its
/// name in kebab-case is the key in the `[limits]` table of the configuration, its [Limit] says the
/// default, the range and what happens when it is passed. Values are `int`, `long`, `Duration` or
/// `boolean`.
///
/// A component outside its range is an `IllegalArgumentException` whose text names it.
public record Limits(
    @Limit(
            value = "4096",
            least = "512",
            says =
                "octets of an SMTP command line without CRLF, AUTH excepted; longer: 500 5.5.6 and close")
        int smtpLineOctetsMax,
    @Limit(
            value = "12288",
            least = "512",
            says =
                "octets of an AUTH command or response line without CRLF (RFC 4954 §4); longer: 500 5.5.6 and close")
        int smtpAuthLineOctetsMax,
    @Limit(
            value = "1048576",
            least = "998",
            says = "octets of one line of a message without CRLF; longer: 554 5.6.0")
        int smtpTextLineOctetsMax,
    @Limit(
            value = "1000",
            least = "100",
            says = "recipients of a message at reception and over LMTP; more: 452 4.5.3")
        int smtpRecipientsMax,
    @Limit(
            value = "500",
            least = "100",
            says = "recipients of a message at submission; more: 452 4.5.3")
        int submissionRecipientsMax,
    @Limit(
            value = "500",
            least = "1",
            says = "messages that one account may send in an hour; more: 450 4.7.1")
        int accountMessagesHourMax,
    @Limit(
            value = "2000",
            least = "1",
            says = "messages that one account may send in a day; more: 450 4.7.1")
        int accountMessagesDayMax,
    @Limit(
            value = "1000",
            least = "1",
            says = "recipients that one account may send to in an hour; more: 450 4.7.1")
        int accountRecipientsHourMax,
    @Limit(
            value = "5000",
            least = "1",
            says = "recipients that one account may send to in a day; more: 450 4.7.1")
        int accountRecipientsDayMax,
    @Limit(
            value = "100",
            least = "1",
            says =
                "recipients that one account may send to in an hour though it never wrote to them before; more: 450 4.7.1")
        int accountNewRecipientsHourMax,
    @Limit(value = "500", least = "1", says = "the same in a day; more: 450 4.7.1")
        int accountNewRecipientsDayMax,
    @Limit(
            value = "30",
            least = "0",
            most = "3650",
            says =
                "days for which an account sends nothing to an address that does not exist, after its mail came back; until then 550 with the status it came back with; 0 for none")
        int accountSuppressionDays,
    @Limit(
            value = "52428800",
            least = "65536",
            most = "2000000000",
            says = "octets of a message (SIZE, and IMAP APPEND); more: 552 5.3.4")
        int messageOctetsMax,
    @Limit(
            value = "30",
            least = "1",
            most = "366",
            says =
                "days for which a message may be held back at its sender's wish (RFC 4865); longer: 501 5.5.4")
        int futureReleaseDaysMax,
    @Limit(
            value = "1024",
            least = "0",
            says =
                "free megabytes on the disk of the data folder, but no less than three messages of the greatest size; with fewer nothing is taken: SMTP 452 4.3.1, IMAP NO [UNAVAILABLE]")
        int diskFreeMegabytesMin,
    @Limit(
            value = "1024",
            least = "16",
            most = "1048576",
            says =
                "megabytes of memory for accounts that are open though no session uses them, but at most a third of the heap; beyond it those unused longest are closed, and read again when they are wanted")
        int accountsMemoryMegabytesMax,
    @Limit(
            value = "1048576",
            least = "65536",
            says = "octets of a message's header; more: 552 5.3.4")
        int headerOctetsMax,
    @Limit(value = "262144", least = "1000", says = "octets of one header field; more: 552 5.3.4")
        int headerFieldOctetsMax,
    @Limit(value = "10000", least = "100", says = "fields of a message's header; more: 552 5.3.4")
        int headerFieldsMax,
    @Limit(
            value = "100",
            least = "100",
            says = "Received fields of a message (RFC 5321 §6.3); more: 554 5.4.6")
        int receivedFieldsMax,
    @Limit(
            value = "5",
            least = "0",
            says =
                "errors in an SMTP session that are answered at once; each later one waits `smtp-error-delay`")
        int smtpErrorsSoftMax,
    @Limit(
            value = "20",
            least = "1",
            says = "errors in an SMTP session; the last is answered 421 4.7.0 and close")
        int smtpErrorsMax,
    @Limit(value = "1s", says = "wait before the answer to an error beyond `smtp-errors-soft-max`")
        Duration smtpErrorDelay,
    @Limit(
            value = "3",
            least = "1",
            says = "failed log-ins in one SMTP, POP3 or IMAP session; then it is closed")
        int authFailuresMax,
    @Limit(
            value = "300s",
            says =
                "wait for an SMTP client's next line or block of data (RFC 5321 §4.5.3.2.7); then 421 4.4.2")
        Duration smtpIdleTimeout,
    @Limit(
            value = "30s",
            says = "the same while more than three quarters of a listener's connections are taken")
        Duration smtpStressIdleTimeout,
    @Limit(
            value = "30m",
            says =
                "length of an SMTP session that sends no message; then 421 4.4.2. A message received begins it anew")
        Duration smtpSessionMax,
    @Limit(
            value = "100",
            least = "0",
            says =
                "octets a second that a client sending a message must keep up after `data-rate-grace`; slower: 421 4.4.2; 0 for no bound")
        int dataRateMin,
    @Limit(
            value = "60s",
            says = "how long a client sending a message may be slower than `data-rate-min`")
        Duration dataRateGrace,
    @Limit(
            value = "300s",
            says =
                "how long a client may leave 64 KiB of answers unread; then the connection is closed")
        Duration outputTimeout,
    @Limit(value = "30s", says = "how long a TLS handshake may take; then the connection is closed")
        Duration tlsHandshakeTimeout,
    @Limit(
            value = "1000",
            least = "1",
            says = "connections to one SMTP reception or LMTP listener; more: 421 4.3.2")
        int smtpConnectionsMax,
    @Limit(
            value = "50",
            least = "1",
            says =
                "connections to an SMTP reception listener from one IPv4 address or IPv6 /64; more: 421 4.7.0")
        int smtpConnectionsPerIpMax,
    @Limit(
            value = "60",
            least = "1",
            says =
                "new connections a minute to an SMTP reception listener from one IPv4 address or IPv6 /64; more: 421 4.7.0")
        int smtpConnectionsPerIpMinuteMax,
    @Limit(
            value = "1000",
            least = "1",
            says = "connections to one submission listener; more: 421 4.3.2")
        int submissionConnectionsMax,
    @Limit(
            value = "20",
            least = "1",
            says =
                "connections to a submission listener from one IPv4 address or IPv6 /64; more: 421 4.7.0")
        int submissionConnectionsPerIpMax,
    @Limit(
            value = "60",
            least = "1",
            says =
                "new connections a minute to a submission listener from one IPv4 address or IPv6 /64; more: 421 4.7.0")
        int submissionConnectionsPerIpMinuteMax,
    @Limit(
            value = "255",
            least = "40",
            says =
                "octets of a POP3 command line without CRLF (RFC 2449 §4), AUTH excepted; longer: -ERR and close")
        int pop3LineOctetsMax,
    @Limit(
            value = "12288",
            least = "255",
            says = "octets of a POP3 authentication response without CRLF; longer: -ERR and close")
        int pop3AuthLineOctetsMax,
    @Limit(
            value = "600s",
            says =
                "wait for a POP3 client's next command (RFC 1939 §3: at least ten minutes); then close, deleting nothing")
        Duration pop3IdleTimeout,
    @Limit(
            value = "60s",
            says = "wait for a POP3 client's next command before it has logged in; then close")
        Duration pop3PreauthTimeout,
    @Limit(value = "20", least = "1", says = "errors in a POP3 session; then it is closed")
        int pop3ErrorsMax,
    @Limit(
            value = "1000",
            least = "1",
            says = "connections to one POP3 listener; more: -ERR [SYS/TEMP]")
        int pop3ConnectionsMax,
    @Limit(
            value = "5",
            least = "1",
            says =
                "connections to a POP3 listener from one IPv4 address or IPv6 /64; more: -ERR [SYS/TEMP]")
        int pop3ConnectionsPerIpMax,
    @Limit(
            value = "120",
            least = "1",
            says =
                "new connections a minute to a POP3 listener from one IPv4 address or IPv6 /64; more: -ERR [SYS/TEMP]")
        int pop3ConnectionsPerIpMinuteMax,
    @Limit(
            value = "65536",
            least = "8192",
            says =
                "octets of an IMAP command line without its literals (RFC 7162 §4); longer: BAD and close")
        int imapLineOctetsMax,
    @Limit(value = "8192", least = "1000", says = "the same before log-in")
        int imapPreauthLineOctetsMax,
    @Limit(
            value = "8192",
            least = "1000",
            says = "octets of all literals of an IMAP command before log-in; more: BAD and close")
        int imapPreauthLiteralOctetsMax,
    @Limit(
            value = "65536",
            least = "4096",
            says =
                "octets of all literals of an IMAP command other than APPEND; more: BAD, and close if they are non-synchronizing")
        int imapLiteralOctetsMax,
    @Limit(value = "64", least = "8", says = "depth of parentheses in an IMAP command; more: BAD")
        int imapNestingMax,
    @Limit(value = "1000", least = "10", says = "search keys in an IMAP command; more: BAD")
        int imapSearchKeysMax,
    @Limit(value = "10000", least = "100", says = "ranges in an IMAP sequence set; more: BAD")
        int imapSequenceRangesMax,
    @Limit(value = "512", least = "64", says = "octets of an IMAP LIST pattern; more: BAD")
        int imapListPatternOctetsMax,
    @Limit(value = "32", least = "1", says = "wildcards in an IMAP LIST pattern; more: BAD")
        int imapListWildcardsMax,
    @Limit(value = "100", least = "1", says = "messages in one IMAP APPEND (RFC 3502); more: BAD")
        int imapAppendMessagesMax,
    @Limit(value = "20", least = "1", says = "BAD commands in an IMAP session; then BYE and close")
        int imapErrorsMax,
    @Limit(
            value = "1800s",
            says =
                "wait for an IMAP client's next line (RFC 3501 §5.4: at least 30 minutes); then BYE")
        Duration imapIdleTimeout,
    @Limit(
            value = "60s",
            says = "wait for an IMAP client's next line before it has logged in; then BYE")
        Duration imapPreauthTimeout,
    @Limit(value = "10000", least = "1", says = "connections to one IMAP listener; more: BYE")
        int imapConnectionsMax,
    @Limit(
            value = "100",
            least = "1",
            says = "connections to an IMAP listener from one IPv4 address or IPv6 /64; more: BYE")
        int imapConnectionsPerIpMax,
    @Limit(
            value = "600",
            least = "1",
            says =
                "new connections a minute to an IMAP listener from one IPv4 address or IPv6 /64; more: BYE")
        int imapConnectionsPerIpMinuteMax,
    @Limit(
            value = "40",
            least = "1",
            says = "IMAP sessions of one account from one address; more: NO [LIMIT]")
        int imapSessionsPerAccountMax,
    @Limit(
            value = "false",
            says = "whether connections from loopback addresses are free of the bounds per address")
        boolean loopbackUnbounded) {

  /// Octets that must be free on the disk for anything to be taken.
  public long diskFreeOctetsMin() {
    return Math.max((long) diskFreeMegabytesMin << 20, 3L * messageOctetsMax);
  }

  /// How long a message may be held back at its sender's wish.
  public Duration futureReleaseMax() {
    return Duration.ofDays(futureReleaseDaysMax);
  }

  /// Memory that accounts may take which no session uses, in octets.
  public long accountsMemoryOctetsMax() {
    return (long) accountsMemoryMegabytesMax << 20;
  }

  /// What the documents say of a limit.
  @Retention(RetentionPolicy.RUNTIME)
  public @interface Limit {
    /// The default: a number, a number with `s` or `m` for a duration, `true` or `false`.
    String value();

    /// The least value allowed, where the RFCs or sense demand one.
    String least() default "";

    /// The greatest value allowed.
    String most() default "";

    /// What is counted, in which unit, and what a client is told when it passes the limit.
    String says();
  }

  /// Every limit at its default.
  public static final Limits DEFAULT = of(Map.of());

  /// Limits by component name (`smtpLineOctetsMax`), the rest at their defaults. A value is an
  /// `Integer`, `Long`, `Duration` or `Boolean`; an unknown name, a wrong type or a value out of
  /// range is `IllegalArgumentException`.
  public static Limits of(Map<String, ?> values) {
    var components = Limits.class.getRecordComponents();
    var arguments = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      var component = components[i];
      var given = values.get(component.getName());
      arguments[i] =
          given == null
              ? parse(component, component.getAnnotation(Limit.class).value())
              : checked(component, given);
    }
    for (var name : values.keySet()) {
      if (Arrays.stream(components).noneMatch(c -> c.getName().equals(name))) {
        throw new IllegalArgumentException("there is no limit " + name);
      }
    }
    return build(components, arguments);
  }

  /// These with one limit changed, by component name; errors as in `of`.
  public Limits with(String name, Object value) {
    var components = Limits.class.getRecordComponents();
    var arguments = new Object[components.length];
    boolean found = false;
    try {
      for (int i = 0; i < components.length; i++) {
        boolean here = components[i].getName().equals(name);
        found |= here;
        arguments[i] =
            here ? checked(components[i], value) : components[i].getAccessor().invoke(this);
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
    if (!found) {
      throw new IllegalArgumentException("there is no limit " + name);
    }
    return build(components, arguments);
  }

  private static Limits build(RecordComponent[] components, Object[] arguments) {
    try {
      var types = Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
      Constructor<Limits> constructor = Limits.class.getDeclaredConstructor(types);
      return constructor.newInstance(arguments);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Object checked(RecordComponent component, Object value) {
    Class<?> type = component.getType();
    Object fitting = value;
    if (type == int.class && value instanceof Long number) {
      if (number < Integer.MIN_VALUE || number > Integer.MAX_VALUE) {
        throw new IllegalArgumentException(
            component.getName() + " is " + value + ", far too large");
      }
      fitting = number.intValue();
    }
    boolean fits =
        type == int.class
            ? fitting instanceof Integer
            : type == boolean.class ? fitting instanceof Boolean : fitting instanceof Duration;
    if (!fits) {
      throw new IllegalArgumentException(
          component.getName() + " is " + value + ", expected " + type.getSimpleName());
    }
    if (fitting instanceof Duration duration
        && (duration.isNegative() || duration.compareTo(Duration.ofDays(1)) > 0)) {
      throw new IllegalArgumentException(
          component.getName() + " is " + duration + ", expected 0 s to 1 day");
    }
    if (fitting instanceof Integer number) {
      var limit = component.getAnnotation(Limit.class);
      int least = limit.least().isEmpty() ? 0 : Integer.parseInt(limit.least());
      int most = limit.most().isEmpty() ? Integer.MAX_VALUE : Integer.parseInt(limit.most());
      if (number < least || number > most) {
        throw new IllegalArgumentException(
            component.getName() + " is " + number + ", expected " + least + " to " + most);
      }
    }
    return fitting;
  }

  private static Object parse(RecordComponent component, String text) {
    Class<?> type = component.getType();
    if (type == int.class) {
      return Integer.parseInt(text);
    }
    if (type == boolean.class) {
      return Boolean.parseBoolean(text);
    }
    long number = Long.parseLong(text.substring(0, text.length() - 1));
    return text.endsWith("m") ? Duration.ofMinutes(number) : Duration.ofSeconds(number);
  }
}
