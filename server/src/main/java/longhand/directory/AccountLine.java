package longhand.directory;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import longhand.auth.PasswordHash;
import longhand.auth.ScramVerifier;
import longhand.mail.Address;
import longhand.mail.Domain;

/// One line of a domain's file, of one of these forms (`docs/accounts.md` has the grammar):
///
///     jbob active 0 $argon2id$... SCRAM-SHA-256$... James Bob
///     dave active;forward=bob@example.net;copy 0 $argon2id$... SCRAM-SHA-256$...
///     alice disabled 5G $argon2id$... SCRAM-SHA-256$...
///     carol removed
///
/// Lines of aliases are [AliasLine].
final class AccountLine {

  /// Longest line, in bytes, its end not counted.
  static final int BYTES_MAX = 4096;

  private static final String HEX = "0123456789abcdef";
  private static final String FORWARD = ";forward=";
  private static final String COPY = ";copy";

  private AccountLine() {}

  /// A line that is not of the form. The text says what was found and what was expected.
  static final class BadLineException extends Exception {
    BadLineException(String text) {
      super(text);
    }
  }

  /// The local part as the file has it: lower case, UTF-8, other octets than `a-z 0-9 . _ + -` as
  /// `%` and two hexadecimal digits.
  static String key(String localPart) {
    if (isPlain(localPart)) {
      return localPart;
    }
    var key = new StringBuilder();
    for (byte octet : localPart.toLowerCase(Locale.ROOT).getBytes(StandardCharsets.UTF_8)) {
      if (isPlain(octet)) {
        key.append((char) octet);
      } else {
        key.append('%').append(HEX.charAt(octet >> 4 & 15)).append(HEX.charAt(octet & 15));
      }
    }
    return key.toString();
  }

  private static boolean isPlain(String localPart) {
    for (int i = 0; i < localPart.length(); i++) {
      if (!isPlain(localPart.charAt(i))) {
        return false;
      }
    }
    return true;
  }

  /// Whether an octet stands for itself in a key.
  static boolean isPlain(int octet) {
    return (octet >= 'a' && octet <= 'z')
        || (octet >= '0' && octet <= '9')
        || octet == '.'
        || octet == '_'
        || octet == '+'
        || octet == '-';
  }

  /// The line of an account, without its end.
  static String format(AccountRecord account) {
    return key(account.address().localPart())
        + (account.active() ? " active" : " disabled")
        + forward(account)
        + " "
        + octets(account.quotaOctets())
        + " "
        + account.password().toText()
        + " "
        + account.scram().toText()
        + (account.name().isEmpty() ? "" : " " + account.name());
  }

  private static String forward(AccountRecord account) {
    if (account.forward().isEmpty()) {
      return "";
    }
    var forward = account.forward().get();
    return FORWARD
        + TargetList.format(forward.targets(), account.address().domain())
        + (forward.copy() ? COPY : "");
  }

  /// The line that removes what a key is of, without its end.
  static String removal(String key) {
    return key + " removed";
  }

  /// Reads the line of an account or an alias.
  static DirectoryEntry entry(byte[] line, Domain domain) throws BadLineException {
    int word = 0;
    while (word < line.length && line[word] != ' ') {
      word++;
    }
    while (word < line.length && line[word] == ' ') {
      word++;
    }
    int i = 0;
    while (i < AliasLine.WORD.length()
        && word + i < line.length
        && line[word + i] == AliasLine.WORD.charAt(i)) {
      i++;
    }
    return i == AliasLine.WORD.length() && (word + i == line.length || line[word + i] == ' ')
        ? AliasLine.parse(line, domain)
        : parse(line, domain);
  }

