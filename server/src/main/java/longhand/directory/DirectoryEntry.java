package longhand.directory;

/// What a line of a domain's file can say of a local part. Accounts and aliases share one name
/// space: the last line about a local part decides what it is.
public sealed interface DirectoryEntry permits AccountRecord, AliasRecord {

  /// The line that a domain's file has for it, without end.
  String toLine();
}
