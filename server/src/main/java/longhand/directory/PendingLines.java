package longhand.directory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Objects;
import java.util.zip.CRC32C;
import longhand.disk.Disk;
import longhand.disk.DiskFile;
import org.jspecify.annotations.Nullable;

/// The lines on their way into a domain's file, kept in a file of their own, `.<domain>.append`,
/// until they are there: a redo log of one entry. Once it is forced the change is made, whatever
/// becomes of the write that follows; it is emptied, and that forced, once the lines are forced in
/// the domain's file. Its form, for people who meet one:
///
///     append at 00000000000000001234 octets 0000000321 after 9c8b7a6d check 1a2b3c4d
///     jbob active 0 ...
///
/// `after` is the CRC-32C of what stands before that place in the file, at most 4 KiB; `check` that
/// of the first line up to it and of the lines. For one thread, under the
/// directory's lock; `read` for anyone.
final class PendingLines {

  private static final int HEAD = 79;
  private static final int CHECK_AT = 70;
  private static final int BEFORE_MAX = 4096;

  /// Larger than any change can be: it is made in memory.
  private static final long OCTETS_MAX = 1L << 30;

  /// Lines and where they go.
  ///
  /// @param offset where the domain's file ended before them, in octets
  /// @param after the check of what stands before the offset
  record Pending(long offset, int after, byte[] text) {

    /// Whether a file is as a crash can leave it while these lines are written, whatever stands
    /// where they go; else somebody edited it since.
    boolean continues(DiskFile file) throws IOException {
      long size = file.size();
      return size >= offset && size <= offset + text.length && after == before(file, offset);
    }
  }

  /// Lines to go behind what is in a file.
  static Pending of(DiskFile file, long end, String text) throws IOException {
    return new Pending(end, before(file, end), text.getBytes(StandardCharsets.UTF_8));
  }

  private static int before(DiskFile file, long offset) throws IOException {
    var octets = new byte[(int) Math.min(BEFORE_MAX, offset)];
    int n = octets.length == 0 ? 0 : file.read(ByteBuffer.wrap(octets), offset - octets.length);
    var crc = new CRC32C();
    crc.update(octets, 0, Math.max(0, n));
    return (int) crc.getValue();
  }

  private final Disk disk;
  private final Path path;

  /// Whether this process has made the name durable.
  private boolean forcedName;

  PendingLines(Disk disk, Path path) {
    this.disk = disk;
    this.path = path;
  }

  /// Whether there may be lines.
  boolean any() throws IOException {
    var facts = disk.facts(path);
    return facts.isPresent() && facts.get().size() > 0;
  }

  /// The lines; null when there are none that are whole.
  @Nullable Pending read() throws IOException {
    if (!any()) {
      return null;
    }
    try (var source = disk.open(path, Disk.Mode.READ)) {
      long size = source.size();
      var head = new byte[HEAD];
      if (size < HEAD || size > OCTETS_MAX || source.read(ByteBuffer.wrap(head), 0) < HEAD) {
        return null;
      }
      long offset = decimal(head, 10, 20);
      long length = decimal(head, 38, 10);
      if (offset < 0 || length < 0 || length > size - HEAD) {
        return null;
      }
      var text = new byte[(int) length];
      if (source.read(ByteBuffer.wrap(text), HEAD) < length && length > 0) {
        return null;
      }
      int after = hexadecimal(head, 55, 8);
      var pending = new Pending(offset, after, text);
      return Arrays.equals(head, head(pending)) ? pending : null;
    }
  }

  private static long decimal(byte[] octets, int from, int digits) {
    long number = 0;
    for (int i = from; i < from + digits; i++) {
      if (octets[i] < '0' || octets[i] > '9' || number > Long.MAX_VALUE / 10 - 1) {
        return -1;
      }
      number = number * 10 + octets[i] - '0';
    }
    return number;
  }

  private static int hexadecimal(byte[] octets, int from, int digits) {
    int number = 0;
    for (int i = from; i < from + digits; i++) {
      number = number << 4 | Math.max(0, Character.digit(octets[i], 16));
    }
    return number;
  }

  private static byte[] head(Pending pending) {
    var head =
        String.format(
                Locale.ROOT,
                "append at %020d octets %010d after %08x check ",
                pending.offset,
                pending.text.length,
                pending.after)
            .getBytes(StandardCharsets.US_ASCII);
    var crc = new CRC32C();
    crc.update(head);
    crc.update(pending.text);
    var line = Arrays.copyOf(head, HEAD);
    var check = HexFormat.of().toHexDigits((int) crc.getValue()) + "\n";
    System.arraycopy(check.getBytes(StandardCharsets.US_ASCII), 0, line, CHECK_AT, check.length());
    return line;
  }

  /// Keeps lines; durable on return.
  void write(Pending pending) throws IOException {
    boolean named = forcedName && disk.exists(path);
    try (var file = disk.open(path, Disk.Mode.CREATE)) {
      if (!named) {
        disk.forceFolder(Objects.requireNonNull(path.getParent()));
        forcedName = true;
      }
      var octets = ByteBuffer.allocate(HEAD + pending.text.length);
      octets.put(head(pending)).put(pending.text).flip();
      file.write(octets, 0);
      file.force(true);
    }
  }

  /// Keeps none any more; durable on return.
  void clear() throws IOException {
    try (var file = disk.open(path, Disk.Mode.CREATE)) {
      file.truncate(0);
      file.force(true);
    }
  }
}
