package longhand.tlsrpt;

/// What is read is no report; says what was seen.
final class MalformedReport extends Exception {
  private static final long serialVersionUID = 1;

  MalformedReport(String reason) {
    super(reason);
  }

  /// What was seen.
  String reason() {
    return String.valueOf(getMessage());
  }
}