  /// The text of a line.
  static String text(byte[] line, int bytesMax) throws BadLineException {
    if (line.length > bytesMax) {
      throw new BadLineException("a line of " + line.length + " bytes, at most " + bytesMax);
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(line)).toString();
    } catch (CharacterCodingException e) {
      throw new BadLineException("bytes that are not UTF-8");
    }
  }

  /// Reads an account's line (not a removal, comment or empty line). `line` has no end.
  static AccountRecord parse(byte[] line, Domain domain) throws BadLineException {
    var text = text(line, BYTES_MAX);
    int[] ends = new int[5];
    int end = -1;
    for (int i = 0; i < ends.length; i++) {
      if (end == text.length()) {
        throw new BadLineException(
            "%d words, expected `local-part state quota argon2id scram [name]`".formatted(i));
      }
      int next = text.indexOf(' ', end + 1);
      end = next < 0 ? text.length() : next;
      ends[i] = end;
    }
    var state = text.substring(ends[0] + 1, ends[1]);
    int semicolon = state.indexOf(';');
    boolean active =
        switch (semicolon < 0 ? state : state.substring(0, semicolon)) {
          case "active" -> true;
          case "disabled" -> false;
          default ->
              throw new BadLineException(
                  "state " + shown(state) + ", expected active, disabled, alias or removed");
        };
    var forward =
        semicolon < 0
            ? Optional.<Forward>empty()
            : Optional.of(forward(state.substring(semicolon), domain));
    var quota = text.substring(ends[1] + 1, ends[2]);
    long quotaOctets = octets(quota);
    if (quotaOctets < 0) {
      throw new BadLineException(
          "quota " + shown(quota) + ", expected a number such as 0, 500M, 5G");
    }
    var password =
        PasswordHash.parse(text.substring(ends[2] + 1, ends[3]))
            .orElseThrow(() -> new BadLineException("the fourth word is no Argon2id hash"));
    var scram =
        ScramVerifier.parse(text.substring(ends[3] + 1, ends[4]))
            .orElseThrow(() -> new BadLineException("the fifth word is no SCRAM verifier"));
    var name = ends[4] < text.length() ? text.substring(ends[4] + 1) : "";
    if (!AccountRecord.isName(name)) {
      throw new BadLineException("a name that is too long or has control characters");
    }
    return new AccountRecord(
        new Address(localPart(text.substring(0, ends[0])), domain),
        password,
        scram,
        name,
        quotaOctets,
        active,
        forward);
  }

  /// Reads what follows the state: `;forward=targets`, and perhaps `;copy`.
  private static Forward forward(String marks, Domain domain) throws BadLineException {
    boolean copy = marks.endsWith(COPY);
    var rest = copy ? marks.substring(0, marks.length() - COPY.length()) : marks;
    if (!rest.startsWith(FORWARD)) {
      throw new BadLineException(
          "state with " + shown(marks) + ", expected ;forward=targets or ;forward=targets;copy");
    }
    try {
      return new Forward(TargetList.parse(rest.substring(FORWARD.length()), domain), copy);
    } catch (IllegalArgumentException e) {
      throw new BadLineException(String.valueOf(e.getMessage()));
    }
  }

  /// The local part of a key.
  static String localPart(String key) throws BadLineException {
    var octets = new byte[key.length()];
    int length = 0;
    for (int i = 0; i < key.length(); i++) {
      char c = Character.toLowerCase(key.charAt(i));
      if (isPlain(c)) {
        octets[length++] = (byte) c;
      } else if (c == '%'
          && i + 2 < key.length()
          && Character.digit(key.charAt(i + 1), 16) >= 0
          && Character.digit(key.charAt(i + 2), 16) >= 0) {
        octets[length++] =
            (byte)
                (Character.digit(key.charAt(i + 1), 16) << 4
                    | Character.digit(key.charAt(i + 2), 16));
        i += 2;
      } else {
        throw new BadLineException(
            "local part " + shown(key) + ", expected a-z 0-9 . _ + - and %-encoded octets");
      }
    }
    try {
      var decoded =
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(octets, 0, length)).toString();
      if (!decoded.isEmpty()
          && decoded.equals(decoded.toLowerCase(Locale.ROOT))
          && decoded.chars().noneMatch(Character::isISOControl)) {
        return decoded;
      }
    } catch (CharacterCodingException e) {
      // answered below like other things that no local part is
    }
    throw new BadLineException("local part " + shown(key) + " decodes to nothing that can be one");
  }

  /// A word as a log may show it: nothing that could be a hash in the wrong place.
  static String shown(String word) {
    return word.length() > 40 || word.indexOf('$') >= 0
        ? "of " + word.length() + " characters"
        : "\"" + word + "\"";
  }

  /// Reads a number of octets: digits, and perhaps K, M, G or T for powers of 1024. Gives -1 when
  /// it is none, or too large.
  static long octets(String text) {
    int digits = text.length();
    int shift = 0;
    if (digits > 0) {
      int unit = "KMGT".indexOf(Character.toUpperCase(text.charAt(digits - 1)));
      if (unit >= 0) {
        shift = 10 * (unit + 1);
        digits--;
      }
    }
    if (digits == 0 || digits > 18) {
      return -1;
    }
    long value = 0;
    for (int i = 0; i < digits; i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9') {
        return -1;
      }
      value = value * 10 + (c - '0');
    }
    return value > Long.MAX_VALUE >> shift ? -1 : value << shift;
  }

  /// The shortest form of a number of octets that `octets(String)` reads.
  static String octets(long value) {
    int unit = 0;
    while (value != 0 && (value & 1023) == 0 && unit < 4) {
      value >>= 10;
      unit++;
    }
    return unit == 0 ? Long.toString(value) : value + "KMGT".substring(unit - 1, unit);
  }
}
