package longhand.relay;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import javax.net.ssl.SSLSession;
import longhand.auth.ScramClient;
import longhand.mail.EnhancedStatus;
import longhand.mail.Envelope;
import longhand.mail.ForwardPath;
import longhand.mail.Handling;
import longhand.wire.Connection;
import longhand.wire.Connector;
import longhand.wire.TlsVerification;
import org.jspecify.annotations.Nullable;

/// A session with another server, SMTP or LMTP, as its client: opened once, then any number of
/// transactions while it is `usable`. Straight-line and blocking, for one thread.
///
/// A server is believed only what it was asked. Octets that wait before we have asked, a reply that
/// is none, and one that does not fit the command end the session, for afterwards no reply can be
/// told to belong to a command. What comes before the end of data is never taken for the reply to
/// it, unless it says no.
public final class SmtpClient implements Closeable {

  /// Commands that wait for replies at once: few enough that neither side fills the other's socket
  /// (RFC 2920 §3.1).
  private static final int PIPELINED_OCTETS_MAX = 8 * 1024;

  /// Stuffed with dots, a block still fits the connection's buffer, so that the end of data leaves
  /// no sooner than is noted.
  private static final int BLOCK_OCTETS = 32 * 1024;

  /// Longest command line without CRLF that any server takes (RFC 5321 §4.5.3.1.4).
  private static final int LINE_OCTETS_MAX = 510;

  private static final EnhancedStatus TOO_LARGE = new EnhancedStatus(5, 3, 4);
  private static final EnhancedStatus BARE_LINE_END = new EnhancedStatus(5, 6, 0);
  private static final EnhancedStatus EIGHT_BIT = new EnhancedStatus(5, 6, 3);
  private static final EnhancedStatus UTF8 = new EnhancedStatus(5, 6, 7);
  private static final EnhancedStatus NO_REQUIRETLS = new EnhancedStatus(5, 7, 30);
  private static final EnhancedStatus TIME_OVER = new EnhancedStatus(5, 4, 7);
  private static final SecureRandom RANDOM = new SecureRandom();

  /// A command of a transaction, and whose recipient's, if it is RCPT.
  private record Command(Step step, String line, int recipient) {}

  private final Connection connection;
  private final ReplyReader replies;
  private final Target target;
  private final Timeouts timeouts;
  private final Consumer<TlsResult> told;
  private final boolean lmtp;
  private Extensions extensions = Extensions.NONE;
  private Step step = Step.GREETING;
  private boolean usable = true;
  private boolean inTransaction;
  private boolean endSent;

  private SmtpClient(
      Connection connection, Target target, Timeouts timeouts, Consumer<TlsResult> told) {
    this.connection = connection;
    this.replies = new ReplyReader(connection);
    this.target = target;
    this.timeouts = timeouts;
    this.told = told;
    this.lmtp = target.protocol() == Target.Protocol.LMTP;
  }

  /// Connects, greets, takes up TLS and logs in, as the target demands.
  ///
  /// @param hostname our name, for EHLO
  public static Opening open(
      Connector connector, Target target, String hostname, Timeouts timeouts) {
    return open(connector, target, hostname, timeouts, _ -> {});
  }

  /// As the other, and tells what became of TLS where the target is to be asked for it, once at
  /// most: not when the session ended before that was known.
  public static Opening open(
      Connector connector,
      Target target,
      String hostname,
      Timeouts timeouts,
      Consumer<TlsResult> told) {
    SmtpClient client;
    try {
      client =
          new SmtpClient(
              connector.connect(target.address(), target.source(), timeouts.connect()),
              target,
              timeouts,
              told);
    } catch (IOException e) {
      return new Opening.Broken(Step.CONNECT, said(e));
    }
    Opening opening;
    try {
      opening = client.begin(hostname);
    } catch (IOException e) {
      client.close();
      return new Opening.Broken(client.step, said(e));
    }
    switch (opening) {
      case Opening.Ready _ -> {}
      case Opening.Rejected _, Opening.Lacking _ -> client.quit();
      case Opening.Broken _ -> client.close();
    }
    return opening;
  }

  /// Whether another transaction may follow.
  public boolean usable() {
    return usable;
  }

