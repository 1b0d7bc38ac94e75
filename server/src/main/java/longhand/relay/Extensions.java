package longhand.relay;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// What a server announced in its answer to EHLO (RFC 5321 §4.1.1.1); words that are not known
/// count for nothing.
///
/// @param deliverBy whether it keeps the times of RFC 2852
/// @param deliverByMin seconds, fewer than which it does not take where the message is to go back
///   when they are over; 0 for any
/// @param sizeMax octets of a message (RFC 1870), or 0 for no bound that was named
/// @param mechanisms how to log in (RFC 4954), upper case
record Extensions(
    boolean startTls,
    boolean pipelining,
    boolean chunking,
    boolean eightBitMime,
    boolean smtpUtf8,
    boolean dsn,
    boolean requireTls,
    boolean priority,
    boolean deliverBy,
    long deliverByMin,
    boolean size,
    long sizeMax,
    Set<String> mechanisms) {

  /// Of a server that was greeted with HELO, or not yet.
  static final Extensions NONE =
      new Extensions(
          false, false, false, false, false, false, false, false, false, 0, false, 0, Set.of());

  /// From the answer, whose first line is the server's name.
  static Extensions of(Reply hello) {
    var keywords = new HashSet<String>();
    Set<String> mechanisms = new HashSet<>();
    long sizeMax = 0;
    long deliverByMin = 0;
    for (var line : hello.lines().subList(1, hello.lines().size())) {
      var words = words(line.toUpperCase(Locale.ROOT));
      if (words.isEmpty()) {
        continue;
      }
      var keyword = words.getFirst();
      keywords.add(keyword);
      if (keyword.equals("AUTH")) {
        mechanisms.addAll(words.subList(1, words.size()));
      } else if (keyword.equals("SIZE") && words.size() > 1) {
        sizeMax = number(words.get(1));
      } else if (keyword.equals("DELIVERBY") && words.size() > 1) {
        // RFC 2852 §2: options after commas, of which the first is known.
        var options = words.get(1);
        int comma = options.indexOf(',');
        deliverByMin = number(comma < 0 ? options : options.substring(0, comma));
      }
    }
    return new Extensions(
        keywords.contains("STARTTLS"),
        keywords.contains("PIPELINING"),
        keywords.contains("CHUNKING"),
        keywords.contains("8BITMIME"),
        keywords.contains("SMTPUTF8"),
        keywords.contains("DSN"),
        keywords.contains("REQUIRETLS"),
        keywords.contains("MT-PRIORITY"),
        keywords.contains("DELIVERBY"),
        deliverByMin,
        keywords.contains("SIZE"),
        sizeMax,
        Set.copyOf(mechanisms));
  }

  private static List<String> words(String line) {
    var words = new java.util.ArrayList<String>();
    for (int begin = 0; begin < line.length(); ) {
      int space = line.indexOf(' ', begin);
      int end = space < 0 ? line.length() : space;
      if (end > begin) {
        words.add(line.substring(begin, end));
      }
      begin = end + 1;
    }
    return words;
  }

  /// A number of up to 18 digits; 0 for anything else.
  private static long number(String text) {
    long number = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9' || i == 18) {
        return 0;
      }
      number = number * 10 + c - '0';
    }
    return number;
  }
}
