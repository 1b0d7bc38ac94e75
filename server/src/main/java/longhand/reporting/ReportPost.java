package longhand.reporting;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import longhand.dns.DnsName;
import longhand.http.HttpsClient;
import longhand.tlsrpt.ReportFile;
import longhand.wire.Connection;

/// Hands in reports by POST (RFC 8460 §3).
final class ReportPost {

  private static final int HTTPS = 443;
  private static final int LINE_OCTETS_MAX = 8 * 1024;

  private final HttpsClient client;

  ReportPost(HttpsClient client) {
    this.client = client;
  }

  /// The server took the report: it answered with a status of 200 to 299. Of the answer nothing
  /// else is read.
  ///
  /// @throws IOException when it did not
  void send(URI uri, byte[] report) throws IOException {
    var ascii = URI.create(uri.toASCIIString());
    var host =
        DnsName.parse(ascii.getHost()).orElseThrow(() -> new IOException("no host in " + ascii));
    int port = ascii.getPort() < 0 ? HTTPS : ascii.getPort();
    var _ = client.ask(host, port, connection -> post(connection, ascii, report));
  }

  /// The octets that were taken.
  private static int post(Connection connection, URI uri, byte[] report) throws IOException {
    var path = uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
    connection.write(
        "POST "
            + (uri.getRawQuery() == null ? path : path + "?" + uri.getRawQuery())
            + " HTTP/1.1\r\nHost: "
            + uri.getRawAuthority()
            + "\r\nUser-Agent: Longhand\r\nContent-Type: "
            + ReportFile.MEDIA_TYPE
            + "\r\nContent-Length: "
            + report.length
            + "\r\nConnection: close\r\n\r\n");
    connection.write(report);
    connection.flush();
    var line = connection.readLine(LINE_OCTETS_MAX);
    var status = line == null ? "" : new String(line, StandardCharsets.ISO_8859_1);
    boolean http = status.startsWith("HTTP/1.1 ") || status.startsWith("HTTP/1.0 ");
    if (!http || status.length() < 12 || (status.length() > 12 && status.charAt(12) != ' ')) {
      throw new IOException("no HTTP");
    }
    if (status.charAt(9) != '2') {
      throw new IOException("another HTTP status than 200 to 299");
    }
    return report.length;
  }
}
