package longhand.transfer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// Names of mailboxes as names of files: `%XX` for what a path or a shell might take for something
/// else, and for a dot at the start.
final class FileNames {

  private FileNames() {}

  static String encode(String name) {
    var out = new StringBuilder();
    for (byte octet : name.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (octet & 0xff);
      boolean plain =
          octet < 0
              || (c > ' '
                  && c < 0x7f
                  && "/\\%:*?\"<>|".indexOf(c) < 0
                  && !(c == '.' && out.isEmpty()))
              || (c == ' ' && !out.isEmpty());
      if (plain) {
        out.append(c);
      } else {
        out.append(String.format(Locale.ROOT, "%%%02X", (int) c));
      }
    }
    return new String(out.toString().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }

  /// The name that `encode` made a file name of; what is no escape stays.
  static String decode(String name) {
    var octets = name.getBytes(StandardCharsets.UTF_8);
    var out = new ByteArrayOutputStream();
    for (int i = 0; i < octets.length; i++) {
      int high = i + 2 < octets.length ? Character.digit(octets[i + 1], 16) : -1;
      int low = i + 2 < octets.length ? Character.digit(octets[i + 2], 16) : -1;
      if (octets[i] == '%' && high >= 0 && low >= 0) {
        out.write(high << 4 | low);
        i += 2;
      } else {
        out.write(octets[i]);
      }
    }
    return out.toString(StandardCharsets.UTF_8);
  }
}
