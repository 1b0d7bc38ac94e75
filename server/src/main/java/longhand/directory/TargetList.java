package longhand.directory;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import longhand.directory.AccountLine.BadLineException;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.Idna;

/// Addresses as one word of a line, commas between them: `alice,Bob.Smith@example.net`. One without
/// domain is of the file's own. In a local part, octets other than those of an atom and dots, and
/// `%` and `*`, are `%` and two hexadecimal digits. No address at all is `:;`, as in RFC 5322 §3.4.
public final class TargetList {

  /// What stands for no address.
  static final String NOBODY = ":;";

  private static final String HEX = "0123456789abcdef";
  private static final int DOMAIN_OCTETS_MAX = 253;

  private TargetList() {}

  /// The word of these addresses, without the domain where it is `home`.
  static String format(List<Address> addresses, Domain home) {
    if (addresses.isEmpty()) {
      return NOBODY;
    }
    var word = new StringBuilder();
    for (var address : addresses) {
      if (!word.isEmpty()) {
        word.append(',');
      }
      int begin = word.length();
      for (byte octet : address.localPart().getBytes(StandardCharsets.UTF_8)) {
        if (isPlain(octet)) {
          word.append((char) octet);
        } else {
          word.append('%').append(HEX.charAt(octet >> 4 & 15)).append(HEX.charAt(octet & 15));
        }
      }
      // Words of the grammar are no names: who is called so is written in full.
      var local = word.substring(begin).toLowerCase(Locale.ROOT);
      if (!address.domain().equals(home) || local.equals("none") || local.equals("members")) {
        word.append('@').append(address.domain());
      }
    }
    return word.toString();
  }

  private static boolean isPlain(int octet) {
    return octet > 0
        && octet != '%'
        && octet != '*'
        && (octet == '.' || (octet < 0x80 && Address.isAtext(octet)));
  }

  /// Reads such a word.
  static List<Address> parse(String word, Domain home) throws BadLineException {
    var addresses = new ArrayList<Address>();
    if (word.equals(NOBODY)) {
      return addresses;
    }
    var seen = new HashSet<Address>();
    int begin = 0;
    while (begin <= word.length()) {
      int end = word.indexOf(',', begin);
      end = end < 0 ? word.length() : end;
      var address = address(word.substring(begin, end), home);
      if (!seen.add(address)) {
        throw new BadLineException("target " + AccountLine.shown(address.toString()) + " twice");
      }
      addresses.add(address);
      begin = end + 1;
    }
    return addresses;
  }

  private static Address address(String text, Domain home) throws BadLineException {
    int at = text.indexOf('@');
    var local = at < 0 ? text : text.substring(0, at);
    var octets = new byte[local.length()];
    int length = 0;
    for (int i = 0; i < local.length(); i++) {
      char c = local.charAt(i);
      if (c == '%'
          && i + 2 < local.length()
          && Character.digit(local.charAt(i + 1), 16) >= 0
          && Character.digit(local.charAt(i + 2), 16) >= 0) {
        octets[length++] =
            (byte)
                (Character.digit(local.charAt(i + 1), 16) << 4
                    | Character.digit(local.charAt(i + 2), 16));
        i += 2;
      } else if (isPlain(c)) {
        octets[length++] = (byte) c;
      } else {
        throw bad(text);
      }
    }
    try {
      var decoded =
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(octets, 0, length)).toString();
      var domain = at < 0 ? Optional.of(home) : domain(text.substring(at + 1));
      if (length > 0
          && length <= Address.LOCAL_PART_OCTETS_MAX
          && decoded.chars().noneMatch(Character::isISOControl)
          && domain.isPresent()) {
        return new Address(decoded, domain.get());
      }
    } catch (CharacterCodingException e) {
      // answered below like other things that no address is
    }
    throw bad(text);
  }

  private static BadLineException bad(String text) {
    return new BadLineException(
        "target " + AccountLine.shown(text) + ", expected an address such as bob@example.net");
  }

  /// The domain of a name, which may have letters beyond ASCII; empty when it is none.
  public static Optional<Domain> domain(String name) {
    return Idna.toAscii(name.toLowerCase(Locale.ROOT))
        .filter(ascii -> ascii.length() <= DOMAIN_OCTETS_MAX && Directory.isFileName(ascii))
        .map(Domain::new);
  }
}
