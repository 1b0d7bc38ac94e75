package longhand.queue;

import java.time.Instant;
import java.util.Optional;
import longhand.mail.Address;
import longhand.mail.EnhancedStatus;

/// Hears of mail that came back for good to an account that had handed it in, after that is written
/// down. Forwarded mail and reports are not among it.
@FunctionalInterface
public interface BadAddresses {

  /// A recipient failed.
  ///
  /// @param words what its server said
  /// @return until when the account sends nothing there; empty when nothing follows
  Optional<Instant> failed(Address account, Address recipient, EnhancedStatus status, String words);
}
