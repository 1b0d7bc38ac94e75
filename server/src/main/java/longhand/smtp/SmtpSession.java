package longhand.smtp;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.SequenceInputStream;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import javax.net.ssl.SSLSession;
import longhand.auth.Sasl;
import longhand.delivery.Delivery;
import longhand.delivery.Destination;
import longhand.delivery.Outcome;
import longhand.directory.AccountRecord;
import longhand.journey.JourneyId;
import longhand.mail.Address;
import longhand.mail.EnhancedStatus;
import longhand.mail.Envelope;
import longhand.mail.ForwardPath;
import longhand.sending.SendingRecords;
import longhand.sending.Suppression;
import longhand.smtp.Command.XClient.Attribute;
import longhand.smtp.Command.XClient.Value;
import longhand.wire.BareLineEndException;
import longhand.wire.Connection;
import longhand.wire.Limits;
import longhand.wire.LineTooLongException;
import longhand.wire.TooSlowException;
import org.jspecify.annotations.Nullable;

/// One SMTP or LMTP conversation, on its own thread: reads commands, answers replies, collects the
/// envelope, hands the message to delivery.
///
/// Answers go out when no whole command of the client waits any more (RFC 2920). Octets that do not
/// end their lines in CRLF, lines beyond the limits, and silence end the session with an answer.
final class SmtpSession {

  private static final System.Logger LOG = System.getLogger(SmtpSession.class.getName());
  private static final EnhancedStatus LOOP = new EnhancedStatus(5, 4, 6);
  private static final EnhancedStatus FULL_NOW = new EnhancedStatus(4, 2, 2);
  private static final EnhancedStatus FULL_EVER = new EnhancedStatus(5, 2, 2);

  private static final int REPLY_TEXT_MAX = 490;

  /// How far the conversation has come. An envelope exists only inside a transaction.
  private sealed interface State {
    /// Nobody said hello yet, or not since TLS.
    record Greeted() implements State {}

    /// Between messages.
    record Ready(Command.Hello hello) implements State {}

    /// From MAIL to the end of the message.
    record InTransaction(Command.Hello hello, Transaction transaction) implements State {}
  }

  /// What MAIL, RCPT and BDAT have said so far.
  private static final class Transaction {
    final String id = JourneyId.next();
    final Command.Mail mail;
    final List<Destination.Found> to = new ArrayList<>(1);
    final List<ForwardPath> paths = new ArrayList<>(1);
    final SendingRecords.@Nullable Draft draft;
    @Nullable Incoming chunks;

    /// @param draft of who has logged in
    Transaction(Command.Mail mail, SendingRecords.@Nullable Draft draft) {
      this.mail = mail;
      this.draft = draft;
    }
  }

  private final Connection connection;
  private final SmtpServices services;
  private final Limits limits;
  private final SmtpJourney journey;
  private final SmtpServer.Counts counts;
  private final BooleanSupplier stressed;
  private final boolean lmtp;
  private final boolean submission;
  private State state = new State.Greeted();
  private SpokenFor spokenFor = SpokenFor.NOBODY;
  private @Nullable Address user;
  private int errors;
  private int authFailures;
  private boolean closing;

  SmtpSession(
      Connection connection,
      SmtpServices services,
      SmtpServer.Counts counts,
      BooleanSupplier stressed) {
    this.connection = connection;
    this.services = services;
    this.limits = services.limits();
    this.journey = new SmtpJourney(connection, services);
    this.counts = counts;
    this.stressed = stressed;
    this.lmtp = services.mode() == SmtpServices.Mode.LMTP;
    this.submission = services.mode() == SmtpServices.Mode.SUBMISSION;
  }

  /// Talks until the client quits, goes, or must go. `IOException` means that nothing more can be
  /// said.
  void run() throws IOException {
    try {
      connection.deadline(limits.smtpSessionMax());
      if (services.implicitTls()) {
        handshake();
      }
      reply(greeting());
      converse();
    } catch (BareLineEndException e) {
      last(Reply.BARE_LINE_END);
    } catch (LineTooLongException e) {
      last(Reply.LINE_TOO_LONG);
    } catch (TooSlowException e) {
      last(Reply.TOO_SLOW);
    } catch (SocketTimeoutException e) {
      last(Reply.TIMEOUT);
    } catch (EOFException e) {
      if (!connection.ending()) {
        throw e;
      }
      last(Reply.SHUTDOWN);
    } catch (RuntimeException | Error e) {
      last(Reply.OUR_MISTAKE);
      throw e;
    } finally {
      abandon();
    }
  }

