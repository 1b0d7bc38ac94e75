package longhand.wire;

import java.io.IOException;

/// The peer sent a line longer than the limit of its protocol.
public final class LineTooLongException extends IOException {

  /// With the limit that was passed.
  public LineTooLongException(int octetsMax) {
    super("line of more than " + octetsMax + " octets");
  }
}