  /// Whether the server promises the reports that senders ask for (RFC 3461).
  public boolean reports() {
    return extensions.dsn();
  }

  /// Whether the server takes octets above 127 (RFC 6152).
  public boolean eightBit() {
    return extensions.eightBitMime();
  }

  /// Whether the server keeps the time by which a message is to be delivered (RFC 2852).
  public boolean deliversBy() {
    return extensions.deliverBy();
  }

  /// The TLS session, when there is one.
  public Optional<SSLSession> tls() {
    return connection.tls();
  }

  /// Takes a message to the recipients of its envelope; the outcomes are in their order. An
  /// unusable session is an `IllegalStateException`, a control character in the envelope an
  /// `IllegalArgumentException`.
  public List<Outcome> send(Outgoing mail) {
    if (!usable) {
      throw new IllegalStateException("the session has ended");
    }
    var outcomes = new @Nullable Outcome[mail.envelope().to().size()];
    var cannot = unsendable(mail);
    if (cannot != null) {
      Arrays.fill(outcomes, cannot);
      return List.of(outcomes);
    }
    var commands = commands(mail, outcomes);
    endSent = false;
    step = Step.MAIL;
    try {
      connection.deadline(timeouts.session());
      if (commands.stream().anyMatch(command -> command.step == Step.RECIPIENT)) {
        transaction(mail, commands, outcomes);
      }
    } catch (IOException e) {
      end();
      fill(outcomes, new Outcome.Broken(step, endSent, said(e)));
    }
    return List.of(outcomes);
  }

  /// Says goodbye, waits for the answer a moment, and closes. Does nothing when the session has
  /// broken.
  public void quit() {
    try {
      if (usable) {
        usable = false;
        connection.write("QUIT\r\n");
        connection.flush();
        replies.read(timeouts.quit());
      }
    } catch (IOException e) {
      // Nothing depends on the answer.
    }
    close();
  }

  /// Closes at once.
  @Override
  public void close() {
    end();
  }

  private Opening begin(String hostname) throws IOException {
    connection.deadline(timeouts.session());
    if (target.tls() instanceof TlsPolicy.Implicit(var verification)) {
      handshake(verification);
    }
    step = Step.GREETING;
    var greeting = replies.read(timeouts.greeting());
    if (!isDone(greeting)) {
      return rejected(greeting);
    }
    var opening = hello(hostname);
    if (opening == null) {
      opening =
          switch (target.tls()) {
            case TlsPolicy.Never _, TlsPolicy.Implicit _ -> null;
            case TlsPolicy.Opportunistic _ -> startTls(hostname, new TlsVerification.None(), false);
            case TlsPolicy.Required(var verification) -> startTls(hostname, verification, true);
          };
    }
    if (opening == null && target.login().isPresent()) {
      opening = authenticate(target.login().get());
    }
    return opening == null ? new Opening.Ready(this) : opening;
  }

  private @Nullable Opening hello(String hostname) throws IOException {
    step = Step.HELLO;
    var reply = ask((lmtp ? "LHLO " : "EHLO ") + hostname, timeouts.command());
    if (isDone(reply)) {
      extensions = Extensions.of(reply);
      return null;
    }
    // RFC 5321 §3.2: an old server knows HELO only. Under TLS it has shown that it is none.
    if (reply.kind() == 4 || lmtp || connection.tls().isPresent()) {
      return rejected(reply);
    }
    reply = ask("HELO " + hostname, timeouts.command());
    return isDone(reply) ? null : rejected(reply);
  }

  private @Nullable Opening startTls(
      String hostname, TlsVerification verification, boolean required) throws IOException {
    if (!extensions.startTls()) {
      told.accept(new TlsResult.NotOffered());
      return required ? new Opening.Lacking(Step.TLS, "STARTTLS is not offered") : null;
    }
    step = Step.TLS;
    var reply = ask("STARTTLS", timeouts.command());
    if (!isDone(reply)) {
      told.accept(new TlsResult.NotOffered());
      return required || reply.code() == Reply.CLOSING ? rejected(reply) : null;
    }
    // RFC 3207 §5: what somebody put behind the answer must not be taken for said under TLS.
    if (connection.unreadOctets()) {
      throw new ReplyException("octets in clear after the answer to STARTTLS");
    }
    handshake(verification);
    extensions = Extensions.NONE;
    return hello(hostname);
  }

