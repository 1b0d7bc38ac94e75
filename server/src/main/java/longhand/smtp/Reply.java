package longhand.smtp;

import java.nio.charset.StandardCharsets;
import java.util.List;
import longhand.mail.EnhancedStatus;
import org.jspecify.annotations.Nullable;

/// One answer of the server: a code, an enhanced status where RFC 2034 wants one, and text, ready
/// for the wire. The text is ours; what another server said of an address is quoted in printable
/// ASCII.
final class Reply {

  static final Reply BYE = of(221, 2, 0, 0, "Bye");
  static final Reply OK = of(250, 2, 0, 0, "OK");
  static final Reply SENDER_OK = of(250, 2, 1, 0, "Sender OK");
  static final Reply RECIPIENT_OK = of(250, 2, 1, 5, "Recipient OK");
  static final Reply SEND_MESSAGE = plain(354, "Send the message, end with <CRLF>.<CRLF>");
  static final Reply GO_AHEAD = of(220, 2, 0, 0, "Ready to start TLS");
  static final Reply AUTHENTICATED = of(235, 2, 7, 0, "Authentication succeeded");
  static final Reply CANNOT_VERIFY =
      of(252, 2, 5, 0, "Cannot verify; send the message and it will be tried");
  static final Reply HELP =
      plainLines(
          214,
          List.of(
              "2.0.0 Commands: EHLO HELO LHLO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY HELP",
              "2.0.0 STARTTLS AUTH, where EHLO announces them (RFC 5321)"));

  static final Reply UNKNOWN_COMMAND = of(500, 5, 5, 1, "Command not known");
  static final Reply CONTROL_CHARACTER = of(500, 5, 5, 2, "Control character in a command");
  static final Reply NO_ARGUMENT_WANTED = of(501, 5, 5, 4, "This command takes no argument");
  static final Reply NOT_HERE = of(502, 5, 5, 1, "Command not available here");
  static final Reply HELLO_FIRST = of(503, 5, 5, 1, "Say hello first");
  static final Reply MAIL_FIRST = of(503, 5, 5, 1, "MAIL first");
  static final Reply RECIPIENT_FIRST = of(503, 5, 5, 1, "No recipient was accepted");
  static final Reply ALREADY_MAIL = of(503, 5, 5, 1, "One message at a time");
  static final Reply NO_DATA_IN_BDAT = of(503, 5, 5, 1, "The message began with BDAT");
  static final Reply BDAT_FOR_BINARY =
      of(503, 5, 5, 1, "A message with BODY=BINARYMIME comes with BDAT");
  static final Reply HELD_TOO_LONG =
      of(501, 5, 5, 4, "A message is not held back that long; see FUTURERELEASE after EHLO");
  static final Reply HELD_BEYOND_USE =
      of(501, 5, 5, 4, "The message is to be held back until BY has passed");
  static final Reply LINE_TOO_LONG = of(500, 5, 5, 6, "Line too long");
  static final Reply BARE_LINE_END =
      of(521, 5, 5, 2, "Bare CR or LF: lines end with CRLF, and only with CRLF");
  static final Reply NON_ASCII =
      of(553, 5, 6, 7, "Address beyond ASCII without SMTPUTF8 (RFC 6531)");
  static final Reply TLS_FIRST = of(530, 5, 7, 0, "Must issue a STARTTLS command first");
  static final Reply TLS_ALREADY = of(503, 5, 5, 1, "TLS is active already");
  static final Reply AHEAD_OF_TLS =
      of(554, 5, 5, 1, "Octets after STARTTLS before the handshake; closing");
  static final Reply AUTH_FIRST = of(530, 5, 7, 0, "Authentication required");
  static final Reply AUTH_ALREADY = of(503, 5, 5, 1, "Authenticated already");
  static final Reply AUTH_IN_CLEAR =
      of(538, 5, 7, 11, "Encryption required for authentication; use STARTTLS");
  static final Reply AUTH_UNKNOWN = of(504, 5, 5, 4, "Mechanism not available");
  static final Reply AUTH_CANCELLED = of(501, 5, 7, 0, "Authentication cancelled");
  static final Reply AUTH_NOT_BASE64 = of(501, 5, 5, 2, "Not base64");
  static final Reply AUTH_MALFORMED = of(501, 5, 5, 2, "Response not of the mechanism's form");
  static final Reply AUTH_TOO_LONG = of(500, 5, 5, 6, "Authentication exchange line is too long");
  static final Reply AUTH_FAILED = of(535, 5, 7, 8, "Authentication failed");
  static final Reply AUTH_THROTTLED = of(454, 4, 7, 0, "Too many failures; try again later");
  static final Reply AUTH_UNAVAILABLE = of(454, 4, 7, 0, "Authentication not possible now");
  static final Reply NOT_YOUR_ADDRESS = of(553, 5, 7, 1, "You may not send as this address");
  static final Reply NOT_YOUR_FROM =
      of(550, 5, 7, 1, "The From field must name one address, and one that you may use");

