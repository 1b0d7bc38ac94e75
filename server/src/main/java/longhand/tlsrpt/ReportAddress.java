package longhand.tlsrpt;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import longhand.dns.DnsName;
import longhand.mail.Address;
import longhand.mail.Domain;

/// Where a domain wants reports (RFC 8460 §3).
public sealed interface ReportAddress {

  /// Longest one that is taken, in characters.
  int LENGTH_MAX = 1000;

  /// By mail.
  record Mail(Address address) implements ReportAddress {}

  /// By POST. An `https` address with a host that is a name, and no user in it.
  record Web(URI uri) implements ReportAddress {}

  /// The address in a URI; empty for what is none, or of another kind.
  static Optional<ReportAddress> parse(String uri) {
    var scheme = uri.substring(0, Math.max(0, uri.indexOf(':'))).toLowerCase(Locale.ROOT);
    if (uri.length() > LENGTH_MAX) {
      return Optional.empty();
    }
    return switch (scheme) {
      case "mailto" -> mail(uri.substring("mailto:".length()));
      case "https" -> web(uri);
      default -> Optional.empty();
    };
  }

  /// RFC 6068 §2; header fields after `?` are not taken from a stranger.
  private static Optional<ReportAddress> mail(String text) {
    int query = text.indexOf('?');
    var decoded = decoded(query < 0 ? text : text.substring(0, query));
    int at = decoded.lastIndexOf('@');
    var domain =
        DnsName.parse(decoded.substring(at + 1)).filter(name -> !name.equals(DnsName.ROOT));
    var local = decoded.substring(0, Math.max(0, at));
    boolean good =
        !local.isEmpty()
            && local.getBytes(StandardCharsets.UTF_8).length <= Address.LOCAL_PART_OCTETS_MAX
            && local.chars().allMatch(c -> c == '.' || Address.isAtext(c))
            && local.chars().noneMatch(Character::isISOControl);
    return good && domain.isPresent()
        ? Optional.of(new Mail(new Address(local, new Domain(domain.get().text()))))
        : Optional.empty();
  }

  private static Optional<ReportAddress> web(String text) {
    try {
      var uri = new URI(text);
      var host = Optional.ofNullable(uri.getHost()).flatMap(DnsName::parse);
      return host.isPresent() && uri.getUserInfo() == null
          ? Optional.of(new Web(uri))
          : Optional.empty();
    } catch (URISyntaxException e) {
      return Optional.empty();
    }
  }

  /// With `%XX` taken away; empty where that gives no text.
  private static String decoded(String text) {
    var octets = ByteBuffer.allocate(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= 0x80) {
        return "";
      }
      if (c != '%') {
        octets.put((byte) c);
        continue;
      }
      int high = i + 2 < text.length() ? Character.digit(text.charAt(i + 1), 16) : -1;
      int low = i + 2 < text.length() ? Character.digit(text.charAt(i + 2), 16) : -1;
      if (high < 0 || low < 0) {
        return "";
      }
      octets.put((byte) (high << 4 | low));
      i += 2;
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(octets.flip()).toString();
    } catch (CharacterCodingException e) {
      return "";
    }
  }
}
