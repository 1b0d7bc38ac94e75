package longhand.transfer;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;

/// The header fields that are an mbox file's own and no part of a message.
final class MboxFields {

  private static final Set<String> NAMES =
      Set.of(
          "status",
          "x-status",
          "x-keywords",
          "x-uid",
          "x-imap",
          "x-imapbase",
          "content-length",
          "x-longhand",
          "x-mailbox");
  private static final String QUOTE = "x-quoted-";

  private MboxFields() {}

  /// Whether a field of that name, lower case, is the file's own.
  static boolean isOwn(String name) {
    return NAMES.contains(name);
  }

  /// Whether a name, lower case, is that of such a field with any number of quotes, one at least.
  static boolean isQuoted(String name) {
    return name.startsWith(QUOTE) && isOwn(unquoted(name));
  }

  private static String unquoted(String name) {
    int at = 0;
    while (name.startsWith(QUOTE, at)) {
      at += QUOTE.length();
    }
    return name.substring(at);
  }

  /// Whether a line of a header must be quoted.
  static boolean isQuotable(byte[] line, int length) {
    return isOwn(unquoted(name(line, 0, length)));
  }

  /// The name of the field on a line, lower case; empty when there is none.
  static String name(byte[] line, int start, int end) {
    int at = start;
    while (at < end && line[at] != ':' && line[at] > ' ' && at - start < 1000) {
      at++;
    }
    return at < end && (line[at] == ':' || line[at] == ' ' || line[at] == '\t')
        ? new String(line, start, at - start, StandardCharsets.ISO_8859_1).toLowerCase(Locale.ROOT)
        : "";
  }
}
