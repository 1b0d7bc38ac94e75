package longhand.dsn;

import java.util.Locale;
import java.util.Optional;
import longhand.mail.Address;
import longhand.mail.ForwardPath;
import longhand.mail.Xtext;

/// The fields of message/delivery-status (RFC 3464 §2), or of message/global-delivery-status, which
/// may hold UTF-8 (RFC 6533 §4).
final class StatusFields {

  private static final int VALUE_MAX = 4_000;

  private final boolean global;
  private final StringBuilder fields = new StringBuilder(1024);

  StatusFields(boolean global) {
    this.global = global;
  }

  /// Adds a field, whatever its value holds.
  void add(String name, String value) {
    var line = Text.line(value, VALUE_MAX);
    fields.append(Text.field(name, global ? line : Text.ascii(line)));
  }

  /// Adds the fields of one recipient, after an empty line.
  void recipient(Told told) {
    fields.append("\r\n");
    originalRecipient(told.recipient()).ifPresent(value -> add("Original-Recipient", value));
    // As it is: an address has no controls, and its blanks are its own.
    fields.append(Text.field("Final-Recipient", finalRecipient(told.recipient().address())));
    add("Action", told.action().word());
    add("Status", told.status().toString());
    told.remoteMta().ifPresent(name -> add("Remote-MTA", "dns; " + name));
    told.words()
        .ifPresent(
            words -> add("Diagnostic-Code", (isReply(words) ? "smtp; " : "x-longhand; ") + words));
    told.lastAttempt().ifPresent(time -> add("Last-Attempt-Date", Text.date(time)));
    told.logId().ifPresent(id -> add("Final-Log-ID", id));
    told.willRetryUntil().ifPresent(time -> add("Will-Retry-Until", Text.date(time)));
  }

  private static String finalRecipient(Address address) {
    return (Text.isAscii(address.localPart()) ? "rfc822; " : "utf-8; ") + address.quoted();
  }

  /// Whether words are a server's answer: three digits, then no more of them.
  private static boolean isReply(String words) {
    return words.length() >= 3
        && words.charAt(0) >= '2'
        && words.charAt(0) <= '5'
        && words.charAt(1) >= '0'
        && words.charAt(1) <= '9'
        && words.charAt(2) >= '0'
        && words.charAt(2) <= '9'
        && (words.length() == 3 || words.charAt(3) == ' ' || words.charAt(3) == '-');
  }

  /// What ORCPT said, out of its xtext (RFC 3464 §2.3.1); empty when it was not given.
  static Optional<String> originalRecipient(ForwardPath path) {
    return path.originalRecipient()
        .flatMap(
            value -> {
              int semicolon = value.indexOf(';');
              if (semicolon < 1) {
                return Optional.empty();
              }
              var type = value.substring(0, semicolon).toLowerCase(Locale.ROOT);
              var address = value.substring(semicolon + 1);
              return Optional.of(
                  type + "; " + (type.equals("utf-8") ? unitext(address) : Xtext.decode(address)));
            });
  }

  /// Takes `\x{E9}` out (RFC 6533 §3). What is none stays.
  static String unitext(String text) {
    var plain = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      int end = text.startsWith("\\x{", i) ? text.indexOf('}', i) : -1;
      int point = end - i < 5 || end - i > 9 ? -1 : hexadecimal(text, i + 3, end);
      if (Character.isValidCodePoint(point)) {
        plain.appendCodePoint(point);
        i = end;
      } else {
        plain.append(text.charAt(i));
      }
    }
    return plain.toString();
  }

  private static int hexadecimal(String text, int begin, int end) {
    int number = 0;
    for (int i = begin; i < end; i++) {
      int digit = Character.digit(text.charAt(i), 16);
      if (digit < 0) {
        return -1;
      }
      number = number * 16 + digit;
    }
    return number;
  }

  @Override
  public String toString() {
    return fields.toString();
  }
}
