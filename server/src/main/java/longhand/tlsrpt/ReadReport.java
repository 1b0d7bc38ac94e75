package longhand.tlsrpt;

/// What a file that is to be a report holds.
public sealed interface ReadReport {

  /// A report. Its texts are the reporter's, without control characters.
  record Valid(TlsReport report) implements ReadReport {}

  /// None.
  ///
  /// @param reason what was seen
  record Malformed(String reason) implements ReadReport {}
}
