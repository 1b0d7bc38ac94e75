package longhand.queue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;
import longhand.mail.Envelope;
import longhand.mail.ForwardPath;
import longhand.mail.Handling;
import longhand.mail.ReversePath;

/// How the queue writes down what it must know, as header fields that a person can read and an mbox
/// tool shows.
///
/// Each message is an entry that begins with its envelope, written once:
///
///     Queue-Id: 7k2p0c
///     Queue-Arrived: 2026-11-24T18:00:00.120Z
///     Queue-Account: alice@example.com
///     Queue-From: <alice@example.com> BODY=8BITMIME RET=HDRS ENVID=42
///     Queue-To: <bob@example.net> NOTIFY=FAILURE ORCPT=rfc822;bob@example.net
///     Received: ... and the rest of the message
///
/// What became of tries is an entry of its own, which each later one replaces in one batch. It names
/// the recipients that still wait, by their number in the envelope; those that it does not name have
/// had their end:
///
///     Subject: 7k2p0c: 1 of 2 recipients waits
///     Queue-State-Of: 7k2p0c, message 17
///     Queue-Waiting: 1 <bob@example.net>; attempts 2; next 2026-11-24T18:15:02Z; told no; last
///       2026-11-24T18:05:01Z; 4.2.0; mx.example.net [192.0.2.1]; 451 4.2.0 try again
///
/// (in one line; the message is known by its UID). A message without such an entry was never tried.
final class QueueText {

  static final String ID = "Queue-Id: ";
  private static final String ARRIVED = "Queue-Arrived: ";
  private static final String ACCOUNT = "Queue-Account: ";
  private static final String FROM = "Queue-From: ";
  private static final String TO = "Queue-To: ";
  private static final String STATE_OF = "Queue-State-Of: ";
  private static final String MESSAGE = ", message ";
  private static final String WAITING = "Queue-Waiting: ";

  /// Longest line there can be: a path, an ORCPT, and words of a server.
  private static final int LINE_MAX = 16 * 1024;

  private QueueText() {}

  /// An entry that is not as the queue wrote it.
  static final class MalformedException extends IOException {
    private static final long serialVersionUID = 1;

    MalformedException(String what) {
      super(what);
    }
  }

  /// What the fields before a message say.
  ///
  /// @param account who handed it in, when somebody logged in for it
  /// @param octets of the fields, on the wire
  record Arrival(
      String id, Instant arrived, Optional<Address> account, Envelope envelope, long octets) {}

  /// What became of a message so far.
  ///
  /// @param uid of the message's entry
  /// @param waiting the recipients that still wait, by their number
  record State(String id, long uid, List<Numbered> waiting) {}

  /// A recipient's number in its envelope, and how far it has come.
  record Numbered(int number, Progress progress) {}

