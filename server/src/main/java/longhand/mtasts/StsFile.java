package longhand.mtasts;

/// What a policy file holds.
public sealed interface StsFile {

  /// A policy.
  record Valid(StsPolicy policy) implements StsFile {}

  /// None.
  ///
  /// @param reason what was seen; printable ASCII
  record Invalid(String reason) implements StsFile {}
}
