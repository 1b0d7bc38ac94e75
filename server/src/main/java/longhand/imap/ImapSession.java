package longhand.imap;

import java.io.EOFException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import longhand.auth.Authenticator;
import longhand.auth.Sasl;
import longhand.mail.Address;
import longhand.store.Account;
import longhand.store.Changes;
import longhand.store.Entry;
import longhand.store.Flag;
import longhand.store.Mailbox;
import longhand.store.MailboxException;
import longhand.store.Marks;
import longhand.store.View;
import longhand.wire.BareLineEndException;
import longhand.wire.Connection;
import longhand.wire.LineTooLongException;
import org.jspecify.annotations.Nullable;

/// One IMAP connection, from greeting to BYE, on one virtual thread: read a command, do it, answer
/// (RFC 3501). Sequence numbers change only where `announce` tells the peer.
///
/// While IDLE waits for its DONE, changes are written by other threads; `lock` keeps them and the
/// session's own thread apart. It is held while a command is at work, and not while the session
/// waits for the next one.
public final class ImapSession {

  private static final System.Logger LOG = System.getLogger(ImapSession.class.getName());

  /// What a peer may do at the moment (RFC 3501 §3).
  sealed interface State {
    record NotAuthenticated() implements State {}

    record Authenticated(Account account) implements State {}

    /// A mailbox is open.
    ///
    /// @param keywords those the peer has been told of in FLAGS
    record Selected(Account account, View view, boolean readWrite, Set<String> keywords)
        implements State {}

    record LoggedOut() implements State {}
  }

  private final Connection connection;
  private final ImapServices services;
  private final boolean implicitTls;
  private final Response out;
  private final ReentrantLock lock = new ReentrantLock();
  private final AtomicBoolean waking = new AtomicBoolean();
  private State state = new State.NotAuthenticated();
  private ImapServices.@Nullable Visitor visitor;

  /// The tag of the IDLE at work, if one is.
  private @Nullable String idleTag;

  private int errors;
  private int failedLogins;

  /// A session on an accepted connection.
  ///
  /// @param implicitTls whether the connection begins with TLS, which the session then takes up
  public ImapSession(Connection connection, ImapServices services, boolean implicitTls) {
    this.connection = connection;
    this.services = services;
    this.implicitTls = implicitTls;
    this.out = new Response(connection);
  }

