package longhand.imap;

import longhand.store.Flag;

/// One step of a search program in postfix order: keys yield true or false, the others combine what
/// came before them (RFC 3501 §6.4.4). Dates are days since 1970-01-01.
sealed interface SearchKey {

  record All() implements SearchKey {}

  record Flagged(Flag flag, boolean wanted) implements SearchKey {}

  record Keyword(String keyword, boolean wanted) implements SearchKey {}

  /// `RECENT`, `OLD`.
  record Recent(boolean wanted) implements SearchKey {}

  /// `NEW`: recent and not seen.
  record New() implements SearchKey {}

  record Larger(long octets) implements SearchKey {}

  record Smaller(long octets) implements SearchKey {}

  /// `BEFORE`, `ON`, `SINCE` by INTERNALDATE: day from (included) to (excluded).
  record Saved(long from, long to) implements SearchKey {}

  /// The same by the Date field.
  record Sent(long from, long to) implements SearchKey {}

  record Numbers(SequenceSet set) implements SearchKey {}

  record Uids(SequenceSet set) implements SearchKey {}

  /// `FROM` and the like and `HEADER`: text within the fields of a name.
  record Field(String name, Needle needle) implements SearchKey {}

  /// `BODY`, and `TEXT` with the header too.
  record Text(Needle needle, boolean header) implements SearchKey {}

  record Not() implements SearchKey {}

  record Or() implements SearchKey {}

  /// All of the last `count`.
  record And(int count) implements SearchKey {}
}