  private Reply greeting() {
    return Reply.plain(220, services.hostname() + (lmtp ? " LMTP" : " ESMTP") + " Longhand");
  }

  private void converse() throws IOException {
    while (!closing) {
      connection.timeout(
          stressed.getAsBoolean() ? limits.smtpStressIdleTimeout() : limits.smtpIdleTimeout());
      var line = connection.readLine(Math.max(limits.smtpLineOctetsMax(), authLineMax()));
      if (line == null) {
        if (connection.ending()) {
          last(Reply.SHUTDOWN);
        }
        return;
      }
      if (line.length > limits.smtpLineOctetsMax() && !CommandParser.isAuth(line)) {
        throw new LineTooLongException(limits.smtpLineOctetsMax());
      }
      var command = CommandParser.parse(line, services.postmasterDomain(), announced());
      counts.commands.count(command);
      apply(command);
    }
    connection.finish();
  }

  private int authLineMax() {
    return submission && user == null ? limits.smtpAuthLineOctetsMax() : 0;
  }

  /// Does one command, its answers included.
  private void apply(Command command) throws IOException {
    switch (command) {
      case Command.Hello hello -> reply(hello(hello));
      case Command.Mail mail -> reply(journey.begun(mail, mail(mail)));
      case Command.Recipient recipient ->
          reply(journey.recipient(transactionId(), recipient, recipient(recipient)));
      case Command.Data _ -> data();
      case Command.Bdat bdat -> bdat(bdat);
      case Command.Reset _ -> {
        reset();
        reply(Reply.OK);
      }
      case Command.Noop _ -> reply(Reply.OK);
      case Command.Verify _ -> reply(Reply.CANNOT_VERIFY);
      case Command.Help _ -> reply(Reply.HELP);
      case Command.NotHere _ -> reply(Reply.NOT_HERE);
      case Command.XClient client -> reply(xclient(client));
      case Command.StartTls _ -> startTls();
      case Command.Auth auth -> reply(journey.login(auth, auth(auth)));
      case Command.Quit _ -> {
        closing = true;
        reply(Reply.BYE);
      }
      case Command.Malformed(var owed) -> reply(owed);
    }
  }

  private Reply hello(Command.Hello hello) {
    boolean wrongProtocol = lmtp != (hello.kind() == Command.Hello.Kind.LHLO);
    if (wrongProtocol) {
      return Reply.UNKNOWN_COMMAND;
    }
    abandon();
    state = new State.Ready(hello);
    if (hello.kind() == Command.Hello.Kind.HELO) {
      return Reply.plain(250, services.hostname());
    }
    return Reply.plainLines(250, extensions());
  }

  /// Extensions whose parameters are taken now.
  private Set<Extension> announced() {
    var announced = EnumSet.of(Extension.BINARYMIME);
    if (lmtp) {
      return announced;
    }
    announced.add(Extension.MT_PRIORITY);
    announced.add(Extension.DELIVERBY);
    if (submission) {
      announced.add(Extension.FUTURERELEASE);
    }
    if (connection.tls().isPresent()) {
      announced.add(Extension.REQUIRETLS);
    }
    return announced;
  }

  private List<String> extensions() {
    var lines = new ArrayList<String>();
    lines.add(services.hostname());
    lines.add("PIPELINING");
    lines.add("SIZE " + limits.messageOctetsMax());
    lines.add("8BITMIME");
    lines.add("SMTPUTF8");
    lines.add("ENHANCEDSTATUSCODES");
    lines.add("CHUNKING");
    lines.add("BINARYMIME");
    lines.add("DSN");
    if (!lmtp) {
      lines.add("MT-PRIORITY");
      lines.add("DELIVERBY");
    }
    if (submission) {
      // RFC 4865 §4: the longest hold, in seconds, and the last moment of one.
      var most = limits.futureReleaseMax();
      var last = services.clock().instant().plus(most).truncatedTo(ChronoUnit.SECONDS);
      lines.add("FUTURERELEASE " + most.toSeconds() + " " + last);
    }
    if (!lmtp && connection.tls().isPresent()) {
      lines.add("REQUIRETLS");
    }
    lines.add("LIMITS RCPTMAX=" + recipientsMax());
    if (services.tls().isPresent() && connection.tls().isEmpty()) {
      lines.add("STARTTLS");
    }
    if (submission && user == null) {
      var mechanisms = Sasl.mechanisms(saslContext());
      if (!mechanisms.isEmpty()) {
        lines.add("AUTH " + String.join(" ", mechanisms));
      }
    }
    if (connection.trusted()) {
      lines.add(
          "XCLIENT NAME ADDR PORT PROTO HELO"
              + (submission ? " LOGIN" : "")
              + " DESTADDR DESTPORT");
    }
    lines.add("HELP");
    return lines;
  }

