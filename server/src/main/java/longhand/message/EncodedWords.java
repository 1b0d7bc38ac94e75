package longhand.message;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

/// Header text for people: encoded-words undone (RFC 2047), charsets decoded. One pass; what looks
/// like an encoded-word and is none stays as it is.
public final class EncodedWords {

  /// Longest encoded-word that is decoded, in octets. RFC 2047 §2 says 75; senders break it.
  private static final int WORD_MAX = 4_096;

  private EncodedWords() {}

  /// The text of an unfolded header value.
  public static String decode(byte[] value) {
    var text = new StringBuilder(value.length);
    int plain = 0;
    int i = 0;
    // Neighbouring words of one charset are joined before decoding: senders split characters.
    var joined = new ByteArrayOutputStream();
    var joinedCharset = "";
    while (i < value.length) {
      var word =
          value[i] == '=' && i + 1 < value.length && value[i + 1] == '?' ? word(value, i) : null;
      if (word == null) {
        i++;
        continue;
      }
      boolean adjacent = joined.size() > 0 && blank(value, plain, i);
      if (!adjacent || !word.charset.equalsIgnoreCase(joinedCharset)) {
        text.append(Charsets.decode(joined.toByteArray(), joinedCharset));
        joined.reset();
        joinedCharset = word.charset;
      }
      if (!adjacent) {
        text.append(Charsets.decode(Arrays.copyOfRange(value, plain, i), ""));
      }
      joined.writeBytes(word.octets);
      i = word.end;
      plain = i;
    }
    text.append(Charsets.decode(joined.toByteArray(), joinedCharset));
    text.append(Charsets.decode(Arrays.copyOfRange(value, plain, value.length), ""));
    return text.toString();
  }

  private static boolean blank(byte[] value, int from, int to) {
    for (int i = from; i < to; i++) {
      if (value[i] != ' ' && value[i] != '\t') {
        return false;
      }
    }
    return true;
  }

  private record Word(String charset, byte[] octets, int end) {}

  /// The encoded-word at `start`, `=?charset?B or Q?text?=`, or null. Looks no further than it
  /// must: a charset is short, so that many `=?` cost no more than a few octets each.
  private static @org.jspecify.annotations.Nullable Word word(byte[] value, int start) {
    int charsetEnd = next(value, start + 2, 80);
    if (charsetEnd <= start + 2 || charsetEnd + 2 >= value.length || value[charsetEnd + 2] != '?') {
      return null;
    }
    int kind = value[charsetEnd + 1] | 0x20;
    if (kind != 'b' && kind != 'q') {
      return null;
    }
    int textStart = charsetEnd + 3;
    int textEnd = next(value, textStart, WORD_MAX);
    if (textEnd < 0 || textEnd + 1 >= value.length || value[textEnd + 1] != '=') {
      return null;
    }
    var charset = new String(value, start + 2, charsetEnd - start - 2, StandardCharsets.ISO_8859_1);
    int language = charset.indexOf('*'); // RFC 2231 §5
    var octets = kind == 'b' ? base64(value, textStart, textEnd) : q(value, textStart, textEnd);
    return octets == null
        ? null
        : new Word(language < 0 ? charset : charset.substring(0, language), octets, textEnd + 2);
  }

  private static int next(byte[] value, int from, int octetsMax) {
    int limit = Math.min(value.length, from + octetsMax);
    for (int i = from; i < limit; i++) {
      if (value[i] == '?') {
        return i;
      }
    }
    return -1;
  }

  private static byte @org.jspecify.annotations.Nullable [] base64(byte[] value, int from, int to) {
    try {
      return Base64.getMimeDecoder().decode(Arrays.copyOfRange(value, from, to));
    } catch (IllegalArgumentException _) {
      return null; // no base64, so no encoded-word
    }
  }

  private static byte[] q(byte[] value, int from, int to) {
    var octets = new ByteArrayOutputStream(to - from);
    for (int i = from; i < to; i++) {
      if (value[i] == '=' && i + 2 < to) {
        int high = Character.digit(value[i + 1], 16);
        int low = Character.digit(value[i + 2], 16);
        if (high >= 0 && low >= 0) {
          octets.write(high * 16 + low);
          i += 2;
          continue;
        }
      }
      octets.write(value[i] == '_' ? ' ' : value[i]);
    }
    return octets.toByteArray();
  }
}
