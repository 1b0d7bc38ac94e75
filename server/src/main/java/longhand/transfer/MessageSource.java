package longhand.transfer;

import java.io.Closeable;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Messages one after another, from one file or one folder of files.
interface MessageSource extends Closeable {

  /// What it is known by: its absolute path.
  String name();

  /// The mailbox its messages were in, when it says so.
  Optional<String> mailbox();

  /// Octets of it.
  long total();

  /// What follows is passed over: a source that is one file goes on at `end`, another leaves out
  /// the files of those names.
  ///
  /// @throws IOException when the source is not the one that was read then
  void resume(Set<String> done, String end, String check) throws IOException;

  /// The same, from its beginning.
  MessageSource reopened() throws IOException;

  /// The next message; null at the end.
  @Nullable Found next() throws IOException;

  /// Something by which to know later that what lies before `end` is still the same.
  String check(String end) throws IOException;
}
