package longhand.imap;

import java.util.HashMap;
import java.util.Map;

/// A LIST pattern (RFC 3501 §6.3.8): `*` stands for anything, `%` for anything but the hierarchy
/// delimiter. All ways to match are followed at once, one bit for each place in the pattern, so
/// that time is that of the name's length however many wildcards there are.
final class ListPattern {

  private final int words;

  /// Bit i+1 follows bit i when the character at place i comes.
  private final Map<Character, long[]> literals = new HashMap<>();

  /// Places of wildcards: they stay when a character comes, and the next place is open as well.
  private final long[] anything;

  private final long[] levels;
  private final int end;

  ListPattern(String pattern) {
    var places = new StringBuilder();
    for (int i = 0; i < pattern.length(); i++) {
      char c = pattern.charAt(i);
      int last = places.length() - 1;
      boolean afterWildcard =
          last >= 0 && (places.charAt(last) == '*' || places.charAt(last) == '%');
      if ((c == '*' || c == '%') && afterWildcard) {
        if (c == '*') {
          places.setCharAt(last, '*'); // two wildcards are as much as the greater of them
        }
      } else {
        places.append(c);
      }
    }
    end = places.length();
    words = end / 64 + 1;
    anything = new long[words];
    levels = new long[words];
    for (int i = 0; i < end; i++) {
      char c = places.charAt(i);
      if (c == '*') {
        set(anything, i);
      } else if (c == '%') {
        set(levels, i);
      } else {
        set(literals.computeIfAbsent(c, _ -> new long[words]), i);
      }
    }
  }

  private static void set(long[] bits, int i) {
    bits[i / 64] |= 1L << (i % 64);
  }

  boolean matches(String name) {
    var open = new long[words];
    open[0] = 1;
    passWildcards(open);
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      var literal = literals.get(c);
      long carry = 0;
      long any = 0;
      for (int w = 0; w < words; w++) {
        long stay = open[w] & (anything[w] | (c == '/' ? 0 : levels[w]));
        long go = literal == null ? 0 : open[w] & literal[w];
        open[w] = stay | (go << 1) | carry;
        carry = go >>> 63;
        any |= open[w];
      }
      if (any == 0) {
        return false;
      }
      passWildcards(open);
    }
    return (open[end / 64] & (1L << (end % 64))) != 0;
  }

  /// A wildcard may stand for nothing. There are no two in a row, so once is enough.
  private void passWildcards(long[] open) {
    long carry = 0;
    for (int w = 0; w < words; w++) {
      long wild = open[w] & (anything[w] | levels[w]);
      open[w] |= (wild << 1) | carry;
      carry = wild >>> 63;
    }
  }
}
