package longhand.transfer;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

/// Names of Maildir++ folders: a dot before each level, modified UTF-7 (RFC 3501 §5.1.3), as
/// Dovecot and Courier write them.
final class MaildirNames {

  private MaildirNames() {}

  /// The folder of a mailbox. A dot within a level becomes `&AC4-`, which reads back as a dot.
  static String folder(String mailbox) {
    var out = new StringBuilder(".");
    var special = new StringBuilder();
    for (int i = 0; i <= mailbox.length(); i++) {
      char c = i < mailbox.length() ? mailbox.charAt(i) : '/';
      boolean plain = c >= ' ' && c < 0x7f && c != '.';
      if (!plain) {
        special.append(c);
        continue;
      }
      if (!special.isEmpty()) {
        var base64 =
            Base64.getEncoder()
                .withoutPadding()
                .encodeToString(special.toString().getBytes(StandardCharsets.UTF_16BE));
        out.append('&').append(base64.replace('/', ',')).append('-');
        special.setLength(0);
      }
      if (i < mailbox.length()) {
        out.append(c == '/' ? "." : c == '&' ? "&-" : String.valueOf(c));
      }
    }
    return out.toString();
  }

  /// The mailbox of a folder whose name begins with a dot; what is not modified UTF-7 stays.
  static String mailbox(String folder) {
    var out = new StringBuilder();
    for (int i = 1; i < folder.length(); i++) {
      char c = folder.charAt(i);
      int end = c == '&' ? folder.indexOf('-', i) : -1;
      if (end == i + 1) {
        out.append('&');
        i = end;
      } else if (end > 0) {
        try {
          var octets = Base64.getDecoder().decode(folder.substring(i + 1, end).replace(',', '/'));
          out.append(new String(octets, StandardCharsets.UTF_16BE));
          i = end;
        } catch (IllegalArgumentException e) {
          out.append(c); // an ampersand of somebody who did not encode names
        }
      } else {
        out.append(c == '.' ? '/' : c);
      }
    }
    return out.toString();
  }
}