  private Reply mail(Command.Mail mail) {
    if (submission && user == null) {
      return mustStartTls() ? Reply.TLS_FIRST : Reply.AUTH_FIRST;
    }
    return switch (state) {
      case State.Greeted _ -> Reply.HELLO_FIRST;
      case State.InTransaction _ -> Reply.ALREADY_MAIL;
      case State.Ready(var hello) -> {
        if (mail.sizeOctets().orElse(0) > limits.messageOctetsMax()) {
          yield Reply.MESSAGE_TOO_LARGE;
        }
        var untimely = mail.untimely(services.clock().instant(), limits);
        if (untimely.isPresent()) {
          yield untimely.get();
        }
        try {
          if (services.delivery().freeOctets() < limits.diskFreeOctetsMin()) {
            yield Reply.NO_SPACE;
          }
        } catch (IOException e) {
          yield unreadable(e);
        }
        // A null reverse-path is what disposition notifications have (RFC 8098 §2).
        var from = mail.from().address();
        if (user != null && from.isPresent()) {
          try {
            if (!mayUse(from.get())) {
              yield Reply.NOT_YOUR_ADDRESS;
            }
          } catch (IOException e) {
            yield unreadable(e);
          }
        }
        var transaction =
            new Transaction(mail, user == null ? null : services.sending().draft(user));
        state = new State.InTransaction(hello, transaction);
        journey.begins(transaction.id, mail, client(hello), protocol(hello, transaction), user);
        yield Reply.SENDER_OK;
      }
    };
  }

  private boolean mayUse(Address address) throws IOException {
    return user != null && services.directory().mayUse(user, address);
  }

  private Reply recipient(Command.Recipient recipient) {
    if (!(state instanceof State.InTransaction(_, var transaction))) {
      return state instanceof State.Greeted ? Reply.HELLO_FIRST : Reply.MAIL_FIRST;
    }
    if (transaction.chunks != null) {
      return Reply.NO_DATA_IN_BDAT;
    }
    if (!recipient.ascii() && !transaction.mail.smtpUtf8()) {
      return Reply.NON_ASCII;
    }
    if (transaction.to.size() >= recipientsMax()) {
      return Reply.TOO_MANY_RECIPIENTS;
    }
    var tooMuch =
        transaction.draft == null
            ? Optional.<String>empty()
            : transaction.draft.refusal(recipient.to().address());
    if (tooMuch.isPresent()) {
      counts.refusedRecipients.increment();
      LOG.log(System.Logger.Level.WARNING, () -> user + " is refused: " + tooMuch.get());
      return Reply.of(450, 4, 7, 1, tooMuch.get());
    }
    var destination =
        services.delivery().destination(recipient.to(), transaction.mail.sizeOctets().orElse(0));
    if (user != null && destination instanceof Destination.Remote) {
      var suppression = services.sending().suppression(user, recipient.to().address());
      if (suppression.isPresent()) {
        counts.refusedRecipients.increment();
        return suppressed(user, suppression.get());
      }
    }
    var found =
        switch (destination) {
          case Destination.Found each -> Optional.of(each);
          case Destination.Remote(var path) when mayRelay() ->
              Optional.of(Destination.Found.relay(path));
          default -> Optional.<Destination.Found>empty();
        };
    var reply =
        switch (destination) {
          case Destination.Found _ -> Reply.RECIPIENT_OK;
          case Destination.Remote _ -> mayRelay() ? Reply.RECIPIENT_OK : Reply.NO_RELAY;
          case Destination.Refused(var status, var words) -> refused(status, words);
          case Destination.Unavailable _ -> Reply.UNAVAILABLE;
        };
    if (found.isPresent()) {
      journey.leadsTo(found.get());
      transaction.to.add(found.get());
      transaction.paths.add(recipient.to());
      if (transaction.draft != null) {
        transaction.draft.add(recipient.to().address());
      }
    } else {
      counts.refusedRecipients.increment();
      LOG.log(
          System.Logger.Level.DEBUG,
          () ->
              connection.peer()
                  + ": recipient in "
                  + recipient.to().address().domain()
                  + ": "
                  + reply);
    }
    return reply;
  }