  static final Reply NO_PROXY = of(550, 5, 7, 0, "You may not speak for others");

  static final Reply FULL_NOW = of(452, 4, 2, 2, "Mailbox full");
  static final Reply FULL_EVER = of(552, 5, 2, 2, "Message larger than the mailbox");
  static final Reply NO_RELAY = of(550, 5, 7, 1, "Relaying refused");
  static final Reply UNAVAILABLE = of(451, 4, 3, 0, "Mailbox cannot be reached now; try later");
  static final Reply TOO_MANY_RECIPIENTS =
      of(452, 4, 5, 3, "Too many recipients; send the rest in another message");

  static final Reply MESSAGE_TOO_LARGE = of(552, 5, 3, 4, "Message too large");
  static final Reply HEADER_TOO_LARGE = of(552, 5, 3, 4, "Message header too large");
  static final Reply TEXT_LINE_TOO_LONG = of(554, 5, 6, 0, "Message has a line that is too long");
  static final Reply NO_TEXT =
      of(554, 5, 6, 3, "A part has a header so large that the part cannot be encoded as text");
  static final Reply LOOP = of(554, 5, 4, 6, "Mail loop: this message has been here before");
  static final Reply NO_SPACE = of(452, 4, 3, 1, "No space for the message now");
  static final Reply LATER = of(451, 4, 3, 0, "Not stored; try again later");

  static final Reply TIMEOUT = of(421, 4, 4, 2, "Timeout; closing");
  static final Reply TOO_SLOW = of(421, 4, 4, 2, "Too slow; closing");
  static final Reply SHUTDOWN = of(421, 4, 3, 2, "Server is shutting down; closing");
  static final Reply TOO_MANY_ERRORS = of(421, 4, 7, 0, "Too many errors; closing");
  static final Reply OUR_MISTAKE = of(421, 4, 3, 0, "Internal error; closing");
  static final Reply TOO_MANY = of(421, 4, 3, 2, "Too many connections; try later");
  static final Reply TOO_MANY_FROM_YOU =
      of(421, 4, 7, 0, "Too many connections from your address; try later");

  private final int code;
  private final boolean error;
  private final byte[] octets;

  private Reply(int code, @Nullable EnhancedStatus status, List<String> lines) {
    this(code, status, lines, code >= 500 && code != 521);
  }

  private Reply(int code, @Nullable EnhancedStatus status, List<String> lines, boolean error) {
    this.code = code;
    this.error = error;
    var text = new StringBuilder(64);
    for (int i = 0; i < lines.size(); i++) {
      text.append(code).append(i + 1 < lines.size() ? '-' : ' ');
      if (status != null) {
        text.append(status).append(' ');
      }
      text.append(lines.get(i)).append("\r\n");
    }
    octets = text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  /// One line with an enhanced status.
  static Reply of(int code, int kind, int subject, int detail, String text) {
    return new Reply(code, new EnhancedStatus(kind, subject, detail), List.of(text));
  }

  /// Several lines with an enhanced status, which is no mistake of the client's: a list of
  /// addresses may hold many that are answered so.
  static Reply lines(int code, EnhancedStatus status, List<String> lines) {
    return new Reply(code, status, lines, false);
  }

  /// One line without.
  static Reply plain(int code, String text) {
    return new Reply(code, null, List.of(text));
  }

  /// Several lines without.
  static Reply plainLines(int code, List<String> lines) {
    return new Reply(code, null, lines);
  }

  /// The three digits.
  int code() {
    return code;
  }

  /// Whether it says that something went wrong on the peer's side.
  boolean isError() {
    return error;
  }

  /// What goes over the wire; not to be changed.
  byte[] octets() {
    return octets;
  }

  @Override
  public String toString() {
    return new String(octets, StandardCharsets.US_ASCII).stripTrailing().replace("\r\n", " ");
  }
}
