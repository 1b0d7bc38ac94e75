package longhand.smtp;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Base64;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.Envelope;
import longhand.mail.ForwardPath;
import longhand.mail.Handling;
import longhand.mail.Idna;
import longhand.mail.ReversePath;
import longhand.mail.Xtext;
import longhand.smtp.Command.XClient.Attribute;
import longhand.smtp.Command.XClient.Value;
import longhand.wire.Network;
import org.jspecify.annotations.Nullable;

/// Turns one command line, without its CRLF, into a [Command]. Methods bear the names of their
/// grammar productions (RFC 5321 §4.1.2). Strict: what no RFC allows is `Malformed`, but for two
/// things that old clients do: blanks after `FROM:` and `TO:`, and blanks at the end of a line.
///
/// One parser is for one line; time and memory are linear in its length.
final class CommandParser {

  /// A line that is no command; carries what to answer. Has no stack trace.
  private static final class Wrong extends Exception {
    private static final long serialVersionUID = 1;
    private final transient Reply owed;

    Wrong(Reply owed) {
      super(null, null, false, false);
      this.owed = owed;
    }
  }

  private static final int HELLO_OCTETS_MAX = 255;
  private static final int LABEL_OCTETS_MAX = 63;
  private static final int REVERSE_LOCAL_PART_OCTETS_MAX = 255;
  private static final int ENVELOPE_ID_OCTETS_MAX = 100;
  private static final int XCLIENT_TEXT_MAX = 255;
  private static final int ORIGINAL_RECIPIENT_OCTETS_MAX = 500;

  private static final Reply BAD_HELLO = syntax("A domain or address literal is wanted");
  private static final Reply BAD_MAIL = syntax("Syntax: MAIL FROM:<address> [parameters]");
  private static final Reply BAD_RCPT = syntax("Syntax: RCPT TO:<address> [parameters]");
  private static final Reply BAD_SENDER = Reply.of(501, 5, 1, 7, "Bad sender address syntax");
  private static final Reply BAD_RECIPIENT = Reply.of(501, 5, 1, 3, "Bad recipient address syntax");
  private static final Reply BAD_PARAMETER = syntax("Bad parameter value");
  private static final Reply UNKNOWN_PARAMETER = Reply.of(555, 5, 5, 4, "Parameter not known");
  private static final Reply BAD_BDAT = syntax("Syntax: BDAT octets [LAST]");
  private static final Reply BAD_XCLIENT = syntax("Syntax: XCLIENT attribute=value ...");
  private static final Reply BAD_AUTH = syntax("Syntax: AUTH mechanism [initial-response]");

  private static final int NO_OCTET = -1;

  private final byte[] line;
  private final Domain postmasterDomain;
  private final Set<Extension> announced;
  private int at;

  private CommandParser(byte[] line, Domain postmasterDomain, Set<Extension> announced) {
    this.line = line;
    this.postmasterDomain = postmasterDomain;
    this.announced = announced;
  }

  /// Parses a line.
  ///
  /// @param postmasterDomain what `RCPT TO:<Postmaster>` without a domain means (RFC 5321 §4.5.1)
  /// @param announced whose parameters are known
  static Command parse(byte[] line, Domain postmasterDomain, Set<Extension> announced) {
    try {
      return new CommandParser(line, postmasterDomain, announced).command();
    } catch (Wrong wrong) {
      return new Command.Malformed(wrong.owed);
    }
  }

  /// Whether a line begins with AUTH, which may be longer than others.
  static boolean isAuth(byte[] line) {
    return line.length > 4
        && (line[0] | 0x20) == 'a'
        && (line[1] | 0x20) == 'u'
        && (line[2] | 0x20) == 't'
        && (line[3] | 0x20) == 'h'
        && line[4] == ' ';
  }

