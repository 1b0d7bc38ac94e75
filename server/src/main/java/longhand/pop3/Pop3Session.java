package longhand.pop3;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import longhand.auth.Authenticator;
import longhand.auth.Sasl;
import longhand.mail.Address;
import longhand.wire.BareLineEndException;
import longhand.wire.Connection;
import longhand.wire.Limits;
import longhand.wire.LineTooLongException;
import longhand.wire.TooSlowException;

/// One POP3 conversation, on its own thread. Answers go out when no whole command of the client
/// waits any more (RFC 2449 §6.8). Only QUIT removes messages: a session that ends in another way
/// leaves all of them (RFC 1939 §6).
final class Pop3Session {

  private static final System.Logger LOG = System.getLogger(Pop3Session.class.getName());
  private static final int BUFFER_OCTETS = 32 * 1024;

  /// How far the conversation has come (RFC 1939 §3).
  private sealed interface State {
    /// Nobody has logged in; perhaps USER has been said.
    record Authorization(Optional<String> user) implements State {}

    /// Logged in; the maildrop is locked.
    record Transaction(Address account, Maildrop maildrop) implements State {}
  }

  private final Connection connection;
  private final Pop3Services services;
  private final Limits limits;
  private final Pop3Server.Counts counts;
  private State state = new State.Authorization(Optional.empty());
  private byte[] buffer = new byte[0];

  /// The message last sent whole.
  private int retrieved;

  /// Whether the one before it was sent before it.
  private boolean inOrder;

  private int errors;
  private int authFailures;
  private boolean closing;

  Pop3Session(Connection connection, Pop3Services services, Pop3Server.Counts counts) {
    this.connection = connection;
    this.services = services;
    this.limits = services.limits();
    this.counts = counts;
  }

  /// Talks until the client quits, goes, or must go. `IOException` means that nothing more can be
  /// said.
  void run() throws IOException {
    try {
      if (services.implicitTls()) {
        handshake();
      }
      ok("Longhand POP3 ready");
      connection.flush();
      converse();
    } catch (BareLineEndException e) {
      last("-ERR Bare CR or LF: lines end with CRLF, and only with CRLF");
    } catch (LineTooLongException e) {
      last("-ERR Line too long");
    } catch (SocketTimeoutException | TooSlowException e) {
      last("-ERR [SYS/TEMP] Timeout; closing");
    } catch (EOFException e) {
      if (!connection.ending()) {
        throw e;
      }
      last("-ERR [SYS/TEMP] Server is shutting down");
    } catch (RuntimeException | Error e) {
      last("-ERR [SYS/TEMP] Internal error");
      throw e;
    } finally {
      unlock();
    }
  }

  private void converse() throws IOException {
    while (!closing) {
      boolean loggedIn = state instanceof State.Transaction;
      connection.timeout(loggedIn ? limits.pop3IdleTimeout() : limits.pop3PreauthTimeout());
      int lineMax = limits.pop3LineOctetsMax();
      var line = connection.readLine(loggedIn ? lineMax : limits.pop3AuthLineOctetsMax());
      if (line == null) {
        if (connection.ending()) {
          last("-ERR [SYS/TEMP] Server is shutting down");
        }
        return;
      }
      var command = CommandParser.parse(line);
      if (line.length > lineMax && !(command instanceof Command.Auth)) {
        throw new LineTooLongException(lineMax);
      }
      counts.commands.count(command);
      apply(command);
      if (!connection.lineWaiting()) {
        connection.flush();
        if (inOrder && state instanceof State.Transaction(_, var maildrop)) {
          maildrop.readAhead(retrieved + 1);
        }
      }
    }
    connection.finish();
  }

