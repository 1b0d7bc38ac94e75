package longhand.index;

import java.io.Closeable;
import java.nio.file.Path;
import java.util.List;
import longhand.disk.Disk;
import org.h2.mvstore.MVMap;
import org.jspecify.annotations.Nullable;

/// The index file of one account: a head that says of which state of the document it was made,
/// packed rows of its entries, and summaries of messages by id. What the octets mean is the
/// caller's affair.
///
/// A cache and nothing else (invariant I4): a value that is damaged reads as absent, a file that
/// cannot be opened is begun anew, and one that cannot be had at all forgets everything: answers
/// stay the same, only slower. For one thread at a time.
public final class AccountIndex implements Closeable {

  private static final long HEAD = -1;
  private static final int COMMIT_EVERY = 2000;

  private final CacheFile file;
  private final @Nullable MVMap<Long, byte[]> rows;
  private final @Nullable MVMap<Long, byte[]> summaries;
  private int uncommitted;

  private AccountIndex(CacheFile file) {
    this.file = file;
    this.rows = file.map("rows");
    this.summaries = file.map("summaries");
  }

  /// Opens the index in a file, made when missing.
  public static AccountIndex open(Disk disk, Path file) {
    return new AccountIndex(CacheFile.open(disk, file, 2));
  }

  /// Opens the index in a file to look at it: nothing is changed, removed or made. Null when there
  /// is none, or none that can be read, or another process has it open.
  public static @Nullable AccountIndex openReadOnly(Disk disk, Path file) {
    var cache = CacheFile.openReadOnly(disk, file);
    return cache == null ? null : new AccountIndex(cache);
  }

  /// What was written as head; null when there is none that is whole.
  public byte @Nullable [] head() {
    return file.get(rows, HEAD);
  }

  /// The n-th part of the rows, from 0; null when there is none that is whole.
  public byte @Nullable [] rows(int part) {
    return file.get(rows, (long) part);
  }

  /// The summary of a message; null when there is none that is whole.
  public byte @Nullable [] summary(long id) {
    return file.get(summaries, id);
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

  private void put(@Nullable MVMap<Long, byte[]> map, long key, byte[] content) {
    file.put(map, key, content);
    if (++uncommitted >= COMMIT_EVERY) {
      commit();
    }
  }

  private void commit() {
    uncommitted = 0;
    file.commit();
  }

  @Override
  public void close() {
    file.close();
  }
}
