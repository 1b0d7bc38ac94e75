package longhand.dns;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads TXT records that begin with a version and go on with fields, `v=STSv1; id=1`: those of
/// MTA-STS (RFC 8461 §3.1) and TLS reports (RFC 8460 §3) have one grammar.
public final class VersionedText {

  private static final int NAME_LENGTH_MAX = 32;

  private VersionedText() {}

  /// The fields of the one record of that version; the first counts of two with one name. Texts
  /// that do not begin with the version count for nothing; empty when two do, or when the one
  /// breaks the grammar.
  ///
  /// @param version after `v=`
  /// @return values of printable ASCII, spaces and tabs inside them kept, `;` never
  public static Optional<Map<String, String>> among(List<String> texts, String version) {
    var prefix = "v=" + version;
    var ours = texts.stream().filter(text -> isOf(prefix, text)).toList();
    return ours.size() == 1 ? fields(ours.getFirst()) : Optional.empty();
  }

  private static boolean isOf(String prefix, String text) {
    int end = prefix.length();
    if (!text.startsWith(prefix)) {
      return false;
    }
    while (end < text.length() && isSpace(text.charAt(end))) {
      end++;
    }
    return end < text.length() && text.charAt(end) == ';';
  }

  private static Optional<Map<String, String>> fields(String text) {
    var fields = new LinkedHashMap<String, String>();
    int end = text.length();
    while (isSpace(text.charAt(end - 1))) {
      end--;
    }
    for (int begin = text.indexOf(';') + 1; begin < end; ) {
      int semicolon = text.indexOf(';', begin);
      int next = semicolon < 0 ? end : semicolon;
      int from = begin;
      int to = next;
      while (from < to && isSpace(text.charAt(from))) {
        from++;
      }
      while (to > from && isSpace(text.charAt(to - 1))) {
        to--;
      }
      int equals = text.indexOf('=', from);
      if (equals < 0 || equals + 1 >= to || !isName(text, from, equals)) {
        return Optional.empty();
      }
      for (int i = equals + 1; i < to; i++) {
        char c = text.charAt(i);
        if ((c < ' ' && c != '\t') || c >= 0x7f) {
          return Optional.empty();
        }
      }
      fields.putIfAbsent(text.substring(from, equals), text.substring(equals + 1, to));
      begin = next + 1;
    }
    return Optional.of(fields);
  }

  private static boolean isName(String text, int from, int to) {
    if (from == to || to - from > NAME_LENGTH_MAX || !isLetterDigit(text.charAt(from))) {
      return false;
    }
    for (int i = from; i < to; i++) {
      char c = text.charAt(i);
      if (!isLetterDigit(c) && c != '_' && c != '-' && c != '.') {
        return false;
      }
    }
    return true;
  }

  private static boolean isLetterDigit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }

  private static boolean isSpace(char c) {
    return c == ' ' || c == '\t';
  }
}
