package longhand.mtasts;

/// What came of fetching a policy.
public sealed interface Fetched {

  /// The policy.
  record Policy(StsPolicy policy) implements Fetched {}

  /// None.
  record Failed(StsFailure failure) implements Fetched {}
}
