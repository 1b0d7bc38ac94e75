package longhand.dkim;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/// The list `name=value; name=value` of signatures and keys (RFC 6376 §3.2).
sealed interface TagList {

  /// Most tags that are looked at; no known use has a third as many.
  int TAGS_MAX = 64;

  /// Most octets that are looked at.
  int OCTETS_MAX = 16_384;

  /// A list that was read. Names are different from each other.
  record Read(List<Tag> tags) implements TagList {
    public Read {
      tags = List.copyOf(tags);
    }

    /// The tag of a name; names are case-sensitive.
    Optional<Tag> tag(String name) {
      for (var tag : tags) {
        if (tag.name.equals(name)) {
          return Optional.of(tag);
        }
      }
      return Optional.empty();
    }
  }

  /// No list.
  ///
  /// @param why the end of a sentence
  record Malformed(String why) implements TagList {}

  /// One tag.
  ///
  /// @param name letters, digits and `_`
  /// @param value without white space around it, an octet a char
  /// @param from where all after `=` begins, white space too
  /// @param to where it ends
  record Tag(String name, String value, int from, int to) {

    /// The value without any white space.
    String compact() {
      var text = new StringBuilder(value.length());
      for (int i = 0; i < value.length(); i++) {
        if (!isSpace(value.charAt(i))) {
          text.append(value.charAt(i));
        }
      }
      return text.toString();
    }

    /// The parts of a value that colons separate, without white space around them. There is at
    /// least one.
    List<String> parts() {
      var parts = new ArrayList<String>();
      int begin = 0;
      while (true) {
        int colon = value.indexOf(':', begin);
        int end = colon < 0 ? value.length() : colon;
        parts.add(stripped(value, begin, end));
        if (colon < 0) {
          return parts;
        }
        begin = colon + 1;
      }
    }

    /// The value as base64, in which white space does not count; empty if it is none.
    Optional<byte[]> base64() {
      try {
        return Optional.of(
            Base64.getDecoder().decode(compact().getBytes(StandardCharsets.ISO_8859_1)));
      } catch (IllegalArgumentException e) {
        return Optional.empty();
      }
    }

    private static String stripped(String text, int from, int to) {
      int begin = from;
      int end = to;
      while (begin < end && isSpace(text.charAt(begin))) {
        begin++;
      }
      while (end > begin && isSpace(text.charAt(end - 1))) {
        end--;
      }
      return text.substring(begin, end);
    }
  }

  /// Reads the octets from one place to another. CR and LF are taken for folding.
  static TagList of(byte[] octets, int from, int to) {
    if (to - from > OCTETS_MAX) {
      return new Malformed("longer than " + OCTETS_MAX + " octets");
    }
    var tags = new ArrayList<Tag>();
    var names = new HashSet<String>();
    int i = from;
    while (true) {
      i = spaceEnd(octets, i, to);
      if (i == to) {
        return tags.isEmpty() ? new Malformed("empty") : new Read(tags);
      }
      int nameStart = i;
      while (i < to && isNameOctet(octets[i], i == nameStart)) {
        i++;
      }
      var name = new String(octets, nameStart, i - nameStart, StandardCharsets.ISO_8859_1);
      i = spaceEnd(octets, i, to);
      if (name.isEmpty() || i == to || octets[i] != '=') {
        return new Malformed("not made of tags, each a name, '=' and a value");
      }
      int valueStart = ++i;
      while (i < to && octets[i] != ';') {
        int octet = octets[i] & 0xff;
        if ((octet < ' ' || octet == 0x7f) && !isSpace((char) octet)) {
          return new Malformed("has a control character in tag " + name + "=");
        }
        i++;
      }
      if (!names.add(name)) {
        return new Malformed("has tag " + name + "= twice");
      }
      if (tags.size() == TAGS_MAX) {
        return new Malformed("has more than " + TAGS_MAX + " tags");
      }
      var value = new String(octets, valueStart, i - valueStart, StandardCharsets.ISO_8859_1);
      tags.add(new Tag(name, Tag.stripped(value, 0, value.length()), valueStart, i));
      if (i < to) {
        i++;
      }
    }
  }

  private static int spaceEnd(byte[] octets, int from, int to) {
    int i = from;
    while (i < to && isSpace((char) octets[i])) {
      i++;
    }
    return i;
  }

  private static boolean isSpace(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
  }

  private static boolean isNameOctet(byte octet, boolean first) {
    return (octet >= 'a' && octet <= 'z')
        || (octet >= 'A' && octet <= 'Z')
        || (!first && ((octet >= '0' && octet <= '9') || octet == '_'));
  }
}
