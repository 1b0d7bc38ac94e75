/// Sockets: a listener accepts connections, a connection carries octets, in clear or under TLS. No
/// other package touches a socket. Start reading at [longhand.wire.Connection].
@NullMarked
package longhand.wire;

import org.jspecify.annotations.NullMarked;
