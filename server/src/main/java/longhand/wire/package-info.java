/// Sockets: a listener accepts connections, a connector makes them, a connection carries octets, in
/// clear or under TLS. No other package touches a socket. What a peer can make grow or last is
/// named in [longhand.wire.Limits]. Start reading at [longhand.wire.Listener], then
/// [longhand.wire.Connection].
@NullMarked
package longhand.wire;

import org.jspecify.annotations.NullMarked;
