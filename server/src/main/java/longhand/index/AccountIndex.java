package longhand.index;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import longhand.disk.Disk;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.jspecify.annotations.Nullable;

/// The index file of one account: a head that says of which state of the document it was made,
/// packed rows of its entries, and summaries of messages by id. What the octets mean is the
/// caller's affair.
///
/// A cache and nothing else (invariant I4): every value carries a CRC-32C over itself and its key,
/// so that a damaged or mixed-up one reads as absent; a file that cannot be opened is begun anew;
/// durability is nobody's concern. For one thread at a time.
public final class AccountIndex implements Closeable {

  private static final System.Logger LOG = System.getLogger(AccountIndex.class.getName());
  private static final long HEAD = -1;
  private static final int COMMIT_EVERY = 2000;

  private final Disk disk;
  private final Path file;
  private @Nullable MVStore store;
  private @Nullable MVMap<Long, byte[]> rows;
  private @Nullable MVMap<Long, byte[]> summaries;
  private int uncommitted;
  private boolean readOnly;

  private AccountIndex(Disk disk, Path file) {
    this.disk = disk;
    this.file = file;
  }

  /// Opens the index in a file, made when missing. When it cannot be had at all, an index that
  /// forgets everything is given: answers stay the same, only slower.
  public static AccountIndex open(Disk disk, Path file) {
    var index = new AccountIndex(disk, file);
    if (!index.tryOpen()) {
      index.remove();
      index.tryOpen();
    }
    return index;
  }

  /// Opens the index in a file to look at it: nothing is changed, removed or made. Null when there
  /// is none, or none that can be read, or another process has it open.
  public static @Nullable AccountIndex openReadOnly(Disk disk, Path file) {
    if (!disk.exists(file)) {
      return null;
    }
    var index = new AccountIndex(disk, file);
    index.readOnly = true;
    try {
      var opened = new MVStore.Builder().fileName(file.toString()).readOnly().cacheSize(2).open();
      index.store = opened;
      index.rows = opened.openMap("rows");
      index.summaries = opened.openMap("summaries");
      return index;
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.DEBUG, file + " cannot be read as an index", e);
      index.abandon();
      return null;
    }
  }

  private boolean tryOpen() {
    try {
      var opened =
          new MVStore.Builder().fileName(file.toString()).autoCommitDisabled().cacheSize(2).open();
      opened.setRetentionTime(0);
      opened.setVersionsToKeep(0);
      store = opened;
      rows = opened.openMap("rows");
      summaries = opened.openMap("summaries");
      return true;
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.DEBUG, file + " cannot be used as an index", e);
      abandon();
      return false;
    }
  }

  /// After a fault of the library: no more of this file in this run.
  private void abandon() {
    var broken = store;
    store = null;
    rows = null;
    summaries = null;
    if (broken != null) {
      try {
        broken.closeImmediately();
      } catch (RuntimeException e) {
        LOG.log(System.Logger.Level.DEBUG, file + " was not closed in order", e);
      }
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

  /// What was written as head; null when there is none that is whole.
  public byte @Nullable [] head() {
    return get(rows, HEAD);
  }

  /// The n-th part of the rows, from 0; null when there is none that is whole.
  public byte @Nullable [] rows(int part) {
    return get(rows, part);
  }

  /// The summary of a message; null when there is none that is whole.
  public byte @Nullable [] summary(long id) {
    return get(summaries, id);
  }

  private byte @Nullable [] get(@Nullable MVMap<Long, byte[]> map, long key) {
    if (map == null) {
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
      LOG.log(System.Logger.Level.DEBUG, file + " is damaged; it is begun anew", e);
      abandon();
      remove();
      return null;
    }
  }

  private static int check(long key, byte[] content) {
    var crc = new CRC32C();
    crc.update(ByteBuffer.allocate(8).putLong(0, key));
    crc.update(content);
    return (int) crc.getValue();
  }

  private void put(@Nullable MVMap<Long, byte[]> map, long key, byte[] content) {
    if (map == null) {
      return;
    }
    try {
      var value = Arrays.copyOf(content, content.length + 4);
      ByteBuffer.wrap(value).putInt(content.length, check(key, content));
      map.put(key, value);
      if (++uncommitted >= COMMIT_EVERY) {
        commit();
      }
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.WARNING, file + " cannot be written; going on without", e);
      abandon();
      remove();
    }
  }

  /// Keeps a summary.
  public void putSummary(long id, byte[] summary) {
    put(summaries, id, summary);
  }

  /// Puts a head and all parts of the rows in the place of those before.
  public void write(byte[] head, List<byte[]> parts) {
    put(rows, HEAD, new byte[0]);
    for (int i = 0; i < parts.size(); i++) {
      put(rows, i, parts.get(i));
    }
    put(rows, HEAD, head);
    commit();
  }

  private void commit() {
    uncommitted = 0;
    var open = store;
    if (open != null) {
      open.commit();
    }
  }

  @Override
  public void close() {
    var open = store;
    if (open != null) {
      try {
        open.close();
      } catch (RuntimeException e) {
        LOG.log(System.Logger.Level.WARNING, file + " was not closed in order", e);
        abandon();
        remove();
      }
      store = null;
      rows = null;
      summaries = null;
    }
  }
}
