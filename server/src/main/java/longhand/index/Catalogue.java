package longhand.index;

import java.io.Closeable;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import longhand.disk.Disk;
import org.h2.mvstore.MVMap;
import org.jspecify.annotations.Nullable;

/// What a store has to know of a document to deliver into it, by the document's name, in one file
/// for all of a server's accounts: a message for one that nobody has open costs a look in here and
/// not the reading of its index. What the octets mean is the caller's affair.
///
/// A cache and nothing else (invariant I4), as [AccountIndex] is. Safe for any thread.
public final class Catalogue implements Closeable {

  private static final int CACHE_MEGABYTES = 16;

  private final CacheFile file;
  private final @Nullable MVMap<String, byte[]> entries;
  private final AtomicBoolean changed = new AtomicBoolean();

  private Catalogue(CacheFile file) {
    this.file = file;
    this.entries = file.map("documents");
  }

  /// Opens the catalogue in a file, made when missing.
  public static Catalogue open(Disk disk, Path file) {
    return new Catalogue(CacheFile.open(disk, file, CACHE_MEGABYTES));
  }

  /// Opens the catalogue in a file to look at it. Null when there is none, or none that can be
  /// read, or another process has it open.
  public static @Nullable Catalogue openReadOnly(Disk disk, Path file) {
    var cache = CacheFile.openReadOnly(disk, file);
    return cache == null ? null : new Catalogue(cache);
  }

  /// What is known of a document; null when nothing is that is whole.
  public byte @Nullable [] get(String document) {
    return file.get(entries, document);
  }

  /// Puts what is known of a document in the place of what was.
  public void put(String document, byte[] entry) {
    file.put(entries, document, entry);
    changed.set(true);
  }

  /// Forgets a document.
  public void remove(String document) {
    file.remove(entries, document);
    changed.set(true);
  }

  /// Writes what has changed since the last time.
  public void commit() {
    if (changed.compareAndSet(true, false)) {
      file.commit();
    }
  }

  @Override
  public void close() {
    file.close();
  }
}
