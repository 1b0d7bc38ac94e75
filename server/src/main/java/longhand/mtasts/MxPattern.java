package longhand.mtasts;

import java.util.Optional;
import longhand.dns.DnsName;

/// Which mail servers a policy allows: one name, or all that have one label more than the name
/// after `*.` (RFC 8461 §4.1).
public record MxPattern(boolean wildcard, DnsName name) {

  public MxPattern {
    if (name.equals(DnsName.ROOT)) {
      throw new IllegalArgumentException("a pattern for the root");
    }
  }

  /// The pattern in a policy's text, letters in any case; empty when it is none.
  static Optional<MxPattern> parse(String text) {
    boolean wildcard = text.startsWith("*.");
    return DnsName.parse(wildcard ? text.substring(2) : text)
        .filter(name -> !name.equals(DnsName.ROOT))
        .map(name -> new MxPattern(wildcard, name));
  }

  /// Whether it allows a server.
  public boolean matches(DnsName host) {
    if (!wildcard) {
      return host.equals(name);
    }
    int dot = host.text().indexOf('.');
    return dot > 0 && host.text().substring(dot + 1).equals(name.text());
  }

  /// As in a policy.
  @Override
  public String toString() {
    return (wildcard ? "*." : "") + name;
  }
}
