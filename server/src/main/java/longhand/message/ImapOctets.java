package longhand.message;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Octets of an IMAP response, growing (RFC 3501 §4). Texts hold one octet in each character.
final class ImapOctets {

  private byte[] octets = new byte[256];
  private int length;

  ImapOctets text(String text) {
    ensure(text.length());
    for (int i = 0; i < text.length(); i++) {
      octets[length++] = (byte) text.charAt(i);
    }
    return this;
  }

  ImapOctets octets(byte[] more) {
    ensure(more.length);
    System.arraycopy(more, 0, octets, length, more.length);
    length += more.length;
    return this;
  }

  ImapOctets number(long number) {
    return text(Long.toString(number));
  }

  /// `nstring`: NIL for null.
  ImapOctets nstring(@Nullable String value) {
    return value == null ? text("NIL") : string(value);
  }

  /// `string`: quoted where that is allowed, else a literal. NUL has no place in either and is
  /// shown as `?`.
  ImapOctets string(String value) {
    boolean quotable = true;
    for (int i = 0; i < value.length() && quotable; i++) {
      char c = value.charAt(i);
      quotable = (c >= ' ' && c < 0x7f) || c == '\t';
    }
    if (!quotable) {
      return text("{").number(value.length()).text("}\r\n").text(value.replace('\0', '?'));
    }
    text("\"");
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '"' || c == '\\') {
        text("\\");
      }
      ensure(1);
      octets[length++] = (byte) c;
    }
    return text("\"");
  }

  /// `body-fld-param`: a list of names and values, NIL when there are none.
  ImapOctets parameters(List<MimeValue.Parameter> parameters) {
    if (parameters.isEmpty()) {
      return text("NIL");
    }
    var separator = "(";
    for (var parameter : parameters) {
      text(separator).string(parameter.name()).text(" ").string(parameter.value());
      separator = " ";
    }
    return text(")");
  }

  private void ensure(int more) {
    if (octets.length - length < more) {
      octets = Arrays.copyOf(octets, Math.max(octets.length * 2, length + more));
    }
  }

  byte[] toBytes() {
    return Arrays.copyOf(octets, length);
  }
}
