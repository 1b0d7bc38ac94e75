package longhand.mtasts;

import java.util.Optional;

/// What is known of a domain's policy.
///
/// @param policy the one in force; its mode is never `NONE`
/// @param failure why the one that is announced is not known, or not known anew
public record StsAnswer(Optional<StsPolicy> policy, Optional<StsFailure> failure) {

  /// A domain without.
  public static final StsAnswer NONE = new StsAnswer(Optional.empty(), Optional.empty());

  public StsAnswer {
    policy = policy.filter(each -> each.mode() != StsPolicy.Mode.NONE);
  }
}