  /// The fields that stand before a message.
  static byte[] arrival(String id, Instant arrived, Optional<Address> account, Envelope envelope) {
    var text = new StringBuilder(256);
    text.append(ID).append(id).append("\r\n");
    text.append(ARRIVED).append(arrived).append("\r\n");
    account.ifPresent(user -> text.append(ACCOUNT).append(user.quoted()).append("\r\n"));
    text.append(FROM).append('<');
    envelope.from().address().ifPresent(address -> text.append(address.quoted()));
    text.append('>');
    text.append(
        switch (envelope.body()) {
          case SEVEN_BIT -> "";
          case EIGHT_BIT_MIME -> " BODY=8BITMIME";
          case BINARY_MIME -> " BODY=BINARYMIME";
        });
    if (envelope.smtpUtf8()) {
      text.append(" SMTPUTF8");
    }
    envelope
        .returned()
        .ifPresent(
            returned ->
                text.append(returned == Envelope.Returned.FULL ? " RET=FULL" : " RET=HDRS"));
    envelope.id().ifPresent(given -> text.append(" ENVID=").append(given));
    handling(text, arrived, envelope.handling());
    text.append("\r\n");
    for (var path : envelope.to()) {
      text.append(TO).append('<').append(path.address().quoted()).append('>');
      if (!path.reports().isEmpty()) {
        text.append(" NOTIFY=");
        var sorted = new TreeSet<>(path.reports());
        text.append(String.join(",", sorted.stream().map(Enum::name).toList()));
      }
      path.originalRecipient().ifPresent(given -> text.append(" ORCPT=").append(given));
      text.append("\r\n");
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void handling(StringBuilder text, Instant arrived, Handling handling) {
    handling.release().ifPresent(release -> text.append(" HOLDUNTIL=").append(release.at(arrived)));
    handling
        .by()
        .ifPresent(
            by ->
                text.append(" BY=")
                    .append(by.seconds())
                    .append(by.mode() == Handling.DeliverBy.Mode.RETURN ? ";R" : ";N")
                    .append(by.trace() ? "T" : ""));
    if (handling.priority() != 0) {
      text.append(" MT-PRIORITY=").append(handling.priority());
    }
    if (handling.requireTls()) {
      text.append(" REQUIRETLS");
    }
    if (handling.disregardTls()) {
      text.append(" TLS-REQUIRED=NO");
    }
  }

  /// The entry that says what became of a message whose recipients have come so far.
  static byte[] state(String id, long uid, Envelope envelope, List<Progress> recipients) {
    var fields = new StringBuilder(512);
    int waiting = 0;
    for (int i = 0; i < recipients.size(); i++) {
      var progress = recipients.get(i);
      if (progress.waits()) {
        waiting++;
        fields.append(WAITING).append(i).append(" <");
        fields.append(envelope.to().get(i).address().quoted()).append('>');
        fields.append("; attempts ").append(progress.attempts());
        fields.append("; next ").append(progress.next());
        fields.append("; told ").append(progress.delayTold() ? "yes" : "no");
        progress
            .last()
            .ifPresent(
                last ->
                    fields
                        .append("; last ")
                        .append(last.at())
                        .append("; ")
                        .append(last.status())
                        .append("; ")
                        .append(oneLine(last.server()).replace(';', ','))
                        .append("; ")
                        .append(oneLine(last.words())));
        fields.append("\r\n");
      }
    }
    var subject =
        "Subject: %s: %d of %d recipient%s %s\r\n"
            .formatted(
                id,
                waiting,
                recipients.size(),
                recipients.size() == 1 ? "" : "s",
                waiting == 1 ? "waits" : "wait");
    var text = subject + STATE_OF + id + MESSAGE + uid + "\r\n" + fields + "\r\n";
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /// Words of others, on one line and no longer than a line may be.
  static String oneLine(String words) {
    var line = new StringBuilder(Math.min(words.length(), 1024));
    for (int i = 0; i < words.length() && line.length() < 2048; i++) {
      char c = words.charAt(i);
      line.append(Character.isISOControl(c) ? ' ' : c);
    }
    return line.toString().strip();
  }

  /// Reads the fields before a message; the stream is left somewhere behind them.
  static Arrival readArrival(InputStream in) throws IOException {
    var lines = new Lines(in);
    var id = after(ID, lines.next());
    var arrived = instant(after(ARRIVED, lines.next()));
    var line = lines.next();
    Optional<Address> account = Optional.empty();
    if (line.startsWith(ACCOUNT)) {
      account = Optional.of(new Words(after(ACCOUNT, line)).address());
      line = lines.next();
    }
    var words = new Words(after(FROM, line));
    var from = words.path();
    var body = Envelope.Body.SEVEN_BIT;
    boolean smtpUtf8 = false;
    Optional<Envelope.Returned> returned = Optional.empty();
    Optional<String> envelopeId = Optional.empty();
    Optional<Handling.Release> release = Optional.empty();
    Optional<Handling.DeliverBy> by = Optional.empty();
    int priority = 0;
    boolean requireTls = false;
    boolean disregardTls = false;
    for (var word = words.word(); !word.isEmpty(); word = words.word()) {
      if (word.equals("BODY=8BITMIME")) {
        body = Envelope.Body.EIGHT_BIT_MIME;
      } else if (word.equals("BODY=BINARYMIME")) {
        body = Envelope.Body.BINARY_MIME;
      } else if (word.startsWith("HOLDUNTIL=")) {
        release = Optional.of(new Handling.Release.Until(instant(word.substring(10))));
      } else if (word.startsWith("BY=")) {
        by = Optional.of(by(word.substring(3)));
      } else if (word.startsWith("MT-PRIORITY=")) {
        priority = number(word.substring(12));
      } else if (word.equals("REQUIRETLS")) {
        requireTls = true;
      } else if (word.equals("TLS-REQUIRED=NO")) {
        disregardTls = true;
      } else if (word.equals("SMTPUTF8")) {
        smtpUtf8 = true;
      } else if (word.equals("RET=FULL")) {
        returned = Optional.of(Envelope.Returned.FULL);
      } else if (word.equals("RET=HDRS")) {
        returned = Optional.of(Envelope.Returned.HEADERS);
      } else if (word.startsWith("ENVID=")) {
        envelopeId = Optional.of(word.substring(6));
      } else {
        throw new MalformedException("a parameter that is not known: " + word);
      }
    }
    var to = new ArrayList<ForwardPath>(1);
    long octets = lines.octets();
    for (line = lines.next(); line.startsWith(TO); line = lines.next()) {
      to.add(forwardPath(new Words(after(TO, line))));
      octets = lines.octets();
    }
    if (to.isEmpty()) {
      throw new MalformedException("a message for nobody");
    }
    var path = from.map(ReversePath::of).orElse(ReversePath.NULL);
    return new Arrival(
        id,
        arrived,
        account,
        new Envelope(
            path,
            to,
            body,
            smtpUtf8,
            returned,
            envelopeId,
            handlingOf(release, by, priority, requireTls, disregardTls)),
        octets);
  }

  private static Handling handlingOf(
      Optional<Handling.Release> release,
      Optional<Handling.DeliverBy> by,
      int priority,
      boolean requireTls,
      boolean disregardTls)
      throws MalformedException {
    try {
      var handling = new Handling(release, by, priority, requireTls, disregardTls);
      return handling.equals(Handling.USUAL) ? Handling.USUAL : handling;
    } catch (IllegalArgumentException e) {
      throw new MalformedException("no " + e.getMessage());
    }
  }

  private static Handling.DeliverBy by(String value) throws MalformedException {
    int semicolon = value.indexOf(';');
    if (semicolon < 0 || semicolon + 1 == value.length()) {
      throw new MalformedException("no BY: " + value);
    }
    try {
      return new Handling.DeliverBy(
          number(value.substring(0, semicolon)),
          value.charAt(semicolon + 1) == 'R'
              ? Handling.DeliverBy.Mode.RETURN
              : Handling.DeliverBy.Mode.NOTIFY,
          value.endsWith("T"));
    } catch (IllegalArgumentException e) {
      throw new MalformedException("no BY: " + value);
    }
  }

  private static ForwardPath forwardPath(Words words) throws MalformedException {
    var address = words.path().orElseThrow(() -> new MalformedException("an empty forward-path"));
    Set<ForwardPath.Notify> reports = Set.of();
    Optional<String> original = Optional.empty();
    for (var word = words.word(); !word.isEmpty(); word = words.word()) {
      if (word.startsWith("NOTIFY=")) {
        reports = EnumSet.noneOf(ForwardPath.Notify.class);
        for (int begin = 7; begin < word.length(); ) {
          int comma = word.indexOf(',', begin);
          int end = comma < 0 ? word.length() : comma;
          try {
            reports.add(ForwardPath.Notify.valueOf(word.substring(begin, end)));
          } catch (IllegalArgumentException e) {
            throw new MalformedException("NOTIFY that is not known: " + word);
          }
          begin = end + 1;
        }
      } else if (word.startsWith("ORCPT=")) {
        original = Optional.of(word.substring(6));
      } else {
        throw new MalformedException("a parameter that is not known: " + word);
      }
    }
    return new ForwardPath(address, reports, original);
  }

  /// Reads a state entry whole.
  static State readState(InputStream in) throws IOException {
    var lines = new Lines(in);
    if (!lines.next().startsWith("Subject: ")) {
      throw new MalformedException("no state of a message");
    }
    var of = new Words(after(STATE_OF, lines.next()));
    var id = of.until(MESSAGE);
    long uid = number(of.rest());
    var waiting = new ArrayList<Numbered>();
    for (var line = lines.next(); !line.isEmpty(); line = lines.next()) {
      waiting.add(numbered(after(WAITING, line)));
    }
    return new State(id, uid, waiting);
  }

  private static Numbered numbered(String line) throws MalformedException {
    var words = new Words(line);
    int number = number(words.word());
    words.path();
    words.expect("; attempts ");
    int attempts = number(words.until("; "));
    words.expect("next ");
    var next = instant(words.until("; "));
    words.expect("told ");
    boolean told = words.until("; ").equals("yes");
    Optional<Progress.Last> last = Optional.empty();
    if (!words.atEnd()) {
      words.expect("last ");
      var at = instant(words.until("; "));
      var status = status(words.until("; "));
      var server = words.until("; ");
      last = Optional.of(new Progress.Last(at, status, server, words.rest()));
    }
    return new Numbered(number, new Progress(Progress.State.WAITING, attempts, next, told, last));
  }

  private static String after(String prefix, String line) throws MalformedException {
    if (!line.startsWith(prefix)) {
      throw new MalformedException(
          "expected "
              + prefix.strip()
              + ", found "
              + line.substring(0, Math.min(40, line.length())));
    }
    return line.substring(prefix.length());
  }

  private static int number(String text) throws MalformedException {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new MalformedException("no number: " + text);
    }
  }

  private static Instant instant(String text) throws MalformedException {
    try {
      return Instant.parse(text);
    } catch (DateTimeException e) {
      throw new MalformedException("no time: " + text);
    }
  }

  private static EnhancedStatus status(String text) throws MalformedException {
    int first = text.indexOf('.');
    int second = text.indexOf('.', first + 1);
    if (first < 0 || second < 0) {
      throw new MalformedException("no status: " + text);
    }
    try {
      return new EnhancedStatus(
          number(text.substring(0, first)),
          number(text.substring(first + 1, second)),
          number(text.substring(second + 1)));
    } catch (IllegalArgumentException e) {
      throw new MalformedException("no status: " + text);
    }
  }

  /// Lines of a stream, without their ends.
  private static final class Lines {
    private final InputStream in;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final byte[] block = new byte[4096];
    private int at;
    private int limit;
    private long octets;

    Lines(InputStream in) {
      this.in = in;
    }

    /// The next line; empty at the end.
    String next() throws IOException {
      line.reset();
      while (true) {
        if (at == limit) {
          at = 0;
          limit = Math.max(0, in.read(block));
          if (limit == 0) {
            break;
          }
        }
        byte octet = block[at++];
        octets++;
        if (octet == '\n') {
          break;
        }
        line.write(octet);
        if (line.size() > LINE_MAX) {
          throw new MalformedException("a line of more than " + LINE_MAX + " octets");
        }
      }
      var text = line.toString(StandardCharsets.UTF_8);
      return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
    }

    long octets() {
      return octets;
    }
  }

  /// Reads along a line.
  private static final class Words {
    private final String text;
    private int at;

    Words(String text) {
      this.text = text;
    }

    boolean atEnd() {
      return at >= text.length();
    }

    /// What stands before the next space, which is passed; empty at the end.
    String word() {
      return until(" ");
    }

    String until(String end) {
      int found = text.indexOf(end, at);
      var word = text.substring(Math.min(at, text.length()), found < 0 ? text.length() : found);
      at = found < 0 ? text.length() : found + end.length();
      return word;
    }

    String rest() {
      var rest = text.substring(Math.min(at, text.length()));
      at = text.length();
      return rest;
    }

    void expect(String words) throws MalformedException {
      if (!text.startsWith(words, at)) {
        throw new MalformedException("expected " + words.strip() + " in " + text);
      }
      at += words.length();
    }

    /// A path in angle brackets and the space behind it; empty for `<>`.
    Optional<Address> path() throws MalformedException {
      expect("<");
      if (text.startsWith(">", at)) {
        at++;
        space();
        return Optional.empty();
      }
      var address = address();
      expect(">");
      space();
      return Optional.of(address);
    }

    private void space() {
      if (text.startsWith(" ", at)) {
        at++;
      }
    }

    /// An address as `Address.quoted` writes it, up to `>` or the end.
    Address address() throws MalformedException {
      var local = new StringBuilder();
      if (text.startsWith("\"", at)) {
        at++;
        while (at < text.length() && text.charAt(at) != '"') {
          if (text.charAt(at) == '\\' && at + 1 < text.length()) {
            at++;
          }
          local.append(text.charAt(at++));
        }
        at++;
      } else {
        while (at < text.length() && text.charAt(at) != '@') {
          local.append(text.charAt(at++));
        }
      }
      expect("@");
      int end = text.indexOf('>', at);
      var domain = text.substring(at, end < 0 ? text.length() : end);
      at = end < 0 ? text.length() : end;
      try {
        return new Address(local.toString(), new Domain(domain.toLowerCase(Locale.ROOT)));
      } catch (IllegalArgumentException e) {
        throw new MalformedException("no address: " + text);
      }
    }
  }
}
