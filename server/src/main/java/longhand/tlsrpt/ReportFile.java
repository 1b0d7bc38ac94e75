package longhand.tlsrpt;

/// A report as octets: JSON, and compressed as it travels (RFC 8460 §5). Reading is bounded and
/// strict, whatever comes.
public final class ReportFile {

  /// What a compressed report is, as a media type (RFC 8460 §6.4).
  public static final String MEDIA_TYPE = "application/tlsrpt+gzip";

  private ReportFile() {}

  /// A report, compressed: what is sent by mail, or by POST to an `https` address.
  public static byte[] write(TlsReport report) {
    return Gzip.compress(ReportJson.write(report));
  }

  /// A report of another, compressed (`application/tlsrpt+gzip`) or not
  /// (`application/tlsrpt+json`).
  public static ReadReport read(byte[] octets) {
    try {
      boolean compressed = octets.length > 0 && octets[0] == 0x1f;
      var json = compressed ? Gzip.expand(octets, ReportJson.OCTETS_MAX) : octets;
      return new ReadReport.Valid(ReportJson.read(json, ReportJson.OCTETS_MAX));
    } catch (MalformedReport e) {
      return new ReadReport.Malformed(e.reason());
    }
  }
}
