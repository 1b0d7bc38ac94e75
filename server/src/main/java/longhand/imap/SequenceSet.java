package longhand.imap;

import java.util.BitSet;
import java.util.List;
import longhand.store.View;

/// `sequence-set` (RFC 3501 §9): message numbers or UIDs.
record SequenceSet(List<Range> ranges) {

  /// `*`, the largest number there is.
  static final long STAR = Long.MAX_VALUE;

  /// From one number to another, either may be the larger, either may be `*`.
  record Range(long from, long to) {}

  SequenceSet {
    ranges = List.copyOf(ranges);
  }

  /// Whether each message number exists; with no messages `*` does not either (RFC 3501 §9,
  /// seq-number).
  boolean isWithin(int count) {
    for (var range : ranges) {
      if (bound(range.from, count) > count || bound(range.to, count) > count || count == 0) {
        return false;
      }
    }
    return true;
  }

  private static long bound(long number, long largest) {
    return number == STAR ? largest : number;
  }

  /// The messages it names by number, as bits; numbers that do not exist name none.
  BitSet sequences(View view) {
    int count = view.count();
    var found = new BitSet(count + 1);
    for (var range : ranges) {
      long from = bound(range.from, count);
      long to = bound(range.to, count);
      int low = (int) Math.min(Math.min(from, to), count + 1L);
      int high = (int) Math.min(Math.max(from, to), count);
      if (low >= 1 && low <= high) {
        found.set(low, high + 1);
      }
    }
    return found;
  }

  /// The messages it names by UID, as bits of their numbers; UIDs that do not exist name none (RFC
  /// 3501 §6.4.8). `m:*` names the last message, whatever m is.
  BitSet uids(View view) {
    int count = view.count();
    var found = new BitSet(count + 1);
    if (count == 0) {
      return found;
    }
    long largest = view.at(count).uid();
    for (var range : ranges) {
      long from = bound(range.from, largest);
      long to = bound(range.to, largest);
      int low = view.sequenceNotBelow(Math.min(from, to));
      int after = view.sequenceNotBelow(Math.max(from, to) + 1);
      if (low < after) {
        found.set(low, after);
      }
    }
    return found;
  }
}
