package longhand.directory;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import longhand.directory.AccountLine.BadLineException;
import longhand.mail.Address;
import longhand.mail.Domain;

/// A line of a domain's file that is about an alias (`docs/accounts.md` has the grammar):
///
///     sales alias alice,bob@example.net
///     info-* alias alice senders=none
///     board alias :; senders=alice,carol confidential
///     old alias bob@example.net keep-sender
final class AliasLine {

  /// Longest line, in bytes, its end not counted: some 2,500 addresses.
  static final int BYTES_MAX = 64 * 1024;

  /// The second word, which makes it a line of an alias.
  static final String WORD = "alias";

  private static final String SENDERS = "senders=";

  private AliasLine() {}

  /// The line of an alias, without its end.
  static String format(AliasRecord alias) {
    var home = alias.name().domain();
    var line =
        new StringBuilder(alias.name().key())
            .append(' ')
            .append(WORD)
            .append(' ')
            .append(TargetList.format(alias.targets(), home));
    switch (alias.senders()) {
      case Senders.Members _ -> {}
      case Senders.Nobody _ -> line.append(" senders=none");
      case Senders.Listed(var accounts) ->
          line.append(' ').append(SENDERS).append(TargetList.format(accounts, home));
    }
    if (alias.confidential()) {
      line.append(" confidential");
    }
    if (!alias.rewriting()) {
      line.append(" keep-sender");
    }
    return line.toString();
  }

  /// Reads an alias's line. `line` has no end.
  static AliasRecord parse(byte[] line, Domain domain) throws BadLineException {
    var words = words(AccountLine.text(line, BYTES_MAX));
    if (words.size() < 3) {
      throw new BadLineException(
          words.size() + " words, expected `local-part alias targets [marks]`");
    }
    if (!words.get(1).equals(WORD)) {
      throw new BadLineException("no line of an alias");
    }
    Senders senders = new Senders.Members();
    boolean confidential = false;
    boolean rewriting = true;
    for (var mark : words.subList(3, words.size())) {
      if (mark.startsWith(SENDERS)) {
        senders = senders(mark.substring(SENDERS.length()), domain);
      } else if (mark.equals("confidential")) {
        confidential = true;
      } else if (mark.equals("keep-sender")) {
        rewriting = false;
      } else {
        throw new BadLineException(
            "mark "
                + AccountLine.shown(mark)
                + ", expected senders=..., confidential or keep-sender");
      }
    }
    try {
      return new AliasRecord(
          name(words.getFirst(), domain),
          TargetList.parse(words.get(2), domain),
          senders,
          confidential,
          rewriting);
    } catch (IllegalArgumentException e) {
      throw new BadLineException(String.valueOf(e.getMessage()));
    }
  }

  /// Words between spaces; several spaces are as one, so that a person can align them.
  private static List<String> words(String text) {
    var words = new ArrayList<String>();
    int begin = 0;
    while (begin < text.length()) {
      int end = text.indexOf(' ', begin);
      end = end < 0 ? text.length() : end;
      if (end > begin) {
        words.add(text.substring(begin, end));
      }
      begin = end + 1;
    }
    return words;
  }

  private static AliasName name(String key, Domain domain) throws BadLineException {
    int star = key.indexOf('*');
    if (star < 0) {
      return new AliasName(AccountLine.localPart(key), false, domain);
    }
    var before = key.substring(0, star);
    var after = key.substring(star + 1);
    return new AliasName(
        (before.isEmpty() ? "" : AccountLine.localPart(before))
            + "*"
            + (after.isEmpty() ? "" : AccountLine.localPart(after)),
        true,
        domain);
  }

  private static Senders senders(String text, Domain domain) throws BadLineException {
    // "none" and "members" may be accounts as well: those are written with their domain.
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "none" -> new Senders.Nobody();
      case "members" -> new Senders.Members();
      default -> {
        var accounts =
            TargetList.parse(text, domain).stream().map(Address::canonical).distinct().toList();
        if (accounts.isEmpty()) {
          throw new BadLineException("senders=" + TargetList.NOBODY + ", expected senders=none");
        }
        yield new Senders.Listed(accounts);
      }
    };
  }
}