  private void handshake(TlsVerification verification) throws IOException {
    step = Step.TLS;
    connection.timeout(timeouts.handshake());
    try {
      connection.startTls(target.host(), verification);
    } catch (IOException e) {
      told.accept(new TlsResult.Failed(e));
      throw e;
    }
    connection.tls().map(TlsResult.Established::new).ifPresent(told);
  }

  private @Nullable Opening authenticate(Target.Login login) throws IOException {
    step = Step.AUTH;
    if (connection.tls().isEmpty()) {
      return new Opening.Lacking(step, "no TLS to log in under");
    }
    if (extensions.mechanisms().contains(ScramClient.NAME)) {
      return scram(login);
    }
    if (!extensions.mechanisms().contains("PLAIN")) {
      return new Opening.Lacking(step, "neither PLAIN nor " + ScramClient.NAME + " is offered");
    }
    var plain = "\0" + login.name() + "\0" + login.password();
    var reply = initial("PLAIN", plain.getBytes(StandardCharsets.UTF_8));
    return isDone(reply) ? null : rejected(reply);
  }

  private @Nullable Opening scram(Target.Login login) throws IOException {
    var exchange = new ScramClient(login.name(), login.password(), RANDOM);
    var reply = initial(ScramClient.NAME, exchange.first());
    if (reply.kind() != 3) {
      return scramEnded(reply);
    }
    var last = exchange.last(challenge(reply));
    if (last.isEmpty()) {
      return scramFailed();
    }
    reply = ask(base64(last.get()), timeouts.command());
    if (reply.kind() != 3) {
      return scramEnded(reply);
    }
    if (!exchange.isProven(challenge(reply))) {
      return scramFailed();
    }
    reply = ask("", timeouts.command());
    return isDone(reply) ? null : rejected(reply);
  }

  /// A success before the server has proven that it knows the password is none.
  private Opening scramEnded(Reply reply) {
    return reply.kind() == 2 ? scramFailed() : rejected(reply);
  }

  private Opening scramFailed() {
    end();
    return new Opening.Lacking(step, "the server does not prove that it knows the password");
  }

  /// AUTH with an initial response where a line has room for it (RFC 4954 §4).
  private Reply initial(String mechanism, byte[] response) throws IOException {
    var line = "AUTH " + mechanism + " " + base64(response);
    if (line.length() <= LINE_OCTETS_MAX) {
      return ask(line, timeouts.command());
    }
    var reply = ask("AUTH " + mechanism, timeouts.command());
    return reply.kind() == 3 ? ask(base64(response), timeouts.command()) : reply;
  }

  private static String base64(byte[] octets) {
    return Base64.getEncoder().encodeToString(octets);
  }

  private static byte[] challenge(Reply reply) throws ReplyException {
    try {
      return Base64.getDecoder().decode(reply.lines().getFirst());
    } catch (IllegalArgumentException e) {
      throw new ReplyException("a challenge that is not base64: " + reply);
    }
  }

  /// Why nobody can get the message here; null when somebody may.
  private @Nullable Outcome unsendable(Outgoing mail) {
    var envelope = mail.envelope();
    if (mail.requireTls()
        && !(extensions.requireTls() && connection.tls().isPresent() && target.tls().verifies())) {
      return new Outcome.Unsendable(NO_REQUIRETLS, "REQUIRETLS with a verified server is not had");
    }
    // RFC 2852 §4.1.4: what is to go back when it is late goes to nobody who would not give it
    // back.
    // Over LMTP the answer says that it is delivered.
    var returning =
        envelope.handling().by().filter(by -> by.mode() == Handling.DeliverBy.Mode.RETURN);
    if (returning.isPresent() && !lmtp) {
      if (!extensions.deliverBy()) {
        return new Outcome.Unsendable(
            TIME_OVER, "DELIVERBY is not offered, and the message is to go back when it is late");
      }
      int seconds = returning.get().seconds();
      if (seconds < extensions.deliverByMin()) {
        return new Outcome.Unsendable(
            TIME_OVER,
            seconds + " s are left, the server wants " + extensions.deliverByMin() + " at least");
      }
    }
    if (extensions.sizeMax() > 0 && mail.sizeOctets() > extensions.sizeMax()) {
      return new Outcome.Unsendable(
          TOO_LARGE, mail.sizeOctets() + " octets, the server takes " + extensions.sizeMax());
    }
    boolean utf8From =
        envelope.from().address().filter(from -> !isAscii(from.quoted())).isPresent();
    if ((envelope.smtpUtf8() || utf8From) && !extensions.smtpUtf8()) {
      return new Outcome.Unsendable(UTF8, "SMTPUTF8 is not offered");
    }
    if (envelope.body() == Envelope.Body.EIGHT_BIT_MIME && !extensions.eightBitMime()) {
      return new Outcome.Unsendable(EIGHT_BIT, "8BITMIME is not offered");
    }
    return null;
  }

