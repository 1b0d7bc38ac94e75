package longhand.wire;

import java.io.IOException;

/// The peer sends a message more slowly than the limits allow.
public final class TooSlowException extends IOException {

  /// With what came in which time.
  public TooSlowException(long octets, long seconds) {
    super(octets + " octets in " + seconds + " s");
  }
}
