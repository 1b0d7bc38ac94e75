package longhand.dsn;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;
import longhand.mail.Idna;
import longhand.message.Header;
import longhand.message.HeaderAddress;
import longhand.message.HeaderField;
import longhand.message.MimeValue;
import longhand.message.Summary;
import longhand.message.TransferEncoding;

/// What another server's delivery status notification says (RFC 3464, RFC 6533). It comes from
/// outside like any message: what it says is a claim.
///
/// @param envelopeId the ENVID it repeats
/// @param recipients those that were told of, in order
public record Notification(Optional<String> envelopeId, List<Recipient> recipients) {

  /// How much of a message is looked at; the report comes before what it returns.
  public static final int OCTETS_MAX = 1 << 20;

  /// Most recipients that are taken from one.
  public static final int RECIPIENTS_MAX = 1_000;

  private static final int ENVELOPE_ID_MAX = 200;
  private static final int ADDRESS_MAX = 1_000;

  /// What is said of one recipient.
  ///
  /// @param original as the sender named it; empty where it is not given or no address of ours
  /// @param last the address it had become where it was told of; the same holds
  /// @param status why
  public record Recipient(
      Optional<Address> original,
      Optional<Address> last,
      Action action,
      Optional<EnhancedStatus> status) {}

  public Notification {
    recipients = List.copyOf(recipients);
  }

  /// Reads a message in its form on the wire; empty when it is no such notification. Takes time and
  /// memory in the measure of `OCTETS_MAX`. The stream is not closed.
  public static Optional<Notification> read(InputStream message) throws IOException {
    var octets = message.readNBytes(OCTETS_MAX);
    var root = value(Header.of(octets), "Content-Type");
    if (root.isEmpty()
        || !root.get().word().equalsIgnoreCase("multipart/report")
        || !root.get().raw("report-type").orElse("").equalsIgnoreCase("delivery-status")) {
      return Optional.empty();
    }
    var summary = Summary.of(octets);
    for (int child : summary.children(0)) {
      var part = summary.parts().get(child);
      int start = (int) part.bodyStart();
      var header = Header.of(octets, (int) part.headerStart(), start - (int) part.headerStart());
      var type =
          value(header, "Content-Type").map(MimeValue::word).orElse("").toLowerCase(Locale.ROOT);
      if (type.equals("message/delivery-status") || type.equals("message/global-delivery-status")) {
        var body = new ByteArrayInputStream(octets, start, (int) part.end() - start);
        return Optional.of(fields(TransferEncoding.decode(header, body).readNBytes(OCTETS_MAX)));
      }
    }
    return Optional.empty();
  }

  private static Optional<MimeValue> value(Header header, String name) {
    return header.first(name).map(field -> MimeValue.of(field.value()));
  }

  /// Groups of fields with empty lines between them; the first is of the message.
  private static Notification fields(byte[] octets) {
    Optional<String> envelopeId = Optional.empty();
    var recipients = new ArrayList<Recipient>();
    boolean ofMessage = true;
    for (int begin = 0; begin < octets.length && recipients.size() < RECIPIENTS_MAX; ) {
      int end = groupEnd(octets, begin);
      if (end == begin) {
        begin = octets[begin] == '\r' ? begin + 2 : begin + 1;
        continue;
      }
      var group = Header.of(octets, begin, end - begin);
      if (ofMessage) {
        envelopeId =
            text(group, "Original-Envelope-Id")
                .filter(id -> id.length() <= ENVELOPE_ID_MAX && Text.line(id, 999).equals(id));
      }
      // A message without fields of its own is met too: its first group is a recipient's.
      action(group).ifPresent(action -> recipients.add(recipient(group, action)));
      ofMessage = false;
      begin = end;
    }
    return new Notification(envelopeId, recipients);
  }