  private void apply(Command command) throws IOException {
    switch (command) {
      case Command.Capabilities _ -> capabilities();
      case Command.Language(var tag) -> language(tag);
      case Command.Quit _ -> quit();
      case Command.Malformed(var text) -> error(text);
      case Command.User(var name) -> user(name);
      case Command.Pass(var password) -> pass(password);
      case Command.Auth auth -> auth(auth);
      case Command.StartTls _ -> startTls();
      case Command.Utf8 _ -> {
        // RFC 6856 §2: before log-in only. Messages are served as they came in either mode.
        if (state instanceof State.Authorization) {
          ok("UTF8 enabled");
        } else {
          error("Only before logging in");
        }
      }
      case Command.Stat _,
          Command.ListSizes _,
          Command.ListIds _,
          Command.Retrieve _,
          Command.Top _,
          Command.Delete _,
          Command.Reset _,
          Command.Noop _ -> {
        if (state instanceof State.Transaction(_, var maildrop)) {
          apply(command, maildrop);
        } else {
          error("Log in first");
        }
      }
    }
  }

  /// Commands of the transaction state (RFC 1939 §5).
  private void apply(Command command, Maildrop maildrop) throws IOException {
    switch (command) {
      case Command.Stat _ -> ok(maildrop.count() + " " + maildrop.octets());
      case Command.ListSizes(var number) -> {
        if (number != 0) {
          listOne(maildrop, number, Integer.toString(sizeOrZero(maildrop, number)));
        } else {
          ok(maildrop.count() + " messages (" + maildrop.octets() + " octets)");
          for (int i = 1; i <= maildrop.last(); i++) {
            if (maildrop.has(i)) {
              connection.write(i + " " + maildrop.size(i) + "\r\n");
            }
          }
          connection.write(".\r\n");
        }
      }
      case Command.ListIds(var number) -> {
        if (number != 0) {
          listOne(maildrop, number, maildrop.has(number) ? maildrop.id(number) : "");
        } else {
          ok("Unique-ids follow");
          for (int i = 1; i <= maildrop.last(); i++) {
            if (maildrop.has(i)) {
              connection.write(i + " " + maildrop.id(i) + "\r\n");
            }
          }
          connection.write(".\r\n");
        }
      }
      case Command.Retrieve(var number) -> send(maildrop, number, Integer.MAX_VALUE);
      case Command.Top(var number, var lines) -> send(maildrop, number, lines);
      case Command.Delete(var number) -> {
        if (maildrop.has(number)) {
          maildrop.delete(number);
          ok("Marked for deletion");
        } else {
          error("No such message");
        }
      }
      case Command.Reset _ -> {
        maildrop.reset();
        ok(maildrop.count() + " messages (" + maildrop.octets() + " octets)");
      }
      case Command.Noop _ -> ok("");
      case Command.Capabilities _,
          Command.Language _,
          Command.Quit _,
          Command.Malformed _,
          Command.User _,
          Command.Pass _,
          Command.Auth _,
          Command.StartTls _,
          Command.Utf8 _ ->
          throw new IllegalStateException("not of the transaction state: " + command);
    }
  }

  private static int sizeOrZero(Maildrop maildrop, int number) {
    return maildrop.has(number) ? maildrop.size(number) : 0;
  }

  private void listOne(Maildrop maildrop, int number, String value) throws IOException {
    if (maildrop.has(number)) {
      ok(number + " " + value);
    } else {
      error("No such message");
    }
  }

  private void send(Maildrop maildrop, int number, int bodyLines) throws IOException {
    if (!maildrop.has(number)) {
      error("No such message");
      return;
    }
    boolean whole = bodyLines == Integer.MAX_VALUE;
    if (whole) {
      inOrder = number == retrieved + 1;
      retrieved = number;
      var held = maildrop.held(number);
      if (held != null) {
        ok(maildrop.size(number) + " octets");
        DotStuffer.sendWhole(connection, held, maildrop.size(number));
        counts.retrieved.increment();
        return;
      }
    }
    if (buffer.length == 0) {
      buffer = new byte[BUFFER_OCTETS];
    }
    java.io.InputStream message;
    try {
      message = maildrop.read(number);
    } catch (IOException e) {
      LOG.log(
          System.Logger.Level.WARNING,
          () -> connection.peer() + ": message " + number + " cannot be read: " + e.getMessage());
      error("[SYS/TEMP] The message cannot be read now");
      return;
    }
    try (message) {
      ok(whole ? maildrop.size(number) + " octets" : "Top follows");
      // A read error from here on ends the session: half a message must not look like a whole one.
      if (whole) {
        DotStuffer.sendWhole(connection, message, buffer);
        counts.retrieved.increment();
      } else {
        DotStuffer.sendTop(connection, message, buffer, bodyLines);
      }
    }
  }

