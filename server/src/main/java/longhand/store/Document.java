package longhand.store;

import java.io.Closeable;
import java.io.IOException;
import longhand.disk.DiskFile;

/// An open document of one generation. Readers hold on to it while they read, so that a rewrite,
/// which puts another file in its place, takes nothing from under them.
final class Document implements Closeable {

  final DiskFile file;
  final long generation;
  private int users = 1;

  Document(DiskFile file, long generation) {
    this.file = file;
    this.generation = generation;
  }

  /// Holds the file open until `close`; false when it is closed already.
  synchronized boolean retain() {
    if (users == 0) {
      return false;
    }
    users++;
    return true;
  }

  /// Gives back one hold; the last closes the file.
  @Override
  public void close() throws IOException {
    synchronized (this) {
      if (--users > 0) {
        return;
      }
    }
    file.close();
  }
}
