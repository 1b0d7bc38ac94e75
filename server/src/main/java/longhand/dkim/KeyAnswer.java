package longhand.dkim;

import java.util.List;

/// What DNS says to a question for the TXT records of a selector.
public sealed interface KeyAnswer {

  /// The records that are there, each with its strings put together.
  record Found(List<String> texts) implements KeyAnswer {
    public Found {
      texts = List.copyOf(texts);
    }
  }

  /// DNS says that there is none.
  record None() implements KeyAnswer {}

  /// DNS did not answer, or not in a way to be trusted.
  record Failed() implements KeyAnswer {}
}