  /// What a user hears of an address that does not exist: who said so, and how that ends.
  private static Reply suppressed(Address user, Suppression suppression) {
    var address = suppression.address().quoted();
    return Reply.lines(
        550,
        suppression.status(),
        List.of(
            cut(
                "Nothing is sent to "
                    + address
                    + ": mail came back on "
                    + suppression.since()
                    + ", and until "
                    + suppression.until()
                    + " this account does not try again"),
            cut("What was said: " + suppression.words()),
            cut("To end this now: longhand suppression remove " + user.quoted() + " " + address)));
  }

  /// RFC 5321 §4.5.3.1.5: a reply line has 512 octets at most.
  private static String cut(String line) {
    return line.length() > REPLY_TEXT_MAX ? line.substring(0, REPLY_TEXT_MAX) : line;
  }

  /// Whether mail of this client for other servers is taken: that of our users.
  private boolean mayRelay() {
    return submission;
  }

  private static Reply refused(EnhancedStatus status, String words) {
    if (status.equals(FULL_NOW)) {
      return Reply.FULL_NOW;
    }
    if (status.equals(FULL_EVER)) {
      return Reply.FULL_EVER;
    }
    return Reply.of(
        status.kind() == 4 ? 450 : 550, status.kind(), status.subject(), status.detail(), words);
  }

  private void data() throws IOException {
    if (!(state instanceof State.InTransaction(var hello, var transaction))) {
      reply(state instanceof State.Greeted ? Reply.HELLO_FIRST : Reply.MAIL_FIRST);
      return;
    }
    if (transaction.chunks != null) {
      reply(Reply.NO_DATA_IN_BDAT);
      return;
    }
    if (transaction.mail.body() == Envelope.Body.BINARY_MIME) {
      reply(Reply.BDAT_FOR_BINARY);
      return;
    }
    if (transaction.to.isEmpty()) {
      reply(Reply.RECIPIENT_FIRST);
      return;
    }
    try (var incoming = text(BodyScanner.Framing.DATA)) {
      connection.write(Reply.SEND_MESSAGE.octets());
      connection.flush();
      connection.rateBegin(limits.dataRateMin(), limits.dataRateGrace());
      boolean whole = incoming.readData(connection);
      connection.rateEnd();
      if (!whole) {
        last(Reply.MESSAGE_TOO_LARGE);
        closing = true;
        return;
      }
      state = new State.Ready(hello);
      complete(hello, transaction, incoming);
    }
  }

  /// RFC 3030 §2: the octets of a chunk are read whatever the answer is.
  private void bdat(Command.Bdat bdat) throws IOException {
    if (bdat.octets() > 2L * limits.messageOctetsMax()) {
      last(Reply.MESSAGE_TOO_LARGE);
      closing = true;
      return;
    }
    connection.rateBegin(limits.dataRateMin(), limits.dataRateGrace());
    if (!(state instanceof State.InTransaction(var hello, var transaction))
        || transaction.to.isEmpty()) {
      discard(bdat.octets());
      connection.rateEnd();
      reply(
          switch (state) {
            case State.Greeted _ -> Reply.HELLO_FIRST;
            case State.Ready _ -> Reply.MAIL_FIRST;
            case State.InTransaction _ -> Reply.RECIPIENT_FIRST;
          });
      return;
    }
    if (transaction.chunks == null) {
      transaction.chunks =
          transaction.mail.body() == Envelope.Body.BINARY_MIME
              ? new Incoming(
                  services.delivery().letter(), services.delivery().spool(), submission, limits)
              : text(BodyScanner.Framing.BDAT);
    }
    var incoming = transaction.chunks;
    incoming.readChunk(connection, bdat.octets());
    connection.rateEnd();
    if (incoming.octets() > 2L * limits.messageOctetsMax()) {
      last(Reply.MESSAGE_TOO_LARGE);
      closing = true;
    } else if (bdat.last()) {
      state = new State.Ready(hello);
      try (incoming) {
        complete(hello, transaction, incoming);
      }
    } else {
      // A message that is already too large is better known to be so now than after all of it.
      reply(incoming.octets() > limits.messageOctetsMax() ? Reply.MESSAGE_TOO_LARGE : Reply.OK);
    }
  }

