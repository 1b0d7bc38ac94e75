package longhand.message;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What an address list of a header holds, in order (RFC 5322 §3.4), with the obsolete forms and
/// the mistakes one meets: display names without quotes, missing commas, routes, comments, octets
/// above 127. Texts hold one octet in each character; encoded-words are left as they are.
public sealed interface HeaderAddress {

  /// Most addresses of one field that are looked at.
  int ADDRESSES_MAX = 1_000;

  /// One address.
  ///
  /// @param name the display name without its quotes, else the comment after the address
  /// @param route the source route `@a,@b` (RFC 5322 §4.4)
  /// @param localPart without quotes
  /// @param host empty where there was no `@`
  record One(@Nullable String name, @Nullable String route, String localPart, String host)
      implements HeaderAddress {}

  /// A group begins.
  record GroupStart(String name) implements HeaderAddress {}

  /// It ends.
  record GroupEnd() implements HeaderAddress {}

  /// Reads an unfolded value, in one pass.
  static List<HeaderAddress> list(byte[] value) {
    return new Reader(value).read();
  }

  /// The state of one pass: what has been seen of the address at hand.
  final class Reader {

    private final String text;
    private int at;
    private final List<HeaderAddress> found = new ArrayList<>();
    private int addresses;
    private boolean inGroup;

    /// All words so far, a blank between them: a display name, if `<` follows.
    private StringBuilder phrase = new StringBuilder();

    /// The words so far without blanks: a local part, if `@` follows.
    private StringBuilder local = new StringBuilder();

    private @Nullable StringBuilder host;
    private @Nullable String comment;
    private boolean blankBefore;
    private boolean quotedLocal;

    private Reader(byte[] value) {
      this.text = new String(value, StandardCharsets.ISO_8859_1);
    }

    private List<HeaderAddress> read() {
      while (at < text.length() && addresses < ADDRESSES_MAX) {
        char c = text.charAt(at);
        switch (c) {
          case ' ', '\t', '\r', '\n' -> {
            blankBefore = true;
            at++;
          }
          case '(' -> {
            var inside = comment();
            if (comment == null && !inside.isEmpty()) {
              comment = inside;
            }
            blankBefore = true;
          }
          case '"' -> {
            word(quoted());
            quotedLocal = true;
          }
          case '<' -> angle();
          case ',' -> {
            at++;
            finish();
          }
          case ';' -> {
            at++;
            finish();
            endGroup();
          }
          case ':' -> {
            at++;
            startGroup();
          }
          case '@' -> {
            at++;
            if (host == null && (!local.isEmpty() || quotedLocal)) {
              host = new StringBuilder();
            }
            phrase.append('@');
            blankBefore = false;
          }
          case '[' -> word(domainLiteral());
          default -> word(atom());
        }
      }
      finish();
      endGroup();
      return found;
    }

    private void word(String word) {
      if (blankBefore && !phrase.isEmpty() && phrase.charAt(phrase.length() - 1) != '@') {
        phrase.append(' ');
      }
      phrase.append(word);
      if (host == null) {
        local.append(word);
      } else if (!blankBefore
          || host.isEmpty()
          || word.startsWith(".")
          || host.charAt(host.length() - 1) == '.') {
        host.append(word);
      }
      blankBefore = false;
    }

    private String atom() {
      int from = at;
      while (at < text.length() && " \t\r\n(\"<,;:@[".indexOf(text.charAt(at)) < 0) {
        at++;
      }
      return text.substring(from, at);
    }

    private String quoted() {
      var inside = new StringBuilder();
      at++;
      while (at < text.length() && text.charAt(at) != '"') {
        if (text.charAt(at) == '\\' && at + 1 < text.length()) {
          at++;
        }
        inside.append(text.charAt(at));
        at++;
      }
      at = Math.min(at + 1, text.length());
      return inside.toString();
    }

    private String domainLiteral() {
      int from = at;
      while (at < text.length() && text.charAt(at) != ']' && text.charAt(at) != ',') {
        at++;
      }
      if (at < text.length() && text.charAt(at) == ']') {
        at++;
      }
      return text.substring(from, at);
    }

    /// The inside of a comment, those within it included, backslashes undone.
    private String comment() {
      var inside = new StringBuilder();
      int depth = 0;
      while (at < text.length()) {
        char c = text.charAt(at++);
        if (c == '\\' && at < text.length()) {
          inside.append(text.charAt(at++));
          continue;
        }
        if (c == ')' && --depth == 0) {
          break;
        }
        if (depth > 0) {
          inside.append(c);
        }
        if (c == '(') {
          depth++;
        }
      }
      int from = 0;
      int to = inside.length();
      while (from < to && inside.charAt(from) == ' ') {
        from++;
      }
      while (to > from && inside.charAt(to - 1) == ' ') {
        to--;
      }
      return inside.substring(from, to);
    }

    /// `<` route and address `>` (RFC 5322 §3.4, §4.4).
    private void angle() {
      at++;
      var part = new StringBuilder();
      StringBuilder domain = null;
      String route = null;
      boolean first = true;
      while (at < text.length() && text.charAt(at) != '>') {
        char c = text.charAt(at);
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
          at++;
        } else if (c == '(') {
          comment();
        } else if (c == '@' && first) {
          route = route();
        } else if (c == '@' && domain == null) {
          domain = new StringBuilder();
          at++;
        } else if (c == '"') {
          (domain == null ? part : domain).append(quoted());
        } else if (c == '<') {
          at++;
        } else {
          (domain == null ? part : domain).append(c);
          at++;
        }
        first = false;
      }
      at = Math.min(at + 1, text.length());
      var name = phrase.isEmpty() ? comment : phrase.toString();
      clear();
      emit(new One(name, route, part.toString(), domain == null ? "" : domain.toString()));
    }

    private String route() {
      int from = at;
      while (at < text.length() && text.charAt(at) != ':' && text.charAt(at) != '>') {
        at++;
      }
      var route = text.substring(from, at);
      if (at < text.length() && text.charAt(at) == ':') {
        at++;
      }
      return route;
    }

    private void finish() {
      if (host != null) {
        emit(new One(comment, null, local.toString(), host.toString()));
      } else if (!phrase.isEmpty()) {
        emit(new One(comment, null, phrase.toString(), ""));
      }
      clear();
    }

    private void startGroup() {
      if (!inGroup && host == null && !phrase.isEmpty()) {
        emit(new GroupStart(phrase.toString()));
        inGroup = true;
        clear();
      } else {
        word(":");
      }
    }

    private void endGroup() {
      if (inGroup) {
        found.add(new GroupEnd());
        inGroup = false;
      }
    }

    private void emit(HeaderAddress address) {
      if (addresses < ADDRESSES_MAX) {
        found.add(address);
        addresses++;
      }
    }

    private void clear() {
      phrase = new StringBuilder();
      local = new StringBuilder();
      host = null;
      comment = null;
      blankBefore = false;
      quotedLocal = false;
    }
  }
}
