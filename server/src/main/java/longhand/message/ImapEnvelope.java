package longhand.message;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// The ENVELOPE of a header as IMAP shows it (RFC 3501 §7.4.2). Not the envelope of a transaction.
final class ImapEnvelope {

  /// Most octets of one unstructured field: beyond that it is cut. Keeps one header's envelope, and
  /// so a summary, small whatever the header holds.
  private static final int FIELD_MAX = 64 * 1024;

  private ImapEnvelope() {}

  static byte[] of(Header header) {
    var out = new ImapOctets();
    var from = addresses(header, "From", false);
    out.text("(");
    text(out, header, "Date");
    text(out.text(" "), header, "Subject");
    out.text(" ").octets(from);
    out.text(" ").octets(orElse(addresses(header, "Sender", false), from));
    out.text(" ").octets(orElse(addresses(header, "Reply-To", false), from));
    out.text(" ").octets(addresses(header, "To", true));
    out.text(" ").octets(addresses(header, "Cc", true));
    out.text(" ").octets(addresses(header, "Bcc", true));
    text(out.text(" "), header, "In-Reply-To");
    text(out.text(" "), header, "Message-ID");
    return out.text(")").toBytes();
  }

  private static byte[] orElse(byte[] addresses, byte[] other) {
    return addresses[0] == '(' ? addresses : other;
  }

  private static void text(ImapOctets out, Header header, String name) {
    out.nstring(header.first(name).map(field -> latin(field.value())).orElse(null));
  }

  private static String latin(byte[] value) {
    return new String(value, 0, Math.min(value.length, FIELD_MAX), StandardCharsets.ISO_8859_1);
  }

  /// The addresses of a field; of all fields of that name where senders split long lists.
  private static byte[] addresses(Header header, String name, boolean all) {
    var out = new ImapOctets();
    int count = 0;
    for (var field : header.fields()) {
      if (!field.is(name)) {
        continue;
      }
      for (var address : HeaderAddress.list(field.value())) {
        if (count == HeaderAddress.ADDRESSES_MAX && !(address instanceof HeaderAddress.GroupEnd)) {
          break;
        }
        out.text(count == 0 ? "(" : "");
        switch (address) {
          case HeaderAddress.One(var display, var route, var local, var host) -> {
            nstring(out.text("("), display);
            nstring(out.text(" "), route);
            nstring(out.text(" "), local);
            nstring(out.text(" "), host).text(")");
          }
          case HeaderAddress.GroupStart(var group) ->
              nstring(out.text("(NIL NIL "), group).text(" NIL)");
          case HeaderAddress.GroupEnd _ -> out.text("(NIL NIL NIL NIL)");
        }
        count = Math.min(count + 1, HeaderAddress.ADDRESSES_MAX);
      }
      if (!all && count > 0) {
        break;
      }
    }
    return count == 0 ? out.text("NIL").toBytes() : out.text(")").toBytes();
  }

  private static ImapOctets nstring(ImapOctets out, @Nullable String value) {
    return out.nstring(
        value != null && value.length() > FIELD_MAX ? value.substring(0, FIELD_MAX) : value);
  }
}
