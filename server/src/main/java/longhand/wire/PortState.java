package longhand.wire;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/// Whether a port could be listened on, found out by trying; nothing stays open.
public enum PortState {
  /// Yes.
  FREE,
  /// Another program, or this server itself, listens there.
  IN_USE,
  /// Not by this user.
  NOT_ALLOWED,
  /// The address is none of this machine's.
  NOT_HERE;

  /// Tries.
  public static PortState of(InetSocketAddress address) {
    try (var socket = new ServerSocket()) {
      socket.setReuseAddress(true); // as a listener has it: what just ended is not in the way
      socket.bind(address);
      return FREE;
    } catch (IOException e) {
      var why = String.valueOf(e.getMessage());
      return why.contains("in use") ? IN_USE : why.contains("ermission") ? NOT_ALLOWED : NOT_HERE;
    }
  }
}
