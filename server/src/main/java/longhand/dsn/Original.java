package longhand.dsn;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import longhand.message.Header;

/// The message a report is about, looked at as far as a report returns it.
///
/// @param source where its octets come from
/// @param header its header, lines ended by CRLF, without the empty line
/// @param headerWhole whether that is all of it
/// @param small whether the message has no more octets than were allowed
/// @param headerAscii whether the header is free of octets above 127
/// @param bodyAscii whether the rest is, as far as it was looked at
public record Original(
    Source source,
    byte[] header,
    boolean headerWhole,
    boolean small,
    boolean headerAscii,
    boolean bodyAscii) {

  /// Gives a message's octets; each call begins anew.
  @FunctionalInterface
  public interface Source {
    /// A stream that the caller closes.
    InputStream open() throws IOException;
  }

  /// Most octets of a header that are returned.
  static final int HEADER_MAX = 64 * 1024;

  /// Reads no more than is needed.
  ///
  /// @param octetsMax of a message that is returned whole
  static Original of(Source source, int octetsMax) throws IOException {
    var header = new ByteArrayOutputStream();
    boolean inHeader = true;
    boolean whole = true;
    boolean headerAscii = true;
    boolean bodyAscii = true;
    long octets = 0;
    int wholeLines = 0;
    int lineLength = 0;
    try (var in = new CrlfStream(source.open())) {
      var buffer = new byte[8192];
      for (int n; octets <= octetsMax || inHeader; octets += n) {
        n = in.read(buffer, 0, buffer.length);
        if (n < 0) {
          break;
        }
        for (int i = 0; i < n; i++) {
          byte octet = buffer[i];
          if (!inHeader) {
            bodyAscii &= octet >= 0;
            continue;
          }
          header.write(octet);
          headerAscii &= octet >= 0;
          lineLength++;
          if (octet == '\n') {
            inHeader = lineLength > 2;
            wholeLines = inHeader ? header.size() : wholeLines;
            lineLength = 0;
          }
          if (inHeader && header.size() >= HEADER_MAX) {
            inHeader = false;
            whole = false;
          }
        }
      }
    }
    int end = inHeader ? header.size() : wholeLines;
    return new Original(
        source,
        java.util.Arrays.copyOf(header.toByteArray(), end),
        whole,
        octets <= octetsMax,
        headerAscii,
        bodyAscii);
  }

  /// Its fields.
  Header fields() {
    return Header.of(header);
  }
}