  /// Where the empty line after a group begins, or the octets end.
  private static int groupEnd(byte[] octets, int begin) {
    int line = begin;
    while (line < octets.length) {
      boolean empty =
          octets[line] == '\n'
              || (octets[line] == '\r' && line + 1 < octets.length && octets[line + 1] == '\n');
      if (empty) {
        return line;
      }
      while (line < octets.length && octets[line] != '\n') {
        line++;
      }
      line++;
    }
    return octets.length;
  }

  private static Recipient recipient(Header group, Action action) {
    return new Recipient(
        address(group, "Original-Recipient"),
        address(group, "Final-Recipient"),
        action,
        text(group, "Status").flatMap(Notification::status));
  }

  private static Optional<Action> action(Header group) {
    return text(group, "Action").flatMap(text -> Action.of(withoutComment(text)));
  }

  private static Optional<String> text(Header group, String name) {
    return group
        .first(name)
        .map(HeaderField::value)
        .filter(value -> value.length > 0)
        .map(value -> new String(value, StandardCharsets.UTF_8));
  }

  /// The first word: comments follow some (`5.1.1 (unknown user)`).
  private static String withoutComment(String text) {
    int end = 0;
    while (end < text.length() && text.charAt(end) > ' ' && text.charAt(end) != '(') {
      end++;
    }
    return text.substring(0, end);
  }

  /// Three numbers with dots between them (RFC 3463 §2).
  private static Optional<EnhancedStatus> status(String text) {
    var word = withoutComment(text);
    int[] numbers = new int[3];
    int at = 0;
    for (int i = 0; i < 3; i++) {
      int begin = at;
      while (at < word.length()
          && at - begin < 3
          && word.charAt(at) >= '0'
          && word.charAt(at) <= '9') {
        numbers[i] = numbers[i] * 10 + word.charAt(at++) - '0';
      }
      boolean last = i == 2;
      if (at == begin || (last ? at != word.length() : !word.startsWith(".", at))) {
        return Optional.empty();
      }
      at++;
    }
    return numbers[0] == 2 || numbers[0] == 4 || numbers[0] == 5
        ? Optional.of(new EnhancedStatus(numbers[0], numbers[1], numbers[2]))
        : Optional.empty();
  }

  /// `rfc822; ana@example.org` or `utf-8; ...`, also with angle brackets around the address.
  private static Optional<Address> address(Header group, String name) {
    var value = text(group, name).orElse("");
    int semicolon = value.indexOf(';');
    if (semicolon < 1 || value.length() > ADDRESS_MAX) {
      return Optional.empty();
    }
    var type = withoutComment(value.substring(0, semicolon)).toLowerCase(Locale.ROOT);
    if (!type.equals("rfc822") && !type.equals("utf-8")) {
      return Optional.empty();
    }
    var written = value.substring(semicolon + 1);
    var plain = type.equals("utf-8") ? StatusFields.unitext(written) : written;
    var found = HeaderAddress.list(plain.getBytes(StandardCharsets.UTF_8));
    if (found.size() != 1 || !(found.getFirst() instanceof HeaderAddress.One one)) {
      return Optional.empty();
    }
    return address(utf8(one.localPart()), utf8(one.host()));
  }

  private static String utf8(String octets) {
    return new String(octets.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }

  private static Optional<Address> address(String localPart, String host) {
    if (localPart.isEmpty() || host.isEmpty() || host.length() > Domain.OCTETS_MAX) {
      return Optional.empty();
    }
    for (int i = 0; i < localPart.length(); i++) {
      if (Character.isISOControl(localPart.charAt(i))) {
        return Optional.empty();
      }
    }
    for (int i = 0; i < host.length(); i++) {
      char c = host.charAt(i);
      if (c <= ' ' || c == 0x7f || "<>@()\",;\\".indexOf(c) >= 0) {
        return Optional.empty();
      }
    }
    var domain =
        Text.isAscii(host) ? Optional.of(host.toLowerCase(Locale.ROOT)) : Idna.toAscii(host);
    return domain
        .filter(name -> name.length() <= Domain.OCTETS_MAX)
        .map(name -> new Address(localPart, new Domain(name)));
  }
}
