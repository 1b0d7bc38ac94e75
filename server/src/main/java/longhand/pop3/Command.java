package longhand.pop3;

import java.util.Optional;

/// One POP3 command line, parsed and checked (RFC 1939 §9). What does not parse is `Malformed` and
/// carries the text of the answer.
sealed interface Command {

  /// USER.
  record User(String name) implements Command {}

  /// PASS: all that follows the one space is the password, blanks included.
  record Pass(String password) implements Command {}

  /// AUTH (RFC 5034). The array is not copied.
  record Auth(String mechanism, Optional<byte[]> initial) implements Command {}

  /// STLS (RFC 2595 §4).
  record StartTls() implements Command {}

  /// CAPA (RFC 2449).
  record Capabilities() implements Command {}

  /// UTF8 (RFC 6856 §2).
  record Utf8() implements Command {}

  /// LANG (RFC 6856 §3): change, or list without a tag.
  record Language(Optional<String> tag) implements Command {}

  /// STAT.
  record Stat() implements Command {}

  /// LIST of one message or all; 0 is all.
  record ListSizes(int number) implements Command {}

  /// UIDL of one message or all; 0 is all.
  record ListIds(int number) implements Command {}

  /// RETR.
  record Retrieve(int number) implements Command {}

  /// TOP: the header and that many lines of the body.
  record Top(int number, int lines) implements Command {}

  /// DELE.
  record Delete(int number) implements Command {}

  /// RSET.
  record Reset() implements Command {}

  /// NOOP.
  record Noop() implements Command {}

  /// QUIT.
  record Quit() implements Command {}

  /// None of these.
  record Malformed(String text) implements Command {}
}
