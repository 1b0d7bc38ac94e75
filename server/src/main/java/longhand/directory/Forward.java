package longhand.directory;

import java.util.HashSet;
import java.util.List;
import longhand.mail.Address;

/// Where an account's mail goes besides, or instead.
///
/// @param targets at least one, none twice
/// @param copy whether the account keeps its mail as well
public record Forward(List<Address> targets, boolean copy) {

  public Forward {
    targets = List.copyOf(targets);
    if (targets.isEmpty() || new HashSet<>(targets).size() < targets.size()) {
      throw new IllegalArgumentException("no target to forward to, or one twice");
    }
  }
}
