package longhand.store;

import java.io.IOException;

/// A file of the store is not as it was left. What it touches is refused with a temporary error
/// until somebody has looked; nothing else is.
public final class DamagedException extends IOException {

  /// With what was found and what was expected.
  public DamagedException(String text) {
    super(text);
  }

  /// With what was found and what was expected.
  public DamagedException(String text, Throwable cause) {
    super(text, cause);
  }
}
