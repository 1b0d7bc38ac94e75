package longhand.store;

import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/// What a message is marked with: system flags and keywords. Immutable. Keywords keep the letters
/// they came with and are compared without case (RFC 3501 §2.3.2).
public final class Marks {

  /// Nothing marked.
  public static final Marks NONE = new Marks(0, Set.of());

  private final int flags;
  private final Set<String> keywords;

  private Marks(int flags, Set<String> keywords) {
    this.flags = flags;
    this.keywords = keywords;
  }

  /// Those flags and keywords. A keyword is an IMAP atom of at most 64 octets; others are refused
  /// with `IllegalArgumentException`, since they would not fit their line of the ledger.
  public static Marks of(Collection<Flag> flags, Collection<String> keywords) {
    int bits = 0;
    for (var flag : flags) {
      bits |= flag.bit;
    }
    return of(bits, keywords);
  }

  /// No keyword, those flags.
  public static Marks of(Flag... flags) {
    return of(Set.of(flags), Set.of());
  }

  static Marks of(int bits, Collection<String> keywords) {
    if (keywords.isEmpty()) {
      return bits == 0 ? NONE : new Marks(bits, Set.of());
    }
    var sorted = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    for (var keyword : keywords) {
      if (!isKeyword(keyword)) {
        throw new IllegalArgumentException("not a keyword: " + keyword.length() + " characters");
      }
      sorted.add(keyword);
    }
    return new Marks(bits, Collections.unmodifiableSet(sorted));
  }

  /// Whether a text can be a keyword: an atom (RFC 3501 §9) of 1 to 64 octets.
  public static boolean isKeyword(String text) {
    if (text.isEmpty() || text.length() > 64) {
      return false;
    }
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c <= ' ' || c >= 0x7f || "(){%*\"\\]".indexOf(c) >= 0) {
        return false;
      }
    }
    return true;
  }

  /// Whether it bears a system flag.
  public boolean has(Flag flag) {
    return (flags & flag.bit) != 0;
  }

  /// Whether it bears a keyword, in any letter case.
  public boolean has(String keyword) {
    return keywords.contains(keyword);
  }

  /// The system flags.
  public Set<Flag> flags() {
    var set = EnumSet.noneOf(Flag.class);
    for (var flag : Flag.values()) {
      if (has(flag)) {
        set.add(flag);
      }
    }
    return set;
  }

  /// The keywords, sorted without case.
  public Set<String> keywords() {
    return keywords;
  }

  int bits() {
    return flags;
  }

  /// These and those.
  public Marks plus(Marks other) {
    if (other.keywords.isEmpty()) {
      return of(flags | other.flags, keywords);
    }
    var all = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    all.addAll(keywords);
    all.addAll(other.keywords);
    return of(flags | other.flags, all);
  }

  /// These without those.
  public Marks minus(Marks other) {
    if (keywords.isEmpty()) {
      return of(flags & ~other.flags, keywords);
    }
    var left = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    left.addAll(keywords);
    left.removeAll(other.keywords);
    return of(flags & ~other.flags, left);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Marks marks
        && flags == marks.flags
        && keywords.size() == marks.keywords.size()
        && keywords.equals(marks.keywords);
  }

  @Override
  public int hashCode() {
    int hash = flags;
    for (var keyword : keywords) {
      hash += keyword.toLowerCase(Locale.ROOT).hashCode();
    }
    return hash;
  }

  @Override
  public String toString() {
    return flags() + " " + keywords;
  }
}
