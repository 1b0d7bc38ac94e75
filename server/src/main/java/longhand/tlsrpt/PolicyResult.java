package longhand.tlsrpt;

import java.util.List;

/// What became of the sessions that were judged by one policy.
///
/// @param successes sessions that had the TLS they were to have, 0 or more
/// @param failures those that had not; may be more than the details say
/// @param details what failed and how often
public record PolicyResult(
    AppliedPolicy policy, long successes, long failures, List<Counted> details) {

  /// A failure, and in how many sessions.
  public record Counted(FailureDetail detail, long sessions) {}

  public PolicyResult {
    details = List.copyOf(details);
  }
}
