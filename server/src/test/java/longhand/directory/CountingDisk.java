package longhand.directory;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import longhand.disk.Disk;
import longhand.disk.DiskFile;
import longhand.disk.FileSystemDisk;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

/// The real file system, and how many octets were written.
@NullMarked
final class CountingDisk implements Disk {

  final AtomicLong octets = new AtomicLong();
  private final Disk real = new FileSystemDisk();

  @Override
  public DiskFile open(Path path, Mode mode) throws IOException {
    return new Counted(real.open(path, mode));
  }

  @Override
  public Optional<Facts> facts(Path path) throws IOException {
    return real.facts(path);
  }

  @Override
  public boolean exists(Path path) {
    return real.exists(path);
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    real.rename(from, to);
  }

  @Override
  public void delete(Path path) throws IOException {
    real.delete(path);
  }

  @Override
  public void createFolders(Path path) throws IOException {
    real.createFolders(path);
  }

  @Override
  public void forceFolder(Path path) throws IOException {
    real.forceFolder(path);
  }

  @Override
  public List<String> list(Path path) throws IOException {
    return real.list(path);
  }

  @Override
  public long freeOctets(Path path) throws IOException {
    return real.freeOctets(path);
  }

  private final class Counted implements DiskFile {

    private final DiskFile file;

    Counted(DiskFile file) {
      this.file = file;
    }

    @Override
    public int read(ByteBuffer target, long position) throws IOException {
      return file.read(target, position);
    }

    @Override
    public void write(ByteBuffer source, long position) throws IOException {
      octets.addAndGet(source.remaining());
      file.write(source, position);
    }

    @Override
    public void copyTo(long position, long length, DiskFile target, long targetPosition)
        throws IOException {
      octets.addAndGet(length);
      file.copyTo(position, length, ((Counted) target).file, targetPosition);
    }

    @Override
    public long size() throws IOException {
      return file.size();
    }

    @Override
    public void truncate(long size) throws IOException {
      file.truncate(size);
    }

    @Override
    public void force(boolean times) throws IOException {
      file.force(times);
    }

    @Override
    public @Nullable Closeable tryLock() throws IOException {
      return file.tryLock();
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
