package longhand.wire;

import java.net.InetAddress;
import java.util.List;

/// The programs in front of a listener that may speak for others.
///
/// @param proxyProtocol whether a connection from one of them begins with a header that names the
///   client, as HAProxy's PROXY protocol has it
/// @param trusted where they are
public record Proxies(boolean proxyProtocol, List<Network> trusted) {

  /// There are none.
  public static final Proxies NONE = new Proxies(false, List.of());

  public Proxies {
    trusted = List.copyOf(trusted);
  }

  /// Whether an address is one of theirs.
  boolean trusts(InetAddress address) {
    for (var network : trusted) {
      if (network.contains(address)) {
        return true;
      }
    }
    return false;
  }
}
