package longhand.tlsrpt;

/// What failed, and with whom (RFC 8460 §4.3). Texts are empty where nothing is known.
///
/// @param resultType a word of [ResultType]; another only in reports of others
/// @param sendingIp our address, or the reporter's
/// @param receivingHost the server's name in the MX record
/// @param receivingIp its address
/// @param reason what was seen, in words
public record FailureDetail(
    String resultType, String sendingIp, String receivingHost, String receivingIp, String reason) {

  private static final int LENGTH_MAX = 255;

  /// Longer texts are cut.
  public FailureDetail {
    resultType = cut(resultType);
    sendingIp = cut(sendingIp);
    receivingHost = cut(receivingHost);
    receivingIp = cut(receivingIp);
    reason = cut(reason);
  }

  private static String cut(String text) {
    return text.length() > LENGTH_MAX ? text.substring(0, LENGTH_MAX) : text;
  }

  /// One of ours.
  public static FailureDetail of(
      ResultType type, String sendingIp, String receivingHost, String receivingIp, String reason) {
    return new FailureDetail(type.word(), sendingIp, receivingHost, receivingIp, reason);
  }

  /// About what it takes in memory.
  long octets() {
    return 400L
        + resultType.length()
        + sendingIp.length()
        + receivingHost.length()
        + receivingIp.length()
        + reason.length();
  }
}