  private void quit() throws IOException {
    closing = true;
    if (!(state instanceof State.Transaction(_, var maildrop))) {
      ok("Bye");
      return;
    }
    // The update state (RFC 1939 §6).
    try {
      counts.deleted.add(maildrop.commit());
      unlock();
      ok("Bye");
    } catch (IOException e) {
      LOG.log(
          System.Logger.Level.WARNING,
          () -> connection.peer() + ": messages could not be removed: " + e.getMessage());
      connection.write("-ERR [SYS/TEMP] Some deleted messages not removed\r\n");
    }
  }

  private void capabilities() throws IOException {
    ok("Capabilities follow");
    var lines = new StringBuilder();
    boolean loggedIn = state instanceof State.Transaction;
    lines.append("TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE NEVER\r\n");
    lines.append("UTF8 USER\r\nLANG\r\n");
    if (!loggedIn) {
      if (maySendPassword()) {
        lines.append("USER\r\n");
      }
      var mechanisms = Sasl.mechanisms(saslContext());
      if (!mechanisms.isEmpty()) {
        lines.append("SASL ").append(String.join(" ", mechanisms)).append("\r\n");
      }
      if (services.tls().isPresent() && connection.tls().isEmpty()) {
        lines.append("STLS\r\n");
      }
    }
    lines.append("IMPLEMENTATION Longhand\r\n.\r\n");
    connection.write(lines.toString());
  }

  /// RFC 6856 §3: answers are in English only, which is the default language.
  private void language(Optional<String> tag) throws IOException {
    if (tag.isEmpty()) {
      ok("Languages follow");
      connection.write("en English\r\ni-default Default language (English)\r\n.\r\n");
    } else if (tag.get().equalsIgnoreCase("en")
        || tag.get().equalsIgnoreCase("i-default")
        || tag.get().equals("*")) {
      ok("en Language is English");
    } else {
      error("Language not available");
    }
  }

  private void user(String name) throws IOException {
    if (state instanceof State.Transaction) {
      error("Logged in already");
    } else if (!maySendPassword()) {
      error("Say STLS first: no passwords in clear");
    } else {
      state = new State.Authorization(Optional.of(name));
      ok("Password, please");
    }
  }

  private void pass(String password) throws IOException {
    if (!(state instanceof State.Authorization(var user)) || user.isEmpty()) {
      error("USER first");
      return;
    }
    state = new State.Authorization(Optional.empty());
    switch (services
        .authenticator()
        .password(user.get(), password, connection.peer().getAddress())) {
      case Authenticator.Verdict.Granted(var account) -> enter(account);
      case Authenticator.Verdict.Denied(var reason) -> denied(reason);
    }
  }

  private void auth(Command.Auth auth) throws IOException {
    if (state instanceof State.Transaction) {
      error("Logged in already");
      return;
    }
    var started = Sasl.start(auth.mechanism(), saslContext());
    if (started.isEmpty()) {
      error(maySendPassword() ? "Mechanism not available" : "Say STLS first");
      return;
    }
    var exchange = started.get();
    var response = auth.initial();
    if (response.isEmpty()) {
      response = exchange.clientFirst() ? challenge(new byte[0]) : Optional.of(new byte[0]);
    }
    while (response.isPresent()) {
      switch (exchange.step(response.get())) {
        case Sasl.Step.Challenge(var data) -> response = challenge(data);
        case Sasl.Step.Success(var account, var data) -> {
          if (data.isPresent()) {
            // RFC 5034 §4: the server's last word is a challenge, answered with nothing.
            var empty = challenge(data.get());
            if (empty.isEmpty()) {
              return;
            }
            if (empty.get().length > 0) {
              error("[AUTH] Response not of the mechanism's form");
              return;
            }
          }
          enter(account);
          return;
        }
        case Sasl.Step.Failure(var reason) -> {
          denied(reason);
          return;
        }
      }
    }
  }

