package longhand.dns;

/// An MX record (RFC 1035 §3.3.9).
///
/// @param preference 0 to 65535, less is better
/// @param host the root in a null MX (RFC 7505)
public record MailExchange(int preference, DnsName host) {

  public MailExchange {
    if (preference < 0 || preference > 65535) {
      throw new IllegalArgumentException("preference " + preference);
    }
  }
}