  /// Serves the peer until either side ends the session, and closes the connection.
  public void run() {
    lock.lock();
    try {
      converse();
    } catch (ConnectionLost | EOFException _) {
      // The peer has gone: nobody is there to be told.
    } catch (SocketTimeoutException _) {
      bye("autologout: nothing came for too long");
    } catch (LineTooLongException e) {
      tooLong();
    } catch (BareLineEndException e) {
      bye("only CRLF ends a line");
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "IMAP connection with " + connection.peer() + " ended", e);
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, "IMAP session failed", e);
      bye("internal error");
    } finally {
      leave();
      lock.unlock();
      close();
    }
  }

  /// Asks the session to end, from another thread: the server is stopping.
  public void end() {
    connection.end();
  }

  private void converse() throws IOException {
    if (implicitTls && connection.tls().isEmpty()) {
      connection.startTls(services.tls().orElseThrow().get());
    }
    connection.timeout(services.limits().imapPreauthTimeout());
    out.text("* OK [CAPABILITY ").text(capabilities()).line("] Longhand ready");
    while (!(state instanceof State.LoggedOut)) {
      if (connection.inputWaiting()) {
        out.hand();
      } else {
        out.flush();
      }
      var line = readLine();
      if (line == null) {
        if (connection.ending() && !(state instanceof State.LoggedOut)) {
          bye("the server is stopping");
        }
        return;
      }
      if (state instanceof State.LoggedOut) {
        return; // while it was idle: the mailbox has been deleted
      }
      if (idleTag != null) {
        endIdle(idleTag, line);
      } else {
        command(line);
      }
    }
    out.flush();
  }

  private byte @Nullable [] readLine() throws IOException {
    lock.unlock();
    try {
      return connection.readLine(
          state instanceof State.NotAuthenticated
              ? services.limits().imapPreauthLineOctetsMax()
              : services.limits().imapLineOctetsMax());
    } catch (EOFException
        | SocketTimeoutException
        | LineTooLongException
        | BareLineEndException e) {
      throw e;
    } catch (IOException e) {
      throw new ConnectionLost(e);
    } finally {
      lock.lock();
    }
  }

  private void close() {
    try {
      connection.finish();
    } catch (IOException _) {
      try {
        connection.close();
      } catch (IOException _) {
        // It was gone already.
      }
    }
  }

  private void leave() {
    if (state instanceof State.Selected selected) {
      selected.view().close();
    }
    state = new State.LoggedOut();
    if (visitor != null) {
      services.leave(visitor);
      visitor = null;
    }
  }

  private void tooLong() {
    try {
      out.line("* BAD line too long");
    } catch (ConnectionLost _) {
      // BYE finds that out too.
    }
    bye("line too long");
  }

  private void bye(String text) {
    try {
      out.text("* BYE ").line(text);
      out.flush();
    } catch (ConnectionLost _) {
      // It would have been a courtesy.
    }
  }

  // One command.

  private void command(byte[] line) throws IOException {
    var parser =
        new ImapParser(
            line, new Literals(), services.limits(), !(state instanceof State.NotAuthenticated));
    var tag = parser.tag();
    var command = tag == null ? new Command.Malformed("expected a tag", false) : parser.command();
    if (tag == null) {
      tag = "*";
    }
    services.counts().commands.count(command);
    try {
      apply(tag, command, parser);
    } catch (ConnectionLost
        | EOFException
        | SocketTimeoutException
        | LineTooLongException
        | BareLineEndException e) {
      throw e;
    } catch (IOException e) {
      LOG.log(Level.WARNING, "IMAP command failed", e);
      out.text(tag).line(" NO [UNAVAILABLE] the mail store cannot do that now; try again later");
    } catch (MailboxException e) {
      refuse(tag, e);
    }
  }

  /// Reads what a parser asks for in the middle of a command.
  private final class Literals implements ImapParser.Source {
    @Override
    public byte[] literal(int octets, boolean synchronizing) throws IOException {
      if (synchronizing) {
        out.line("+ OK");
        out.flush();
      }
      var literal = new byte[octets];
      read(literal, octets);
      return literal;
    }

    @Override
    public byte[] line() throws IOException {
      var line = readLine();
      if (line == null) {
        throw new EOFException();
      }
      return line;
    }
  }

  private void apply(String tag, Command command, ImapParser parser)
      throws IOException, MailboxException {
    switch (command) {
      case Command.Malformed(var text, var close) -> malformed(tag, text, close, parser);
      case Command.Capability _ -> {
        out.text("* CAPABILITY ").line(capabilities());
        completed(tag, "CAPABILITY completed");
      }
      case Command.Noop _ -> completed(tag, "NOOP completed");
      case Command.Logout _ -> {
        out.line("* BYE logging out");
        out.text(tag).line(" OK LOGOUT completed");
        leave();
      }
      case Command.Id _ -> {
        out.line("* ID (\"name\" \"Longhand\")");
        completed(tag, "ID completed");
      }
      case Command.StartTls _ -> startTls(tag);
      case Command.Login(var name, var password) -> login(tag, name, password);
      case Command.Authenticate authenticate -> authenticate(tag, authenticate);
      case Command.Namespace _ -> {
        if (account(tag) != null) {
          out.line("* NAMESPACE ((\"\" \"/\")) NIL NIL");
          completed(tag, "NAMESPACE completed");
        }
      }
      case Command.Enable _ -> {
        if (account(tag) != null) {
          out.line("* ENABLED"); // we have nothing that wants enabling (RFC 5161 §3.1)
          completed(tag, "ENABLE completed");
        }
      }
      case Command.Select(var mailbox, var readWrite) -> select(tag, mailbox, readWrite);
      case Command.Create(var mailbox) -> {
        var account = account(tag);
        if (account != null) {
          new MailboxNames(account).create(mailbox);
          completed(tag, "CREATE completed");
        }
      }
      case Command.Delete(var mailbox) -> delete(tag, mailbox);
      case Command.Rename(var from, var to) -> {
        var account = account(tag);
        if (account != null) {
          new MailboxNames(account).rename(from, to);
          completed(tag, "RENAME completed");
        }
      }
      case Command.Subscribe(var mailbox, var subscribed) -> {
        var account = account(tag);
        if (account != null) {
          account.subscribe(mailbox, subscribed);
          completed(tag, subscribed ? "SUBSCRIBE completed" : "UNSUBSCRIBE completed");
        }
      }
      case Command.ListMailboxes list -> {
        var account = account(tag);
        if (account != null) {
          new MailboxList(account, out, services.limits()).list(list);
          completed(tag, "LIST completed");
        }
      }
      case Command.Lsub lsub -> {
        var account = account(tag);
        if (account != null) {
          new MailboxList(account, out, services.limits()).lsub(lsub);
          completed(tag, "LSUB completed");
        }
      }
      case Command.Status(var name, var items) -> {
        var account = account(tag);
        if (account != null) {
          MailboxList.status(out, mailbox(account, name), items, services.limits());
          completed(tag, "STATUS completed");
        }
      }
      case Command.Append(var mailbox) -> append(tag, mailbox, parser);
      case Command.Check _ -> {
        if (selected(tag) != null) {
          completed(tag, "CHECK completed");
        }
      }
      case Command.Close _ -> close(tag);
      case Command.Unselect _ -> {
        if (selected(tag) != null) {
          deselect();
          completed(tag, "UNSELECT completed");
        }
      }
      case Command.Expunge _ -> expunge(tag, Optional.empty());
      case Command.UidExpunge(var uids) -> expunge(tag, Optional.of(uids));
      case Command.Search search -> search(tag, search);
      case Command.Fetch fetch -> fetch(tag, fetch);
      case Command.Mark mark -> mark(tag, mark);
      case Command.Copy(var uid, var set, var mailbox) -> copy(tag, uid, set, mailbox);
      case Command.Move(var uid, var set, var mailbox) -> move(tag, uid, set, mailbox);
      case Command.Idle _ -> idle(tag);
    }
  }

  /// BAD. Octets that the peer sends unasked after a line that we did not understand are passed
  /// over (RFC 7888 §3); when they are too many it is cheaper to close.
  private void malformed(String tag, String text, boolean close, ImapParser parser)
      throws IOException {
    out.text(tag).text(" BAD ").line(text);
    if (close) {
      bye(text);
      leave();
      return;
    }
    long unasked = parser.octetsUnasked();
    if (unasked >= 0) {
      passOver(unasked);
    }
    if (++errors >= services.limits().imapErrorsMax()) {
      bye("too many errors");
      leave();
    }
  }

  /// Passes over octets sent unasked and the rest of their command, which may hold more of them.
  private void passOver(long first) throws IOException {
    long left =
        state instanceof State.NotAuthenticated
            ? services.limits().imapPreauthLiteralOctetsMax()
            : 2L * services.limits().messageOctetsMax();
    long octets = first;
    while (octets >= 0 && !(state instanceof State.LoggedOut)) {
      if (octets > left) {
        bye("[TOOBIG] too many octets");
        leave();
        return;
      }
      left -= octets;
      skip(octets);
      var line = new Literals().line();
      octets = ImapParser.octetsUnasked(line);
      left -= line.length;
    }
  }

  private void read(byte[] target, int octets) throws IOException {
    try {
      connection.readFully(target, 0, octets);
    } catch (SocketTimeoutException | EOFException e) {
      throw e;
    } catch (IOException e) {
      throw new ConnectionLost(e);
    }
  }

  private void skip(long octets) throws IOException {
    var chunk = new byte[(int) Math.min(octets, 8192)];
    for (long left = octets; left > 0; ) {
      int n = (int) Math.min(left, chunk.length);
      read(chunk, n);
      left -= n;
    }
  }

  /// For commands that tell of no marks themselves.
  private static boolean nothingTold(Entry entry) {
    return false;
  }

  /// Tells what has changed, and that the command is done.
  private void completed(String tag, String text) throws IOException {
    completed(tag, text, true, false, ImapSession::nothingTold);
  }

  /// The same.
  ///
  /// @param expunges whether EXPUNGE may be told now (RFC 3501 §7.4.1)
  /// @param uid whether FETCH responses must bear the UID
  /// @param told whether the peer knows an entry's marks already
  private void completed(
      String tag, String text, boolean expunges, boolean uid, Predicate<Entry> told)
      throws IOException {
    announce(expunges, uid, told);
    if (!(state instanceof State.LoggedOut)) {
      out.text(tag).text(" OK ").line(text);
    }
  }

  /// Tells what has changed in the selected mailbox.
  private void announce(boolean expunges, boolean uid, Predicate<Entry> told) throws IOException {
    if (!(state instanceof State.Selected selected)) {
      return;
    }
    var view = selected.view();
    if (view.mailbox() == null) {
      bye("the selected mailbox has been deleted");
      leave();
      return;
    }
    write(selected, view.sync(expunges), uid, told);
  }

  private void write(State.Selected selected, Changes changes, boolean uid, Predicate<Entry> told)
      throws ConnectionLost {
    for (int sequence : changes.expunged()) {
      out.text("* ").number(sequence).line(" EXPUNGE");
    }
    if (changes.exists() >= 0) {
      out.text("* ").number(changes.exists()).line(" EXISTS");
      out.text("* ").number(Math.max(0, changes.recent())).line(" RECENT");
    }
    for (var entry : changes.changed()) {
      int sequence = told.test(entry) ? 0 : selected.view().sequenceOf(entry.uid());
      if (sequence > 0) {
        fetchFlags(selected, sequence, entry, entry.marks(), uid);
      }
    }
  }

  /// An untagged FETCH of flags.
  private void fetchFlags(
      State.Selected selected, int sequence, Entry entry, Marks marks, boolean uid)
      throws ConnectionLost {
    announceKeywords(out, selected, marks);
    out.text("* ").number(sequence).text(" FETCH (");
    if (uid) {
      out.text("UID ").number(entry.uid()).octet(' ');
    }
    flags(out, marks, selected.view().recent(entry));
    out.line(")");
  }

  /// Tells keywords the peer has not heard of (RFC 3501 §7.2.6).
  static void announceKeywords(Response out, State.Selected selected, Marks marks)
      throws ConnectionLost {
    if (marks.keywords().isEmpty() || !selected.keywords().addAll(marks.keywords())) {
      return;
    }
    flagList(out, selected.keywords());
  }

  private static void flagList(Response out, Set<String> keywords) throws ConnectionLost {
    out.text("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft");
    for (var keyword : keywords) {
      out.octet(' ').text(keyword);
    }
    out.line(")");
  }

  /// `FLAGS (...)` of a message.
  static void flags(Response out, Marks marks, boolean recent) throws ConnectionLost {
    out.text("FLAGS (");
    boolean first = true;
    for (var flag : Flag.values()) {
      if (marks.has(flag)) {
        out.text(first ? "" : " ").text(flag.imapName());
        first = false;
      }
    }
    for (var keyword : marks.keywords()) {
      out.text(first ? "" : " ").text(keyword);
      first = false;
    }
    if (recent) {
      out.text(first ? "\\Recent" : " \\Recent");
    }
    out.octet(')');
  }

  /// The account, or null after telling the peer that it must log in first.
  private @Nullable Account account(String tag) throws ConnectionLost {
    return switch (state) {
      case State.Authenticated(var account) -> account;
      case State.Selected selected -> selected.account();
      case State.NotAuthenticated _, State.LoggedOut _ -> {
        out.text(tag).line(" BAD log in first");
        yield null;
      }
    };
  }

  private State.@Nullable Selected selected(String tag) throws ConnectionLost {
    if (state instanceof State.Selected selected) {
      return selected;
    }
    out.text(tag).line(" BAD select a mailbox first");
    return null;
  }

  private static Mailbox mailbox(Account account, String name)
      throws IOException, MailboxException {
    return account
        .mailbox(name)
        .orElseThrow(
            () ->
                new MailboxException(
                    MailboxException.Reason.NONEXISTENT, "there is no such mailbox"));
  }

  private void refuse(String tag, MailboxException e) throws IOException {
    var code =
        switch (e.reason()) {
          case NONEXISTENT -> "NONEXISTENT";
          case ALREADYEXISTS -> "ALREADYEXISTS";
          case CANNOT -> "CANNOT";
          case LIMIT -> "LIMIT";
        };
    refuse(tag, code, e.getMessage());
  }

  private void refuse(String tag, String code, @Nullable String text) throws IOException {
    out.text(tag).text(" NO [").text(code).text("] ").line(plain(text));
  }

  /// A text that cannot end the line or be taken for something else.
  private static String plain(@Nullable String text) {
    if (text == null || text.isEmpty()) {
      return "refused";
    }
    var plain = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      plain.append(c < ' ' || c >= 0x7f ? '?' : c);
    }
    return plain.toString();
  }

  // Any state.

  private String capabilities() {
    var text = new StringBuilder("IMAP4rev1 SASL-IR ID ENABLE IDLE ");
    if (state instanceof State.NotAuthenticated) {
      text.append("LITERAL-");
      if (connection.tls().isEmpty() && services.tls().isPresent()) {
        text.append(" STARTTLS");
      }
      if (!mayLogIn()) {
        text.append(" LOGINDISABLED");
      }
      for (var mechanism : Sasl.mechanisms(context())) {
        text.append(" AUTH=").append(mechanism);
      }
    } else {
      text.append("LITERAL+ NAMESPACE UIDPLUS MULTIAPPEND UNSELECT CHILDREN MOVE LIST-EXTENDED")
          .append(" LIST-STATUS SPECIAL-USE STATUS=SIZE APPENDLIMIT=")
          .append(services.limits().messageOctetsMax());
    }
    return text.toString();
  }

  private boolean mayLogIn() {
    return connection.tls().isPresent() || services.plaintextLogin();
  }

  private Sasl.Context context() {
    return new Sasl.Context(
        services.authenticator(),
        connection.tls().isPresent(),
        services.plaintextLogin(),
        connection.tls(),
        connection.peer().getAddress());
  }

  // Not authenticated.

  private boolean refusesLogin(String tag) throws ConnectionLost {
    if (state instanceof State.NotAuthenticated) {
      return false;
    }
    out.text(tag).line(" BAD already logged in");
    return true;
  }

  private void startTls(String tag) throws IOException {
    var context = services.tls();
    if (!(state instanceof State.NotAuthenticated)
        || connection.tls().isPresent()
        || context.isEmpty()) {
      out.text(tag).line(" BAD STARTTLS is not for now");
      return;
    }
    if (connection.inputWaiting()) {
      // What was sent before the handshake might come from somebody else (RFC 3501 §11.1).
      out.text(tag).line(" BAD octets sent ahead of the TLS handshake");
      bye("octets sent ahead of the TLS handshake");
      leave();
      return;
    }
    out.text(tag).line(" OK begin TLS");
    out.flush();
    try {
      connection.startTls(context.get().get());
    } catch (IOException e) {
      throw new ConnectionLost(e);
    }
  }

  private void login(String tag, String name, String password) throws IOException {
    if (refusesLogin(tag)) {
      return;
    }
    if (!mayLogIn()) {
      refuse(tag, "PRIVACYREQUIRED", "start TLS first");
      return;
    }
    var verdict = services.authenticator().password(name, password, connection.peer().getAddress());
    switch (verdict) {
      case Authenticator.Verdict.Granted(var address) -> granted(tag, address);
      case Authenticator.Verdict.Denied(var reason) -> denied(tag, reason);
    }
  }

  private void authenticate(String tag, Command.Authenticate command) throws IOException {
    if (refusesLogin(tag)) {
      return;
    }
    var exchange = Sasl.start(command.mechanism(), context());
    if (exchange.isEmpty()) {
      if (mayLogIn()) {
        out.text(tag).line(" NO unknown mechanism");
      } else {
        refuse(tag, "PRIVACYREQUIRED", "start TLS first");
      }
      return;
    }
    byte @Nullable [] response;
    if (command.initial().isPresent()) {
      if (!exchange.get().clientFirst()) {
        out.text(tag).line(" BAD this mechanism takes no initial response");
        return;
      }
      var initial = command.initial().get();
      response = initial.length == 1 && initial[0] == '=' ? new byte[0] : decode(initial);
    } else {
      response = exchange.get().clientFirst() ? challenge(new byte[0]) : new byte[0];
    }
    while (true) {
      if (response == null) {
        out.text(tag).line(" BAD authentication cancelled");
        return;
      }
      switch (exchange.get().step(response)) {
        case Sasl.Step.Challenge(var data) -> response = challenge(data);
        case Sasl.Step.Success(var address, var data) -> {
          if (data.isPresent()) {
            var last = challenge(data.get());
            if (last == null || last.length > 0) {
              out.text(tag).line(" BAD authentication cancelled");
              return;
            }
          }
          granted(tag, address);
          return;
        }
        case Sasl.Step.Failure(var reason) -> {
          denied(tag, reason);
          return;
        }
      }
    }
  }

  /// Sends a challenge; the response, or null when the peer cancels or sends no base64.
  private byte @Nullable [] challenge(byte[] data) throws IOException {
    out.text("+ ").line(Base64.getEncoder().encodeToString(data));
    out.flush();
    return decode(new Literals().line());
  }

  private static byte @Nullable [] decode(byte[] line) {
    try {
      return Base64.getDecoder().decode(line);
    } catch (IllegalArgumentException _) {
      return null; // `*` cancels, and so does anything else that is no base64
    }
  }

  private void denied(String tag, Sasl.Reason reason) throws IOException {
    switch (reason) {
      case CREDENTIALS -> refuse(tag, "AUTHENTICATIONFAILED", "wrong name or password");
      case MALFORMED -> out.text(tag).line(" BAD not a response of this mechanism");
      case THROTTLED -> refuse(tag, "LIMIT", "too many failures; try again later");
      case TEMPORARY -> refuse(tag, "UNAVAILABLE", "cannot check that now; try again later");
    }
    if (++failedLogins >= services.limits().authFailuresMax()) {
      bye("too many failures");
      leave();
    }
  }

  private void granted(String tag, Address address) throws IOException {
    var guest = new ImapServices.Visitor(address, connection.peer().getAddress());
    if (!services.enter(guest)) {
      refuse(tag, "LIMIT", "too many sessions of this account");
      return;
    }
    visitor = guest;
    services.counts().logins.increment();
    state = new State.Authenticated(services.store().account(address));
    connection.timeout(services.limits().imapIdleTimeout());
    out.text(tag).text(" OK [CAPABILITY ").text(capabilities()).line("] logged in");
  }

  // Mailboxes.

  private void deselect() {
    if (state instanceof State.Selected selected) {
      selected.view().close();
      state = new State.Authenticated(selected.account());
    }
  }

  private void select(String tag, String name, boolean readWrite)
      throws IOException, MailboxException {
    var account = account(tag);
    if (account == null) {
      return;
    }
    deselect(); // a SELECT that fails leaves nothing selected (RFC 3501 §6.3.1)
    var view = account.view(mailbox(account, name).number(), readWrite);
    var keywords = new TreeSet<String>(String.CASE_INSENSITIVE_ORDER);
    int unseen = 0;
    int recent = 0;
    for (int i = 1; i <= view.count(); i++) {
      var entry = view.at(i);
      var marks = entry.marks();
      if (unseen == 0 && !marks.has(Flag.SEEN)) {
        unseen = i;
      }
      if (!marks.keywords().isEmpty()) {
        keywords.addAll(marks.keywords());
      }
      recent += view.recent(entry) ? 1 : 0;
    }
    var selected = new State.Selected(account, view, readWrite, keywords);
    state = selected;
    var mailbox = view.mailbox();
    if (mailbox == null) {
      deselect();
      refuse(tag, "NONEXISTENT", "there is no such mailbox");
      return;
    }
    flagList(out, keywords);
    out.line(
        readWrite
            ? "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] kept"
            : "* OK [PERMANENTFLAGS ()] none, read-only");
    out.text("* ").number(view.count()).line(" EXISTS");
    out.text("* ").number(recent).line(" RECENT");
    if (unseen > 0) {
      out.text("* OK [UNSEEN ").number(unseen).line("] first unseen");
    }
    out.text("* OK [UIDVALIDITY ").number(mailbox.uidValidity()).line("] UIDs valid");
    out.text("* OK [UIDNEXT ").number(mailbox.uidNext()).line("] next UID");
    completed(tag, readWrite ? "[READ-WRITE] SELECT completed" : "[READ-ONLY] EXAMINE completed");
  }

  private void delete(String tag, String name) throws IOException, MailboxException {
    var account = account(tag);
    if (account == null) {
      return;
    }
    var mailbox = mailbox(account, name);
    if (state instanceof State.Selected selected) {
      var open = selected.view().mailbox();
      if (open != null && open.number() == mailbox.number()) {
        deselect();
      }
    }
    account.delete(mailbox.number());
    completed(tag, "DELETE completed");
  }

  private void append(String tag, String mailbox, ImapParser parser) throws IOException {
    var account = account(tag);
    if (account == null) {
      long unasked = parser.octetsUnasked();
      if (unasked >= 0) {
        passOver(unasked);
      }
      return;
    }
    switch (new Append(services, connection, account, out).run(mailbox, parser)) {
      case Append.Outcome.Stored(var text) -> completed(tag, text);
      case Append.Outcome.Refused(var code, var text) -> refuse(tag, code, text);
      case Append.Outcome.Wrong(var text, var close) -> malformed(tag, text, close, parser);
    }
  }

  // Selected.

  private void close(String tag) throws IOException {
    var selected = selected(tag);
    if (selected == null) {
      return;
    }
    if (selected.readWrite()) {
      selected.account().expunge(deleted(selected, Optional.empty()));
    }
    deselect();
    out.text(tag).line(" OK CLOSE completed");
  }

  private static List<Entry> deleted(State.Selected selected, Optional<SequenceSet> uids) {
    var view = selected.view();
    var among = uids.map(set -> set.uids(view));
    var deleted = new ArrayList<Entry>();
    for (int i = 1; i <= view.count(); i++) {
      if (among.isPresent() && !among.get().get(i)) {
        continue;
      }
      var entry = view.at(i);
      if (!entry.expunged() && entry.marks().has(Flag.DELETED)) {
        deleted.add(entry);
      }
    }
    return deleted;
  }

  private boolean isReadOnly(String tag, State.Selected selected) throws ConnectionLost {
    if (selected.readWrite()) {
      return false;
    }
    out.text(tag).line(" NO [CANNOT] the mailbox is open read-only");
    return true;
  }

  private void expunge(String tag, Optional<SequenceSet> uids) throws IOException {
    var selected = selected(tag);
    if (selected == null || isReadOnly(tag, selected)) {
      return;
    }
    selected.account().expunge(deleted(selected, uids));
    completed(tag, "EXPUNGE completed", true, uids.isPresent(), ImapSession::nothingTold);
  }

  /// The messages a set names; null after telling the peer that a number does not exist.
  private @Nullable List<Entry> entries(
      String tag, State.Selected selected, boolean uid, SequenceSet set) throws ConnectionLost {
    var view = selected.view();
    if (!uid && !set.isWithin(view.count())) {
      out.text(tag).line(" BAD there is no message of that number");
      return null;
    }
    var bits = uid ? set.uids(view) : set.sequences(view);
    var entries = new ArrayList<Entry>(bits.cardinality());
    for (int i = bits.nextSetBit(0); i >= 0; i = bits.nextSetBit(i + 1)) {
      entries.add(view.at(i));
    }
    return entries;
  }

  /// Expunges wait while a peer that sends commands ahead may be counting on its numbers (RFC 3501
  /// §5.5).
  private boolean mayExpunge(boolean uid) {
    return uid && !connection.inputWaiting();
  }

  private void search(String tag, Command.Search command) throws IOException {
    var selected = selected(tag);
    if (selected == null) {
      return;
    }
    if (!command.charset()) {
      refuse(tag, "BADCHARSET (US-ASCII UTF-8)", "unknown charset");
      return;
    }
    new Search(services, selected, out).run(command);
    completed(
        tag,
        "SEARCH completed",
        mayExpunge(command.uid()),
        command.uid(),
        ImapSession::nothingTold);
  }

  private void fetch(String tag, Command.Fetch command) throws IOException {
    var selected = selected(tag);
    if (selected == null) {
      return;
    }
    var entries = entries(tag, selected, command.uid(), command.set());
    if (entries == null) {
      return;
    }
    var fetch = new Fetch(selected, out, command);
    fetch.run(entries);
    services.counts().fetched.add(entries.size());
    if (fetch.missing() > 0) {
      announce(mayExpunge(command.uid()), command.uid(), fetch::told);
      refuse(
          tag,
          fetch.damaged() ? "CORRUPTION" : "EXPUNGEISSUED",
          fetch.damaged() ? "some messages cannot be read" : "some messages are gone");
      return;
    }
    completed(tag, "FETCH completed", mayExpunge(command.uid()), command.uid(), fetch::told);
  }

  private void mark(String tag, Command.Mark command) throws IOException {
    var selected = selected(tag);
    if (selected == null || isReadOnly(tag, selected)) {
      return;
    }
    var entries = entries(tag, selected, command.uid(), command.set());
    if (entries == null) {
      return;
    }
    // What others changed is told first, so that afterwards the rest is ours.
    announce(false, command.uid(), ImapSession::nothingTold);
    long modseq = selected.account().mark(entries, command.change(), command.marks()).modseq();
    Predicate<Entry> told = entry -> entry.modseq() == modseq;
    boolean gone = false;
    for (var entry : entries) {
      gone |= entry.expunged();
      if (!command.silent() && !entry.expunged()) {
        int sequence = selected.view().sequenceOf(entry.uid());
        fetchFlags(selected, sequence, entry, entry.marks(), command.uid());
      }
    }
    if (gone && !command.uid()) {
      announce(false, false, told);
      refuse(tag, "EXPUNGEISSUED", "some messages are gone");
      return;
    }
    completed(tag, "STORE completed", mayExpunge(command.uid()), command.uid(), told);
  }

  private void copy(String tag, boolean uid, SequenceSet set, String name)
      throws IOException, MailboxException {
    var selected = selected(tag);
    if (selected == null) {
      return;
    }
    var entries = entries(tag, selected, uid, set);
    if (entries == null) {
      return;
    }
    var target = selected.account().mailbox(name);
    if (target.isEmpty()) {
      refuse(tag, "TRYCREATE", "there is no such mailbox");
      return;
    }
    long octets = 0;
    for (var entry : entries) {
      octets += entry.sizeOctets();
    }
    if (octets > 0 && !services.hasRoom(selected.account().address(), octets)) {
      refuse(tag, "OVERQUOTA", "no room for that");
      return;
    }
    var copied = selected.account().copy(entries, target.get().number());
    var code = copyUid(target.get(), copied);
    completed(
        tag, code + "COPY completed", !connection.inputWaiting(), uid, ImapSession::nothingTold);
  }

  /// RFC 6851. COPYUID goes ahead of the EXPUNGE responses, in an untagged OK.
  private void move(String tag, boolean uid, SequenceSet set, String name)
      throws IOException, MailboxException {
    var selected = selected(tag);
    if (selected == null || isReadOnly(tag, selected)) {
      return;
    }
    var entries = entries(tag, selected, uid, set);
    if (entries == null) {
      return;
    }
    var target = selected.account().mailbox(name);
    if (target.isEmpty()) {
      refuse(tag, "TRYCREATE", "there is no such mailbox");
      return;
    }
    var moved = selected.account().move(entries, target.get().number());
    if (!moved.isEmpty()) {
      out.text("* OK ").text(copyUid(target.get(), moved)).line("moved");
    }
    completed(tag, "MOVE completed", true, uid, ImapSession::nothingTold);
  }

  /// `[COPYUID ...] ` (RFC 4315 §3), empty when nothing was copied.
  private static String copyUid(Mailbox target, List<Account.Copied> copied) {
    if (copied.isEmpty()) {
      return "";
    }
    var sources = new UidList();
    var targets = new UidList();
    for (var pair : copied) {
      sources.add(pair.source().uid());
      targets.add(pair.target().uid());
    }
    return "[COPYUID " + target.uidValidity() + " " + sources + " " + targets + "] ";
  }

  // IDLE (RFC 2177).

  /// Begins to idle. The session then waits where it waits for commands, on a short stack:
  /// thousands may wait.
  private void idle(String tag) throws IOException {
    if (account(tag) == null) {
      return;
    }
    out.line("+ idling");
    idleTag = tag;
    if (state instanceof State.Selected selected) {
      selected.view().onChange(this::wake);
    }
    announce(true, false, ImapSession::nothingTold);
  }

  private void endIdle(String tag, byte[] line) throws IOException {
    idleTag = null;
    if (state instanceof State.Selected selected) {
      selected.view().onChange(null);
    }
    if (isDone(line)) {
      completed(tag, "IDLE completed");
    } else {
      out.text(tag).line(" BAD expected DONE");
    }
  }

  private static boolean isDone(byte[] line) {
    return new String(line, java.nio.charset.StandardCharsets.ISO_8859_1)
        .toUpperCase(Locale.ROOT)
        .equals("DONE");
  }

  /// Something has changed: have it told soon. Any number of changes wake one thread.
  private void wake() {
    if (waking.compareAndSet(false, true)) {
      Thread.ofVirtual().name("imap-idle").start(this::announceIdle);
    }
  }

  private void announceIdle() {
    lock.lock();
    try {
      waking.set(false);
      if (idleTag == null) {
        return;
      }
      announce(true, false, ImapSession::nothingTold);
      out.flush();
      if (state instanceof State.LoggedOut) {
        connection.end();
      }
    } catch (IOException | RuntimeException e) {
      LOG.log(Level.DEBUG, "IDLE of " + connection.peer() + " ended", e);
      connection.end();
    } finally {
      lock.unlock();
    }
  }
}
