package longhand.disk;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The file system of this machine. Files are made readable and writable by their owner alone, who
/// is their folder's.
public final class FileSystemDisk implements Disk {

  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");

  @Override
  public DiskFile open(Path path, Mode mode) throws IOException {
    Set<OpenOption> options =
        switch (mode) {
          case READ -> Set.of(StandardOpenOption.READ);
          case WRITE -> Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE);
          case CREATE ->
              Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
          case REPLACE ->
              Set.of(
                  StandardOpenOption.READ,
                  StandardOpenOption.WRITE,
                  StandardOpenOption.CREATE,
                  StandardOpenOption.TRUNCATE_EXISTING);
        };
    if (mode == Mode.READ || mode == Mode.WRITE || Files.exists(path)) {
      return new ChannelFile(FileChannel.open(path, options));
    }
    var made = FileChannel.open(path, options, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
    try {
      giveToOwnerOfFolder(path);
    } catch (IOException e) {
      made.close();
      throw e;
    }
    return new ChannelFile(made);
  }

  /// A file or folder belongs to whom its folder belongs: root may change things of a server that
  /// runs as another user.
  private static void giveToOwnerOfFolder(Path path) throws IOException {
    var owner = Files.getOwner(Objects.requireNonNull(path.toAbsolutePath().getParent()));
    if (!owner.equals(Files.getOwner(path))) {
      try {
        Files.setOwner(path, owner);
      } catch (FileSystemException _) {
        // Only root can give files away; who else may write into a folder of another keeps them.
      }
    }
  }

  @Override
  public Optional<Facts> facts(Path path) throws IOException {
    try {
      var attributes = Files.readAttributes(path, BasicFileAttributes.class);
      return Optional.of(
          new Facts(
              attributes.size(),
              nanos(attributes.lastModifiedTime()),
              String.valueOf(attributes.fileKey())));
    } catch (NoSuchFileException _) {
      return Optional.empty();
    }
  }

  @Override
  public boolean exists(Path path) {
    return Files.exists(path);
  }

  private static long nanos(FileTime time) {
    return time.to(TimeUnit.NANOSECONDS);
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  @Override
  public void delete(Path path) throws IOException {
    Files.deleteIfExists(path);
  }

  @Override
  public void createFolders(Path path) throws IOException {
    var missing = new ArrayDeque<Path>();
    for (var each = path.toAbsolutePath();
        each != null && !Files.exists(each);
        each = each.getParent()) {
      missing.push(each);
    }
    var ownerOnly =
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    for (var each : missing) {
      Files.createDirectories(each, ownerOnly); // another may make it at the same time
      giveToOwnerOfFolder(each);
    }
  }

  @Override
  public void forceFolder(Path path) throws IOException {
    try (var channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  @Override
  public List<String> list(Path path) throws IOException {
    var names = new ArrayList<String>();
    try (var stream = Files.newDirectoryStream(path)) {
      for (var entry : stream) {
        names.add(String.valueOf(entry.getFileName()));
      }
    } catch (NoSuchFileException | NotDirectoryException _) {
      return List.of();
    }
    var sorted = names.toArray(String[]::new);
    Arrays.sort(sorted);
    return List.of(sorted);
  }

  @Override
  public long freeOctets(Path path) throws IOException {
    return Files.getFileStore(path).getUsableSpace();
  }

  private record ChannelFile(FileChannel channel) implements DiskFile {

    @Override
    public int read(ByteBuffer target, long position) throws IOException {
      int start = target.position();
      while (target.hasRemaining()) {
        int n = channel.read(target, position + target.position() - start);
        if (n < 0) {
          return target.position() == start ? -1 : target.position() - start;
        }
      }
      return target.position() - start;
    }

    @Override
    public void write(ByteBuffer source, long position) throws IOException {
      int start = source.position();
      while (source.hasRemaining()) {
        channel.write(source, position + source.position() - start);
      }
    }

    @Override
    public void copyTo(long position, long length, DiskFile target, long targetPosition)
        throws IOException {
      var to = ((ChannelFile) target).channel;
      to.position(targetPosition);
      for (long done = 0; done < length; ) {
        long n = channel.transferTo(position + done, length - done, to);
        if (n <= 0) {
          throw new EOFException("file ends " + (length - done) + " octets early");
        }
        done += n;
      }
    }

    @Override
    public long size() throws IOException {
      return channel.size();
    }

    @Override
    public void truncate(long size) throws IOException {
      channel.truncate(size);
    }

    @Override
    public void force(boolean times) throws IOException {
      channel.force(times);
    }

    @Override
    public @Nullable Closeable tryLock() throws IOException {
      try {
        var lock = channel.tryLock();
        return lock == null ? null : lock::release;
      } catch (OverlappingFileLockException _) {
        return null; // this process has it itself
      }
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
