package longhand.mtasts;

/// Why a policy that is announced cannot be had.
///
/// @param kind in the words of RFC 8460 §4.3
/// @param detail what was seen, for our log and for reports; printable ASCII
public record StsFailure(Kind kind, String detail) {

  /// What kind of failure it is.
  public enum Kind {
    /// The file was not to be had: no address, no connection, another status, too slow.
    FETCH_ERROR,
    /// The certificate of the HTTPS server is not good for its name.
    WEBPKI_INVALID,
    /// The file is no policy.
    POLICY_INVALID
  }

  public StsFailure {
    detail = printable(detail);
  }

  private static String printable(String text) {
    var shown = new StringBuilder(Math.min(text.length(), 200));
    for (int i = 0; i < text.length() && i < 200; i++) {
      char c = text.charAt(i);
      shown.append(c >= ' ' && c < 0x7f ? c : '?');
    }
    return shown.toString();
  }
}
