package longhand.dns;

import java.time.Duration;

/// DNS as relaying needs it: one of the seams. Tests put a script in its place.
///
/// Implementations may be asked by any number of virtual threads at once.
public interface Dns {

  /// Asks one question, follows aliases (CNAME) to their end, and waits for the answer.
  ///
  /// @param within how long the caller waits at most; an implementation may wait less
  /// @return never null, and nothing is thrown for what servers answer or fail to answer. A thread
  ///   that is interrupted gets [Answer.Failed] and keeps its interrupt.
  <T> Answer<T> ask(Question<T> question, Duration within);
}
