package longhand.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Files and folders, as far as the store needs them. The real one is [FileSystemDisk]; tests put
/// one in its place that loses, tears and reorders what was not forced.
///
/// What a crash may do, and so what a caller must not rely on: writes that were not forced are
/// kept, lost or torn independently of each other; a name that was made, renamed or removed is so
/// for certain only after `forceFolder`. Safe for any thread.
public interface Disk {

  /// What `open` does when there is a file, or none.
  enum Mode {
    /// `NoSuchFileException` when there is none.
    READ,
    /// `NoSuchFileException` when there is none.
    WRITE,
    /// Made when there is none.
    CREATE,
    /// Made, or emptied.
    REPLACE
  }

  /// What the folder and the inode say of a file.
  ///
  /// @param key names the inode: the same as long as it is the same file
  /// @param modifiedNanos since the epoch, as exact as the file system is
  record Facts(long size, long modifiedNanos, String key) {}

  /// Opens a file.
  DiskFile open(Path path, Mode mode) throws IOException;

  /// What is known of a file; empty when there is none.
  Optional<Facts> facts(Path path) throws IOException;

  /// Whether there is a file or folder of that name.
  boolean exists(Path path);

  /// Gives a file another name, in place of any file that has it.
  void rename(Path from, Path to) throws IOException;

  /// Removes a file, if there is one.
  void delete(Path path) throws IOException;

  /// Makes a folder and those above it, as far as they are missing.
  void createFolders(Path path) throws IOException;

  /// Makes durable which names are in a folder.
  void forceFolder(Path path) throws IOException;

  /// The names in a folder, sorted; none when there is no such folder.
  List<String> list(Path path) throws IOException;

  /// Octets that can still be written where `path` lies.
  long freeOctets(Path path) throws IOException;
}
