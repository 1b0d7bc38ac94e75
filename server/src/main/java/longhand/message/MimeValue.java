package longhand.message;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The value of a structured MIME field (RFC 2045 §5.1, RFC 2183): a main word and parameters. Read
/// leniently: what is no parameter is passed over, and octets above 127 stay as they are. Texts
/// hold one octet in each character (ISO 8859-1), since nobody has decoded them yet.
///
/// @param word `text/plain`, `attachment`, `base64`: without comments and white space, as it stood
/// @param parameters in order, the first of each name
public record MimeValue(String word, List<Parameter> parameters) {

  /// Most parameters of one field that are kept.
  public static final int PARAMETERS_MAX = 1_000;

  /// One parameter; RFC 2231's `*0*` and the like are still part of its name.
  public record Parameter(String name, String value) {}

  public MimeValue {
    parameters = List.copyOf(parameters);
  }

  /// Reads an unfolded value.
  public static MimeValue of(byte[] value) {
    return new Reader(value).read();
  }

  /// The value of a parameter, RFC 2231 continuations joined, its characters still raw octets;
  /// empty when there is none.
  public Optional<String> raw(String name) {
    for (var parameter : parameters) {
      if (parameter.name.equalsIgnoreCase(name)) {
        return Optional.of(parameter.value);
      }
    }
    var joined = new StringBuilder();
    for (int n = 0; n <= parameters.size(); n++) {
      var piece = piece(name + "*" + n);
      if (piece.isEmpty()) {
        break;
      }
      joined.append(piece.get().value);
    }
    return joined.isEmpty() ? Optional.empty() : Optional.of(joined.toString());
  }

  private Optional<Parameter> piece(String name) {
    for (var parameter : parameters) {
      if (parameter.name.equalsIgnoreCase(name) || parameter.name.equalsIgnoreCase(name + "*")) {
        return Optional.of(parameter);
      }
    }
    return Optional.empty();
  }

  /// The value of a parameter for people: continuations joined, percent-encoding and charset of RFC
  /// 2231 §4 undone, encoded-words too, which should not be there but are.
  public Optional<String> decoded(String name) {
    for (var parameter : parameters) {
      if (parameter.name.equalsIgnoreCase(name)) {
        return Optional.of(
            EncodedWords.decode(parameter.value.getBytes(StandardCharsets.ISO_8859_1)));
      }
    }
    var octets = new ByteArrayOutputStream();
    var charset = "";
    boolean found = false;
    var single = piece(name);
    for (int n = 0; n <= parameters.size(); n++) {
      var piece = n == 0 && single.isPresent() ? single : piece(name + "*" + n);
      if (piece.isEmpty()) {
        break;
      }
      found = true;
      var text = piece.get().value;
      if (!piece.get().name.endsWith("*")) {
        octets.writeBytes(text.getBytes(StandardCharsets.ISO_8859_1));
        continue;
      }
      if (n == 0) {
        int quote = text.indexOf('\'');
        int second = quote < 0 ? -1 : text.indexOf('\'', quote + 1);
        if (second >= 0) {
          charset = text.substring(0, quote);
          text = text.substring(second + 1);
        }
      }
      percentDecode(text, octets);
      if (single.isPresent()) {
        break;
      }
    }
    return found ? Optional.of(Charsets.decode(octets.toByteArray(), charset)) : Optional.empty();
  }

  private static void percentDecode(String text, ByteArrayOutputStream octets) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '%' && i + 2 < text.length()) {
        int high = Character.digit(text.charAt(i + 1), 16);
        int low = Character.digit(text.charAt(i + 2), 16);
        if (high >= 0 && low >= 0) {
          octets.write(high * 16 + low);
          i += 2;
          continue;
        }
      }
      octets.write(c);
    }
  }

  /// The part of the word before `/`, lower case; the whole word when there is none.
  public String type() {
    int slash = word.indexOf('/');
    return (slash < 0 ? word : word.substring(0, slash)).toLowerCase(Locale.ROOT);
  }

  /// The part of the word after `/`, lower case; empty when there is none.
  public String subtype() {
    int slash = word.indexOf('/');
    return slash < 0 ? "" : word.substring(slash + 1).toLowerCase(Locale.ROOT);
  }

  private static final class Reader {

    private final byte[] value;
    private int at;

    Reader(byte[] value) {
      this.value = value;
    }

    MimeValue read() {
      var word = word();
      var parameters = new ArrayList<Parameter>();
      var names = new java.util.HashSet<String>();
      while (at < value.length) {
        // A semicolon should come between; some leave it out, or write words that mean nothing.
        blank();
        var name = token();
        blank();
        if (name.isEmpty() || at == value.length || value[at] != '=') {
          at += name.isEmpty() ? 1 : 0;
          continue;
        }
        at++;
        blank();
        var text =
            at < value.length && value[at] == '"'
                ? quoted()
                : unquoted(name.equalsIgnoreCase("boundary"));
        if (parameters.size() < PARAMETERS_MAX && names.add(name.toLowerCase(Locale.ROOT))) {
          parameters.add(new Parameter(name, text));
        }
      }
      return new MimeValue(word, parameters);
    }

    /// The main word: token characters and slashes, blanks around a slash forgiven.
    private String word() {
      blank();
      var first = token();
      blank();
      if (at == value.length || value[at] != '/') {
        return first;
      }
      at++;
      blank();
      return first + "/" + token();
    }

    private String token() {
      int from = at;
      while (at < value.length && isToken(value[at])) {
        at++;
      }
      return new String(value, from, at - from, StandardCharsets.ISO_8859_1);
    }

    private static boolean isToken(byte octet) {
      return switch (octet) {
        case ' ', '\t', '\r', '\n', 0, '(', ')', ';', '"', '/', '=', ',' -> false;
        default -> true;
      };
    }

    /// A value without quotes, up to a semicolon or comment: some send file names with blanks.
    private String unquoted(boolean oneWord) {
      int from = at;
      int end = at;
      while (at < value.length && value[at] != ';' && value[at] != '(') {
        if (value[at] != ' ' && value[at] != '\t') {
          end = at + 1;
        } else if (oneWord || (at == end && isNextParameter())) {
          break;
        }
        at++;
      }
      return new String(value, from, end - from, StandardCharsets.ISO_8859_1);
    }

    /// Whether a parameter follows the blanks here, its semicolon forgotten. Asked once for each
    /// word.
    private boolean isNextParameter() {
      int i = at;
      while (i < value.length && (value[i] == ' ' || value[i] == '\t')) {
        i++;
      }
      int from = i;
      while (i < value.length && isToken(value[i])) {
        i++;
      }
      return i > from && i < value.length && value[i] == '=';
    }

    private String quoted() {
      at++;
      var text = new StringBuilder();
      while (at < value.length && value[at] != '"') {
        if (value[at] == '\\' && at + 1 < value.length) {
          at++;
        }
        text.append((char) (value[at] & 0xff));
        at++;
      }
      at++;
      return text.toString();
    }

    /// White space and comments (RFC 5322 §3.2.2), which nest.
    private void blank() {
      int depth = 0;
      while (at < value.length) {
        byte octet = value[at];
        if (octet == '(') {
          depth++;
        } else if (depth > 0) {
          if (octet == ')') {
            depth--;
          } else if (octet == '\\') {
            at++;
          }
        } else if (octet != ' ' && octet != '\t' && octet != '\r' && octet != '\n') {
          return;
        }
        at++;
      }
      at = Math.min(at, value.length);
    }
  }
}
