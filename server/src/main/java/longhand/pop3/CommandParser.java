package longhand.pop3;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import java.util.function.IntFunction;

/// Turns one command line, without its CRLF, into a [Command]. Time and memory are linear in its
/// length. A number that fits no message is as good as any other wrong one: it is capped, not
/// wrapped.
final class CommandParser {

  private static final int TAG_OCTETS_MAX = 35;
  private static final int MECHANISM_OCTETS_MAX = 20;
  private static final Command UNKNOWN = new Command.Malformed("Command not known");
  private static final Command BAD_ARGUMENT = new Command.Malformed("Bad argument");

  private CommandParser() {}

  /// Parses a line.
  static Command parse(byte[] line) {
    for (byte octet : line) {
      if ((octet >= 0 && octet < ' ') || octet == 0x7f) {
        return new Command.Malformed("Control character in a command");
      }
    }
    int space = 0;
    while (space < line.length && line[space] != ' ') {
      space++;
    }
    if (space == 0 || space > 4) {
      return UNKNOWN;
    }
    var verb = ascii(line, 0, space).toUpperCase(Locale.ROOT);
    if (verb.equals("PASS")) {
      return space + 1 < line.length
          ? text(line, space + 1).<Command>map(Command.Pass::new).orElse(BAD_ARGUMENT)
          : BAD_ARGUMENT;
    }
    int end = line.length;
    while (end > space && line[end - 1] == ' ') {
      end--;
    }
    int begin = Math.min(space + 1, end);
    boolean bare = begin == end;
    return switch (verb) {
      case "USER" ->
          bare
              ? BAD_ARGUMENT
              : text(line, begin, end).<Command>map(Command.User::new).orElse(BAD_ARGUMENT);
      case "AUTH" -> auth(line, begin, end);
      case "STLS" -> bare ? new Command.StartTls() : BAD_ARGUMENT;
      case "CAPA" -> bare ? new Command.Capabilities() : BAD_ARGUMENT;
      case "UTF8" -> bare ? new Command.Utf8() : BAD_ARGUMENT;
      case "LANG" -> bare ? new Command.Language(Optional.empty()) : language(line, begin, end);
      case "STAT" -> bare ? new Command.Stat() : BAD_ARGUMENT;
      case "LIST" ->
          bare ? new Command.ListSizes(0) : message(line, begin, end, Command.ListSizes::new);
      case "UIDL" ->
          bare ? new Command.ListIds(0) : message(line, begin, end, Command.ListIds::new);
      case "RETR" -> message(line, begin, end, Command.Retrieve::new);
      case "DELE" -> message(line, begin, end, Command.Delete::new);
      case "TOP" -> top(line, begin, end);
      case "RSET" -> bare ? new Command.Reset() : BAD_ARGUMENT;
      case "NOOP" -> bare ? new Command.Noop() : BAD_ARGUMENT;
      case "QUIT" -> bare ? new Command.Quit() : BAD_ARGUMENT;
      default -> UNKNOWN;
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

  private static Command auth(byte[] line, int begin, int end) {
    int space = begin;
    while (space < end && line[space] != ' ') {
      byte octet = line[space];
      boolean fits =
          (octet >= 'a' && octet <= 'z')
              || (octet >= 'A' && octet <= 'Z')
              || (octet >= '0' && octet <= '9')
              || octet == '-'
              || octet == '_';
      if (!fits) {
        return BAD_ARGUMENT;
      }
      space++;
    }
    if (space == begin || space - begin > MECHANISM_OCTETS_MAX) {
      return BAD_ARGUMENT;
    }
    var mechanism = ascii(line, begin, space).toUpperCase(Locale.ROOT);
    if (space == end) {
      return new Command.Auth(mechanism, Optional.empty());
    }
    var initial = ascii(line, space + 1, end);
    // RFC 5034 §4: an initial response of no octets is a single equals sign.
    if (initial.equals("=")) {
      return new Command.Auth(mechanism, Optional.of(new byte[0]));
    }
    var octets = base64(initial);
    return octets.isPresent()
        ? new Command.Auth(mechanism, octets)
        : new Command.Malformed("Not base64");
  }

  private static Command language(byte[] line, int begin, int end) {
    if (end - begin > TAG_OCTETS_MAX) {
      return BAD_ARGUMENT;
    }
    for (int i = begin; i < end; i++) {
      if (line[i] <= ' ') {
        return BAD_ARGUMENT;
      }
    }
    return new Command.Language(Optional.of(ascii(line, begin, end)));
  }

  private static Command message(byte[] line, int begin, int end, IntFunction<Command> command) {
    int number = number(line, begin, end);
    return number > 0 ? command.apply(number) : BAD_ARGUMENT;
  }

  private static Command top(byte[] line, int begin, int end) {
    int space = begin;
    while (space < end && line[space] != ' ') {
      space++;
    }
    int number = number(line, begin, space);
    int lines = number(line, Math.min(space + 1, end), end);
    return number > 0 && lines >= 0 ? new Command.Top(number, lines) : BAD_ARGUMENT;
  }

  /// A number of digits only, or -1.
  private static int number(byte[] line, int begin, int end) {
    if (begin == end) {
      return -1;
    }
    long number = 0;
    for (int i = begin; i < end; i++) {
      int digit = line[i] - '0';
      if (digit < 0 || digit > 9) {
        return -1;
      }
      number = Math.min(number * 10 + digit, Integer.MAX_VALUE);
    }
    return (int) number;
  }

  private static Optional<String> text(byte[] line, int begin) {
    return text(line, begin, line.length);
  }

  private static Optional<String> text(byte[] line, int begin, int end) {
    try {
      return Optional.of(
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(line, begin, end - begin))
              .toString());
    } catch (CharacterCodingException e) {
      // RFC 6856 §2.2: names and passwords are UTF-8.
      return Optional.empty();
    }
  }

  private static String ascii(byte[] line, int begin, int end) {
    return new String(line, begin, end - begin, StandardCharsets.ISO_8859_1);
  }
}