  private Command command() throws Wrong {
    for (byte octet : line) {
      if ((octet >= 0 && octet < ' ') || octet == 0x7f) {
        throw new Wrong(Reply.CONTROL_CHARACTER);
      }
    }
    var verb = verb();
    return switch (verb) {
      case "HELO" -> hello(Command.Hello.Kind.HELO);
      case "EHLO" -> hello(Command.Hello.Kind.EHLO);
      case "LHLO" -> hello(Command.Hello.Kind.LHLO);
      case "MAIL" -> mail();
      case "RCPT" -> rcpt();
      case "DATA" -> bare(new Command.Data());
      case "BDAT" -> bdat();
      case "RSET" -> bare(new Command.Reset());
      case "NOOP" -> new Command.Noop();
      case "QUIT" -> bare(new Command.Quit());
      case "VRFY" ->
          at == line.length ? new Command.Malformed(syntax("Whom?")) : new Command.Verify();
      case "HELP" -> new Command.Help();
      case "STARTTLS" -> bare(new Command.StartTls());
      case "AUTH" -> auth();
      case "XCLIENT" -> xclient();
      case "EXPN", "TURN", "ETRN", "SEND", "SOML", "SAML", "BURL" -> new Command.NotHere();
      default -> throw new Wrong(Reply.UNKNOWN_COMMAND);
    };
  }

  private String verb() throws Wrong {
    int end = 0;
    while (end < line.length && line[end] != ' ') {
      end++;
    }
    if (end == 0 || end > 8) {
      throw new Wrong(Reply.UNKNOWN_COMMAND);
    }
    var upper = new byte[end];
    for (int i = 0; i < end; i++) {
      byte octet = line[i];
      upper[i] = octet >= 'a' && octet <= 'z' ? (byte) (octet - 0x20) : octet;
    }
    at = end;
    return new String(upper, StandardCharsets.ISO_8859_1);
  }

  private Command bare(Command command) throws Wrong {
    blanks();
    if (at < line.length) {
      throw new Wrong(Reply.NO_ARGUMENT_WANTED);
    }
    return command;
  }

  private Command hello(Command.Hello.Kind kind) throws Wrong {
    blanks();
    int begin = at;
    while (at < line.length && line[at] != ' ') {
      int octet = line[at++];
      // Names with underscores and bare IPv6 addresses are common and do no harm.
      if (!isLetterDigit(octet) && ".-_:[]".indexOf(octet) < 0) {
        throw new Wrong(BAD_HELLO);
      }
    }
    int end = at;
    blanks();
    if (end == begin || end - begin > HELLO_OCTETS_MAX || at < line.length) {
      throw new Wrong(BAD_HELLO);
    }
    return new Command.Hello(kind, text(begin, end));
  }

  private Command mail() throws Wrong {
    keyword("FROM:", BAD_MAIL);
    int begin = at;
    var from = reversePath();
    boolean ascii = isAscii(begin, at);
    var seen = EnumSet.noneOf(MailParameter.class);
    var size = OptionalLong.empty();
    var body = Envelope.Body.SEVEN_BIT;
    boolean smtpUtf8 = false;
    Optional<String> authenticated = Optional.empty();
    Optional<Envelope.Returned> returned = Optional.empty();
    Optional<String> envelopeId = Optional.empty();
    Optional<Handling.Release> release = Optional.empty();
    Optional<Handling.DeliverBy> by = Optional.empty();
    int priority = 0;
    boolean requireTls = false;
    while (parameterFollows(BAD_MAIL)) {
      var parameter = MailParameter.of(esmtpKeyword());
      if (parameter.extension != null && !announced.contains(parameter.extension)) {
        throw new Wrong(UNKNOWN_PARAMETER);
      }
      if (!seen.add(parameter)) {
        throw new Wrong(BAD_PARAMETER);
      }
      switch (parameter) {
        case SIZE -> size = OptionalLong.of(size(esmtpValue()));
        case BODY -> body = body(esmtpValue());
        case SMTPUTF8 -> smtpUtf8 = noValue();
        case AUTH -> authenticated = Optional.of(xtext(esmtpValue()));
        case RET -> returned = Optional.of(returned(esmtpValue()));
        case ENVID -> envelopeId = Optional.of(envelopeId(esmtpValue()));
        case HOLDFOR -> release = Optional.of(holdFor(release, esmtpValue()));
        case HOLDUNTIL -> release = Optional.of(holdUntil(release, esmtpValue()));
        case BY -> by = Optional.of(deliverBy(esmtpValue()));
        case MT_PRIORITY -> priority = priority(esmtpValue());
        case REQUIRETLS -> requireTls = noValue();
      }
    }
    if (!ascii && !smtpUtf8) {
      throw new Wrong(Reply.NON_ASCII);
    }
    var handling =
        release.isEmpty() && by.isEmpty() && priority == 0 && !requireTls
            ? Handling.USUAL
            : new Handling(release, by, priority, requireTls);
    return new Command.Mail(
        from, size, body, smtpUtf8, authenticated, returned, envelopeId, handling);
  }

