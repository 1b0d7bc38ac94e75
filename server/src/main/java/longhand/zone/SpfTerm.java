package longhand.zone;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import longhand.wire.Network;

/// A word of an SPF record (RFC 7208 §4.6.1).
///
/// @param qualifier `+`, `-`, `~` or `?`; `+` for a modifier
/// @param name in lower case
/// @param value after `:` or `=`, without the prefixes of `a` and `mx`; for `ip4` and `ip6` with it
record SpfTerm(char qualifier, String name, Optional<String> value, int prefix4, int prefix6) {

  private static final Set<String> LOOKUPS =
      Set.of("include", "a", "mx", "ptr", "exists", "redirect");

  /// What a record holds.
  sealed interface Read {}

  /// Its words.
  record Terms(List<SpfTerm> terms) implements Read {}

  /// It breaks the grammar, so nobody can use it.
  ///
  /// @param why the end of a sentence about the record
  record Malformed(String why) implements Read {}

  /// Whether a text of the DNS is an SPF record (RFC 7208 §4.5).
  static boolean isRecord(String text) {
    return text.regionMatches(true, 0, "v=spf1", 0, 6)
        && (text.length() == 6 || text.charAt(6) == ' ');
  }

  /// Reads a record.
  static Read read(String record) {
    var terms = new ArrayList<SpfTerm>();
    for (int begin = 6; begin < record.length(); ) {
      int space = record.indexOf(' ', begin);
      int end = space < 0 ? record.length() : space;
      if (end > begin) {
        var word = record.substring(begin, end);
        var term = term(word);
        if (term.isEmpty()) {
          return new Malformed("has a word that means nothing: " + word);
        }
        terms.add(term.get());
      }
      begin = end + 1;
    }
    for (var once : List.of("redirect", "exp")) {
      if (terms.stream().filter(term -> term.name.equals(once)).count() > 1) {
        return new Malformed("has " + once + "= twice");
      }
    }
    return new Terms(terms);
  }

  /// Whether it costs one of the ten lookups (RFC 7208 §4.6.4).
  boolean looksUp() {
    return LOOKUPS.contains(name);
  }

  private static Optional<SpfTerm> term(String word) {
    int equals = word.indexOf('=');
    int mark = first(word, ':', '/');
    if (equals > 0 && equals < mark) {
      return modifier(word.substring(0, equals), word.substring(equals + 1));
    }
    boolean qualified = "+-~?".indexOf(word.charAt(0)) >= 0;
    char qualifier = qualified ? word.charAt(0) : '+';
    var name = word.substring(qualified ? 1 : 0, mark).toLowerCase(Locale.ROOT);
    var rest = word.substring(mark);
    return switch (name) {
      case "all" ->
          rest.isEmpty() ? term(qualifier, name, Optional.empty(), 0, 0) : Optional.empty();
      case "include", "exists" ->
          rest.length() > 1 && rest.charAt(0) == ':'
              ? term(qualifier, name, Optional.of(rest.substring(1)), 0, 0)
              : Optional.empty();
      case "ptr" -> term(qualifier, name, value(rest), 0, 0);
      case "ip4", "ip6" ->
          value(rest)
              .filter(text -> (text.indexOf(':') >= 0) == name.equals("ip6"))
              .filter(text -> Network.of(text).isPresent())
              .flatMap(text -> term(qualifier, name, Optional.of(text), 0, 0));
      case "a", "mx" -> hosts(qualifier, name, rest);
      default -> Optional.empty();
    };
  }

  private static Optional<SpfTerm> modifier(String name, String value) {
    if (!Character.isLetter(name.charAt(0))
        || !name.chars()
            .allMatch(c -> c < 0x80 && (Character.isLetterOrDigit(c) || "-_.".indexOf(c) >= 0))) {
      return Optional.empty();
    }
    return term('+', name.toLowerCase(Locale.ROOT), Optional.of(value), 0, 0);
  }

  /// `a` and `mx`: perhaps a name, perhaps `/24`, `//64` or both.
  private static Optional<SpfTerm> hosts(char qualifier, String name, String rest) {
    int slash = rest.indexOf('/');
    var host = slash < 0 ? rest : rest.substring(0, slash);
    var prefixes = slash < 0 ? "" : rest.substring(slash);
    if (!host.isEmpty() && host.length() < 2) {
      return Optional.empty();
    }
    int two = prefixes.indexOf("//");
    int four = number(two < 0 ? prefixes : prefixes.substring(0, two), 1, 32);
    int six = number(two < 0 ? "" : prefixes.substring(two), 2, 128);
    return four < 0 || six < 0 ? Optional.empty() : term(qualifier, name, value(host), four, six);
  }

  /// The number after so many slashes; the greatest without any, -1 for what is none.
  private static int number(String text, int slashes, int greatest) {
    if (text.isEmpty()) {
      return greatest;
    }
    int number = 0;
    for (int i = slashes; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9' || text.length() - slashes > 3) {
        return -1;
      }
      number = number * 10 + c - '0';
    }
    return text.length() > slashes && number <= greatest ? number : -1;
  }

  private static Optional<String> value(String rest) {
    return rest.length() > 1 ? Optional.of(rest.substring(1)) : Optional.empty();
  }

  private static int first(String text, char one, char other) {
    int i = 0;
    while (i < text.length() && text.charAt(i) != one && text.charAt(i) != other) {
      i++;
    }
    return i;
  }

  private static Optional<SpfTerm> term(
      char qualifier, String name, Optional<String> value, int prefix4, int prefix6) {
    return Optional.of(new SpfTerm(qualifier, name, value, prefix4, prefix6));
  }
}