  /// The client's answer to a challenge; empty when it was none and has been answered.
  private Optional<byte[]> challenge(byte[] data) throws IOException {
    connection.write("+ " + Base64.getEncoder().encodeToString(data) + "\r\n");
    if (!connection.lineWaiting()) {
      connection.flush();
    }
    var line = connection.readLine(limits.pop3AuthLineOctetsMax());
    if (line == null) {
      throw new EOFException("the peer closed in the middle of an authentication");
    }
    var text = new String(line, StandardCharsets.ISO_8859_1);
    if (text.equals("*")) {
      error("Authentication cancelled");
      return Optional.empty();
    }
    var octets = CommandParser.base64(text);
    if (octets.isEmpty()) {
      error("Not base64");
    }
    return octets;
  }

  private void denied(Sasl.Reason reason) throws IOException {
    authFailures++;
    if (authFailures >= limits.authFailuresMax()) {
      closing = true;
    }
    // RFC 3206 §4: AUTH when the credentials are at fault, SYS/TEMP when not.
    error(
        switch (reason) {
          case CREDENTIALS -> "[AUTH] Authentication failed";
          case MALFORMED -> "[AUTH] Response not of the mechanism's form";
          case THROTTLED -> "[SYS/TEMP] Too many failures; try again later";
          case TEMPORARY -> "[SYS/TEMP] Authentication not possible now";
        });
  }

  private void enter(Address account) throws IOException {
    if (!services.locks().acquire(account)) {
      error("[IN-USE] Another POP3 session has this maildrop");
      return;
    }
    Maildrop maildrop;
    try {
      maildrop = Maildrop.open(services.store().account(account));
    } catch (IOException e) {
      services.locks().release(account);
      LOG.log(System.Logger.Level.WARNING, () -> account + " cannot be opened: " + e.getMessage());
      error("[SYS/TEMP] The maildrop cannot be opened now");
      return;
    } catch (RuntimeException | Error e) {
      services.locks().release(account);
      throw e;
    }
    state = new State.Transaction(account, maildrop);
    counts.logins.increment();
    ok(maildrop.count() + " messages (" + maildrop.octets() + " octets)");
  }

  private void unlock() {
    if (state instanceof State.Transaction(var account, var maildrop)) {
      maildrop.close();
      services.locks().release(account);
      state = new State.Authorization(Optional.empty());
    }
  }

  private void startTls() throws IOException {
    if (services.tls().isEmpty()) {
      error("Not available here");
    } else if (connection.tls().isPresent()) {
      error("TLS is active already");
    } else if (state instanceof State.Transaction) {
      error("Only before logging in");
    } else if (connection.inputWaiting()) {
      last("-ERR Octets after STLS before the handshake; closing");
      closing = true;
    } else {
      ok("Ready to start TLS");
      connection.flush();
      handshake();
      state = new State.Authorization(Optional.empty());
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

  private boolean maySendPassword() {
    return connection.tls().isPresent() || services.plaintextLogin();
  }

  private Sasl.Context saslContext() {
    return new Sasl.Context(
        services.authenticator(),
        connection.tls().isPresent(),
        services.plaintextLogin(),
        connection.tls(),
        connection.peer().getAddress());
  }

  private void ok(String text) throws IOException {
    connection.write(text.isEmpty() ? "+OK\r\n" : "+OK " + text + "\r\n");
  }

  private void error(String text) throws IOException {
    errors++;
    if (errors >= limits.pop3ErrorsMax()) {
      closing = true;
    }
    connection.write("-ERR " + text + "\r\n");
  }

  /// Says one more thing and closes. That the peer may be gone is no news here.
  private void last(String text) {
    try {
      connection.write(text + "\r\n");
      connection.finish();
    } catch (IOException e) {
      LOG.log(
          System.Logger.Level.DEBUG,
          () -> connection.peer() + ": gone before the last answer: " + e);
    }
  }
}