  /// MAIL, RCPT for each recipient that can be named here, and DATA unless BDAT follows.
  private List<Command> commands(Outgoing mail, @Nullable Outcome[] outcomes) {
    var to = mail.envelope().to();
    var commands = new ArrayList<Command>(to.size() + 2);
    boolean utf8 = mail.envelope().smtpUtf8();
    for (int i = 0; i < to.size(); i++) {
      boolean ascii = isAscii(to.get(i).address().quoted());
      if (!ascii && !extensions.smtpUtf8()) {
        outcomes[i] = new Outcome.Unsendable(UTF8, "SMTPUTF8 is not offered");
      } else {
        utf8 |= !ascii;
        commands.add(new Command(Step.RECIPIENT, recipientCommand(to.get(i)), i));
      }
    }
    commands.addFirst(new Command(Step.MAIL, mailCommand(mail, utf8), -1));
    if (!extensions.chunking()) {
      commands.add(new Command(Step.DATA, "DATA", -1));
    }
    return commands;
  }

  private String mailCommand(Outgoing mail, boolean utf8) {
    var envelope = mail.envelope();
    var line = new StringBuilder("MAIL FROM:<");
    envelope.from().address().ifPresent(address -> line.append(address.quoted()));
    line.append('>');
    if (extensions.size()) {
      line.append(" SIZE=").append(mail.sizeOctets());
    }
    if (envelope.body() == Envelope.Body.EIGHT_BIT_MIME) {
      line.append(" BODY=8BITMIME");
    }
    if (utf8 || envelope.from().address().filter(from -> !isAscii(from.quoted())).isPresent()) {
      line.append(" SMTPUTF8");
    }
    if (extensions.dsn()) {
      envelope
          .returned()
          .ifPresent(
              returned ->
                  line.append(" RET=")
                      .append(
                          switch (returned) {
                            case FULL -> "FULL";
                            case HEADERS -> "HDRS";
                          }));
      envelope.id().ifPresent(id -> line.append(" ENVID=").append(id));
    }
    if (extensions.priority() && envelope.handling().priority() != 0) {
      line.append(" MT-PRIORITY=").append(envelope.handling().priority());
    }
    if (extensions.deliverBy()) {
      envelope
          .handling()
          .by()
          .ifPresent(
              by ->
                  line.append(" BY=")
                      .append(by.seconds())
                      .append(by.mode() == Handling.DeliverBy.Mode.RETURN ? ";R" : ";N")
                      .append(by.trace() ? "T" : ""));
    }
    if (mail.requireTls()) {
      line.append(" REQUIRETLS");
    }
    return checked(line.toString());
  }

  private String recipientCommand(ForwardPath to) {
    var line = new StringBuilder("RCPT TO:<").append(to.address().quoted()).append('>');
    if (extensions.dsn()) {
      var separator = " NOTIFY=";
      for (var notify : ForwardPath.Notify.values()) {
        if (to.reports().contains(notify)) {
          line.append(separator).append(notify);
          separator = ",";
        }
      }
      to.originalRecipient()
          .filter(original -> extensions.smtpUtf8() || isAscii(original))
          .ifPresent(original -> line.append(" ORCPT=").append(original));
    }
    return checked(line.toString());
  }