  /// A parameter that is a keyword alone.
  private boolean noValue() throws Wrong {
    if (peek() == '=') {
      throw new Wrong(BAD_PARAMETER);
    }
    return true;
  }

  private enum MailParameter {
    SIZE("SIZE", null),
    BODY("BODY", null),
    SMTPUTF8("SMTPUTF8", null),
    AUTH("AUTH", null),
    RET("RET", null),
    ENVID("ENVID", null),
    HOLDFOR("HOLDFOR", Extension.FUTURERELEASE),
    HOLDUNTIL("HOLDUNTIL", Extension.FUTURERELEASE),
    BY("BY", Extension.DELIVERBY),
    MT_PRIORITY("MT-PRIORITY", Extension.MT_PRIORITY),
    REQUIRETLS("REQUIRETLS", Extension.REQUIRETLS);

    private static final MailParameter[] ALL = values();

    private final String keyword;
    private final @Nullable Extension extension;

    /// @param extension that must be announced; null for one that always is
    MailParameter(String keyword, @Nullable Extension extension) {
      this.keyword = keyword;
      this.extension = extension;
    }

    static MailParameter of(String keyword) throws Wrong {
      for (var parameter : ALL) {
        if (parameter.keyword.equals(keyword)) {
          return parameter;
        }
      }
      throw new Wrong(UNKNOWN_PARAMETER);
    }
  }

  private Command rcpt() throws Wrong {
    keyword("TO:", BAD_RCPT);
    int begin = at;
    var address = forwardPath();
    Set<ForwardPath.Notify> reports = Set.of();
    Optional<String> originalRecipient = Optional.empty();
    while (parameterFollows(BAD_RCPT)) {
      var keyword = esmtpKeyword();
      if (keyword.equals("NOTIFY") && reports.isEmpty()) {
        reports = reports(esmtpValue());
      } else if (keyword.equals("ORCPT") && originalRecipient.isEmpty()) {
        originalRecipient = Optional.of(originalRecipient(esmtpValue()));
      } else if (keyword.equals("NOTIFY") || keyword.equals("ORCPT")) {
        throw new Wrong(BAD_PARAMETER);
      } else {
        throw new Wrong(UNKNOWN_PARAMETER);
      }
    }
    return new Command.Recipient(
        new ForwardPath(address, reports, originalRecipient), isAscii(begin, line.length));
  }

  private Command bdat() throws Wrong {
    blanks();
    int begin = at;
    while (at < line.length && line[at] != ' ') {
      at++;
    }
    long octets = number(begin, at, BAD_BDAT);
    blanks();
    var rest = text(at, line.length).stripTrailing();
    if (!rest.isEmpty() && !rest.equalsIgnoreCase("LAST")) {
      throw new Wrong(BAD_BDAT);
    }
    return new Command.Bdat(octets, !rest.isEmpty());
  }

  private Command auth() throws Wrong {
    blanks();
    int begin = at;
    while (at < line.length && line[at] != ' ') {
      int octet = line[at++];
      if (!isLetterDigit(octet) && octet != '-' && octet != '_') {
        throw new Wrong(BAD_AUTH);
      }
    }
    if (at == begin || at - begin > 20) {
      throw new Wrong(BAD_AUTH);
    }
    var mechanism = text(begin, at).toUpperCase(Locale.ROOT);
    blanks();
    if (at == line.length) {
      return new Command.Auth(mechanism, Optional.empty());
    }
    var initial = text(at, line.length).stripTrailing();
    // RFC 4954 §4: an initial response of no octets is a single equals sign.
    return new Command.Auth(
        mechanism,
        Optional.of(
            initial.equals("=")
                ? new byte[0]
                : base64(initial).orElseThrow(() -> new Wrong(Reply.AUTH_NOT_BASE64))));
  }

  private Command xclient() throws Wrong {
    var attributes = new EnumMap<Attribute, Value>(Attribute.class);
    while (parameterFollows(BAD_XCLIENT)) {
      var attribute = attribute(esmtpKeyword());
      expect('=', BAD_XCLIENT);
      int begin = at;
      while (at < line.length && line[at] != ' ') {
        at++;
      }
      if (attributes.put(attribute, value(attribute, text(begin, at))) != null) {
        throw new Wrong(BAD_XCLIENT);
      }
    }
    if (attributes.isEmpty()) {
      throw new Wrong(BAD_XCLIENT);
    }
    return new Command.XClient(attributes);
  }

