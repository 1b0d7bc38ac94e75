package longhand.sending;

import java.time.Instant;
import longhand.mail.Address;
import longhand.mail.EnhancedStatus;

/// That an account sends nothing to an address, since mail for it came back for good.
///
/// @param address as it was written to
/// @param since when its server said so
/// @param until when it may be tried again
/// @param status what was said
/// @param words the same as the server said it, in one line of printable ASCII; cut when longer
public record Suppression(
    Address address, Instant since, Instant until, EnhancedStatus status, String words) {

  private static final int WORDS_CHARS_MAX = 300;

  public Suppression {
    words = printable(words);
  }

  /// Whether a status says that the address itself is bad, for whoever writes to it (RFC 3463 §3.2,
  /// §3.3, RFC 7505): not that the sender, the message or this day is.
  public static boolean isCalledForBy(EnhancedStatus status) {
    if (status.kind() != 5) {
      return false;
    }
    return switch (status.subject()) {
      case 1 ->
          switch (status.detail()) {
            case 1, 2, 3, 6, 10 -> true;
            default -> false;
          };
      case 2 -> status.detail() == 1;
      default -> false;
    };
  }

  private static String printable(String text) {
    var shown = new StringBuilder(Math.min(text.length(), WORDS_CHARS_MAX));
    for (int i = 0; i < text.length() && shown.length() < WORDS_CHARS_MAX; i++) {
      char c = text.charAt(i);
      shown.append(c >= ' ' && c < 0x7f ? c : c < ' ' ? ' ' : '?');
    }
    return shown.toString();
  }
}
