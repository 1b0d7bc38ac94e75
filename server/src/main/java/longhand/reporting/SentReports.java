package longhand.reporting;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashSet;
import java.util.Set;
import longhand.disk.Disk;

/// Which reports of a day have left, in a text file of that day: a line for each, forced when it is
/// written. What a crash tore off the last line is written over.
///
///     2026-11-25T01:12:31Z example.net mailto:tls@example.net
final class SentReports {

  /// Most octets of the file. Only strangers' long addresses get it there; then nothing more leaves
  /// that day.
  static final int OCTETS_MAX = 8 << 20;

  private final Disk disk;
  private final Path folder;
  private final Path file;
  private final Set<String> sent = new HashSet<>();
  private long length;

  /// Reads what has left so far; `IOException` when it cannot be read, and then nothing must leave.
  SentReports(Disk disk, Path folder, String name) throws IOException {
    this.disk = disk;
    this.folder = folder;
    this.file = folder.resolve(name);
    var text = text();
    int begin = 0;
    for (int end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', begin)) {
      int space = text.indexOf(' ', begin);
      if (space >= 0 && space < end) {
        sent.add(text.substring(space + 1, end));
      }
      begin = end + 1;
    }
    length = begin;
  }

  private String text() throws IOException {
    try (var open = disk.open(file, Disk.Mode.READ)) {
      if (open.size() > 2L * OCTETS_MAX) {
        throw new IOException(file + " is larger than it can have become");
      }
      var octets = ByteBuffer.allocate((int) open.size());
      while (octets.hasRemaining() && open.read(octets, octets.position()) >= 0) {
        // on, until all is read
      }
      return new String(octets.array(), 0, octets.position(), StandardCharsets.ISO_8859_1);
    } catch (NoSuchFileException e) {
      return "";
    }
  }

  /// Whether a domain's report has left for that address.
  boolean has(String domain, String address) {
    return sent.contains(domain + " " + address);
  }

  /// Whether no more can be written down.
  boolean full() {
    return length >= OCTETS_MAX;
  }

  /// It has left. That is known here even when it cannot be written down.
  ///
  /// @param address ASCII, without spaces
  void add(Instant when, String domain, String address) throws IOException {
    sent.add(domain + " " + address);
    var line = (when + " " + domain + " " + address + "\n").getBytes(StandardCharsets.US_ASCII);
    boolean fresh = length == 0;
    try (var open = disk.open(file, Disk.Mode.CREATE)) {
      open.truncate(length);
      open.write(ByteBuffer.wrap(line), length);
      open.force(false);
    }
    if (fresh) {
      disk.forceFolder(folder);
    }
    length += line.length;
  }
}
