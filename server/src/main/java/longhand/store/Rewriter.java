package longhand.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Objects;
import longhand.disk.Disk;
import longhand.disk.DiskFile;

/// A document being written anew beside the one in use (`docs/document-format.md`, "Rewrite"):
/// filled from front to end, then put in its place.
final class Rewriter {

  /// For what is done with the writer lock.
  static final String SUFFIX = ".rewrite";

  /// For what is copied without it. No account's name has a tilde.
  static final String SUFFIX_MEANWHILE = "~.rewrite";

  private final Disk disk;
  private final Path path;
  private final Path beside;
  private final DiskFile file;
  private long end;

  /// @param suffix of the name it has meanwhile: of two that are under way at once each has its own
  Rewriter(Disk disk, Path path, String suffix) throws IOException {
    this.disk = disk;
    this.path = path;
    this.beside = path.resolveSibling(path.getFileName() + suffix);
    this.file = disk.open(beside, Disk.Mode.REPLACE);
  }

  DiskFile file() {
    return file;
  }

  /// Where the next octets go.
  long end() {
    return end;
  }

  /// Leaves room at the end, to be filled by `replace`.
  void leave(long octets) {
    end += octets;
  }

  void add(byte[] octets) throws IOException {
    file.write(ByteBuffer.wrap(octets), end);
    end += octets.length;
  }

  void copy(DiskFile from, long position, long length) throws IOException {
    from.copyTo(position, length, file, end);
    end += length;
  }

  void replace(long position, byte[] octets) throws IOException {
    file.write(ByteBuffer.wrap(octets), position);
  }

  void force() throws IOException {
    file.force(true);
  }

  /// Puts it in the document's place. After `ForceException` it is not known which of the two is
  /// there.
  void takePlace() throws IOException {
    disk.rename(beside, path);
    try {
      disk.forceFolder(Objects.requireNonNull(path.getParent()));
    } catch (IOException e) {
      throw new Store.ForceException(path, e);
    }
  }

  /// Gives up.
  void discard() {
    try {
      file.close();
      disk.delete(beside);
    } catch (IOException e) {
      System.getLogger(Rewriter.class.getName())
          .log(System.Logger.Level.WARNING, beside + " was not removed", e);
    }
  }
}
