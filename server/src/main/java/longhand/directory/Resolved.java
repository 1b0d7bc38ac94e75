package longhand.directory;

/// What the directory has for an address.
///
/// @param entry the account or alias
/// @param match how the address led to it
/// @param subAddress what follows the first `+` where that was taken off, in its letter case; else
///   empty
public record Resolved(DirectoryEntry entry, Match match, String subAddress) {

  /// How an address leads to an entry, in the order in which it is tried.
  public enum Match {
    /// The entry is of that very local part.
    EXACT,

    /// The entry is of what stands before the `+`.
    SUB_ADDRESS,

    /// A wildcard matches what stands before the `+`.
    WILDCARD
  }
}