  /// Whatever an address holds, it stays within its line.
  private static String checked(String line) {
    for (int i = 0; i < line.length(); i++) {
      if (Character.isISOControl(line.charAt(i))) {
        throw new IllegalArgumentException("control character in a command");
      }
    }
    return line;
  }

  private static boolean isAscii(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) > '~') {
        return false;
      }
    }
    return true;
  }

  private void transaction(Outgoing mail, List<Command> commands, @Nullable Outcome[] outcomes)
      throws IOException {
    if (inTransaction) {
      step = Step.RESET;
      var reply = ask("RSET", timeouts.command());
      if (!isDone(reply)) {
        throw new ReplyException("RSET was answered " + reply);
      }
    }
    inTransaction = true;
    var accepted = new ArrayList<Integer>();
    var data = negotiate(commands, outcomes, accepted);
    if (!usable) {
      return;
    }
    if (data != null && data.kind() == 3) {
      if (accepted.isEmpty()) {
        refrain();
      } else {
        content(mail, accepted, outcomes);
      }
    } else if (data != null) {
      fill(outcomes, verdict(data));
    } else if (!accepted.isEmpty()) {
      content(mail, accepted, outcomes);
    }
  }

  /// Says the commands, in groups where the server takes them so, and hears the replies; gives that
  /// to DATA. Recipients without an outcome afterwards are those in `accepted`.
  private @Nullable Reply negotiate(
      List<Command> commands, @Nullable Outcome[] outcomes, List<Integer> accepted)
      throws IOException {
    boolean sender = false;
    Reply data = null;
    for (int begin = 0; begin < commands.size(); ) {
      boolean pointless = commands.get(begin).step == Step.DATA && accepted.isEmpty();
      if (begin > 0 && (!sender || pointless)) {
        break;
      }
      int end = groupEnd(commands, begin);
      step = commands.get(begin).step;
      nothingUnread();
      for (var command : commands.subList(begin, end)) {
        connection.write(command.line + "\r\n");
      }
      connection.flush();
      for (var command : commands.subList(begin, end)) {
        step = command.step;
        var reply = replies.read(timeout(command.step));
        if (reply.code() == Reply.CLOSING) {
          fill(outcomes, new Outcome.Deferred(reply));
          end();
          return null;
        }
        switch (command.step) {
          case MAIL -> {
            sender = isDone(reply);
            if (!sender) {
              fill(outcomes, verdict(reply));
            }
          }
          case RECIPIENT -> {
            if (sender && isDone(reply)) {
              accepted.add(command.recipient);
            } else if (sender) {
              outcomes[command.recipient] = verdictOnRecipient(reply);
            }
          }
          default -> {
            if (isDone(reply)) {
              throw new ReplyException("DATA was answered " + reply);
            }
            data = reply;
          }
        }
      }
      begin = end;
    }
    return data;
  }

  private int groupEnd(List<Command> commands, int begin) {
    int end = begin + 1;
    int octets = commands.get(begin).line.length();
    while (extensions.pipelining()
        && end < commands.size()
        && (octets += commands.get(end).line.length() + 2) <= PIPELINED_OCTETS_MAX) {
      end++;
    }
    return end;
  }

  private Duration timeout(Step command) {
    return switch (command) {
      case MAIL -> timeouts.mail();
      case RECIPIENT -> timeouts.recipient();
      default -> timeouts.dataInitiation();
    };
  }

  /// DATA went along with recipients of whom none was accepted, and the server wants a message: it
  /// gets an empty one (RFC 2920 §3.1). Over LMTP no reply to that is due, so nothing can follow.
  private void refrain() throws IOException {
    if (lmtp) {
      end();
      return;
    }
    connection.write(".\r\n");
    connection.flush();
    replies.read(timeouts.dataTermination());
  }

  /// Sends the message and hears what becomes of it.
  private void content(Outgoing mail, List<Integer> accepted, @Nullable Outcome[] outcomes)
      throws IOException {
    step = Step.CONTENT;
    nothingUnread();
    var writer = new ContentWriter(connection, !extensions.chunking());
    if (extensions.chunking()) {
      connection.write("BDAT " + mail.sizeOctets() + " LAST\r\n");
    }
    try (var in = mail.source().open()) {
      var block = new byte[Math.clamp(mail.sizeOctets(), 1, BLOCK_OCTETS)];
      boolean last = false;
      for (long sent = 0; !last; ) {
        int n = in.readNBytes(block, 0, block.length);
        sent += n;
        last = isLast(in, n < block.length, sent, mail.sizeOctets());
        writer.write(block, n);
        if (last) {
          writer.end();
        }
        if (connection.unreadOctets()) {
          early(outcomes);
          return;
        }
        if (last) {
          step = Step.END_OF_DATA;
          endSent = true;
        }
        connection.flush();
      }
    } catch (ContentWriter.BareLineEnd e) {
      // What has been sent of it can only be forgotten by closing.
      end();
      fill(outcomes, new Outcome.Unsendable(BARE_LINE_END, "a bare CR or LF in the message"));
      return;
    }
    connection.deadline(longer(timeouts.session(), timeouts.dataTermination()));
    for (int recipient : accepted) {
      var reply = replies.read(timeouts.dataTermination());
      var outcome = isDone(reply) ? new Outcome.Delivered(reply) : verdict(reply);
      boolean closing = reply.code() == Reply.CLOSING;
      if (lmtp && !closing) {
        outcomes[recipient] = outcome;
      } else {
        fill(outcomes, outcome);
        if (closing) {
          end();
          return;
        }
        break;
      }
    }
    inTransaction = false;
    if (connection.unreadOctets()) {
      end();
    }
  }

  private static boolean isLast(InputStream in, boolean ended, long sent, long size)
      throws IOException {
    boolean last = ended || sent == size;
    if (sent > size || (last && (sent < size || in.read() >= 0))) {
      throw new EOFException("our message is not of " + size + " octets as was said");
    }
    return last;
  }

  /// The server speaks before it has the message: only a no can be meant.
  private void early(@Nullable Outcome[] outcomes) throws IOException {
    var reply = replies.read(timeouts.dataTermination());
    if (reply.kind() < 4) {
      throw new ReplyException("before the end of data: " + reply);
    }
    end();
    fill(outcomes, verdict(reply));
  }

  private static Duration longer(Duration one, Duration other) {
    return one.compareTo(other) > 0 ? one : other;
  }

  private static boolean isDone(Reply reply) {
    return reply.kind() == 2;
  }

  private static Outcome verdict(Reply reply) throws ReplyException {
    return switch (reply.kind()) {
      case 4 -> new Outcome.Deferred(reply);
      case 5 -> new Outcome.Refused(reply);
      default -> throw new ReplyException("answered out of turn: " + reply);
    };
  }

  /// RFC 5321 §4.5.3.1.10: 552 may mean too many recipients, of whom the rest may come later.
  private static Outcome verdictOnRecipient(Reply reply) throws ReplyException {
    boolean tooMany =
        reply.code() == 552
            && reply
                .status()
                .map(status -> status.subject() == 5 && status.detail() == 3)
                .orElse(true);
    return tooMany ? new Outcome.Deferred(reply) : verdict(reply);
  }

  private Opening rejected(Reply reply) {
    return reply.kind() < 4
        ? new Opening.Broken(step, "answered out of turn: " + reply)
        : new Opening.Rejected(step, reply);
  }

  private Reply ask(String line, Duration timeout) throws IOException {
    nothingUnread();
    connection.write(line + "\r\n");
    connection.flush();
    return replies.read(timeout);
  }

  private void nothingUnread() throws IOException {
    if (connection.unreadOctets()) {
      var shown = "no line";
      if (connection.lineWaiting() || connection.tls().isEmpty()) {
        shown = replies.read(timeouts.quit()).toString();
      }
      throw new ReplyException("octets nobody asked for: " + shown);
    }
  }

  private void end() {
    usable = false;
    try {
      connection.close();
    } catch (IOException e) {
      // Closed is closed.
    }
  }

  private static void fill(@Nullable Outcome[] outcomes, Outcome outcome) {
    for (int i = 0; i < outcomes.length; i++) {
      if (outcomes[i] == null) {
        outcomes[i] = outcome;
      }
    }
  }

  private static String said(IOException e) {
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }
}
