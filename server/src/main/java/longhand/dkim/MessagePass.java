package longhand.dkim;

import java.io.OutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import longhand.message.Header;
import org.jspecify.annotations.Nullable;

/// A message on its way through, as octets in the form of the wire, cut anywhere. The header is
/// kept until it is complete, at most [Header#OCTETS_MAX] octets of it; then the body goes into
/// hashes and is forgotten. For one thread.
///
/// A header in which a CR or LF stands alone is not looked into: others may see fields there where
/// we see one, or none where we see one.
abstract class MessagePass extends OutputStream {

  private byte[] header = new byte[4096];
  private int length;
  private int lineStart;
  private boolean complete;
  private @Nullable String fault;
  private List<BodyHash> hashes = List.of();

  /// Told of the header once; gives the hashes that the body goes into.
  abstract List<BodyHash> headerRead(Header header);

  @Override
  public void write(int octet) {
    write(new byte[] {(byte) octet}, 0, 1);
  }

  /// Takes the next octets of the message.
  @Override
  public void write(byte[] octets, int offset, int count) {
    Objects.checkFromIndexSize(offset, count, octets.length);
    int i = offset;
    while (!complete && i < offset + count) {
      headerOctet(octets[i++]);
    }
    for (var hash : hashes) {
      hash.update(octets, i, offset + count - i);
    }
  }

  private void headerOctet(byte octet) {
    boolean afterCr = length > 0 && header[length - 1] == '\r';
    if ((octet == '\n') != afterCr) {
      fault = "a line of the header does not end in CRLF";
    }
    if (length == header.length) {
      if (length >= Header.OCTETS_MAX) {
        fault = "the header is longer than " + Header.OCTETS_MAX + " octets";
        completeHeader();
        return;
      }
      header = Arrays.copyOf(header, Math.min(Header.OCTETS_MAX, length * 2));
    }
    header[length++] = octet;
    if (octet == '\n') {
      if (afterCr && length == lineStart + 2) {
        length = lineStart;
        completeHeader();
      }
      lineStart = length;
    }
  }

  private void completeHeader() {
    complete = true;
    if (fault == null && length > 0 && header[length - 1] == '\r') {
      fault = "a line of the header does not end in CRLF";
    }
    if (fault == null) {
      var read = Header.of(header, 0, length);
      if (read.fields().size() >= Header.FIELDS_MAX) {
        fault = "the header has " + Header.FIELDS_MAX + " fields or more";
      } else {
        hashes = headerRead(read);
      }
    }
    header = new byte[0];
  }

  /// The message has ended. What kept its header from being looked into, or null.
  @Nullable String end() {
    if (!complete) {
      completeHeader();
    }
    return fault;
  }
}
