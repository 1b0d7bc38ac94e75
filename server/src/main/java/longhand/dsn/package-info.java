/// Delivery status notifications: what a sender is told of a message (RFC 3461, RFC 3464, RFC 6522,
/// RFC 6533). Writes them, says who wants which, and reads those that other servers send. Whether
/// and where one goes is for others. Uses `mail` and `message`. Start reading at
/// [longhand.dsn.Report].
@NullMarked
package longhand.dsn;

import org.jspecify.annotations.NullMarked;