  private Incoming text(BodyScanner.Framing framing) {
    return new Incoming(services.delivery().letter(), framing, submission, limits);
  }

  private void discard(long octets) throws IOException {
    for (long left = octets; left > 0; ) {
      if (!connection.fill()) {
        throw new EOFException("the peer closed in the middle of a chunk");
      }
      int n = (int) Math.min(left, connection.limit() - connection.position());
      connection.consume(n);
      left -= n;
    }
  }

  /// The message is here: checks it, delivers it, answers once (SMTP) or for each recipient (LMTP).
  private void complete(Command.Hello hello, Transaction transaction, Incoming incoming)
      throws IOException {
    incoming.end();
    var id = transaction.id;
    var replies = deliver(hello, transaction, incoming, id);
    journey.answered(id, transaction.paths, replies);
    boolean accepted = false;
    for (var reply : replies) {
      accepted |= reply.code() == 250;
    }
    if (accepted) {
      counts.messages.increment();
      counts.octets.add(incoming.octets());
    } else {
      counts.refusedMessages.increment();
    }
    LOG.log(
        System.Logger.Level.INFO,
        () ->
            "message "
                + id
                + " from "
                + connection.peer().getAddress().getHostAddress()
                + ": "
                + incoming.octets()
                + " octets, "
                + transaction.to.size()
                + " recipients: "
                + replies.getFirst());
    connection.deadline(limits.smtpSessionMax());
    for (var reply : replies) {
      reply(reply);
    }
  }

  private List<Reply> deliver(
      Command.Hello hello, Transaction transaction, Incoming incoming, String id) {
    int answers = lmtp ? transaction.to.size() : 1;
    var wrong = incoming.wrong();
    var missing = "";
    var now = services.clock().instant();
    if (wrong == null && user != null) {
      wrong = wrongFrom(incoming.header());
      missing = missing(incoming.header(), id, now);
    }
    journey.message(id, incoming, missing, user, wrong);
    if (wrong != null) {
      return Collections.nCopies(answers, wrong);
    }
    var beenHere = incoming.header().deliveredTo();
    var to = transaction.to;
    if (!beenHere.isEmpty()) {
      to = to.stream().filter(each -> !hasBeenAt(each, beenHere)).toList();
      if (!lmtp && to.size() < transaction.to.size()) {
        return List.of(Reply.LOOP);
      }
    }
    var trace =
        new Trace(
            services.hostname(),
            connection.peer().getAddress(),
            client(hello),
            spokenFor.name(),
            protocol(hello, transaction),
            connection.tls().map(SmtpSession::describe),
            id,
            now);
    var mail = transaction.mail;
    var added = missing;
    var only =
        transaction.paths.size() == 1
            ? Optional.of(transaction.paths.getFirst().address())
            : Optional.<Address>empty();
    var message =
        new Delivery.Accepted(
            id,
            Optional.ofNullable(user),
            new Envelope(
                mail.from(),
                transaction.paths,
                incoming.body(mail.body()),
                mail.smtpUtf8(),
                mail.returned(),
                mail.envelopeId(),
                incoming.header().disregardTls()
                    ? mail.handling().withTlsDisregarded()
                    : mail.handling()),
            incoming.letter(),
            now,
            path -> trace.prefix(mail.from(), path.address(), added),
            by -> onward(trace.onward(by, only, added), incoming, added));
    var outcomes = services.delivery().deliver(message, to, !lmtp);
    journey.outcomes(id, to, outcomes);
    if (transaction.draft != null) {
      transaction.draft.sent();
    }
    if (!lmtp) {
      return List.of(reply(worst(outcomes), id));
    }
    var replies = new ArrayList<Reply>(answers);
    var next = outcomes.iterator();
    for (var destination : transaction.to) {
      replies.add(hasBeenAt(destination, beenHere) ? Reply.LOOP : reply(next.next(), id));
    }
    return replies;
  }

