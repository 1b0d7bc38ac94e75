package longhand.relay;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;

/// A server to talk to.
///
/// @param address where it is
/// @param host its name, for TLS
/// @param protocol what it speaks
/// @param tls what TLS it must have
/// @param login how to log in, at a smarthost; never without TLS
/// @param source the address of ours to come from
public record Target(
    InetSocketAddress address,
    String host,
    Protocol protocol,
    TlsPolicy tls,
    Optional<Login> login,
    Optional<InetAddress> source) {

  /// What a server speaks.
  public enum Protocol {
    /// RFC 5321.
    SMTP,
    /// RFC 2033: a reply for each recipient after the message.
    LMTP
  }

  /// A name and a password.
  public record Login(String name, String password) {

    /// Says nothing of the password, so that a log cannot either.
    @Override
    public String toString() {
      return "Login[" + name + "]";
    }
  }

  /// A mail server on the Internet: TLS where it has it, nobody logs in.
  public static Target of(InetSocketAddress address, String host) {
    return new Target(
        address,
        host,
        Protocol.SMTP,
        new TlsPolicy.Opportunistic(),
        Optional.empty(),
        Optional.empty());
  }
}
