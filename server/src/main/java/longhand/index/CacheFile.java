package longhand.index;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32C;
import longhand.disk.Disk;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.jspecify.annotations.Nullable;

/// A file of the index library in which nothing need be believed: every value carries a CRC-32C
/// over itself and its key, so that a damaged or mixed-up one reads as absent; a file that cannot
/// be opened is begun anew; after a fault of the library all reads as absent. Durability is
/// nobody's concern. Safe for any thread.
final class CacheFile {

  private static final System.Logger LOG = System.getLogger(CacheFile.class.getName());

  private final Disk disk;
  private final Path file;
  private final boolean readOnly;
  private volatile @Nullable MVStore store;

  private CacheFile(Disk disk, Path file, boolean readOnly) {
    this.disk = disk;
    this.file = file;
    this.readOnly = readOnly;
  }

  /// Opens a file, made when missing, begun anew when it cannot be read.
  ///
  /// @param megabytes of pages kept in memory
  static CacheFile open(Disk disk, Path file, int megabytes) {
    var cache = new CacheFile(disk, file, false);
    if (!disk.exists(file)) {
      cache.make();
    }
    var builder = new MVStore.Builder().fileName(file.toString()).autoCommitDisabled();
    builder.cacheSize(megabytes);
    if (!cache.tryOpen(builder)) {
      cache.remove();
      cache.make();
      cache.tryOpen(builder);
    }
    return cache;
  }

  /// Opens a file to look at it; null when there is none, none that can be read, or another process
  /// has it open.
  static @Nullable CacheFile openReadOnly(Disk disk, Path file) {
    if (!disk.exists(file)) {
      return null;
    }
    var cache = new CacheFile(disk, file, true);
    var builder = new MVStore.Builder().fileName(file.toString()).readOnly().cacheSize(2);
    return cache.tryOpen(builder) ? cache : null;
  }

  /// Makes an empty file through the disk, which knows who may read it; the library does not.
  private void make() {
    try (var _ = disk.open(file, Disk.Mode.CREATE)) {
      LOG.log(System.Logger.Level.DEBUG, "{0} begun", file);
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, file + " cannot be made", e);
    }
  }

  private boolean tryOpen(MVStore.Builder builder) {
    try {
      var opened = builder.open();
      store = opened;
      if (!readOnly) {
        opened.setRetentionTime(0);
        opened.setVersionsToKeep(0);
      }
      return true;
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.DEBUG, file + " cannot be used as an index", e);
      abandon();
      return false;
    }
  }

  /// A map in the file; null when the file cannot be used.
  <K> @Nullable MVMap<K, byte[]> map(String name) {
    var open = store;
    try {
      return open == null ? null : open.openMap(name);
    } catch (RuntimeException e) {
      broken("cannot be read", e);
      return null;
    }
  }

  /// A value; null when there is none that is whole.
  <K> byte @Nullable [] get(@Nullable MVMap<K, byte[]> map, K key) {
    if (map == null || store == null) {
      return null;
    }
    try {
      var value = map.get(key);
      if (value == null || value.length < 4) {
        return null;
      }
      var content = Arrays.copyOf(value, value.length - 4);
      return check(key, content) == ByteBuffer.wrap(value).getInt(content.length) ? content : null;
    } catch (RuntimeException e) {
      broken("is damaged; it is begun anew", e);
      return null;
    }
  }

  /// Keeps a value; whether that could be done.
  <K> void put(@Nullable MVMap<K, byte[]> map, K key, byte[] content) {
    if (map == null || store == null) {
      return;
    }
    try {
      var value = Arrays.copyOf(content, content.length + 4);
      ByteBuffer.wrap(value).putInt(content.length, check(key, content));
      map.put(key, value);
    } catch (RuntimeException e) {
      broken("cannot be written; going on without", e);
    }
  }

  <K> void remove(@Nullable MVMap<K, byte[]> map, K key) {
    if (map == null || store == null) {
      return;
    }
    try {
      map.remove(key);
    } catch (RuntimeException e) {
      broken("cannot be written; going on without", e);
    }
  }

  private static <K> int check(K key, byte[] content) {
    var crc = new CRC32C();
    crc.update(key.toString().getBytes(StandardCharsets.UTF_8));
    crc.update('\n');
    crc.update(content);
    return (int) crc.getValue();
  }

  void commit() {
    var open = store;
    if (open == null) {
      return;
    }
    try {
      open.commit();
    } catch (RuntimeException e) {
      broken("cannot be written; going on without", e);
    }
  }

  void close() {
    var open = store;
    store = null;
    if (open == null) {
      return;
    }
    try {
      open.close();
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.WARNING, file + " was not closed in order", e);
      closeImmediately(open);
      remove();
    }
  }

  /// After a fault of the library: no more of this file in this run.
  private void broken(String what, RuntimeException e) {
    LOG.log(System.Logger.Level.WARNING, file + " " + what, e);
    abandon();
    remove();
  }

  private void abandon() {
    var open = store;
    store = null;
    if (open != null) {
      closeImmediately(open);
    }
  }

  private void closeImmediately(MVStore open) {
    try {
      open.closeImmediately();
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.DEBUG, file + " was not closed in order", e);
    }
  }

  private void remove() {
    if (readOnly) {
      return;
    }
    try {
      disk.delete(file);
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, file + " is damaged and cannot be removed", e);
    }
  }
}