  private static Attribute attribute(String keyword) throws Wrong {
    for (var attribute : Attribute.values()) {
      if (attribute.name().equals(keyword)) {
        return attribute;
      }
    }
    throw new Wrong(BAD_XCLIENT);
  }

  private static Value value(Attribute attribute, String xtext) throws Wrong {
    if (xtext.isEmpty() || !Xtext.isXtext(xtext)) {
      throw new Wrong(BAD_XCLIENT);
    }
    var text = Xtext.decode(xtext);
    if (text.equalsIgnoreCase("[UNAVAILABLE]")) {
      return Value.Missing.UNAVAILABLE;
    }
    if (text.equalsIgnoreCase("[TEMPUNAVAIL]")) {
      return Value.Missing.TEMPUNAVAIL;
    }
    boolean printable = text.length() <= XCLIENT_TEXT_MAX;
    for (int i = 0; i < text.length(); i++) {
      printable &= text.charAt(i) > ' ' && text.charAt(i) <= '~';
    }
    if (!printable) {
      throw new Wrong(BAD_XCLIENT);
    }
    return switch (attribute) {
      case NAME, HELO -> {
        // They stand in Received fields, where a parenthesis would begin a comment.
        for (int i = 0; i < text.length(); i++) {
          boolean literal = attribute == Attribute.HELO && "[]:".indexOf(text.charAt(i)) >= 0;
          if (!literal && !isLetterDigit(text.charAt(i)) && ".-_".indexOf(text.charAt(i)) < 0) {
            throw new Wrong(BAD_XCLIENT);
          }
        }
        yield new Value.Text(text);
      }
      case LOGIN -> new Value.Text(text);
      case PROTO -> {
        var upper = text.toUpperCase(Locale.ROOT);
        if (!upper.equals("SMTP") && !upper.equals("ESMTP")) {
          throw new Wrong(BAD_XCLIENT);
        }
        yield new Value.Text(upper);
      }
      case ADDR, DESTADDR -> {
        boolean six = text.regionMatches(true, 0, "IPV6:", 0, 5);
        var literal = six ? text.substring(5) : text;
        var address = Network.literal(literal);
        if (address.isEmpty() || six != literal.indexOf(':') >= 0) {
          throw new Wrong(BAD_XCLIENT);
        }
        yield new Value.Ip(address.get());
      }
      case PORT, DESTPORT -> {
        int number = text.length() > 5 ? -1 : digits(text, 0, text.length());
        if (number < 0 || number > 65_535) {
          throw new Wrong(BAD_XCLIENT);
        }
        yield new Value.Port(number);
      }
    };
  }

  /// The octets of a base64 text, strictly; empty when it is none.
  static Optional<byte[]> base64(String text) {
    try {
      return text.length() % 4 == 0
          ? Optional.of(Base64.getDecoder().decode(text))
          : Optional.empty();
    } catch (IllegalArgumentException e) {
      // Not base64 is one of the answers.
      return Optional.empty();
    }
  }

  private ReversePath reversePath() throws Wrong {
    expect('<', BAD_MAIL);
    if (peek() == '>') {
      at++;
      return ReversePath.NULL;
    }
    sourceRoute(BAD_SENDER);
    var localPart = localPart(BAD_SENDER, REVERSE_LOCAL_PART_OCTETS_MAX);
    expect('@', BAD_SENDER);
    var domain = domain(BAD_SENDER);
    expect('>', BAD_SENDER);
    return ReversePath.of(new Address(localPart, domain));
  }

  private Address forwardPath() throws Wrong {
    expect('<', BAD_RCPT);
    sourceRoute(BAD_RECIPIENT);
    var localPart = localPart(BAD_RECIPIENT, Address.LOCAL_PART_OCTETS_MAX);
    if (peek() == '>' && localPart.equalsIgnoreCase("postmaster")) {
      at++;
      return new Address(localPart, postmasterDomain);
    }
    expect('@', BAD_RECIPIENT);
    var domain = domain(BAD_RECIPIENT);
    expect('>', BAD_RECIPIENT);
    return new Address(localPart, domain);
  }

