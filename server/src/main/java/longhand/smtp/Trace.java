package longhand.smtp;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Optional;
import longhand.mail.Address;
import longhand.mail.ReversePath;
import org.jspecify.annotations.Nullable;

/// Writes the fields that stand before a message: Return-Path, Delivered-To and Received (RFC 5321
/// §4.4), and at submission Date, Message-ID and From where they are missing (RFC 6409 §8).
///
/// @param hostname ours
/// @param peer the client's address
/// @param client what it said in its hello; the parser lets nothing odd through
/// @param name the client's host name, where a proxy has said it
/// @param protocol the keyword for `with` (RFC 3848, RFC 6531 §4.3)
/// @param tls version and cipher, when encrypted
/// @param id by which the log knows the transaction
/// @param received when the message came
record Trace(
    String hostname,
    InetAddress peer,
    String client,
    Optional<String> name,
    String protocol,
    Optional<String> tls,
    String id,
    Instant received) {

  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE, d MMM uuuu HH:mm:ss '+0000'", Locale.US)
          .withZone(ZoneOffset.UTC);

  private record Second(long epochSecond, String text) {}

  private static volatile @Nullable Second latest;

  /// The fields for one recipient; each sees itself only.
  ///
  /// @param missing fields that submission adds, each with CRLF
  byte[] prefix(ReversePath from, Address recipient, String missing) {
    var text = new StringBuilder(320 + missing.length());
    text.append("Return-Path: <");
    from.address().ifPresent(address -> text.append(address.quoted()));
    text.append(">\r\nDelivered-To: ").append(recipient.quoted());
    text.append("\r\n");
    received(text, Optional.of(recipient));
    return text.append(missing).toString().getBytes(StandardCharsets.UTF_8);
  }

  /// The fields for other servers.
  ///
  /// @param by the address of ours that leads there: when the message comes back to it, it is in a
  ///   loop
  /// @param only the one recipient there is, if there is only one
  byte[] onward(Optional<Address> by, Optional<Address> only, String missing) {
    var text = new StringBuilder(256 + missing.length());
    by.ifPresent(address -> text.append("Delivered-To: ").append(address.quoted()).append("\r\n"));
    received(text, only);
    return text.append(missing).toString().getBytes(StandardCharsets.UTF_8);
  }

  private void received(StringBuilder text, Optional<Address> recipient) {
    text.append("Received: from ").append(client).append(" (");
    name.ifPresent(host -> text.append(host).append(' '));
    text.append(literal());
    text.append(")\r\n\tby ").append(hostname).append(" with ").append(protocol);
    tls.ifPresent(suite -> text.append(" (").append(suite).append(')'));
    text.append("\r\n\tid ").append(id);
    recipient.ifPresent(only -> text.append(" for <").append(only.quoted()).append('>'));
    text.append(";\r\n\t").append(date(received)).append("\r\n");
  }

  /// A date as header fields have it (RFC 5322 §3.3), in UTC.
  static String date(Instant instant) {
    var second = latest;
    if (second == null || second.epochSecond != instant.getEpochSecond()) {
      second = new Second(instant.getEpochSecond(), DATE.format(instant));
      latest = second;
    }
    return second.text;
  }

  private String literal() {
    return peer instanceof Inet6Address
        ? "[IPv6:" + withoutZone(peer.getHostAddress()) + "]"
        : "[" + peer.getHostAddress() + "]";
  }

  private static String withoutZone(String address) {
    int percent = address.indexOf('%');
    return percent < 0 ? address : address.substring(0, percent);
  }
}
