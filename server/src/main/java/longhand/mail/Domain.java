package longhand.mail;

/// The part of an address after `@`, lower case, in A-label form (RFC 5321 §2.3.5), or an address
/// literal in brackets (RFC 5321 §4.1.3).
public record Domain(String name) implements Comparable<Domain> {

  /// Longest domain on the wire, in octets (RFC 5321 §4.5.3.1.2).
  public static final int OCTETS_MAX = 255;

  public Domain {
    if (name.isEmpty() || name.length() > OCTETS_MAX) {
      throw new IllegalArgumentException("domain of " + name.length() + " octets");
    }
  }

  @Override
  public int compareTo(Domain other) {
    return name.compareTo(other.name);
  }

  @Override
  public String toString() {
    return name;
  }
}