  /// `@a,@b:` before the address: checked and dropped (RFC 5321 §3.6.1, Appendix C).
  private void sourceRoute(Reply wrong) throws Wrong {
    if (peek() != '@') {
      return;
    }
    while (true) {
      expect('@', wrong);
      domain(wrong);
      if (peek() == ':') {
        at++;
        return;
      }
      expect(',', wrong);
    }
  }

  private String localPart(Reply wrong, int octetsMax) throws Wrong {
    var part = peek() == '"' ? quotedString(wrong) : dotString(wrong);
    if (part.isEmpty() || part.getBytes(StandardCharsets.UTF_8).length > octetsMax) {
      throw new Wrong(wrong);
    }
    return part;
  }

  private String dotString(Reply wrong) throws Wrong {
    int begin = at;
    boolean atomEmpty = true;
    while (at < line.length) {
      int octet = line[at] & 0xff;
      if (octet == '.') {
        if (atomEmpty) {
          throw new Wrong(wrong);
        }
        atomEmpty = true;
      } else if (Address.isAtext(octet)) {
        atomEmpty = false;
      } else {
        break;
      }
      at++;
    }
    if (atomEmpty) {
      throw new Wrong(wrong);
    }
    return utf8(begin, at, wrong);
  }

  private String quotedString(Reply wrong) throws Wrong {
    at++;
    var octets = new byte[line.length - at];
    int length = 0;
    while (true) {
      int octet = next(wrong);
      if (octet == '"') {
        return utf8(octets, 0, length, wrong);
      }
      octets[length++] = (byte) (octet == '\\' ? next(wrong) : octet);
    }
  }

  private Domain domain(Reply wrong) throws Wrong {
    if (peek() == '[') {
      return addressLiteral(wrong);
    }
    int begin = at;
    boolean ascii = true;
    int label = at;
    while (at < line.length) {
      int octet = line[at];
      if (octet == '.') {
        subDomain(label, at, wrong);
        label = at + 1;
      } else if (octet < 0) {
        ascii = false;
      } else if (!isLetterDigit(octet) && octet != '-' && octet != '_') {
        break;
      }
      at++;
    }
    subDomain(label, at, wrong);
    var name = utf8(begin, at, wrong);
    if (!ascii) {
      name = Idna.toAscii(name).orElseThrow(() -> new Wrong(wrong));
    }
    if (name.length() > Domain.OCTETS_MAX) {
      throw new Wrong(wrong);
    }
    return new Domain(name.toLowerCase(Locale.ROOT));
  }

  private void subDomain(int begin, int end, Reply wrong) throws Wrong {
    if (begin == end || line[begin] == '-' || line[end - 1] == '-') {
      throw new Wrong(wrong);
    }
    // A U-label may be longer here; its A-label is measured when it is made.
    if (end - begin > LABEL_OCTETS_MAX && isAscii(begin, end)) {
      throw new Wrong(wrong);
    }
  }

  /// RFC 5321 §4.1.3.
  private Domain addressLiteral(Reply wrong) throws Wrong {
    int begin = at++;
    while (peek() != ']') {
      int octet = next(wrong);
      if (octet < '!' || octet > '~' || octet == '[' || octet == '\\') {
        throw new Wrong(wrong);
      }
    }
    at++;
    var literal = text(begin, at).toLowerCase(Locale.ROOT);
    var inside = literal.substring(1, literal.length() - 1);
    try {
      if (inside.startsWith("ipv6:")) {
        if (inside.indexOf('%') >= 0) {
          throw new Wrong(wrong);
        }
        Inet6Address.ofLiteral(inside.substring(5));
      } else if (inside.indexOf(':') < 0) {
        Inet4Address.ofLiteral(inside);
        if (inside.chars().filter(c -> c == '.').count() != 3) {
          throw new Wrong(wrong);
        }
      } else if (inside.indexOf(':') == 0 || inside.endsWith(":")) {
        throw new Wrong(wrong);
      }
    } catch (IllegalArgumentException e) {
      throw new Wrong(wrong);
    }
    if (literal.length() > Domain.OCTETS_MAX) {
      throw new Wrong(wrong);
    }
    return new Domain(literal);
  }

  private boolean parameterFollows(Reply wrong) throws Wrong {
    if (at == line.length) {
      return false;
    }
    if (line[at] != ' ') {
      throw new Wrong(wrong);
    }
    blanks();
    return at < line.length;
  }