  /// What stands before a message for another server: the trace, and below it, where the author is
  /// one of ours and the domain has keys, the signatures over the message and what was added to it.
  private byte[] onward(byte[] trace, Incoming incoming, String added) {
    var author =
        user == null || incoming.header().from().isEmpty()
            ? Optional.ofNullable(user)
            : FromField.address(incoming.header().from().getFirst());
    if (user == null || author.isEmpty()) {
      return trace;
    }
    var missing = added.getBytes(StandardCharsets.UTF_8);
    try (var message =
        new SequenceInputStream(new ByteArrayInputStream(missing), incoming.letter().open())) {
      var fields = services.signatures().fields(author.get().domain(), message);
      var all = new ByteArrayOutputStream(trace.length + fields.length);
      all.write(trace, 0, trace.length - missing.length);
      all.write(fields);
      all.write(missing);
      return all.toByteArray();
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, () -> "a message is not signed: " + e.getMessage());
      return trace;
    }
  }

  private static boolean hasBeenAt(Destination.Found destination, List<String> deliveredTo) {
    return destination.ours()
        && deliveredTo.contains(destination.path().address().quoted().toLowerCase(Locale.ROOT));
  }

  /// The first that says no; all say yes, or none does.
  private static Outcome worst(List<Outcome> outcomes) {
    for (var outcome : outcomes) {
      if (outcome instanceof Outcome.Deferred || outcome instanceof Outcome.Refused) {
        return outcome;
      }
    }
    return outcomes.getFirst();
  }

  private static Reply reply(Outcome outcome, String id) {
    return switch (outcome) {
      case Outcome.Stored _ -> Reply.of(250, 2, 0, 0, "Stored, id " + id);
      case Outcome.Queued _ -> Reply.of(250, 2, 0, 0, "Queued, id " + id);
      case Outcome.Deferred(var status, _) ->
          status.equals(FULL_NOW) ? Reply.FULL_NOW : Reply.LATER;
      case Outcome.Refused(var status, _) -> {
        if (status.equals(FULL_EVER)) {
          yield Reply.FULL_EVER;
        }
        yield status.equals(LOOP)
            ? Reply.LOOP
            : Reply.of(554, 5, status.subject(), status.detail(), "Refused");
      }
    };
  }

  /// A user's message says that it is from the user, once.
  private @Nullable Reply wrongFrom(HeaderScan header) {
    if (header.from().isEmpty()) {
      return null;
    }
    var address = FromField.address(header.from().getFirst());
    try {
      return header.from().size() == 1 && address.isPresent() && mayUse(address.get())
          ? null
          : Reply.NOT_YOUR_FROM;
    } catch (IOException e) {
      return unreadable(e);
    }
  }

  private Reply unreadable(IOException e) {
    LOG.log(System.Logger.Level.WARNING, () -> "the directory cannot be read: " + e.getMessage());
    return Reply.LATER;
  }

  /// Fields that a user's message should have had (RFC 6409 §8).
  private String missing(HeaderScan header, String id, Instant now) {
    var fields = new StringBuilder();
    if (header.from().isEmpty() && user != null) {
      fields.append("From: <").append(user.quoted()).append(">\r\n");
    }
    if (!header.date()) {
      fields.append("Date: ").append(Trace.date(now)).append("\r\n");
    }
    if (!header.messageId()) {
      fields.append("Message-ID: <").append(id).append('.');
      fields.append(Long.toString(now.toEpochMilli(), 36)).append('@');
      fields.append(services.hostname()).append(">\r\n");
    }
    return fields.toString();
  }

  /// RFC 3848, RFC 6531 §4.3.
  private String protocol(Command.Hello hello, Transaction transaction) {
    boolean old = hello.kind() == Command.Hello.Kind.HELO;
    if (!lmtp && spokenFor.protocol().map("SMTP"::equals).orElse(old)) {
      return "SMTP";
    }
    var base =
        transaction.mail.smtpUtf8() ? (lmtp ? "UTF8LMTP" : "UTF8SMTP") : (lmtp ? "LMTP" : "ESMTP");
    return base + (connection.tls().isPresent() ? "S" : "") + (user != null ? "A" : "");
  }

  /// What the client calls itself.
  private String client(Command.Hello hello) {
    return spokenFor.hello().orElse(hello.client());
  }

  /// A proxy says for whom it speaks, and everything begins anew. Who logged in is another client,
  /// unless the proxy says that it is this one.
  private Reply xclient(Command.XClient xclient) {
    if (!connection.trusted()) {
      return Reply.NO_PROXY;
    }
    if (state instanceof State.InTransaction) {
      return Reply.ALREADY_MAIL;
    }
    var said = xclient.attributes();
    Optional<Address> login = Optional.empty();
    var name = SpokenFor.text(said, Attribute.LOGIN);
    if (submission && name.isPresent()) {
      try {
        login = account(name.get());
      } catch (IOException e) {
        unreadable(e);
        return Reply.AUTH_UNAVAILABLE;
      }
      if (login.isEmpty()) {
        return Reply.AUTH_FAILED;
      }
    }
    connection.comesFrom(
        said(connection.peer(), said.get(Attribute.ADDR), said.get(Attribute.PORT)),
        said(connection.local(), said.get(Attribute.DESTADDR), said.get(Attribute.DESTPORT)));
    spokenFor = spokenFor.after(said, login);
    user = spokenFor.login().orElse(null);
    state = new State.Greeted();
    journey.anotherClient();
    return greeting();
  }

  private Optional<Address> account(String name) throws IOException {
    var address = services.directory().address(name);
    return address.isPresent()
        ? services
            .directory()
            .account(address.get())
            .filter(AccountRecord::active)
            .map(AccountRecord::address)
        : Optional.empty();
  }

  /// An end of the connection as it is said to be; what is unavailable stays as it was.
  private static InetSocketAddress said(
      InetSocketAddress known, @Nullable Value address, @Nullable Value port) {
    return new InetSocketAddress(
        address instanceof Value.Ip(var ip) ? ip : known.getAddress(),
        port instanceof Value.Port(int number) ? number : known.getPort());
  }

  private static String describe(SSLSession tls) {
    return tls.getProtocol() + " " + tls.getCipherSuite();
  }

  private void startTls() throws IOException {
    if (services.tls().isEmpty()) {
      reply(Reply.NOT_HERE);
    } else if (connection.tls().isPresent()) {
      reply(Reply.TLS_ALREADY);
    } else if (state instanceof State.Greeted) {
      reply(Reply.HELLO_FIRST);
    } else if (connection.inputWaiting()) {
      // RFC 3207 §4.2: what was said in clear must not be taken for said under TLS.
      last(Reply.AHEAD_OF_TLS);
      closing = true;
    } else {
      connection.write(Reply.GO_AHEAD.octets());
      connection.flush();
      handshake();
      abandon();
      state = new State.Greeted();
    }
  }

  private void handshake() throws IOException {
    connection.timeout(limits.tlsHandshakeTimeout());
    try {
      connection.startTls(services.tls().orElseThrow().get());
    } catch (SocketTimeoutException e) {
      // Nothing can be said in the middle of a handshake.
      throw new IOException("no TLS handshake in time", e);
    }
  }

  private boolean mustStartTls() {
    return connection.tls().isEmpty() && !services.plaintextLogin();
  }

  private Reply auth(Command.Auth auth) throws IOException {
    if (!submission) {
      return Reply.NOT_HERE;
    }
    if (user != null) {
      return Reply.AUTH_ALREADY;
    }
    if (state instanceof State.Greeted) {
      return Reply.HELLO_FIRST;
    }
    if (mustStartTls()) {
      return Reply.AUTH_IN_CLEAR;
    }
    var started = Sasl.start(auth.mechanism(), saslContext());
    if (started.isEmpty()) {
      return Reply.AUTH_UNKNOWN;
    }
    var exchange = started.get();
    byte[] response;
    if (auth.initial().isPresent()) {
      response = auth.initial().get();
    } else if (exchange.clientFirst()) {
      var answer = challenge(new byte[0]);
      if (answer.reply != null) {
        return answer.reply;
      }
      response = answer.octets;
    } else {
      response = new byte[0];
    }
    return exchange(exchange, response);
  }

  private Reply exchange(Sasl.Exchange exchange, byte[] first) throws IOException {
    var response = first;
    while (true) {
      switch (exchange.step(response)) {
        case Sasl.Step.Challenge(var data) -> {
          var answer = challenge(data);
          if (answer.reply != null) {
            return answer.reply;
          }
          response = answer.octets;
        }
        case Sasl.Step.Success(var account, var data) -> {
          if (data.isPresent()) {
            // RFC 4954 §4: the server's last word is a challenge, answered with nothing.
            var answer = challenge(data.get());
            if (answer.reply != null) {
              return answer.reply;
            }
            if (answer.octets.length > 0) {
              return Reply.AUTH_MALFORMED;
            }
          }
          user = account;
          return Reply.AUTHENTICATED;
        }
        case Sasl.Step.Failure(var reason) -> {
          return authFailure(reason);
        }
      }
    }
  }

  private Reply authFailure(Sasl.Reason reason) {
    authFailures++;
    if (authFailures >= limits.authFailuresMax()) {
      closing = true;
    }
    return switch (reason) {
      case CREDENTIALS -> Reply.AUTH_FAILED;
      case MALFORMED -> Reply.AUTH_MALFORMED;
      case THROTTLED -> Reply.AUTH_THROTTLED;
      case TEMPORARY -> Reply.AUTH_UNAVAILABLE;
    };
  }

  /// What a client answered to a challenge: octets, or the reply that ends the exchange.
  private record Answer(byte[] octets, @Nullable Reply reply) {}

  private Answer challenge(byte[] data) throws IOException {
    connection.write("334 " + Base64.getEncoder().encodeToString(data) + "\r\n");
    if (!connection.lineWaiting()) {
      connection.flush();
    }
    byte[] line;
    try {
      line = connection.readLine(limits.smtpAuthLineOctetsMax());
    } catch (LineTooLongException e) {
      last(Reply.AUTH_TOO_LONG);
      throw new EOFException("authentication response too long");
    }
    if (line == null) {
      throw new EOFException("the peer closed in the middle of an authentication");
    }
    var text = new String(line, StandardCharsets.ISO_8859_1);
    if (text.equals("*")) {
      return new Answer(new byte[0], Reply.AUTH_CANCELLED);
    }
    return CommandParser.base64(text)
        .map(octets -> new Answer(octets, null))
        .orElseGet(() -> new Answer(new byte[0], Reply.AUTH_NOT_BASE64));
  }

  private Sasl.Context saslContext() {
    return new Sasl.Context(
        services.authenticator(),
        connection.tls().isPresent(),
        services.plaintextLogin(),
        connection.tls(),
        connection.peer().getAddress());
  }

  private int recipientsMax() {
    return submission ? limits.submissionRecipientsMax() : limits.smtpRecipientsMax();
  }

  private void reset() {
    if (state instanceof State.InTransaction(var hello, _)) {
      abandon();
      state = new State.Ready(hello);
    }
  }

  /// The journey of the message that is coming.
  private Optional<String> transactionId() {
    return state instanceof State.InTransaction(_, var transaction)
        ? Optional.of(transaction.id)
        : Optional.empty();
  }

  /// Gives back what a transaction that comes to nothing holds.
  private void abandon() {
    transactionId().ifPresent(journey::abandoned);
    if (state instanceof State.InTransaction(_, var transaction) && transaction.chunks != null) {
      transaction.chunks.close();
      transaction.chunks = null;
    }
  }

  /// Answers, at once or together with the answers to commands that wait already. Errors beyond the
  /// soft limit are answered late, and the one at the hard limit is the last.
  private void reply(Reply reply) throws IOException {
    var said = reply;
    if (reply.isError()) {
      errors++;
      if (errors >= limits.smtpErrorsMax()) {
        said = Reply.TOO_MANY_ERRORS;
        journey.ended(transactionId(), said);
        closing = true;
      } else if (errors > limits.smtpErrorsSoftMax()) {
        connection.flush();
        pause();
      }
    }
    connection.write(said.octets());
    if (!connection.lineWaiting()) {
      connection.flush();
    }
  }

  private void pause() {
    try {
      Thread.sleep(limits.smtpErrorDelay());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// Says one more thing and closes. That the peer may be gone is no news here.
  private void last(Reply reply) {
    journey.ended(transactionId(), reply);
    try {
      connection.write(reply.octets());
      connection.finish();
    } catch (IOException e) {
      LOG.log(
          System.Logger.Level.DEBUG,
          () -> connection.peer() + ": gone before the last reply: " + e);
    }
  }
}
