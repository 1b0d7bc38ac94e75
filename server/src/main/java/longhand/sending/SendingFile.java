package longhand.sending;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import longhand.disk.Disk;

/// The text file of one account, lines that are added at its end, and all of it written anew now
/// and then: under another name (`~` before it, which no file here has), forced, and renamed. For
/// one thread at a time.
///
/// Lines that are added are not forced, but where that is asked for: a crash of this process loses
/// none of them, a loss of power the latest, and may leave anything in their place.
final class SendingFile {

  /// Beyond it a file was not written by us; the rest is not read.
  private static final int OCTETS_MAX = 16 << 20;

  private final Disk disk;
  private final Path path;

  SendingFile(Disk disk, Path path) {
    this.disk = disk;
    this.path = path;
  }

  /// What is in it.
  ///
  /// @param lines without their ends
  /// @param whole whether the last line has its end, and all was read
  record Content(List<String> lines, boolean whole) {}

  /// All lines; none when there is no file.
  Content read() throws IOException {
    byte[] octets;
    boolean whole;
    try (var file = disk.open(path, Disk.Mode.READ)) {
      var buffer = ByteBuffer.allocate((int) Math.min(file.size(), OCTETS_MAX));
      whole = file.size() <= OCTETS_MAX;
      int n = file.read(buffer, 0);
      octets = n < 0 ? new byte[0] : Arrays.copyOf(buffer.array(), n);
    } catch (NoSuchFileException _) {
      return new Content(List.of(), true);
    }
    var lines = new ArrayList<String>();
    int begin = 0;
    for (int i = 0; i < octets.length; i++) {
      if (octets[i] == '\n') {
        lines.add(new String(octets, begin, i - begin, StandardCharsets.UTF_8));
        begin = i + 1;
      }
    }
    // What has no end may be the beginning of a longer number: it is not taken.
    return new Content(lines, whole && begin == octets.length);
  }

  /// Adds lines.
  void append(String lines, boolean force) throws IOException {
    try (var file = disk.open(path, Disk.Mode.CREATE)) {
      file.write(ByteBuffer.wrap(lines.getBytes(StandardCharsets.UTF_8)), file.size());
      if (force) {
        file.force(false);
      }
    }
  }

  /// Replaces all lines.
  void replace(String lines) throws IOException {
    var folder = Objects.requireNonNull(path.getParent());
    if (!disk.exists(folder)) {
      disk.createFolders(folder);
      var above = Objects.requireNonNull(folder.getParent());
      disk.forceFolder(above);
      disk.forceFolder(Objects.requireNonNull(above.getParent()));
    }
    var fresh = folder.resolve("~" + path.getFileName());
    try (var file = disk.open(fresh, Disk.Mode.REPLACE)) {
      file.write(ByteBuffer.wrap(lines.getBytes(StandardCharsets.UTF_8)), 0);
      file.force(false);
    }
    disk.rename(fresh, path);
    disk.forceFolder(folder);
  }

  @Override
  public String toString() {
    return path.toString();
  }
}