  private String esmtpKeyword() throws Wrong {
    int begin = at;
    while (at < line.length && (isLetterDigit(line[at]) || (line[at] == '-' && at > begin))) {
      at++;
    }
    if (begin == at) {
      throw new Wrong(BAD_PARAMETER);
    }
    return text(begin, at).toUpperCase(Locale.ROOT);
  }

  private String esmtpValue() throws Wrong {
    expect('=', BAD_PARAMETER);
    int begin = at;
    while (at < line.length && line[at] != ' ' && line[at] != '=') {
      at++;
    }
    if (begin == at) {
      throw new Wrong(BAD_PARAMETER);
    }
    return utf8(begin, at, BAD_PARAMETER);
  }

  /// RFC 1870 §3: up to 20 digits; what does not fit a long is too large anyway.
  private long size(String value) throws Wrong {
    if (value.length() > 20) {
      throw new Wrong(BAD_PARAMETER);
    }
    long size = 0;
    for (int i = 0; i < value.length(); i++) {
      int digit = value.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        throw new Wrong(BAD_PARAMETER);
      }
      size = size > (Long.MAX_VALUE - 9) / 10 ? Long.MAX_VALUE : size * 10 + digit;
    }
    return size;
  }

  private Envelope.Body body(String value) throws Wrong {
    return switch (value.toUpperCase(Locale.ROOT)) {
      case "7BIT" -> Envelope.Body.SEVEN_BIT;
      case "8BITMIME" -> Envelope.Body.EIGHT_BIT_MIME;
      case "BINARYMIME" -> {
        if (!announced.contains(Extension.BINARYMIME)) {
          throw new Wrong(UNKNOWN_PARAMETER);
        }
        yield Envelope.Body.BINARY_MIME;
      }
      default -> throw new Wrong(BAD_PARAMETER);
    };
  }

  private static Envelope.Returned returned(String value) throws Wrong {
    return switch (value.toUpperCase(Locale.ROOT)) {
      case "FULL" -> Envelope.Returned.FULL;
      case "HDRS" -> Envelope.Returned.HEADERS;
      default -> throw new Wrong(BAD_PARAMETER);
    };
  }

  private static String envelopeId(String value) throws Wrong {
    if (value.length() > ENVELOPE_ID_OCTETS_MAX) {
      throw new Wrong(BAD_PARAMETER);
    }
    return printable(value);
  }

  /// RFC 4865 §3: one of HOLDFOR and HOLDUNTIL, 1 to 999999999 seconds.
  private static Handling.Release holdFor(Optional<Handling.Release> other, String value)
      throws Wrong {
    int seconds = digits(value, 0, value.length());
    if (other.isPresent() || seconds == 0 || value.charAt(0) == '0') {
      throw new Wrong(BAD_PARAMETER);
    }
    return new Handling.Release.For(Duration.ofSeconds(seconds));
  }

  private static Handling.Release holdUntil(Optional<Handling.Release> other, String value)
      throws Wrong {
    if (other.isPresent()) {
      throw new Wrong(BAD_PARAMETER);
    }
    return new Handling.Release.Until(dateTime(value));
  }

  /// `2026-11-24T18:30:00Z`, or with a fraction of the second and an offset (RFC 3339 §5.6).
  private static Instant dateTime(String value) throws Wrong {
    int length = value.length();
    // The form is RFC 3339's, which is narrower than what the JDK reads; the JDK reads the numbers.
    if (length < 20
        || length > 64
        || (value.charAt(10) | 0x20) != 't'
        || value.charAt(16) != ':'
        || ((value.charAt(length - 1) | 0x20) != 'z'
            && "+-".indexOf(value.charAt(length - 6)) < 0)) {
      throw new Wrong(BAD_PARAMETER);
    }
    try {
      return OffsetDateTime.parse(value.toUpperCase(Locale.ROOT)).toInstant();
    } catch (DateTimeException e) {
      throw new Wrong(BAD_PARAMETER);
    }
  }

  /// RFC 2852 §4: seconds of up to nine digits with or without a sign, `;`, `N` or `R`, perhaps
  /// `T`.
  private static Handling.DeliverBy deliverBy(String value) throws Wrong {
    boolean signed = value.charAt(0) == '-' || value.charAt(0) == '+';
    int semicolon = value.indexOf(';');
    if (semicolon < 0) {
      throw new Wrong(BAD_PARAMETER);
    }
    int seconds = digits(value, signed ? 1 : 0, semicolon);
    if (value.charAt(0) == '-') {
      seconds = -seconds;
    }
    var how = value.substring(semicolon + 1).toUpperCase(Locale.ROOT);
    var mode =
        switch (how) {
          case "N", "NT" -> Handling.DeliverBy.Mode.NOTIFY;
          case "R", "RT" -> Handling.DeliverBy.Mode.RETURN;
          default -> throw new Wrong(BAD_PARAMETER);
        };
    if (seconds <= 0 && mode == Handling.DeliverBy.Mode.RETURN) {
      throw new Wrong(BAD_PARAMETER);
    }
    return new Handling.DeliverBy(seconds, mode, how.length() == 2);
  }

  /// RFC 6710 §5: one digit, perhaps after `-`; no `-0`.
  private static int priority(String value) throws Wrong {
    boolean negative = value.charAt(0) == '-';
    if (value.length() != (negative ? 2 : 1)) {
      throw new Wrong(BAD_PARAMETER);
    }
    int digit = digits(value, value.length() - 1, value.length());
    if (negative && digit == 0) {
      throw new Wrong(BAD_PARAMETER);
    }
    return negative ? -digit : digit;
  }

  /// One to nine digits.
  private static int digits(String value, int begin, int end) throws Wrong {
    if (begin >= end || end - begin > 9) {
      throw new Wrong(BAD_PARAMETER);
    }
    int number = 0;
    for (int i = begin; i < end; i++) {
      int digit = value.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        throw new Wrong(BAD_PARAMETER);
      }
      number = number * 10 + digit;
    }
    return number;
  }

  private static Set<ForwardPath.Notify> reports(String value) throws Wrong {
    var set = EnumSet.noneOf(ForwardPath.Notify.class);
    int begin = 0;
    while (begin <= value.length()) {
      int comma = value.indexOf(',', begin);
      int end = comma < 0 ? value.length() : comma;
      var word = value.substring(begin, end).toUpperCase(Locale.ROOT);
      boolean fresh =
          switch (word) {
            case "NEVER" -> set.add(ForwardPath.Notify.NEVER);
            case "SUCCESS" -> set.add(ForwardPath.Notify.SUCCESS);
            case "FAILURE" -> set.add(ForwardPath.Notify.FAILURE);
            case "DELAY" -> set.add(ForwardPath.Notify.DELAY);
            default -> false;
          };
      if (!fresh) {
        throw new Wrong(BAD_PARAMETER);
      }
      begin = end + 1;
    }
    if (set.contains(ForwardPath.Notify.NEVER) && set.size() > 1) {
      throw new Wrong(BAD_PARAMETER);
    }
    return set;
  }

  /// RFC 3461 §4.2: address type, semicolon, xtext; RFC 6533 §3 for `utf-8`.
  private static String originalRecipient(String value) throws Wrong {
    int semicolon = value.indexOf(';');
    if (semicolon < 1
        || semicolon == value.length() - 1
        || value.length() > ORIGINAL_RECIPIENT_OCTETS_MAX) {
      throw new Wrong(BAD_PARAMETER);
    }
    for (int i = 0; i < semicolon; i++) {
      if (!isLetterDigit(value.charAt(i)) && value.charAt(i) != '-') {
        throw new Wrong(BAD_PARAMETER);
      }
    }
    var address = value.substring(semicolon + 1);
    if (value.regionMatches(true, 0, "utf-8;", 0, 6)) {
      unitext(address);
    } else {
      mayBeUtf8(address);
    }
    return value;
  }

  /// RFC 6533 §3: characters but `+`, `=` and `\`, which stand as `\x{2B}` like any other may.
  private static void unitext(String value) throws Wrong {
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c <= ' ' || c == '+' || c == '=') {
        throw new Wrong(BAD_PARAMETER);
      }
      if (c == '\\') {
        int end = value.indexOf('}', i);
        if (end - i < 5 || end - i > 9 || !value.startsWith("x{", i + 1)) {
          throw new Wrong(BAD_PARAMETER);
        }
        int point = 0;
        for (int j = i + 3; j < end; j++) {
          int digit = value.charAt(j) < 0x80 ? Character.digit(value.charAt(j), 16) : -1;
          if (digit < 0) {
            throw new Wrong(BAD_PARAMETER);
          }
          point = point * 16 + digit;
        }
        if (!Character.isValidCodePoint(point)
            || Character.isISOControl(point)
            || (point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE)) {
          throw new Wrong(BAD_PARAMETER);
        }
        i = end;
      }
    }
  }

  private static String xtext(String value) throws Wrong {
    if (!Xtext.isXtext(value)) {
      throw new Wrong(BAD_PARAMETER);
    }
    return value;
  }

  /// xtext of printable characters. Those beyond ASCII should come as `utf-8`, but Postfix sends
  /// what it was given as `rfc822` (RFC 6533 §3 came later than most servers).
  private static void mayBeUtf8(String value) throws Wrong {
    var decoded = Xtext.decode(xtext(value));
    for (int i = 0; i < decoded.length(); i++) {
      char c = decoded.charAt(i);
      if (Character.isISOControl(c) || c == '\ufffd') {
        throw new Wrong(BAD_PARAMETER);
      }
    }
  }

  /// xtext of printable ASCII, blanks included: other characters have no place in a DSN (RFC 3461
  /// §4.2, §4.4).
  private static String printable(String value) throws Wrong {
    var decoded = Xtext.decode(xtext(value));
    for (int i = 0; i < decoded.length(); i++) {
      char c = decoded.charAt(i);
      if ((c < ' ' && c != '\t') || c > '~') {
        throw new Wrong(BAD_PARAMETER);
      }
    }
    return value;
  }

  private long number(int begin, int end, Reply wrong) throws Wrong {
    if (begin == end || end - begin > 18) {
      throw new Wrong(wrong);
    }
    long number = 0;
    for (int i = begin; i < end; i++) {
      int digit = line[i] - '0';
      if (digit < 0 || digit > 9) {
        throw new Wrong(wrong);
      }
      number = number * 10 + digit;
    }
    return number;
  }

  /// A space, then letters in any case, then blanks that old clients put there.
  private void keyword(String upper, Reply wrong) throws Wrong {
    expect(' ', wrong);
    for (int i = 0; i < upper.length(); i++) {
      int octet = next(wrong);
      if (octet != upper.charAt(i) && octet != Character.toLowerCase(upper.charAt(i))) {
        throw new Wrong(wrong);
      }
    }
    blanks();
  }

  private void blanks() {
    while (at < line.length && line[at] == ' ') {
      at++;
    }
  }

  private int peek() {
    return at < line.length ? line[at] & 0xff : NO_OCTET;
  }

  private int next(Reply wrong) throws Wrong {
    if (at == line.length) {
      throw new Wrong(wrong);
    }
    return line[at++] & 0xff;
  }

  private void expect(int octet, Reply wrong) throws Wrong {
    if (peek() != octet) {
      throw new Wrong(wrong);
    }
    at++;
  }

  private boolean isAscii(int begin, int end) {
    for (int i = begin; i < end; i++) {
      if (line[i] < 0) {
        return false;
      }
    }
    return true;
  }

  private String text(int begin, int end) {
    return new String(line, begin, end - begin, StandardCharsets.ISO_8859_1);
  }

  private String utf8(int begin, int end, Reply wrong) throws Wrong {
    return utf8(line, begin, end, wrong);
  }

  private static String utf8(byte[] octets, int begin, int end, Reply wrong) throws Wrong {
    boolean ascii = true;
    for (int i = begin; i < end; i++) {
      ascii &= octets[i] >= 0;
    }
    if (ascii) {
      return new String(octets, begin, end - begin, StandardCharsets.ISO_8859_1);
    }
    try {
      var text =
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(octets, begin, end - begin))
              .toString();
      for (int i = 0; i < text.length(); i++) {
        // C1 controls and the separators U+2028, U+2029 are in no address.
        char c = text.charAt(i);
        if ((c >= 0x7f && c < 0xa0) || c == '\u2028' || c == '\u2029') {
          throw new Wrong(wrong);
        }
      }
      return text;
    } catch (CharacterCodingException e) {
      throw new Wrong(wrong);
    }
  }

  private static boolean isLetterDigit(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }

  private static Reply syntax(String text) {
    return Reply.of(501, 5, 5, 4, text);
  }
}
